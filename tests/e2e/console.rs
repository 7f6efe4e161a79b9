//! The commands in the documentation that need other people's programs; `tests/hermetic/console.rs` runs the others.

use std::os::unix::fs::symlink;

use seed_tests::console::{self, Session};
use seed_tests::{Docker, TestEnvironment, peer, seed_program};

use crate::hello::use_nix;

/// An environment with the peers of a session, each under the name that the documentation uses.
fn environment(session: &Session, docker: &Docker) -> TestEnvironment {
    let mut environment = console::environment(&seed_program());
    environment.forget_compiled_plugins();
    let programs = environment.root().join("bin");
    for name in &session.peers {
        match name.as_str() {
            "nix" => use_nix(&mut environment),
            "docker" => environment.set("DOCKER_HOST", docker.host()),
            "cosign" => symlink(peer("cosign-3"), programs.join("cosign")).unwrap(),
            name => symlink(peer(name), programs.join(name)).unwrap(),
        }
    }
    environment
}

#[test]
fn commands_in_the_documentation_do_what_it_shows() {
    let docker = Docker::start();
    let run = console::run_all(|session| {
        let needs_peers = !session.peers.is_empty();
        needs_peers.then(|| environment(session, &docker))
    });
    match run {
        Ok(sessions) => assert!(sessions > 0, "no session was run"),
        Err(problems) => panic!("{problems}"),
    }
}
