//! One image per system, and an index over them that is signed and published as one: made by one run, or composed of runs on
//! several machines.

use seed_model::Digest;
use seed_tests::{Layout, Registry, Run, TestEnvironment, peer};
use serde_json::{Value, json};

use crate::hello::hello_to;

/// A flake whose packages need no processor of their system to be built.
const FLAKE: &str = r#"{
  outputs = { self }: {
    packages = builtins.listToAttrs (map (system: {
      name = system;
      value.seed = import ./mkseed.nix {
        inherit system;
        apps = [ (builtins.toFile "app" "for ${system}\n") ];
      };
    }) [ "x86_64-linux" "aarch64-linux" "aarch64-darwin" "riscv64-linux" ]);
  };
}
"#;

/// A machine that builds for these systems, in front of a registry.
fn machine(registry: &Registry) -> TestEnvironment {
    let mut environment = hello_to(registry);
    environment.write("flake/flake.nix", FLAKE);
    environment.replace(
        "pipeline.toml",
        "attr = \"seed\"\n",
        "attr = \"seed\"\nsystems = [\"x86_64-linux\", \"aarch64-linux\", \"aarch64-darwin\"]\n",
    );
    environment.replace("pipeline.toml", "links = { \"/etc/os-release\" = \"os-release\" }\n", "");
    environment.extend("NIX_CONFIG", "extra-platforms = aarch64-linux aarch64-darwin\n");
    environment
}

/// What is at a tag or digest of `org/hello`; none if there is nothing.
fn raw(environment: &TestEnvironment, registry: &Registry, at: &str) -> Option<Vec<u8>> {
    let image = format!("docker://{}/org/hello{at}", registry.address());
    let mut skopeo = environment.command(peer("skopeo"));
    let output = skopeo.args(["inspect", "--raw", "--tls-verify=false", &image]).output().unwrap();
    output.status.success().then_some(output.stdout)
}

fn verify(environment: &TestEnvironment, registry: &Registry, digest: &str) {
    for cosign in ["cosign-2", "cosign-3"] {
        let mut verify = environment.command(peer(cosign));
        verify.args(["verify", "--key", "cosign.pub", "--insecure-ignore-tlog", "--allow-http-registry"]);
        Run::of(verify.arg(format!("{}/org/hello@{digest}", registry.address()))).ok();
    }
}

#[test]
fn runs_on_several_machines_become_what_one_run_makes() {
    let (one, several) = (Registry::distribution(), Registry::distribution());
    let whole = machine(&one);
    let summary = whole.run_json(&[]);
    let digest = summary["digest"].as_str().unwrap();
    for tag in [":v1", ":latest"] {
        assert_eq!(Digest::of(&raw(&whole, &one, tag).unwrap()).to_string(), digest);
    }
    verify(&whole, &one, digest);

    let last = machine(&several);
    for (system, record) in
        [("x86_64-linux", "x86.json"), ("aarch64-linux", "arm.json"), ("aarch64-darwin", "mac.json")]
    {
        let builder = machine(&several);
        // All machines sign with the same key: records are signed, too.
        for key in ["cosign.key", "cosign.pub"] {
            builder.write(key, last.read(key));
        }
        builder.run_json(&["--system", system, "--record", record, "--run", "4711"]);
        last.write(record, builder.read(record));
        let child: Value = serde_json::from_str(&builder.read(record)).unwrap();
        let child = child["manifest"]["digest"].as_str().unwrap().to_owned();
        assert!(raw(&last, &several, &format!("@{child}")).is_some(), "{child}");
        assert_eq!([":v1", ":latest"].map(|tag| raw(&last, &several, tag)), [None, None], "{system}");
    }
    // Only the registry has the layers that the layout of this machine needs.
    let composed =
        last.seed(&["index", "--json", "--run", "4711", "x86.json", "arm.json", "mac.json"]).ok().json();
    assert_eq!(composed["digest"], summary["digest"]);
    for tag in [":v1", ":latest"] {
        assert_eq!(raw(&last, &several, tag), raw(&whole, &one, tag));
    }
    verify(&last, &several, digest);
    assert_eq!(last.read("result/index.json").matches(digest).count(), 1);

    let index: Value = serde_json::from_slice(&raw(&last, &several, ":v1").unwrap()).unwrap();
    let platforms: Vec<_> =
        index["manifests"].as_array().unwrap().iter().map(|manifest| &manifest["platform"]).collect();
    assert_eq!(
        platforms,
        [
            &json!({"architecture": "arm64", "os": "darwin"}),
            &json!({"architecture": "amd64", "os": "linux"}),
            &json!({"architecture": "arm64", "os": "linux"}),
        ]
    );
    for system in ["aarch64-darwin", "aarch64-linux", "x86_64-linux"] {
        assert!(last.read("seed.lock").contains(&format!("system = \"{system}\"")));
    }

    // The image for Darwin has store paths and nothing else.
    let layout = Layout::open(last.work().join("result"));
    let manifest = layout.document(&index["manifests"][0]);
    let config = layout.document(&manifest["config"]);
    assert_eq!(config["config"], json!({}));
    let linux = layout.document(&index["manifests"][1]);
    let layers = |manifest: &Value| manifest["layers"].as_array().unwrap().len();
    assert_eq!(layers(&manifest) + 1, layers(&linux), "the layer of entries is missing");
    let notes: Vec<_> = summary["notes"].as_array().unwrap().iter().map(|note| &note["message"]).collect();
    assert_eq!(notes, ["images for aarch64-darwin hold only store paths: ignored `entrypoint`"]);
}

#[test]
fn a_system_that_nix_cannot_build_here() {
    let registry = Registry::distribution();
    let environment = machine(&registry);
    environment.replace("pipeline.toml", "\"aarch64-darwin\"]", "\"riscv64-linux\"]");
    let failed = environment.seed(&["run", "--quiet"]).failed(3);
    // The middle of the message is Nix's own, and says what this machine can do.
    let (message, help) = failed.stderr.split_once("\n  help: ").unwrap();
    let start = "error[seed::nix::system]: Nix cannot build `seed` for riscv64-linux here: ";
    assert!(message.starts_with(start), "{message}");
    insta::assert_snapshot!(help, @"
    add one of these lines to nix.conf:

            builders = ssh-ng://HOST riscv64-linux    for a remote builder
            extra-platforms = riscv64-linux           for emulation, with QEMU in binfmt_misc

            or run `seed run --system riscv64-linux --record FILE` on such a machine, and `seed index` here
    ");
    assert!(!environment.work().join("result").exists(), "the images of the other systems were published");
    assert_eq!(raw(&environment, &registry, ":v1"), None);
    assert!(!environment.read("seed.lock").contains("[[seed]]"));
}
