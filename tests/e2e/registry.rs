//! Real registries take the image, others read it from there, and nothing is sent twice.

use seed_tests::{Layout, Registry, Run, TestEnvironment, peer};
use serde_json::Value;

use crate::hello::hello_to;

/// The summary of the publisher that is not the layout.
fn in_registry(summary: &Value) -> &Value {
    let published = summary["published"].as_array().unwrap();
    published
        .iter()
        .find(|place| place["plugin"] == "registry-publisher")
        .unwrap_or_else(|| panic!("{summary:#}"))
}

fn skopeo(environment: &TestEnvironment, args: &[&str]) -> Run {
    Run::of(environment.command(peer("skopeo")).arg("--insecure-policy").args(args)).ok()
}

fn publish_twice_and_copy(registry: &Registry) {
    let environment = hello_to(registry);
    let first = environment.run_json(&[]);
    assert!(in_registry(&first)["uploaded"].as_u64().unwrap() > 0, "{first:#}");
    assert!(
        first["images"][0]["layers"].as_array().unwrap().iter().all(|layer| layer["cached"] == false),
        "{first:#}"
    );

    let second = environment.run_json(&["--locked"]);
    assert_eq!(second["digest"], first["digest"]);
    assert_eq!(in_registry(&second)["uploaded"], 0, "{second:#}");
    assert_eq!(in_registry(&second)["bytes"], 0, "{second:#}");
    assert!(
        second["images"][0]["layers"].as_array().unwrap().iter().all(|layer| layer["cached"] == true),
        "{second:#}"
    );

    let image = format!("docker://{}/org/hello", registry.address());
    for tag in ["v1", "latest"] {
        let args = ["inspect", "--tls-verify=false", "--format", "{{.Digest}}", &format!("{image}:{tag}")];
        assert_eq!(skopeo(&environment, &args).stdout.trim(), first["digest"]);
    }
    skopeo(&environment, &["copy", "--src-tls-verify=false", &format!("{image}:v1"), "oci:copied:v1"]);
    let copied = Layout::open(environment.work().join("copied")).images();
    assert_eq!(copied[0]["digest"], first["digest"]);

    // And the other way: from the layout that seed wrote, and from the archive, to the registry.
    let name = Layout::open(environment.work().join("result")).images()[0].clone();
    let tag = name["annotations"]["org.opencontainers.image.ref.name"].as_str().unwrap().to_owned();
    for source in [
        format!("oci:result:{tag}"),
        "docker-archive:hello.tar".to_owned(),
        format!("oci-archive:hello.tar:{tag}"),
    ] {
        let target =
            format!("docker://{}/org/from-{}", registry.address(), source.split(':').next().unwrap());
        skopeo(&environment, &["copy", "--dest-tls-verify=false", &source, &target]);
    }
}

#[test]
fn a_registry_without_referrers_api() {
    publish_twice_and_copy(&Registry::distribution());
}

#[test]
fn a_registry_with_referrers_api() {
    publish_twice_and_copy(&Registry::with_referrers());
}

#[test]
fn signatures_of_others_stay_when_a_second_key_signs() {
    let registry = Registry::distribution();
    let first = hello_to(&registry);
    let digest = first.run_json(&[])["digest"].clone();
    let second = hello_to(&registry);
    assert_eq!(second.run_json(&[])["digest"], digest);
    let hex = digest.as_str().unwrap().strip_prefix("sha256:").unwrap();
    let manifest = |tag: &str| -> Value {
        let image = format!("docker://{}/org/hello:{tag}", registry.address());
        skopeo(&first, &["inspect", "--raw", "--tls-verify=false", &image]).json()
    };
    assert_eq!(manifest(&format!("sha256-{hex}.sig"))["layers"].as_array().unwrap().len(), 2);
    assert_eq!(manifest(&format!("sha256-{hex}"))["manifests"].as_array().unwrap().len(), 2);
}
