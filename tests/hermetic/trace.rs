//! `SEED_LOG`: traces for people, which never get among the data and never hold a secret.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use seed_tests::{Fault, HostileRegistry, TestEnvironment};

#[test]
fn a_trace_shows_requests_without_the_login() {
    let registry = HostileRegistry::start(Fault::Unauthorized);
    let mut environment = TestEnvironment::new();
    let login = STANDARD.encode("user:secret-password");
    let config = format!(r#"{{"auths": {{"{}": {{"auth": "{login}"}}}}}}"#, registry.address());
    environment.write("docker/config.json", config);
    environment.set("DOCKER_CONFIG", environment.path("docker"));
    environment.set("SEED_LOG", "trace");
    let run = environment.seed(&["inspect", &format!("{}/org/app:v1", registry.address())]);

    assert!(registry.requests().len() > 1, "the login was sent: {:?}", registry.requests());
    let trace = run.stderr.lines().find(|line| line.contains("seed_http")).unwrap_or_default();
    assert!(trace.contains("status=401"), "{}", run.stderr);
    assert!(!run.stderr.contains("secret-password") && !run.stderr.contains(&login), "{}", run.stderr);
    assert_eq!(run.stdout, "");
}

#[test]
fn a_trace_leaves_the_data_alone() {
    let mut environment = TestEnvironment::with_example("directories");
    environment.run_json(&[]);
    let quiet = environment.seed(&["run", "--json", "--locked"]).ok();
    assert!(!quiet.stderr.contains("seed_engine"), "{}", quiet.stderr);
    environment.set("SEED_LOG", "seed_engine=debug,seed_oci=debug");
    let traced = environment.seed(&["run", "--json", "--locked"]).ok();
    assert!(traced.stderr.contains("DEBUG seed_engine::events: step step=pack"), "{}", traced.stderr);
    assert!(!traced.stderr.contains("seed_runtime"), "{}", traced.stderr);
    assert_eq!(traced.json()["images"], quiet.json()["images"]);
}

#[test]
fn a_filter_that_is_none_is_named_and_the_command_goes_on() {
    let mut environment = TestEnvironment::with_example("directories");
    environment.set("SEED_LOG", "seed_http=loud");
    let run = environment.seed(&["run", "--quiet"]).ok();
    assert!(run.stderr.starts_with("warning: `SEED_LOG` is not a filter"), "{}", run.stderr);
}
