//! The stages of a run: each calls its plugin and checks what it claims.

mod artifact;
mod context;
mod failure;
mod pack;
mod publish;
mod select;
mod sign;
mod signed;

pub(crate) use artifact::SignedArtifact;
pub(crate) use context::Context;
pub(crate) use failure::StageFailure;
pub(crate) use pack::PackingError;
pub(crate) use pack::{LayerOrigin, PackedImage, descriptors, layer_specs, pack, request as pack_request};
pub(crate) use publish::{ToPublish, granted_targets, publish, targets};
pub(crate) use select::{Selection, outputs, plan};
pub(crate) use sign::{SignError, check_endorsement, endorse, sign};
pub(crate) use signed::Subject;
