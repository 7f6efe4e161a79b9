//! `[keys]`, `[secrets]` and `[limits]`.

use std::collections::BTreeMap;

use seed_report::Problem;
use toml::Spanned;

use crate::pipeline::model::{KeySource, SecretSource};
use crate::pipeline::reader::{Section, invalid, section, wrong_type};

/// `[keys.NAME]`.
pub(super) fn keys(root: &mut Section<'_>, problems: &mut Vec<Problem>) -> BTreeMap<String, KeySource> {
    let mut keys = BTreeMap::new();
    let Some(table) = root.table("keys", "[keys]", problems) else { return keys };
    for (name, value) in table.entries() {
        let name = name.into_inner();
        let title = format!("[keys.{name}]");
        let Some(mut entry) = section(&title, &title, value, problems) else { continue };
        let help = "such as `cosign = { file = \"cosign.key\" }`";
        match entry.table("cosign", &format!("`cosign` of {title}"), problems) {
            Some(cosign) => keys.extend(key(cosign, problems).map(|key| (name, key))),
            None if entry.value("cosign").is_none() => problems.push(entry.missing("cosign", help)),
            None => {}
        }
        entry.finish(problems);
    }
    keys
}

fn key(mut cosign: Section<'_>, problems: &mut Vec<Problem>) -> Option<KeySource> {
    let file = cosign.string("file", problems);
    if cosign.value("file").is_none() {
        problems.push(cosign.missing("file", "such as `file = \"cosign.key\"`"));
    }
    let password = cosign.table("password", "`password`", problems).and_then(|entry| secret(entry, problems));
    cosign.finish(problems);
    Some(KeySource { file: file?, password })
}

/// `[secrets.NAME]`.
pub(super) fn secrets(root: &mut Section<'_>, problems: &mut Vec<Problem>) -> BTreeMap<String, SecretSource> {
    let mut secrets = BTreeMap::new();
    let Some(table) = root.table("secrets", "[secrets]", problems) else { return secrets };
    for (name, value) in table.entries() {
        let name = name.into_inner();
        let title = format!("[secrets.{name}]");
        let Some(entry) = section(&title, &title, value, problems) else { continue };
        secrets.extend(secret(entry, problems).map(|secret| (name, secret)));
    }
    secrets
}

/// `{ env = "NAME" }` or `{ file = "PATH" }`.
fn secret(mut entry: Section<'_>, problems: &mut Vec<Problem>) -> Option<SecretSource> {
    let variable = entry.string("env", problems);
    let file = entry.string("file", problems);
    let found = match (variable, file) {
        (Some(_), Some(file)) => {
            problems.push(invalid(
                "`env` and `file` are mutually exclusive",
                file.span(),
                "keep one of them",
            ));
            None
        }
        (Some(variable), None) => Some(SecretSource::Env(variable)),
        (None, Some(file)) => Some(SecretSource::File(file)),
        (None, None) => {
            if entry.value("env").is_none() && entry.value("file").is_none() {
                problems.push(entry.missing(
                    "env",
                    "write `env = \"NAME\"` or `file = \"PATH\"`: do not put secrets into the pipeline file",
                ));
            }
            None
        }
    };
    entry.finish(problems);
    found
}

/// `[limits]`: positive integers by name.
pub(super) fn limits(root: &mut Section<'_>, problems: &mut Vec<Problem>) -> BTreeMap<String, Spanned<u64>> {
    let mut limits = BTreeMap::new();
    let Some(table) = root.table("limits", "[limits]", problems) else { return limits };
    for (name, value) in table.entries() {
        let integer = value.get_ref().as_integer();
        match integer.map(|integer| u64::from_str_radix(integer.as_str(), integer.radix())) {
            Some(Ok(number)) if number > 0 => {
                limits.insert(name.into_inner(), Spanned::new(value.span(), number));
            }
            Some(_) => problems.push(invalid(
                format!("the limit `{}` must be a positive 64-bit integer", name.get_ref()),
                value.span(),
                "limits cannot be turned off; choose a large number",
            )),
            None => {
                problems.push(wrong_type(&format!("the limit `{}`", name.get_ref()), "an integer", value));
            }
        }
    }
    limits
}
