//! Key files of real peers, and what must be refused.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests fail by panicking")]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use seed_model::Algorithm;
use seed_trust::{KeyError, PrivateKey, PublicKeyError, public_key, verify};

macro_rules! fixture {
    ($path:literal) => {
        include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/", $path))
    };
}

#[test]
fn keys_of_both_cosigns_open_and_match_their_public_halves() {
    let cases: [(&[u8], &[u8], &[u8]); 2] = [
        (fixture!("cosign-2.5.0/cosign.key"), b"correct", fixture!("cosign-2.5.0/cosign.pub")),
        (fixture!("cosign-3.1.1/cosign.key"), b"", fixture!("cosign-3.1.1/cosign.pub")),
    ];
    for (file, password, public) in cases {
        assert!(PrivateKey::is_encrypted(file));
        let key = PrivateKey::load(file, Some(password)).unwrap();
        assert_eq!(public_key::to_pem(&key.public("release")).as_bytes(), public);
        assert_eq!(public_key::from_pem("release", public).unwrap(), key.public("release"));
    }
}

#[test]
fn plain_keys_of_openssl_open_sign_and_verify() {
    let p256: &[u8] = fixture!("openssl/p256.pub");
    let ed25519: &[u8] = fixture!("openssl/ed25519.pub");
    let payload = fixture!("openssl/payload.txt");
    let cases: [(&[u8], &[u8], &[u8]); 3] = [
        (fixture!("openssl/p256-pkcs8.pem"), p256, fixture!("openssl/p256.sig")),
        (fixture!("openssl/p256-sec1.pem"), p256, fixture!("openssl/p256.sig")),
        (fixture!("openssl/ed25519-pkcs8.pem"), ed25519, fixture!("openssl/ed25519.sig")),
    ];
    for (file, public, signature) in cases {
        let key = PrivateKey::load(file, None).unwrap();
        let public = public_key::from_pem("k", public).unwrap();
        assert_eq!(key.public("k"), public);
        verify(&public, payload, signature).unwrap();
        verify(&public, payload, &key.sign(payload)).unwrap();
        assert_eq!(key.sign(payload), key.sign(payload), "signatures are deterministic");
        assert!(verify(&public, b"another payload", signature).is_err());
    }
    let after_parameters = PrivateKey::load(fixture!("openssl/p256-ecparam.pem"), None).unwrap();
    assert_eq!(after_parameters.public("k").algorithm, Algorithm::EcdsaP256Sha256);
}

/// The example of RFC 6979, appendix A.2.5: P-256 with SHA-256, message "sample".
#[test]
fn ecdsa_takes_the_nonce_of_rfc_6979() {
    let key = "c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721";
    let sec1 = hex::decode(format!("30310201010420{key}a00a06082a8648ce3d030107")).unwrap();
    let sec1 = pem("EC PRIVATE KEY", &sec1);
    let signature = PrivateKey::load(sec1.as_bytes(), None).unwrap().sign(b"sample");
    let r = "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716";
    assert!(hex::encode(signature).contains(r));
}

#[test]
fn a_generated_key_survives_its_encrypted_file() {
    let key = PrivateKey::generate().unwrap();
    let file = key.to_encrypted_pem(b"secret").unwrap();
    assert_eq!(PrivateKey::load(file.as_bytes(), Some(b"secret")).unwrap().public("k"), key.public("k"));
    assert!(matches!(PrivateKey::load(file.as_bytes(), Some(b"Secret")), Err(KeyError::Password)));
    assert_ne!(file, key.to_encrypted_pem(b"secret").unwrap(), "salt and nonce are fresh");
    assert_ne!(key.public("k"), PrivateKey::generate().unwrap().public("k"));
    assert_eq!(format!("{key:?}"), "PrivateKey(ECDSA P-256)");
}

/// An encrypted key file with this JSON as its body.
fn encrypted_file(body: &str) -> String {
    pem("ENCRYPTED SIGSTORE PRIVATE KEY", body.as_bytes())
}

