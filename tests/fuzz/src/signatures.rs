//! Documents that carry signatures, and keys.

use seed_model::{Descriptor, PayloadFormat};
use seed_trust::dsse::{self, Envelope};
use seed_trust::{Bundle, PrivateKey, SignedImage, SimpleSigning, Statement, covers, public_key};

/// An envelope; and everything that may be signed or be in a key file.
pub(crate) fn dsse(bytes: &[u8]) {
    if let Ok(envelope) = Envelope::parse(bytes) {
        let pae = envelope.pae();
        assert_eq!(
            dsse::split_pae(&pae),
            Some((envelope.payload_type.as_str(), envelope.payload.as_slice()))
        );
        read_payload(&envelope.payload);
        read_payload(&pae);
    }
    read_payload(bytes);
    let _ = public_key::from_pem("key", bytes).map(|key| {
        let again = public_key::from_pem("key", public_key::to_pem(&key).as_bytes());
        assert_eq!(again.expect("what is written is read"), key);
    });
    // Not one that takes a password: opening it is slow by design.
    if !PrivateKey::is_encrypted(bytes) {
        let _ = PrivateKey::load(bytes, None).map(|key| key.sign(b"payload"));
    }
}

fn read_payload(payload: &[u8]) {
    let _ = Statement::parse(payload);
    let _ = SimpleSigning::parse(payload);
    let descriptor = Descriptor::of("application/vnd.oci.image.manifest.v1+json", b"{}");
    let image = SignedImage { descriptor: &descriptor, references: &[] };
    for format in [
        PayloadFormat::SimpleSigning,
        PayloadFormat::Dsse,
        PayloadFormat::SubjectDigest,
        PayloadFormat::SubjectBytes,
    ] {
        let _ = covers(format, payload, &image);
    }
}

/// A Sigstore bundle.
pub(crate) fn bundle(bytes: &[u8]) {
    if let Ok(bundle) = Bundle::parse(bytes) {
        read_payload(&bundle.envelope.payload);
    }
}
