//! Both major versions of cosign verify what `seed` signs, and refuse it with another key.

use seed_tests::{Registry, Run, TestEnvironment, peer};

use crate::hello::hello_to;

fn verify(environment: &TestEnvironment, cosign: &str, key: &str, image: &str) -> Run {
    let mut command = environment.command(peer(cosign));
    command.args(["verify", "--key", key, "--insecure-ignore-tlog", "--allow-http-registry", image]);
    Run::of(&mut command)
}

fn publish_and_verify(registry: &Registry) {
    let environment = hello_to(registry);
    environment.make_key("other");
    let digest = environment.run_json(&[])["digest"].clone();
    let by_digest = format!("{}/org/hello@{}", registry.address(), digest.as_str().unwrap());
    let by_tag = format!("{}/org/hello:v1", registry.address());
    for cosign in ["cosign-2", "cosign-3"] {
        for image in [&by_digest, &by_tag] {
            let verified = verify(&environment, cosign, "cosign.pub", image).ok();
            assert!(verified.stdout.contains(digest.as_str().unwrap()), "{cosign}: {}", verified.stdout);
            let refused = verify(&environment, cosign, "other.pub", image);
            assert_ne!(refused.code, Some(0), "{cosign} accepts another key");
        }
    }
}

#[test]
fn in_a_registry_without_referrers_api() {
    publish_and_verify(&Registry::distribution());
}

#[test]
fn in_a_registry_with_referrers_api() {
    publish_and_verify(&Registry::with_referrers());
}

/// cosign 3 reads the bundle, not the old tag, where there is one: so it must verify without that tag too.
#[test]
fn the_bundle_alone_satisfies_cosign_3() {
    let registry = Registry::with_referrers();
    let environment = hello_to(&registry);
    let digest = environment.run_json(&[])["digest"].clone();
    let image = format!("{}/org/hello@{}", registry.address(), digest.as_str().unwrap());
    let output =
        Run::of(environment.command(peer("cosign-3")).args(["tree", "--allow-http-registry", &image])).ok();
    assert!(output.stdout.contains("sigstore.dev/cosign/sign/v1"), "{}", output.stdout);
}

#[test]
fn the_command_that_the_summary_prints_works() {
    let registry = Registry::distribution();
    let environment = hello_to(&registry);
    let summary = environment.run_json(&[]);
    let commands = summary["verify-with"].as_array().unwrap();
    let command = commands
        .iter()
        .filter_map(|command| command.as_str())
        .find(|command| command.contains(registry.address()));
    let command = command.unwrap_or_else(|| panic!("{summary:#}"));
    for cosign in ["cosign-2", "cosign-3"] {
        let words: Vec<_> = command.split_whitespace().collect();
        let (program, args) = words.split_first().unwrap();
        assert_eq!(*program, "cosign", "{command}");
        Run::of(environment.command(peer(cosign)).args(args)).ok();
    }
}

/// `seed verify` takes what cosign itself has signed, in both forms, and not with another key.
#[test]
fn what_cosign_signs_is_verified_by_seed() {
    for (registry, cosign) in
        [(Registry::distribution(), "cosign-2"), (Registry::with_referrers(), "cosign-3")]
    {
        let environment = hello_to(&registry);
        // Not signed by seed: the keys are others.
        environment.make_key("by-cosign");
        environment.make_key("other");
        let digest = environment.run_json(&[])["digest"].as_str().unwrap().to_owned();
        let image = format!("{}/org/hello@{digest}", registry.address());
        let verify = |key: &str| environment.seed(&["verify", &image, "--key", key, "--json"]);
        verify("cosign.pub").ok();
        verify("by-cosign.pub").failed(6);
        let mut sign = environment.command(peer(cosign));
        sign.args(["sign", "--key", "by-cosign.key", "--yes", "--allow-http-registry"]);
        sign.args(if cosign == "cosign-2" {
            &["--tlog-upload=false"][..]
        } else {
            &["--use-signing-config=false", "--tlog-upload=false", "--new-bundle-format"][..]
        });
        Run::of(sign.arg(&image)).ok();
        let verified = verify("by-cosign.pub").ok().json();
        let format = if cosign == "cosign-2" { "simple-signing" } else { "dsse" };
        assert_eq!(verified["keys"][0]["signatures"][0]["format"], format, "{verified:#}");
        verify("other.pub").failed(6);
    }
}
