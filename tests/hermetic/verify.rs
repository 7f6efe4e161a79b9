//! `seed verify`: what it accepts, and what nobody gets past it.

use std::fs;
use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use seed_model::{Descriptor, Digest};
use seed_tests::{Layout, TestEnvironment};
use seed_trust::{PrivateKey, dsse, public_key};
use serde_json::{Value, json};

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const BUNDLE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";
const SIGN: &str = "https://sigstore.dev/cosign/sign/v1";

/// The directories example, signed with the keys of these names and published as `result` and `site.tar`.
fn signed_with(keys: &[&str]) -> TestEnvironment {
    let environment = TestEnvironment::with_example("directories");
    for name in keys {
        environment.sign_with(name);
    }
    environment.run_json(&[]);
    environment
}

/// What a failed `seed verify` says.
#[track_caller]
fn error(environment: &TestEnvironment, args: &[&str], code: i32) -> String {
    environment.error(code, &[&["verify"], args].concat())
}

/// A layout that its attacker can write to.
struct Attacked(PathBuf);

impl Attacked {
    fn result(environment: &TestEnvironment) -> Self {
        Self(environment.path("result"))
    }

    fn index(&self) -> Value {
        serde_json::from_slice(&fs::read(self.0.join("index.json")).unwrap()).unwrap()
    }

    fn change_index(&self, change: impl FnOnce(&mut Vec<Value>)) {
        let mut index = self.index();
        change(index["manifests"].as_array_mut().unwrap());
        fs::write(self.0.join("index.json"), index.to_string()).unwrap();
    }

    fn image(&self) -> Descriptor {
        serde_json::from_value(Layout::open(&self.0).images()[0].clone()).unwrap()
    }

    fn blob(&self, media_type: &str, bytes: &[u8]) -> Descriptor {
        let descriptor = Descriptor::of(media_type, bytes);
        fs::write(self.0.join("blobs/sha256").join(descriptor.digest.hex()), bytes).unwrap();
        descriptor
    }

    /// Removes all that is attached to the image.
    fn strip(&self) {
        let image = json!(self.image().digest);
        self.change_index(|manifests| manifests.retain(|manifest| manifest["digest"] == image));
    }

    /// Attaches a bundle in which `key` says `predicate_type` about `about`.
    fn attach(&self, key: &PrivateKey, predicate_type: &str, about: &Digest) {
        let statement = json!({
            "_type": "https://in-toto.io/Statement/v1",
            "subject": [{"digest": {"sha256": about.hex()}}],
            "predicateType": predicate_type,
            "predicate": {},
        });
        let payload = statement.to_string();
        let signature = key.sign(&dsse::pae("application/vnd.in-toto+json", payload.as_bytes()));
        let bundle = json!({
            "mediaType": BUNDLE,
            "verificationMaterial": {"publicKey": {"hint": public_key::hint(&key.public("k"))}},
            "dsseEnvelope": {
                "payload": STANDARD.encode(payload),
                "payloadType": "application/vnd.in-toto+json",
                "signatures": [{"sig": STANDARD.encode(signature)}],
            },
        });
        self.attach_layer(BUNDLE, bundle.to_string().as_bytes());
    }

    fn attach_layer(&self, media_type: &str, bytes: &[u8]) {
        let subject = Descriptor { annotations: [].into(), ..self.image() };
        let (layer, config) =
            (self.blob(media_type, bytes), self.blob("application/vnd.oci.empty.v1+json", b"{}"));
        let manifest = json!({
            "schemaVersion": 2, "mediaType": MANIFEST, "artifactType": media_type,
            "config": config, "layers": [layer], "subject": subject,
        });
        let mut manifest = self.blob(MANIFEST, manifest.to_string().as_bytes());
        manifest.artifact_type = Some(media_type.to_owned());
        self.change_index(|manifests| manifests.push(json!(manifest)));
    }
}

