//! Rust types and traits of the contract, generated from `wit/`.
//!
//! One world with the imports and exports of all stages, so that each type exists once. No component targets it:
//! [`super::link`] and [`super::Exports`] take the parts that a stage has.

#![allow(
    missing_docs,
    missing_debug_implementations,
    unreachable_pub,
    dead_code,
    clippy::pedantic,
    reason = "generated"
)]

wasmtime::component::bindgen!({
    path: "../../wit",
    inline: "
        package seed:host;
        world all-stages {
            include seed:pipeline/layer-selector@0.1.0;
            include seed:pipeline/packer@0.1.0;
            include seed:pipeline/signer@0.1.0;
            include seed:pipeline/publisher@0.1.0;
        }
    ",
    world: "seed:host/all-stages",
    imports: { default: trappable },
    with: {
        "seed:pipeline/progress.task": crate::v0_1::resources::Task,
        "seed:pipeline/archive.layer-reader": crate::v0_1::resources::LayerReader,
        "seed:pipeline/blobs.writer": crate::v0_1::resources::Writer,
    },
});
