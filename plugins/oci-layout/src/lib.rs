//! Publishes to files: an OCI image layout directory, or one tar that both `docker load` and OCI tools read.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking"))]

mod docker;
mod file;
mod layout;

use seed_plugin::publisher::{PublishRequest, Published, Publisher, Written};
use seed_plugin::{About, Diagnostic, Plugin, StageError, files, tag};
use serde::Deserialize;

use crate::file::MARKER;
use crate::layout::Layout;

/// See `config.schema.json`.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Config {
    path: Option<String>,
    archive: Option<String>,
    #[serde(default = "default_tags")]
    tags: Vec<String>,
    repository: Option<String>,
}

fn default_tags() -> Vec<String> {
    vec!["latest".to_owned()]
}

struct OciLayout;

impl Plugin for OciLayout {
    type Config = Config;
    const ABOUT: About = seed_plugin::about!(include_str!("config.schema.json"));
}

impl Publisher for OciLayout {
    fn targets(_config: Config, _name: &str) -> Result<Vec<String>, StageError> {
        Ok(Vec::new())
    }

    fn publish(config: Config, request: PublishRequest) -> Result<Vec<Published>, StageError> {
        if config.path.is_none() && config.archive.is_none() {
            return Err(Diagnostic::error("oci-layout::nowhere", "neither `path` nor `archive` is set")
                .with_help("set `path` for a layout directory, `archive` for a tar, or both")
                .into());
        }
        let tags = tag::expand_all(&config.tags, &request.variables)?;
        let layout = Layout::new(&request, &tags)?;
        let mut published = Vec::new();
        if let Some(path) = &config.path {
            let written = files::write_directory(path, MARKER, &layout.files()?)?;
            let try_with = format!("skopeo inspect oci:{path}:{}", tags[0]);
            published.push(outcome(path, &layout, written, try_with));
        }
        if let Some(archive) = &config.archive {
            let repository = config.repository.as_deref().unwrap_or(&request.name);
            let mut files = layout.files()?;
            files.push(docker::manifest(&request, repository, &tags)?);
            let written = files::write_tar(archive, &files)?;
            published.push(outcome(archive, &layout, written, format!("docker load < {archive}")));
        }
        Ok(published)
    }
}

seed_plugin::export_publisher!(OciLayout);

fn outcome(path: &str, layout: &Layout, written: Written, try_with: String) -> Published {
    Published {
        reference: path.to_owned(),
        digest: layout.root().digest.clone(),
        uploaded: written.files,
        skipped: written.unchanged,
        bytes: written.bytes,
        try_with: Some(try_with),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_every_key_of_the_schema() {
        seed_plugin::testing::knows_every_key::<OciLayout>();
    }
}
