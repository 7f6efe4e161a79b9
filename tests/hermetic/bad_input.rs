//! What users get wrong: each gives a clear error and its documented exit code, and nothing is written.

use seed_tests::{TestEnvironment, table};

const SIGN: &str = "\n[[sign]]\nplugin = \"builtin:cosign-signer\"\ngrants = { keys = [\"release\"] }\n\
    [keys.release]\ncosign = { file = \"cosign.key\", password = { env = \"COSIGN_PASSWORD\" } }\n";

/// A pin that no component has.
const PIN: &str = "plugin = \"builtin:oci-packer\"\nsha256 = \"0000000000000000000000000000000000000000000000000000000000000000\"";

/// The exit code, and what is changed in the directories example.
type Mistake = (i32, fn(&mut TestEnvironment));

/// Replaces text of the pipeline file.
fn change(environment: &TestEnvironment, from: &str, to: &str) {
    environment.replace("pipeline.toml", from, to);
}

const MISTAKES: [(&str, Mistake); 15] = [
    ("no pipeline", (2, |project| std::fs::remove_file(project.path("pipeline.toml")).unwrap())),
    ("a pipeline that is not text", (2, |project| project.write("pipeline.toml", b"schema = \xff"))),
    ("a pipeline that is not TOML", (2, |project| change(project, "schema = 1", "schema = "))),
    ("an unknown key", (2, |project| change(project, "[pack]\n", "[pack]\nplugins = \"x\"\n"))),
    ("a wrong type", (2, |project| change(project, "name = \"site\"", "name = 5"))),
    ("a newer pipeline", (2, |project| change(project, "schema = 1", "schema = 2"))),
    ("an unknown plugin", (4, |project| change(project, "builtin:oci-packer", "builtin:oci-paker"))),
    ("a plugin file that is missing", (4, |project| change(project, "builtin:oci-packer", "./packer.wasm"))),
    (
        "a plugin file that is no component",
        (4, |project| {
            change(project, "builtin:oci-packer", "./packer.wasm");
            project.write("packer.wasm", "hello");
        }),
    ),
    ("a pin that does not match", (5, |project| change(project, "plugin = \"builtin:oci-packer\"", PIN))),
    (
        "a configuration that the plugin refuses",
        (2, |project| change(project, "compression = \"gzip\"", "compression = \"lzma\"")),
    ),
    (
        "a directory that is missing",
        (3, |project| change(project, "library = \"library\"", "library = \"libary\"")),
    ),
    ("a key file that is missing", (6, |project| project.append("pipeline.toml", SIGN))),
    (
        "a key with a wrong password",
        (6, |project| {
            project.append("pipeline.toml", SIGN);
            project.make_key("cosign");
            project.set("COSIGN_PASSWORD", "wrong");
        }),
    ),
    (
        "a key that no one declared",
        (2, |project| project.append("pipeline.toml", &SIGN.replace("keys.release", "keys.other"))),
    ),
];

#[test]
fn what_users_get_wrong() {
    insta::assert_snapshot!(table(&MISTAKES, |(code, make)| {
        let mut environment = TestEnvironment::with_example("directories");
        make(&mut environment);
        environment.run_error(*code)
    }));
}

#[test]
fn two_publishers_with_one_path_do_not_replace_each_other() {
    let environment = TestEnvironment::with_example("directories");
    environment.append(
        "pipeline.toml",
        "\n[[publish]]\nplugin = \"builtin:oci-layout\"\nconfig = { path = \"./result\", tags = [\"v2\"] }\n",
    );
    insta::assert_snapshot!(environment.error(7, &["run", "--quiet"]), @"
    error[seed::stage::failed]: plugin `oci-layout` 0.1.0 ([HASH]) failed in `publish`: `result` would overwrite `[WORK]/result`, which this run has published; give each [[publish]] its own path
      --> pipeline.toml:28:10
       |
    27 | [[publish]]
    28 | plugin = \"builtin:oci-layout\"
       |          ^^^^^^^^^^^^^^^^^^^^ this plugin
    ");
    assert!(environment.read("result/index.json").contains("latest"), "the first stays");
}
