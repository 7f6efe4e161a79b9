//! Tests of whole layers; those of one module stand in it.

mod child;
mod compare;
mod damage;
mod files;
mod fixture;
mod golden;
mod packing;
mod roots;

pub(crate) use fixture::Fixture;
