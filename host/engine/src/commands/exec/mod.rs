//! `seed exec`: a command in the locked seed, without network.
//!
//! The image is found by the digest in `seed.lock`, never by a tag, and every blob of it is checked against its digest before
//! a container engine gets it. The engine runs it under the digest of its configuration, which covers all of it.

mod container;
mod error;
mod locate;

use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;

use seed_model::{Digest, Platform};
use seed_oci::documents::read_image;

pub use container::ContainerEngine;
pub use error::ExecError;

use crate::commands::exec::container::Container;
use crate::commands::exec::locate::Locator;
use crate::engine::Engine;
use crate::error::EngineError;
use crate::events::{EventSink, Events, Level};
use crate::lock::{LockFile, LockedSeeds, lock_path};
use crate::pipeline::Pipeline;

/// Where the working directory stands in the container.
pub(crate) const WORK: &str = "/work";

/// What to run, and how.
#[derive(Clone, Debug)]
pub struct ExecOptions {
    /// The Nix system; none for the one that containers have on this machine.
    pub system: Option<String>,
    /// The command and its arguments; empty for what the image runs by itself.
    pub command: Vec<String>,
    /// Run the command itself instead of handing it to the image's entrypoint.
    pub without_entrypoint: bool,
    /// The container engine; none for the first that works.
    pub engine: Option<ContainerEngine>,
    /// The directory that the container sees, writable, at `/work`.
    pub directory: PathBuf,
    /// User and group of the caller: files that the command writes belong to them.
    pub user: (u32, u32),
    /// Whether the caller sits at a terminal.
    pub terminal: bool,
}

/// Makes the container engine have the image. Gives the program that runs the command in it; its exit code is the
/// command's.
pub(crate) fn exec(
    engine: &Engine,
    pipeline: &Pipeline,
    options: &ExecOptions,
    sink: Arc<dyn EventSink>,
) -> Result<Command, EngineError> {
    let events = Events::new(sink);
    let lock = lock_path(&pipeline.file.path);
    let seeds = LockFile::load(&lock)
        .map_err(crate::lock::LockError::from)?
        .map(|lock| lock.seeds)
        .unwrap_or_default();
    let (digest, platform) = locked(&seeds, options.system.as_deref(), &lock)?;

    let mut locator = Locator::new(&engine.store, pipeline, &seeds, &events);
    let manifest = locator.manifest(digest)?;
    let config = locator.config(&manifest)?;
    let wrong = |source| ExecError::Image { digest, source };
    let image = read_image(&engine.store, &manifest, &platform).map_err(wrong)?;
    let container = Container::find(options.engine)?;
    let ids = [config.digest, digest];
    let id = if let Some(id) = container.image(&ids)? {
        id
    } else {
        locator.layers(&image)?;
        events.message(Level::Info, format!("loading {digest} into {}", container.name()));
        container.load(&engine.store, &image)?;
        container.image(&ids)?.ok_or_else(|| container.lost(digest))?
    };
    Ok(container.run(&id, options))
}

/// The locked image of a system, and its platform.
fn locked(
    seeds: &LockedSeeds,
    system: Option<&str>,
    lock: &std::path::Path,
) -> Result<(Digest, Platform), ExecError> {
    if seeds.images.is_empty() {
        return Err(ExecError::NotLocked { path: lock.to_owned() });
    }
    // Containers are Linux, whatever runs them.
    let system = system.map_or_else(|| Platform::host_system().replace("-darwin", "-linux"), str::to_owned);
    let Some(digest) = seeds.image(&system) else {
        let known = seeds.images.iter().map(|image| image.system.clone()).collect();
        return Err(ExecError::System { path: lock.to_owned(), system, known });
    };
    match Platform::of_system(&system) {
        Ok(platform) if platform.os == "linux" => Ok((digest, platform)),
        _ => Err(ExecError::NoContainers { system }),
    }
}
