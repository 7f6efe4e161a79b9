//! A scripted packer.

use std::fmt::Write as _;

use seed_model::{Codec, Image};

use crate::guest::{DATA, Guest, words};
use crate::scripted::memory::{Memory, RESULT, pass_on, put_all};

const BLOBS: &str = "seed:pipeline/blobs@0.1.0";
const ARCHIVE: &str = "seed:pipeline/archive@0.1.0";

/// A packer.
#[derive(Clone, Debug)]
pub struct ScriptedPacker {
    /// Layers of the plan that it has the host pack.
    pub jobs: Vec<(u32, Codec)>,
    /// Layers of the plan that it opens as tars and does not read.
    pub readers: Vec<u32>,
    /// Documents and layers of its own that it puts into the store.
    pub blobs: Vec<Vec<u8>>,
    /// What it returns.
    pub image: Image,
}

impl ScriptedPacker {
    /// The component.
    pub fn build(&self) -> Vec<u8> {
        let mut memory = Memory::default();
        let job = |(layer, codec): &(u32, Codec)| {
            let codec = match codec {
                Codec::None => [0, 0],
                Codec::Gzip(level) => [1, *level],
                Codec::Zstd(level) => [2, *level],
            };
            [&layer.to_le_bytes()[..], &codec, &[0; 2]].concat()
        };
        let jobs: Vec<_> = self.jobs.iter().map(job).collect();
        let [jobs, count] = memory.records(&jobs);
        let mut body = format!(
            "(call $pack (i32.const {jobs}) (i32.const {count}) (i32.const {RESULT}))\n{}",
            pass_on(4)
        );
        for reader in &self.readers {
            writeln!(body, "(drop (call $open (i32.const {reader})))").unwrap();
        }
        body.push_str(&put_all(&mut memory, &self.blobs));
        let layers: Vec<_> = self.image.layers.iter().map(|layer| memory.packed_layer(layer)).collect();
        let image = [
            vec![0; 8],
            memory.descriptor(&self.image.manifest),
            memory.descriptor(&self.image.config),
            words(&memory.records(&layers)),
        ];
        let image = memory.put(&image.concat());
        writeln!(body, "(i32.const {image})").unwrap();
        Guest::new("packer")
            .import(ARCHIVE, "pack-layers", "pack", "(param i32 i32 i32)")
            .import(ARCHIVE, "[constructor]layer-reader", "open", "(param i32) (result i32)")
            .import(BLOBS, "put", "put", "(param i32 i32 i32)")
            .data(DATA, &memory.0)
            .body("pack", &body)
            .build()
    }
}
