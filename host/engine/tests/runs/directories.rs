//! Whole runs over plain directories, with the builtin plugins.

use std::fs;

use seed_engine::RunOptions;
use seed_engine::summary::{LockState, PlanSummary};

use crate::support::Project;

const PUBLISH: &str = r#"[[publish]]
plugin = "builtin:oci-layout"
config = { path = "result", archive = "site.tar" }
"#;

#[test]
fn a_second_run_packs_and_writes_nothing() {
    let project = Project::site(PUBLISH);
    let first = project.run(&RunOptions::default()).unwrap();
    assert_eq!(first.lock, LockState::Created);
    let image = &first.images[0];
    let names: Vec<_> = image.layers.iter().map(|layer| (layer.layer.name.as_str(), layer.cached)).collect();
    assert_eq!(names, [("base", false), ("apps", false)]);
    assert!(project.path("result/oci-layout").is_file());
    assert!(project.path("site.tar").is_file());

    let second = project.run(&RunOptions { locked: true, ..RunOptions::default() }).unwrap();
    assert_eq!(second.lock, LockState::Unchanged);
    assert_eq!(second.digest, first.digest);
    assert!(second.images[0].layers.iter().all(|layer| layer.cached));
    assert!(
        second.published.iter().all(|published| published.published.uploaded == 0),
        "{:?}",
        second.published
    );
}

#[test]
fn a_run_may_pack_without_its_key_and_publish_nothing() {
    let signed = "\n[[sign]]\nplugin = \"builtin:cosign-signer\"\ngrants = { keys = [\"release\"] }\n\
        [keys.release]\ncosign = { file = \"no-such.key\" }\n";
    let project = Project::site(&format!("{PUBLISH}{signed}"));
    let packed = project.run(&RunOptions { pack_only: true, ..RunOptions::default() }).unwrap();
    assert_eq!(packed.images[0].layers.len(), 2);
    assert!(packed.published.is_empty() && packed.signatures.is_empty() && packed.verify_with.is_empty());
    assert!(!project.path("result").exists());
    assert_eq!(packed.digest, Project::site(PUBLISH).run(&RunOptions::default()).unwrap().digest);
    project.run(&RunOptions::default()).unwrap_err();
}

#[test]
fn one_changed_file_changes_one_layer() {
    let project = Project::site(PUBLISH);
    let first = project.run(&RunOptions::default()).unwrap();
    project.write("site/srv/www/index.html", "<h1>changed</h1>\n");
    let second = project.run(&RunOptions::default()).unwrap();
    let cached: Vec<_> = second.images[0].layers.iter().map(|layer| layer.cached).collect();
    assert_eq!(cached, [true, false]);
    assert_ne!(second.digest, first.digest);
    assert_ne!(second.images[0].closure, first.images[0].closure);
}

#[test]
fn the_bytes_do_not_depend_on_the_place_or_the_cache() {
    let run = || Project::site(PUBLISH).run(&RunOptions::default()).unwrap().digest;
    assert_eq!(run(), run());
}

#[test]
fn several_systems_make_an_index() {
    let project = Project::site(PUBLISH);
    let systems = ["x86_64-linux", "aarch64-linux"].map(str::to_owned).to_vec();
    let run = project.run(&RunOptions { systems, ..RunOptions::default() }).unwrap();
    let names: Vec<_> = run.images.iter().map(|image| image.system.as_str()).collect();
    assert_eq!(names, ["aarch64-linux", "x86_64-linux"]);
    assert!(run.images.iter().all(|image| image.digest != run.digest));
    let index = fs::read(project.path(&format!("result/blobs/sha256/{}", run.digest.hex()))).unwrap();
    let index: serde_json::Value = serde_json::from_slice(&index).unwrap();
    assert_eq!(index["manifests"][1]["platform"]["architecture"], "arm64", "{index}");
}

#[test]
fn a_plan_tells_what_is_cached() {
    let project = Project::site(PUBLISH);
    let before = project.plan();
    assert!(before.images[0].layers.iter().all(|layer| layer.key.is_some() && !layer.cached));
    assert!(!project.path("seed.lock").exists() && !project.path("result").exists());
    project.run(&RunOptions::default()).unwrap();
    let after = project.plan();
    assert!(after.images[0].layers.iter().all(|layer| layer.cached));
    let keys = |plan: &PlanSummary| plan.images[0].layers.iter().map(|layer| layer.key).collect::<Vec<_>>();
    assert_eq!(keys(&before), keys(&after));
}

#[test]
fn damaged_caches_are_made_anew() {
    let project = Project::site(PUBLISH);
    let first = project.run(&RunOptions::default()).unwrap();
    for directory in ["blobs/sha256", "frames", "layers", "stages"] {
        for entry in fs::read_dir(project.path("cache").join(directory)).unwrap() {
            let path = entry.unwrap().path();
            if path.is_file() {
                fs::remove_file(&path).unwrap();
                fs::write(&path, "damaged").unwrap();
            }
        }
    }
    let second = project.run(&RunOptions::default()).unwrap();
    assert_eq!(second.digest, first.digest);
    assert!(second.images[0].layers.iter().all(|layer| !layer.cached));
}
