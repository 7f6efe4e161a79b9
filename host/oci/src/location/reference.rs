//! References to images, as users write them.

use std::fmt;
use std::path::{Path, PathBuf};

use seed_model::Digest;

/// Where an image is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reference {
    /// An OCI layout directory.
    Layout {
        path: PathBuf,
        /// The image's name in its index.
        tag: Option<String>,
    },
    /// A tar of an OCI layout, or one that `docker save` wrote.
    Archive {
        path: PathBuf,
        /// The image's name in its index.
        tag: Option<String>,
    },
    /// An image in a registry.
    Registry(RegistryReference),
}

/// An image in a registry: `host[:port]/repository[:tag][@digest]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegistryReference {
    /// `host[:port]`, as Docker names the registry.
    pub registry: String,
    pub repository: String,
    /// The tag; `latest` where there is neither tag nor digest.
    pub tag: Option<String>,
    /// The digest, which wins over the tag.
    pub digest: Option<Digest>,
}

/// A text that is no reference.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "invalid image reference `{text}`: {reason}; write host/repository:tag, or the path of a layout \
     directory or tar archive"
)]
pub struct ReferenceError {
    pub text: String,
    /// What is wrong with it.
    pub reason: String,
}

impl Reference {
    /// Parses `layout:PATH[:TAG]` or `oci:PATH[:TAG]`, the path of a directory or file (with `:TAG` or without), or a registry reference.
    /// Looks whether such files exist: what exists is a path.
    pub fn parse(text: &str) -> Result<Self, ReferenceError> {
        // `oci:` is what skopeo and podman call a layout.
        if let Some(rest) = text.strip_prefix("layout:").or_else(|| text.strip_prefix("oci:")) {
            return path_and_tag(rest).ok_or_else(|| error(text, "no such file or directory".to_owned()));
        }
        if let Some(found) = path_and_tag(text) {
            return Ok(found);
        }
        if text.starts_with(['.', '/']) {
            return Err(error(text, "no such file or directory".to_owned()));
        }
        text.parse().map(Self::Registry)
    }
}

/// The whole text as a path, or all but what stands behind one of its colons: names may have colons too.
fn path_and_tag(text: &str) -> Option<Reference> {
    let at = |path: &str, tag: Option<&str>| {
        let (path, tag) = (Path::new(path), tag.map(str::to_owned));
        if path.is_dir() {
            Some(Reference::Layout { path: path.to_owned(), tag })
        } else if path.is_file() {
            Some(Reference::Archive { path: path.to_owned(), tag })
        } else {
            None
        }
    };
    at(text, None).or_else(|| {
        text.rmatch_indices(':').find_map(|(at_colon, _)| at(&text[..at_colon], Some(&text[at_colon + 1..])))
    })
}

impl std::str::FromStr for RegistryReference {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Self, ReferenceError> {
        let fail = |reason: &str| Err(error(text, reason.to_owned()));
        if text.len() > 1024 {
            return fail("it is longer than 1024 bytes");
        }
        let Some((registry, rest)) = text.split_once('/') else {
            return fail("it has no registry");
        };
        if !(registry.contains(['.', ':']) || registry == "localhost") {
            return Err(error(
                text,
                format!("`{registry}` is not a registry host (Docker Hub is `docker.io`)"),
            ));
        }
        if !registry.bytes().all(|b| b.is_ascii_alphanumeric() || b".-:[]".contains(&b)) {
            return Err(error(text, format!("`{registry}` is not a host")));
        }
        let (rest, digest) = match rest.split_once('@') {
            None => (rest, None),
            Some((rest, digest)) => (rest, Some(digest.parse().map_err(|e| error(text, format!("{e}")))?)),
        };
        let (repository, tag) = match rest.split_once(':') {
            None => (rest, None),
            Some((repository, tag)) => (repository, Some(tag)),
        };
        if !is_repository(repository) {
            return Err(error(
                text,
                format!(
                    "invalid repository `{repository}`: use lower-case letters, digits, `.`, `_`, `-` and `/`"
                ),
            ));
        }
        if let Some(tag) = tag.filter(|tag| !is_tag(tag)) {
            return Err(error(text, format!("invalid tag `{tag}`")));
        }
        // Docker Hub keeps its official images in `library`.
        let official = registry == "docker.io" && !repository.contains('/');
        let repository = if official { format!("library/{repository}") } else { repository.to_owned() };
        let tag = match (tag, digest) {
            (None, None) => Some("latest".to_owned()),
            (tag, _) => tag.map(str::to_owned),
        };
        Ok(Self { registry: registry.to_owned(), repository, tag, digest })
    }
}

