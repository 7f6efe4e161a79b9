//! The `config` table: what `layering` takes, and a table `musl`.

use serde::Deserialize;
use serde_json::{Error, Map, Value};

/// See `config.schema.json`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(try_from = "Map<String, Value>")]
pub(crate) struct Config {
    pub(crate) musl: Musl,
    pub(crate) layering: layering::Config,
}

impl TryFrom<Map<String, Value>> for Config {
    type Error = Error;

    fn try_from(mut keys: Map<String, Value>) -> Result<Self, Error> {
        let musl = keys.remove("musl").map(serde_json::from_value).transpose()?.unwrap_or_default();
        Ok(Self { musl, layering: serde_json::from_value(Value::Object(keys))? })
    }
}

/// The table `musl`.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(crate) struct Musl {
    /// The attribute of the musl build of `{attribute}`.
    pub(crate) attribute: String,
    /// The output of the musl build for `{output}`.
    pub(crate) output: String,
    pub(crate) refuse: Vec<String>,
}

impl Default for Musl {
    fn default() -> Self {
        Self {
            attribute: "{attribute}-musl".to_owned(),
            output: "{output}".to_owned(),
            refuse: vec!["glibc".to_owned()],
        }
    }
}
