//! The version of Nix.

use std::fmt;

/// A version of Nix: major and minor number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    /// Such as 2.
    pub major: u32,
    /// Such as 34.
    pub minor: u32,
}

impl Version {
    /// The oldest version that works.
    pub const OLDEST: Self = Self { major: 2, minor: 8 };

    /// Reads what `nix --version` prints: `nix (Nix) 2.8.0`, `nix (Lix, like Nix) 2.90.0`,
    /// `nix (Determinate Nix 3.6.2) 2.29.0`. The last word counts.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut numbers = text.split_whitespace().next_back()?.split('.');
        let major = numbers.next()?.parse().ok()?;
        // `2.30pre20250521_76a4d4c` is a version too.
        let minor = numbers.next()?;
        let digits = minor.find(|c: char| !c.is_ascii_digit()).unwrap_or(minor.len());
        Some(Self { major, minor: minor[..digits].parse().ok()? })
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_the_variants_of_nix_print() {
        for (text, major, minor) in [
            ("nix (Nix) 2.8.0\n", 2, 8),
            ("nix (Nix) 2.34.8\n", 2, 34),
            ("nix (Lix, like Nix) 2.90.0\n", 2, 90),
            ("nix (Determinate Nix 3.6.2) 2.29.0\n", 2, 29),
            ("nix (Nix) 2.30pre20250521_76a4d4c\n", 2, 30),
        ] {
            assert_eq!(Version::parse(text), Some(Version { major, minor }), "{text}");
        }
        for text in ["", "nix", "nix (Nix) two.eight", "nix (Nix) 2"] {
            assert_eq!(Version::parse(text), None, "{text}");
        }
    }

    #[test]
    fn versions_compare_by_number() {
        assert!(Version { major: 2, minor: 26 } > Version::OLDEST);
        assert!(Version { major: 2, minor: 7 } < Version::OLDEST);
    }
}
