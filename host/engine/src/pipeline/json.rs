//! The `config` of a plugin as JSON.

use seed_report::Problem;
use toml::Spanned;
use toml::de::DeValue;

use crate::pipeline::plugin_use::Config;
use crate::pipeline::reader::invalid;

/// A TOML value as JSON with sorted keys; dates and non-finite numbers have no JSON form.
pub(super) fn json(
    pointer: &str,
    value: &Spanned<DeValue<'_>>,
    config: &mut Config,
    problems: &mut Vec<Problem>,
) -> serde_json::Value {
    config.spans.insert(pointer.to_owned(), value.span());
    match value.get_ref() {
        DeValue::String(text) => text.as_ref().into(),
        DeValue::Boolean(flag) => (*flag).into(),
        DeValue::Integer(integer) => match i64::from_str_radix(integer.as_str(), integer.radix()) {
            Ok(number) => number.into(),
            Err(_) => unusable(value, "integers have 64 bits", problems),
        },
        DeValue::Float(float) => match float.as_str().parse().ok().and_then(serde_json::Number::from_f64) {
            Some(number) => number.into(),
            None => unusable(value, "numbers are finite", problems),
        },
        DeValue::Datetime(_) => unusable(value, "write dates as strings, in quotes", problems),
        DeValue::Array(items) => {
            let values = items.iter().enumerate();
            values.map(|(index, item)| json(&format!("{pointer}/{index}"), item, config, problems)).collect()
        }
        DeValue::Table(table) => {
            let mut entries: Vec<_> = table.iter().collect();
            entries.sort_by_key(|(key, _)| key.get_ref().clone());
            let entries = entries.into_iter().map(|(key, item)| {
                let name = key.get_ref().as_ref();
                let escaped = name.replace('~', "~0").replace('/', "~1");
                (name.to_owned(), json(&format!("{pointer}/{escaped}"), item, config, problems))
            });
            serde_json::Value::Object(entries.collect())
        }
    }
}

fn unusable(value: &Spanned<DeValue<'_>>, why: &str, problems: &mut Vec<Problem>) -> serde_json::Value {
    problems.push(invalid("plugins cannot receive this value", value.span(), why));
    serde_json::Value::Null
}
