//! References mean what they say, whatever lies in the working directory.

use std::fs;

use seed_model::Digest;
use seed_tests::{Fault, HostileRegistry, Layout, TestEnvironment};

/// The directories example, signed with `release` and published as `result` and `site.tar`.
fn published() -> TestEnvironment {
    let environment = TestEnvironment::with_example("directories");
    environment.sign_with("release");
    environment.run_json(&[]);
    environment
}

/// The digest of the image in `result`.
fn digest(environment: &TestEnvironment) -> String {
    Layout::open(environment.path("result")).images()[0]["digest"].as_str().unwrap().to_owned()
}

#[test]
fn a_directory_does_not_answer_for_a_registry() {
    let environment = published();
    let registry = HostileRegistry::start(Fault::None);
    let other = Digest::of(b"another image");
    let name = format!("{}/org/app", registry.address());
    // A directory with the name of the repository, one with that of the whole reference, and one that ends at its colon.
    for reference in [format!("{name}:v1"), format!("{name}@{other}"), format!("{name}@sha256")] {
        let copy = environment.path(&reference);
        fs::create_dir_all(copy.parent().unwrap()).unwrap();
        fs::rename(environment.path("result"), copy).unwrap();
        environment.run_json(&["--locked"]);
    }
    fs::rename(environment.path("result"), environment.path(&name)).unwrap();
    let shown = |text: String| text.replace(registry.address(), "HOST:PORT");
    for reference in [format!("{name}:v1"), format!("{name}@{other}")] {
        let asked = registry.requests().len();
        let verified = environment.error(1, &["verify", &reference, "--key", "release.pub"]);
        let inspected = environment.error(1, &["inspect", &reference]);
        assert_eq!(registry.requests().len(), asked + 2);
        if reference.contains('@') {
            insta::assert_snapshot!(shown(verified), @"
            error[seed::verify::image]: cannot verify `HOST:PORT/org/app@sha256:[HASH]`: the image is incomplete or unreadable
              cause: HOST:PORT/org/app has no image `sha256:[HASH]`
              help: `HOST:PORT/org/app@sha256:[HASH]` names a registry; for the directory or file of that name, write `./HOST:PORT/org/app@sha256:[HASH]`
            ");
            insta::assert_snapshot!(shown(inspected), @"
            error[seed::inspect::failed]: cannot inspect `HOST:PORT/org/app@sha256:[HASH]`
              cause: HOST:PORT/org/app has no image `sha256:[HASH]`
              help: `HOST:PORT/org/app@sha256:[HASH]` names a registry; for the directory or file of that name, write `./HOST:PORT/org/app@sha256:[HASH]`
            ");
        }
    }
    environment.seed(&["verify", &format!("./{name}"), "--key", "release.pub"]).ok();
}

#[test]
fn a_digest_is_compared_in_a_directory_and_in_an_archive() {
    let environment = published();
    let (right, wrong) = (digest(&environment), Digest::of(b"another image"));
    for place in ["result", "./site.tar", "oci:result", "oci-archive:site.tar:latest"] {
        let verify = |digest: &str| {
            environment.seed(&["verify", &format!("{place}@{digest}"), "--key", "release.pub"])
        };
        assert!(verify(&right).ok().stdout.contains(&right));
        let failed = verify(&wrong.to_string()).failed(1).stderr;
        assert!(failed.contains(&format!("contains {right}, not {wrong}")), "{failed}");
    }
}

#[test]
fn a_reference_without_a_slash_is_a_path_and_others_are_not() {
    let environment = published();
    insta::assert_snapshot!(environment.error(2, &["inspect", "alpine"]), @"error[seed::inspect::reference]: invalid image reference `alpine`: `alpine` does not exist; on Docker Hub, it is `docker.io/alpine`");
    insta::assert_snapshot!(environment.error(2, &["inspect", "work/result"]), @"error[seed::inspect::reference]: invalid image reference `work/result`: `work` is not a registry host (Docker Hub is `docker.io`); for a directory or file, write `./work/result`");
    insta::assert_snapshot!(environment.error(2, &["inspect", "docker://ghcr.io/org/app"]), @"error[seed::inspect::reference]: invalid image reference `docker://ghcr.io/org/app`: `docker://` is not part of a reference; write `ghcr.io/org/app`");
    insta::assert_snapshot!(environment.error(2, &["cache", "pull", "org/app:v1"]), @"error[seed::pull::reference]: invalid image reference `org/app:v1`: `org` is not a registry host (Docker Hub is `docker.io`); for a directory or file, write `./org/app:v1`");
    insta::assert_snapshot!(environment.error(1, &["inspect", "result:late"]), @"
    error[seed::inspect::failed]: cannot inspect `result:late`
      cause: result has no image `late`; available: latest
    ");
    let summary = environment.seed(&["inspect", "--json", "result"]).ok().json();
    for reference in ["site.tar:latest", "oci:result:latest", "docker-archive:site.tar:site:latest"] {
        let inspected = environment.seed(&["inspect", "--json", reference]).ok().json();
        assert_eq!(inspected["image"]["digest"], summary["image"]["digest"], "{reference}");
    }
}

#[test]
fn the_archive_of_several_systems_says_the_same_to_all_tools() {
    let environment = TestEnvironment::with_example("directories");
    environment.replace(
        "pipeline.toml",
        "[source.directories]",
        "[source]\nsystems = [\"x86_64-linux\", \"aarch64-linux\"]\n\n[source.directories]",
    );
    let summary = environment.run_json(&[]);
    let digest = |reference: &str| {
        let inspected = environment.seed(&["inspect", "--json", reference]).ok().json();
        inspected["image"]["digest"].clone()
    };
    assert_eq!(digest("site.tar"), summary["digest"]);
    assert_eq!(digest("oci-archive:site.tar:latest"), summary["digest"]);
    for image in summary["images"].as_array().unwrap() {
        let name = format!("docker-archive:site.tar:site:latest-{}", image["system"].as_str().unwrap());
        assert_eq!(digest(&name), image["digest"], "{name}");
        assert_eq!(digest(&format!("result@{}", image["digest"].as_str().unwrap())), image["digest"]);
    }
}
