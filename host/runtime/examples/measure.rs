//! Times what a component costs: `cargo run --release -p seed-runtime --example measure -- SELECTOR.wasm`.
//!
//! The selector gets 5,000 paths with 8 references each. What `outputs` takes, which does nearly nothing, is the cost
//! of a call; `plan` has the component's own work on top.

#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a measurement, not a part of the program"
)]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use seed_disk::CacheDirectory;
use seed_model::{
    Closure, Digest, LayerRoots, Platform, SelectionRequest, SourceKind, Stage, StorePath, Variant,
};
use seed_runtime::capabilities::{Capabilities, Silent};
use seed_runtime::{Limits, Options, Runtime};

const PATHS: u32 = 5_000;
const REFERENCES: u32 = 8;
const REPETITIONS: u32 = 200;

fn main() {
    let component = std::fs::read(std::env::args().nth(1).expect("the path of a selector")).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let cache = CacheDirectory::open(directory.path()).unwrap();
    let options =
        || Options { limits: Limits::default(), aot_directory: Some(cache.clone()), compiler: None };

    let (_, engines) = timed(|| Runtime::new(options()).unwrap());
    let runtime = Runtime::new(options()).unwrap();
    let (plugin, compile) = timed(|| runtime.load(&component, Stage::Select).unwrap());
    let (_, load) = best(|| runtime.load(&component, Stage::Select).unwrap());
    let capabilities = Capabilities::none(Arc::new(Silent));
    let (request, closure) = (request(), closure());
    let (_, outputs) = best(|| plugin.select_outputs(&capabilities, &request));
    let (_, plan) = best(|| plugin.plan(&capabilities, &request, &closure));

    println!("{} bytes of component", component.len());
    for (what, time) in [
        ("both engines", engines),
        ("compile, keep, describe", compile),
        ("check, load, describe", load),
        ("outputs", outputs),
        ("plan", plan),
    ] {
        println!("{what:25} {:9.3} ms", time.as_secs_f64() * 1e3);
    }
}

fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let start = Instant::now();
    let result = work();
    (result, start.elapsed())
}

fn best<T>(work: impl Fn() -> T) -> (T, Duration) {
    (0..REPETITIONS).map(|_| timed(&work)).min_by_key(|(_, time)| *time).expect("at least one repetition")
}

fn request() -> SelectionRequest {
    SelectionRequest {
        config: "{}".to_owned(),
        name: "measure".to_owned(),
        system: "x86_64-linux".to_owned(),
        platform: Platform::of_system("x86_64-linux").unwrap(),
        variant: Variant::Runtime,
        source: SourceKind::Flake,
        available: Vec::new(),
        variables: BTreeMap::new(),
        layer_lock: None,
    }
}

fn closure() -> Closure {
    let path = |i: u32| StorePath {
        store_path: format!("/nix/store/{i:032}-package-{i}-1.0"),
        nar_hash: Digest::of(&i.to_le_bytes()),
        nar_size: u64::from(i) * 1000,
        references: (i.saturating_sub(REFERENCES)..i).collect(),
    };
    let root = LayerRoots { layer: "apps".to_owned(), roots: vec![PATHS - 1] };
    Closure { paths: (0..PATHS).map(path).collect(), outputs: vec![root] }
}
