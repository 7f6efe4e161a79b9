//! The project's own choice of layers: the component, as a run calls it.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use miette::{IntoDiagnostic, Result};
use seed_model::{Closure, ImagePlan, LayerLock, Platform, SelectionRequest, SourceKind, Stage, Variant};
use seed_runtime::capabilities::{Capabilities, Silent};
use seed_runtime::{Options, Plugin, Runtime};

/// A component that chooses layers.
#[derive(Debug)]
pub(crate) struct Selector {
    plugin: Plugin,
    config: String,
}

impl Selector {
    /// Compiles the component. It may make `budget` layers.
    pub(crate) fn load(path: &Path, budget: usize) -> Result<Self> {
        let runtime = Runtime::new(Options::default()).into_diagnostic()?;
        let plugin = runtime.load(&fs::read(path).into_diagnostic()?, Stage::Select).into_diagnostic()?;
        let config = format!(r#"{{"users":false,"tmp":false,"max-layers":{budget}}}"#);
        Ok(Self { plugin, config })
    }

    /// Calls `plan` of the plugin, for x86-64.
    pub(crate) fn plan(&self, closure: &Closure, layer_lock: Option<LayerLock>) -> Result<ImagePlan> {
        let capabilities = Capabilities::none(Arc::new(Silent));
        let request = SelectionRequest {
            config: self.config.clone(),
            name: "bench".to_owned(),
            system: "x86_64-linux".to_owned(),
            platform: Platform::of_system("x86_64-linux").into_diagnostic()?,
            variant: Variant::Runtime,
            source: SourceKind::Flake,
            available: Vec::new(),
            variables: BTreeMap::new(),
            layer_lock,
        };
        self.plugin.plan(&capabilities, &request, closure).into_diagnostic()
    }
}
