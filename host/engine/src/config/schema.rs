//! Compiles a plugin's JSON Schema, which may be hostile.

use jsonschema::{Draft, PatternOptions, Validator};
use serde_json::Value;

use crate::config::bounds::{self, BoundsError};

/// The largest schema in bytes of JSON. The builtin plugins need less than 4 KiB.
const MAX_SIZE: usize = 256 << 10;

/// The memory that one compiled `pattern` may take in bytes; the regex engine takes linear time.
const MAX_PATTERN: usize = 1 << 20;

/// Why the schema of a plugin cannot be used. The plugin is at fault, not the user.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SchemaError {
    /// It is larger than 256 KiB.
    #[error("its config schema has {size} bytes, more than the limit of {MAX_SIZE}")]
    TooLarge { size: usize },
    /// It is not JSON.
    #[error("its config schema is not JSON: {0}")]
    NotJson(#[from] serde_json::Error),
    /// Checking it could take too long.
    #[error("its config schema {0}")]
    Bounds(#[from] BoundsError),
    /// It is not a schema of draft 2020-12.
    #[error("its config schema is not a JSON Schema: {0}")]
    NotASchema(String),
}

/// A compiled schema.
#[derive(Debug)]
pub(crate) struct ConfigSchema {
    pub(super) document: Value,
    pub(super) validator: Validator,
}

impl ConfigSchema {
    /// Compiles `text`. References lead only into the schema itself, and not in circles.
    pub(crate) fn parse(text: &str) -> Result<Self, SchemaError> {
        if text.len() > MAX_SIZE {
            return Err(SchemaError::TooLarge { size: text.len() });
        }
        let document: Value = serde_json::from_str(text)?;
        bounds::check(&document)?;
        let validator = jsonschema::options()
            .with_draft(Draft::Draft202012)
            .should_validate_formats(false)
            .with_pattern_options(PatternOptions::regex().size_limit(MAX_PATTERN))
            .build(&document)
            .map_err(|error| SchemaError::NotASchema(error.to_string()))?;
        Ok(Self { document, validator })
    }

    /// The schema as JSON.
    pub(crate) fn document(&self) -> &Value {
        &self.document
    }
}
