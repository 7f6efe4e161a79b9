//! `[seed]`: what the image is.

use seed_model::Variant;
use seed_report::Problem;
use toml::Spanned;

use crate::pipeline::build_seed;
use crate::pipeline::model::Seed;
use crate::pipeline::reader::{Section, invalid};
use crate::pipeline::rules;
use crate::suggest::did_you_mean;

/// The value of `created` if none is given: one second after the epoch, as Nix dates files.
const DEFAULT_CREATED: &str = "1970-01-01T00:00:01Z";

/// The longest image name: registries refuse longer repositories.
const MAX_NAME: usize = 128;

pub(super) fn read(root: &mut Section<'_>, problems: &mut Vec<Problem>) -> Option<Seed> {
    let Some(mut section) = root.table("seed", "[seed]", problems) else {
        if root.value("seed").is_none() {
            problems.push(root.missing("seed", "add:\n\n[seed]\nname = \"hello\""));
        }
        return None;
    };
    let (variant, variant_span) = match section.string("variant", problems) {
        None => (Variant::Runtime, section.span()),
        Some(text) => (variant(&text, problems), text.span()),
    };
    let build = build_seed::read(&mut section, variant, variant_span, problems);
    let created = match section.string("created", problems) {
        None => DEFAULT_CREATED.to_owned(),
        Some(text) => created(&text, problems),
    };
    let max_size = rules::max_size(&mut section, problems);
    let forbid = rules::forbid(&mut section, problems);
    let name = section.string("name", problems);
    match &name {
        Some(name) if !is_repository_component(name.get_ref()) => problems.push(invalid(
            format!("invalid image name `{}`", name.get_ref().escape_debug()),
            name.span(),
            format!(
                "use at most {MAX_NAME} lower-case letters and digits, with single `.`, `_` or `-` between \
                 them; the registry belongs in the publishing plugin's `config`"
            ),
        )),
        None if section.value("name").is_none() => {
            problems.push(section.missing("name", "such as `name = \"hello\"`"));
        }
        _ => {}
    }
    section.finish(problems);
    Some(Seed { name: name?.into_inner(), variant, build, created, max_size, forbid })
}

fn variant(text: &Spanned<String>, problems: &mut Vec<Problem>) -> Variant {
    match text.get_ref().as_str() {
        "runtime" => return Variant::Runtime,
        "build" => return Variant::Build,
        _ => {}
    }
    let help = did_you_mean(text.get_ref(), ["runtime", "build"]);
    problems.push(invalid(
        format!("unknown variant `{}`", text.get_ref().escape_debug()),
        text.span(),
        help.unwrap_or_else(|| {
            "write `runtime` to run programs, or `build` to build the flake in the image".to_owned()
        }),
    ));
    Variant::Runtime
}

fn created(text: &Spanned<String>, problems: &mut Vec<Problem>) -> String {
    let time = text.get_ref();
    // The parser checks days and months too; the form is narrower than RFC 3339, so that equal times have equal bytes.
    let exact = time.len() == DEFAULT_CREATED.len() && time.ends_with('Z') && time.as_bytes()[10] == b'T';
    if !exact || time.parse::<toml::value::Datetime>().is_err() {
        problems.push(invalid(
            format!("invalid time `{}` for `created`", time.escape_debug()),
            text.span(),
            format!("write a UTC time in whole seconds, such as `{DEFAULT_CREATED}`"),
        ));
    }
    time.clone()
}

/// One component of a repository name in the distribution specification.
fn is_repository_component(name: &str) -> bool {
    let letter = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let separator = |byte: u8| matches!(byte, b'.' | b'_' | b'-');
    let bytes = name.as_bytes();
    bytes.len() <= MAX_NAME
        && bytes.first().is_some_and(letter)
        && bytes.last().is_some_and(letter)
        && bytes.iter().all(|&byte| letter(&byte) || separator(byte))
        && !bytes.windows(2).any(|pair| separator(pair[0]) && separator(pair[1]))
}
