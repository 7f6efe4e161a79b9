//! Interfaces `graph`, `plan` and `layer-selection`.

use seed_model as model;

use super::types::{diagnostics, map, pairs};
use crate::error::InvalidOutput;
use crate::v0_1::bindings::exports::seed::pipeline::layer_selection as wit;
use crate::v0_1::bindings::seed::pipeline::{graph, plan};

impl From<&model::SelectionRequest> for wit::Request {
    fn from(model: &model::SelectionRequest) -> Self {
        Self {
            config: model.config.clone(),
            name: model.name.clone(),
            system: model.system.clone(),
            platform: (&model.platform).into(),
            variant: match model.variant {
                model::Variant::Runtime => wit::VariantKind::Runtime,
                model::Variant::Build => wit::VariantKind::Build,
            },
            source: match model.source {
                model::SourceKind::Flake => wit::SourceKind::Flake,
                model::SourceKind::Directories => wit::SourceKind::Directories,
                model::SourceKind::Closure => wit::SourceKind::Closure,
            },
            available: model.available.iter().map(Into::into).collect(),
            variables: pairs(&model.variables),
            layer_lock: model.layer_lock.as_ref().map(Into::into),
        }
    }
}

impl From<&model::LayerLock> for wit::LayerLock {
    fn from(model: &model::LayerLock) -> Self {
        let layer = |layer: &model::LockedLayer| wit::LockedLayer {
            name: layer.name.clone(),
            paths: layer.paths.clone(),
        };
        let changes = |(package, changes): (&String, &u32)| wit::PackageChanges {
            package: package.clone(),
            changes: *changes,
        };
        Self {
            layers: model.layers.iter().map(layer).collect(),
            updates: model.updates,
            changes: model.changes.iter().map(changes).collect(),
            rebalance: model.rebalance,
        }
    }
}

impl From<&model::OutputRequest> for wit::OutputRequest {
    fn from(model: &model::OutputRequest) -> Self {
        let installable = |model: &model::Installable| wit::Installable {
            attribute: model.attribute.clone(),
            part: match &model.part {
                model::Part::DefaultOutput => wit::Part::DefaultOutput,
                model::Part::Output(output) => wit::Part::Output(output.clone()),
                model::Part::BuildInputs => wit::Part::BuildInputs,
                model::Part::FlakeInputs => wit::Part::FlakeInputs,
            },
        };
        Self {
            layer: model.layer.clone(),
            installables: model.installables.iter().map(installable).collect(),
        }
    }
}

impl From<wit::OutputRequest> for model::OutputRequest {
    fn from(wit: wit::OutputRequest) -> Self {
        let installable = |wit: wit::Installable| model::Installable {
            attribute: wit.attribute,
            part: match wit.part {
                wit::Part::DefaultOutput => model::Part::DefaultOutput,
                wit::Part::Output(output) => model::Part::Output(output),
                wit::Part::BuildInputs => model::Part::BuildInputs,
                wit::Part::FlakeInputs => model::Part::FlakeInputs,
            },
        };
        Self { layer: wit.layer, installables: wit.installables.into_iter().map(installable).collect() }
    }
}

impl From<&model::Closure> for graph::Closure {
    fn from(model: &model::Closure) -> Self {
        let output = |output: &model::LayerRoots| graph::Output {
            layer: output.layer.clone(),
            roots: output.roots.clone(),
        };
        let (mut store_paths, mut nar_hashes) =
            (String::new(), Vec::with_capacity(model.paths.len().saturating_mul(32)));
        let (mut references, mut reference_ends) = (Vec::new(), Vec::with_capacity(model.paths.len()));
        for path in &model.paths {
            store_paths.push_str(&path.store_path);
            store_paths.push('\n');
            nar_hashes.extend_from_slice(path.nar_hash.as_bytes());
            references.extend_from_slice(&path.references);
            reference_ends.push(u32::try_from(references.len()).unwrap_or(u32::MAX));
        }
        Self {
            store_paths,
            nar_hashes,
            nar_sizes: model.paths.iter().map(|path| path.nar_size).collect(),
            references,
            reference_ends,
            outputs: model.outputs.iter().map(output).collect(),
        }
    }
}

impl From<&model::ImagePlan> for plan::ImagePlan {
    fn from(model: &model::ImagePlan) -> Self {
        Self {
            layers: model.layers.iter().map(Into::into).collect(),
            config: (&model.config).into(),
            annotations: pairs(&model.annotations),
            notes: model.notes.iter().map(Into::into).collect(),
        }
    }
}

/// A plan from a component.
pub(in crate::v0_1) fn image_plan(wit: plan::ImagePlan) -> Result<model::ImagePlan, InvalidOutput> {
    Ok(model::ImagePlan {
        layers: wit.layers.into_iter().map(Into::into).collect(),
        config: image_config(wit.config)?,
        annotations: map("annotations", wit.annotations)?,
        notes: diagnostics(wit.notes),
    })
}

impl From<&model::Layer> for plan::Layer {
    fn from(model: &model::Layer) -> Self {
        let entry = |entry: &model::Entry| plan::Entry {
            path: entry.path.clone(),
            kind: match &entry.kind {
                model::EntryKind::Directory => plan::EntryKind::Directory,
                model::EntryKind::Symlink(target) => plan::EntryKind::Symlink(target.clone()),
                model::EntryKind::File(content) => plan::EntryKind::File(content.clone()),
                model::EntryKind::Registration => plan::EntryKind::Registration,
            },
            mode: entry.mode,
            uid: entry.uid,
            gid: entry.gid,
        };
        Self {
            name: model.name.clone(),
            paths: model.paths.clone(),
            entries: model.entries.iter().map(entry).collect(),
        }
    }
}

impl From<plan::Layer> for model::Layer {
    fn from(wit: plan::Layer) -> Self {
        let entry = |entry: plan::Entry| model::Entry {
            path: entry.path,
            kind: match entry.kind {
                plan::EntryKind::Directory => model::EntryKind::Directory,
                plan::EntryKind::Symlink(target) => model::EntryKind::Symlink(target),
                plan::EntryKind::File(content) => model::EntryKind::File(content),
                plan::EntryKind::Registration => model::EntryKind::Registration,
            },
            mode: entry.mode,
            uid: entry.uid,
            gid: entry.gid,
        };
        Self { name: wit.name, paths: wit.paths, entries: wit.entries.into_iter().map(entry).collect() }
    }
}

impl From<&model::ImageConfig> for plan::ImageConfig {
    fn from(model: &model::ImageConfig) -> Self {
        Self {
            entrypoint: model.entrypoint.clone(),
            cmd: model.cmd.clone(),
            env: model.env.clone(),
            user: model.user.clone(),
            working_dir: model.working_dir.clone(),
            labels: pairs(&model.labels),
            exposed_ports: model.exposed_ports.clone(),
            volumes: model.volumes.clone(),
            stop_signal: model.stop_signal.clone(),
        }
    }
}

fn image_config(wit: plan::ImageConfig) -> Result<model::ImageConfig, InvalidOutput> {
    Ok(model::ImageConfig {
        entrypoint: wit.entrypoint,
        cmd: wit.cmd,
        env: wit.env,
        user: wit.user,
        working_dir: wit.working_dir,
        labels: map("config.labels", wit.labels)?,
        exposed_ports: wit.exposed_ports,
        volumes: wit.volumes,
        stop_signal: wit.stop_signal,
    })
}
