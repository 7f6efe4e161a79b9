//! What is asked for, and what is refused.

use seed_plugin::Platform;
use seed_plugin::selector::{Installable, Output, Path};

use super::*;

fn request(available: &[(&str, &str, Option<&str>)]) -> SelectRequest {
    let offer = |(layer, attribute, output): &(&str, &str, Option<&str>)| OutputRequest {
        layer: (*layer).to_owned(),
        installables: vec![Installable {
            attribute: (*attribute).to_owned(),
            part: output.map_or(Part::DefaultOutput, |output| Part::Output(output.to_owned())),
        }],
    };
    SelectRequest {
        config: "{}".to_owned(),
        name: "hello".to_owned(),
        system: "x86_64-linux".to_owned(),
        platform: Platform { os: "linux".to_owned(), architecture: "amd64".to_owned(), variant: None },
        variant: VariantKind::Runtime,
        source: SourceKind::Flake,
        available: available.iter().map(offer).collect(),
        variables: Vec::new(),
        layer_lock: None,
    }
}

fn config(json: serde_json::Value) -> Config {
    serde_json::from_value(json).unwrap()
}

/// `attribute^output` of each layer.
fn asked(config: &Config, request: &SelectRequest) -> Vec<String> {
    let text = |layer: OutputRequest| {
        let installable = &layer.installables[0];
        match &installable.part {
            Part::Output(output) => format!("{}^{output}", installable.attribute),
            _ => installable.attribute.clone(),
        }
    };
    outputs(config, request).unwrap().into_iter().map(text).collect()
}

#[test]
fn asks_for_the_musl_builds() {
    let outputs = ["apps", "base", "library"].map(|output| (output, "seed", Some(output)));
    let split = request(&outputs);
    let single = request(&[("apps", "hello", None)]);
    let default = Config::default();
    assert_eq!(asked(&default, &split), ["seed-musl^base", "seed-musl^library", "seed-musl^apps"]);
    assert_eq!(asked(&default, &single), ["hello-musl"]);
    let nixpkgs = config(serde_json::json!({"musl": {"attribute": "pkgsMusl.{attribute}"}}));
    assert_eq!(asked(&nixpkgs, &single), ["pkgsMusl.hello"]);
    let outputs = config(serde_json::json!({"musl": {"attribute": "{attribute}", "output": "{output}Musl"}}));
    assert_eq!(asked(&outputs, &split), ["seed^baseMusl", "seed^libraryMusl", "seed^appsMusl"]);
}

#[test]
fn takes_a_closure_as_it_is() {
    let mut request = request(&[("apps", "hello", None)]);
    request.source = SourceKind::Closure;
    assert_eq!(asked(&Config::default(), &request), ["hello"]);
}

#[test]
fn makes_runtime_images_of_flakes_only() {
    let mut build = request(&[("apps", "hello", None)]);
    build.variant = VariantKind::Build;
    assert_eq!(outputs(&Config::default(), &build).unwrap_err().code, "musl-runtime::variant");
    let mut directories = request(&[("apps", "site", None)]);
    directories.source = SourceKind::Directories;
    assert_eq!(outputs(&Config::default(), &directories).unwrap_err().code, "musl-runtime::source");
}

fn closure(libc: &str) -> Closure {
    let path = |(name, references): (&str, &[u32])| Path {
        store_path: format!("/nix/store/0c0ffee0c0ffee0c0ffee0c0ffee0c0f-{name}"),
        nar_hash: [0; 32],
        nar_size: 1,
        references: references.to_vec(),
    };
    let paths = [("hello-2.12", &[1_u32, 2][..]), ("musl-1.2.5", &[]), ("zlib-1.3", &[3]), (libc, &[])];
    Closure::new(paths.map(path), vec![Output { layer: "apps".to_owned(), roots: vec![0] }])
}

#[test]
fn refuses_what_still_needs_glibc() {
    let musl = Musl::default();
    assert!(refuse(&musl, &closure("glibc-locales-2.40")).is_ok());
    let error = refuse(&musl, &closure("glibc-2.40-66")).unwrap_err();
    assert_eq!(
        error.message,
        "glibc-2.40-66 is still reachable from the musl outputs:\n  \
         /nix/store/0c0ffee0c0ffee0c0ffee0c0ffee0c0f-glibc-2.40-66\n    \
         apps → hello-2.12 → zlib-1.3 → glibc-2.40-66"
    );
    let others = config(serde_json::json!({"musl": {"refuse": ["libc6"]}})).musl;
    assert!(
        refuse(&others, &closure("glibc-2.40")).is_ok() && refuse(&others, &closure("libc6-2.36")).is_err()
    );
}

#[test]
fn takes_every_key_of_the_schema_and_those_of_standard_layers_for_runtime_images() {
    seed_plugin::testing::knows_every_key::<MuslRuntime>();
    let properties = |schema: &str| {
        let mut schema: serde_json::Value = serde_json::from_str(schema).unwrap();
        schema["properties"].as_object_mut().unwrap().clone()
    };
    let mut ours = properties(MuslRuntime::ABOUT.config_schema);
    let musl = ours.remove("musl").unwrap();
    let mut theirs = properties(include_str!("../../standard-layers/src/config.schema.json"));
    theirs.remove("substitute").expect("it is for build images");
    assert_eq!(ours, theirs);
    let Musl { attribute, output, refuse } = Musl::default();
    let defaults = ["attribute", "output", "refuse"].map(|key| musl["properties"][key]["default"].clone());
    let ours: [serde_json::Value; 3] = [attribute.into(), output.into(), refuse.into()];
    assert_eq!(defaults, ours);
}
