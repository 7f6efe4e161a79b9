//! Docker loads the archive and runs the program.

use seed_tests::{Docker, Run};

use crate::hello::hello;

#[test]
fn docker_loads_the_archive_and_runs_the_program_without_network() {
    let environment = hello();
    environment.run_json(&[]);
    let docker = Docker::start();
    let image = docker.load(&environment.work().join("hello.tar"));
    let run = Run::of(&mut docker.command(&["run", "--rm", "--network", "none", &image])).ok();
    assert_eq!(run.stdout, "Hello from seed!\n");
}
