//! `seed plan --why`: by which references paths are in an image.

use std::sync::Arc;

use seed_model::{Chains, StorePath};
use seed_report::Error;

use crate::events::EventSink;
use crate::pipeline::Pipeline;
use crate::prepare::{BuiltSystem, Request, prepare};
use crate::rules::is_name;
use crate::session::Session;
use crate::suggest::did_you_mean;
use crate::summary::{SCHEMA, WhyImage, WhyPath, WhySummary};
use crate::usage::UsageError;

/// What to look for.
#[derive(Clone, Debug, Default)]
pub struct WhyOptions {
    /// A store path, or the name of a package as `[seed.forbid] names` takes it, with `*` for any text.
    pub wanted: String,
    /// Systems instead of those in the pipeline file; empty for those.
    pub systems: Vec<String>,
}

/// Builds, and says by which references the wanted paths are in the image. It makes no plan, so that it also answers for
/// images that a rule or a plugin refuses.
pub(crate) fn why(
    session: &Session,
    pipeline: &Pipeline,
    options: &WhyOptions,
    sink: Arc<dyn EventSink>,
) -> Result<WhySummary, Error> {
    let WhyOptions { wanted, systems } = options;
    let request = Request { systems, ..Request::default() };
    let built = prepare(session, pipeline, request, sink)?.build()?;
    let images: Vec<_> = built.iter().map(|built| image(built, wanted)).collect();
    if images.iter().all(|image| image.paths.is_empty()) {
        let names = built.iter().flat_map(|built| &built.built.closure.paths).map(StorePath::name);
        let help = did_you_mean(wanted, names).unwrap_or_else(|| {
            "name a package (`*` matches any text) or a full store path; `seed plan --paths` lists them"
                .to_owned()
        });
        let message = format!("no path in the image matches `{}`", wanted.escape_debug());
        return Err(UsageError::new(message, help).into());
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
    WhyImage {
        system: built.target.system.clone(),
        platform: built.target.platform.clone(),
        paths: paths.collect(),
    }
}
