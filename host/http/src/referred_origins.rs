//! Which origins servers have named, so that a denial can tell the user who wants to be let in there.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use url::Url;

/// Entries that are remembered. A server that names more than these gains nothing: later ones count as the caller's.
const MAX_ENTRIES: usize = 1024;

/// Origins in redirects and other `Location` headers, each with the origin that named it first.
#[derive(Debug, Default)]
pub(crate) struct ReferredOrigins(Mutex<BTreeMap<String, String>>);

impl ReferredOrigins {
    /// `by` has named `url`.
    pub(crate) fn note(&self, by: &Url, url: &Url) {
        if by.origin() == url.origin() {
            return;
        }
        let mut named = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if named.len() < MAX_ENTRIES {
            let (origin, by) = (url.origin().ascii_serialization(), by.origin().ascii_serialization());
            named.entry(origin).or_insert(by);
        }
    }

    /// The origin that named the one of `url`, if a server did.
    pub(crate) fn by(&self, url: &Url) -> Option<String> {
        let named = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        named.get(&url.origin().ascii_serialization()).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_origins_are_remembered_as_are_allowed() {
        let origins = ReferredOrigins::default();
        let url = |port: usize| -> Url { format!("http://a.example:{port}/x").parse().unwrap() };
        let by: Url = "https://registry.example/v2/".parse().unwrap();
        for port in 1..=MAX_ENTRIES + 1 {
            origins.note(&by, &url(port));
        }
        origins.note(&"https://other.example".parse().unwrap(), &url(MAX_ENTRIES));
        assert_eq!(origins.by(&url(MAX_ENTRIES)).as_deref(), Some("https://registry.example"));
        assert_eq!(origins.by(&url(MAX_ENTRIES + 1)), None);
        let own = ReferredOrigins::default();
        own.note(&by, &by);
        assert_eq!(own.by(&by), None);
    }
}
