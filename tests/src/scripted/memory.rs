//! The memory of a component as the canonical ABI lays it out, and the calls that every plugin makes.

use std::fmt::Write as _;

use seed_model::{Descriptor, PackedLayer, PublicKey};

use crate::guest::{DATA, words};

/// Where the host's answers are put, above all data and below the heap.
pub(super) const RESULT: usize = 60_000;

/// Hands back what the host said, if that is an error. `from` is where its payload begins.
pub(super) fn pass_on(from: usize) -> String {
    format!(
        "(if (i32.load8_u (i32.const {RESULT})) (then
            (memory.copy (i32.const {to}) (i32.const {from}) (i32.const 12))
            (return (i32.const {RESULT}))))\n",
        to = RESULT + 4,
        from = RESULT + from,
    )
}

/// What a component has in its memory when it begins.
#[derive(Debug, Default)]
pub(super) struct Memory(pub(super) Vec<u8>);

impl Memory {
    /// Puts bytes where numbers of eight bytes may lie; gives their place.
    pub(super) fn put(&mut self, bytes: &[u8]) -> u32 {
        self.0.resize(self.0.len().next_multiple_of(8), 0);
        let place = DATA + self.0.len();
        self.0.extend_from_slice(bytes);
        assert!(DATA + self.0.len() <= RESULT, "too much data");
        u32::try_from(place).unwrap()
    }

    /// A list or string: place and length.
    pub(super) fn list(&mut self, length: usize, bytes: &[u8]) -> [u32; 2] {
        [self.put(bytes), u32::try_from(length).unwrap()]
    }

    pub(super) fn bytes(&mut self, bytes: &[u8]) -> [u32; 2] {
        self.list(bytes.len(), bytes)
    }

    pub(super) fn option(&mut self, text: Option<&String>) -> [u32; 3] {
        let [place, length] = text.map_or([0, 0], |text| self.bytes(text.as_bytes()));
        [u32::from(text.is_some()), place, length]
    }

    /// A list of records of these bytes each.
    pub(super) fn records(&mut self, records: &[Vec<u8>]) -> [u32; 2] {
        self.list(records.len(), &records.concat())
    }

    pub(super) fn pairs<'a>(&mut self, pairs: impl Iterator<Item = (&'a String, &'a String)>) -> [u32; 2] {
        let records: Vec<_> = pairs
            .map(|(name, value)| words(&[self.bytes(name.as_bytes()), self.bytes(value.as_bytes())].concat()))
            .collect();
        self.records(&records)
    }

    /// 80 bytes.
    pub(super) fn descriptor(&mut self, descriptor: &Descriptor) -> Vec<u8> {
        let digest = descriptor.digest.to_string();
        let mut record =
            words(&[self.bytes(descriptor.media_type.as_bytes()), self.bytes(digest.as_bytes())].concat());
        record.extend(descriptor.size.to_le_bytes());
        record.extend(words(&self.option(descriptor.artifact_type.as_ref())));
        let platform = match &descriptor.platform {
            None => vec![0; 8],
            Some(platform) => [
                &[1][..],
                &self.bytes(platform.os.as_bytes()),
                &self.bytes(platform.architecture.as_bytes()),
                &self.option(platform.variant.as_ref()),
            ]
            .concat(),
        };
        record.extend(words(&platform));
        record.extend(words(&self.pairs(descriptor.annotations.iter())));
        record.extend([0; 4]);
        record
    }

    /// 88 bytes.
    pub(super) fn packed_layer(&mut self, layer: &PackedLayer) -> Vec<u8> {
        let diff_id = layer.diff_id.to_string();
        [self.descriptor(&layer.descriptor), words(&self.bytes(diff_id.as_bytes()))].concat()
    }

    /// 20 bytes.
    pub(super) fn public_key(&mut self, key: &PublicKey) -> Vec<u8> {
        let algorithm = match key.algorithm {
            seed_model::Algorithm::EcdsaP256Sha256 => 0,
            seed_model::Algorithm::Ed25519 => 1,
        };
        let ([name, length], [spki, size]) = (self.bytes(key.name.as_bytes()), self.bytes(&key.spki));
        words(&[name, length, algorithm, spki, size])
    }
}

/// Calls of `blobs.put`, one for each document.
pub(super) fn put_all(memory: &mut Memory, blobs: &[Vec<u8>]) -> String {
    let mut body = String::new();
    for blob in blobs {
        let [place, length] = memory.bytes(blob);
        writeln!(body, "(call $put (i32.const {place}) (i32.const {length}) (i32.const {RESULT}))").unwrap();
        body.push_str(&pass_on(4));
    }
    body
}
