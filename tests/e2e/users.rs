//! Another user, without rights on this machine, makes the same image.

use std::os::unix::fs::PermissionsExt as _;

use seed_tests::{Run, TestEnvironment, seed_program};

#[test]
fn another_user_makes_the_same_image() {
    let digest = TestEnvironment::with_example("directories").run_json(&[])["digest"].clone();

    let environment = TestEnvironment::with_example("directories");
    let seed = environment.root().join("seed");
    std::fs::copy(seed_program(), &seed).unwrap();
    std::fs::set_permissions(environment.root(), std::fs::Permissions::from_mode(0o755)).unwrap();
    Run::of(environment.command("chown").args(["-R", "65534:65534"]).arg(environment.root())).ok();
    let mut command = environment.command("setpriv");
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(seed).args(["run", "--json"]);
    assert_eq!(Run::of(&mut command).ok().json()["digest"], digest);
}
