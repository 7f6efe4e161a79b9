//! Tests that every plugin needs.

use serde_json::{Value, json};

use crate::Plugin;

/// Checks that `Config` knows every key of the plugin's schema; the host would let one that it does not know through,
/// and reading would fail.
///
/// # Panics
///
/// Where a key is not known. `Config` must refuse unknown keys (`#[serde(deny_unknown_fields)]`) for this to be seen.
pub fn knows_every_key<P: Plugin>() {
    let schema: Value = serde_json::from_str(P::ABOUT.config_schema).unwrap_or_default();
    let properties = schema["properties"].as_object();
    for key in properties.into_iter().flat_map(|properties| properties.keys()) {
        // No key takes an object with a null in it; so this is an error that says which keys there are.
        let error = serde_json::from_value::<P::Config>(json!({key: {"": null}})).err();
        let error = error.map_or_else(|| format!("`{key}` takes anything"), |error| error.to_string());
        let unknown = format!("unknown field `{key}`");
        assert!(!error.contains(&unknown) && !error.contains("takes anything"), "{error}");
    }
    assert!(schema.is_object(), "the schema is a JSON object");
}
