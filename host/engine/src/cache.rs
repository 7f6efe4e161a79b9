//! Where caches live. Everything here can be deleted at any time; nothing but time is lost.
//!
//! | path         | holds                                                                     | named by |
//! |--------------|---------------------------------------------------------------------------|----------|
//! | `blobs/`     | layers, image documents, signatures, components from registries           | their digest |
//! | `frames/`    | compressed frames of single store paths                                   | NAR hash, entry rules, codec |
//! | `layers/`    | which blob a layer became                                                 | layer key |
//! | `aot/`       | compiled plugins, authenticated by a key of this user                     | component digest, wasmtime version, target |
//! | `pull-*/`    | store paths on their way to Nix, while they are pulled                   | nothing |
//! | `stages/`    | results of the selection stage, which is a pure function                  | component, input, contract |

use std::env;
use std::path::PathBuf;

/// Names a directory for all caches.
pub const CACHE_VARIABLE: &str = "SEED_CACHE_DIR";

/// `$SEED_CACHE_DIR`, or `seed` in `$XDG_CACHE_HOME`, or `~/.cache/seed`; none where no variable says where home is.
/// Relative values of the XDG variable are ignored, as its specification asks.
pub fn default_cache_directory() -> Option<PathBuf> {
    let variable = |name| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    variable(CACHE_VARIABLE)
        .or_else(|| {
            variable("XDG_CACHE_HOME").filter(|path| path.is_absolute()).map(|path| path.join("seed"))
        })
        .or_else(|| variable("HOME").map(|home| home.join(".cache/seed")))
}
