//! Packers that do not return what was planned. Each case is an honest packer but for one thing.

use std::fs;
use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use insta::assert_snapshot;
use seed_engine::RunOptions;
use seed_model::{Codec, Descriptor, Digest};
use seed_report::Kind;
use serde_json::{Value, json};

use crate::packer_case::{Case, GZIP, MANIFEST, pipeline};
use crate::support::Project;

const ACME: &str = "application/vnd.acme.layer.v1.erofs";

fn gzip(tar: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(tar).unwrap();
    encoder.finish().unwrap()
}

/// A tar with one file.
fn other_tar() -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_ustar();
    header.set_size(4);
    header.set_mode(0o755);
    builder.append_data(&mut header, "bin/site", &b"evil"[..]).unwrap();
    builder.into_inner().unwrap()
}

type Change = fn(&mut Case);

/// The messages of all cases, one line each.
fn refusals(cases: &[(&str, Change)]) -> String {
    let refused = |(name, change): &(&str, Change)| {
        let mut case = Case::new();
        change(&mut case);
        case.refused(name)
    };
    cases.iter().map(refused).collect::<Vec<_>>().join("\n")
}

#[test]
fn what_the_builtin_packer_returns_passes() {
    let (_, run) = Case::new().passes();
    assert_eq!(run.digest, Project::new(&pipeline("")).run(&RunOptions::default()).unwrap().digest);
}

#[test]
fn layers_are_those_of_the_plan() {
    let cases: [(&str, Change); 10] = [
        ("unread layers and one of its own", |case| {
            let tar = other_tar();
            case.jobs.clear();
            case.readers = vec![0, 1];
            case.own(0, GZIP, gzip(&tar), Digest::of(&tar));
            case.own(1, GZIP, gzip(&tar), Digest::of(&tar));
        }),
        ("one more layer", |case| {
            let tar = other_tar();
            case.layers.push(case.layers[0].clone());
            case.config["history"].as_array_mut().unwrap().push(json!({}));
            case.config["rootfs"]["diff_ids"].as_array_mut().unwrap().push(json!(""));
            case.own(2, GZIP, gzip(&tar), Digest::of(&tar));
        }),
        ("one layer twice", |case| {
            case.layers.push(case.layers[1].clone());
            let again = case.layers[1].diff_id;
            case.config["history"].as_array_mut().unwrap().push(json!({}));
            case.config["rootfs"]["diff_ids"].as_array_mut().unwrap().push(json!(again));
        }),
        ("one layer in both places", |case| {
            case.layers[0] = case.layers[1].clone();
            case.config["rootfs"]["diff_ids"][0] = json!(case.layers[1].diff_id);
        }),
        ("a layer less", |case| {
            case.layers.pop();
            case.config["history"].as_array_mut().unwrap().pop();
            case.config["rootfs"]["diff_ids"].as_array_mut().unwrap().pop();
        }),
        ("another order", |case| {
            case.layers.swap(0, 1);
            case.config["rootfs"]["diff_ids"].as_array_mut().unwrap().swap(0, 1);
        }),
        ("the diff ID of another tar", |case| {
            case.layers[0].diff_id = Digest::of(b"a lie");
            case.config["rootfs"]["diff_ids"][0] = json!(Digest::of(b"a lie"));
        }),
        ("another compression than the blob has", |case| {
            case.layers[0].descriptor.media_type = "application/vnd.oci.image.layer.v1.tar+zstd".to_owned();
        }),
        ("a layer of its own, with a changed file", |case| {
            let mut tar = case.tar(1);
            let at = tar.windows(5).position(|window| window == b"hello").unwrap();
            tar[at] = b'j';
            case.own(1, GZIP, gzip(&tar), Digest::of(&tar));
        }),
        ("a blob of no run", |case| {
            let blob = gzip(&case.tar(1));
            case.own(1, GZIP, blob, case.layers[1].diff_id);
            case.blobs.clear();
        }),
    ];
    assert_snapshot!(refusals(&cases));
}

#[test]
fn a_layer_of_its_own_with_the_planned_entries_passes() {
    let mut case = Case::new();
    let tar = case.tar(1);
    case.jobs.pop();
    case.readers = vec![1, 1];
    case.own(1, GZIP, gzip(&tar), Digest::of(&tar));
    let (_, run) = case.passes();
    let layers = &run.images[0].layers;
    assert_eq!(layers[1].layer.digest, case.layers[1].descriptor.digest);
    assert_eq!((layers[1].layer.name.as_str(), &layers[1].layer.unverified), ("apps", &None));
}

#[test]
fn a_packer_may_choose_between_codecs() {
    let mut case = Case::new();
    case.jobs.push((0, Codec::Zstd(3)));
    case.passes();
}