#[test]
fn what_seed_signs_is_verified_in_a_directory_and_in_an_archive() {
    let environment = signed_with(&["release"]);
    let verified = environment.seed(&["verify", "result", "--key", "release.pub"]).ok();
    insta::assert_snapshot!(environment.redact(&verified.stdout), @"
    result  sha256:[HASH]  verified

    Complete
      linux/amd64  3 layers, 952 B: verified digests, sizes and diff IDs

    Signed with
      release.pub  sha256:[HASH]…  cosign signature, Sigstore bundle
    ");
    let digest = Attacked::result(&environment).image().digest;
    for reference in ["result:latest", "site.tar"] {
        let json = environment.seed(&["verify", reference, "--key", "release.pub", "--json"]).ok().json();
        assert_eq!(json["image"]["digest"], digest.to_string());
        assert_eq!(json["image"]["images"][0]["layers"].as_array().unwrap().len(), 3);
        let formats = json["keys"][0]["signatures"].as_array().unwrap().iter().map(|one| &one["format"]);
        assert_eq!(formats.collect::<Vec<_>>(), ["simple-signing", "dsse"]);
        assert_eq!(json["not-counted"], json!([]));
    }
}

#[test]
fn each_key_must_have_signed() {
    let environment = signed_with(&["first", "second"]);
    let both = ["verify", "result", "--key", "first.pub", "--key", "second.pub", "--json"];
    assert_eq!(environment.seed(&both).ok().json()["keys"].as_array().unwrap().len(), 2);
    // Others' signatures do not matter.
    environment.seed(&["verify", "result", "--key", "second.pub"]).ok();
    environment.make_key("other");
    insta::assert_snapshot!(error(&environment, &["result", "--key", "first.pub", "--key", "other.pub"], 6), @"
    error[seed::verify::unsigned]: sha256:[HASH] is not signed with other.pub
      not counted: sha256:[HASH]: none of the given keys made it
      not counted: sha256:[HASH]: none of the given keys made it
      help: do not use the image: it is complete, but the owner of the key has not signed it
    ");
    Attacked::result(&environment).strip();
    insta::assert_snapshot!(error(&environment, &["result", "--key", "first.pub", "--key", "other.pub"], 6), @"
    error[seed::verify::unsigned]: sha256:[HASH] is not signed with first.pub, nor with other.pub; it has no signatures
      help: do not use the image: it is complete, but the owner of the key has not signed it
    ");
}

/// The same P-256 key with its point compressed.
fn compressed(pem: &str) -> String {
    let body: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    let der = STANDARD.decode(body).unwrap();
    let (head, point) = der.split_at(der.len() - 65);
    let parity = 2 + (point[64] & 1);
    // The lengths of the whole and of the bit string shrink by 32.
    let mut short = [head, &[parity], &point[1..33]].concat();
    short[1] -= 32;
    short[head.len() - 2] -= 32;
    let body = STANDARD.encode(short);
    let (first, second) = body.split_at(64);
    format!("-----BEGIN PUBLIC KEY-----\n{first}\n{second}\n-----END PUBLIC KEY-----\n")
}

#[test]
fn a_key_counts_once_and_must_be_one() {
    let environment = signed_with(&["release"]);
    environment.write("copy.pub", environment.read("release.pub").replace('\n', "\r\n"));
    insta::assert_snapshot!(error(&environment, &["result", "--key", "release.pub", "--key", "copy.pub"], 2), @"
    error[seed::verify::same-key]: release.pub and copy.pub hold the same key
      help: leave one out, or name the other signer's key: each key counts once
    ");
    environment.write("short.pub", compressed(&environment.read("release.pub")));
    assert_eq!(environment.seed(&["verify", "result", "--key", "short.pub"]).ok().code, Some(0));
    let twice = error(&environment, &["result", "--key", "release.pub", "--key", "short.pub"], 2);
    assert!(twice.starts_with("error[seed::verify::same-key]"), "{twice}");
    insta::assert_snapshot!(error(&environment, &["result", "--key", "release.key"], 2), @"
    error[seed::verify::key]: release.key is not a public key: the file does not contain a PEM `PUBLIC KEY`
      help: name the public key: `cosign.pub`, which cosign writes next to `cosign.key`
    ");
    insta::assert_snapshot!(error(&environment, &["result", "--key", "missing.pub"], 2), @"
    error[seed::verify::key]: cannot read the key file missing.pub
      cause: No such file or directory (os error 2)
      help: name the public key: `cosign.pub`, which cosign writes next to `cosign.key`
    ");
    insta::assert_snapshot!(error(&environment, &["nowhere", "--key", "release.pub"], 2), @"error[seed::verify::reference]: invalid image reference `nowhere`: `nowhere` does not exist; on Docker Hub, it is `docker.io/nowhere`");
}

#[test]
fn signatures_of_something_else_do_not_count() {
    let environment = signed_with(&["release"]);
    let key = PrivateKey::generate().unwrap();
    environment.write("signer.pub", public_key::to_pem(&key.public("signer")));
    let attacked = Attacked::result(&environment);
    let image = attacked.image().digest;
    let refused = || error(&environment, &["result", "--key", "signer.pub"], 6);

    // A true signature of another image, under this one.
    attacked.strip();
    attacked.attach(&key, SIGN, &Digest::of(b"another image"));
    insta::assert_snapshot!(refused(), @"
    error[seed::verify::unsigned]: sha256:[HASH] is not signed with signer.pub
      not counted: sha256:[HASH]: the payload's subject is sha256:[HASH], expected sha256:[HASH]
      help: do not use the image: it is complete, but the owner of the key has not signed it
    ");
    // Signed, but only to say something about the image: that its scan failed, for all we know.
    attacked.strip();
    attacked.attach(&key, "https://cosign.sigstore.dev/attestation/vuln/v1", &image);
    insta::assert_snapshot!(refused(), @"
    error[seed::verify::unsigned]: sha256:[HASH] is not signed with signer.pub
      not counted: sha256:[HASH]: its predicate type `https://cosign.sigstore.dev/attestation/vuln/v1` is not a signature of the image
      help: do not use the image: it is complete, but the owner of the key has not signed it
    ");
    // What cannot be read neither counts nor keeps a good signature from counting.
    attacked.strip();
    attacked.attach_layer(BUNDLE, br#"{"\u001b[2J\nerror: none, all is well": 1}"#);
    insta::assert_snapshot!(refused(), @r"
    error[seed::verify::unsigned]: sha256:[HASH] is not signed with signer.pub
      not counted: sha256:[HASH]: the bundle is not Sigstore bundle JSON: unknown field `\u{1b}[2J\nerror: none, all is well`, expected one of `mediaType`, `verificationMaterial`, `dsseEnvelope` at line 1 column 38
      help: do not use the image: it is complete, but the owner of the key has not signed it
    ");
    attacked.attach(&key, SIGN, &image);
    let verified = environment.seed(&["verify", "result", "--key", "signer.pub", "--json"]).ok().json();
    assert_eq!(verified["not-counted"].as_array().unwrap().len(), 1, "{verified:#}");
    assert_eq!(verified["keys"][0]["signatures"].as_array().unwrap().len(), 1);
    let shown = environment.seed(&["verify", "result", "--key", "signer.pub"]).ok().stdout;
    let last = shown.lines().last().unwrap();
    assert!(last.contains("unknown field `\\u{1b}[2J\\nerror: none, all is well`"), "{shown:?}");
}

#[test]
fn the_old_tag_of_another_image_does_not_count() {
    let (environment, other) = (signed_with(&["release"]), signed_with(&["release"]));
    other.write("apps/srv/www/index.html", "<p>another site");
    other.run_json(&[]);
    // The attacker has an image of their own, and moves the other's genuine signature to it.
    let (from, to) = (Attacked::result(&environment), Attacked::result(&other));
    to.strip();
    let tag = |image: &Descriptor| format!("sha256-{}.sig", image.digest.hex());
    let name = |manifest: &Value| manifest["annotations"]["org.opencontainers.image.ref.name"].clone();
    let genuine = from.index()["manifests"].as_array().unwrap().clone();
    let mut moved = genuine.into_iter().find(|manifest| name(manifest) == tag(&from.image())).unwrap();
    moved["annotations"]["org.opencontainers.image.ref.name"] = json!(tag(&to.image()));
    for blob in Layout::open(&from.0).blobs() {
        fs::copy(from.0.join("blobs/sha256").join(&blob), to.0.join("blobs/sha256").join(&blob)).unwrap();
    }
    to.change_index(|manifests| manifests.push(moved));
    other.write("release.pub", environment.read("release.pub"));
    insta::assert_snapshot!(error(&other, &["result:latest", "--key", "release.pub"], 6), @"
    error[seed::verify::unsigned]: sha256:[HASH] is not signed with release.pub
      not counted: sha256:[HASH]: the payload's subject is sha256:[HASH], expected sha256:[HASH]
      help: do not use the image: it is complete, but the owner of the key has not signed it
    ");
}

#[test]
fn an_image_that_is_not_whole_is_not_verified_whoever_signed_it() {
    let environment = signed_with(&["release"]);
    let attacked = Attacked::result(&environment);
    let manifest = Layout::open(&attacked.0).document(&json!(attacked.image()));
    let layer = manifest["layers"][1]["digest"].as_str().unwrap().strip_prefix("sha256:").unwrap().to_owned();
    let path = attacked.0.join("blobs/sha256").join(layer);
    let mut bytes = fs::read(&path).unwrap();
    bytes[30] ^= 1;
    fs::write(&path, &bytes).unwrap();
    let failed = error(&environment, &["result", "--key", "release.pub"], 1);
    assert!(failed.starts_with("error[seed::verify::image]: cannot verify `result`"), "{failed}");
}
