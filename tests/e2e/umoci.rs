//! umoci unpacks the image, and every store path in it has the NAR hash that Nix knows.

use std::fs;

use seed_tests::{Layout, Run, peer};

use crate::hello::hello;

#[test]
fn every_unpacked_store_path_has_the_nar_hash_that_nix_knows() {
    let environment = hello();
    environment.run_json(&[]);
    let image = Layout::open(environment.work().join("result")).images()[0].clone();
    let tag = image["annotations"]["org.opencontainers.image.ref.name"].as_str().unwrap().to_owned();
    Run::of(environment.command(peer("umoci")).args([
        "unpack",
        "--image",
        &format!("result:{tag}"),
        "bundle",
    ]))
    .ok();

    let store = environment.work().join("bundle/rootfs/nix/store");
    let mut paths = 0;
    for entry in fs::read_dir(store).unwrap() {
        let unpacked = entry.unwrap();
        let original = format!("/nix/store/{}", unpacked.file_name().to_str().unwrap());
        let nix_hash =
            |path| environment.command("nix-hash").args(["--type", "sha256", "--base32"]).arg(path).output();
        let unpacked = String::from_utf8(nix_hash(unpacked.path()).unwrap().stdout).unwrap();
        let known = Run::of(environment.command(peer("nix-store")).args(["--query", "--hash", &original]))
            .ok()
            .stdout;
        assert_eq!(format!("sha256:{unpacked}"), known, "{original}");
        paths += 1;
    }
    assert!(paths >= 3, "only {paths} store paths");
}
