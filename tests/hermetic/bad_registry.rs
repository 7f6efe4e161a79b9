//! Registries that misbehave: a clear error, mostly exit code 7, and no tag is touched.

use seed_tests::{Fault, HostileRegistry, TestEnvironment};

/// Publishes to a registry with this fault; gives the error as a user sees it.
fn publish_to(fault: Fault) -> String {
    publish_and_fail(fault, 7)
}

/// The same for an error with another exit code.
fn publish_and_fail(fault: Fault, code: i32) -> String {
    let registry = HostileRegistry::start(fault);
    let address = registry.address();
    let environment = TestEnvironment::with_example("directories");
    let pipeline = environment.read("pipeline.toml");
    let publish = format!(
        "\n[[publish]]\nplugin = \"builtin:registry-publisher\"\n\
         config = {{ repository = \"{address}/org/app\", tags = [\"v1\"] }}\n\
         grants = {{ http = [\"http://{address}\"], credentials = [\"{address}\"] }}\n"
    );
    environment.write("pipeline.toml", pipeline + &publish);
    let failed = environment.seed(&["run", "--quiet"]).failed(code);

    let tags: Vec<_> =
        registry.requests().into_iter().filter(|r| r == "PUT /v2/org/app/manifests/v1").collect();
    assert!(tags.is_empty(), "the tag was written after {fault:?}: {:#?}", registry.requests());
    // The other publisher is not undone, and the cache serves the next run.
    environment.replace("pipeline.toml", &publish, "");
    let summary = environment.run_json(&[]);
    assert!(
        summary["images"][0]["layers"].as_array().unwrap().iter().all(|layer| layer["cached"] == true),
        "{summary:#}"
    );
    environment.redact(&failed.stderr).replace(address, "[REGISTRY]")
}

#[test]
fn that_refuses_authentication() {
    insta::assert_snapshot!(publish_to(Fault::Unauthorized), @r#"
    error[seed::stage::auth]: plugin `registry-publisher` 0.1.0 ([HASH]) failed in `publish`: cannot authenticate to `[REGISTRY]`: it asks for a password, and none is stored; run `docker login [REGISTRY]`
      --> pipeline.toml:28:10
       |
    27 | [[publish]]
    28 | plugin = "builtin:registry-publisher"
       |          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^ this plugin
      help: log in (`docker login HOST`), and grant it: grants = { credentials = ["HOST"] }
    "#);
}

#[test]
fn that_answers_500() {
    insta::assert_snapshot!(publish_to(Fault::ServerError), @r#"
    error[seed::stage::transient]: plugin `registry-publisher` 0.1.0 ([HASH]) failed in `publish`: the registry would not take the blob sha256:[HASH]: HTTP 500
      --> pipeline.toml:28:10
       |
    27 | [[publish]]
    28 | plugin = "builtin:registry-publisher"
       |          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^ this plugin
      help: run again: what was done is kept, and only the rest is done
    "#);
}

#[test]
fn that_resets_connections() {
    insta::assert_snapshot!(publish_to(Fault::Reset), @r#"
    error[seed::stage::transient]: plugin `registry-publisher` 0.1.0 ([HASH]) failed in `publish`: POST http://[REGISTRY]/v2/org/app/blobs/uploads/ failed: connection closed before message completed
      --> pipeline.toml:28:10
       |
    27 | [[publish]]
    28 | plugin = "builtin:registry-publisher"
       |          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^ this plugin
      help: run again: what was done is kept, and only the rest is done
    "#);
}

#[test]
fn that_lies_about_digests() {
    insta::assert_snapshot!(publish_to(Fault::LyingDigest), @r#"
    error[seed::stage::remote]: plugin `registry-publisher` 0.1.0 ([HASH]) failed in `publish`: the registry answered for blob sha256:[HASH] with the digest sha256:0000000000000000000000000000000000000000000000000000000000000000; nothing that it says can be relied on
      --> pipeline.toml:28:10
       |
    27 | [[publish]]
    28 | plugin = "builtin:registry-publisher"
       |          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^ this plugin
    "#);
}

#[test]
fn that_takes_blobs_and_no_manifest() {
    insta::assert_snapshot!(publish_to(Fault::ManifestError), @r#"
    error[seed::stage::transient]: plugin `registry-publisher` 0.1.0 ([HASH]) failed in `publish`: the registry would not take the manifest sha256:[HASH]: HTTP 500
      --> pipeline.toml:28:10
       |
    27 | [[publish]]
    28 | plugin = "builtin:registry-publisher"
       |          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^ this plugin
      help: run again: what was done is kept, and only the rest is done
    "#);
}

#[test]
fn that_answers_without_end() {
    insta::assert_snapshot!(publish_to(Fault::EndlessBody), @r#"
    error[seed::stage::remote]: plugin `registry-publisher` 0.1.0 ([HASH]) failed in `publish`: the response of http://[REGISTRY]/v2/org/app/blobs/uploads/ is larger than the limit of 4194304 bytes
      --> pipeline.toml:28:10
       |
    27 | [[publish]]
    28 | plugin = "builtin:registry-publisher"
       |          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^ this plugin
    "#);
}

#[test]
fn that_names_an_address_of_the_private_network() {
    insta::assert_snapshot!(publish_and_fail(Fault::LocationInside, 4), @r#"
    error[seed::stage::denied]: plugin `registry-publisher` 0.1.0 ([HASH]) failed in `publish`: not granted: `http://10.0.0.7:8080`: no `http` grant names it; http://[REGISTRY] named this address, which is inside of your own network: a hostile server would do so to get at what others cannot reach; grant it only if you know it as the server's own
      --> pipeline.toml:28:10
       |
    27 | [[publish]]
    28 | plugin = "builtin:registry-publisher"
       |          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^ this plugin
      help: grants stand in the table of this plugin, [[publish]]
    "#);
}

#[test]
fn that_redirects_for_ever() {
    insta::assert_snapshot!(publish_to(Fault::RedirectLoop), @r#"
    error[seed::stage::remote]: plugin `registry-publisher` 0.1.0 ([HASH]) failed in `publish`: the registry would not say whether it has sha256:[HASH]: HTTP 307
      --> pipeline.toml:28:10
       |
    27 | [[publish]]
    28 | plugin = "builtin:registry-publisher"
       |          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^ this plugin
    "#);
}
