//! From a reference to the place that it names.

use std::sync::Arc;

use seed_http::{Client, CredentialStore, Grants, Limits, Options};

use crate::source::access::Source;
use crate::source::error::SourceError;
use crate::source::layout::LayoutSource;
use crate::source::reference::Reference;
use crate::source::registry::RegistrySource;

/// Opens what `reference` names. `credentials` are for the registry, if it is one.
pub fn open(
    reference: &Reference,
    credentials: Arc<dyn CredentialStore>,
) -> Result<Box<dyn Source>, SourceError> {
    Ok(match reference {
        Reference::Layout { path, tag } => Box::new(LayoutSource::directory(path, tag.clone())),
        Reference::Archive { path, tag } => Box::new(LayoutSource::archive(path, tag.clone())?),
        Reference::Registry(reference) => {
            let grants = Grants::for_reading(&reference.registry)
                .map_err(|e| SourceError::Reference { text: reference.to_string(), reason: e.to_string() })?;
            let client = Client::new(Options {
                grants,
                credential_store: credentials,
                blobs: None,
                progress: None,
                limits: Limits::default(),
            });
            Box::new(RegistrySource::new(client, reference.clone()))
        }
    })
}
