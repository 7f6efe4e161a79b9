//! Checks, compiles and describes the plugins of a pipeline.

use std::sync::Arc;

use miette::{Diagnostic, NamedSource, SourceSpan};
use seed_model::Digest;
use seed_report::{Kind, Problems, Report, SourceFile};
use seed_runtime::{Plugin, Runtime};

use crate::config::{ConfigSchema, SchemaError};
use crate::lock::{Lock, LockError, LockedPlugin};
use crate::pipeline::{Grants, Pipeline, PluginUse};
use crate::plugins::bytes::{Places, PluginBytes, PluginBytesError, find};
use crate::summary::PluginIdentity;

/// A plugin that is ready to be called.
#[derive(Debug)]
pub(crate) struct ResolvedPlugin {
    /// Its use in the pipeline file.
    pub(crate) used: PluginUse,
    /// The component.
    pub(crate) plugin: Plugin,
    /// For messages and summaries.
    pub(crate) identity: PluginIdentity,
    /// Paths that the user lets it write by naming them in its `config`.
    pub(crate) output_paths: Vec<String>,
    /// What the lock has to say.
    pub(crate) locked: LockedPlugin,
}

/// Why a plugin cannot be used.
#[derive(Debug, thiserror::Error, Diagnostic)]
pub(crate) enum ResolveError {
    /// Its bytes are unavailable.
    #[error("cannot load the plugin `{reference}`")]
    #[diagnostic(code("seed::plugin::not-found"))]
    Bytes {
        /// The plugin as the pipeline file names it.
        reference: String,
        source: PluginBytesError,
        #[help]
        help: String,
        #[source_code]
        file: Option<NamedSource<Arc<str>>>,
        /// The place of `plugin`.
        #[label("named here")]
        span: Option<SourceSpan>,
    },
    /// Its bytes are not those that the pipeline file pins.
    #[error("`{reference}` does not match the pinned component\n  pinned: {pinned}\n  found:  {found}")]
    #[diagnostic(
        code("seed::plugin::pin"),
        help("if you expect this change, update the pin; otherwise find out who changed the component")
    )]
    Pin {
        /// The plugin as the pipeline file names it.
        reference: String,
        /// The pin.
        pinned: Digest,
        /// What was found.
        found: Digest,
        #[source_code]
        file: NamedSource<Arc<str>>,
        /// The place of the pin.
        #[label("pinned here")]
        span: SourceSpan,
    },
    /// The lock refuses it.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Lock(#[from] LockError),
    /// The runtime refuses it.
    #[error("cannot use the plugin `{reference}`: {error}")]
    #[diagnostic(code("seed::plugin::refused"))]
    Refused {
        /// The plugin as the pipeline file names it.
        reference: String,
        error: seed_runtime::LoadError,
        #[help]
        help: Option<String>,
        #[source_code]
        file: Option<NamedSource<Arc<str>>>,
        /// The place of `plugin`.
        #[label("named here")]
        span: Option<SourceSpan>,
    },
    /// Its schema cannot be used.
    #[error("plugin `{}` {} ({}): {error}", plugin.name, plugin.version, plugin.digest.short())]
    #[diagnostic(code("seed::plugin::schema"), help("this is a bug in the plugin: report it to its authors"))]
    Schema { plugin: PluginIdentity, error: SchemaError },
    /// Configurations that the plugins' schemas refuse.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Config(#[from] Problems),
}

impl Report for ResolveError {
    fn kind(&self) -> Kind {
        match self {
            Self::Pin { .. } => Kind::Pin,
            Self::Lock(error) => error.kind(),
            Self::Config(_) => Kind::Usage,
            Self::Bytes { .. } | Self::Refused { .. } | Self::Schema { .. } => Kind::Plugin,
        }
    }
}

