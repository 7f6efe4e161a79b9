//! What is in the repository twice, in two forms.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use crate::repository::{read, root};

#[test]
fn the_example_has_the_same_mkseed() {
    assert_eq!(
        read("nix/mkseed.nix"),
        read("examples/hello/flake/mkseed.nix"),
        "copy the first over the second"
    );
}

/// Cargo refuses to build one member of a workspace that lacks another.
#[test]
fn the_package_has_every_member_of_the_workspace() {
    let (manifest, package) = (read("Cargo.toml"), read("nix/package.nix"));
    let members = manifest.lines().find_map(|line| line.strip_prefix("members = ")).unwrap();
    for member in members.split('"').skip(1).step_by(2) {
        let mut directories = Path::new(member.trim_end_matches("/*")).ancestors();
        let is_listed = |path: &Path| package.contains(&format!("      ../{}\n", path.display()));
        assert!(directories.any(is_listed), "{member} in nix/package.nix");
    }
}

/// What `hexbuild` does, once more: digits are bytes, `"…"` its characters, `#` begins a comment.
fn assemble(listing: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = listing.chars();
    while let Some(c) = rest.next() {
        match c {
            '#' => drop(rest.by_ref().find(|c| *c == '\n')),
            '"' => bytes.extend(rest.by_ref().take_while(|c| *c != '"').map(|c| u8::try_from(c).unwrap())),
            c if c.is_whitespace() => {}
            high => {
                let digit = |c: char| c.to_digit(16).unwrap();
                bytes.push(u8::try_from(digit(high) * 16 + digit(rest.next().unwrap())).unwrap());
            }
        }
    }
    bytes
}

#[test]
fn the_compilers_are_what_their_listings_say() {
    for system in ["x86_64-linux", "aarch64-linux"] {
        let path = root().join(format!("examples/hello/flake/program/hexbuild.{system}"));
        let listing = fs::read_to_string(path.with_file_name(format!("hexbuild.{system}.hex"))).unwrap();
        assert!(assemble(&listing) == fs::read(&path).unwrap(), "{system}");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o111, 0o111, "{system}");
    }
}
