//! From the text of a pipeline file to its typed form.

use std::collections::BTreeMap;
use std::path::PathBuf;

use seed_model::Stage;
use seed_report::{Problem, Problems, SourceFile};
use toml::Spanned;
use toml::de::DeTable;

use crate::pipeline::model::{Pipeline, Source};
use crate::pipeline::plugin_use::{Config, Grants, PluginReference, PluginUse};
use crate::pipeline::reader::{Section, invalid, wrong_type};
use crate::pipeline::{build_seed, environment, legal, plugin, secrets, seed, source};
use crate::suggest::did_you_mean;

/// The version of the file's form that this program reads.
const SCHEMA: u64 = 1;

impl Pipeline {
    /// Checks `file`, which is already read.
    pub fn parse(file: &SourceFile) -> Result<Self, Problems> {
        let text = file.text.clone();
        let (table, errors) = DeTable::parse_recoverable(&text);
        let syntax = errors.iter().map(syntax_problem).collect();
        Problems::check(file, syntax)?;
        let root = Section::new("the file", 0..0, table.get_ref());
        let mut problems = Vec::new();
        let pipeline = read(root, file, &mut problems);
        Problems::check(file, problems)?;
        Ok(pipeline.expect("a part is left out only together with a problem"))
    }
}

fn syntax_problem(error: &toml::de::Error) -> Problem {
    Problem {
        code: "seed::pipeline::syntax".to_owned(),
        message: format!("not valid TOML: {}", error.message()),
        label: "here".to_owned(),
        span: error.span(),
        help: None,
    }
}

fn read(mut root: Section<'_>, file: &SourceFile, problems: &mut Vec<Problem>) -> Option<Pipeline> {
    if let Some(problem) = schema(&mut root) {
        problems.push(problem);
        return None; // With another schema, every other message would mislead.
    }
    let source = source::read(&mut root, problems);
    let seed = seed::read(&mut root, problems);
    if let (Some((Source::Directories(_), _)), Some(build)) =
        (&source, seed.as_ref().and_then(|s| s.build.as_ref()))
    {
        problems.push(build_seed::needs_flake(build));
    }
    let (select, layer_lock) = select(&mut root, problems);
    let pack = pack(&mut root, problems);
    let sign = several(&mut root, Stage::Sign, problems);
    let publish = several(&mut root, Stage::Publish, problems);
    if publish.is_empty() && root.value("publish").is_none() {
        problems.push(root.missing(
            "publish",
            "add where to publish the image, such as:\n\n[[publish]]\nplugin = \
             \"builtin:oci-layout\"\nconfig = { path = \"result\" }",
        ));
    }
    let keys = secrets::keys(&mut root, problems);
    let secrets = secrets::secrets(&mut root, problems);
    let environment = environment::read(&mut root, &keys, &secrets, problems);
    let limits = secrets::limits(&mut root, problems);
    let legal = legal::read(&mut root, problems);
    for used in sign.iter().chain(&publish).flatten() {
        known_names(&used.grants.keys, "keys", &keys, problems);
        known_names(&used.grants.secrets, "secrets", &secrets, problems);
    }
    root.finish(problems);
    let (source, (systems, systems_given)): (Source, _) = source?;
    Some(Pipeline {
        file: file.clone(),
        source,
        systems,
        systems_given,
        seed: seed?,
        select: select?,
        layer_lock,
        pack: pack?,
        sign: sign.into_iter().collect::<Option<_>>()?,
        publish: publish.into_iter().collect::<Option<_>>()?,
        keys,
        secrets,
        environment,
        limits,
        legal,
    })
}

fn schema(root: &mut Section<'_>) -> Option<Problem> {
    let Some(value) = root.value("schema") else {
        return Some(root.missing("schema", "begin the file with `schema = 1`"));
    };
    let version = value.get_ref().as_integer().and_then(|i| u64::from_str_radix(i.as_str(), i.radix()).ok());
    match version {
        None => Some(wrong_type("`schema`", "the number 1", value)),
        Some(SCHEMA) => None,
        Some(other) => Some(Problem {
            code: "seed::pipeline::schema".to_owned(),
            message: format!(
                "unsupported version {other}: this `seed` reads pipeline files of version {SCHEMA}"
            ),
            label: format!("expected {SCHEMA}"),
            span: Some(value.span()),
            help: Some(if other > SCHEMA {
                "upgrade `seed`, or write the file in the older format".to_owned()
            } else {
                format!("write `schema = {SCHEMA}`")
            }),
        }),
    }
}

/// `[select]`, a builtin where it is not given, and the file of its locked layers.
fn select(root: &mut Section<'_>, problems: &mut Vec<Problem>) -> (Option<PluginUse>, Option<PathBuf>) {
    const BUILTIN: &str = "standard-layers";
    if root.value("select").is_none() {
        return (Some(builtin(Stage::Select, BUILTIN)), None);
    }
    let Some(mut section) = root.table("select", "[select]", problems) else { return (None, None) };
    let layer_lock =
        section.string("layer-lock", problems).map(|layer_lock| PathBuf::from(layer_lock.into_inner()));
    (plugin::read(section, Stage::Select, Some(BUILTIN), problems), layer_lock)
}

/// `[pack]`: a builtin where it is not given.
fn pack(root: &mut Section<'_>, problems: &mut Vec<Problem>) -> Option<PluginUse> {
    const BUILTIN: &str = "oci-packer";
    if root.value("pack").is_none() {
        return Some(builtin(Stage::Pack, BUILTIN));
    }
    let section = root.table("pack", "[pack]", problems)?;
    plugin::read(section, Stage::Pack, Some(BUILTIN), problems)
}

fn builtin(stage: Stage, name: &str) -> PluginUse {
    PluginUse {
        stage,
        reference: Spanned::new(0..0, PluginReference::Builtin(name.to_owned())),
        pin: None,
        config: Config::default(),
        grants: Grants::default(),
    }
}

/// `[[sign]]` or `[[publish]]`.
fn several(root: &mut Section<'_>, stage: Stage, problems: &mut Vec<Problem>) -> Vec<Option<PluginUse>> {
    let sections = root.tables(stage.section(), problems);
    sections.into_iter().map(|section| plugin::read(section, stage, None, problems)).collect()
}

fn known_names<T>(
    granted: &[Spanned<String>],
    section: &str,
    known: &BTreeMap<String, T>,
    problems: &mut Vec<Problem>,
) {
    for name in granted.iter().filter(|name| !known.contains_key(name.get_ref())) {
        let example = match section {
            "keys" => format!("[keys.{}]\ncosign = {{ file = \"cosign.key\" }}", name.get_ref()),
            _ => format!("[secrets.{}]\nenv = \"NAME\"", name.get_ref()),
        };
        let near = did_you_mean(name.get_ref(), known.keys().map(String::as_str));
        problems.push(invalid(
            format!("[{section}] has no `{}`", name.get_ref()),
            name.span(),
            near.unwrap_or_else(|| format!("add:\n\n{example}")),
        ));
    }
}
