//! What a strict reader of JSON must refuse.

use serde_json::Value;

/// Variants of a document, each with a key `more` that no version knows in one of its objects, by the JSON pointer of the
/// object. Objects below the pointers in `free`, and these themselves, may hold any key.
pub fn with_unknown_keys(document: &Value, free: &[&str]) -> Vec<(String, Value)> {
    let mut pointers = Vec::new();
    objects(document, String::new(), free, &mut pointers);
    let variant = |pointer: String| {
        let mut variant = document.clone();
        variant.pointer_mut(&pointer).unwrap()["more"] = 1.into();
        (pointer, variant)
    };
    pointers.into_iter().map(variant).collect()
}

fn objects(value: &Value, pointer: String, free: &[&str], found: &mut Vec<String>) {
    if free.contains(&pointer.as_str()) {
        return;
    }
    match value {
        Value::Object(members) => {
            members.iter().for_each(|(key, value)| objects(value, format!("{pointer}/{key}"), free, found));
            found.push(pointer);
        }
        Value::Array(items) => {
            let items = items.iter().enumerate();
            items.for_each(|(index, item)| objects(item, format!("{pointer}/{index}"), free, found));
        }
        _ => {}
    }
}
