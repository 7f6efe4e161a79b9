//! One verdict on a document, whoever reads it.

use seed_model::{Descriptor, Digest, Platform};
use serde_json::{Value, json};

use crate::document::media_type::{CONFIG, DOCKER_MANIFEST, INDEX, MANIFEST};
use crate::document::{LENIENT, STRICT, identify, read_listing, stored_manifest};
use crate::inspect::{InspectOptions, inspect};
use crate::location::ContentLimits;
use crate::location::testing::{Fixture, location};
use crate::restore::BuildSeed;
use crate::store::BlobStore;
use crate::verify::verify_image;

const LAYER: &str = "application/vnd.oci.image.layer.v1.tar";

fn manifest() -> Value {
    json!({
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": Descriptor::of(CONFIG, b"{}"),
        "layers": [Descriptor::of(LAYER, b"layer")],
        "annotations": {"io.github.seed-oci.variant": "build"},
    })
}

fn index() -> Value {
    json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": [Descriptor::of(MANIFEST, b"{}")]})
}

fn changed(mut document: Value, change: impl FnOnce(&mut Value)) -> Vec<u8> {
    change(&mut document);
    document.to_string().into_bytes()
}

fn replaced(document: &Value, from: &str, to: &str) -> Vec<u8> {
    let text = document.to_string();
    assert!(text.contains(from), "{from} is not in {text}");
    text.replacen(from, to, 1).into_bytes()
}

/// Manifests, each with its name and its bytes.
fn manifests() -> Vec<(&'static str, Vec<u8>)> {
    let with = |change: fn(&mut Value)| changed(manifest(), change);
    vec![
        ("as it should be", with(|_| {})),
        ("no schemaVersion", with(|m| drop(m.as_object_mut().unwrap().remove("schemaVersion")))),
        ("schemaVersion 1", with(|m| m["schemaVersion"] = json!(1))),
        ("schemaVersion as text", with(|m| m["schemaVersion"] = json!("2"))),
        ("no mediaType", with(|m| drop(m.as_object_mut().unwrap().remove("mediaType")))),
        ("mediaType of an index", with(|m| m["mediaType"] = json!(INDEX))),
        ("mediaType of Docker", with(|m| m["mediaType"] = json!(DOCKER_MANIFEST))),
        ("an index too", with(|m| m["manifests"] = json!([]))),
        ("an index too, of null", with(|m| m["manifests"] = Value::Null)),
        ("no config", with(|m| drop(m.as_object_mut().unwrap().remove("config")))),
        ("no layers", with(|m| drop(m.as_object_mut().unwrap().remove("layers")))),
        ("layers of null", with(|m| m["layers"] = Value::Null)),
        ("a key twice", replaced(&manifest(), "\"layers\"", "\"layers\":[],\"layers\"")),
        ("a key twice, deep", replaced(&manifest(), "\"size\":5", "\"size\":5,\"size\":6")),
        ("a key twice, escaped", replaced(&manifest(), "\"layers\"", "\"l\\u0061yers\":[],\"layers\"")),
        ("a key in capitals", replaced(&manifest(), "\"layers\"", "\"Layers\":[],\"layers\"")),
        ("a key with a long s", with(|m| m["layer\u{17f}"] = json!([]))),
        ("another digest", with(|m| m["layers"][0]["digest"] = json!("sha512:00"))),
        ("a negative size", with(|m| m["layers"][0]["size"] = json!(-1))),
        ("half a byte", with(|m| m["layers"][0]["size"] = json!(0.5))),
        ("sizes that overflow", with(|m| m["layers"][0]["size"] = json!(u64::MAX))),
        ("sizes that overflow others", with(|m| m["layers"][0]["size"] = json!(i64::MAX))),
        ("the most layers", with(|m| m["layers"] = Value::Array(vec![m["layers"][0].clone(); 1000]))),
        ("too many layers", with(|m| m["layers"] = Value::Array(vec![m["layers"][0].clone(); 1001]))),
        ("something behind it", [manifest().to_string().as_bytes(), b"{}"].concat()),
        ("a byte order mark", ["\u{feff}".as_bytes(), manifest().to_string().as_bytes()].concat()),
        ("a list", b"[]".to_vec()),
        ("too large", [manifest().to_string().as_bytes(), &vec![b' '; 4 << 20]].concat()),
    ]
}

