//! A plugin's `config`: checked against the JSON Schema that the plugin exports, before any stage runs.

mod bounds;
mod outputs;
mod schema;
mod validate;

pub(crate) use schema::{ConfigSchema, SchemaError};