fn pem(label: &str, body: &[u8]) -> String {
    let body = STANDARD.encode(body);
    let lines: Vec<_> = body.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

#[test]
fn bad_key_files_are_refused_with_the_reason() {
    let body = |n: &str, nonce: &str| {
        encrypted_file(&format!(
            r#"{{"kdf":{{"name":"scrypt","params":{{"N":{n},"r":8,"p":1}},"salt":"AAAA"}},"cipher":{{"name":"nacl/secretbox","nonce":"{nonce}"}},"ciphertext":"AAAA"}}"#
        ))
    };
    let good: &[u8] = fixture!("cosign-2.5.0/cosign.key");
    let good = std::str::from_utf8(good).unwrap();
    let cases = [
        ("wrong password", good.to_owned(), Some("wrong")),
        ("no password", good.to_owned(), None),
        ("truncated", good[..good.len() / 2].to_owned(), Some("correct")),
        ("scrypt for 128 GiB", body("1073741824", &"A".repeat(32)), Some("")),
        ("scrypt that is too cheap", body("1024", &"A".repeat(32)), Some("")),
        ("short nonce", body("65536", "AAAA"), Some("")),
        ("short ciphertext", body("32768", &"A".repeat(32)), Some("")),
        ("not JSON", encrypted_file("hello"), Some("")),
        ("P-384", String::from_utf8(fixture!("openssl/p384-pkcs8.pem").to_vec()).unwrap(), None),
        (
            "PKCS#8's own encryption",
            String::from_utf8(fixture!("openssl/p256-encrypted-pkcs8.pem").to_vec()).unwrap(),
            None,
        ),
        ("a public key", String::from_utf8(fixture!("openssl/p256.pub").to_vec()).unwrap(), None),
        ("no key at all", "hello".to_owned(), None),
        ("a large file", "x".repeat(70_000), None),
    ];
    let mut shown = Vec::new();
    for (name, file, password) in cases {
        let error = PrivateKey::load(file.as_bytes(), password.map(str::as_bytes)).unwrap_err();
        shown.push(format!("{name}: {error}"));
        shown.extend(error.help().map(|help| format!("    help: {help}")));
    }
    insta::assert_snapshot!(shown.join("\n"), @r#"
    wrong password: wrong password for the key
        help: check the password; a line break at the end of its file is part of it
    no password: the key is encrypted, but no password was given
        help: add where to read the password, such as `password = { env = "COSIGN_PASSWORD" }`; it may be empty
    truncated: malformed PEM: PEM error in pre-encapsulation boundary
    scrypt for 128 GiB: the key requires scrypt with N=1073741824, r=8, p=1; expected N=32768, 65536 or 131072, r=8, p=1
    scrypt that is too cheap: the key requires scrypt with N=1024, r=8, p=1; expected N=32768, 65536 or 131072, r=8, p=1
    short nonce: malformed encrypted key: cannot decode `cipher.nonce`
    short ciphertext: wrong password for the key
        help: check the password; a line break at the end of its file is part of it
    not JSON: malformed encrypted key: expected value at line 1 column 1
    P-384: the key's algorithm is 1.2.840.10045.2.1 with 1.3.132.0.34, expected ECDSA P-256 or Ed25519
        help: use a key from `cosign generate-key-pair`, or a P-256 or Ed25519 key in PKCS#8 PEM
    PKCS#8's own encryption: the file contains a `ENCRYPTED PRIVATE KEY`, which is not a supported kind of key
        help: use a key from `cosign generate-key-pair`, or a P-256 or Ed25519 key in PKCS#8 PEM
    a public key: the file contains a `PUBLIC KEY`, which is not a supported kind of key
        help: use a key from `cosign generate-key-pair`, or a P-256 or Ed25519 key in PKCS#8 PEM
    no key at all: the file does not contain a PEM private key
        help: run `cosign generate-key-pair`, and name the `cosign.key` file
    a large file: the key file has 70000 bytes, more than 65536
    "#);
}

#[test]
fn a_changed_encrypted_key_does_not_open() {
    let file: &[u8] = fixture!("cosign-3.1.1/cosign.key");
    let text = std::str::from_utf8(file).unwrap();
    let body: String = text.lines().filter(|line| !line.starts_with("---")).collect();
    let json = STANDARD.decode(body).unwrap();
    let json = String::from_utf8(json).unwrap();
    let at = json.find("ciphertext\":\"").unwrap() + 30;
    let other = if &json[at..=at] == "A" { "B" } else { "A" };
    let changed = format!("{}{other}{}", &json[..at], &json[at + 1..]);
    assert!(PrivateKey::load(encrypted_file(&json).as_bytes(), Some(b"")).is_ok());
    assert!(matches!(
        PrivateKey::load(encrypted_file(&changed).as_bytes(), Some(b"")),
        Err(KeyError::Password)
    ));
}

/// A `SubjectPublicKeyInfo` of this algorithm, in hexadecimal DER, and this key.
fn spki(algorithm: &str, key: &[u8]) -> String {
    let algorithm = hex::decode(algorithm).unwrap();
    let length = |bytes: usize| u8::try_from(bytes).unwrap();
    let bits = [&[0x03, length(key.len() + 1), 0], key].concat();
    let body = [algorithm, bits].concat();
    pem("PUBLIC KEY", &[&[0x30, length(body.len())], body.as_slice()].concat())
}

const P256: &str = "301306072a8648ce3d020106082a8648ce3d030107";
const ED25519: &str = "300506032b6570";

#[test]
fn a_key_is_one_signer_however_it_is_written() {
    let key = PrivateKey::load(fixture!("openssl/p256-pkcs8.pem"), None).unwrap();
    let expected = key.public("k");
    let point = &expected.spki[expected.spki.len() - 65..];
    let compressed = [&[2 + (point[64] & 1)], &point[1..33]].concat();
    let written = [
        String::from_utf8(fixture!("openssl/p256.pub").to_vec()).unwrap(),
        public_key::to_pem(&expected).replace('\n', "\r\n"),
        spki(P256, point),
        spki(P256, &compressed),
    ];
    for file in written {
        let read = public_key::from_pem("k", file.as_bytes()).unwrap();
        assert_eq!(read, expected, "{file}");
        assert_eq!(public_key::identity(&read), public_key::identity(&expected));
        verify(&read, b"payload", &key.sign(b"payload")).unwrap();
    }
    // A plugin hands keys over as it likes: their identity and hint are the same too.
    let der = [&hex::decode("3039").unwrap()[..], &hex::decode(P256).unwrap(), &[0x03, 34, 0], &compressed]
        .concat();
    let other = seed_model::PublicKey { name: "other".into(), spki: der, ..expected.clone() };
    assert_ne!(other.spki, expected.spki);
    assert_eq!(public_key::identity(&other), public_key::identity(&expected));
    assert_eq!(public_key::hint(&other), public_key::hint(&expected));
    let another = PrivateKey::generate().unwrap().public("k");
    assert_ne!(public_key::identity(&another), public_key::identity(&expected));
}

#[test]
fn keys_that_are_written_in_no_standard_way_are_refused() {
    let ed25519 = PrivateKey::load(fixture!("openssl/ed25519-pkcs8.pem"), None).unwrap().public("k");
    let point = &ed25519.spki[12..];
    assert_eq!(public_key::from_pem("k", spki(ED25519, point).as_bytes()).unwrap(), ed25519);
    let p256 = PrivateKey::generate().unwrap().public("k").spki;
    let p256 = &p256[p256.len() - 65..];
    let hybrid = [&[6 + (p256[64] & 1)], &p256[1..]].concat();
    let with_prime = |y: u8| {
        let mut bytes = [0xff; 32];
        bytes[0] = 0xed_u8.wrapping_add(y);
        bytes[31] = 0x7f;
        bytes
    };
    for (what, file) in [
        // RFC 5480 wants a named curve, RFC 8410 no parameters.
        ("no curve", spki("300906072a8648ce3d0201", p256)),
        ("a null curve", spki("300b06072a8648ce3d02010500", p256)),
        ("another curve", spki("301006072a8648ce3d020106052b81040022", p256)),
        ("null parameters", spki("300706032b65700500", point)),
        ("hybrid point", spki(P256, &hybrid)),
        ("the point at infinity", spki(P256, &[0])),
        ("a point off the curve", spki(P256, &[&[4], [1; 64].as_slice()].concat())),
        ("a short point", spki(ED25519, &point[1..])),
        // Of small order, with the coordinate y = 1, and that of y = 0 and y = 1 plus the prime.
        ("the neutral point", spki(ED25519, &[[1].as_slice(), &[0; 31]].concat())),
        ("zero plus the prime", spki(ED25519, &with_prime(0))),
        ("one plus the prime", spki(ED25519, &with_prime(1))),
    ] {
        let found = public_key::from_pem("k", file.as_bytes());
        assert!(matches!(found, Err(PublicKeyError::Unusable(_))), "{what}: {found:?}");
    }
}
