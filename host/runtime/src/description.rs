//! What a component says of itself.

/// What a component says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description {
    /// Its name: lower-case letters, digits and single hyphens, at most 64.
    pub name: String,
    /// Its semantic version.
    pub version: semver::Version,
    /// One line on what it does.
    pub summary: String,
    /// JSON Schema of its configuration, as text of at most 1 MiB; not parsed here.
    pub config_schema: String,
}
