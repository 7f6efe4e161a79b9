//! Selectors that lose or hide something, or speak for the host; and what a selector may decide.

use std::fs;

use insta::assert_snapshot;
use seed_engine::RunOptions;
use seed_model::{Digest, Entry, EntryKind, ImageConfig, ImagePlan, Installable, Layer, OutputRequest, Part};
use seed_tests::scripted::ScriptedSelector;
use serde_json::Value;

use crate::support::Project;

const PLUGINS: &str = r#"[select]
plugin = "./selector.wasm"
[[publish]]
plugin = "builtin:oci-layout"
config = { path = "result" }
"#;

/// A selector with a layer for each directory. The closure is sorted: `apps`, then `base`.
fn selector() -> ScriptedSelector {
    let output = |layer: &str| OutputRequest {
        layer: layer.to_owned(),
        installables: vec![Installable { attribute: layer.to_owned(), part: Part::DefaultOutput }],
    };
    let layer = |name: &str, path| Layer { name: name.to_owned(), paths: vec![path], entries: Vec::new() };
    let plan = ImagePlan { layers: vec![layer("base", 1), layer("apps", 0)], ..ImagePlan::default() };
    ScriptedSelector { outputs: vec![output("base"), output("apps")], plan }
}

fn entry(path: &str, kind: EntryKind) -> Entry {
    Entry { path: path.to_owned(), kind, mode: 0o4755, uid: 7, gid: 8 }
}

fn project(change: impl FnOnce(&mut ScriptedSelector)) -> Project {
    let project = Project::site(PLUGINS);
    let mut selector = selector();
    change(&mut selector);
    project.write("selector.wasm", selector.build());
    project
}

type Change = fn(&mut ScriptedSelector);

#[test]
fn nothing_is_lost_or_hidden() {
    let cases: [(&str, Change); 12] = [
        ("nothing requested", |selector| selector.outputs.clear()),
        ("an unknown attribute", |selector| {
            selector.outputs[0].installables[0].attribute = "../../etc".to_owned();
        }),
        ("a path less", |selector| drop(selector.plan.layers.pop())),
        ("a path twice", |selector| selector.plan.layers[0].paths.push(0)),
        ("a path of nothing", |selector| selector.plan.layers[0].paths.push(9)),
        ("a file of a layer below", |selector| {
            let file = entry("/etc/motd", EntryKind::File(b"evil".to_vec()));
            selector.plan.layers[1].entries.push(file);
        }),
        ("a directory of a layer below", |selector| {
            let link = entry("/etc", EntryKind::Symlink("/tmp".to_owned()));
            selector.plan.layers[1].entries.push(link);
        }),
        ("a file of the same layer", |selector| {
            selector.plan.layers[0].entries.push(entry("/etc/motd", EntryKind::File(Vec::new())));
        }),
        ("a whiteout", |selector| {
            selector.plan.layers[1].entries.push(entry("/etc/.wh.motd", EntryKind::File(Vec::new())));
        }),
        ("a path that leads out", |selector| {
            selector.plan.layers[1].entries.push(entry("/../etc/motd", EntryKind::File(Vec::new())));
        }),
        ("a grant that nobody gave", |selector| {
            let name = "io.github.seed-oci.legal.apple-sdk".to_owned();
            selector.plan.annotations.insert(name, "all is well".to_owned());
        }),
        ("a malformed variable", |selector| selector.plan.config.env.push("NAME".to_owned())),
    ];
    let refused = |(name, change): &(&str, Change)| {
        let project = project(change);
        let Err(error) = project.run(&RunOptions::default()) else { panic!("{name}: it was published") };
        assert!(!project.path("result").exists(), "{name}");
        let component = Digest::of(&fs::read(project.path("selector.wasm")).unwrap());
        let text = project.rendered(&error).1.replace(&component.short(), "DIGEST");
        let line = text.lines().find(|line| line.contains("cause: ")).or(text.lines().next()).unwrap();
        format!("{name}: {}", line.rsplit_once("): ").map_or(line, |(_, reason)| reason).trim())
    };
    assert_snapshot!(cases.iter().map(refused).collect::<Vec<_>>().join("\n"));
}

#[test]
fn a_selector_decides_what_the_image_runs_and_may_add_files() {
    let project = project(|selector| {
        selector.plan.config = ImageConfig {
            entrypoint: vec!["/bin/own".to_owned()],
            env: vec!["A=b".to_owned()],
            user: Some("0".to_owned()),
            ..ImageConfig::default()
        };
        selector.plan.layers[1].entries.push(entry("/bin/own", EntryKind::File(b"own".to_vec())));
        selector.plan.annotations.insert("org.example".to_owned(), "x".to_owned());
    });
    let run = project.run(&RunOptions::default());
    let run = run.unwrap_or_else(|error| panic!("{}", project.rendered(&error).1));
    let document = |digest: Digest| -> Value {
        let path = project.path(&format!("result/blobs/sha256/{}", digest.hex()));
        serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
    };
    let manifest = document(run.digest);
    assert_eq!(manifest["annotations"]["org.example"], "x");
    let config = document(manifest["config"]["digest"].as_str().unwrap().parse().unwrap());
    assert_eq!(config["config"]["Entrypoint"], serde_json::json!(["/bin/own"]));
}
