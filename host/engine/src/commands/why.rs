//! `seed plan --why`: by which references paths are in an image.

use std::sync::Arc;

use seed_model::{Chains, StorePath};

use crate::engine::{Engine, RunOptions};
use crate::error::{EngineError, ErrorKind};
use crate::events::EventSink;
use crate::pipeline::Pipeline;
use crate::prepare::{BuiltSystem, prepare};
use crate::rules::is_name;
use crate::suggest::did_you_mean;
use crate::summary::{SCHEMA, WhyImage, WhyPath, WhySummary};

/// Builds, and looks for the paths that `wanted` means: a store path, or a name as `[seed.forbid] names` takes it. It
/// makes no plan, so that it also answers for images that a rule or a plugin refuses.
pub(crate) fn why(
    engine: &Engine,
    pipeline: &Pipeline,
    options: &RunOptions,
    wanted: &str,
    sink: Arc<dyn EventSink>,
) -> Result<WhySummary, EngineError> {
    let built = prepare(engine, pipeline, options, sink)?.build()?;
    let images: Vec<_> = built.iter().map(|built| image(built, wanted)).collect();
    if images.iter().all(|image| image.paths.is_empty()) {
        let names = built.iter().flat_map(|built| &built.built.closure.paths).map(StorePath::name);
        return Err(ErrorKind::Usage {
            message: format!("no path of the image is called `{}`", wanted.escape_debug()),
            help: did_you_mean(wanted, names).unwrap_or_else(|| {
                "name a package, with `*` for any text, or a whole store path; `seed plan --paths` lists all".to_owned()
            }),
        }
        .into());
    }
    Ok(WhySummary { schema: SCHEMA, name: pipeline.seed.name.clone(), images })
}

fn image(built: &BuiltSystem, wanted: &str) -> WhyImage {
    let closure = &built.built.closure;
    let chains = Chains::new(closure);
    let is_wanted = |path: &StorePath| path.store_path == wanted || is_name(wanted, path.name());
    let paths = (0..).zip(&closure.paths).filter(|(_, path)| is_wanted(path));
    let paths = paths.filter_map(|(index, path)| {
        let refers =
            |(other, referrer): &(u32, &StorePath)| *other != index && referrer.references.contains(&index);
        let referrers = (0..).zip(&closure.paths).filter(refers);
        Some(WhyPath {
            store_path: path.store_path.clone(),
            nar_size: path.nar_size,
            chain: chains.to(index)?,
            referrers: referrers.map(|(_, referrer)| referrer.store_path.clone()).collect(),
        })
    });
    WhyImage { system: built.system.clone(), platform: built.platform.clone(), paths: paths.collect() }
}
