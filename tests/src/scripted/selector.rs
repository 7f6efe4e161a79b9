//! A scripted selector.

use seed_model::{Entry, EntryKind, ImageConfig, ImagePlan, Layer, OutputRequest, Part};

use crate::guest::{DATA, Guest, words};
use crate::scripted::memory::Memory;

/// A selector.
#[derive(Clone, Debug)]
pub struct ScriptedSelector {
    /// What it requests.
    pub outputs: Vec<OutputRequest>,
    /// Its plan. Notes are left out.
    pub plan: ImagePlan,
}

impl ScriptedSelector {
    /// The component.
    pub fn build(&self) -> Vec<u8> {
        let mut memory = Memory::default();
        let outputs: Vec<_> = self.outputs.iter().map(|output| output_record(&mut memory, output)).collect();
        let outputs = memory.records(&outputs);
        let outputs = memory.put(&words(&[&[0][..], &outputs].concat()));
        let layers: Vec<_> = self.plan.layers.iter().map(|layer| layer_record(&mut memory, layer)).collect();
        let layers = memory.records(&layers);
        let config = config_record(&mut memory, &self.plan.config);
        let annotations = memory.pairs(self.plan.annotations.iter());
        let plan = words(&[&[0][..], &layers, &config, &annotations, &[0, 0]].concat());
        let plan = memory.put(&plan);
        Guest::new("layer-selector")
            .data(DATA, &memory.0)
            .body("outputs", &format!("(i32.const {outputs})"))
            .body("plan", &format!("(i32.const {plan})"))
            .build()
    }
}

/// 16 bytes.
fn output_record(memory: &mut Memory, output: &OutputRequest) -> Vec<u8> {
    let mut installables = Vec::new();
    for installable in &output.installables {
        let attribute = memory.bytes(installable.attribute.as_bytes());
        let (part, name) = match &installable.part {
            Part::DefaultOutput => (0, [0, 0]),
            Part::Output(name) => (1, memory.bytes(name.as_bytes())),
            Part::BuildInputs => (2, [0, 0]),
            Part::FlakeInputs => (3, [0, 0]),
        };
        installables.push(words(&[&attribute[..], &[part], &name].concat()));
    }
    let (layer, installables) = (memory.bytes(output.layer.as_bytes()), memory.records(&installables));
    words(&[layer, installables].concat())
}

/// 24 bytes.
fn layer_record(memory: &mut Memory, layer: &Layer) -> Vec<u8> {
    let entries: Vec<_> = layer.entries.iter().map(|entry| entry_record(memory, entry)).collect();
    let name = memory.bytes(layer.name.as_bytes());
    let paths = memory.list(layer.paths.len(), &words(&layer.paths));
    words(&[name, paths, memory.records(&entries)].concat())
}

/// 32 bytes.
fn entry_record(memory: &mut Memory, entry: &Entry) -> Vec<u8> {
    let path = memory.bytes(entry.path.as_bytes());
    let (kind, content) = match &entry.kind {
        EntryKind::Directory => (0, [0, 0]),
        EntryKind::Symlink(target) => (1, memory.bytes(target.as_bytes())),
        EntryKind::File(content) => (2, memory.bytes(content)),
        EntryKind::Registration => (3, [0, 0]),
    };
    words(&[&path[..], &[kind], &content, &[entry.mode, entry.uid, entry.gid]].concat())
}

/// 21 words.
fn config_record(memory: &mut Memory, config: &ImageConfig) -> Vec<u32> {
    let mut list = |texts: &[String]| {
        let texts: Vec<_> = texts.iter().map(|text| words(&memory.bytes(text.as_bytes()))).collect();
        memory.records(&texts)
    };
    let (entrypoint, cmd, env) = (list(&config.entrypoint), list(&config.cmd), list(&config.env));
    let (ports, volumes) = (list(&config.exposed_ports), list(&config.volumes));
    let (user, directory) = (memory.option(config.user.as_ref()), memory.option(config.working_dir.as_ref()));
    let (labels, signal) = (memory.pairs(config.labels.iter()), memory.option(config.stop_signal.as_ref()));
    [&entrypoint[..], &cmd, &env, &user, &directory, &labels, &ports, &volumes, &signal].concat()
}
