//! `[select]`, `[pack]`, `[[sign]]` and `[[publish]]`: which plugin, its pin, configuration and grants.

use seed_http::{OriginError, OriginPattern};
use seed_model::{Digest, Stage};
use seed_oci::can_read;
use seed_report::Problem;
use toml::Spanned;

use crate::pipeline::json::json;
use crate::pipeline::plugin_use::{Config, Grants, PluginReference, PluginUse};
use crate::pipeline::reader::{Section, invalid, strings, wrong_type};
use crate::suggest::did_you_mean;

/// Reads one section. `builtin` is used where `plugin` is missing.
pub(super) fn read(
    mut section: Section<'_>,
    stage: Stage,
    builtin: Option<&str>,
    problems: &mut Vec<Problem>,
) -> Option<PluginUse> {
    let reference = match (section.value("plugin").is_some(), builtin) {
        (true, _) => section.string("plugin", problems).and_then(|text| plugin_reference(&text, problems)),
        (false, Some(name)) => Some(Spanned::new(section.span(), PluginReference::Builtin(name.to_owned()))),
        (false, None) => {
            let example = if stage == Stage::Sign { "cosign-signer" } else { "oci-layout" };
            problems.push(section.missing("plugin", format!("such as `plugin = \"builtin:{example}\"`")));
            None
        }
    };
    let pin = section.string("sha256", problems).and_then(|text| pin(&text, problems));
    let config = config(&mut section, problems);
    let grants = grants(&mut section, stage, problems);
    section.finish(problems);
    Some(PluginUse { stage, reference: reference?, pin, config, grants })
}

fn plugin_reference(text: &Spanned<String>, problems: &mut Vec<Problem>) -> Option<Spanned<PluginReference>> {
    let value = text.get_ref();
    let Some(reference) = PluginReference::parse(value) else {
        problems.push(invalid(
            format!("`{value}` is not a plugin reference"),
            text.span(),
            "write `builtin:NAME`, a file such as `./NAME.wasm`, or `oci://HOST/REPOSITORY:TAG`",
        ));
        return None;
    };
    Some(Spanned::new(text.span(), reference))
}

fn pin(text: &Spanned<String>, problems: &mut Vec<Problem>) -> Option<Spanned<Digest>> {
    let parsed = format!("sha256:{}", text.get_ref()).parse();
    if parsed.is_err() {
        problems.push(invalid(
            "`sha256` is not a SHA-256 digest",
            text.span(),
            "write the 64 lower-case hexadecimal digits that `sha256sum` or `seed plugin inspect` prints",
        ));
    }
    parsed.ok().map(|digest| Spanned::new(text.span(), digest))
}

fn config(section: &mut Section<'_>, problems: &mut Vec<Problem>) -> Config {
    let mut config = Config::default();
    config.spans.insert(String::new(), section.span());
    let Some(value) = section.value("config") else { return config };
    if value.get_ref().is_table() {
        config.value = json("", value, &mut config, problems);
    } else {
        problems.push(wrong_type("`config`", "a table", value));
    }
    config
}

/// The grants that a stage's world has interfaces for.
fn grantable(stage: Stage) -> &'static [&'static str] {
    match stage {
        Stage::Select => &[],
        Stage::Pack => &["unverified-layers"],
        Stage::Sign => &["http", "credentials", "keys", "secrets"],
        Stage::Publish => &["http", "credentials", "secrets", "write"],
    }
}

fn grants(section: &mut Section<'_>, stage: Stage, problems: &mut Vec<Problem>) -> Grants {
    let mut grants = Grants::default();
    let Some(table) = section.table("grants", "`grants`", problems) else { return grants };
    let takes = grantable(stage);
    for (key, value) in table.entries() {
        let name = key.get_ref().as_str();
        if !takes.contains(&name) {
            problems.push(not_grantable(&key, stage, takes));
            continue;
        }
        let names = strings(&format!("the grant `{name}`"), value, problems).unwrap_or_default();
        match name {
            "http" => grants.http = names.into_iter().filter_map(|text| origin(&text, problems)).collect(),
            "credentials" => grants.credentials = names,
            "keys" => grants.keys = names,
            "secrets" => grants.secrets = names,
            "unverified-layers" => {
                grants.unverified_layers =
                    names.into_iter().filter(|name| is_unreadable(name, problems)).collect();
            }
            _ => grants.write = names,
        }
    }
    grants
}

/// The longest media type in bytes (RFC 6838).
const MAX_MEDIA_TYPE: usize = 255;

/// Whether a media type may be granted: the host compares what it can read, whatever is granted.
fn is_unreadable(media_type: &Spanned<String>, problems: &mut Vec<Problem>) -> bool {
    let text = media_type.get_ref();
    let is_name = |name: &str| {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&b);
        !name.is_empty() && name.bytes().all(plain)
    };
    let is_media_type = text.len() <= MAX_MEDIA_TYPE
        && text.split_once('/').is_some_and(|(kind, subtype)| is_name(kind) && is_name(subtype));
    let reason = if !is_media_type {
        "is not a media type"
    } else if can_read(text) {
        "is a format that `seed` reads: it compares such layers with the plan"
    } else {
        return true;
    };
    problems.push(invalid(
        format!("`{}` {reason}", text.escape_debug()),
        media_type.span(),
        "write the media type of the plugin's own format, such as `application/vnd.acme.layer.v1.erofs`",
    ));
    false
}

fn origin(text: &Spanned<String>, problems: &mut Vec<Problem>) -> Option<Spanned<OriginPattern>> {
    match text.get_ref().parse() {
        Ok(origin) => Some(Spanned::new(text.span(), origin)),
        Err(error) => {
            let error: OriginError = error;
            problems.push(invalid(
                format!("`{}` is not an origin: {}", error.text.escape_debug(), error.reason),
                text.span(),
                "write `scheme://host[:port]`, such as `https://ghcr.io`",
            ));
            None
        }
    }
}

fn not_grantable(key: &Spanned<String>, stage: Stage, takes: &[&str]) -> Problem {
    let help = if takes.is_empty() {
        format!(
            "remove `grants`: the {} stage is a pure function, and its plugin has no access to anything",
            stage.activity()
        )
    } else {
        did_you_mean(key.get_ref(), takes.iter().copied()).unwrap_or_else(|| {
            let takes: Vec<_> = takes.iter().map(|name| format!("`{name}`")).collect();
            format!("a {} plugin accepts these grants: {}", stage.activity(), takes.join(", "))
        })
    };
    Problem {
        code: "seed::pipeline::unknown-grant".to_owned(),
        message: format!("{} plugins do not accept the grant `{}`", stage.activity(), key.get_ref()),
        label: "not a grant of this stage".to_owned(),
        span: Some(key.span()),
        help: Some(help),
    }
}
