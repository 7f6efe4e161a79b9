//! `seed exec`: a command in the locked seed, without network.
//!
//! The image is found by the digest in `seed.lock`, never by a tag, and every blob of it is checked against its digest before
//! a container engine gets it. The engine runs it under the digest of its configuration, which covers all of it.

mod container;
mod error;
mod locate;
mod options;

use std::process::Command;
use std::sync::Arc;

use seed_model::{Digest, Platform};
use seed_oci::document::read_image;
use seed_report::Error;

use error::ExecError;
pub use options::{ContainerEngine, ExecOptions};

use crate::commands::exec::container::Container;
use crate::commands::exec::locate::Locator;
use crate::events::{EventSink, Events, Level};
use crate::lock::{LockFile, LockedSeeds, lock_path};
use crate::pipeline::Pipeline;
use crate::session::Session;

/// Makes the container engine have the image. Gives the program that runs the command in it; its exit code is the
/// command's.
pub(crate) fn exec(
    session: &Session,
    pipeline: &Pipeline,
    options: &ExecOptions,
    sink: Arc<dyn EventSink>,
) -> Result<Command, Error> {
    let cache = session.cache()?;
    let events = Events::new(sink);
    let lock = lock_path(&pipeline.file.path);
    let seeds = LockFile::load(&lock)
        .map_err(crate::lock::LockError::from)?
        .map(|lock| lock.seeds)
        .unwrap_or_default();
    let (digest, platform) = locked(&seeds, options.system.as_deref(), &lock)?;

    let mut locator = Locator::new(session, &cache.store, pipeline, &seeds, &events);
    let manifest = locator.manifest(digest)?;
    let config = locator.config(&manifest)?;
    let wrong = |source| ExecError::Image { digest, source };
    let image = read_image(&cache.store, &manifest, &platform).map_err(wrong)?;
    let container = Container::find(session.launcher(), options.engine)?;
    let ids = [config.digest, digest];
    let id = if let Some(id) = container.image(&ids)? {
        id
    } else {
        locator.layers(&image)?;
        events.message(Level::Info, format!("loading {digest} into {}", container.name()));
        container.load(&cache.store, &image)?;
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
