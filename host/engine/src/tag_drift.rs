//! Tags that point to something else than what the lock has.

use seed_model::Digest;
use seed_oci::location::{LocationError, Reference, RegistryReference};

use crate::session::Session;

/// What to say about a tag that does not point to what was published; none if it does, if the reference has a digest
/// instead of a tag, or if the registry does not say.
pub(crate) fn moved(session: &Session, reference: &RegistryReference, published: Digest) -> Option<String> {
    if reference.digest.is_some() {
        return None;
    }
    let location = session.open(&Reference::Registry(reference.clone())).ok()?;
    match location.resolve() {
        Ok(now) if now.descriptor.digest == published => None,
        Ok(now) => Some(format!("{reference} is now {}, not {published}", now.descriptor.digest)),
        Err(LocationError::NotFound { .. }) => Some(format!("{reference} no longer exists")),
        // Whoever needs the registry will hear what is the matter.
        Err(_) => None,
    }
}
