//! Documents of images, and references to them.

use seed_model::Descriptor;
use seed_oci::document::media_type::{CONFIG, INDEX, MANIFEST};
use seed_oci::document::{LENIENT, ManifestOrIndex, STRICT, descriptor_of};
use seed_oci::inspect::{InspectOptions, inspect};
use seed_oci::location::{ContentLimits, Location as _, Reference, RegistryReference};
use seed_oci::verify::verify_image;
use serde_json::json;

use crate::memory::Memory;

/// An image manifest, and what looks at it.
pub(crate) fn manifest(bytes: &[u8]) {
    document(bytes, MANIFEST);
}

/// An image index, and what looks at it.
pub(crate) fn index(bytes: &[u8]) {
    document(bytes, INDEX);
}

fn document(bytes: &[u8], media_type: &str) {
    let descriptor = Descriptor::of(media_type, bytes);
    let lenient = LENIENT.document(&descriptor, bytes);
    if let Ok(strict) = STRICT.document(&descriptor, bytes) {
        let lenient = lenient.expect("what is strictly good is leniently good");
        match (strict, lenient) {
            (ManifestOrIndex::Manifest(one), ManifestOrIndex::Manifest(other)) => assert_eq!(one, other),
            (ManifestOrIndex::Index(one), ManifestOrIndex::Index(other)) => assert_eq!(one, other),
            (one, other) => panic!("{one:?} is {other:?}, leniently"),
        }
    }
    if let Ok(found) = descriptor_of(bytes) {
        assert_eq!((found.digest, found.size), (descriptor.digest, descriptor.size));
    }
    look(&Memory::of(media_type, bytes));
}

/// The configuration of an image without layers, and what looks at it.
pub(crate) fn config(bytes: &[u8]) {
    let config = Descriptor::of(CONFIG, bytes);
    let manifest = json!({"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": []});
    let mut image = Memory::of(MANIFEST, manifest.to_string().as_bytes());
    image.add(bytes);
    look(&image);
}

fn look(image: &Memory) {
    let whole = verify_image(image, &ContentLimits::default());
    let looked = inspect(image, &InspectOptions { largest: 0, limits: ContentLimits::default() });
    if let Ok(whole) = whole {
        assert_eq!(whole.digest, looked.expect("what is whole can be looked at").digest);
    }
    let _ = image.referrers(seed_model::Digest::of(b""));
}

/// A reference, as users and pipeline files write it.
pub(crate) fn reference(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if let Ok(reference) = text.parse::<RegistryReference>() {
        // What was left out is written, which may make it too long.
        let written = reference.to_string();
        assert!(written.len() > 1024 || written.parse() == Ok(reference), "{written}");
    }
    if let Ok(Reference::Path(path)) = text.parse::<Reference>() {
        let written = path.to_string();
        assert_eq!(written.parse::<Reference>().ok(), Some(Reference::Path(path)), "{written}");
    }
}
