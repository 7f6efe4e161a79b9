//! The words of a pipeline as data: digests, platforms, closures, plans, images.
//!
//! Every other crate speaks these types, so that none has to know a sibling. They mirror `wit/*.wit`, whose
//! comments are the reference for each field; this crate documents what Rust adds.
#![warn(missing_docs)]
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

mod chain;
mod closure;
mod descriptor;
mod diagnostic;
mod digest;
mod image;
pub mod json;
mod layer_lock;
mod manifest;
mod plan;
mod platform;
mod publication;
mod selection;
mod signature;
mod size;
mod stage;

pub use chain::{Chain, Chains};
pub use closure::{Closure, LayerRoots, StorePath};
pub use descriptor::Descriptor;
pub use diagnostic::{Diagnostic, Severity, StageError};
pub use digest::{Digest, DigestError, Hasher};
pub use image::{Codec, Image, LayerJob, PackRequest, PackedLayer};
pub use layer_lock::{LayerLock, LockedLayer};
pub use manifest::Manifest;
pub use plan::{Entry, EntryKind, ImageConfig, ImagePlan, Layer};
pub use platform::{Platform, Target, UnknownSystem};
pub use publication::{
    Attached, Attachment, Content, File, FileContent, PublishRequest, Published, SystemImage, Written,
};
pub use selection::{Installable, OutputRequest, Part, SelectionRequest, SourceKind, Variant};
pub use signature::{Algorithm, Artifact, PayloadFormat, PublicKey, SignRequest, Signature, Signed};
pub use size::{ByteSize, NotASize, total};
pub use stage::Stage;
