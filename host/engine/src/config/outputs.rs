//! Finds the paths that the user lets a plugin write by naming them in its `config`.

use serde_json::Value;

use crate::config::bounds::resolve;
use crate::config::schema::ConfigSchema;

/// The `format` of properties that hold such paths.
const FORMAT: &str = "seed-output-path";

impl ConfigSchema {
    /// The user's own values of properties with the format `seed-output-path`. Defaults in the schema do not count:
    /// the plugin wrote those.
    pub(crate) fn output_paths(&self, config: &Value) -> Vec<String> {
        let mut paths = Vec::new();
        collect(&self.document, &self.document, config, &mut paths);
        paths
    }
}

/// Follows `properties`, `items` and `$ref` alone: paths behind `oneOf` and the like would depend on the
/// rest of the config, and a grant must be plain to see.
fn collect(root: &Value, schema: &Value, value: &Value, paths: &mut Vec<String>) {
    if let (Some(FORMAT), Some(path)) = (schema.get("format").and_then(Value::as_str), value.as_str()) {
        paths.push(path.to_owned());
    }
    if let Some(target) =
        schema.get("$ref").and_then(Value::as_str).and_then(|reference| resolve(root, reference))
    {
        collect(root, target, value, paths);
    }
    if let (Some(Value::Object(properties)), Value::Object(entries)) = (schema.get("properties"), value) {
        for (key, value) in entries {
            properties.get(key).into_iter().for_each(|schema| collect(root, schema, value, paths));
        }
    }
    if let (Some(items), Value::Array(values)) = (schema.get("items"), value) {
        for value in values {
            collect(root, items, value, paths);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_the_users_own_values_count() {
        let path = json!({"type": "string", "format": "seed-output-path", "default": "/etc"});
        let schema = json!({
            "properties": {"path": path, "archive": {"$ref": "#/$defs/p"}, "many": {"items": path}, "other": {}},
            "$defs": {"p": path},
        });
        let schema = ConfigSchema::parse(&schema.to_string()).unwrap();
        assert_eq!(schema.output_paths(&json!({})), Vec::<String>::new());
        let config = json!({"archive": "a.tar", "many": ["b", "c"], "other": "/root"});
        assert_eq!(schema.output_paths(&config), ["a.tar", "b", "c"]);
    }
}
