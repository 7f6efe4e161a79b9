//! What tests give to components, and how they show failures.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use seed_model::{
    Descriptor, ImagePlan, PackRequest, Platform, PublishRequest, SelectionRequest, SignRequest, SourceKind,
    Stage, Variant,
};
use seed_runtime::capabilities::{Capabilities, LogLevel, Reporter};
use seed_runtime::{Limits, LoadError, Options, Plugin, PluginError, Runtime};

/// A runtime with these limits and without a cache.
pub(crate) fn runtime(limits: Limits) -> Runtime {
    Runtime::new(Options { limits, aot_directory: None, compiler: None }).unwrap()
}

/// Loads a component with default limits.
pub(crate) fn load(component: &[u8], stage: Stage) -> Plugin {
    runtime(Limits::default()).load(component, stage).unwrap()
}

/// A reporter that remembers.
#[derive(Debug, Default)]
pub(crate) struct Recorder(pub(crate) Mutex<Vec<String>>);

impl Recorder {
    /// What was reported, one line each.
    pub(crate) fn lines(&self) -> String {
        self.0.lock().unwrap().join("\n")
    }

    fn push(&self, line: String) {
        self.0.lock().unwrap().push(line);
    }
}

impl Reporter for Recorder {
    fn log(&self, level: LogLevel, message: &str) {
        self.push(format!("{level:?}: {message}"));
    }

    fn progress_start(&self, label: &str, total: Option<u64>) -> u64 {
        self.push(format!("start {label} {total:?}"));
        7
    }

    fn progress_advance(&self, task: u64, amount: u64) {
        self.push(format!("advance {task} by {amount}"));
    }

    fn progress_end(&self, task: u64) {
        self.push(format!("end {task}"));
    }
}

/// No capability but a reporter.
pub(crate) fn nothing() -> Capabilities {
    reporting(Arc::new(Recorder::default()))
}

/// No capability but this reporter.
pub(crate) fn reporting(reporter: Arc<Recorder>) -> Capabilities {
    Capabilities::none(reporter)
}

/// A request without layers.
pub(crate) fn selection() -> SelectionRequest {
    SelectionRequest {
        config: "{}".to_owned(),
        name: "test".to_owned(),
        system: "x86_64-linux".to_owned(),
        platform: Platform::of_system("x86_64-linux").unwrap(),
        variant: Variant::Runtime,
        source: SourceKind::Flake,
        available: Vec::new(),
        variables: BTreeMap::new(),
        layer_lock: None,
    }
}

/// A request to pack this plan.
pub(crate) fn pack_request(plan: ImagePlan) -> PackRequest {
    let SelectionRequest { config, name, system, platform, .. } = selection();
    PackRequest { config, name, system, platform, created: "1970-01-01T00:00:01Z".to_owned(), plan }
}

/// A request to sign an empty manifest with the key `release`.
pub(crate) fn sign_request() -> SignRequest {
    SignRequest {
        config: "{}".to_owned(),
        keys: vec!["release".to_owned()],
        subject: Descriptor::of("application/vnd.oci.image.manifest.v1+json", b"{}"),
        references: vec!["registry.example/app".to_owned()],
        created: "1970-01-01T00:00:01Z".to_owned(),
        variables: BTreeMap::new(),
    }
}

/// A request without images.
pub(crate) fn publication() -> PublishRequest {
    PublishRequest {
        config: "{}".to_owned(),
        name: "test".to_owned(),
        images: Vec::new(),
        index: None,
        artifacts: Vec::new(),
        variables: BTreeMap::new(),
        tagged: true,
    }
}

/// A failed call as a user reads it, with the component's digest (which changes with the tools that made it) left out.
pub(crate) fn shown(error: &PluginError) -> String {
    let text = error.to_string().replace(&error.plugin.digest.short(), "DIGEST");
    let help = error.help().map(|help| format!("help: {help}"));
    let log = error.log_tail.iter().map(|line| format!("log: {line}"));
    [text].into_iter().chain(help).chain(log).collect::<Vec<_>>().join("\n")
}

/// The same for a component that cannot be loaded.
pub(crate) fn refused(component: &[u8], stage: Stage, limits: Limits) -> String {
    let error = runtime(limits).load(component, stage).unwrap_err();
    if let LoadError::Describe(error) = &error {
        return shown(error);
    }
    let text = error.to_string().replace(&seed_model::Digest::of(component).short(), "DIGEST");
    let help = error.help().map_or_else(String::new, |help| format!("\nhelp: {help}"));
    format!("{text}{help}")
}

/// Calls `outputs` of a selector and shows why it failed.
pub(crate) fn failed_outputs(component: &[u8], limits: Limits) -> String {
    let plugin = runtime(limits).load(component, Stage::Select).unwrap();
    shown(&plugin.select_outputs(&nothing(), &selection()).unwrap_err())
}

/// Calls `targets` of a publisher and shows why it failed.
pub(crate) fn failed_targets(component: &[u8], limits: Limits) -> String {
    let plugin = runtime(limits).load(component, Stage::Publish).unwrap();
    shown(&plugin.targets(&nothing(), "{}", "test").unwrap_err())
}
