//! A build seed: `nix build` of a changed source in a container without network, as root and as a normal user; and its store
//! paths for the Nix of another machine.

use std::fs;
use std::path::{Path, PathBuf};

use seed_tests::{Docker, Registry, Run, TestEnvironment, build_seed_project, free_port, peer};
use serde_json::Value;

use crate::hello::use_nix;

/// The project, with an application that says who it is for.
fn project(who: &str) -> TestEnvironment {
    let mut environment = TestEnvironment::new();
    use_nix(&mut environment);
    build_seed_project(&environment);
    environment.write("flake/app/who", format!("{who}\n"));
    environment
}

/// What happens in the container. The sources are mounted read-only, as a checkout of CI is.
const BUILD: &str = r#"
busybox cp -r /src /tmp/src
nix build path:/tmp/src --out-link /tmp/result 2> /tmp/log || { busybox cat /tmp/log >&2; exit 1; }
read -r text < /tmp/result
built=$(busybox grep -c '^building ' /tmp/log)
left=$(for path in /nix/store/*; do nix-store --check-validity "$path" || echo "$path"; done)
verified=$(nix-store --verify --check-contents 2>&1 | busybox grep -v nss_dns)
substitute=$(nix show-config | busybox grep '^substitute ')
printf '%s\n' "$text" "built $built" "left [$left]" "$substitute" "$verified"
"#;

#[test]
fn a_changed_source_is_built_in_a_container_without_network() {
    let mut environment = project("world");
    let summary = environment.run_json(&[]);
    let layers = summary["images"][0]["layers"].as_array().unwrap();
    let mut names: Vec<_> = layers.iter().map(|layer| layer["name"].as_str().unwrap()).collect();
    names.dedup();
    assert_eq!(names, ["nix", "base", "inputs", "library", "apps", "checks", "devShells", "overlays"]);

    environment.write("flake/app/who", "there\n");
    let docker = Docker::start();
    let image = docker.load(&environment.work().join("app-build.tar"));
    let mut list = docker.command(&["run", "--rm", "--network", "none", &image]);
    let paths = Run::of(list.args(["busybox", "ls", "/nix/store"])).ok().stdout;
    // Every output of what is built from directly, and what builds take of nixpkgs without naming it.
    for name in ["greeting-1", "greeting-1-dev", "stdenv-linux", "stdenv-no-cc-linux", "bash-interactive-5"] {
        assert!(paths.lines().any(|path| path.ends_with(&format!("-{name}"))), "{name}: {paths}");
    }
    let source = format!("{}:/src:ro", environment.work().join("flake").display());
    for user in ["0:0", "1000:1000"] {
        let mut run =
            docker.command(&["run", "--rm", "--network", "none", "--user", user, "--volume", &source]);
        let ran = Run::of(run.args([&image, "/bin/sh", "-euc", BUILD])).ok();
        insta::allow_duplicates! { insta::assert_snapshot!(ran.stdout, @r"
        Hello, there
        built 1
        left []
        substitute = false
        reading the Nix store...
        checking path existence...
        checking link hashes...
        checking store hashes...
        "); }
    }
    let mut asked =
        docker.command(&["run", "--rm", "--network", "none", "--env", "SEED_SUBSTITUTE=1", &image]);
    let config = Run::of(asked.args(["nix", "show-config"])).ok().stdout;
    assert!(config.contains("\nsubstitute = true\n"), "{config}");
    // By the digest in the lock, in the working directory.
    environment.set("DOCKER_HOST", docker.host());
    let build = "nix build path:./flake --out-link /tmp/result && read -r text < /tmp/result && echo $text";
    let ran = environment.seed(&["exec", "--quiet", "--", "/bin/sh", "-c", build]).ok();
    assert_eq!(ran.stdout, "Hello, there\n", "{}", ran.stderr);

    let mut read_only = docker.command(&["run", "--rm", "--read-only", "--user", "1000", &image]);
    let refused = Run::of(read_only.args(["nix", "--version"])).failed(1);
    assert!(refused.stderr.contains("seed: give it a volume (--volume /nix)"), "{}", refused.stderr);
}

/// Runs `seed cache pull` into a store of its own, as on a machine that has built nothing.
struct OtherMachine<'a> {
    environment: &'a TestEnvironment,
    store: String,
}

impl<'a> OtherMachine<'a> {
    fn new(environment: &'a TestEnvironment) -> Self {
        Self { environment, store: format!("local?root={}", environment.root().join("store").display()) }
    }

    fn pull(&self, args: &[&str]) -> Run {
        self.environment.seed(&[&["cache", "pull", "--json", "--store", &self.store], args].concat())
    }

    /// The error of a pull, for people.
    #[track_caller]
    fn error(&self, code: i32, args: &[&str]) -> String {
        self.environment.error(code, &[&["cache", "pull", "--store", &self.store], args].concat())
    }
}

#[test]
fn a_build_seed_is_the_cache_of_another_machine() {
    let registry = Registry::distribution();
    let environment = project("the first machine");
    let address = registry.address();
    environment.publish_to(address, "org/app-build", "tags = [\"v1\"]");
    environment.sign_with("cosign");
    environment.make_key("other");
    let image = |summary: &Value| format!("{address}/org/app-build@{}", summary["digest"].as_str().unwrap());
    let first = image(&environment.run_json(&[]));

    let other = OtherMachine::new(&environment);
    let tagged = format!("{address}/org/app-build:v1");
    let tag = other.error(5, &[&tagged]).replace(address, "REGISTRY");
    insta::assert_snapshot!(tag, @r#"
    error[seed::pull::tag]: `REGISTRY/org/app-build:v1` is a tag: anyone who can move it decides what your builds use
      help: it now names sha256:[HASH]: pull `REGISTRY/org/app-build@sha256:[HASH]` if that is the image you want, check it with `--lock seed.lock` or `--key cosign.pub`, or accept any image with `--trust-tag`
    "#);
    let unsigned = other.error(6, &[&tagged, "--key", "other.pub"]);
    assert!(unsigned.starts_with("error[seed::verify::unsigned]"), "{unsigned}");
    let pulled = other.pull(&[&tagged, "--key", "cosign.pub"]).ok().json();
    assert_eq!(format!("{address}/org/app-build@{}", pulled["digest"].as_str().unwrap()), first);
    let paths = pulled["paths"].as_u64().unwrap();
    assert_eq!((&pulled["added"], &pulled["skipped"]), (&Value::from(paths), &Value::from(0)), "{pulled}");
    let again = other.pull(&[&first]).ok().json();
    assert_eq!((&again["added"], &again["layers"]), (&Value::from(0), &Value::from(0)), "{again}");

    environment.write("flake/app/who", "the second machine\n");
    let mut build = environment.command(peer("nix"));
    build.args(["build", "path:./flake", "--no-link", "--store", &other.store]);
    let log = Run::of(&mut build).ok().stderr;
    let lines: Vec<_> = log.lines().filter(|line| line.starts_with("building ")).collect();
    assert!(lines.len() == 1 && lines[0].ends_with("-app-1.drv'..."), "{log}");

    // What another release brings is all that is fetched: not the layers with Nix and with what building takes.
    fs::copy(environment.work().join("seed.lock"), environment.work().join("old.lock")).unwrap();
    environment.run_json(&[]);
    let moved = other.error(5, &[&tagged, "--lock", "old.lock"]).replace(address, "REGISTRY");
    insta::assert_snapshot!(moved, @r"
    error[seed::pull::not-locked]: `REGISTRY/org/app-build:v1` is now sha256:[HASH], which does not match old.lock
      help: the tag moved after the lock file was written: pull the locked image by digest, or update the lock file
    ");
    let second = other.pull(&[&tagged, "--lock", "seed.lock"]).ok().json();
    let (added, layers) = (second["added"].as_u64().unwrap(), second["layers"].as_u64().unwrap());
    assert!(added < paths / 2 && layers < pulled["layers"].as_u64().unwrap(), "{second}\n{pulled}");
}

#[test]
fn what_cannot_be_pulled_is_refused() {
    let environment = project("nobody");
    environment.replace("pipeline.toml", ", archive = \"app-build.tar\"", "");
    let other = OtherMachine::new(&environment);
    environment.run_json(&[]);

    let largest = largest_blob(&environment.work().join("result"));
    let whole = fs::read(&largest).unwrap();
    let mut damaged = whole.clone();
    let middle = damaged.len() / 2;
    damaged[middle] ^= 1;
    fs::write(&largest, damaged).unwrap();
    insta::assert_snapshot!(other.error(1, &["result"]), @r#"
    error[seed::pull::failed]: cannot pull `result`
      cause: cannot read layer sha256:[HASH] of result: corrupt gzip stream does not have a matching checksum
    "#);
    fs::write(&largest, whole).unwrap();
    let missing =
        environment.seed(&["cache", "pull", "--json", "--system", "aarch64-linux", "result"]).failed(1);
    insta::assert_snapshot!(missing.json()["error"]["causes"][0], @r#""result has no image for linux/arm64; available: linux/amd64""#);
    let port = free_port();
    let unreachable = other.error(1, &[&format!("127.0.0.1:{port}/org/app@sha256:{}", "0".repeat(64))]);
    insta::assert_snapshot!(unreachable.replace(&port.to_string(), "PORT"), @r#"
    error[seed::pull::failed]: cannot pull `127.0.0.1:PORT/org/app@sha256:0000000000000000000000000000000000000000000000000000000000000000`
      cause: GET http://127.0.0.1:PORT/v2/org/app/manifests/sha256:0000000000000000000000000000000000000000000000000000000000000000 failed: tcp connect error: Connection refused (os error 111)
    "#);

    environment.replace("pipeline.toml", "variant = \"build\"\n", "");
    environment.run_json(&[]);
    insta::assert_snapshot!(other.error(1, &["result"]), @r#"
    error[seed::pull::not-a-build-seed]: `result` is not a build seed: it does not register store paths
      help: pull an image made with `[seed] variant = "build"`
    "#);
}

fn largest_blob(layout: &Path) -> PathBuf {
    let blobs = fs::read_dir(layout.join("blobs/sha256")).unwrap().map(|entry| entry.unwrap().path());
    blobs.max_by_key(|path| fs::metadata(path).unwrap().len()).unwrap()
}

#[test]
fn what_a_build_seed_lacks_is_said() {
    let environment = project("nobody");
    let error = |from: &str, to: &str| {
        let pipeline = environment.read("pipeline.toml");
        environment.replace("pipeline.toml", from, to);
        let failed = environment.seed(&["run", "--quiet"]).failed(3);
        environment.write("pipeline.toml", pipeline);
        environment.redact(&failed.stderr)
    };
    let variant = "variant = \"build\"\n";
    insta::assert_snapshot!(error(variant, &format!("{variant}nix = \"nixx\"\n")), @r#"
    error[seed::nix::no-attribute]: flake `path:./flake` has no attribute `nixx` for x86_64-linux
     --> pipeline.toml:9:7
      |
    8 | variant = "build"
    9 | nix = "nixx"
      |       ^^^^^^
      help: did you mean `nix`?
    "#);
    insta::assert_snapshot!(error(variant, &format!("{variant}builds = [\"default\", \"sed\"]\n")), @r#"
    error[seed::nix::no-attribute]: flake `path:./flake` has no attribute `sed` for x86_64-linux
     --> pipeline.toml:9:22
      |
    8 | variant = "build"
    9 | builds = ["default", "sed"]
      |                      ^^^^^
      help: did you mean `seed`?
    "#);
    environment.replace("flake/flake.nix", "        nix = pkgs.nix;\n", "");
    insta::assert_snapshot!(error(variant, variant), @r#"
    error[seed::nix::no-attribute]: flake `path:./flake` has no attribute `nix` for x86_64-linux
     --> pipeline.toml:8:11
      |
    7 | name = "app-build"
    8 | variant = "build"
      |           ^^^^^^^
      help: a build seed contains Nix itself: add it to the flake, such as `packages.<system>.nix = nixpkgs.legacyPackages.<system>.nix`, or name its attribute with `[seed] nix = "…"`
    "#);
}
