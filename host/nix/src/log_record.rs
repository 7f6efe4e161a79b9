//! One line of Nix's `internal-json` log. The numbers are those of `logging.hh` in Nix, the same since 2.0.

use serde::Deserialize;
use serde_json::Value;

/// What follows `@nix `.
#[derive(Deserialize)]
pub(crate) struct Record {
    pub(crate) action: String,
    #[serde(default)]
    pub(crate) id: u64,
    #[serde(default)]
    pub(crate) level: u64,
    #[serde(default, rename = "type")]
    pub(crate) kind: u64,
    #[serde(default)]
    pub(crate) text: String,
    #[serde(default)]
    pub(crate) msg: String,
    #[serde(default)]
    pub(crate) fields: Vec<Value>,
}

pub(crate) const ACTIVITY_COPY_PATH: u64 = 100;
pub(crate) const ACTIVITY_FILE_TRANSFER: u64 = 101;
pub(crate) const ACTIVITY_BUILDS: u64 = 104;
pub(crate) const ACTIVITY_BUILD: u64 = 105;
pub(crate) const RESULT_BUILD_LOG_LINE: u64 = 101;
pub(crate) const RESULT_SET_PHASE: u64 = 104;
pub(crate) const RESULT_PROGRESS: u64 = 105;
pub(crate) const RESULT_POST_BUILD_LOG_LINE: u64 = 107;

impl Record {
    /// The field at `index`, or no text if it is not text.
    pub(crate) fn text_field(&self, index: usize) -> &str {
        self.fields.get(index).and_then(Value::as_str).unwrap_or_default()
    }

    /// The field at `index`, or zero if it is no number.
    pub(crate) fn number_field(&self, index: usize) -> u64 {
        self.fields.get(index).and_then(Value::as_u64).unwrap_or_default()
    }
}
