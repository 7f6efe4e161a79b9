//! `seed init`: a commented pipeline file for a flake, after a look at what the flake has.

use std::fs;
use std::path::{Path, PathBuf};

use seed_model::Platform;
use seed_nix::{Event, Nix, NixError, NixOptions};
use seed_report::{Error, visible};

use crate::session::Session;
use crate::source::FlakeError;

/// What the flake has to make an image from.
#[derive(Debug, PartialEq, Eq)]
enum Offer {
    /// A derivation `seed` with these outputs.
    Split(Vec<String>),
    /// A package.
    Package(String),
    /// Nothing for this machine's system.
    Nothing,
}

/// What to write a pipeline file for.
#[derive(Clone, Debug)]
pub struct InitOptions {
    /// The flake, as Nix takes it.
    pub flake: String,
    /// Where its relative paths begin: the directory of the pipeline file.
    pub directory: PathBuf,
}

/// The text of a commented pipeline file.
pub(crate) fn init(session: &Session, options: &InitOptions) -> Result<String, Error> {
    let InitOptions { flake, directory } = options;
    let offer = look(session, flake, directory).map_err(FlakeError::from)?;
    Ok(text(flake, &name(flake, directory), &offer))
}

fn look(session: &Session, flake: &str, directory: &Path) -> Result<Offer, NixError> {
    let quiet = |_: &Event| {};
    let nix = Nix::find(NixOptions { substitute: Some(false), ..session.nix() })?;
    let info = nix.flake(flake, directory, &quiet)?;
    let system = Platform::host_system();
    let packages = nix.packages(&info, &system, &quiet)?;
    let has = |name: &str| packages.iter().any(|package| package == name);
    Ok(if has("seed") {
        Offer::Split(nix.outputs(&info, &system, "seed", &quiet)?)
    } else if has("default") {
        Offer::Package("default".to_owned())
    } else {
        // A name that no terminal shows as it is would make a file that nobody can check.
        let mut readable = packages.into_iter().filter(|name| visible::line(name) == *name);
        readable.next().map_or(Offer::Nothing, Offer::Package)
    })
}

/// A name for the image: that of the flake's directory, as far as image names allow.
fn name(flake: &str, directory: &Path) -> String {
    let local = flake.strip_prefix("path:").unwrap_or(flake);
    let path = fs::canonicalize(directory.join(local)).unwrap_or_else(|_| Path::new(flake).to_owned());
    let last = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
    let words = last.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let name = words.collect::<Vec<_>>().join("-");
    if name.is_empty() { "app".to_owned() } else { name.chars().take(64).collect() }
}

fn text(flake: &str, name: &str, offer: &Offer) -> String {
    let quoted = |text: &str| toml::Value::String(text.to_owned()).to_string();
    let layers = match offer {
        Offer::Split(outputs) => {
            format!(
                "# The derivation whose outputs are the layers: {}.\nattr = \"seed\"\n",
                visible::line(&outputs.join(", "))
            )
        }
        _ => String::new(),
    };
    let packages = match offer {
        Offer::Split(_) => String::new(),
        Offer::Package(package) => format!("apps = [{}]\n", quoted(package)),
        Offer::Nothing => {
            "# The flake has no packages for this system: name one here.\napps = []\n".to_owned()
        }
    };
    let section = if packages.is_empty() {
        String::new()
    } else {
        format!(
            "# The flake's packages for each layer: what changes rarely belongs into `base` and `library`.\n\
             [layers]\n{packages}\n"
        )
    };
    format!(
        "# Written by `seed init`. `seed plan` shows what would be done, `seed run` does it.\n\
         schema = 1\n\n\
         [source]\n\
         flake = {flake}\n\
         {layers}\
         # systems = [\"x86_64-linux\", \"aarch64-linux\"]   # this machine's where it is left out\n\
         # substitute = true   # let Nix download what others built\n\n\
         {section}\
         [seed]\n\
         name = {name}\n\n\
         [select]\n\
         plugin = \"builtin:standard-layers\"\n\
         # config = {{ entrypoint = [{name}] }}\n\n\
         [pack]\n\
         plugin = \"builtin:oci-packer\"\n\
         config = {{ compression = \"gzip\" }}\n\n\
         # `cosign generate-key-pair` makes the key.\n\
         # [[sign]]\n\
         # plugin = \"builtin:cosign-signer\"\n\
         # grants = {{ keys = [\"release\"] }}\n\
         #\n\
         # [keys.release]\n\
         # cosign = {{ file = \"cosign.key\", password = {{ env = \"COSIGN_PASSWORD\" }} }}\n\n\
         # A directory for OCI tools, and a tar for `docker load`.\n\
         [[publish]]\n\
         plugin = \"builtin:oci-layout\"\n\
         config = {{ path = \"image\", archive = {archive} }}\n\n\
         # [[publish]]\n\
         # plugin = \"builtin:registry-publisher\"\n\
         # config = {{ repository = \"ghcr.io/ORGANISATION/NAME\", tag-latest = true }}\n\
         # grants = {{ http = [\"https://ghcr.io\"], credentials = [\"ghcr.io\"] }}\n",
        flake = quoted(flake),
        name = quoted(name),
        archive = quoted(&format!("{name}.tar")),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{parse, rendered};

    #[test]
    fn what_is_written_can_be_read() {
        let outputs = ["base", "library", "apps"].map(str::to_owned).to_vec();
        for offer in [Offer::Split(outputs), Offer::Package("default".to_owned()), Offer::Nothing] {
            let read = parse(&text("path:./flake \"x\"", "hello", &offer));
            assert!(read.is_ok(), "{}", rendered(&read.unwrap_err()));
        }
        insta::assert_snapshot!(text(".", "hello", &Offer::Package("default".to_owned())));
    }

    #[test]
    fn names_come_from_directories() {
        let directory = tempfile::tempdir().unwrap();
        let project = directory.path().join("My_Project (2)");
        fs::create_dir(&project).unwrap();
        assert_eq!(name(".", &project), "my-project-2");
        assert_eq!(name("path:.", &project), "my-project-2");
        assert_eq!(name("/", &project), "app");
        assert_eq!(name("github:owner/repo", &project), "repo");
    }
}
