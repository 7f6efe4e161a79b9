//! The typed form of a pipeline file.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::ops::Range;
use std::path::PathBuf;
use std::time::Duration;

use seed_model::{ByteSize, Installable, OutputRequest, Variant};
use seed_process::Program;
use seed_report::SourceFile;
use toml::Spanned;

use crate::pipeline::plugin_use::PluginUse;

/// A pipeline file that has been read and found consistent.
#[derive(Clone, Debug)]
pub struct Pipeline {
    /// The file, for errors; relative paths in it begin at its directory.
    pub file: SourceFile,
    /// Where the store paths come from.
    pub source: Source,
    /// Nix systems to make images for, sorted; at least one.
    pub systems: Vec<String>,
    /// Whether the file names them; otherwise it is this machine's.
    pub systems_given: bool,
    /// What the image is.
    pub seed: Seed,
    /// The selection stage.
    pub select: PluginUse,
    /// The file of locked layers, relative to the pipeline file or absolute.
    pub layer_lock: Option<PathBuf>,
    /// The packing stage.
    pub pack: PluginUse,
    /// Signing plugins in the order of the file; none where the image is not signed.
    pub sign: Vec<PluginUse>,
    /// Publishing plugins in the order of the file; at least one.
    pub publish: Vec<PluginUse>,
    /// Keys by name.
    pub keys: BTreeMap<String, KeySource>,
    /// Secrets by name.
    pub secrets: BTreeMap<String, SecretSource>,
    /// `[environment]`: the variables that programs see besides the usual ones.
    pub environment: BTreeMap<Program, BTreeSet<OsString>>,
    /// `[limits]`, by name; the runtime knows the names.
    pub limits: BTreeMap<String, Spanned<u64>>,
    pub legal: Legal,
}

impl Pipeline {
    /// All uses of plugins, in the order of the stages.
    pub fn plugins(&self) -> impl Iterator<Item = &PluginUse> {
        [&self.select, &self.pack].into_iter().chain(&self.sign).chain(&self.publish)
    }

    /// The variables that passwords and secrets are read from, and what reads each.
    pub fn secret_variables(&self) -> impl Iterator<Item = (&str, String)> {
        secret_variables(&self.keys, &self.secrets)
    }
}

/// Where store paths come from.
#[derive(Clone, Debug)]
pub enum Source {
    /// A Nix flake.
    Flake(Flake),
    /// Plain directories by layer, in the order of the file.
    Directories(Vec<LayerDirectory>),
    /// Store paths that were built before.
    Closure(ClosureFiles),
}

/// `[source]` with `flake`.
#[derive(Clone, Debug)]
pub struct Flake {
    /// The flake reference, as Nix takes it.
    pub reference: Spanned<String>,
    /// The derivation whose outputs are layers; none where `[layers]` is given.
    pub attr: Option<Spanned<String>>,
    /// `[layers]`, in the order of the file; empty where `attr` is given.
    pub layers: Vec<OutputRequest>,
    /// Where the file names each attribute path of `layers`.
    pub places: BTreeMap<String, Range<usize>>,
    /// Whether Nix may download what others built.
    pub substitute: bool,
    /// How long one evaluation may take; none for the default of `seed_nix`.
    pub evaluation_time: Option<Duration>,
}

/// One layer of `[source.directories]`.
#[derive(Clone, Debug)]
pub struct LayerDirectory {
    /// The layer's name.
    pub layer: String,
    /// The directory, as the file has it.
    pub path: Spanned<String>,
}

/// `[source.closure]`.
#[derive(Clone, Debug)]
pub struct ClosureFiles {
    /// Files with reference graphs, as the file has them; at least one.
    pub graph: Vec<Spanned<String>>,
    /// The layers in the order of the file.
    pub layers: Vec<LayerPaths>,
    /// Facts of the source, such as `commit`.
    pub variables: BTreeMap<String, String>,
}

/// One layer of `[source.closure]`.
#[derive(Clone, Debug)]
pub struct LayerPaths {
    /// The layer's name.
    pub layer: String,
    /// The store paths that are asked for.
    pub roots: Vec<Spanned<String>>,
    /// Whether the only root is an output of a split derivation, which lists the packages of its layer.
    pub split: bool,
}

/// `[seed]`.
#[derive(Clone, Debug)]
pub struct Seed {
    /// The image's name: a repository name of one component.
    pub name: String,
    /// What the image is for.
    pub variant: Variant,
    /// What only build seeds hold; none for other variants.
    pub build: Option<BuildSeed>,
    /// RFC 3339 UTC time for every `created` field.
    pub created: String,
    /// What the NARs of the closure may have at most, together.
    pub max_size: Option<Spanned<ByteSize>>,
    /// What must not be in the closure.
    pub forbid: Forbid,
}

/// `[seed.forbid]`: everything is empty where nothing is forbidden.
#[derive(Clone, Debug, Default)]
pub struct Forbid {
    /// Kinds of content.
    pub groups: Vec<Spanned<Group>>,
    /// Names of packages; `*` stands for anything.
    pub names: Vec<Spanned<String>>,
}

/// A kind of content that programs do not need to run. `rules/content.rs` says which files belong to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    /// `compilers`
    Compilers,
    /// `headers`
    Headers,
}

impl Group {
    /// All groups, in the order of their names.
    pub const ALL: [Self; 2] = [Self::Compilers, Self::Headers];

    /// The name in the pipeline file.
    pub fn name(self) -> &'static str {
        match self {
            Self::Compilers => "compilers",
            Self::Headers => "headers",
        }
    }
}

/// `[legal]`: what may be in an image although its licence restricts redistribution.
#[derive(Clone, Debug, Default)]
pub struct Legal {
    /// Why content of Apple's SDKs may be in the image; none where it may not.
    pub apple_sdk: Option<String>,
}

/// What a build seed holds besides the layers.
#[derive(Clone, Debug)]
pub struct BuildSeed {
    /// Nix itself.
    pub nix: Installable,
    /// What can be built inside: the build inputs of some packages.
    pub builds: Vec<Installable>,
    /// Where the file names each attribute path, or the variant where it does not.
    pub places: BTreeMap<String, Range<usize>>,
}

/// One entry of `[keys]`: a key file in the form of cosign.
#[derive(Clone, Debug)]
pub struct KeySource {
    /// The key file, relative to the pipeline file or absolute.
    pub file: Spanned<String>,
    /// Where its password is; none where the file is not encrypted or the user is asked.
    pub password: Option<SecretSource>,
}

/// Where a secret is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretSource {
    /// In this environment variable.
    Env(Spanned<String>),
    /// In this file, without a final line break.
    File(Spanned<String>),
}

/// The variables that these keys' passwords and secrets are read from, and what reads each.
pub(super) fn secret_variables<'a>(
    keys: &'a BTreeMap<String, KeySource>,
    secrets: &'a BTreeMap<String, SecretSource>,
) -> impl Iterator<Item = (&'a str, String)> {
    let passwords = keys.iter().filter_map(|(name, key)| {
        Some((key.password.as_ref()?, format!("the password of the key `{name}`")))
    });
    let secrets = secrets.iter().map(|(name, secret)| (secret, format!("the secret `{name}`")));
    passwords.chain(secrets).filter_map(|(source, what)| match source {
        SecretSource::Env(variable) => Some((variable.get_ref().as_str(), what)),
        SecretSource::File(_) => None,
    })
}
