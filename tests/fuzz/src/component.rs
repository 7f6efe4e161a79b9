//! Components, as they are looked at before they are compiled.

use seed_runtime::{Limits, inspect};

/// What a component is.
pub(crate) fn preflight(bytes: &[u8]) {
    let inspected = inspect(bytes, &Limits::default());
    if let Err(error) = inspected {
        assert!(!error.to_string().is_empty());
        let _ = error.help();
    }
}
