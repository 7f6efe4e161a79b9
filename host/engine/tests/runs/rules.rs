//! Rules on what an image may hold, on directories.

use std::fs;

use insta::assert_snapshot;
use seed_engine::RunOptions;
use seed_report::Kind;

use crate::support::Project;

const PIPELINE: &str = r#"
schema = 1
[source]
systems = ["x86_64-linux"]
[source.directories]
base = "base"
apps = "site"
[[publish]]
plugin = "builtin:oci-layout"
config = { path = "result" }
[seed]
name = "site"
"#;

const GRANT: &str = "[legal]\napple-sdk = \"stays on our own Macs, see LEGAL-17\"\n";

/// A file that every SDK has.
const SDK_FILE: &str = "site/Developer/SDKs/MacOSX14.4.sdk/usr/include/stdio.h";

/// The error of a run with these rules, which publishes nothing; a plan fails with the same.
fn error(rules: &str, prepare: impl FnOnce(&Project)) -> String {
    error_of(&format!("{PIPELINE}{rules}"), prepare)
}

fn error_of(pipeline: &str, prepare: impl FnOnce(&Project)) -> String {
    let project = Project::new(pipeline);
    prepare(&project);
    let (kind, text) = project.rendered(&project.run(&RunOptions::default()).unwrap_err());
    assert_eq!(kind, Kind::Rule, "{text}");
    assert!(!project.path("result").exists());
    let (_, again) = project.rendered(&project.try_plan().unwrap_err());
    assert_eq!(again, text, "what was found is remembered");
    text
}

#[test]
fn too_large() {
    assert_snapshot!(error("max-size = \"200 B\"\n", |_| {}));
}

#[test]
fn forbidden_content() {
    let rules = "[seed.forbid]\ngroups = [\"compilers\", \"headers\"]\n";
    assert_snapshot!(error(rules, |project| {
        project.write("base/usr/include/stdio.h", "");
        project.write("site/usr/bin/x86_64-linux-gnu-gcc", "");
    }));
}

#[test]
fn apples_sdk_by_its_files() {
    let darwin = PIPELINE.replace("x86_64-linux", "aarch64-darwin");
    assert_snapshot!(error_of(&darwin, |project| project.write(SDK_FILE, "")));
}

#[test]
fn a_grant_is_told_and_recorded() {
    let project = Project::new(&format!("{PIPELINE}{GRANT}"));
    let without = project.run(&RunOptions::default()).unwrap();
    assert!(without.legal[0].paths.is_empty() && !annotations(&project, &without).contains("legal"));

    project.write(SDK_FILE, "");
    let run = project.run(&RunOptions::default()).unwrap();
    assert_eq!(
        run.legal[0].paths[0].found,
        "it contains `Developer/SDKs/MacOSX14.4.sdk/usr/include/stdio.h`"
    );
    assert!(
        annotations(&project, &run)
            .contains(r#""io.github.seed-oci.legal.apple-sdk":"stays on our own Macs, see LEGAL-17""#),
    );
    assert_eq!(project.plan().legal[0].paths.len(), 1);
}

/// The text of the image manifest.
fn annotations(project: &Project, run: &seed_engine::summary::RunSummary) -> String {
    fs::read_to_string(project.path(&format!("result/blobs/sha256/{}", run.digest.hex()))).unwrap()
}

#[test]
fn a_path_tells_why_it_is_there() {
    let project = Project::new(PIPELINE);
    let why = project.why("apps").unwrap();
    assert_eq!(why.images[0].paths[0].chain.to_string(), "apps → apps");
    let (kind, text) = project.rendered(&project.why("aps").unwrap_err());
    assert_eq!(kind, Kind::Usage);
    assert_snapshot!(text);
}
