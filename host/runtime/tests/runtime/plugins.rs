//! The default plugins, as they are shipped.

use std::fs;
use std::path::Path;

use insta::assert_snapshot;
use seed_model::{
    Attached, Attachment, Closure, Content, Descriptor, Digest, FileContent, ImagePlan, LayerRoots,
    PackRequest, PayloadFormat, PublishRequest, SelectionRequest, SignRequest, Stage, StorePath, SystemImage,
};
use seed_runtime::{Failure, Limits, inspect};

use crate::memory::Memory;
use crate::support::{load, nothing, pack_request, publication, selection, sign_request};

const PLUGINS: [(&str, Stage); 6] = [
    ("standard-layers", Stage::Select),
    ("musl-runtime", Stage::Select),
    ("oci-packer", Stage::Pack),
    ("cosign-signer", Stage::Sign),
    ("oci-layout", Stage::Publish),
    ("registry-publisher", Stage::Publish),
];

pub(crate) fn component(name: &str) -> Vec<u8> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../plugins/prebuilt");
    fs::read(directory.join(format!("{name}.wasm"))).unwrap()
}

#[test]
fn they_describe_themselves_and_import_nothing_but_the_contract() {
    for (name, stage) in PLUGINS {
        let component = component(name);
        let plugin = load(&component, stage);
        assert_eq!(plugin.description().name, name);
        let inspection = inspect(&component, &Limits::default()).unwrap();
        assert!(inspection.imports.iter().all(|import| import.starts_with("seed:pipeline/")), "{name}");
        assert_snapshot!(format!("imports_of_{name}"), inspection.imports.join("\n"));
    }
}

/// A closure of `number` paths, each of which refers to the `references` before it; the last is the root.
fn closure(number: u32, references: u32) -> Closure {
    let path = |i: u32| StorePath {
        store_path: format!("/nix/store/{i:032}-package-{i}"),
        nar_hash: Digest::of(&i.to_le_bytes()),
        nar_size: u64::from(i) * 1000,
        references: (i.saturating_sub(references)..i).collect(),
    };
    let root = LayerRoots { layer: "apps".to_owned(), roots: vec![number - 1] };
    Closure { paths: (0..number).map(path).collect(), outputs: vec![root] }
}

fn plan(request: &SelectionRequest, closure: &Closure) -> ImagePlan {
    load(&component("standard-layers"), Stage::Select).plan(&nothing(), request, closure).unwrap()
}

#[test]
fn a_plan_has_every_path_once_and_is_the_same_each_time() {
    let request = selection();
    let closure = closure(500, 8);
    let first = plan(&request, &closure);
    let mut paths: Vec<u32> = first.layers.iter().flat_map(|layer| layer.paths.clone()).collect();
    paths.sort_unstable();
    assert_eq!(paths, (0..500).collect::<Vec<_>>());
    assert_eq!(first, plan(&request, &closure));
}

/// One image through all four stages: what each returns is what the next one gets.
#[test]
fn an_image_goes_through_all_stages() {
    let memory = Memory::default();
    let (request, capabilities) = (selection(), memory.capabilities());
    let pack = PackRequest {
        config: r#"{"compression":"zstd","level":5}"#.to_owned(),
        ..pack_request(plan(&request, &closure(20, 2)))
    };
    let image = load(&component("oci-packer"), Stage::Pack).pack(&capabilities, &pack).unwrap();
    assert_eq!(image.layers.len(), pack.plan.layers.len());
    assert_eq!(memory.blob(image.layers[0].descriptor.digest), b"layer 0 as Zstd(5)");
    assert_eq!(memory.blob(image.manifest.digest).len() as u64, image.manifest.size);

    let signer = load(&component("cosign-signer"), Stage::Sign);
    let key = signer.describe_key(&capabilities, "{}", "release").unwrap();
    assert_eq!((key.name.as_str(), key.spki.as_slice()), ("release", &[1, 2, 3][..]));
    let sign = SignRequest { subject: image.manifest.clone(), ..sign_request() };
    let signatures = signer.sign(&capabilities, &sign).unwrap();
    for signature in &signatures.signatures {
        let expected = format!("release signed {}", Digest::of(&signature.payload)).into_bytes();
        assert_eq!(signature.signature, expected);
        assert!(matches!(signature.format, PayloadFormat::SimpleSigning | PayloadFormat::Dsse));
    }
    let tag = Attachment::AppendingTag(format!("sha256-{}.sig", image.manifest.digest.hex()));
    let attachments: Vec<&Attachment> =
        signatures.artifacts.iter().map(|artifact| &artifact.attachment).collect();
    assert_eq!(attachments, [&tag, &Attachment::Referrer]);

    let blobs: Vec<Descriptor> = [image.config.clone()]
        .into_iter()
        .chain(image.layers.iter().map(|layer| layer.descriptor.clone()))
        .collect();
    let attached = |artifact: &seed_model::Artifact| Attached {
        content: Content { manifest: artifact.manifest.clone(), blobs: Vec::new() },
        subject: image.manifest.digest,
        attachment: artifact.attachment.clone(),
    };
    let content = Content { manifest: image.manifest.clone(), blobs };
    let publish = PublishRequest {
        config: r#"{"path":"result"}"#.to_owned(),
        images: vec![SystemImage { system: request.system.clone(), content }],
        artifacts: signatures.artifacts.iter().map(attached).collect(),
        ..publication()
    };
    let publisher = load(&component("oci-layout"), Stage::Publish);
    assert_eq!(
        publisher.targets(&capabilities, &publish.config, &publish.name).unwrap(),
        Vec::<String>::new()
    );
    let places = publisher.publish(&capabilities, &publish).unwrap();
    assert_eq!(places.len(), 1);
    assert_eq!(places[0].digest, image.manifest.digest);
    let files = memory.files.lock().unwrap();
    assert!(files.iter().any(|file| file.content == FileContent::Blob(image.manifest.digest)));
}

#[test]
fn a_panic_reaches_the_user_with_its_place() {
    let root = LayerRoots { layer: "apps".to_owned(), roots: vec![7] };
    let closure = Closure { paths: Vec::new(), outputs: vec![root] };
    let plugin = load(&component("standard-layers"), Stage::Select);
    let error = plugin.plan(&nothing(), &selection(), &closure).unwrap_err();
    let Failure::Panic(Some(message)) = error.failure else { panic!("{error}") };
    assert!(message.starts_with("layering/src/assign.rs:"), "{message}");
    assert!(message.ends_with("index out of bounds: the len is 0 but the index is 7"), "{message}");
}
