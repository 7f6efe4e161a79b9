//! What the environment of the process says. No library reads it by itself: whoever makes the engine hands it down.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fmt;

/// Looks up variables of the environment when they are needed: a secret is not kept before somebody asks for it.
pub trait Environment: Send + Sync + fmt::Debug {
    /// The value of the variable `name`; none where it is not set.
    fn variable(&self, name: &OsStr) -> Option<OsString>;

    /// The names of all variables that are set.
    fn names(&self) -> Vec<OsString>;
}

/// A fixed set of variables. It prints only their names.
#[derive(Clone, Default)]
pub struct Variables(BTreeMap<OsString, OsString>);

impl<N: Into<OsString>, V: Into<OsString>> FromIterator<(N, V)> for Variables {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(variables: I) -> Self {
        Self(variables.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }
}

impl fmt::Debug for Variables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl Environment for Variables {
    fn variable(&self, name: &OsStr) -> Option<OsString> {
        self.0.get(name).cloned()
    }

    fn names(&self) -> Vec<OsString> {
        self.0.keys().cloned().collect()
    }
}
