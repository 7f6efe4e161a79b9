//! Runtime images of programs that are linked with musl.
//!
//! It asks Nix for the musl builds of what the source offers, and refuses a closure in which glibc is still reachable: one
//! forgotten reference would bring back all that musl was to save. Layers are those of `layering`.
#![cfg_attr(test, allow(clippy::unwrap_used, reason = "tests fail by panicking"))]

mod config;

use seed_plugin::selector::{
    Closure, ImagePlan, LayerSelector, OutputRequest, Part, SelectRequest, SourceKind, VariantKind,
};
use seed_plugin::{About, Diagnostic, Plugin, StageError};

use crate::config::{Config, Musl};

/// How many paths an error shows.
const SHOWN: usize = 10;

struct MuslRuntime;

impl Plugin for MuslRuntime {
    type Config = Config;
    const ABOUT: About = seed_plugin::about!(include_str!("config.schema.json"));
}

impl LayerSelector for MuslRuntime {
    fn outputs(config: Config, request: SelectRequest) -> Result<Vec<OutputRequest>, StageError> {
        Ok(outputs(&config, &request)?)
    }

    fn plan(config: Config, request: SelectRequest, closure: Closure) -> Result<ImagePlan, StageError> {
        refuse(&config.musl, &closure)?;
        Ok(layering::plan(&config.layering, &request, &closure)?)
    }
}

seed_plugin::export_layer_selector!(MuslRuntime);

/// The musl builds of the layers that `layering` chooses. A closure that was built before is taken as it is.
fn outputs(config: &Config, request: &SelectRequest) -> Result<Vec<OutputRequest>, Diagnostic> {
    if matches!(request.variant, VariantKind::Build) {
        return Err(Diagnostic::error(
            "musl-runtime::variant",
            "`musl-runtime` makes only runtime images: a build image links programs with the C library of its compiler",
        )
        .with_help("set `variant = \"runtime\"` in `[seed]`, or use `builtin:standard-layers` for the build image"));
    }
    let mut chosen = layering::choose(&config.layering, request)?;
    match request.source {
        SourceKind::Flake => chosen.iter_mut().for_each(|layer| rename(&config.musl, layer)),
        SourceKind::Closure => {}
        SourceKind::Directories => {
            return Err(Diagnostic::error(
                "musl-runtime::source",
                "plain directories have no musl builds and no references to check",
            )
            .with_help("use `builtin:standard-layers`, or build from a flake"));
        }
    }
    Ok(chosen)
}

fn rename(musl: &Musl, layer: &mut OutputRequest) {
    for installable in &mut layer.installables {
        installable.attribute = musl.attribute.replace("{attribute}", &installable.attribute);
        if let Part::Output(output) = &mut installable.part {
            *output = musl.output.replace("{output}", output);
        }
    }
}

/// Fails if a path is reachable that no musl image needs.
fn refuse(musl: &Musl, closure: &Closure) -> Result<(), Diagnostic> {
    let is_refused =
        |path: &u32| musl.refuse.iter().any(|name| layering::is_package(closure.store_path(*path), name));
    let refused: Vec<u32> = (0..closure.len()).filter(is_refused).collect();
    let Some(first) = refused.first() else { return Ok(()) };
    let line = |path: &u32| {
        let chain = layering::chain(closure, *path).map(|chain| format!("\n    {chain}")).unwrap_or_default();
        format!("\n  {}{chain}", closure.store_path(*path))
    };
    let mut lines: Vec<String> = refused.iter().take(SHOWN).map(line).collect();
    if let Some(more @ 1..) = refused.len().checked_sub(SHOWN) {
        lines.push(format!("\n  and {more} more"));
    }
    let name = seed_store_path::name(closure.store_path(*first));
    Err(Diagnostic::error(
        "musl-runtime::refused",
        &format!("{name} is still reachable from the musl outputs:{}", lines.concat()),
    )
    .with_help(
        "the second-to-last path of each chain refers to it: use the musl build of that path (in nixpkgs, from `pkgsMusl` or \
         `pkgsStatic`), or build it without the reference",
    )
    .at("/musl/refuse"))
}

#[cfg(test)]
mod tests;
