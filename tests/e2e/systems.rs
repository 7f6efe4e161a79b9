//! One image per system, and an index over them that is signed and published as one.

use seed_tests::{Registry, Run, peer};

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
    }) [ "x86_64-linux" "aarch64-linux" ]);
  };
}
"#;

#[test]
fn an_index_over_two_systems_is_signed_and_published() {
    let registry = Registry::distribution();
    let mut environment = hello_to(&registry);
    environment.write("flake/flake.nix", FLAKE);
    environment.replace(
        "pipeline.toml",
        "attr = \"seed\"\n",
        "attr = \"seed\"\nsystems = [\"x86_64-linux\", \"aarch64-linux\"]\n",
    );
    environment.replace("pipeline.toml", "links = { \"/etc/os-release\" = \"os-release\" }\n", "");
    environment.extend("NIX_CONFIG", "extra-platforms = aarch64-linux\n");

    let summary = environment.run_json(&[]);
    let systems: Vec<_> =
        summary["images"].as_array().unwrap().iter().map(|image| &image["system"]).collect();
    assert_eq!(systems, ["aarch64-linux", "x86_64-linux"]);

    let digest = summary["digest"].as_str().unwrap();
    let image = format!("{}/org/hello@{digest}", registry.address());
    let mut skopeo = environment.command(peer("skopeo"));
    skopeo.args(["inspect", "--raw", "--tls-verify=false", &format!("docker://{image}")]);
    let index = Run::of(&mut skopeo).ok().json();
    assert_eq!(index["mediaType"], "application/vnd.oci.image.index.v1+json");
    let platforms =
        index["manifests"].as_array().unwrap().iter().map(|manifest| &manifest["platform"]["architecture"]);
    assert_eq!(platforms.collect::<Vec<_>>(), ["amd64", "arm64"]);

    for cosign in ["cosign-2", "cosign-3"] {
        let mut verify = environment.command(peer(cosign));
        verify.args([
            "verify",
            "--key",
            "cosign.pub",
            "--insecure-ignore-tlog",
            "--allow-http-registry",
            &image,
        ]);
        Run::of(&mut verify).ok();
    }
}
