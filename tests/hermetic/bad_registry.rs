//! Registries that misbehave: a clear error, mostly exit code 7, and no tag is touched.

use seed_tests::{Fault, HostileRegistry, TestEnvironment, table};

const CASES: [(&str, (Fault, i32)); 8] = [
    ("refuses authentication", (Fault::Unauthorized, 7)),
    ("answers 500", (Fault::ServerError, 7)),
    ("resets connections", (Fault::Reset, 7)),
    ("lies about digests", (Fault::LyingDigest, 7)),
    ("takes blobs and no manifest", (Fault::ManifestError, 7)),
    ("answers without end", (Fault::EndlessBody, 7)),
    ("names an address of the private network", (Fault::LocationInside, 4)),
    ("redirects for ever", (Fault::RedirectLoop, 7)),
];

/// Publishes to a registry with this fault; gives the error as a user sees it.
fn publish((fault, code): (Fault, i32)) -> String {
    let registry = HostileRegistry::start(fault);
    let address = registry.address();
    let environment = TestEnvironment::with_example("directories");
    let pipeline = environment.read("pipeline.toml");
    environment.publish_to(address, "org/app", "tags = [\"v1\"]");
    let error = environment.error(code, &["run", "--quiet"]);

    let is_tag = |request: &String| request == "PUT /v2/org/app/manifests/v1";
    assert!(!registry.requests().iter().any(is_tag), "{fault:?}: {:#?}", registry.requests());
    // The other publisher is not undone, and the cache serves the next run.
    environment.write("pipeline.toml", pipeline);
    let summary = environment.run_json(&[]);
    let mut layers = summary["images"][0]["layers"].as_array().unwrap().iter();
    assert!(layers.all(|layer| layer["cached"] == true), "{summary:#}");
    error.replace(address, "[REGISTRY]")
}

#[test]
fn a_registry_that() {
    insta::assert_snapshot!(table(&CASES, |case| publish(*case)));
}
