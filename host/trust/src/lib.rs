//! Keys, signatures, and the documents that carry them.
//!
//! - [`PrivateKey`] reads cosign and plain key files, signs, and writes new cosign key files; [`public_key`] is its
//!   other half.
//! - [`verify`] checks one signature; [`covers`] checks that what was signed is about a certain image. A signature
//!   counts only when both hold.
//! - [`read_artifact`] takes a published signature document apart (cosign's `.sig` manifest, or a Sigstore bundle
//!   that refers to an image), [`check_artifact`] does that and both checks.
//!
//! Nothing here opens a file or a socket, and nothing trusts a size that it was told.
// Numbers from outside are added up with a limit, or the sum is checked.
#![warn(clippy::arithmetic_side_effects)]
#![cfg_attr(
    test,
    allow(
        clippy::arithmetic_side_effects,
        clippy::disallowed_methods,
        clippy::unwrap_used,
        reason = "tests fail by panicking"
    )
)]

mod artifact;
mod bundle;
mod coverage;
pub mod dsse;
pub mod encoding;
mod encrypted;
mod key_error;
mod private_key;
pub mod public_key;
mod simple_signing;
mod statement;

pub use artifact::{ArtifactError, Claim, ReadBlob, check_artifact, read_artifact};
pub use bundle::{BUNDLE_MEDIA_TYPE, Bundle, BundleError};
pub use coverage::{CoverError, SignedImage, covers};
pub use key_error::KeyError;
pub use private_key::PrivateKey;
pub use public_key::{BadSignature, PublicKeyError, verify};
pub use simple_signing::{SIMPLE_SIGNING_MEDIA_TYPE, SimpleSigning};
pub use statement::{IN_TOTO_PAYLOAD_TYPE, SIGN_PREDICATE_TYPE, Statement, Subject};
