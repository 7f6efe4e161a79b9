//! From a reference to the place that it names.

use std::sync::Arc;

use seed_http::{Client, CredentialStore, Grants, HttpLimits, Options, TimeBudget};

use crate::location::access::Location;
use crate::location::bounded::Bounded;
use crate::location::error::LocationError;
use crate::location::layout::LayoutLocation;
use crate::location::reference::Reference;
use crate::location::registry::RegistryLocation;

/// Opens what `reference` names. `credentials` are for the registry, if it is one, and `time` the time that all requests of a
/// command may take together.
pub fn open(
    reference: &Reference,
    credentials: Arc<dyn CredentialStore>,
    time: Option<Arc<TimeBudget>>,
) -> Result<Box<dyn Location>, LocationError> {
    let location: Box<dyn Location> = match reference {
        Reference::Path(reference) => Box::new(LayoutLocation::open(reference)?),
        Reference::Registry(reference) => {
            let grants = Grants::for_reading(&reference.registry).map_err(|e| LocationError::Reference {
                text: reference.to_string(),
                reason: e.to_string(),
            })?;
            let client = Client::new(Options {
                grants,
                credential_store: credentials,
                blobs: None,
                progress: None,
                limits: HttpLimits::default(),
                time,
            });
            Box::new(RegistryLocation::new(client, reference.clone()))
        }
    };
    Ok(Box::new(Bounded::new(location)))
}
