//! Rules on what an image may hold, on closures that Nix made.

use seed_tests::{Run, TestEnvironment, peer};

use crate::hello::hello;

/// The hello example with more in `[seed]`.
fn with(rules: &str) -> TestEnvironment {
    let environment = hello();
    environment.replace("pipeline.toml", "name = \"hello\"\n", &format!("name = \"hello\"\n{rules}"));
    environment
}

#[test]
fn what_is_too_large_or_forbidden_is_told_with_its_references() {
    insta::assert_snapshot!(with("max-size = 1000\n").run_error(8), @r#"
    error[seed::rules::max-size]: the image for x86_64-linux would have 1.6 KiB in 6 paths before compression; `max-size` allows 1000 B
      the largest:
        /nix/store/[HASH]-hello, 728 B
          apps → seed-apps → hello
        /nix/store/[HASH]-seed-base, 216 B
          base → seed-base
        /nix/store/[HASH]-seed-library, 216 B
          library → seed-library
        /nix/store/[HASH]-seed-apps, 208 B
          apps → seed-apps
        /nix/store/[HASH]-os-release, 144 B
          base → seed-base → os-release
        /nix/store/[HASH]-greeting, 136 B
          library → seed-library → greeting
      --> pipeline.toml:14:12
       |
    13 | name = "hello"
    14 | max-size = 1000
       |            ^^^^ the limit
      help: below each path is the reference chain that leads to it: remove a reference that you do not need, or raise `max-size`
    "#);
    let environment = with("forbid = { names = [\"greet*\"] }\n");
    insta::assert_snapshot!(environment.run_error(8), @r#"
    error[seed::rules::forbidden]: the image for x86_64-linux would contain forbidden paths:
        /nix/store/[HASH]-greeting, `greet*`
          library → seed-library → greeting
      --> pipeline.toml:14:21
       |
    13 | name = "hello"
    14 | forbid = { names = ["greet*"] }
       |                     ^^^^^^^^ forbidden here
      help: in each chain, the last path but one holds the reference: build it without the reference, or allow the path
    "#);
    let why = environment.seed(&["plan", "--why", "greeting"]).ok();
    insta::assert_snapshot!(environment.redact(&why.stdout), @"
    hello

      linux/amd64  1 path

      /nix/store/[HASH]-greeting  136 B
        library
        └─ /nix/store/[HASH]-seed-library
           └─ /nix/store/[HASH]-greeting
        also referred to by hello
    ");
}

#[test]
fn apples_sdk_needs_a_grant_that_the_image_records() {
    let environment = hello();
    environment.replace(
        "flake/flake.nix",
        "builtins.toFile \"greeting\"",
        "builtins.toFile \"apple-sdk-14.4\"",
    );
    insta::assert_snapshot!(environment.run_error(8), @r#"
    error[seed::rules::apple-sdk]: the image for x86_64-linux would contain parts of Apple's SDKs, whose licence restricts redistribution:
        /nix/store/[HASH]-apple-sdk-14.4, by its name
          library → seed-library → apple-sdk-14.4
      help: in each chain, the last path but one holds the reference: build it without the reference. If you are allowed to redistribute the content, give the reason, which the image records:

            [legal]
            apple-sdk = "…"
    "#);

    environment.append("pipeline.toml", "\n[legal]\napple-sdk = \"a test, nothing of Apple's\"\n");
    let run = environment.seed(&["run"]).ok();
    let (_, legal) = run.stdout.split_once("Legal\n").unwrap_or_else(|| panic!("{}", run.stdout));
    insta::assert_snapshot!(environment.redact(legal.split("\n\n").next().unwrap()), @"
    granted: apple-sdk for x86_64-linux: a test, nothing of Apple's
      1 path allowed, as the image's annotations record
      /nix/store/[HASH]-apple-sdk-14.4 (by its name)
        library → seed-library → apple-sdk-14.4
    ");
    let inspected = environment.seed(&["inspect", "result"]).ok().stdout;
    assert!(inspected.contains("granted: apple-sdk: a test, nothing of Apple's"), "{inspected}");
    let mut skopeo = environment.command(peer("skopeo"));
    let manifest = Run::of(skopeo.args(["inspect", "--raw", "oci:result:latest"])).ok().json();
    let annotations = &manifest["annotations"];
    assert_eq!(
        annotations["io.github.seed-oci.legal.apple-sdk"], "a test, nothing of Apple's",
        "{annotations}"
    );
}
