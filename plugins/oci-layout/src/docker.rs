//! `manifest.json`, by which `docker load` finds its way in an OCI layout.

use seed_plugin::publisher::{File, PublishRequest};
use seed_plugin::{Diagnostic, StageError, canonical_json, log};
use serde::Serialize;

use crate::file::{blob_path, document};
use crate::layout;

/// An image, in the form of `docker save`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct DockerImage {
    config: String,
    layers: Vec<String>,
    repo_tags: Vec<String>,
}

/// The file over all images. Docker has no multi-platform images in archives, so if there are several, each has
/// tags that end with its system, such as `hello:latest-x86_64-linux`.
pub(crate) fn manifest(
    request: &PublishRequest,
    repository: &str,
    tags: &[String],
) -> Result<File, StageError> {
    check_repository(repository)?;
    let mut images = Vec::new();
    for image in &request.images {
        let manifest = layout::manifest(&image.content.manifest)?;
        if manifest.layers.iter().any(|layer| layer.media_type.ends_with("+zstd")) {
            log::warn("`docker load` reads zstd layers only with the containerd image store");
        }
        let suffix = if request.images.len() > 1 { format!("-{}", image.system) } else { String::new() };
        images.push(DockerImage {
            config: blob_path(&manifest.config.digest)?,
            layers: manifest.layers.iter().map(|layer| blob_path(&layer.digest)).collect::<Result<_, _>>()?,
            repo_tags: tags.iter().map(|tag| format!("{repository}:{tag}{suffix}")).collect(),
        });
    }
    Ok(document("manifest.json", canonical_json::to_vec(&images)?))
}

/// Docker refuses to load an image under another name.
fn check_repository(repository: &str) -> Result<(), Diagnostic> {
    let host_or_word =
        |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'_' | b'-' | b':');
    let good =
        |part: &str| part.bytes().all(host_or_word) && part.starts_with(|c: char| c.is_ascii_alphanumeric());
    if repository.split('/').all(good) {
        return Ok(());
    }
    Err(Diagnostic::error(
        "oci-layout::repository",
        &format!("`{repository}` is not an image name for Docker"),
    )
    .with_help("set `repository` to a lower-case name such as `org/app`")
    .at("/repository"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_the_names_that_docker_takes() {
        for name in ["hello", "org/app", "localhost:5000/a_b.c-d"] {
            assert_eq!(check_repository(name).map_err(|d| d.message), Ok(()), "{name}");
        }
        for name in ["Hello", "", "a//b", "-a", "a b"] {
            assert!(check_repository(name).is_err(), "{name}");
        }
    }
}