/// Resolves all plugins of `pipeline`, in the order of the stages. Nothing of a component runs before its pin and the
/// lock have accepted its bytes, and no stage runs before all configurations are checked.
pub(crate) fn resolve(
    pipeline: &Pipeline,
    runtime: &Runtime,
    lock: &Lock,
    places: Places<'_>,
) -> Result<Vec<ResolvedPlugin>, ResolveError> {
    let mut problems = Vec::new();
    let mut resolved = Vec::new();
    for used in pipeline.plugins() {
        let found = admitted(&pipeline.file, used, lock, places)?;
        let plugin = load(&pipeline.file, used, runtime, &found)?;
        let identity = PluginIdentity {
            reference: used.reference.get_ref().to_string(),
            name: plugin.description().name.clone(),
            version: plugin.description().version.to_string(),
            digest: plugin.digest(),
        };
        let schema = ConfigSchema::parse(&plugin.description().config_schema)
            .map_err(|error| ResolveError::Schema { plugin: identity.clone(), error })?;
        problems.extend(schema.problems(&identity, &used.config));
        resolved.push(ResolvedPlugin {
            used: used.clone(),
            output_paths: schema.output_paths(&used.config.value),
            locked: locked(used, &plugin, &identity, &found),
            identity,
            plugin,
        });
    }
    Problems::check(&pipeline.file, problems)?;
    Ok(resolved)
}

/// The bytes of a plugin, accepted by pin and lock.
fn admitted(
    file: &SourceFile,
    used: &PluginUse,
    lock: &Lock,
    places: Places<'_>,
) -> Result<PluginBytes, ResolveError> {
    let reference = used.reference.get_ref();
    let found = find(reference, lock.manifest(used.stage, reference), places).map_err(|error| {
        ResolveError::Bytes {
            reference: reference.to_string(),
            help: error.help(),
            source: error,
            file: Some(file.named()),
            span: written(used),
        }
    })?;
    let digest = Digest::of(&found.bytes);
    if let Some(pin) = used.pin.as_ref().filter(|pin| *pin.get_ref() != digest) {
        return Err(ResolveError::Pin {
            reference: reference.to_string(),
            pinned: *pin.get_ref(),
            found: digest,
            file: file.named(),
            span: pin.span().into(),
        });
    }
    lock.admit(used, digest)?;
    Ok(found)
}

fn load(
    file: &SourceFile,
    used: &PluginUse,
    runtime: &Runtime,
    found: &PluginBytes,
) -> Result<Plugin, ResolveError> {
    runtime.load(&found.bytes, used.stage).map_err(|error| ResolveError::Refused {
        reference: used.reference.get_ref().to_string(),
        help: error.help(),
        error,
        file: Some(file.named()),
        span: written(used),
    })
}

/// The place of `plugin`, where the user wrote it.
pub(crate) fn written(used: &PluginUse) -> Option<SourceSpan> {
    Some(used.reference.span()).filter(|span| !span.is_empty()).map(SourceSpan::from)
}

fn locked(used: &PluginUse, plugin: &Plugin, identity: &PluginIdentity, found: &PluginBytes) -> LockedPlugin {
    let inspection = plugin.inspection();
    LockedPlugin {
        stage: used.stage.section().to_owned(),
        reference: identity.reference.clone(),
        name: identity.name.clone(),
        version: identity.version.clone(),
        world: format!("seed:pipeline/{}@{}", inspection.stage.world(), inspection.contract),
        sha256: identity.digest.hex(),
        manifest: found.manifest,
        imports: inspection.imports.clone(),
        grants: grants(&used.grants),
    }
}

/// The grants as lines such as `keys release`, sorted.
fn grants(grants: &Grants) -> Vec<String> {
    let http = grants.http.iter().map(|origin| format!("http {}", origin.get_ref()));
    let names = |kind: &'static str, names: &[toml::Spanned<String>]| -> Vec<String> {
        names.iter().map(|name| format!("{kind} {}", name.get_ref())).collect()
    };
    let mut all: Vec<_> = http
        .chain(names("credentials", &grants.credentials))
        .chain(names("keys", &grants.keys))
        .chain(names("secrets", &grants.secrets))
        .chain(names("write", &grants.write))
        .chain(names("unverified-layers", &grants.unverified_layers))
        .collect();
    all.sort();
    all.dedup();
    all
}
