//! `kill -9` at any moment leaves a state from which the next run succeeds.

use std::process::Stdio;
use std::thread;
use std::time::Instant;

use seed_tests::{Layout, TestEnvironment};

/// How many times the run is killed, at moments spread over its duration.
const MOMENTS: u32 = 12;

#[test]
fn a_run_after_a_kill_at_any_moment_succeeds() {
    let whole = project();
    let start = Instant::now();
    let expected = whole.run_json(&[])["digest"].clone();
    let duration = start.elapsed();

    let environment = project();
    for moment in 1..=MOMENTS {
        let mut run = environment
            .seed_command(&["run", "--quiet"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        thread::sleep(duration * moment / (MOMENTS + 1));
        run.kill().unwrap();
        run.wait().unwrap();
        // What is published is whole or absent.
        if environment.path("result/index.json").exists() {
            let layout = Layout::open(environment.path("result"));
            for image in layout.images() {
                for layer in layout.document(&image)["layers"].as_array().unwrap() {
                    layout.blob(layer);
                }
            }
        }
    }
    assert_eq!(environment.run_json(&[])["digest"], expected);
    let layout = Layout::open(environment.path("result"));
    assert_eq!(layout.blobs(), Layout::open(whole.path("result")).blobs());
}

/// A project that takes a while: plugins are compiled, and 8 MiB do not compress to nothing.
fn project() -> TestEnvironment {
    let environment = TestEnvironment::with_example("directories");
    environment.forget_compiled_plugins();
    let mut state = 1_u32;
    let bytes: Vec<u8> = (0..8 << 20)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            state.to_be_bytes()[0] & 0x3f
        })
        .collect();
    environment.write("apps/srv/data", bytes);
    environment
}
