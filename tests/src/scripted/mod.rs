//! Plugins that do what a list says, whatever they are asked: for tests of what the host makes of a hostile one.
//!
//! Everything in them is made beforehand. A test runs an honest pipeline first, whose digests are the same each time.

mod memory;
mod packer;
mod publisher;
mod selector;
mod signer;

pub use packer::ScriptedPacker;
pub use publisher::{ScriptedDirectory, ScriptedPublisher, ScriptedRequest};
pub use selector::ScriptedSelector;
pub use signer::ScriptedSigner;