#[expect(clippy::needless_pass_by_value, reason = "the shape that `map_err` takes")]
fn reason(error: impl ToString) -> String {
    let text = error.to_string();
    let reason = text.strip_prefix("invalid ").and_then(|rest| rest.split_once(": "));
    reason.map_or(text.clone(), |(_, reason)| reason.to_owned())
}

#[test]
fn one_reader_decides_on_manifests() {
    let mut verdicts = Vec::new();
    for (name, bytes) in manifests() {
        let descriptor = Descriptor::of(MANIFEST, &bytes);
        let strict = STRICT.manifest(&descriptor, &bytes);
        let lenient = LENIENT.manifest(&descriptor, &bytes);
        let strict = strict.map_or_else(reason, |_| "good".to_owned());
        let lenient = lenient.map_or_else(reason, |_| "good".to_owned());
        verdicts.push(format!("{name}: {strict}"));
        if strict != lenient {
            verdicts.push(format!("{name}, leniently: {lenient}"));
        }
    }
    let docker = changed(manifest(), |m| m["mediaType"] = json!(DOCKER_MANIFEST));
    let descriptor = Descriptor::of(DOCKER_MANIFEST, &docker);
    verdicts.push(format!("of Docker: {}", reason(STRICT.manifest(&descriptor, &docker).unwrap_err())));
    LENIENT.manifest(&descriptor, &docker).unwrap();
    let bytes = manifest().to_string().into_bytes();
    let good = Descriptor::of(MANIFEST, &bytes);
    for (name, descriptor) in [
        ("another size", Descriptor { size: good.size + 1, ..good.clone() }),
        ("other bytes", Descriptor { digest: Digest::of(b""), ..good.clone() }),
        ("called an index", Descriptor { media_type: INDEX.to_owned(), ..good.clone() }),
        ("called something else", Descriptor { media_type: "text/plain\n".to_owned(), ..good.clone() }),
    ] {
        let error = reason(STRICT.document(&descriptor, &bytes).unwrap_err());
        assert_eq!(reason(LENIENT.document(&descriptor, &bytes).unwrap_err()), error);
        verdicts.push(format!("{name}: {error}"));
    }
    insta::assert_snapshot!(verdicts.join("\n"), @r#"
    as it should be: good
    no schemaVersion: it has no `schemaVersion`
    schemaVersion 1: its schemaVersion is 1, expected 2
    schemaVersion as text: invalid type: string "2", expected u64 at line 1 column 20
    no mediaType: it has no `mediaType`
    no mediaType, leniently: good
    mediaType of an index: its mediaType is `application/vnd.oci.image.index.v1+json`, expected `application/vnd.oci.image.manifest.v1+json`
    mediaType of Docker: its mediaType is `application/vnd.docker.distribution.manifest.v2+json`, expected `application/vnd.oci.image.manifest.v1+json`
    an index too: it has both `layers` and `manifests`
    an index too, of null: it has both `layers` and `manifests`
    no config: it has no `config`
    no layers: it has no `layers`
    layers of null: invalid type: null, expected a sequence at line 1 column 247
    a key twice: the key "layers" appears twice at line 1 column 254
    a key twice, deep: the key "size" appears twice at line 1 column 396
    a key twice, escaped: the key "layers" appears twice at line 1 column 259
    a key in capitals: it has the key "Layers", which some tools take for `layers`
    a key with a long s: it has the key "layerſ", which some tools take for `layers`
    another digest: `sha512:00` is not a digest: expected `sha256:` and 64 lower-case hexadecimal digits at line 1 column 318
    a negative size: invalid value: integer `-1`, expected u64 at line 1 column 390
    half a byte: invalid type: floating point `0.5`, expected u64 at line 1 column 391
    sizes that overflow: the sizes in it add up to more than 9223372036854775807 bytes
    sizes that overflow others: the sizes in it add up to more than 9223372036854775807 bytes
    the most layers: good
    too many layers: it has more than 1000 layers
    something behind it: trailing characters at line 1 column 446
    a byte order mark: expected value at line 1 column 1
    a list: invalid type: sequence, expected a map at line 1 column 0
    too large: it is larger than 4194304 bytes
    of Docker: its descriptor calls it `application/vnd.docker.distribution.manifest.v2+json`, not `application/vnd.oci.image.manifest.v1+json`
    another size: it has 445 bytes, expected 446
    other bytes: its content has the digest sha256:168806b36563516c27be25d07e9645bc307028c70b75c873b90d936b1700c1ab
    called an index: it has no `manifests`
    called something else: its descriptor calls it `text/plain\n`, not `application/vnd.oci.image.manifest.v1+json`
    "#);
}

#[test]
fn one_reader_decides_on_indexes() {
    let with = |change: fn(&mut Value)| changed(index(), change);
    let mut verdicts = Vec::new();
    for (name, bytes) in [
        ("as it should be", with(|_| {})),
        ("no schemaVersion", with(|i| drop(i.as_object_mut().unwrap().remove("schemaVersion")))),
        ("no mediaType", with(|i| drop(i.as_object_mut().unwrap().remove("mediaType")))),
        ("mediaType of a manifest", with(|i| i["mediaType"] = json!(MANIFEST))),
        ("a manifest too", with(|i| i["layers"] = json!([]))),
        ("a config", with(|i| i["config"] = json!({}))),
        ("no manifests", with(|i| drop(i.as_object_mut().unwrap().remove("manifests")))),
        ("a key twice, deep", replaced(&index(), "\"size\":2", "\"size\":2,\"size\":2")),
        ("the most", with(|i| i["manifests"] = Value::Array(vec![i["manifests"][0].clone(); 10_000]))),
        ("too many", with(|i| i["manifests"] = Value::Array(vec![i["manifests"][0].clone(); 10_001]))),
        ("sizes that overflow", with(|i| i["manifests"][0]["size"] = json!(u64::MAX))),
    ] {
        let descriptor = Descriptor::of(INDEX, &bytes);
        let good = |_| "good".to_owned();
        let strict = STRICT.index(&descriptor, &bytes).map_or_else(reason, |_| "good".to_owned());
        verdicts.push(format!("{name}: {strict}"));
        let lenient = LENIENT.index(&descriptor, &bytes).map_or_else(reason, |_| "good".to_owned());
        if strict != lenient {
            verdicts.push(format!("{name}, leniently: {lenient}"));
        }
        // Listings have no descriptor; otherwise they are read as other people's indexes.
        let listing = read_listing(&bytes).map_or_else(|reason| reason, good);
        assert_eq!(listing, lenient, "{name}");
    }
    insta::assert_snapshot!(verdicts.join("\n"), @r#"
    as it should be: good
    no schemaVersion: it has no `schemaVersion`
    no mediaType: it has no `mediaType`
    no mediaType, leniently: good
    mediaType of a manifest: its mediaType is `application/vnd.oci.image.manifest.v1+json`, expected `application/vnd.oci.image.index.v1+json`
    a manifest too: it has both `layers` and `manifests`
    a config: it is an image index and has `config`
    no manifests: it has no `manifests`
    a key twice, deep: the key "size" appears twice at line 1 column 242
    the most: good
    too many: it has more than 10000 entries
    sizes that overflow: the sizes in it add up to more than 9223372036854775807 bytes
    "#);
}

#[test]
fn what_a_registry_calls_a_document_must_be_what_it_is() {
    let identified = |document: &Value, content_type: &str| {
        identify(document.to_string().as_bytes(), content_type).map(|descriptor| descriptor.media_type)
    };
    assert_eq!(identified(&manifest(), MANIFEST).unwrap(), MANIFEST);
    assert_eq!(identified(&manifest(), "application/json").unwrap(), MANIFEST);
    insta::assert_snapshot!(identified(&manifest(), INDEX).unwrap_err(), @"its mediaType is `application/vnd.oci.image.manifest.v1+json`, but the registry calls it `application/vnd.oci.image.index.v1+json`");
    let mut bare = index();
    bare.as_object_mut().unwrap().remove("mediaType");
    assert_eq!(identified(&bare, "").unwrap(), INDEX);
    assert_eq!(identified(&bare, INDEX).unwrap(), INDEX);
}

/// What each command says about the same manifest; those for which an image is whole go on to other documents.
#[test]
fn every_command_gives_the_same_verdict() {
    let platform = Platform::of_system("x86_64-linux").unwrap();
    for (name, bytes) in manifests() {
        let descriptor = Descriptor::of(MANIFEST, &bytes);
        let mut fixture = Fixture::default();
        fixture.blobs.insert(descriptor.digest, bytes.clone());
        fixture.name("v1", &descriptor);
        let directory = tempfile::tempdir().unwrap();
        fixture.write_layout(&directory.path().join("layout"));
        let location = location(&format!("{}:v1", directory.path().join("layout").display()));
        let store = BlobStore::open(&directory.path().join("store")).unwrap();
        store.put(&bytes).unwrap();

        let strict = STRICT.manifest(&descriptor, &bytes);
        let lenient = LENIENT.manifest(&descriptor, &bytes);
        let looked = inspect(location.as_ref(), &InspectOptions::default()).map(drop).map_err(reason);
        let verified = verify_image(location.as_ref(), &ContentLimits::default()).map(drop).map_err(reason);
        let pulled = BuildSeed::open(location.as_ref(), &descriptor, &platform).map(drop).map_err(reason);
        // `exec`, `index`, `run` and what is published.
        let stored = stored_manifest(&store, &descriptor).map(drop).map_err(reason);
        if name == "too large" {
            assert!([looked, verified, pulled, stored].iter().all(Result::is_err));
            continue;
        }
        assert_eq!(stored, strict.as_ref().map(drop).map_err(reason), "{name}");
        match strict.map_err(reason) {
            Err(reason) => assert_eq!((verified.unwrap_err(), pulled.unwrap_err()), (reason.clone(), reason)),
            // The next document is missing.
            Ok(_) => assert!(verified.unwrap_err().contains("has no image") && pulled.is_err()),
        }
        match lenient.map_err(reason) {
            Err(reason) => assert_eq!(looked.unwrap_err(), reason, "{name}"),
            Ok(_) => assert!(looked.unwrap_err().contains("has no image"), "{name}"),
        }
    }
}

#[test]
fn what_is_strictly_good_is_leniently_good_and_the_same() {
    let bytes = manifest().to_string().into_bytes();
    for at in 0..bytes.len() {
        for byte in [None, Some(b'"'), Some(b'0'), Some(b'L'), Some(b','), Some(0xff)] {
            let mut bytes = bytes.clone();
            match byte {
                Some(byte) => bytes[at] = byte,
                None => drop(bytes.remove(at)),
            }
            let descriptor = Descriptor::of(MANIFEST, &bytes);
            let lenient = LENIENT.manifest(&descriptor, &bytes);
            if let Ok(manifest) = STRICT.manifest(&descriptor, &bytes) {
                assert_eq!(lenient.unwrap(), manifest);
                let value: Value = serde_json::from_slice(&bytes).unwrap();
                assert_eq!(value["layers"], json!(manifest.layers));
                assert_eq!(value["mediaType"], json!(MANIFEST));
            }
        }
    }
}
