//! The examples of real programs, built by real Nix without a network, and run by Docker.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::Stdio;
use std::thread;

use seed_tests::{Docker, Run, TestEnvironment, repository};

use crate::hello::NIX_CONFIG;

/// A copy of an example, whose flake is locked to this machine's packages instead of nixpkgs.
fn offline(example: &str, sets: &[&str]) -> TestEnvironment {
    let mut environment = TestEnvironment::with_example(example);
    // There is no cache to take packages from.
    environment
        .set("NIX_CONFIG", format!("{NIX_CONFIG}sandbox-paths = /bin/sh=/bin/bash-static\nsubstituters =\n"));
    let mut command = environment.command(repository().join("examples/offline/prepare"));
    command.args(["flake", "../offline"]).args(sets).env("RUSTC", rustc());
    Run::of(&mut command).ok();
    environment
}

/// The compiler that these tests are made with; it is beside cargo.
fn rustc() -> PathBuf {
    PathBuf::from(std::env::var_os("CARGO").unwrap()).with_file_name("rustc")
}

/// Builds the image of a pipeline file; gives its name in the daemon.
fn image(docker: &Docker, environment: &TestEnvironment, pipeline: &str, archive: &str) -> String {
    environment.run_json(&[pipeline]);
    docker.load(&environment.work().join(archive))
}

fn container(docker: &Docker, arguments: &[&str]) -> std::process::Command {
    docker.command(&[&["run", "--rm", "--interactive", "--network", "none"], arguments].concat())
}

#[test]
fn programs_in_three_languages_run_without_network() {
    let docker = &Docker::start();
    thread::scope(|scope| {
        scope.spawn(|| python_serves_http(docker));
        scope.spawn(|| cpp_reads_its_input(docker));
        scope.spawn(|| rust_reads_its_arguments(docker));
    });
}

fn python_serves_http(docker: &Docker) {
    let environment = offline("python", &["python"]);
    let image = image(docker, &environment, "pipeline.toml", "greeter.tar");
    let name = "greeter";
    Run::of(&mut docker.command(&["run", "--detach", "--name", name, "--network", "none", &image])).ok();
    // Asked from inside, since nothing outside can reach it.
    let client = "import time, urllib.request\n\
        for attempt in range(100):\n\
        \x20   try:\n\
        \x20       print(urllib.request.urlopen('http://127.0.0.1:8000/seed').read().decode(), end='')\n\
        \x20       break\n\
        \x20   except OSError:\n\
        \x20       time.sleep(0.1)\n";
    let answer = Run::of(&mut docker.command(&["exec", name, "python3", "-c", client])).ok();
    assert_eq!(answer.stdout, "Hello, seed!\n");
    Run::of(&mut docker.command(&["rm", "--force", name])).ok();
}

fn cpp_reads_its_input(docker: &Docker) {
    let environment = offline("cpp", &["c++", "nix"]);
    let image = image(docker, &environment, "pipeline.toml", "wordcount.tar");
    let mut child =
        container(docker, &[&image]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"seed flake seed\n").unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "2 seed\n1 flake\n");
    cpp_is_built_in_a_container(docker, &environment);
}

/// The build seed holds a real compiler, and Nix: a changed source is built in it.
fn cpp_is_built_in_a_container(docker: &Docker, environment: &TestEnvironment) {
    let image = image(docker, environment, "build.toml", "wordcount-build.tar");
    environment.replace("flake/src/wordcount.cpp", "<< ' ' <<", "<< \" times \" <<");
    let sources = format!("{}:/src:ro", environment.work().join("flake").display());
    let script = "cp -r /src /tmp/src; nix build path:/tmp/src --out-link /tmp/result; \
        echo seed flake seed | /tmp/result/bin/wordcount";
    let arguments = ["--user", "1000:1000", "--volume", &sources, &image, "/bin/sh", "-euc", script];
    let run = Run::of(&mut container(docker, &arguments)).ok();
    assert_eq!(run.stdout, "2 times seed\n1 times flake\n");
    let built: Vec<_> = run.stderr.lines().filter(|line| line.starts_with("building ")).collect();
    assert!(built.len() == 1 && built[0].contains("-wordcount-1.0.drv"), "{}", run.stderr);
}

fn rust_reads_its_arguments(docker: &Docker) {
    let environment = offline("rust", &["rust"]);
    let image = image(docker, &environment, "pipeline.toml", "primes.tar");
    let run = Run::of(&mut container(docker, &[&image, "12"])).ok();
    assert_eq!(run.stdout, "2\n3\n5\n7\n11\n");
}
