//! Kinds of content, known by the names of files.

use seed_model::Digest;
use seed_oci::list_names;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::pipeline::Group;
use crate::rules::error::RuleError;
use crate::rules::pattern::is_file;
use crate::source::Built;
use crate::stage_cache::StageCache;

/// Counts changes of how files are looked for: what was remembered under other numbers is not used.
const VERSION: u32 = 1;

/// What C, C++, Fortran, Rust, Go, Haskell, OCaml, Swift, Zig and Nim compilers are called, and what they link with.
const COMPILERS: &[&str] = &[
    "bin/as",
    "bin/c++",
    "bin/cc",
    "bin/clang",
    "bin/clang++",
    "bin/g++",
    "bin/gcc",
    "bin/gfortran",
    "bin/ghc",
    "bin/gnatmake",
    "bin/go",
    "bin/ld",
    "bin/nim",
    "bin/ocamlc",
    "bin/ocamlopt",
    "bin/rustc",
    "bin/swiftc",
    "bin/tcc",
    "bin/zig",
    "bin/*-*-*-as",
    "bin/*-c++",
    "bin/*-cc",
    "bin/*-clang",
    "bin/*-clang++",
    "bin/*-g++",
    "bin/*-gcc",
    "bin/*-gfortran",
    "bin/*-*-*-ld",
    "libexec/gcc/**/cc1",
    "libexec/gcc/**/cc1plus",
];

/// C and C++ headers.
const HEADERS: &[&str] = &["include/**/*.h", "include/**/*.hh", "include/**/*.hpp", "include/**/*.hxx"];

/// What SDKs of Apple have, wherever they or their frameworks are unpacked. Not what others may have as well: Apple's
/// own free software (`CoreFoundation.framework` of swift-corefoundation, `libSystem` of nixpkgs before 24.11), or the empty
/// `MacOSX*.sdk` in LLVM's tests.
const APPLE_SDK: &[&str] = &[
    "*.sdk/usr/include/stdio.h",
    "*.sdk/usr/lib/libSystem.tbd",
    "usr/lib/libSystem.B.tbd",
    "AppKit.framework/**/AppKit.tbd",
    "AppKit.framework/**/NSApplication.h",
    "Foundation.framework/**/NSObjCRuntime.h",
    "Security.framework/**/SecItem.h",
    "UIKit.framework/**/UIApplication.h",
    "UIKit.framework/**/UIKit.tbd",
    "System/Library/PrivateFrameworks/*.framework/**/*.tbd",
    "Xcode.app/Contents/Developer",
];

/// A kind of content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Of Apple's SDKs.
    AppleSdk,
    /// A group of `[seed.forbid]`.
    Group(Group),
}

impl Kind {
    fn files(self) -> &'static [&'static str] {
        match self {
            Self::AppleSdk => APPLE_SDK,
            Self::Group(Group::Compilers) => COMPILERS,
            Self::Group(Group::Headers) => HEADERS,
        }
    }
}

/// A path that has content of a kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct ContentMatch {
    /// The path's index.
    pub(super) path: u32,
    /// The index of the kind.
    pub(super) kind: usize,
    /// The first such file in it.
    pub(super) file: String,
}

/// The paths that have content of `kinds`, in the order of the closure. Lists every file of the closure, but opens
/// none; what is found in a closure is remembered.
pub(super) fn find(
    remembered: &StageCache,
    built: &Built,
    kinds: &[Kind],
) -> Result<Vec<ContentMatch>, RuleError> {
    let patterns: Vec<_> = kinds.iter().map(|kind| kind.files()).collect();
    let key = json!({
        "kind": "content of paths",
        "version": VERSION,
        "patterns": patterns,
        "closure": built.closure.manifest(),
    });
    let key = Digest::of(key.to_string().as_bytes());
    if let Some(found) = remembered.get(key) {
        return Ok(found);
    }
    let mut found = Vec::new();
    for (index, path) in (0..).zip(&built.closure.paths) {
        let mut firsts: Vec<Option<String>> = vec![None; kinds.len()];
        let mut each = |file: &[u8]| {
            for (first, patterns) in firsts.iter_mut().zip(&patterns) {
                if first.is_none() && patterns.iter().any(|pattern| is_file(pattern, file)) {
                    *first = Some(String::from_utf8_lossy(file).into_owned());
                }
            }
        };
        let source = built.path_spec(index).source;
        list_names(&source, &mut each)
            .map_err(|source| RuleError::Unreadable { store_path: path.store_path.clone(), source })?;
        let firsts = firsts.into_iter().enumerate();
        found.extend(firsts.filter_map(|(kind, file)| Some(ContentMatch { path: index, kind, file: file? })));
    }
    remembered.put(key, &found);
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_known_by_their_files() {
        let is =
            |kind: Kind, file: &str| kind.files().iter().any(|pattern| is_file(pattern, file.as_bytes()));
        let sdk = "Platforms/MacOSX.platform/Developer/SDKs/MacOSX14.4.sdk";
        for file in [
            format!("{sdk}/usr/include/stdio.h"),
            format!("{sdk}/usr/lib/libSystem.B.tbd"),
            format!("{sdk}/System/Library/Frameworks/AppKit.framework/Versions/C/Headers/NSApplication.h"),
            "Library/Frameworks/Security.framework/Headers/SecItem.h".to_owned(),
            "System/Library/PrivateFrameworks/SkyLight.framework/SkyLight.tbd".to_owned(),
        ] {
            assert!(is(Kind::AppleSdk, &file), "{file}");
        }
        for file in [
            "Library/Frameworks/CoreFoundation.framework/Headers/CFBase.h",
            "clang/test/Driver/Inputs/MacOSX10.14.sdk/SDKSettings.json",
            "lib/libc/darwin/libSystem.tbd",
            "Library/Frameworks/QtCore.framework/Headers/QObject",
            "usr/include/stdio.h",
        ] {
            assert!(!is(Kind::AppleSdk, file), "{file}");
        }
        for file in
            ["bin/gcc", "usr/bin/x86_64-linux-gnu-ld", "libexec/gcc/x86_64-unknown-linux-gnu/13.3.0/cc1"]
        {
            assert!(is(Kind::Group(Group::Compilers), file), "{file}");
        }
        for file in ["lib/libgcc_s.so.1", "bin/gccgo-hello", "bin/run-as", "share/doc/gcc", "bin/ccache"] {
            assert!(!is(Kind::Group(Group::Compilers), file), "{file}");
        }
        assert!(is(Kind::Group(Group::Headers), "include/python3.12/Python.h"));
        assert!(!is(Kind::Group(Group::Headers), "share/doc/example.h"));
    }
}
