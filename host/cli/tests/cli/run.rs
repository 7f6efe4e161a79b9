//! A whole pipeline, from plain directories to an image, as the terminal shows it. Needs nothing but the binary.

use insta::{assert_snapshot, with_settings};
use seed_tests::TestEnvironment;

const PIPELINE: &str = r#"schema = 1

[source]
systems = ["x86_64-linux"]

[source.directories]
library = "library"
apps = "apps"

[seed]
name = "site"

[select]
config = { entrypoint = ["/bin/serve"] }

[[publish]]
plugin = "builtin:oci-layout"
config = { path = "result", archive = "site.tar" }
"#;

fn environment() -> TestEnvironment {
    let environment = TestEnvironment::new();
    environment.write("pipeline.toml", PIPELINE);
    environment.write("library/share/style.css", "body { margin: 0 }\n");
    environment.write("apps/srv/index.html", "<p>Hello</p>\n");
    environment
}

/// Durations vary, and so do the digests and sizes of components, which change with every build of the plugins.
fn assert_shown(name: &str, shown: &str) {
    let filters = vec![
        (r"\b\d+(\.\d)? m?s\b", "[TIME]"),
        (r"((?:standard-layers|oci-packer|oci-layout) .*)sha256:[0-9a-f]{12}…", "$1[COMPONENT]"),
    ];
    with_settings!({filters => filters}, { assert_snapshot!(name, shown) });
}

#[test]
fn a_plan_then_a_run_then_nothing_to_do() {
    let environment = environment();
    environment.forget_compiled_plugins();
    assert_shown("plan", &environment.show(&["plan", "--paths"]));
    assert_shown("first_run", &environment.show(&["run"]));
    assert_shown("second_run", &environment.show(&["run", "--locked"]));
    assert_shown("planned_again", &environment.show(&["plan"]));
    assert_shown("inspect", &environment.show(&["inspect", "result"]));
    assert_shown("quiet_run", &environment.show(&["run", "-q"]));
}

#[test]
fn one_changed_file_packs_one_layer() {
    let environment = environment();
    environment.seed(&["run"]);
    environment.write("apps/srv/index.html", "<p>Hello again</p>\n");
    assert_shown("after_a_change", &environment.show(&["run"]));
}

#[test]
fn what_is_printed_as_json_can_be_read() {
    let environment = environment();
    for (args, key) in [
        (&["plan", "--json"][..], "images"),
        (&["run", "--json"], "digest"),
        (&["inspect", "site.tar", "--json"], "image"),
        (&["plugin", "inspect", "builtin:oci-packer", "--json"], "config-schema"),
    ] {
        let document = environment.seed(args).ok().json();
        assert_eq!(document["schema"], 1, "{args:?}");
        assert!(document.get(key).is_some(), "{args:?} gives no `{key}`: {document}");
    }
}

#[test]
fn a_plugin_is_described() {
    let shown = environment().show(&["plugin", "inspect", "builtin:oci-packer"]);
    let filters =
        vec![(r"component sha256:[0-9a-f]{64}", "component [DIGEST]"), (r"size +\S+ KiB", "size [SIZE]")];
    with_settings!({filters => filters}, { assert_snapshot!("plugin_inspect", shown) });
}
