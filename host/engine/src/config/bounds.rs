//! Bounds the work that a schema can cause: `$ref` could otherwise ask for endless or exponential time.

use std::collections::BTreeMap;

use serde_json::Value;

/// How many subschemas there may be when every `$ref` is replaced by what it names. A config is checked against
/// each at most once per value, so this bounds the time to milliseconds.
const MAX_EXPANDED: u64 = 20_000;

/// Keywords that choose a schema while validating, or rename the places that `$ref` means.
const REFUSED: [&str; 6] =
    ["$dynamicRef", "$dynamicAnchor", "$recursiveRef", "$recursiveAnchor", "$id", "$anchor"];

/// Why a schema is refused.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BoundsError {
    /// A keyword that is not supported.
    #[error("uses `{0}`, which is not supported")]
    Keyword(&'static str),
    /// A reference out of the schema, or to nothing in it.
    #[error("refers to `{0}`: `$ref` must point into the schema itself, such as `#/$defs/name`")]
    Reference(String),
    /// References in a circle.
    #[error("refers to `{0}` recursively")]
    Circle(String),
    /// Too much in all.
    #[error("has more than {MAX_EXPANDED} subschemas")]
    TooLarge,
}

/// Checks that `schema` refers to nothing else and has at most [`MAX_EXPANDED`] subschemas when it is written out.
pub(super) fn check(schema: &Value) -> Result<(), BoundsError> {
    Walk { root: schema, sizes: BTreeMap::new() }.size(schema).map(drop)
}

/// The target of a local reference such as `#/$defs/name`.
pub(super) fn resolve<'a>(root: &'a Value, reference: &str) -> Option<&'a Value> {
    root.pointer(reference.strip_prefix('#')?)
}

struct Walk<'a> {
    root: &'a Value,
    /// Expanded sizes by reference; none while it is being computed.
    sizes: BTreeMap<&'a str, Option<u64>>,
}

impl<'a> Walk<'a> {
    /// The number of values in `schema` with references expanded.
    fn size(&mut self, schema: &'a Value) -> Result<u64, BoundsError> {
        let mut size = 1_u64;
        match schema {
            Value::Array(items) => {
                for item in items {
                    size = size.saturating_add(self.size(item)?);
                }
            }
            Value::Object(entries) => {
                for (key, value) in entries {
                    if let Some(refused) = REFUSED.into_iter().find(|refused| refused == key) {
                        return Err(BoundsError::Keyword(refused));
                    }
                    size = size.saturating_add(match value {
                        Value::String(reference) if key == "$ref" => self.reference(reference)?,
                        _ => self.size(value)?,
                    });
                }
            }
            _ => {}
        }
        if size > MAX_EXPANDED { Err(BoundsError::TooLarge) } else { Ok(size) }
    }

    fn reference(&mut self, reference: &'a str) -> Result<u64, BoundsError> {
        match self.sizes.get(reference) {
            Some(Some(size)) => return Ok(*size),
            Some(None) => return Err(BoundsError::Circle(reference.to_owned())),
            None => {}
        }
        let target =
            resolve(self.root, reference).ok_or_else(|| BoundsError::Reference(reference.to_owned()))?;
        self.sizes.insert(reference, None);
        let size = self.size(target)?;
        self.sizes.insert(reference, Some(size));
        Ok(size)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn circles_and_foreign_references_are_refused() {
        let circle = "#/$defs/a".to_owned();
        let schema = json!({"$ref": "#/$defs/a", "$defs": {"a": {"items": {"$ref": "#/$defs/a"}}}});
        assert_eq!(check(&schema), Err(BoundsError::Circle(circle)));
        assert_eq!(check(&json!({"$ref": "#"})), Err(BoundsError::Circle("#".to_owned())));
        let foreign = "https://example.org/schema".to_owned();
        assert_eq!(check(&json!({"$ref": foreign})), Err(BoundsError::Reference(foreign)));
        assert_eq!(check(&json!({"$ref": "#/$defs/b"})), Err(BoundsError::Reference("#/$defs/b".to_owned())));
        assert_eq!(check(&json!({"$id": "x"})), Err(BoundsError::Keyword("$id")));
    }

    #[test]
    fn exponential_schemas_are_refused() {
        let double =
            |n: usize| json!({"allOf": [{"$ref": format!("#/$defs/{n}")}, {"$ref": format!("#/$defs/{n}")}]});
        let definitions: serde_json::Map<_, _> = (0..40).map(|n| (n.to_string(), double(n + 1))).collect();
        let mut schema = json!({"$ref": "#/$defs/0", "$defs": definitions});
        schema["$defs"]["40"] = json!(true);
        assert_eq!(check(&schema), Err(BoundsError::TooLarge));
    }

    #[test]
    fn shared_definitions_are_fine() {
        let tag = json!({"$ref": "#/$defs/tag"});
        let schema = json!({"properties": {"a": tag, "b": tag}, "$defs": {"tag": {"type": "string"}}});
        assert_eq!(check(&schema), Ok(()));
    }
}