#[test]
fn a_format_that_cannot_be_read_needs_a_grant_and_is_named_everywhere() {
    let mut case = Case::new();
    case.own(1, ACME, b"an image of a file system".to_vec(), Digest::of(b"who knows"));
    case.descriptors[1]["annotations"]["com.acme.superblock"] = json!("17");
    let mut refusals = vec![case.refused("without a grant")];

    case.grants = format!("grants = {{ unverified-layers = [{ACME:?}] }}");
    refusals.push(case.refused("without the annotation"));
    case.manifest["annotations"]["io.github.seed-oci.unverified-layers"] = json!(ACME);
    let project = case.project();
    let record = project.path("record.json");
    let run = project.run(&RunOptions { record: Some(record.clone()), ..RunOptions::default() });
    let run = run.unwrap_or_else(|error| panic!("{}", project.rendered(&error).1));
    let layers = &run.images[0].layers;
    assert_eq!((&layers[0].layer.unverified, layers[1].layer.unverified.as_deref()), (&None, Some(ACME)));
    let record: Value = serde_json::from_slice(&fs::read(record).unwrap()).unwrap();
    assert_eq!(record["layers"][1]["unverified"], ACME);
    assert!(record["layers"][0].get("unverified").is_none());
    let lock = fs::read_to_string(project.path("seed.lock")).unwrap();
    assert!(lock.contains(&format!("unverified-layers {ACME}")), "{lock}");

    // `seed index` asks for the grant too.
    let index = project.index("record.json").unwrap();
    assert_eq!(index.images[0].layers[1].layer.unverified.as_deref(), Some(ACME));
    let granted = fs::read_to_string(project.path("pipeline.toml")).unwrap();
    project.write("pipeline.toml", granted.replace(&case.grants, ""));
    let (kind, text) = project.rendered(&project.index("record.json").unwrap_err());
    assert!(kind == Kind::Publish && text.contains("which [pack] does not grant"), "{text}");

    // What can be read is compared, whatever is granted.
    let tar = other_tar();
    case.own(0, GZIP, gzip(&tar), Digest::of(&tar));
    refusals.push(case.refused("with a grant for something else"));
    assert_snapshot!(refusals.join("\n"));
}

#[test]
fn the_configuration_is_the_planned_one() {
    let cases: [(&str, Change); 17] = [
        ("another entrypoint", |case| case.config["config"]["Entrypoint"] = json!(["/bin/evil"])),
        ("no entrypoint", |case| case.config["config"]["Entrypoint"] = Value::Null),
        ("a command", |case| case.config["config"]["Cmd"] = json!(["--evil"])),
        ("another variable", |case| case.config["config"]["Env"] = json!(["MODE=evil"])),
        ("another user", |case| case.config["config"]["User"] = json!("0")),
        ("a label", |case| case.config["config"]["Labels"] = json!({"a": "b"})),
        ("a volume", |case| case.config["config"]["Volumes"] = json!({"/": {}})),
        ("a health check", |case| case.config["config"]["Healthcheck"] = json!({"Test": ["CMD", "evil"]})),
        ("a trigger", |case| case.config["config"]["OnBuild"] = json!(["RUN evil"])),
        ("the same key for Go", |case| case.config["config"]["entrypoint"] = json!(["/bin/evil"])),
        ("another platform", |case| case.config["architecture"] = json!("arm64")),
        ("features of a platform", |case| case.config["os.features"] = json!(["win32k"])),
        ("another time", |case| case.config["created"] = json!("2038-01-01T00:00:00Z")),
        ("an author", |case| case.config["author"] = json!("somebody else")),
        ("a step without a layer", |case| {
            let step = json!({"created_by": "RUN evil", "empty_layer": true});
            case.config["history"].as_array_mut().unwrap().push(step);
        }),
        ("steps of other layers", |case| case.config["history"].as_array_mut().unwrap().swap(0, 1)),
        ("a comment", |case| case.config["history"][0]["comment"] = json!("checked by seed")),
    ];
    assert_snapshot!(refusals(&cases));
}

#[test]
fn the_manifest_says_what_was_planned() {
    let cases: [(&str, Change); 11] = [
        ("no annotation", |case| drop(case.manifest.as_object_mut().unwrap().remove("annotations"))),
        ("another annotation", |case| case.manifest["annotations"]["org.example.team"] = json!("evil")),
        ("one more annotation", |case| case.manifest["annotations"]["org.example.more"] = json!("a")),
        ("a subject", |case| {
            case.manifest["subject"] = json!(Descriptor::of(MANIFEST, b"an image of somebody"));
        }),
        ("a type of artifact", |case| case.manifest["artifactType"] = json!("application/vnd.acme")),
        ("a layer of another name", |case| {
            case.descriptors[0]["annotations"]["io.github.seed-oci.layer"] = json!("apps");
        }),
        ("a table of contents", |case| {
            case.descriptors[0]["annotations"]["io.github.containers.zstd-chunked.manifest-position"] =
                json!("1:2:3:1");
        }),
        ("a place for a layer", |case| case.descriptors[0]["urls"] = json!(["https://evil.example/"])),
        ("layers in another order", |case| {
            case.finish = |manifest| manifest["layers"].as_array_mut().unwrap().swap(0, 1);
        }),
        ("another configuration", |case| {
            case.finish = |manifest| manifest["config"]["digest"] = json!(Digest::of(b"{}"));
        }),
        ("an index", |case| case.finish = |manifest| manifest["manifests"] = json!([])),
    ];
    assert_snapshot!(refusals(&cases));
}

#[test]
fn words_of_the_history_and_no_history_are_the_packers_choice() {
    let mut case = Case::new();
    case.config["history"][0]["created_by"] = json!("acme packer");
    case.passes();
    case.config.as_object_mut().unwrap().remove("history");
    case.passes();
}

#[test]
fn descriptors_of_an_index_are_the_hosts() {
    // What a packer says of its manifest besides digest and size reaches nobody.
    let mut packer = Case::new().packer();
    packer
        .image
        .manifest
        .annotations
        .insert("org.opencontainers.image.ref.name".to_owned(), "evil".to_owned());
    packer.image.manifest.artifact_type = Some("application/vnd.acme".to_owned());
    let project = Project::new(&pipeline("plugin = \"./packer.wasm\""));
    project.write("packer.wasm", packer.build());
    project.run(&RunOptions::default()).unwrap();
    let index = fs::read_to_string(project.path("result/index.json")).unwrap();
    assert!(!index.contains("evil") && !index.contains("acme"), "{index}");
}
