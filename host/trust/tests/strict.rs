//! Every form is read strictly, and every bound is where it is said to be.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests fail by panicking")]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use seed_model::{Algorithm, Attachment, Descriptor, Digest, Manifest, PayloadFormat, PublicKey};
use seed_tests::with_unknown_keys;
use seed_trust::dsse::{Envelope, MAX_ENVELOPE, MAX_SIGNATURES, pae};
use seed_trust::{
    Bundle, PrivateKey, SIMPLE_SIGNING_MEDIA_TYPE, SignedImage, SimpleSigning, Statement, check_artifact,
    covers, public_key, read_artifact, verify,
};
use serde_json::{Value, json};

macro_rules! fixture {
    ($path:literal) => {
        include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/", $path)).as_slice()
    };
}

fn bundle() -> Value {
    serde_json::from_slice(fixture!("cosign-3.1.1/bundle.json")).unwrap()
}

fn statement() -> Value {
    json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": "n", "digest": {"sha256": "00"}, "annotations": {"a": 1}}],
        "predicateType": "p",
        "predicate": {"q": {}},
    })
}

/// The JSON in a cosign key file.
fn sealed(file: &[u8]) -> Value {
    let text = std::str::from_utf8(file).unwrap();
    let body: String = text.lines().filter(|line| !line.starts_with("---")).collect();
    serde_json::from_slice(&STANDARD.decode(body).unwrap()).unwrap()
}

