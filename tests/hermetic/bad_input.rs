//! What users get wrong: each gives a clear error and its documented exit code, and nothing is written.

use seed_tests::TestEnvironment;

/// The error that a run in this environment ends with.
#[track_caller]
fn error(environment: &TestEnvironment, code: i32) -> String {
    let failed = environment.seed(&["run", "--quiet"]).failed(code);
    assert_eq!(failed.stdout, "", "data belongs to success");
    assert!(!environment.work().join("result").exists(), "something was published");
    environment.redact(&failed.stderr)
}

/// The directories example with one change in its pipeline.
fn changed(from: &str, to: &str) -> TestEnvironment {
    let environment = TestEnvironment::with_example("directories");
    environment.replace("pipeline.toml", from, to);
    environment
}

/// The directories example with more at the end of its pipeline.
fn extended(more: &str) -> TestEnvironment {
    let environment = TestEnvironment::with_example("directories");
    let pipeline = environment.read("pipeline.toml");
    environment.write("pipeline.toml", pipeline + more);
    environment
}

#[test]
fn no_pipeline() {
    insta::assert_snapshot!(error(&TestEnvironment::new(), 2), @"
    error[seed::pipeline::not-found]: there is no pipeline file at pipeline.toml
      help: `seed init` writes one for the flake in this directory, or name another file: `seed run PATH`
    ");
}

#[test]
fn a_pipeline_that_is_not_text() {
    let environment = TestEnvironment::new();
    environment.write("pipeline.toml", b"schema = \xff");
    insta::assert_snapshot!(error(&environment, 2), @"
    error[seed::pipeline::not-text]: the pipeline file pipeline.toml is not UTF-8: byte 9 cannot be read
      help: TOML files are UTF-8 text
    ");
}

#[test]
fn a_pipeline_that_is_not_toml() {
    insta::assert_snapshot!(error(&changed("schema = 1", "schema = "), 2), @"
    error[seed::pipeline::syntax]: pipeline.toml: not valid TOML: string values must be quoted, expected literal string
     --> pipeline.toml:2:10
      |
    1 | # Plain directories to an image, without Nix: `seed run pipeline.toml` in this directory.
    2 | schema = 
      |          ^ here
    ");
}

#[test]
fn an_unknown_key() {
    insta::assert_snapshot!(error(&changed("[pack]\n", "[pack]\nplugins = \"x\"\n"), 2), @r#"
    error[seed::pipeline::unknown-key]: pipeline.toml: unknown key `plugins` in [pack]
      --> pipeline.toml:20:1
       |
    19 | [pack]
    20 | plugins = "x"
       | ^^^^^^^ not a key of this table
      help: did you mean `plugin`?
    "#);
}

#[test]
fn a_wrong_type() {
    insta::assert_snapshot!(error(&changed("name = \"site\"", "name = 5"), 2), @"
    error[seed::pipeline::wrong-type]: pipeline.toml: `name` must be a string, not an integer
      --> pipeline.toml:11:8
       |
    10 | [seed]
    11 | name = 5
       |        ^ expected a string
    ");
}

#[test]
fn a_newer_pipeline() {
    insta::assert_snapshot!(error(&changed("schema = 1", "schema = 2"), 2), @"
    error[seed::pipeline::schema]: pipeline.toml: this is a pipeline file of version 2; this `seed` reads version 1
     --> pipeline.toml:2:10
      |
    1 | # Plain directories to an image, without Nix: `seed run pipeline.toml` in this directory.
    2 | schema = 2
      |          ^ only 1 is known
      help: upgrade `seed`, or write the file in the older form
    ");
}

#[test]
fn an_unknown_plugin() {
    insta::assert_snapshot!(error(&changed("builtin:oci-packer", "builtin:oci-paker"), 4), @r#"
    error[seed::plugin::not-found]: the plugin `builtin:oci-paker` cannot be loaded
      --> pipeline.toml:20:10
       |
    19 | [pack]
    20 | plugin = "builtin:oci-paker"
       |          ^^^^^^^^^^^^^^^^^^^ named here
      cause: there is no builtin plugin `oci-paker`
      help: did you mean `oci-packer`?
    "#);
}

#[test]
fn a_plugin_file_that_is_missing() {
    insta::assert_snapshot!(error(&changed("builtin:oci-packer", "./packer.wasm"), 4), @r#"
    error[seed::plugin::not-found]: the plugin `./packer.wasm` cannot be loaded
      --> pipeline.toml:20:10
       |
    19 | [pack]
    20 | plugin = "./packer.wasm"
       |          ^^^^^^^^^^^^^^^ named here
      cause: the plugin file ./packer.wasm cannot be read
      cause: No such file or directory (os error 2)
      help: paths of plugins begin at the pipeline file; the file is the component that its build made
    "#);
}

#[test]
fn a_plugin_file_that_is_no_component() {
    let environment = changed("builtin:oci-packer", "./packer.wasm");
    environment.write("packer.wasm", "hello");
    insta::assert_snapshot!(error(&environment, 4), @r#"
    error[seed::plugin::refused]: the plugin `./packer.wasm` cannot be used: this is not a WebAssembly component: it does not begin with the WebAssembly header
      --> pipeline.toml:20:10
       |
    19 | [pack]
    20 | plugin = "./packer.wasm"
       |          ^^^^^^^^^^^^^^^ named here
      help: name the `.wasm` file of a component; an interrupted download looks like this
    "#);
}

#[test]
fn a_pin_that_does_not_match() {
    let pin = format!("plugin = \"builtin:oci-packer\"\nsha256 = \"{}\"", "0".repeat(64));
    insta::assert_snapshot!(error(&changed("plugin = \"builtin:oci-packer\"", &pin), 5), @r#"
    error[seed::plugin::pin]: `builtin:oci-packer` is not the component that is pinned
        pinned: sha256:0000000000000000000000000000000000000000000000000000000000000000
        found:  sha256:[HASH]
      --> pipeline.toml:21:10
       |
    20 | plugin = "builtin:oci-packer"
    21 | sha256 = "0000000000000000000000000000000000000000000000000000000000000000"
       |          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ pinned here
      help: if the change is meant, write the digest that was found; else find out who changed the component
    "#);
}

#[test]
fn a_configuration_that_the_plugin_refuses() {
    insta::assert_snapshot!(error(&changed("compression = \"gzip\"", "compression = \"lzma\""), 2), @r#"
    error[seed::config::invalid-value]: pipeline.toml: oci-packer 0.1.0 does not take this: "lzma" is not one of "gzip", "zstd" or "none"
      --> pipeline.toml:21:26
       |
    20 | plugin = "builtin:oci-packer"
    21 | config = { compression = "lzma" }
       |                          ^^^^^^ not taken by the plugin
      help: How layers are compressed. Docker without the containerd image store cannot read zstd.
    "#);
}

#[test]
fn a_directory_that_is_missing() {
    insta::assert_snapshot!(error(&changed("library = \"library\"", "library = \"libary\""), 3), @r#"
    error[seed::source::not-a-directory]: ./libary is not a directory
     --> pipeline.toml:7:11
      |
    6 | base = "base"
    7 | library = "libary"
      |           ^^^^^^^^ named here
      help: `[source.directories]` names directories, relative to the pipeline file; links are not followed
    "#);
}

const SIGN: &str = "\n[[sign]]\nplugin = \"builtin:cosign-signer\"\ngrants = { keys = [\"release\"] }\n\
    [keys.release]\ncosign = { file = \"cosign.key\", password = { env = \"COSIGN_PASSWORD\" } }\n";

#[test]
fn a_key_file_that_is_missing() {
    insta::assert_snapshot!(error(&extended(SIGN), 6), @r#"
    error[seed::keys::unreadable]: the key `release` cannot be read from ./cosign.key
      --> pipeline.toml:31:19
       |
    30 | [keys.release]
    31 | cosign = { file = "cosign.key", password = { env = "COSIGN_PASSWORD" }…
       |                   ^^^^^^^^^^^^ named here
      cause: No such file or directory (os error 2)
      help: paths begin at the pipeline file; `cosign generate-key-pair` makes `cosign.key` and `cosign.pub`
    "#);
}

#[test]
fn a_key_with_a_wrong_password() {
    let mut environment = extended(SIGN);
    environment.make_key("cosign");
    environment.set("COSIGN_PASSWORD", "wrong");
    insta::assert_snapshot!(error(&environment, 6), @r#"
    error[seed::keys::key]: the key `release` cannot be opened: the password does not open the key
      --> pipeline.toml:31:19
       |
    30 | [keys.release]
    31 | cosign = { file = "cosign.key", password = { env = "COSIGN_PASSWORD" }…
       |                   ^^^^^^^^^^^^ named here
      help: check the password; a file's last line break belongs to it unless it is removed
    "#);
}

#[test]
fn a_key_that_no_one_declared() {
    insta::assert_snapshot!(error(&extended(&SIGN.replace("keys.release", "keys.other")), 2), @r#"
    error[seed::pipeline::invalid-value]: pipeline.toml: there is no `release` in [keys]
      --> pipeline.toml:29:20
       |
    28 | plugin = "builtin:cosign-signer"
    29 | grants = { keys = ["release"] }
       |                    ^^^^^^^^^ here
      help: add:

            [keys.release]
            cosign = { file = "cosign.key" }
    "#);
}

#[test]
fn two_publishers_with_one_path_do_not_replace_each_other() {
    let environment = TestEnvironment::with_example("directories");
    let pipeline = environment.read("pipeline.toml");
    let again =
        "\n[[publish]]\nplugin = \"builtin:oci-layout\"\nconfig = { path = \"./result\", tags = [\"v2\"] }\n";
    environment.write("pipeline.toml", pipeline + again);
    let failed = environment.seed(&["run", "--quiet"]).failed(7);
    insta::assert_snapshot!(environment.redact(&failed.stderr), @"
    error[seed::stage::failed]: plugin `oci-layout` 0.1.0 ([HASH]) failed in `publish`: `result` would replace what this run has published to `[WORK]/result`; give each [[publish]] a path of its own
      --> pipeline.toml:28:10
       |
    27 | [[publish]]
    28 | plugin = \"builtin:oci-layout\"
       |          ^^^^^^^^^^^^^^^^^^^^ this plugin
    ");
    assert!(environment.read("result/index.json").contains("latest"), "the first stays");
}
