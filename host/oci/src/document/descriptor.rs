//! Descriptors: bounds on what they name, and their form in messages.

use seed_model::Descriptor;

/// The largest sum of sizes. Most tools count in signed numbers of 64 bits.
const MAX_SIZE: u64 = i64::MAX as u64;

/// Checks that the sizes of `blobs` can be added up.
pub(super) fn check_sizes<'a>(blobs: impl IntoIterator<Item = &'a Descriptor>) -> Result<(), String> {
    let sum = blobs.into_iter().try_fold(0_u64, |sum, blob| sum.checked_add(blob.size));
    match sum {
        Some(sum) if sum <= MAX_SIZE => Ok(()),
        _ => Err(format!("the sizes in it add up to more than {MAX_SIZE} bytes")),
    }
}

/// Whether two descriptors name the same blob, as the same kind of content.
pub(super) fn same_blob(a: &Descriptor, b: &Descriptor) -> bool {
    (&a.media_type, a.digest, a.size) == (&b.media_type, b.digest, b.size)
}

/// A descriptor's blob in a message.
pub(super) fn shown(descriptor: &Descriptor) -> String {
    let Descriptor { media_type, digest, size, .. } = descriptor;
    format!("{digest} ({size} bytes, `{}`)", media_type.escape_debug())
}