/// A cosign key file of this JSON.
fn key_file(sealed: &Value) -> String {
    let body = STANDARD.encode(sealed.to_string());
    let lines: Vec<_> = body.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    let label = "ENCRYPTED SIGSTORE PRIVATE KEY";
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

fn open(sealed: &Value, password: &str) -> Result<PrivateKey, String> {
    PrivateKey::load(key_file(sealed).as_bytes(), Some(password.as_bytes())).map_err(|e| e.to_string())
}

/// What a reader says of a document; nothing where it takes it.
type Read = fn(&[u8]) -> Option<String>;

#[test]
fn a_key_that_is_not_known_is_refused_in_every_object() {
    let forms: [(&str, Value, &[&str], Read); 5] = [
        ("bundle", bundle(), &[], |bytes| Bundle::parse(bytes).err().map(|e| e.to_string())),
        ("envelope", bundle()["dsseEnvelope"].clone(), &[], |bytes| {
            Envelope::parse(bytes).err().map(|e| e.to_string())
        }),
        (
            "simple signing",
            serde_json::from_slice(fixture!("cosign-2.5.0/simple-signing.json")).unwrap(),
            &["/optional"],
            |bytes| SimpleSigning::parse(bytes).err().map(|e| e.to_string()),
        ),
        ("statement", statement(), &["/predicate", "/subject/0/digest", "/subject/0/annotations"], |bytes| {
            Statement::parse(bytes).err().map(|e| e.to_string())
        }),
        ("key file", sealed(fixture!("cosign-3.1.1/cosign.key")), &[], |bytes| {
            open(&serde_json::from_slice(bytes).unwrap(), "").err()
        }),
    ];
    let mut objects = Vec::new();
    for (name, document, free, read) in forms {
        assert_eq!(read(document.to_string().as_bytes()), None, "{name}");
        for (pointer, variant) in with_unknown_keys(&document, free) {
            let refused = read(variant.to_string().as_bytes());
            let is_refused = refused.as_ref().is_some_and(|error| error.contains("unknown field `more`"));
            assert!(is_refused, "{name}{pointer}: {refused:?}");
            objects.push(format!("{name}{pointer}"));
        }
    }
    insta::assert_snapshot!(objects.join("\n"), @"
    bundle/verificationMaterial/publicKey
    bundle/verificationMaterial
    bundle/dsseEnvelope/signatures/0
    bundle/dsseEnvelope
    bundle
    envelope/signatures/0
    envelope
    simple signing/critical/identity
    simple signing/critical/image
    simple signing/critical
    simple signing
    statement/subject/0
    statement
    key file/kdf/params
    key file/kdf
    key file/cipher
    key file
    ");
}

#[test]
fn envelopes_end_at_their_bound() {
    let padded = |document: &Value, size: usize| {
        let mut text = document.to_string();
        text.push_str(&" ".repeat(size - text.len()));
        text.into_bytes()
    };
    let envelope = bundle()["dsseEnvelope"].clone();
    assert!(Envelope::parse(&padded(&envelope, MAX_ENVELOPE)).is_ok());
    insta::assert_snapshot!(Envelope::parse(&padded(&envelope, MAX_ENVELOPE + 1)).unwrap_err(), @"the envelope has 4194305 bytes, more than 4194304");
    assert!(Bundle::parse(&padded(&bundle(), MAX_ENVELOPE)).is_ok());
    insta::assert_snapshot!(Bundle::parse(&padded(&bundle(), MAX_ENVELOPE + 1)).unwrap_err(), @"the bundle has 4194305 bytes, more than 4194304");

    let signed = |count: usize| {
        let mut envelope = envelope.clone();
        envelope["signatures"] = vec![json!({"sig": "AA=="}); count].into();
        Envelope::parse(envelope.to_string().as_bytes()).map_err(|error| error.to_string())
    };
    assert_eq!(signed(MAX_SIGNATURES).unwrap().signatures.len(), 64);
    insta::assert_snapshot!(signed(MAX_SIGNATURES + 1).unwrap_err(), @"the envelope has 65 signatures, expected 1 to 64");

    let logged = |count: usize| {
        let mut bundle = bundle();
        bundle["verificationMaterial"]["tlogEntries"] = vec![json!({}); count].into();
        Bundle::parse(bundle.to_string().as_bytes()).map_err(|error| error.to_string())
    };
    assert_eq!(logged(32).unwrap().log_entries.len(), 32);
    insta::assert_snapshot!(logged(33).unwrap_err(), @"the bundle has 33 log entries, more than 32");
}

#[test]
fn a_hint_is_the_digest_of_a_key() {
    let hinted = |hint: &str| {
        let mut bundle = bundle();
        bundle["verificationMaterial"]["publicKey"]["hint"] = json!(hint);
        Bundle::parse(bundle.to_string().as_bytes()).map(|bundle| bundle.key_hint).map_err(|e| e.to_string())
    };
    assert_eq!(hinted("").unwrap(), "");
    assert_eq!(hinted(&STANDARD.encode([7; 32])).unwrap(), STANDARD.encode([7; 32]));
    for hint in [STANDARD.encode([7; 31]), STANDARD.encode([7; 33]), "!".repeat(43)] {
        assert_eq!(hinted(&hint).unwrap_err(), "the bundle's `hint` is not a base64-encoded SHA-256 hash");
    }
}

#[test]
fn statements_and_payloads_end_at_their_bounds() {
    let about = |count: usize| {
        let mut statement = statement();
        statement["subject"] = vec![json!({"digest": {}}); count].into();
        Statement::parse(statement.to_string().as_bytes()).map_err(|error| error.to_string())
    };
    assert_eq!(about(1024).unwrap().subject.len(), 1024);
    insta::assert_snapshot!(about(1025).unwrap_err(), @"the statement has 1025 subjects, expected 1 to 1024");

    let covered = |size: usize| {
        let payload = vec![0; size];
        let descriptor = Descriptor::of("x", &payload);
        let image = SignedImage { descriptor: &descriptor, references: &[] };
        covers(PayloadFormat::SubjectBytes, &payload, &image).map_err(|error| error.to_string())
    };
    covered(4 << 20).unwrap();
    insta::assert_snapshot!(covered((4 << 20) + 1).unwrap_err(), @"the payload has 4194305 bytes, more than 4194304");
}

#[test]
fn only_sha_256_names_a_subject() {
    let image = b"image";
    let descriptor = Descriptor::of("x", image);
    let hex = descriptor.digest.hex();
    let signed = SignedImage { descriptor: &descriptor, references: &[] };
    let cover = |digest: Value| {
        let mut statement = statement();
        statement["subject"][0]["digest"] = digest;
        let payload = pae("application/vnd.in-toto+json", statement.to_string().as_bytes());
        covers(PayloadFormat::Dsse, &payload, &signed).map_err(|error| error.to_string())
    };
    cover(json!({"sha256": hex})).unwrap();
    cover(json!({"sha512": "00", "sha256": hex})).unwrap();
    for digest in [json!({"sha512": hex}), json!({"SHA256": hex}), json!({"sha512_256": hex}), json!({})] {
        let error = cover(digest.clone()).unwrap_err();
        assert!(error.starts_with("the statement's subject has no `sha256` digest"), "{digest}: {error}");
    }
    for digest in [format!("sha512:{hex}"), format!("SHA256:{hex}"), hex.clone()] {
        let mut payload: Value =
            serde_json::from_slice(fixture!("cosign-2.5.0/simple-signing.json")).unwrap();
        payload["critical"]["image"]["docker-manifest-digest"] = json!(digest);
        let error =
            covers(PayloadFormat::SimpleSigning, payload.to_string().as_bytes(), &signed).unwrap_err();
        assert!(error.to_string().contains("is not a digest"), "{digest}: {error}");
        let text = covers(PayloadFormat::SubjectDigest, digest.as_bytes(), &signed).unwrap_err();
        assert!(text.to_string().starts_with("the payload is not the text"), "{digest}: {text}");
    }
}

/// A `.sig` manifest with layers of these sizes, whose content is zeros; gives how many of them were read, or the error.
fn read_layers(sizes: &[u64]) -> Result<usize, String> {
    let zeros = |size: u64| vec![0; usize::try_from(size).unwrap()];
    let layers = sizes.iter().map(|size| {
        let mut layer = Descriptor::of(SIMPLE_SIGNING_MEDIA_TYPE, &zeros(*size));
        layer.annotations.insert("dev.cosignproject.cosign/signature".to_owned(), "AA==".to_owned());
        layer
    });
    let config = Descriptor::of("x", b"{}");
    let manifest: Manifest = serde_json::from_value(json!({
        "config": config, "layers": layers.collect::<Vec<_>>(),
    }))
    .unwrap();
    let read = read_artifact(&manifest, &mut |_, size| Ok(zeros(size)));
    read.map(|claims| claims.unwrap().len()).map_err(|error| error.to_string())
}

#[test]
fn layers_of_signatures_end_at_their_bounds() {
    const MIB: u64 = 1 << 20;
    assert_eq!(read_layers(&[4 * MIB]), Ok(1));
    let error = read_layers(&[4 * MIB + 1]).unwrap_err();
    assert!(error.ends_with("has 4194305 bytes, more than the limit"), "{error}");
    assert_eq!(read_layers(&[4 * MIB; 16]), Ok(16));
    let error = read_layers(&[&[4 * MIB; 16][..], &[1]].concat()).unwrap_err();
    assert!(error.ends_with("has 1 bytes, more than the limit"), "{error}");
}

#[test]
fn key_files_end_at_their_bounds() {
    let padded = |file: &[u8], size: usize| [&vec![b'\n'; size - file.len()], file].concat();
    let private: &[u8] = fixture!("openssl/p256-pkcs8.pem");
    assert!(PrivateKey::load(&padded(private, 64 << 10), None).is_ok());
    let error = PrivateKey::load(&padded(private, (64 << 10) + 1), None).unwrap_err();
    assert_eq!(error.to_string(), "the key file has 65537 bytes, more than 65536");

    // Text may stand before the key.
    let public: &[u8] = fixture!("openssl/p256.pub");
    let padded = |size: usize| [&vec![b'x'; size - public.len() - 1], &b"\n"[..], public].concat();
    assert!(public_key::from_pem("k", &padded(64 << 10)).is_ok());
    assert!(public_key::from_pem("k", &padded((64 << 10) + 1)).is_err());
}

#[test]
fn scrypt_costs_what_cosign_lets_it_cost() {
    let good = sealed(fixture!("cosign-2.5.0/cosign.key"));
    let with = |name: &str, value: u64| {
        let mut sealed = good.clone();
        sealed["kdf"]["params"][name] = value.into();
        open(&sealed, "correct").err()
    };
    assert_eq!(with("N", 1 << 16), None);
    // Another cost gives another key.
    for cost in [1 << 15, 1 << 17] {
        assert_eq!(with("N", cost).unwrap(), "wrong password for the key");
    }
    for (name, value) in [
        ("N", 1 << 14),
        ("N", 1 << 18),
        ("N", (1 << 16) + 1),
        ("N", 0),
        ("r", 7),
        ("r", 9),
        ("p", 0),
        ("p", 2),
    ] {
        let error = with(name, value).unwrap();
        assert!(error.starts_with("the key requires scrypt with"), "{name}={value}: {error}");
    }
    for (pointer, error) in
        [("/kdf/name", "the key is encrypted with"), ("/cipher/name", "the key is encrypted with")]
    {
        let mut sealed = good.clone();
        *sealed.pointer_mut(pointer).unwrap() = json!("none");
        assert!(open(&sealed, "correct").unwrap_err().starts_with(error), "{pointer}");
    }
}

#[test]
fn salt_and_nonce_of_a_new_key_file_are_whole_and_fresh() {
    let key = PrivateKey::generate().unwrap();
    let files = [(); 2].map(|()| sealed(key.to_encrypted_pem(b"secret").unwrap().as_bytes()));
    for (pointer, length) in [("/kdf/salt", 32), ("/cipher/nonce", 24)] {
        let [first, second] = files.each_ref().map(|file| {
            let text = file.pointer(pointer).unwrap().as_str().unwrap();
            STANDARD.decode(text).unwrap()
        });
        assert_eq!(first.len(), length);
        assert_ne!(first, second);
        // A byte is zero once in 256: ten of them are a number that was not drawn.
        for bytes in [&first, &second] {
            let zeros: Vec<_> = bytes.iter().filter(|byte| **byte == 0).collect();
            assert!(zeros.len() < 10, "{pointer}: {bytes:?}");
        }
    }
    assert_eq!(files[0]["kdf"]["params"], json!({"N": 65536, "r": 8, "p": 1}));
    assert!(!format!("{key:?}").contains("0x"));
}

/// An Ed25519 key with this encoded point.
fn ed25519(point: [u8; 32]) -> PublicKey {
    let mut spki = b"\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00".to_vec();
    spki.extend_from_slice(&point);
    PublicKey { name: "k".to_owned(), algorithm: Algorithm::Ed25519, spki }
}

#[test]
fn keys_of_small_order_sign_nothing() {
    // The neutral element: with it as key and as R, and zero as S, the equation holds for every payload.
    let mut neutral = [0; 32];
    neutral[0] = 1;
    let signature = [neutral, [0; 32]].concat();
    for payload in [&b"payload"[..], b"another"] {
        let error = verify(&ed25519(neutral), payload, &signature).unwrap_err();
        assert_eq!(error.to_string(), "the signature is not by the key `k` over these bytes");
    }
}

#[test]
fn a_signature_has_one_spelling() {
    let payload = fixture!("openssl/payload.txt");
    let key = public_key::from_pem("k", fixture!("openssl/ed25519.pub")).unwrap();
    let good = fixture!("openssl/ed25519.sig");
    verify(&key, payload, good).unwrap();
    // The same number S, plus the order of the group.
    let order = [
        0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0,
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
    ];
    let mut other = good.to_vec();
    let mut carry = 0;
    for (byte, add) in other[32..].iter_mut().zip(order) {
        let sum = u16::from(*byte) + add + carry;
        *byte = u8::try_from(sum & 0xff).unwrap();
        carry = sum >> 8;
    }
    assert!(verify(&key, payload, &other).is_err());
    for length in [0, 63, 65] {
        let mut cut = good.to_vec();
        cut.resize(length, 0);
        assert_eq!(
            verify(&key, payload, &cut).unwrap_err().to_string(),
            "the signature is not a 64-byte Ed25519 signature"
        );
    }
    let key = public_key::from_pem("k", fixture!("openssl/p256.pub")).unwrap();
    let good = fixture!("openssl/p256.sig");
    verify(&key, payload, good).unwrap();
    let longer = [good, &[0]].concat();
    assert_eq!(
        verify(&key, payload, &longer).unwrap_err().to_string(),
        "the signature is not an ASN.1 DER ECDSA signature"
    );
    let other = ed25519([9; 32]);
    let mixed = PublicKey { algorithm: Algorithm::EcdsaP256Sha256, ..other };
    assert!(verify(&mixed, payload, good).unwrap_err().to_string().starts_with("the public key `k` is not"));
}

#[test]
fn a_document_counts_the_signatures_that_were_checked() {
    let payload = fixture!("cosign-2.5.0/simple-signing.json");
    let mut manifest: Manifest = serde_json::from_slice(fixture!("cosign-2.5.0/sig-manifest.json")).unwrap();
    manifest.layers.push(manifest.layers[0].clone());
    let subject = Descriptor::of("application/vnd.oci.image.manifest.v1+json", fixture!("subject.json"));
    let key = public_key::from_pem("release", fixture!("cosign-2.5.0/cosign.pub")).unwrap();
    let attachment = Attachment::AppendingTag(format!("sha256-{}.sig", subject.digest.hex()));
    let check = |keys: &[PublicKey]| {
        let image = SignedImage { descriptor: &subject, references: &[] };
        check_artifact(&manifest, &attachment, &image, keys, &mut |_, _| Ok(payload.to_vec()))
            .map_err(|error| error.to_string())
    };
    assert_eq!(check(&[ed25519([9; 32]), key]), Ok(Some(2)));
    assert!(check(&[]).unwrap_err().starts_with("a signature in the document is not by any of the keys"));
    assert_eq!(Digest::of(payload), manifest.layers[0].digest);
}
