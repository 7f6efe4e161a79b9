//! The GitHub action, run as a runner runs it.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use seed_tests::{Action, Job, Registry, Run, TestEnvironment, peer, repository, runner_temp, seed_program};

use crate::hello::NIX_CONFIG;

const TOKEN: &str = "s3cr3t-t0ken";

/// `TOKEN` as htpasswd keeps it.
const USERS: &str = "octocat:$2y$05$abcdefghijklmnopqrstuuKZZwGPFQToQFMewbv7uPTWVtT0jOTa.\n";

/// A checkout of a repository with this example's files, on a runner that has `seed` and Nix.
fn checkout(example: &str) -> TestEnvironment {
    let mut environment = TestEnvironment::with_example(example);
    let programs = environment.root().join("bin");
    fs::create_dir(&programs).unwrap();
    symlink(seed_program(), programs.join("seed")).unwrap();
    environment.set("PATH", format!("{}:{}", programs.display(), environment.variable("PATH")));
    // Nix may substitute, but there is nothing to ask here.
    environment
        .set("NIX_CONFIG", format!("{NIX_CONFIG}sandbox-paths = /bin/sh=/bin/bash-static\nsubstituters =\n"));
    for (name, value) in [
        ("CI", "true"),
        ("GITHUB_ACTOR", "octocat"),
        ("GITHUB_REPOSITORY", "Octo-Org/Hello_World"),
        ("GIT_CONFIG_GLOBAL", "/dev/null"),
        ("GIT_AUTHOR_NAME", "test"),
        ("GIT_AUTHOR_EMAIL", "test@example.com"),
        ("GIT_AUTHOR_DATE", "2026-01-01T00:00:00Z"),
        ("GIT_COMMITTER_NAME", "test"),
        ("GIT_COMMITTER_EMAIL", "test@example.com"),
        ("GIT_COMMITTER_DATE", "2026-01-01T00:00:00Z"),
    ] {
        environment.set(name, value);
    }
    for arguments in [&["init", "--quiet"][..], &["add", "."], &["commit", "--quiet", "--message", "one"]] {
        Run::of(environment.command(peer("git")).args(arguments)).ok();
    }
    environment
}

fn head(environment: &TestEnvironment) -> String {
    let run = Run::of(environment.command(peer("git")).args(["rev-parse", "HEAD"])).ok();
    run.stdout.trim().to_owned()
}

fn skopeo(arguments: &[&str]) -> Run {
    let login = format!("octocat:{TOKEN}");
    let mut command = std::process::Command::new(peer("skopeo"));
    Run::of(command.args(arguments).args(["--tls-verify=false", "--creds", &login]))
}

