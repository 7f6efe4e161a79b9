//! Damage to the cache that nothing but its content tells of.

use std::fs::{self, FileTimes, OpenOptions};
use std::io::{Seek as _, SeekFrom, Write as _};
use std::path::PathBuf;

use seed_tests::{Fault, HostileRegistry, TestEnvironment};

/// The directories example, published to `address` and nowhere else.
fn published_to(address: &str) -> TestEnvironment {
    let environment = TestEnvironment::with_example("directories");
    let pipeline = environment.read("pipeline.toml");
    let (before, _) = pipeline.split_once("[[publish]]").unwrap();
    environment.write("pipeline.toml", before.trim_end().to_owned() + "\n");
    environment.publish_to(address, "org/app", "tags = [\"v1\"]");
    environment
}

/// Changes the last byte of a layer in the cache, and neither its size nor its time.
fn damage(environment: &TestEnvironment) {
    let mut blobs = fs::read_dir(environment.root().join("cache/blobs/sha256")).unwrap();
    let is_gzip = |path: &PathBuf| fs::read(path).unwrap().starts_with(&[0x1f, 0x8b]);
    let path = blobs.find_map(|blob| Some(blob.unwrap().path()).filter(is_gzip)).unwrap();
    let modified = fs::metadata(&path).unwrap().modified().unwrap();
    let last = *fs::read(&path).unwrap().last().unwrap();
    let mut file = OpenOptions::new().write(true).open(&path).unwrap();
    file.seek(SeekFrom::End(-1)).unwrap();
    file.write_all(&[!last]).unwrap();
    file.set_times(FileTimes::new().set_modified(modified)).unwrap();
}

#[test]
fn a_damaged_blob_is_not_sent_and_the_next_run_builds_it_anew() {
    // It keeps nothing, so that every run sends everything.
    let registry = HostileRegistry::start(Fault::None);
    let environment = published_to(registry.address());
    let summary = environment.run_json(&[]);
    damage(&environment);
    insta::assert_snapshot!(environment.error(1, &["run", "--quiet"]), @"
    error[seed::cache::failed]: the cache failed while plugin `registry-publisher` 0.1.0 ([HASH]) ran
      --> pipeline.toml:24:10
       |
    23 | [[publish]]
    24 | plugin = \"builtin:registry-publisher\"
       |          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^ this plugin
      cause: `[ROOT]/cache/blobs/sha256/[HASH]` is damaged: its content has the digest sha256:[HASH]
      help: run again to rebuild the damaged blob
    ");
    assert_eq!(environment.run_json(&[])["digest"], summary["digest"]);
}

#[test]
fn an_index_over_a_damaged_image_reads_it_anew_from_the_registry() {
    let environment = TestEnvironment::with_example("directories");
    environment.replace(
        "pipeline.toml",
        "[source.directories]",
        "[source]\nsystems = [\"x86_64-linux\", \"aarch64-linux\"]\n\n[source.directories]",
    );
    let record = |system: &str| {
        let file = format!("{system}.json");
        environment.run_json(&["--system", system, "--record", &file]);
        let record: serde_json::Value = serde_json::from_str(&environment.read(&file)).unwrap();
        record["manifest"]["digest"].as_str().unwrap().to_owned()
    };
    record("x86_64-linux");
    let manifest = record("aarch64-linux");
    let cache = environment.root().join("cache/blobs/sha256");
    let (served, blob) =
        (environment.root().join("served"), |digest: &str| digest.split_once(':').unwrap().1.to_owned());
    fs::create_dir(&served).unwrap();
    for file in fs::read_dir(&cache).unwrap().map(|file| file.unwrap()) {
        fs::copy(file.path(), served.join(file.file_name())).unwrap();
    }
    let registry = HostileRegistry::serving(served.clone());
    environment.publish_to(registry.address(), "org/app", "tags = [\"v1\"]");

    let document = fs::read(cache.join(blob(&manifest))).unwrap();
    let document: serde_json::Value = serde_json::from_slice(&document).unwrap();
    let config = document["config"]["digest"].as_str().unwrap();
    let layer = document["layers"][0]["digest"].as_str().unwrap();
    for digest in [config, &manifest, layer] {
        let good = fs::read(served.join(blob(digest))).unwrap();
        let mut damaged = good.clone();
        damaged[good.len() / 2] ^= 1;
        for damaged in [&damaged[..], &good[1..], b""] {
            fs::write(cache.join(blob(digest)), damaged).unwrap();
            environment.seed(&["index", "--quiet", "x86_64-linux.json", "aarch64-linux.json"]).ok();
            assert!(fs::read(cache.join(blob(digest))).unwrap() == good, "{digest}");
        }
        // Without the registry's copy there is nothing to heal it with.
        fs::write(cache.join(blob(digest)), damaged).unwrap();
        fs::rename(served.join(blob(digest)), served.join("aside")).unwrap();
        environment.seed(&["index", "--quiet", "x86_64-linux.json", "aarch64-linux.json"]).failed(7);
        fs::rename(served.join("aside"), served.join(blob(digest))).unwrap();
        fs::write(cache.join(blob(digest)), good).unwrap();
    }
}

#[test]
fn a_damaged_configuration_is_read_anew_from_where_the_image_was_published() {
    let mut environment = TestEnvironment::with_example("directories");
    let summary = environment.run_json(&[]);
    let digest = summary["images"][0]["digest"].as_str().unwrap();
    let blob = |digest: &str| {
        let (_, hex) = digest.split_once(':').unwrap();
        environment.root().join("cache/blobs/sha256").join(hex)
    };
    let manifest = fs::read(blob(digest)).unwrap();
    let config = serde_json::from_slice::<serde_json::Value>(&manifest).unwrap()["config"].clone();
    let (manifest_file, config_file) = (blob(digest), blob(config["digest"].as_str().unwrap()));
    // Without a container engine the command ends after it has read the image.
    environment.set("PATH", "/nonexistent");
    for file in [manifest_file, config_file] {
        let good = fs::read(&file).unwrap();
        let mut damaged = good.clone();
        damaged[good.len() / 2] ^= 1;
        fs::write(&file, damaged).unwrap();
        let failed = environment.seed(&["exec", "--quiet", "--", "true"]).failed(1);
        assert!(failed.stderr.contains("seed::exec::no-engine"), "{}", failed.stderr);
        assert!(fs::read(&file).unwrap() == good);
    }
}
