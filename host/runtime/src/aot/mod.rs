//! Compiled components on disk, so that a component is compiled once per machine and engine.
//!
//! Machine code that is loaded runs with all rights of this process, so an entry is believed only when this user's
//! `seed` wrote it: each begins with an HMAC-SHA256 under the key of the cache, over the entry's name for itself (component
//! digest, engine) and the code. An entry is read whole into memory, checked, and
//! loaded from that memory; a file that changes afterwards changes nothing. An entry that fails the check in any
//! way is removed and the component compiled again.
//!
//! | bytes  | what                                                                   |
//! |--------|------------------------------------------------------------------------|
//! | 32     | HMAC-SHA256 of all that follows                                        |
//! | 16     | `seed-aot-entry-1`                                                     |
//! | 32     | SHA-256 of the component                                               |
//! | 32     | SHA-256 of wasmtime's version, settings and target                     |
//! | others | what `Engine::precompile_component` gave                              |
//!
//! This is the only module with `unsafe` code.

use std::ffi::OsString;
use std::hash::Hash;
use std::io::{self, Write};

use seed_disk::{Authenticator, CacheDirectory, DiskError, PARTIAL, bounded};
use seed_model::{Digest, Hasher};
use wasmtime::Engine;
use wasmtime::component::Component;

const MAGIC: &[u8; 16] = b"seed-aot-entry-1";
const MAC_SIZE: usize = 32;
/// The largest entry that is read: the code is a few times larger than a component.
const MAX_ENTRY: u64 = 1 << 30;

/// A directory of compiled components.
#[derive(Debug)]
pub(crate) struct AotCache {
    directory: CacheDirectory,
    authenticator: Authenticator,
}

impl AotCache {
    /// A cache in this directory. Fails when others could read the key.
    pub(crate) fn open(directory: CacheDirectory) -> Result<Self, DiskError> {
        directory.remove_abandoned(PARTIAL)?;
        Ok(Self { authenticator: directory.authenticator()?, directory })
    }

    /// The component with this digest, if it was compiled for this engine before.
    pub(crate) fn load(&self, engine: &Engine, digest: Digest) -> Option<Component> {
        let identity = Identity::new(engine, digest);
        let name = name(&identity);
        let file = self.directory.handle().read(&name).ok()?;
        let entry = bounded(file, MAX_ENTRY).ok()?;
        let component = self.check(&identity, &entry).and_then(|code| deserialize(engine, code));
        if component.is_none() {
            // Damaged or forged: the next run shall not read it again. If this fails, so will the next check.
            let _ = self.directory.handle().unlink(&name);
        }
        component
    }

    /// Keeps the machine code of a component, as the compiler gave it just now.
    pub(crate) fn store(&self, engine: &Engine, digest: Digest, code: &[u8]) -> io::Result<()> {
        let identity = Identity::new(engine, digest);
        let parts = || identity.parts().into_iter().chain([code]);
        let mut file = self.directory.partial().map_err(io::Error::other)?;
        file.write_all(&self.authenticator.code(parts()))?;
        for part in parts() {
            file.write_all(part)?;
        }
        file.persist(self.directory.handle(), &name(&identity))
    }

    /// The code in an entry, if this user's `seed` wrote it for just this component and engine.
    fn check<'a>(&self, identity: &Identity, entry: &'a [u8]) -> Option<&'a [u8]> {
        let (mac, content) = entry.split_at_checked(MAC_SIZE)?;
        if !self.authenticator.verify([content], mac) {
            return None;
        }
        identity.parts().into_iter().try_fold(content, |rest, part| rest.strip_prefix(part))
    }
}

/// What an entry is for.
struct Identity {
    component: Digest,
    engine: Digest,
}

impl Identity {
    fn new(engine: &Engine, component: Digest) -> Self {
        let mut hash = EngineHash(Hasher::new());
        engine.precompile_compatibility_hash().hash(&mut hash);
        Self { component, engine: hash.0.finish() }
    }

    /// The entry's bytes between the MAC and the code.
    fn parts(&self) -> [&[u8]; 3] {
        [MAGIC, self.component.as_bytes(), self.engine.as_bytes()]
    }
}

/// SHA-256 of what a value's `Hash` gives, as the standard library's hasher is neither stable nor collision-free.
struct EngineHash(Hasher);

impl std::hash::Hasher for EngineHash {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(&self) -> u64 {
        unreachable!("the digest is taken from the field")
    }
}

/// The name of an entry's file.
fn name(identity: &Identity) -> OsString {
    format!("{}-{}.aot", identity.component.hex(), identity.engine.short()).into()
}

/// Loads compiled code that passed [`AotCache::check`], or that the compiler gave just now.
pub(crate) fn deserialize(engine: &Engine, code: &[u8]) -> Option<Component> {
    // SAFETY: `Component::deserialize` requires bytes that `Engine::precompile_component` gave, unmodified; it checks
    // itself that version and settings are those of `engine`. There are two callers. `Runtime::compile` has `code` from
    // `Compiler::compile`: from a thread of this process, or through a pipe from a process that this one has started,
    // which is this program. `AotCache::load` has it from `AotCache::check`, so it carries an HMAC under a key that only
    // this user can read, and the one place that computes that HMAC is `AotCache::store`, over what `Compiler::compile`
    // gave. It is borrowed memory of this process, which no other can change.
    #[expect(unsafe_code, reason = "the point of this module")]
    let component = unsafe { Component::deserialize(engine, code) };
    component.ok()
}