/// No secret is in what the job showed or left.
#[track_caller]
fn keeps_secrets(job: &Job, environment: &TestEnvironment, secrets: &[&str]) {
    for secret in secrets {
        assert!(!job.log.contains(secret) && !job.summary.contains(secret), "{}", job.log);
    }
    let left = fs::read_dir(runner_temp(environment)).unwrap().map(|entry| entry.unwrap().file_name());
    let left: Vec<_> = left.filter(|name| !name.to_string_lossy().starts_with("seed-image.")).collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn with_a_token_the_image_is_signed_and_published() {
    let registry = Registry::distribution_for(USERS);
    let mut environment = checkout("hello/flake");
    environment.make_key("cosign");
    let key = environment.read("cosign.key");
    environment.set("COSIGN_PRIVATE_KEY", &key);
    let address = registry.address();
    let inputs = [
        ("github_token", TOKEN),
        ("registry", address),
        ("tags", "{commit}, v1"),
        ("tag_latest", "true"),
        ("sign", "true"),
    ];
    let job = Action::load().run(&environment, &inputs).ok();
    keeps_secrets(&job, &environment, &[TOKEN, key.lines().nth(1).unwrap()]);

    let digest = &job.outputs["digest"];
    let image = format!("{address}/octo-org/hello_world");
    assert_eq!(job.outputs["image"], format!("{image}@{digest}"));
    assert_eq!(job.outputs["archive"], "");
    for tag in ["v1", "latest", &head(&environment)] {
        let found = skopeo(&["inspect", "--format", "{{.Digest}}", &format!("docker://{image}:{tag}")]).ok();
        assert_eq!(found.stdout.trim(), digest);
    }
    let tags = skopeo(&["list-tags", &format!("docker://{image}")]).ok().stdout;
    assert!(tags.contains(&format!("{}.sig", digest.replace(':', "-"))), "{tags}");

    let summary = environment.redact(&job.summary).replace(address, "[REGISTRY]");
    insta::assert_snapshot!(summary.replace(&head(&environment), "[COMMIT]"), @"
    ## hello-world

    `sha256:[HASH]`

    **linux/amd64**: 4 layers, 1.9 KiB

    | Layer | Size | Store paths | Digest | |
    | :-- | --: | --: | :-- | :-- |
    | base | 498 B | 2 | `sha256:[HASH]…` | packed |
    | library | 483 B | 2 | `sha256:[HASH]…` | packed |
    | apps | 657 B | 2 | `sha256:[HASH]…` | packed |
    | apps | 286 B | 0 | `sha256:[HASH]…` | packed |

    Published:

    - `[REGISTRY]/octo-org/hello_world:[COMMIT]`
    - `[REGISTRY]/octo-org/hello_world:v1`
    - `[REGISTRY]/octo-org/hello_world:latest`

    Verify:

    ```sh
    cosign verify --key cosign.pub --insecure-ignore-tlog=true [REGISTRY]/octo-org/hello_world@sha256:[HASH]
    ```
    ");
}

#[test]
fn without_a_token_the_image_is_built_only() {
    let environment = checkout("hello/flake");
    let job = Action::load().run(&environment, &[("sign", "true")]).ok();
    keeps_secrets(&job, &environment, &[]);
    assert!(job.outputs["digest"].starts_with("sha256:"), "{:?}", job.outputs);
    assert_eq!(job.outputs["image"], "");
    let archive = format!("docker-archive:{}", job.outputs["archive"]);
    let raw = Run::of(environment.command(peer("skopeo")).args(["inspect", "--config", &archive])).ok();
    assert_eq!(raw.json()["os"], "linux");
}

/// An example's own pipeline file, with a registry added.
fn with_pipeline(registry: &Registry) -> TestEnvironment {
    let environment = checkout("directories");
    environment.publish_to(registry.address(), "octo-org/site", "tags = [\"v2\"]");
    environment
}

#[test]
fn a_pipeline_file_says_everything_and_its_lock_is_kept() {
    let registry = Registry::distribution_for(USERS);
    let environment = with_pipeline(&registry);
    let action = Action::load();
    let login = [("github_token", TOKEN), ("registry", registry.address())];

    let built = action.run(&environment, &[]).ok();
    assert_eq!(built.outputs["image"], "");
    assert!(!environment.path("result").exists(), "nothing is published without a token");

    let published = action.run(&environment, &login).ok();
    keeps_secrets(&published, &environment, &[TOKEN]);
    let image = format!("{}/octo-org/site@{}", registry.address(), built.outputs["digest"]);
    assert_eq!(published.outputs["image"], image);
    skopeo(&["inspect", &format!("docker://{image}")]).ok();

    // The lock that the first run wrote is kept to.
    let lock = environment.read("seed.lock");
    environment.write("seed.lock", lock.replace("version = \"0.1.0\"", "version = \"0.0.9\""));
    assert_eq!(action.run(&environment, &login).code, Some(5));
}

#[test]
fn wrong_inputs_and_pipelines_are_errors_of_the_step() {
    let registry = Registry::distribution_for(USERS);
    let environment = with_pipeline(&registry);
    let action = Action::load();
    let error = |inputs: &[(&str, &str)]| {
        let job = action.run(&environment, inputs);
        keeps_secrets(&job, &environment, &[TOKEN]);
        let errors: Vec<_> = job.log.lines().filter(|line| line.starts_with("::error")).collect();
        environment
            .redact(&format!("{:?} {}", job.code, errors.join("\n")))
            .replace(registry.address(), "[REGISTRY]")
    };
    insta::assert_snapshot!(error(&[("tags", "v1")]), @"Some(2) ::error title=seed::the input tags has no effect because pipeline.toml exists: set it there, or remove the input");
    insta::assert_snapshot!(error(&[("tag_latest", "yes\n::add-path::/tmp")]), @"Some(2) ::error title=seed::the input tag_latest must be true or false, not yes%0A::add-path::/tmp");
    insta::assert_snapshot!(error(&[("registry", "https://example.com/x")]), @"Some(2) ::error title=seed::the input registry must be HOST or HOST:PORT, not https://example.com/x");
    insta::assert_snapshot!(error(&[("pipeline", "other.toml")]), @"Some(2) ::error title=seed%3A%3Apipeline%3A%3Anot-found::pipeline file not found: other.toml%0Ahelp: run `seed init` to write one for the flake in this directory, or name another file: `seed run PATH`");
    insta::assert_snapshot!(error(&[("record", "x86_64-linux.json")]), @"Some(2) ::error title=seed::the inputs record and index require github_token, because they need published images");
    let token = [("github_token", "wrong"), ("registry", registry.address())];
    insta::assert_snapshot!(error(&token), @r#"Some(7) ::error title=seed%3A%3Astage%3A%3Aauth,file=pipeline.toml,line=28,col=10::plugin `registry-publisher` 0.1.0 ([HASH]) failed in `publish`: cannot authenticate to `[REGISTRY]`: it rejected its own token or the stored credential for http://[REGISTRY]/v2/octo-org/site/manifests/sha256:[HASH]; run `docker login [REGISTRY]`%0Ahelp: run `docker login HOST`, and grant the credentials: grants = { credentials = ["HOST"] }"#);
    insta::assert_snapshot!(error(&[token[0], ("record", "all.json")]), @"Some(2) ::error title=seed::the input record requires one system in the input systems");
    insta::assert_snapshot!(error(&[token[0], ("index", "site")]), @"Some(2) ::error title=seed::no records in the directory site");
    environment.replace("pipeline.toml", "compression", "compresion");
    insta::assert_snapshot!(error(&[]), @"Some(2) ::error title=seed%3A%3Aconfig%3A%3Aunknown-key,file=pipeline.toml,line=21,col=25::pipeline.toml: oci-packer 0.1.0 has no option `compresion`%0Ahelp: did you mean `compression`?");
    fs::remove_file(environment.path("pipeline.toml")).unwrap();
    insta::assert_snapshot!(error(&[("sign", "true"), token[0], token[1]]), @"Some(2) ::error title=seed::sign is true, but the variable COSIGN_PRIVATE_KEY is empty: set it from a secret");
}

/// Programs that stand for those that would change this machine: each appends its arguments to `calls` beside `directory`, and
/// its environment to `seen`.
fn stand_in(directory: &Path, name: &str, more: &str) {
    let beside = directory.parent().unwrap().display();
    let script = format!(
        "#!/bin/bash\nprintf '%s\\n' \"{name} $*\" >> \"{beside}/calls\"\nenv >> \"{beside}/seen\"\n{more}\n"
    );
    let path = directory.join(name);
    fs::write(&path, script).unwrap();
    Run::of(std::process::Command::new("chmod").arg("755").arg(&path)).ok();
}

#[test]
fn a_bare_runner_gets_what_is_missing() {
    let mut environment = checkout("directories");
    let (bare, calls) = (environment.root().join("bare"), environment.root().join("calls"));
    fs::create_dir(&bare).unwrap();
    for program in [
        "bash", "cat", "dirname", "env", "mkdir", "mktemp", "od", "rm", "tr", "basename", "sed", "base64",
        "ln",
    ] {
        let found = ["/usr/bin", "/bin"].map(|directory| Path::new(directory).join(program));
        symlink(found.iter().find(|path| path.exists()).unwrap(), bare.join(program)).unwrap();
    }
    // As root: the distribution's packages, and `seed` from the action's own sources.
    stand_in(&bare, "id", "echo 0");
    let packages = "case $* in *jq*) PROGRAMS=jq ;; *nix-bin*) PROGRAMS='nix nix-store' ;; esac";
    let link = format!("for program in $PROGRAMS; do ln -s /usr/bin/$program {}; done", bare.display());
    stand_in(&bare, "apt-get", &format!("{packages}\n{link}"));
    let install = format!(
        "while [ \"$1\" != --root ]; do shift; done; mkdir -p \"$2/bin\"; ln -s {} \"$2/bin/seed\"",
        seed_program().display()
    );
    stand_in(&bare, "cargo", &format!("PATH=/usr/bin:/bin; {install}"));
    environment.set("PATH", &bare);
    environment.set("NIX_CONFIG", "access-tokens = example.com=s3cr3t");
    environment.set("NIX_CONF_DIR", environment.root().join("etc-nix"));
    environment.set("COSIGN_PRIVATE_KEY", "s3cr3t");
    environment.set("COSIGN_PASSWORD", "s3cr3t");
    environment.set("DEPLOY_TOKEN", "s3cr3t");
    let job = Action::load().run(&environment, &[("github_token", "")]).ok();
    assert!(job.outputs["digest"].starts_with("sha256:"), "{:?}", job.outputs);
    let seen = fs::read_to_string(environment.root().join("seen")).unwrap();
    assert!(seen.contains("PATH=") && !seen.contains("s3cr3t"), "{seen}");
    let configuration = fs::read_to_string(environment.root().join("etc-nix/nix.conf")).unwrap();
    insta::assert_snapshot!(configuration, @"
    build-users-group =
    sandbox-paths = /bin/sh=/bin/bash-static
    ");
    assert!(job.variables.is_empty(), "steps that follow get variables: {:?}", job.variables);
    let calls = fs::read_to_string(calls).unwrap().replace(repository().to_str().unwrap(), "[ACTION]");
    insta::assert_snapshot!(environment.redact(&calls), @"
    id -u
    apt-get update -qq
    id -u
    apt-get install -y -qq --no-install-recommends jq
    id -u
    id -u
    apt-get update -qq
    id -u
    apt-get install -y -qq --no-install-recommends nix-bin bash-static git
    cargo install --locked --quiet --no-track --path [ACTION]/host/cli --root [ROOT]/runner-temp/seed --target-dir [ROOT]/runner-temp/seed-target
    ");
}

#[test]
fn a_job_per_system_records_and_one_composes_the_index() {
    let registry = Registry::distribution_for(USERS);
    let environment = with_pipeline(&registry);
    environment.replace(
        "pipeline.toml",
        "[source.directories]",
        "[source]\nsystems = [\"x86_64-linux\", \"aarch64-linux\"]\n[source.directories]",
    );
    let action = Action::load();
    let login = [("github_token", TOKEN), ("registry", registry.address())];
    fs::create_dir(environment.path("records")).unwrap();
    let tag = format!("docker://{}/octo-org/site:v2", registry.address());
    for system in ["x86_64-linux", "aarch64-linux"] {
        let record = format!("records/{system}.json");
        let inputs = [&login[..], &[("systems", system), ("record", &record)]].concat();
        let job = action.run(&environment, &inputs).ok();
        assert!(job.outputs["image"].ends_with(&format!("/octo-org/site@{}", job.outputs["digest"])));
        assert_ne!(skopeo(&["inspect", &tag]).code, Some(0), "only the index is tagged");
    }

    let job = action.run(&environment, &[&login[..], &[("index", "records")]].concat()).ok();
    let index = skopeo(&["inspect", "--raw", &tag]).ok().json();
    let mut platforms: Vec<_> = index["manifests"]
        .as_array()
        .unwrap()
        .iter()
        .map(|image| &image["platform"]["architecture"])
        .collect();
    platforms.sort_by_key(ToString::to_string);
    assert_eq!(platforms, ["amd64", "arm64"]);
    assert!(job.summary.contains("**linux/arm64**"), "{}", job.summary);
    let at_digest = format!("docker://{}", job.outputs["image"]);
    assert_eq!(skopeo(&["inspect", "--raw", &at_digest]).ok().json(), index);
}
