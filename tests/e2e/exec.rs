//! `seed exec`: commands in the locked seed, in real containers.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::symlink;
use std::process::Stdio;

use seed_tests::{Docker, Registry, Run, TestEnvironment, peer};

/// An image with a shell, published to a layout, an archive and a registry.
fn shell(registry: &Registry, docker: &Docker) -> TestEnvironment {
    let mut environment = local_shell();
    environment.publish_to(registry.address(), "org/shell", "tags = [\"v1\"]");
    environment.set("DOCKER_HOST", docker.host());
    environment
}

/// An image with a shell, published to a layout and an archive.
fn local_shell() -> TestEnvironment {
    let environment = TestEnvironment::with_example("directories");
    environment.write_program("base/bin/bash", fs::read(peer("bash-static")).unwrap());
    symlink("bash", environment.path("base/bin/sh")).unwrap();
    environment
}

/// A storage of its own for Podman, and settings with which it runs inside of a container too.
fn use_podman(environment: &mut TestEnvironment) {
    assert!(peer("podman").exists());
    let directory = environment.root().join("podman");
    fs::create_dir(&directory).unwrap();
    let storage = format!(
        "[storage]\ndriver = \"vfs\"\ngraphroot = \"{0}/storage\"\nrunroot = \"{0}/run\"\n",
        directory.display()
    );
    fs::write(directory.join("storage.conf"), storage).unwrap();
    let containers = "[containers]\ndefault_ulimits = [\"nofile=1024:1024\", \"nproc=1024:1024\"]\n\
                      [engine]\ncgroup_manager = \"cgroupfs\"\nevents_logger = \"file\"\nruntime = \"runc\"\n";
    fs::write(directory.join("containers.conf"), containers).unwrap();
    environment.set("CONTAINERS_STORAGE_CONF", directory.join("storage.conf"));
    environment.set("CONTAINERS_CONF", directory.join("containers.conf"));
}

#[test]
fn podman_runs_them_where_docker_does_not_answer() {
    let mut environment = local_shell();
    use_podman(&mut environment);
    environment.replace(
        "pipeline.toml",
        "[source.directories]",
        "[source]\nsystems = [\"x86_64-linux\", \"aarch64-linux\"]\n\n[source.directories]",
    );
    environment.run_json(&[]);
    // The image is one of the index in the layout.
    environment.set("SEED_CACHE_DIR", environment.root().join("elsewhere"));
    environment.set("DOCKER_HOST", format!("unix://{}/no.sock", environment.root().display()));
    let script = "echo $PWD; echo /sys/class/net/*; echo made > made; exit 7";
    for _ in ["loaded", "there already"] {
        let run = environment.seed(&["exec", "--quiet", "--", "sh", "-c", script]).failed(7);
        assert_eq!(run.stdout, "/work\n/sys/class/net/lo\n", "{}", run.stderr);
        assert_eq!(environment.read("made"), "made\n");
    }
    let failed = environment.seed(&["exec", "--quiet", "--container-engine", "docker"]).failed(1);
    assert!(failed.stderr.contains("seed::exec::no-engine"), "{}", failed.stderr);
}

#[test]
fn commands_run_in_the_locked_seed_without_network() {
    let (registry, docker) = (Registry::distribution(), Docker::start());
    let mut environment = shell(&registry, &docker);
    environment.run_json(&[]);

    let script = "read line; echo $line $PWD; echo /sys/class/net/*; echo made > made; exit 7";
    for args in [&["exec", "--", "sh", "-c", script][..], &["run", "--use-seed", "--", "sh", "-c", script]] {
        let mut command = environment.seed_command(args);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(b"input\n").unwrap();
        let output = child.wait_with_output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(7), "{stderr}");
        assert_eq!(String::from_utf8_lossy(&output.stdout), "input /work\n/sys/class/net/lo\n", "{stderr}");
        assert_eq!(environment.read("made"), "made\n");
        fs::remove_file(environment.work().join("made")).unwrap();
    }

    // On another machine nothing has the image but the registry, where somebody has moved the tag.
    let other = shell(&registry, &docker);
    other.write("apps/srv/www/more.html", "more");
    let moved = other.run_json(&[]);
    assert_ne!(moved["digest"], environment.run_json(&["--locked", "--no-publish"])["digest"]);
    fs::remove_dir_all(environment.work().join("result")).unwrap();
    fs::remove_file(environment.work().join("site.tar")).unwrap();
    environment.set("SEED_CACHE_DIR", environment.root().join("elsewhere"));
    Run::of(&mut docker.command(&["image", "prune", "--all", "--force"])).ok();
    let run = environment.seed(&["exec", "--", "sh", "-c", "echo /srv/www/*"]).ok();
    assert!(!run.stdout.contains("more.html"), "{}", run.stdout);
    assert!(run.stderr.contains(moved["digest"].as_str().unwrap()), "{}", run.stderr);
    assert!(run.stderr.contains("using the locked image"), "{}", run.stderr);

    // Whoever publishes next hears of it too.
    let run = environment.seed(&["run"]).ok();
    assert!(run.stderr.contains("someone else has published there"), "{}", run.stderr);
    assert!(!environment.seed(&["run"]).ok().stderr.contains("someone else"));

    // A layout that was tampered with is no source of the image.
    let layer = fs::read_dir(other.work().join("result/blobs/sha256")).unwrap();
    let largest =
        layer.map(|entry| entry.unwrap()).max_by_key(|entry| entry.metadata().unwrap().len()).unwrap();
    let mut bytes = fs::read(largest.path()).unwrap();
    bytes[100] ^= 1;
    fs::write(largest.path(), bytes).unwrap();
    let mut other = other;
    other.set("SEED_CACHE_DIR", other.root().join("elsewhere"));
    let error = other.error(1, &["exec", "--quiet", "--", "true"]);
    insta::assert_snapshot!("a_layout_that_was_tampered_with", error);
}
