//! `seed plugin inspect`: what a component is, without running a stage.

use std::path::Path;

use seed_runtime::inspect;

use crate::config::ConfigSchema;
use crate::engine::Engine;
use crate::error::EngineError;
use crate::pipeline::PluginSource;
use crate::plugins::{Places, PluginError, find};
use crate::summary::{PluginIdentity, PluginSummary, SCHEMA};

pub(crate) fn describe(
    engine: &Engine,
    source: &str,
    directory: &Path,
) -> Result<PluginSummary, EngineError> {
    // On the command line, a name without `./` is a file as well.
    let source = PluginSource::parse(source).unwrap_or_else(|| PluginSource::File(source.to_owned()));
    let (runtime, limits) = engine.runtime(None)?;
    let places = Places { directory, limit: limits.component_size, store: &engine.store };
    let found = find(&source, None, places).map_err(|error| PluginError::Bytes {
        source_text: source.to_string(),
        help: error.help(),
        source: error,
        file: None,
        span: None,
    })?;
    let refused = |error: seed_runtime::LoadError| PluginError::Refused {
        source_text: source.to_string(),
        help: error.help(),
        error,
        file: None,
        span: None,
    };
    let inspection = inspect(&found.bytes, &limits).map_err(|error| refused(error.into()))?;
    let plugin = runtime.load(&found.bytes, inspection.stage).map_err(refused)?;
    let description = plugin.description();
    let identity = PluginIdentity {
        source: source.to_string(),
        name: description.name.clone(),
        version: description.version.to_string(),
        digest: plugin.digest(),
    };
    let schema = ConfigSchema::parse(&description.config_schema)
        .map_err(|error| PluginError::Schema { plugin: identity.clone(), error })?;
    Ok(PluginSummary {
        schema: SCHEMA,
        plugin: identity,
        summary: description.summary.clone(),
        world: inspection.stage.world().to_owned(),
        contract: inspection.contract.to_string(),
        imports: inspection.imports,
        exports: inspection.exports,
        size: inspection.size,
        config_schema: schema.document().clone(),
    })
}
