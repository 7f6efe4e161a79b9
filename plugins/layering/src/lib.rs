//! From a closure to a plan: standard layers as hard boundaries, each split into image layers.
//!
//! A path belongs to the first (most stable) standard layer that reaches it, so a change in `apps` never touches the
//! layers of `base`. Inside a standard layer [`split`] decides. `standard-layers` is this and nothing else; a selector
//! that only chooses other outputs builds on it.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking"))]

mod assign;
mod build_seed;
mod chain;
mod config;
mod darwin;
mod entries;
mod entry;
mod environment;
mod layer_lock;
mod merge;
mod outputs;
mod packages;
mod rates;
mod split;

use seed_plugin::selector::{Closure, ImageConfig, ImagePlan, Layer, SelectRequest};
use seed_plugin::{Diagnostic, Pair};

pub use chain::chain;
pub use config::{Config, MaxLayers};
pub use outputs::{STANDARD, choose};
pub use packages::{find, is_package};

use rates::Requested;

/// The plan for a closure. Fails if the layer budget is too small, or a link names no package.
pub fn plan(config: &Config, request: &SelectRequest, closure: &Closure) -> Result<ImagePlan, Diagnostic> {
    if darwin::is_darwin(request) {
        let (config, notes) = darwin::outputs_only(config, request);
        let mut plan = compose(&config, request, closure)?;
        plan.notes.extend(notes);
        return Ok(plan);
    }
    compose(config, request, closure)
}

/// The plan with all that `config` asks for.
fn compose(config: &Config, request: &SelectRequest, closure: &Closure) -> Result<ImagePlan, Diagnostic> {
    let roles = assign::assign(closure);
    let mut entries = entries::entries(config, request, closure)?;
    let is_build_seed = build_seed::is_build_seed(request);
    let reserved = usize::from(!entries.is_empty());
    let Some(budget) = config.max_layers.0.checked_sub(reserved).filter(|budget| *budget >= roles.len())
    else {
        let least = roles.len() + reserved;
        return Err(Diagnostic::error(
            "layering::max-layers",
            &format!("`max-layers` is {}, but this image needs at least {least} layers", config.max_layers.0),
        )
        .with_help(&format!("set `max-layers` to {least} or more"))
        .at("/max-layers"));
    };
    let requested = asked_for(request, closure);
    let (mut layers, notes) = split::split(&roles, closure, &requested, request.layer_lock.as_ref(), budget);
    if is_build_seed {
        entries.push(build_seed::listing(&layers));
    }
    if !entries.is_empty() {
        // On top, because links name packages of any layer; a few hundred bytes that are cheap to send again.
        let name = closure.outputs().last().map_or_else(|| "apps".to_owned(), |output| output.layer.clone());
        layers.push(Layer { name, paths: Vec::new(), entries });
    }
    Ok(ImagePlan {
        layers,
        config: image_config(config, request, closure),
        annotations: annotations(config, request),
        notes,
    })
}

/// The packages that the user asked for. Those of `apps` are the project's own.
fn asked_for(request: &SelectRequest, closure: &Closure) -> Vec<(u32, Requested)> {
    let mut asked = Vec::new();
    for (output, (layer, paths)) in closure.outputs().iter().zip(packages::requested(request, closure)) {
        let kind = if layer == "apps" { Requested::Own } else { Requested::Other };
        asked.extend(paths.iter().map(|path| (*path, kind)));
        // The lists of a split-output derivation are one derivation: all of them change when any layer does.
        let lists = output.roots.iter().filter(|root| !paths.contains(root));
        asked.extend(lists.map(|root| (*root, Requested::Own)));
    }
    asked
}

fn image_config(config: &Config, request: &SelectRequest, closure: &Closure) -> ImageConfig {
    let mut image = ImageConfig {
        entrypoint: config.entrypoint.clone(),
        cmd: config.cmd.clone(),
        env: environment::environment(config, request, closure),
        user: config.user.clone(),
        working_dir: config.working_dir.clone(),
        labels: config.labels.clone().into_iter().collect(),
        exposed_ports: config.exposed_ports.clone(),
        volumes: config.volumes.clone(),
        stop_signal: config.stop_signal.clone(),
    };
    if build_seed::is_build_seed(request) {
        build_seed::enter(&mut image);
    }
    image
}

/// The pre-defined annotation keys of the OCI specification that are known here, and the user's own, which win.
fn annotations(config: &Config, request: &SelectRequest) -> Vec<Pair> {
    let mut annotations = config.annotations.clone();
    let known = [
        ("org.opencontainers.image.title", Some(&request.name)),
        (
            "org.opencontainers.image.revision",
            request.variables.iter().find(|(name, _)| name == "commit").map(|(_, value)| value),
        ),
    ];
    for (key, value) in known {
        if let Some(value) = value {
            annotations.entry(key.to_owned()).or_insert_with(|| value.clone());
        }
    }
    if build_seed::is_build_seed(request) {
        let (key, value) = build_seed::ANNOTATION;
        annotations.insert(key.to_owned(), value.to_owned());
    }
    annotations.into_iter().collect()
}

#[cfg(test)]
mod tests;
