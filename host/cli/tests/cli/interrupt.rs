//! A signal ends the command and the programs that it started.

use std::fs;
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use seed_tests::{Run, TestEnvironment};

/// Stands in for Nix: says its version, and otherwise writes its process id and waits.
const NIX: &str = "#!/bin/sh\n\
    [ \"$1\" = --version ] && { echo 'nix (Nix) 2.18.0'; exit; }\n\
    echo $$ > \"${0%/*}/../pid.new\" && mv \"${0%/*}/../pid.new\" \"${0%/*}/../pid\" && exec sleep 600\n";

#[test]
fn a_signal_stops_what_was_started() {
    let mut environment = TestEnvironment::new();
    environment.write_program("nix/nix", NIX);
    environment.write_program("nix/nix-store", NIX);
    environment.set("SEED_NIX", environment.path("nix"));
    environment.write(
        "pipeline.toml",
        "schema = 1\n[source]\nflake = \".\"\n[seed]\nname = \"a\"\n[[publish]]\nplugin = \"builtin:oci-layout\"\nconfig = { path = \"result\" }\n",
    );
    let mut command = environment.seed_command(&["plan"]);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let nix = wait_for(|| fs::read_to_string(environment.path("pid")).ok());
    let nix = Pid::from_raw(nix.trim().parse().unwrap()).unwrap();

    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    let run = Run::from(child.wait_with_output().unwrap());

    insta::assert_snapshot!(environment.shown(&run), @"
    exit code: 130
    ----- stdout -----
    ----- stderr -----
    error[seed::cli::interrupted]: interrupted
      help: run the command again to continue: finished work is cached
    ");
    assert!(test_kill_process(nix).is_err(), "Nix still runs");
}

fn wait_for<T>(mut get: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + Duration::from_mins(1);
    loop {
        if let Some(found) = get() {
            return found;
        }
        assert!(Instant::now() < deadline, "waited for a minute");
        thread::sleep(Duration::from_millis(20));
    }
}
