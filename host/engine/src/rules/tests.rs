//! Each rule on closures as Nix makes them.

use insta::assert_snapshot;
use seed_model::{Closure, Digest, LayerRoots, StorePath};

use super::*;
use crate::testing::{parse, rendered};

const MIB: u64 = 1 << 20;

/// A seed file, a program, and what it needs: 0 → 1 → {2 → 3, 4}.
fn closure(names: [&str; 5]) -> Closure {
    let sizes = [120, 2 * MIB, 30 * MIB, 130 * MIB, 5 * MIB];
    let references: [&[u32]; 5] = [&[1], &[2, 4], &[2, 3], &[], &[2]];
    let path = |index: usize| StorePath {
        store_path: format!("/nix/store/0c0ffee0c0ffee0c0ffee0c0ffee0c0f-{}", names[index]),
        nar_hash: Digest::of(names[index].as_bytes()),
        nar_size: sizes[index],
        references: references[index].to_vec(),
    };
    let roots = LayerRoots { layer: "apps".to_owned(), roots: vec![0] };
    Closure { paths: (0..5).map(path).collect(), outputs: vec![roots] }
}

fn usual() -> Closure {
    closure(["hello-seed-apps", "hello-2.12", "python3-3.12.8", "gcc-13.3.0", "openssl-1.1.1w"])
}

fn pipeline(seed: &str) -> Pipeline {
    parse(&format!(
        "schema = 1\n[source]\nflake = \".\"\n[[publish]]\nplugin = \"builtin:oci-layout\"\n[seed]\nname = \"hello\"\n{seed}"
    ))
    .unwrap()
}

fn check(seed: &str, closure: &Closure, found: &[ContentMatch]) -> Result<Option<LegalSummary>, RuleError> {
    check_subject(&Subject::new(&pipeline(seed), "x86_64-linux", closure), found)
}

fn error(seed: &str, closure: &Closure, found: &[ContentMatch]) -> String {
    rendered(&check(seed, closure, found).unwrap_err())
}

fn found(path: u32, kind: usize, file: &str) -> ContentMatch {
    ContentMatch { path, kind, file: file.to_owned() }
}

#[test]
fn an_image_that_is_too_large_names_the_largest_paths() {
    let fits = usual().nar_size();
    assert!(check(&format!("max-size = {fits}\n"), &usual(), &[]).unwrap().is_none());
    assert_snapshot!(error("max-size = \"50 MiB\"\n", &usual(), &[]));
}

#[test]
fn only_the_first_paths_are_shown() {
    let mut closure = usual();
    closure.paths.extend(usual().paths.iter().cycle().take(20).cloned().collect::<Vec<_>>());
    let error = error("max-size = 1\n", &closure, &[]);
    assert!(error.contains("and 15 more") && error.matches("-hello-2.12,").count() <= 2, "{error}");
}

#[test]
fn forbidden_names_and_groups_are_told_with_their_chains() {
    let rules = "[seed.forbid]\ngroups = [\"headers\", \"compilers\"]\nnames = [\"openssl-1.*\", \"perl\"]\n";
    let found = [found(3, 2, "bin/gcc"), found(2, 1, "include/python3.12/Python.h")];
    assert_snapshot!(error(rules, &usual(), &found));
    assert!(check("[seed.forbid]\nnames = [\"perl\"]\n", &usual(), &[]).unwrap().is_none());
}

#[test]
fn apples_sdks_are_known_by_the_names_of_all_times() {
    for name in [
        "apple-sdk-14.4",
        "apple-sdk",
        "macOS-SDK-14.4",
        "MacOSX-SDK-11.0.0",
        "MacOS_SDK-10.12-dev",
        "apple-framework-CoreFoundation",
        "apple-framework-Security-11.0.0",
        "apple-private-framework-SkyLight-11.0.0",
        "apple-lib-xpc",
        "MacOSX15.4.sdk.tar.xz",
        "Xcode.app",
        "iPhoneOS-SDK-18.2",
    ] {
        let closure = closure(["hello-seed-apps", "hello-2.12", "python3-3.12.8", name, "openssl-3"]);
        assert!(matches!(check("", &closure, &[]), Err(RuleError::AppleSdk { .. })), "{name}");
    }
    for name in
        ["apple-sdk-14.4.drv", "apple-cursor-2.0", "pineapple-sdk-1", "xcodes-1.5", "swift-corefoundation"]
    {
        let closure = closure(["hello-seed-apps", "hello-2.12", "python3-3.12.8", name, "openssl-3"]);
        assert!(check("", &closure, &[]).unwrap().is_none(), "{name}");
    }
}

#[test]
fn apples_sdks_are_refused_with_the_way_to_grant_them() {
    let closure = closure(["hello-seed-apps", "hello-2.12", "renamed-1.0", "apple-sdk-14.4", "openssl-3"]);
    let found = [found(2, 0, "Platforms/MacOSX.platform/Developer/SDKs/MacOSX14.4.sdk")];
    assert_snapshot!(error("", &closure, &found));
}

#[test]
fn a_grant_lets_apples_sdks_in_and_is_told() {
    let grant = "[legal]\napple-sdk = \"stays on our own Macs, see LEGAL-17\"\n";
    let closure = closure(["hello-seed-apps", "hello-2.12", "python3-3.12.8", "apple-sdk-14.4", "openssl-3"]);
    let legal = check(grant, &closure, &[]).unwrap().unwrap();
    assert_eq!((legal.rule, legal.reason.as_str()), ("apple-sdk", "stays on our own Macs, see LEGAL-17"));
    assert_eq!(legal.paths.len(), 1);
    assert_eq!(
        legal.paths[0].chain.as_ref().unwrap().to_string(),
        "apps → hello-seed-apps → hello-2.12 → python3-3.12.8 → apple-sdk-14.4"
    );
    assert!(
        check(grant, &usual(), &[]).unwrap().unwrap().paths.is_empty(),
        "a grant that is not needed is told too"
    );
}
