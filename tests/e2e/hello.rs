//! The hello example, prepared to run.

use seed_tests::{Registry, TestEnvironment};

/// What root needs for Nix from Debian: no build users, no cache to ask, a static shell for the sandbox.
pub(crate) const NIX_CONFIG: &str =
    "experimental-features = nix-command flakes\nsubstitute = false\nbuild-users-group =\nsandbox = true\n";

/// A copy of examples/hello with a key of its own, for this machine's Nix.
pub(crate) fn hello() -> TestEnvironment {
    let mut environment = TestEnvironment::with_example("hello");
    environment.make_key("cosign");
    use_nix(&mut environment);
    environment
}

/// The same for a Debian root, whose Nix has a shell of its own for the sandbox.
pub(crate) fn hello_in_root() -> TestEnvironment {
    let mut environment = TestEnvironment::with_example("hello");
    environment.make_key("cosign");
    use_nix_in_root(&mut environment);
    environment
}

/// Lets Nix build in this environment, for this machine's Nix.
pub(crate) fn use_nix(environment: &mut TestEnvironment) {
    environment.set("NIX_CONFIG", format!("{NIX_CONFIG}sandbox-paths = /bin/sh=/bin/bash-static\n"));
}

/// The same for a Debian root.
pub(crate) fn use_nix_in_root(environment: &mut TestEnvironment) {
    environment.set("NIX_CONFIG", NIX_CONFIG);
}

/// The same as [`hello`], published to `org/hello` in a registry too.
pub(crate) fn hello_to(registry: &Registry) -> TestEnvironment {
    let environment = hello();
    environment.publish_to(registry.address(), "org/hello", "tags = [\"v1\"], tag-latest = true");
    environment
}
