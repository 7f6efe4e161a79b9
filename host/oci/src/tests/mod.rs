//! Tests of whole layers; those of one module stand in it.

mod fixture;
mod packing;
