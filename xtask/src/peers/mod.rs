//! The other programs that the end-to-end tests run `seed` against: made available once, under fixed names in one
//! directory, which the tests find through `SEED_PEERS`.
//!
//! | name | what |
//! |---|---|
//! | `nix`, `docker-registry`, `skopeo`, `umoci`, `docker`, `dockerd`, `bash-static`, … | this machine's own |
//! | `in-trixie`, `in-forky` | run a command in a Debian root that has another Nix |
//! | `cosign-2`, `cosign-3` | both major versions of cosign |
//! | `referrers-registry` | a registry with the referrers API |
//! | `acme-signer.wasm` | the component of examples/custom-signer |

mod go;
mod link;
mod roots;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use miette::{Result, bail, miette};

use crate::examples::{MATERIALS, MUSL_MATERIALS};
use crate::paths::state_directory;
use crate::peers::link::link;
use crate::process::run;
use crate::{machine, plugins};

/// The variable through which the tests find the peers.
pub(crate) const PEERS_VARIABLE: &str = "SEED_PEERS";

/// The example of a plugin that is no default, built as its guide says.
const CUSTOM_SIGNER: &str = "examples/custom-signer";

/// Programs of this machine and the Debian packages that have them.
const PROGRAMS: [(&str, &str); 13] = [
    ("nix", "nix-bin"),
    ("nix-store", "nix-bin"),
    ("bash-static", "bash-static"),
    ("busybox", "busybox-static"),
    ("docker-registry", "docker-registry"),
    ("skopeo", "skopeo"),
    // The GitHub action reads summaries with it.
    ("jq", "jq"),
    ("umoci", "umoci"),
    ("docker", "docker.io"),
    ("dockerd", "docker.io"),
    ("podman", "podman"),
    ("git", "git"),
    ("openssl", "openssl"),
];

/// Makes every peer available; gives the directory that has them.
pub(crate) fn install() -> Result<PathBuf> {
    if !machine::is_root() {
        bail!(
            help = "run it as root on Debian, for example in a container, or leave out the peers with `--no-peers`",
            "the peers include a Docker daemon and Debian roots, which require root"
        );
    }
    let directory = state_directory()?.join("peers");
    fs::create_dir_all(&directory)
        .map_err(|error| miette!("cannot create {}: {error}", directory.display()))?;
    machine::ensure(&PROGRAMS)?;
    machine::ensure(&MATERIALS)?;
    machine::ensure(&MUSL_MATERIALS)?;
    machine::ensure(&[("debootstrap", "debootstrap")])?;
    for (program, _) in PROGRAMS {
        let path = machine::find(program).ok_or_else(|| miette!("{program} is still missing"))?;
        link(&path, &directory.join(program))?;
    }
    roots::install(&directory)?;
    make_stores(&directory)?;
    go::install(&directory)?;
    plugins::build_package(Path::new(CUSTOM_SIGNER), &directory)?;
    Ok(directory)
}

/// Makes the stores of Nix with their databases. Several programs that start at once in a new store get in each other's
/// way while they make it, and some of them fail.
fn make_stores(directory: &Path) -> Result<()> {
    let make = |command: &mut Command| run(command.env("NIX_CONFIG", machine::nix_config()));
    make(Command::new("nix-store").arg("--init"))?;
    for script in roots::scripts(directory) {
        make(Command::new(script).arg(directory).args(["nix-store", "--init"]))?;
    }
    Ok(())
}