fn error(text: &str, reason: String) -> ReferenceError {
    ReferenceError { text: text.chars().take(200).collect(), reason }
}

/// `[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*`, with slashes between such parts (distribution specification).
fn is_repository(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 255
        && text.split('/').all(|part| {
            let alphanumeric = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
            part.bytes().all(|b| alphanumeric(b) || b"._-".contains(&b))
                && part.bytes().next().is_some_and(alphanumeric)
                && part.bytes().next_back().is_some_and(alphanumeric)
                && !["..", "._", "_.", ".-", "-.", "___", "_-", "-_"].iter().any(|bad| part.contains(bad))
        })
}

/// `[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}`.
fn is_tag(text: &str) -> bool {
    (1..=128).contains(&text.len())
        && !text.starts_with(['.', '-'])
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
}

impl fmt::Display for RegistryReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.registry, self.repository)?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        self.digest.map_or(Ok(()), |digest| write!(f, "@{digest}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn registry(text: &str) -> Result<String, String> {
        text.parse::<RegistryReference>().map(|r| r.to_string()).map_err(|e| e.reason)
    }

    #[test]
    fn registry_references_have_a_host_a_repository_and_a_tag_or_digest() {
        let digest = Digest::of(b"");
        assert_eq!(registry("ghcr.io/org/app").unwrap(), "ghcr.io/org/app:latest");
        assert_eq!(registry("localhost:5000/app:v1").unwrap(), "localhost:5000/app:v1");
        assert_eq!(registry("[::1]:5000/app:v1").unwrap(), "[::1]:5000/app:v1");
        assert_eq!(registry("docker.io/alpine").unwrap(), "docker.io/library/alpine:latest");
        assert_eq!(registry(&format!("a.b/c/d@{digest}")).unwrap(), format!("a.b/c/d@{digest}"));
        assert_eq!(registry(&format!("a.b/c/d:x@{digest}")).unwrap(), format!("a.b/c/d:x@{digest}"));
    }

    #[test]
    fn what_is_no_reference_is_refused_with_the_reason() {
        insta::assert_snapshot!(registry("alpine").unwrap_err(), @"it has no registry");
        insta::assert_snapshot!(registry("library/alpine").unwrap_err(), @"`library` is not a registry host (Docker Hub is `docker.io`)");
        insta::assert_snapshot!(registry("a.b?x/app").unwrap_err(), @"`a.b?x` is not a host");
        insta::assert_snapshot!(registry("ghcr.io/Org/app").unwrap_err(), @"invalid repository `Org/app`: use lower-case letters, digits, `.`, `_`, `-` and `/`");
        insta::assert_snapshot!(registry("ghcr.io/org/../app").unwrap_err(), @"invalid repository `org/../app`: use lower-case letters, digits, `.`, `_`, `-` and `/`");
        insta::assert_snapshot!(registry("ghcr.io/org/app:").unwrap_err(), @"invalid tag ``");
        insta::assert_snapshot!(registry("ghcr.io/org/app@sha256:12").unwrap_err(), @"`sha256:12` is not a digest: expected `sha256:` and 64 lower-case hexadecimal digits");
        insta::assert_snapshot!(Reference::parse("./missing.tar").unwrap_err(), @"invalid image reference `./missing.tar`: no such file or directory; write host/repository:tag, or the path of a layout directory or tar archive");
        insta::assert_snapshot!(Reference::parse("oci:missing").unwrap_err().reason, @"no such file or directory");
        insta::assert_snapshot!(Reference::parse("layout:missing").unwrap_err(), @"invalid image reference `layout:missing`: no such file or directory; write host/repository:tag, or the path of a layout directory or tar archive");
    }

    #[test]
    fn what_exists_is_a_path() {
        let directory = tempfile::tempdir().unwrap();
        let text = directory.path().to_str().unwrap();
        let path = directory.path().to_owned();
        assert_eq!(Reference::parse(text).unwrap(), Reference::Layout { path: path.clone(), tag: None });
        for prefix in ["", "layout:", "oci:"] {
            assert_eq!(
                Reference::parse(&format!("{prefix}{text}:v1")).unwrap(),
                Reference::Layout { path: path.clone(), tag: Some("v1".to_owned()) }
            );
        }
        let file = directory.path().join("a:b.tar");
        std::fs::write(&file, "").unwrap();
        assert_eq!(
            Reference::parse(file.to_str().unwrap()).unwrap(),
            Reference::Archive { path: file, tag: None }
        );
    }
}
