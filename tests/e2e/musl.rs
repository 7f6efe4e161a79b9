//! examples/musl: one C program, linked with glibc and with musl by this machine's compilers.

use seed_tests::{Run, TestEnvironment};
use serde_json::Value;

use crate::hello::use_nix;

/// The example after `./prepare`.
fn musl() -> TestEnvironment {
    let mut environment = TestEnvironment::with_example("musl");
    use_nix(&mut environment);
    Run::of(&mut environment.command("./prepare")).ok();
    environment
}

/// The NAR sizes of all layers together.
fn unpacked(summary: &Value) -> u64 {
    let layers = summary["images"][0]["layers"].as_array().unwrap();
    layers.iter().map(|layer| layer["nar-size"].as_u64().unwrap()).sum()
}

#[test]
fn the_musl_image_is_a_fraction_and_its_program_runs() {
    let environment = musl();
    let glibc = environment.run_json(&["glibc.toml"]);
    let musl = environment.run_json(&[]);
    assert!(unpacked(&musl) * 10 < unpacked(&glibc), "{musl}\n{glibc}");

    let why = environment.seed(&["plan", "--json", "--why", "hello"]).ok().json();
    let program = format!("{}/bin/hello", why["images"][0]["paths"][0]["store-path"].as_str().unwrap());
    assert_eq!(Run::of(&mut environment.command(program)).ok().stdout, "Hello from seed!\n");
    let why = environment.seed(&["plan", "--json", "--why", "musl"]).ok().json();
    assert_eq!(why["images"][0]["paths"][0]["chain"]["paths"].as_array().unwrap().len(), 2, "{why}");
    environment.seed(&["plan", "--why", "glibc"]).failed(2);
}

#[test]
fn the_seed_of_musl_builds_is_asked_for_by_its_name() {
    let environment = musl();
    let seed = |name: &str, app: &str| {
        format!("{name} = import ./mkseed.nix {{ system = \"x86_64-linux\"; apps = [ {app} ]; }};")
    };
    let both = [seed("seed", "hello"), seed("seed-musl", "hello-musl")].join(" ");
    environment.write("flake/mkseed.nix", include_str!("../../nix/mkseed.nix"));
    environment.replace("flake/flake.nix", "glibc = prepared", &format!("{both} glibc = prepared"));
    environment.replace("pipeline.toml", "[layers]\napps = [\"hello\"]\n", "");
    assert!(unpacked(&environment.run_json(&[])) < 1 << 20);
    let why = environment.seed(&["plan", "--json", "--why", "musl"]).ok().json();
    assert_eq!(why["images"][0]["paths"][0]["chain"]["layer"], "apps", "{why}");
}

#[test]
fn an_image_that_still_needs_glibc_is_refused() {
    let environment = musl();
    environment.replace("flake/flake.nix", "build musl \"hello-musl\"", "build glibc \"hello-glibc\"");
    // Its size would tell as well.
    environment.seed(&["run", "--quiet"]).failed(8);
    environment.replace("pipeline.toml", "max-size = \"1 MiB\"\n", "");
    insta::assert_snapshot!(environment.run_error(2), @r#"
    error[musl-runtime::refused]: pipeline.toml: musl-runtime 0.1.0: glibc is still reachable from the musl outputs:
        /nix/store/[HASH]-glibc
          apps → hello → glibc
      --> pipeline.toml:15:10
       |
    14 | plugin = "builtin:musl-runtime"
    15 | config = { entrypoint = ["hello"] }
       |          ^^^^^^^^^^^^^^^^^^^^^^^^^^ said of this
      help: the second-to-last path of each chain refers to it: use the musl build of that path (in nixpkgs, from `pkgsMusl` or `pkgsStatic`), or build it without the reference
    "#);
    environment.replace("pipeline.toml", "entrypoint = [\"hello\"]", "musl = { refuse = [\"libc6\"] }");
    environment.run_json(&[]);
}

#[test]
fn what_has_no_musl_build_is_refused() {
    let environment = musl();
    environment.replace(
        "pipeline.toml",
        "[seed]\n",
        "[seed]\nvariant = \"build\"\nnix = \"hello\"\nbuilds = [\"hello\"]\n",
    );
    insta::assert_snapshot!(environment.run_error(2), @r#"
    error[musl-runtime::variant]: pipeline.toml: musl-runtime 0.1.0: `musl-runtime` makes only runtime images: a build image links programs with the C library of its compiler
      --> pipeline.toml:19:10
       |
    18 | plugin = "builtin:musl-runtime"
    19 | config = { entrypoint = ["hello"] }
       |          ^^^^^^^^^^^^^^^^^^^^^^^^^^ said of this
      help: set `variant = "runtime"` in `[seed]`, or use `builtin:standard-layers` for the build image
    "#);
    environment.replace("pipeline.toml", "variant = \"build\"\nnix = \"hello\"\nbuilds = [\"hello\"]\n", "");
    environment.replace("pipeline.toml", "apps = [\"hello\"]", "apps = [\"glibc\"]");
    let failed = environment.seed(&["run", "--quiet"]).failed(3);
    insta::assert_snapshot!(environment.redact(&failed.stderr), @r#"
    error[seed::nix::no-attribute]: flake `path:./flake` has no attribute `glibc-musl` for x86_64-linux
     --> pipeline.toml:5:9
      |
    4 | [source]
    5 | flake = "path:./flake"
      |         ^^^^^^^^^^^^^^
      help: did you mean `glibc`?
    "#);
}
