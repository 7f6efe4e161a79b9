//! A signer of one's own replaces the default one by one line, and the lock notices a change of one byte.

use seed_tests::{Run, TestEnvironment, peer};

use crate::hello::hello;

/// The hello example with the line that names the signer changed.
fn with_custom_signer() -> TestEnvironment {
    let environment = hello();
    std::fs::copy(peer("acme-signer.wasm"), environment.work().join("acme-signer.wasm")).unwrap();
    environment.replace(
        "pipeline.toml",
        "plugin = \"builtin:cosign-signer\"",
        "plugin = \"./acme-signer.wasm\"",
    );
    environment
}

#[test]
fn one_line_replaces_the_signer() {
    let usual = hello().run_json(&[]);
    let environment = with_custom_signer();
    let custom = environment.run_json(&[]);
    assert_eq!(custom["images"], {
        let mut images = usual["images"].clone();
        for (image, other) in
            images.as_array_mut().unwrap().iter_mut().zip(custom["images"].as_array().unwrap())
        {
            // Which layers were in the cache is the only thing that may differ.
            image["layers"] = other["layers"].clone();
        }
        images
    });
    assert_eq!(custom["signatures"].as_array().unwrap().len(), 1, "{custom:#}");
    assert_ne!(custom["signatures"][0]["plugin"], usual["signatures"][0]["plugin"]);
    assert!(environment.read("seed.lock").contains("./acme-signer.wasm"));
}

#[test]
fn the_guide_of_the_example_works() {
    let environment = TestEnvironment::with_example("custom-signer");
    std::fs::copy(peer("acme-signer.wasm"), environment.work().join("acme-signer.wasm")).unwrap();
    let described = environment.seed(&["plugin", "inspect", "acme-signer.wasm"]).ok().stdout;
    assert!(described.contains("keyring"), "{described}");
    let genpkey = ["genpkey", "-algorithm", "ed25519", "-out", "acme.key"];
    Run::of(environment.command(peer("openssl")).args(genpkey)).ok();
    let summary = environment.run_json(&["pipeline.toml"]);
    assert_eq!(summary["signatures"][0]["key"], "acme", "{summary:#}");
    let inspected = environment.seed(&["inspect", "result"]).ok().stdout;
    assert!(inspected.contains("application/vnd.acme.signature.v1"), "{inspected}");
}

#[test]
fn a_changed_byte_is_an_error_that_shows_both_hashes() {
    let environment = with_custom_signer();
    let locked = environment.run_json(&[]);
    let signer = &locked["plugins"]
        .as_array()
        .unwrap()
        .iter()
        .find(|plugin| plugin["reference"] == "./acme-signer.wasm");
    let before = signer.unwrap()["digest"].as_str().unwrap().to_owned();

    let path = environment.work().join("acme-signer.wasm");
    let mut bytes = std::fs::read(&path).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    let after = seed_model::Digest::of(&bytes).to_string();
    std::fs::write(&path, bytes).unwrap();
    let failed = environment.seed(&["run", "--locked"]).failed(5);
    // A terminal of any width may break the lines of a message.
    let message: String = failed.stderr.split_whitespace().filter(|word| *word != "│").collect();
    let digits = |digest: &str| digest.strip_prefix("sha256:").unwrap().to_owned();
    assert!(
        message.contains(&digits(&before)) && message.contains(&digits(&after)),
        "{before}\n{after}\n{}",
        failed.stderr
    );
}
