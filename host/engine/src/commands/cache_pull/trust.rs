//! Whether an image is the one that is meant.
//!
//! Store paths are named after what they were built from, not after what they hold: whoever made the image could put
//! anything into them, and later builds here would be made from it.

use seed_model::Descriptor;
use seed_oci::location::{Location, Reference};

use crate::commands::cache_pull::error::PullError;
use crate::commands::cache_pull::options::{PullOptions, Trust};
use crate::lock::LockFile;
use crate::signatures;

/// Checks the manifest or index that the reference names.
pub(super) fn check(
    location: &dyn Location,
    reference: &Reference,
    options: &PullOptions,
    root: &Descriptor,
) -> Result<(), PullError> {
    let text = || options.reference.clone();
    if let Trust::Keys(keys) = &options.trust {
        let keys = signatures::read_keys(keys)?;
        return Ok(signatures::signed(location, &options.reference, root, &keys).map(drop)?);
    }
    if let Trust::Lock(path) = &options.trust {
        let lock = LockFile::load(path)?.ok_or_else(|| PullError::NoLock { path: path.clone() })?;
        let published = lock.seeds.published.map(|published| published.digest);
        let mut locked = lock.seeds.images.iter().map(|image| image.digest).chain(published);
        if locked.any(|digest| digest == root.digest) {
            return Ok(());
        }
        return Err(PullError::NotLocked { reference: text(), digest: root.digest, lock: path.clone() });
    }
    match (reference, &options.trust) {
        (Reference::Registry(registry), Trust::Digest) if registry.digest.is_none() => Err(PullError::Tag {
            reference: text(),
            digest: root.digest,
            pinned: format!("{}/{}@{}", registry.registry, registry.repository, root.digest),
        }),
        _ => Ok(()),
    }
}
