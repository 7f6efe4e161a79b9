//! Fuzz targets: one for every reader of bytes that others wrote.
//!
//! A target takes any bytes, and must neither panic nor take long. Some check more: that what one reader takes, another
//! takes as well. `cargo test --test fuzz` runs them with the seeds in `seeds/TARGET` and mutations of these, and
//! `cargo xtask fuzz` for as long as it is told; `libfuzzer/` has them for `cargo fuzz`.
#![allow(
    clippy::disallowed_methods,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a target fails by panicking"
)]

mod component;
mod documents;
mod files;
mod http;
mod layers;
mod memory;
mod nix;
mod signatures;

/// A reader of bytes that others wrote.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// The name of its seeds, too.
    pub name: &'static str,
    /// Has the reader read these bytes.
    pub run: fn(&[u8]),
}

/// Every target.
pub const TARGETS: [Target; 20] = [
    Target { name: "manifest", run: documents::manifest },
    Target { name: "index", run: documents::index },
    Target { name: "config", run: documents::config },
    Target { name: "reference", run: documents::reference },
    Target { name: "archive", run: files::archive },
    Target { name: "pipeline", run: files::pipeline },
    Target { name: "lock", run: files::lock },
    Target { name: "layer_lock", run: files::layer_lock },
    Target { name: "record", run: files::record },
    Target { name: "tar", run: layers::tar },
    Target { name: "gzip", run: layers::gzip },
    Target { name: "zstd", run: layers::zstd },
    Target { name: "nar", run: layers::nar },
    Target { name: "challenge", run: http::challenge },
    Target { name: "docker_config", run: http::docker_config },
    Target { name: "registration", run: nix::registration },
    Target { name: "log", run: nix::log },
    Target { name: "dsse", run: signatures::dsse },
    Target { name: "bundle", run: signatures::bundle },
    Target { name: "component", run: component::preflight },
];

/// The target of this name.
pub fn target(name: &str) -> Option<Target> {
    TARGETS.into_iter().find(|target| target.name == name)
}

/// Has the target of this name read these bytes.
pub fn run(name: &str, bytes: &[u8]) {
    (target(name).expect("a target").run)(bytes);
}
