//! The `config` table of this plugin; what each key means is in `config.schema.json`.

use seed_plugin::{Diagnostic, Pair, tag};
use serde::Deserialize;

/// See `config.schema.json`.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Config {
    pub(crate) repository: String,
    #[serde(default)]
    tags: Vec<String>,
    #[serde(default)]
    tag_latest: bool,
    #[serde(default)]
    pub(crate) mount_from: Vec<String>,
    pub(crate) chunk_size: Option<u64>,
    #[serde(default)]
    pub(crate) plain_http: bool,
}

impl Config {
    /// The tags with their variables filled in, each once.
    pub(crate) fn tags(&self, variables: &[Pair]) -> Result<Vec<String>, Diagnostic> {
        let mut tags = tag::expand_all(&self.tags, variables)?;
        if self.tag_latest && !tags.iter().any(|tag| tag == "latest") {
            tags.push("latest".to_owned());
        }
        Ok(tags)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn adds_latest_once() {
        let tags = |json: &str| serde_json::from_str::<Config>(json).unwrap().tags(&[]).unwrap();
        assert_eq!(tags(r#"{"repository":"r","tags":["v1"],"tag-latest":true}"#), ["v1", "latest"]);
        assert_eq!(tags(r#"{"repository":"r","tags":["latest"],"tag-latest":true}"#), ["latest"]);
        assert!(tags(r#"{"repository":"r"}"#).is_empty());
    }

    #[test]
    fn knows_every_key_of_the_schema() {
        seed_plugin::testing::knows_every_key::<crate::RegistryPublisher>();
    }
}
