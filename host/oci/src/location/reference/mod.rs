//! References to images, as users write them: the one grammar of all commands (`docs/references.md`).
//!
//! Whether a text means a registry or a path depends on the text alone, never on the files that there are.

mod error;
mod registry;
#[cfg(test)]
mod tests;

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use seed_model::Digest;

pub use error::ReferenceError;
pub use registry::RegistryReference;

/// Where an image is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reference {
    /// In a directory or file of this machine.
    Path(PathReference),
    /// In a registry.
    Registry(RegistryReference),
}

/// An image in a directory or file: `PATH[:NAME][@DIGEST]`, with the form before it or without.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathReference {
    pub form: Form,
    pub path: PathBuf,
    /// The image's whole name there; none for the only image.
    pub name: Option<String>,
    /// The digest of its manifest or index.
    pub digest: Option<Digest>,
}

/// What a path has to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Any of the others.
    Any,
    /// An OCI layout directory. Names are those of `index.json`.
    Layout,
    /// A tar of an OCI layout. Names are those of `index.json`.
    OciArchive,
    /// A tar as `docker save` writes it. Names are those of `manifest.json`.
    DockerArchive,
}

/// The forms, as references begin with them. Skopeo and Podman call them so, too.
const FORMS: [(&str, Form); 3] =
    [("oci:", Form::Layout), ("oci-archive:", Form::OciArchive), ("docker-archive:", Form::DockerArchive)];

impl FromStr for Reference {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Self, ReferenceError> {
        if let Some((scheme, rest)) = text.split_once("://")
            && !scheme.contains('/')
        {
            let reason = format!("`{scheme}://` is not part of a reference; write `{rest}`");
            return Err(ReferenceError::new(text, reason));
        }
        for (prefix, form) in FORMS {
            if let Some(rest) = text.strip_prefix(prefix) {
                return path(text, form, rest).map(Self::Path);
            }
        }
        if !text.contains('/') || ["./", "../", "/"].iter().any(|start| text.starts_with(start)) {
            return path(text, Form::Any, text).map(Self::Path);
        }
        let registry = text.parse().map_err(|ReferenceError { text: shown, reason }| {
            let reason = format!("{reason}; for a directory or file, write `./{shown}`");
            ReferenceError::new(text, reason)
        });
        registry.map(Self::Registry)
    }
}

/// Reads `PATH[:NAME][@DIGEST]`. As for other tools, the first colon ends the path.
fn path(text: &str, form: Form, rest: &str) -> Result<PathReference, ReferenceError> {
    let error = |reason: &str| Err(ReferenceError::new(text, reason));
    // A name may have an `@`; a digest is told by the colon behind it.
    let (rest, digest) = match rest.rsplit_once('@').filter(|(_, digest)| digest.contains(':')) {
        None => (rest, None),
        Some((rest, digest)) => match digest.parse() {
            Ok(digest) => (rest, Some(digest)),
            Err(reason) => return Err(ReferenceError::new(text, format!("{reason}"))),
        },
    };
    let (path, name) = match rest.split_once(':') {
        None => (rest, None),
        Some((path, name)) => (path, Some(name)),
    };
    if path.is_empty() {
        return error("it has no path");
    }
    if path.contains('\0') {
        return error("a path cannot have a zero byte");
    }
    if name == Some("") {
        return error("the name after `:` is missing");
    }
    Ok(PathReference { form, path: path.into(), name: name.map(str::to_owned), digest })
}

impl fmt::Display for PathReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let prefix = FORMS.iter().find(|(_, form)| *form == self.form).map_or("", |(prefix, _)| prefix);
        write!(f, "{prefix}{}", self.path.display())?;
        if let Some(name) = &self.name {
            write!(f, ":{name}")?;
        }
        self.digest.map_or(Ok(()), |digest| write!(f, "@{digest}"))
    }
}

impl PathReference {
    /// The same for the longest path that exists, if any: without a form, the colon may be one of the path.
    fn existing(self) -> Result<Self, Self> {
        if self.form != Form::Any {
            return if self.path.exists() { Ok(self) } else { Err(self) };
        }
        let text = Self { digest: None, ..self.clone() }.to_string();
        let at = |path: &str, name: Option<&str>| {
            let name = name.map(str::to_owned);
            Path::new(path).exists().then(|| Self { path: path.into(), name, ..self.clone() })
        };
        let shorter = || {
            text.rmatch_indices(':').find_map(|(end, _)| at(&text[..end], text.get(end..)?.strip_prefix(':')))
        };
        at(&text, None).or_else(shorter).filter(|found| found.name.as_deref() != Some("")).ok_or(self)
    }
}

impl Reference {
    /// Reads a reference that a user gave. A path must exist.
    pub fn find(text: &str) -> Result<Self, ReferenceError> {
        let reference = match text.parse()? {
            Self::Path(reference) => reference,
            registry @ Self::Registry(_) => return Ok(registry),
        };
        reference.existing().map(Self::Path).map_err(|PathReference { form, path, .. }| {
            // What other tools would look for on Docker Hub.
            let is_short_name = form == Form::Any && !text.contains(['/', '@', '.']);
            let hint = if is_short_name {
                format!("; on Docker Hub, it is `docker.io/{text}`")
            } else {
                String::new()
            };
            ReferenceError::new(text, format!("`{}` does not exist{hint}", path.display()))
        })
    }
}

/// `text` as the path that it also names, if it means a registry and such a directory or file exists.
pub fn as_existing_path(text: &str) -> Option<String> {
    let Ok(Reference::Registry(_)) = text.parse() else { return None };
    let path = format!("./{text}");
    Reference::find(&path).is_ok().then_some(path)
}
