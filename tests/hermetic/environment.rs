//! What other programs see of the environment: real programs that tell it.

use seed_tests::TestEnvironment;

/// Secrets as jobs have them, and one that a pipeline file reads from a variable which programs else see.
const SECRETS: [&str; 6] = [
    "COSIGN_PASSWORD",
    "COSIGN_PRIVATE_KEY",
    "GITHUB_TOKEN",
    "DOCKER_PASSWORD",
    "REGISTRY_TOKEN",
    "NIX_SSHOPTS",
];

const KEYS: &str = "\n[secrets.registry]\nenv = \"REGISTRY_TOKEN\"\n[secrets.other]\nenv = \"NIX_SSHOPTS\"\n\
    [environment]\nnix = [\"MINE\"]\ncontainer-engine = [\"MINE\"]\n";

/// Sets the secrets and what may be seen, and puts a program `name` with this script first in `PATH`. It appends its
/// environment to the file `seen`.
fn with_program(environment: &mut TestEnvironment, name: &str, script: &str) {
    for secret in SECRETS {
        environment.set(secret, "s3cr3t");
    }
    for shown in ["MINE", "NIX_CONFIG", "DOCKER_HOST", "https_proxy", "XDG_CONFIG_HOME"] {
        environment.set(shown, format!("shown-{shown}"));
    }
    let seen = environment.path("seen");
    let script = format!("#!/bin/sh\nenv >> '{}'\n{script}\n", seen.display());
    environment.write_program(&format!("bin/{name}"), script);
    let path = format!("{}:{}", environment.path("bin").display(), environment.variable("PATH"));
    environment.set("PATH", path);
}

#[track_caller]
fn saw(environment: &TestEnvironment, shown: &[&str], hidden: &[&str]) {
    let seen = environment.read("seen");
    assert!(!seen.contains("s3cr3t"), "{seen}");
    for name in shown {
        assert!(seen.contains(&format!("{name}=shown-{name}")), "{name}: {seen}");
    }
    for name in hidden {
        assert!(!seen.contains(&format!("{name}=")), "{name}: {seen}");
    }
}

#[test]
fn a_container_engine_sees_no_secret() {
    let mut environment = TestEnvironment::with_example("directories");
    environment.run_json(&[]);
    environment.append("pipeline.toml", KEYS);
    let script = r#"
        case $1 in
            image) [ -e loaded ] && echo "$5" ;;
            load) cat > /dev/null; : > loaded ;;
            run) echo running ;;
        esac"#;
    with_program(&mut environment, "docker", script);
    let run = environment.seed(&["exec", "--container-engine", "docker", "--", "true"]).ok();
    assert_eq!(run.stdout, "running\n");
    saw(&environment, &["MINE", "DOCKER_HOST", "https_proxy", "XDG_CONFIG_HOME"], &["NIX_CONFIG"]);
}

#[test]
fn nix_sees_no_secret() {
    let mut environment = TestEnvironment::new();
    let pipeline = "schema = 1\n[source]\nflake = \".\"\n[seed]\nname = \"a\"\n\
                    [[publish]]\nplugin = \"builtin:oci-layout\"\nconfig = { path = \"result\" }\n";
    environment.write("pipeline.toml", format!("{pipeline}{KEYS}"));
    let script =
        r#"case $1 in --version) echo "nix (Nix) 2.20.0" ;; *) echo "error: no" >&2; exit 1 ;; esac"#;
    with_program(&mut environment, "nix-store", script);
    with_program(&mut environment, "nix", script);
    environment.seed(&["plan"]).failed(3);
    saw(&environment, &["MINE", "NIX_CONFIG", "https_proxy"], &["DOCKER_HOST"]);
    // A variable that holds a secret here is passed on to nobody, and cannot be.
    environment.replace("pipeline.toml", "nix = [\"MINE\"]", "nix = [\"REGISTRY_TOKEN\"]");
    insta::assert_snapshot!(environment.error(2, &["plan"]), @r#"
    error[seed::pipeline::invalid-value]: pipeline.toml: cannot pass `REGISTRY_TOKEN` to other programs: it holds the secret `registry`
      --> pipeline.toml:15:8
       |
    14 | [environment]
    15 | nix = ["REGISTRY_TOKEN"]
       |        ^^^^^^^^^^^^^^^^ here
      help: builds can read it and have the network: give Nix a variable of its own
    "#);
}
