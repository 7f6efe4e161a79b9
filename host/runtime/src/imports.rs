//! What the world of each stage may import.

use seed_model::Stage;

/// The interfaces of `seed:pipeline` that the stage's world may import. The first three of each hold types only.
pub(crate) const fn imports(stage: Stage) -> &'static [&'static str] {
    match stage {
        Stage::Select => &["types", "graph", "plan", "log"],
        Stage::Pack => &["types", "graph", "plan", "log", "progress", "archive", "blobs"],
        Stage::Sign => &["types", "graph", "plan", "log", "progress", "blobs", "keyring", "http"],
        Stage::Publish => &["types", "graph", "plan", "log", "progress", "blobs", "http", "files"],
    }
}
