//! Patterns for names of packages and for files in them.

/// Whether `name` (of a store path, without its hash) is meant by `pattern`: `openssl` means any version and output of
/// that package, and where there are `*`, each stands for any text.
pub(crate) fn is_name(pattern: &str, name: &str) -> bool {
    if pattern.contains('*') {
        return is_word(pattern.as_bytes(), name.as_bytes());
    }
    match name.strip_prefix(pattern) {
        Some("") => true,
        Some(rest) => {
            rest.strip_prefix('-').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
        }
        None => false,
    }
}

/// Whether the path of a file ends with what `pattern` describes: whole names, in which `*` stands for any text, and
/// `**` for any number of names. `lib/*.a` is met by `lib/x.a` and `usr/lib/x.a`, but not by `lib/sub/x.a`.
pub(super) fn is_file(pattern: &str, path: &[u8]) -> bool {
    let last = |bytes| <[u8]>::rsplit(bytes, |byte| *byte == b'/').next().unwrap_or_default();
    // Most files differ in their last name already.
    if !is_word(last(pattern.as_bytes()), last(path)) {
        return false;
    }
    let pattern: Vec<&[u8]> =
        std::iter::once(&b"**"[..]).chain(pattern.split('/').map(str::as_bytes)).collect();
    let path: Vec<&[u8]> = path.split(|byte| *byte == b'/').collect();
    names_match(&pattern, &path)
}

fn names_match(pattern: &[&[u8]], path: &[&[u8]]) -> bool {
    match (pattern, path) {
        ([], []) => true,
        ([b"**", rest @ ..], _) => (0..=path.len()).any(|skipped| names_match(rest, &path[skipped..])),
        ([first, rest @ ..], [name, names @ ..]) => is_word(first, name) && names_match(rest, names),
        _ => false,
    }
}

/// Whether `text` is `pattern`, in which each `*` stands for any bytes.
#[expect(clippy::arithmetic_side_effects, reason = "places in texts that are in memory")]
fn is_word(pattern: &[u8], text: &[u8]) -> bool {
    let (mut p, mut t) = (0, 0);
    // Where the last `*` is, and where what follows it was last tried.
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        if pattern.get(p) == Some(&b'*') {
            star = Some((p, t));
            p += 1;
        } else if pattern.get(p) == Some(&text[t]) {
            p += 1;
            t += 1;
        } else if let Some((star_at, tried)) = star {
            star = Some((star_at, tried + 1));
            p = star_at + 1;
            t = tried + 1;
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_mean_any_version() {
        for name in ["gcc", "gcc-13.3.0", "gcc-13.3.0-lib"] {
            assert!(is_name("gcc", name), "{name}");
        }
        assert!(
            !is_name("gcc", "gcc-wrapper-13.3.0") && !is_name("gcc", "libgcc-13") && !is_name("gcc", "gc")
        );
        assert!(is_name("glibc-2.40", "glibc-2.40") && !is_name("glibc-2.4", "glibc-2.40"));
    }

    #[test]
    fn stars_stand_for_any_text() {
        for (pattern, name, met) in [
            ("gcc-*", "gcc-13.3.0", true),
            ("gcc-*", "gcc", false),
            ("*-dev", "openssl-3.0-dev", true),
            ("*-dev", "openssl-3.0-devel", false),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "a-c-b", false),
            ("openssl-1.*", "openssl-3.1", false),
        ] {
            assert_eq!(is_name(pattern, name), met, "{pattern} {name}");
        }
    }

    #[test]
    fn files_are_found_at_any_depth() {
        for (pattern, path, met) in [
            ("bin/gcc", "bin/gcc", true),
            ("bin/gcc", "usr/bin/gcc", true),
            ("bin/gcc", "sbin/gcc", false),
            ("bin/gcc", "bin/gcc/x", false),
            ("lib/*.a", "lib/sub/x.a", false),
            ("include/**/*.h", "include/stdio.h", true),
            ("include/**/*.h", "usr/include/sys/types.h", true),
            ("include/**/*.h", "share/stdio.h", false),
            ("MacOSX*.sdk", "Platforms/SDKs/MacOSX14.4.sdk", true),
        ] {
            assert_eq!(is_file(pattern, path.as_bytes()), met, "{pattern} {path}");
        }
    }
}
