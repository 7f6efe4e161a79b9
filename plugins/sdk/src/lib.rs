//! The SDK for plugins of `seed`: everything that a layer selector, packer, signer or publisher needs.
//!
//! A plugin is a crate of type `cdylib` that implements one of the four stage traits and names its type in one
//! macro. This signer signs the digest of the image and attaches the signature to it as an artifact:
//!
//! ```
//! use seed_plugin::{About, Plugin, StageError, keyring};
//! use seed_plugin::signer::{PayloadFormat, Signature, Signed, SignRequest, Signer};
//!
//! struct Acme;
//!
//! impl Plugin for Acme {
//!     type Config = seed_plugin::NoConfig;
//!     const ABOUT: About = seed_plugin::about!(seed_plugin::NO_CONFIG_SCHEMA);
//! }
//!
//! impl Signer for Acme {
//!     fn sign(_config: Self::Config, request: SignRequest) -> Result<Signed, StageError> {
//!         let mut signatures = Vec::new();
//!         for name in &request.keys {
//!             let payload = request.subject.digest.clone().into_bytes();
//!             let signature = keyring::sign(name, &payload)?;
//!             let format = PayloadFormat::SubjectDigest;
//!             signatures.push(Signature { key: keyring::get(name)?, format, payload, signature });
//!         }
//!         Ok(Signed { artifacts: vec![], signatures, verify_with: None })
//!     }
//! }
//!
//! seed_plugin::export_signer!(Acme);
//! ```
//!
//! The whole way from an empty directory to a run is in `docs/plugins.md`; `examples/custom-signer` is such a crate.
//! What a type or function means is written once, in the WIT files (`wit/` in this crate).
//!
//! Two habits keep a plugin testable: put decisions into functions of plain data, which `cargo test` runs natively,
//! and call the imports ([`blobs`], [`keyring`], [`http`], …) from a thin layer around them; outside a component every
//! import panics.

#![warn(missing_docs)]
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::panic,
        clippy::missing_panics_doc,
        reason = "tests fail by panicking"
    )
)]

// The generated code names this crate from inside and from plugins alike.
extern crate self as seed_plugin;

pub mod appending;
#[doc(hidden)]
pub mod bindings;
pub mod canonical_json;
mod closure;
mod component;
pub mod diagnostic;
pub mod digest;
pub mod dsse;
pub mod log;
pub mod oci;
pub mod packer;
pub mod publisher;
pub mod selector;
pub mod signer;
pub mod statement;
pub mod tag;
pub mod template;
pub mod testing;

pub use base64;
pub use bindings::imports::seed::pipeline::types::{
    Attachment, Descriptor, Diagnostic, Pair, Platform, Severity, StageError,
};
pub use bindings::imports::seed::pipeline::{archive, blobs, files, graph, http, keyring, plan, progress};
pub use component::{About, NO_CONFIG_SCHEMA, NoConfig, Plugin};

/// What the macros of this crate expand to needs; not for use by hand.
#[doc(hidden)]
pub mod __private {
    pub use wit_bindgen;

    pub use crate::component::Component;

    pub use crate::bindings::layer_selector::exports::seed::pipeline::layer_selection::Guest as LayerSelectorGuest;
    pub use crate::bindings::packer::exports::seed::pipeline::packing::Guest as PackerGuest;
    pub use crate::bindings::publisher::exports::seed::pipeline::publishing::Guest as PublisherGuest;
    pub use crate::bindings::signer::exports::seed::pipeline::signing::Guest as SignerGuest;
}

/// The common part of the `export_*!` macros. Native builds (tests) check the type and export nothing: the symbols
/// of a component are not valid names for native linkers.
#[doc(hidden)]
#[macro_export]
macro_rules! __export {
    ($world:ident, $export:ident, $guest:ident, $plugin:ty) => {
        const _: () = {
            type Component = $crate::__private::Component<$plugin>;

            #[cfg(target_family = "wasm")]
            $crate::bindings::description::export_description_world!(
                Component with_types_in $crate::bindings::description
            );
            #[cfg(target_family = "wasm")]
    $crate::bindings::$world::$export!(Component with_types_in $crate::bindings::$world);

            #[cfg(not(target_family = "wasm"))]
            const _: fn() = || {
                fn check<T: $crate::__private::$guest>() {}
                check::<Component>();
            };
        };
    };
}
