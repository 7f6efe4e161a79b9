//! `seed plugin inspect`: what a component is, without running a stage.

use std::path::Path;

use seed_report::Error;
use seed_runtime::{Limits, inspect};

use crate::config::ConfigSchema;
use crate::pipeline::PluginReference;
use crate::plugins::{Places, ResolveError, find};
use crate::session::Session;
use crate::summary::{PluginIdentity, PluginSummary, SCHEMA};

/// Which component to describe.
#[derive(Clone, Debug)]
pub struct PluginInspectOptions {
    /// `builtin:NAME`, a file, `oci://…`; relative paths begin at the working directory.
    pub reference: String,
}

/// Describes a component without running a stage.
pub(crate) fn plugin_inspect(
    session: &Session,
    options: &PluginInspectOptions,
) -> Result<PluginSummary, Error> {
    // On the command line, a name without `./` is a file as well.
    let reference = PluginReference::parse(&options.reference)
        .unwrap_or_else(|| PluginReference::File(options.reference.clone()));
    let (cache, limits) = (session.cache()?, Limits::default());
    let runtime = session.runtime(cache, &limits)?;
    let places = Places {
        directory: Path::new("."),
        limit: limits.component_size,
        store: &cache.store,
        credentials: &session.credentials(),
        network_time: session.network_time(),
    };
    let found = find(&reference, None, places).map_err(|error| ResolveError::Bytes {
        reference: reference.to_string(),
        help: error.help(),
        source: error,
        file: None,
        span: None,
    })?;
    let refused = |error: seed_runtime::LoadError| ResolveError::Refused {
        reference: reference.to_string(),
        help: error.help(),
        error,
        file: None,
        span: None,
    };
    let inspection = inspect(&found.bytes, &limits).map_err(|error| refused(error.into()))?;
    let plugin = runtime.load(&found.bytes, inspection.stage).map_err(refused)?;
    let description = plugin.description();
    let identity = PluginIdentity {
        reference: reference.to_string(),
        name: description.name.clone(),
        version: description.version.to_string(),
        digest: plugin.digest(),
    };
    let schema = ConfigSchema::parse(&description.config_schema)
        .map_err(|error| ResolveError::Schema { plugin: identity.clone(), error })?;
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
