//! Every problem of a pipeline file as the user sees it.

use std::fs;

use insta::assert_snapshot;

use crate::pipeline::{Pipeline, PipelineFileError, PluginReference, Source};
use crate::testing::{parse, rendered};
use seed_model::Part;

const REST: &str = "\n[seed]\nname = \"hello\"\n\n[[publish]]\nplugin = \"builtin:oci-layout\"\n";

/// The error for a file that is complete but for what `text` spoils.
fn error(text: &str) -> String {
    rendered(&parse(text).unwrap_err())
}

/// The error for `text` in front of a `[seed]` and a `[[publish]]`.
fn error_before_rest(text: &str) -> String {
    error(&format!("schema = 1\n{text}{REST}"))
}

#[test]
fn the_whole_form_is_read() {
    let pipeline = parse(
        r#"
        schema = 1
        [source]
        flake = "."
        systems = ["x86_64-linux", "aarch64-linux"]
        substitute = true
        evaluation-time = 90
        [layers]
        library = ["openssl^out"]
        base = ["bash", "coreutils"]
        [seed]
        variant = "build"
        name = "hello-world"
        created = "2024-02-29T00:00:00Z"
        [select]
        config = { max-layers = 64, links = { "/bin/sh" = "bash" } }
        [pack]
        plugin = "./packer.wasm"
        [[sign]]
        plugin = "oci://ghcr.io/acme/signer:1"
        sha256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        grants = { keys = ["release"], secrets = ["token"], http = ["https://acme.example"] }
        [[publish]]
        plugin = "builtin:oci-layout"
        config.path = "result"
        grants.write = ["out"]
        [keys.release]
        cosign = { file = "cosign.key", password = { env = "COSIGN_PASSWORD" } }
        [secrets.token]
        file = "token"
        [limits]
        memory = 1_000_000
        "#,
    )
    .unwrap();
    assert_eq!(pipeline.systems, ["aarch64-linux", "x86_64-linux"]);
    let Source::Flake(flake) = &pipeline.source else { panic!("{:?}", pipeline.source) };
    assert_eq!(flake.evaluation_time, Some(std::time::Duration::from_secs(90)));
    let layers: Vec<_> = flake.layers.iter().map(|layer| layer.layer.as_str()).collect();
    assert_eq!(layers, ["library", "base"], "in the order of the file");
    assert_eq!(flake.layers[0].installables[0].part, Part::Output("out".to_owned()));
    assert_eq!(*pipeline.select.reference.get_ref(), PluginReference::Builtin("standard-layers".to_owned()));
    assert_eq!(pipeline.select.config.value.to_string(), r#"{"links":{"/bin/sh":"bash"},"max-layers":64}"#);
    let link = pipeline.select.config.span("/links/~1bin~1sh").unwrap();
    assert_eq!(&pipeline.file.text[link], "\"bash\"");
    assert_eq!(pipeline.sign[0].grants.keys[0].get_ref(), "release");
    assert_eq!(*pipeline.limits["memory"].get_ref(), 1_000_000);
}

#[test]
fn the_smallest_file_has_defaults() {
    let pipeline = parse(&format!("schema = 1\n[source]\nflake = \".\"\n{REST}")).unwrap();
    let Source::Flake(flake) = &pipeline.source else { panic!("{:?}", pipeline.source) };
    assert_eq!(flake.attr.as_ref().unwrap().get_ref(), "seed");
    assert_eq!((flake.substitute, flake.evaluation_time), (false, None));
    assert_eq!(pipeline.systems, [seed_model::Platform::host_system()]);
    assert_eq!(pipeline.seed.created, "1970-01-01T00:00:01Z");
    assert_eq!(pipeline.pack.reference.get_ref().to_string(), "builtin:oci-packer");
    assert!(pipeline.sign.is_empty());
}

#[test]
fn a_closure_names_files_and_paths() {
    let path = "/nix/store/0c0ffee0c0ffee0c0ffee0c0ffee0c0f-seed";
    let closure = |section: &str| {
        let pipeline = parse(&format!("schema = 1\n[source.closure]\n{section}\n{REST}")).unwrap();
        let Source::Closure(closure) = pipeline.source else { panic!("{:?}", pipeline.source) };
        closure
    };
    let outputs = closure(&format!(
        "graph = \".attrs.json\"\noutputs = {{ base = \"{path}\", apps = \"{path}-apps\" }}"
    ));
    assert_eq!(outputs.graph[0].get_ref(), ".attrs.json");
    assert!(outputs.layers[1].split && outputs.layers[1].roots[0].get_ref().ends_with("-seed-apps"));
    let layers = closure(&format!("graph = [\"a\", \"b\"]\nlayers.models = [\"{path}\", \"{path}-apps\"]"));
    assert_eq!((layers.graph.len(), layers.layers[0].roots.len()), (2, 2));
    assert!(!layers.layers[0].split && layers.variables.is_empty());
    let variables =
        closure(&format!("graph = \"a\"\noutputs.base = \"{path}\"\nvariables = {{ commit = \"c0ffee\" }}"));
    assert_eq!(variables.variables["commit"], "c0ffee");
}

#[test]
fn an_empty_file_and_another_schema() {
    assert_snapshot!("schema_missing", error(""));
    assert_snapshot!("schema_newer", error("schema = 2\nwhatever = true\n"));
    assert_snapshot!("schema_wrong_type", error("schema = \"1\"\n"));
}

#[test]
fn all_that_is_missing_is_said_at_once() {
    assert_snapshot!(error("schema = 1\n"));
}

#[test]
fn broken_toml_shows_its_line() {
    assert_snapshot!(error("schema = 1\n\n[source\nflake = \".\"\n"));
}

#[test]
fn unknown_keys_suggest_near_names() {
    assert_snapshot!(
        "unknown_keys",
        error_before_rest("sources = 1\n[source]\nflake = \".\"\nsubstitutes = true\n")
    );
    assert_snapshot!("unknown_key_far", error_before_rest("[source]\nflake = \".\"\nzzz = 1\n"));
}

#[test]
fn wrong_types_show_their_line() {
    assert_snapshot!("wrong_type", error_before_rest("[source]\nflake = 1\nsystems = \"x86_64-linux\"\n"));
    assert_snapshot!(
        "wrong_item_type",
        error_before_rest("[source]\nflake = \".\"\n[layers]\nbase = [\"bash\", 7]\n")
    );
    assert_snapshot!(
        "table_for_array",
        error_before_rest("[source]\nflake = \".\"\n[sign]\nplugin = \"builtin:x\"\n")
    );
    assert_snapshot!("table_wanted", error_before_rest("source = \".\"\n"));
}

#[test]
fn impossible_sources() {
    assert_snapshot!(
        "systems",
        error_before_rest(
            "[source]\nflake = \".\"\nsystems = [\"amd64\", \"x86_64-linux\", \"x86_64-linux\"]\n"
        )
    );
    assert_snapshot!("no_system", error_before_rest("[source]\nflake = \".\"\nsystems = []\n"));
    assert_snapshot!(
        "attr_and_layers",
        error_before_rest("[source]\nflake = \".\"\nattr = \"x\"\n[layers]\nbase = [\"a\"]\n")
    );
    assert_snapshot!(
        "installables",
        error_before_rest(
            "[source]\nflake = \".\"\n[layers]\nbase = [\"a^b,c\", \"\", \"a b\"]\n\"a b\" = []\n"
        )
    );
    assert_snapshot!(
        "flake_and_directories",
        error_before_rest("[source]\nflake = \".\"\ndirectories = { apps = \"site\" }\n[layers]\n")
    );
    assert_snapshot!("no_directory", error_before_rest("[source.directories]\n"));
}

#[test]
fn impossible_closures() {
    assert_snapshot!("closure_is_no_table", error_before_rest("[source]\nclosure = \"graph\"\n"));
    assert_snapshot!("closure_empty", error_before_rest("[source.closure]\n"));
    assert_snapshot!(
        "closure_and_others",
        error_before_rest(
            "[source]\nflake = \".\"\nsystems = [\"x86_64-linux\", \"aarch64-linux\"]\n[source.closure]\ngraph = []\noutput = {}\n\
             outputs = { base = \"/nix/store/base\" }\nlayers = { apps = [\"/etc\"] }\n[layers]\n"
        )
    );
    assert_snapshot!(
        "closure_paths",
        error_before_rest(
            "[source]\nclosure = { graph = \"graph\", layers = { \"a b\" = [\"/etc/shadow\"], apps = \"x\" }, variables = { COMMIT = \"x\", commit = 7 } }\n"
        )
    );
    assert_snapshot!(
        "closure_output",
        error_before_rest(
            "[source.closure]\ngraph = 7\noutputs = { base = \"/nix/store/0c0ffee0c0ffee0c0ffee0c0ffee0c0f-seed-base/bin\" }\n"
        )
    );
}

#[test]
fn impossible_seeds() {
    let text = "schema = 1\n[source]\nflake = \".\"\n[[publish]]\nplugin = \"builtin:oci-layout\"\n[seed]\n";
    assert_snapshot!(
        "seed",
        error(&format!(
            "{text}name = \"ghcr.io/Hello\"\nvariant = \"run-time\"\ncreated = \"2023-02-29T00:00:00Z\"\n"
        ))
    );
    assert_snapshot!("seed_without_name", error(text));
}

#[test]
fn impossible_plugins() {
    let text = |section: &str| error_before_rest(&format!("[source]\nflake = \".\"\n{section}"));
    assert_snapshot!("plugin_missing", text("[[sign]]\nsha256 = \"abc\"\n"));
    assert_snapshot!("plugin_without_place", text("[pack]\nplugin = \"packer.wasm\"\n"));
    assert_snapshot!("config_is_no_table", text("[pack]\nconfig = \"gzip\"\n"));
    assert_snapshot!(
        "config_has_a_date",
        text("[pack]\nconfig = { when = 2024-01-01, huge = 0xFFFF_FFFF_FFFF_FFFF, no = nan }\n")
    );
    assert_snapshot!("grants_of_pure_stages", text("[select]\ngrants = { http = [\"https://a\"] }\n"));
    assert_snapshot!(
        "grants_of_layers",
        text(
            "[pack]\ngrants = { unverified-layers = [\"application/vnd.oci.image.layer.v1.tar+gzip\", \"acme\"], \
             http = [\"https://a\"] }\n"
        )
    );
    assert_snapshot!(
        "grants_unknown",
        text("[[sign]]\nplugin = \"builtin:cosign-signer\"\ngrants = { key = [\"a\"], write = [\"b\"] }\n")
    );
}

#[test]
fn granted_names_must_exist() {
    let sign = "[source]\nflake = \".\"\n[[sign]]\nplugin = \"builtin:cosign-signer\"\ngrants = { keys = [\"relase\"], secrets = [\"token\"] }\n";
    assert_snapshot!(error_before_rest(&format!(
        "{sign}[keys.release]\ncosign = {{ file = \"cosign.key\" }}\n"
    )));
}

#[test]
fn impossible_keys_secrets_and_limits() {
    assert_snapshot!(error_before_rest(
        "[source]\nflake = \".\"\n[keys.a]\n[keys.b]\ncosign = { password = \"hunter2\" }\n[secrets.c]\nvalue = \"x\"\n\
         [secrets.d]\nenv = \"A\"\nfile = \"b\"\n[limits]\nmemory = -1\nfuel = \"much\"\n"
    ));
}

#[test]
fn build_seeds_have_keys_of_their_own() {
    let seed = |source: &str, keys: &str| {
        let rest = "[[publish]]\nplugin = \"builtin:oci-layout\"\n";
        parse(&format!("schema = 1\n[source]\n{source}\n[seed]\nname = \"hello\"\n{keys}\n{rest}"))
    };
    let build = |keys: &str| {
        let seed = seed("flake = \".\"", &format!("variant = \"build\"\n{keys}")).unwrap().seed;
        let build = seed.build.unwrap();
        let builds: Vec<_> = build.builds.into_iter().map(|installable| installable.attribute).collect();
        (build.nix.attribute, builds.join(" "))
    };
    assert_eq!(build(""), ("nix".to_owned(), "default".to_owned()));
    assert_eq!(build("nix = \"lix\"\nbuilds = [\"a\", \"b.c\"]"), ("lix".to_owned(), "a b.c".to_owned()));
    assert!(seed("flake = \".\"", "").unwrap().seed.build.is_none());

    let error = |source: &str, keys: &str| rendered(&seed(source, keys).unwrap_err());
    let of_others = error("flake = \".\"", "nix = \"nix\"\nbuilds = []");
    assert!(
        of_others.contains("`nix` requires a build seed")
            && of_others.contains("`builds` requires a build seed"),
        "{of_others}"
    );
    let outputs = error("flake = \".\"", "variant = \"build\"\nbuilds = [\"a^dev\"]");
    assert!(outputs.contains("`builds` does not accept outputs"), "{outputs}");
    let directories = error("directories = { apps = \"a\" }", "variant = \"build\"");
    assert!(directories.contains("directories cannot be the source of a build seed"), "{directories}");
}

#[test]
fn files_that_cannot_be_read() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("pipeline.toml");
    let load = || {
        let error = Pipeline::load(&path).unwrap_err();
        rendered(&error).replace(directory.path().to_str().unwrap(), "DIR")
    };
    assert_snapshot!("file_missing", load());
    fs::write(&path, b"schema = 1\n\xff").unwrap();
    assert_snapshot!("file_is_not_text", load());
    fs::write(&path, vec![b'#'; (1 << 20) + 1]).unwrap();
    assert_snapshot!("file_is_too_large", load());
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    assert_snapshot!("file_is_a_directory", load());
    assert!(matches!(Pipeline::load(&path), Err(PipelineFileError::Unreadable { .. })));
}
