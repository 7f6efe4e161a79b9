//! Layer selection: what to build, and which path goes into which layer.

use std::collections::BTreeSet;

use miette::Diagnostic;
use seed_model::{
    Closure, Digest, ImagePlan, LayerLock, OutputRequest, SelectionRequest, SourceKind, Target,
};
use seed_report::{Kind, Report};
use seed_runtime::PluginError;
use seed_runtime::capabilities::Capabilities;
use serde::de::DeserializeOwned;

use crate::check::{PlanError, check_annotations, check_plan};
use crate::plugins::ResolvedPlugin;
use crate::stage_cache::StageCache;
use crate::stages::context::Context;
use crate::stages::failure::StageFailure;
use crate::summary::PluginIdentity;

/// More layers or installables than anybody declares.
const MAX_REQUESTS: usize = 10_000;

/// Why selection failed.
#[derive(Debug, thiserror::Error, Diagnostic)]
pub(crate) enum SelectError {
    /// The plugin failed.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Failed(#[from] StageFailure),
    /// It asked for something that cannot be.
    #[error("plugin `{}` {} ({}) requested invalid outputs: {reason}", plugin.name, plugin.version, plugin.digest.short())]
    #[diagnostic(
        code("seed::select::outputs"),
        help("this is a bug in the plugin: report it to its authors")
    )]
    Outputs { plugin: PluginIdentity, reason: String },
    /// Its plan is refused.
    #[error("invalid plan from plugin `{}` {} ({}): {error}", plugin.name, plugin.version, plugin.digest.short())]
    #[diagnostic(code("seed::select::plan"), help("this is a bug in the plugin: report it to its authors"))]
    Plan { plugin: PluginIdentity, error: PlanError },
}

impl Report for SelectError {
    fn kind(&self) -> Kind {
        match self {
            Self::Failed(failure) => failure.kind(),
            Self::Outputs { .. } | Self::Plan { .. } => Kind::Plugin,
        }
    }
}

/// The selection of one system.
#[derive(Debug)]
pub(crate) struct Selection<'a> {
    pub(crate) plugin: &'a ResolvedPlugin,
    pub(crate) target: &'a Target,
    pub(crate) source: SourceKind,
    /// The layers on offer.
    pub(crate) available: Vec<OutputRequest>,
    /// The layer lock.
    pub(crate) layer_lock: Option<LayerLock>,
}

impl Selection<'_> {
    fn request(&self, context: &Context<'_>) -> SelectionRequest {
        let seed = &context.pipeline.seed;
        SelectionRequest {
            config: Context::config(self.plugin),
            name: seed.name.clone(),
            system: self.target.system.clone(),
            platform: self.target.platform.clone(),
            variant: seed.variant,
            source: self.source,
            available: self.available.clone(),
            variables: context.variables.clone(),
            layer_lock: self.layer_lock.clone(),
        }
    }

    /// What the result of a call is kept under.
    fn key(&self, call: &str, request: &SelectionRequest, closure: Option<&Closure>) -> Digest {
        StageCache::key(self.plugin.identity.digest, &self.plugin.locked.world, call, request, closure)
    }
}

/// What to build. Also says whether the result of an earlier call was used.
pub(crate) fn outputs(
    context: &Context<'_>,
    selection: &Selection<'_>,
) -> Result<(Vec<OutputRequest>, bool), SelectError> {
    let request = selection.request(context);
    let key = selection.key("outputs", &request, None);
    let plugin = &selection.plugin.plugin;
    let (outputs, cached) =
        recall(context, selection, key, |capabilities| plugin.select_outputs(capabilities, &request))?;
    if let Some(reason) = impossible(&outputs) {
        return Err(SelectError::Outputs { plugin: selection.plugin.identity.clone(), reason });
    }
    if !cached {
        context.cache.stages.put(key, &outputs);
    }
    Ok((outputs, cached))
}

/// The result that was kept under `key`, else that of `call`. Also says which.
fn recall<T: DeserializeOwned>(
    context: &Context<'_>,
    selection: &Selection<'_>,
    key: Digest,
    call: impl FnOnce(&Capabilities) -> Result<T, PluginError>,
) -> Result<(T, bool), StageFailure> {
    if let Some(result) = context.cache.stages.get(key) {
        return Ok((result, true));
    }
    let result = call(&context.no_capabilities(selection.plugin));
    Ok((result.map_err(|error| StageFailure::new(context, selection.plugin, error))?, false))
}

fn impossible(outputs: &[OutputRequest]) -> Option<String> {
    let installables = outputs.iter().map(|output| output.installables.len()).fold(0, usize::saturating_add);
    if outputs.len().max(installables) > MAX_REQUESTS {
        return Some(format!("more than {MAX_REQUESTS} outputs"));
    }
    if installables == 0 {
        return Some("the list is empty, so the image would be empty".to_owned());
    }
    let mut names = BTreeSet::new();
    let twice = outputs.iter().find(|output| !names.insert(&output.layer))?;
    Some(format!("the layer `{}` appears twice", twice.layer.escape_debug()))
}

/// The plan for what was built, checked. Also says whether the result of an earlier call was used.
pub(crate) fn plan(
    context: &Context<'_>,
    selection: &Selection<'_>,
    closure: &Closure,
) -> Result<(ImagePlan, bool), SelectError> {
    let request = selection.request(context);
    let key = selection.key("plan", &request, Some(closure));
    let plugin = &selection.plugin.plugin;
    let (plan, cached) =
        recall(context, selection, key, |capabilities| plugin.plan(capabilities, &request, closure))?;
    check_plan(&plan, closure)
        .and_then(|()| check_annotations(&plan, request.variant))
        .map_err(|error| SelectError::Plan { plugin: selection.plugin.identity.clone(), error })?;
    if !cached {
        context.cache.stages.put(key, &plan);
    }
    Ok((plan, cached))
}

#[cfg(test)]
mod tests {
    use seed_model::{Installable, Part};

    use super::*;

    #[test]
    fn what_cannot_be_requested() {
        let installable = || Installable { attribute: "hello".to_owned(), part: Part::DefaultOutput };
        let request = |layer: &str, count: usize| OutputRequest {
            layer: layer.to_owned(),
            installables: (0..count).map(|_| installable()).collect(),
        };
        assert_eq!(impossible(&[request("base", 1), request("apps", 2)]), None);
        let reasons = [
            impossible(&[]),
            impossible(&[request("base", 0)]),
            impossible(&[request("base", 1), request("base", 1)]),
            impossible(&[request("base", MAX_REQUESTS + 1)]),
        ];
        insta::assert_snapshot!(reasons.map(Option::unwrap).join("\n"));
    }
}
