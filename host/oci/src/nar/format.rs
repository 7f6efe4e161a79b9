//! The bytes of a NAR: strings with their lengths, padded to eight bytes.

use std::convert::Infallible;

use seed_model::Hasher;

/// A string of a NAR: its length, its bytes, padding.
pub(crate) fn put_string<E>(text: &[u8], mut put: impl FnMut(&[u8]) -> Result<(), E>) -> Result<(), E> {
    let length = text.len() as u64;
    put(&length.to_le_bytes())?;
    put(text)?;
    put_padding(length, put)
}

/// Zeros up to the next multiple of eight.
pub(crate) fn put_padding<E>(length: u64, mut put: impl FnMut(&[u8]) -> Result<(), E>) -> Result<(), E> {
    let rest = usize::try_from(length % 8).expect("less than 8");
    if rest == 0 { Ok(()) } else { put(&[0; 8][rest..]) }
}

/// Hashes a NAR that is never stored.
#[derive(Default)]
pub(super) struct NarHash {
    pub(super) hasher: Hasher,
    pub(super) size: u64,
}

impl NarHash {
    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        self.hasher.update(bytes);
        self.size = self.size.saturating_add(bytes.len() as u64);
    }

    pub(super) fn padding(&mut self, length: u64) {
        let Ok(()) = put_padding::<Infallible>(length, |bytes| {
            self.bytes(bytes);
            Ok(())
        });
    }

    pub(super) fn string(&mut self, text: &[u8]) {
        let Ok(()) = put_string::<Infallible>(text, |bytes| {
            self.bytes(bytes);
            Ok(())
        });
    }

    pub(super) fn strings(&mut self, texts: &[&[u8]]) {
        for text in texts {
            self.string(text);
        }
    }
}
