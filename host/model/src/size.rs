//! Sizes in bytes, as people write and read them.

use std::fmt;
use std::str::FromStr;

/// A number of bytes.
///
/// Its text has binary units and one decimal: `0 B`, `1023 B`, `1.0 KiB`, `12.3 MiB`. It is read from whole numbers with a
/// binary or decimal unit: `50 MiB`, `50MB`, `1024 B`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ByteSize(pub u64);

/// A text that is not a size.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is not a size", .0.escape_debug())]
pub struct NotASize(pub String);

/// The sum of sizes that others state; the largest number if it is more than that.
pub fn total(sizes: impl IntoIterator<Item = u64>) -> u64 {
    sizes.into_iter().fold(0, u64::saturating_add)
}

const UNITS: [&str; 5] = ["KiB", "MiB", "GiB", "TiB", "PiB"];

/// The units that are read, each with its size in bytes.
const READ: [(&str, u64); 9] = [
    ("B", 1),
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("TiB", 1 << 40),
    ("kB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("TB", 1_000_000_000_000),
];

impl FromStr for ByteSize {
    type Err = NotASize;

    fn from_str(text: &str) -> Result<Self, NotASize> {
        let error = || NotASize(text.to_owned());
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let (number, unit) = text.split_at(digits);
        let number: u64 = number.parse().map_err(|_| error())?;
        let unit = unit.strip_prefix(' ').unwrap_or(unit);
        let (_, size) = READ.iter().find(|(name, _)| *name == unit).ok_or_else(error)?;
        number.checked_mul(*size).map(Self).ok_or_else(error)
    }
}

impl fmt::Display for ByteSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 < 1024 {
            return f.pad(&format!("{} B", self.0));
        }
        // Tenths of the unit, rounded, so that 1023.99 KiB becomes 1.0 MiB and not 1024.0 KiB.
        let in_units =
            UNITS.iter().zip([10, 20, 30, 40, 50]).map(|(unit, bits)| (tenths_of(self.0, bits), unit));
        let (tenths, unit) =
            in_units.reduce(|small, large| if small.0 < 10_240 { small } else { large }).unwrap_or((0, &"B"));
        f.pad(&format!("{}.{} {unit}", tenths / 10, tenths % 10))
    }
}

/// How many tenths of a unit of 2^`bits` bytes there are, rounded.
fn tenths_of(bytes: u64, bits: u32) -> u128 {
    u128::from(bytes).saturating_mul(10).saturating_add((1 << bits) / 2) >> bits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_end_at_the_largest_number() {
        assert_eq!(total([]), 0);
        assert_eq!(total([1, 2]), 3);
        assert_eq!(total([u64::MAX, 1, u64::MAX]), u64::MAX);
        assert_eq!(ByteSize(u64::MAX).to_string(), "16384.0 PiB");
    }

    #[test]
    fn sizes_change_unit_where_they_would_round_to_1024() {
        for (bytes, text) in [
            (0, "0 B"),
            (1023, "1023 B"),
            (1024, "1.0 KiB"),
            (1_048_524, "1023.9 KiB"),
            (1_048_575, "1.0 MiB"),
            (12_897_484, "12.3 MiB"),
            (5 << 30, "5.0 GiB"),
            (u64::MAX, "16384.0 PiB"),
        ] {
            assert_eq!(ByteSize(bytes).to_string(), text);
        }
    }

    #[test]
    fn whole_numbers_with_a_unit_are_read() {
        for (text, bytes) in [
            ("50 MiB", 50 << 20),
            ("50MiB", 50 << 20),
            ("0 B", 0),
            ("7 kB", 7000),
            ("2 TB", 2_000_000_000_000),
        ] {
            assert_eq!(text.parse(), Ok(ByteSize(bytes)), "{text}");
        }
        for text in
            ["", "50", "MiB", "1.5 MiB", "-1 B", "50  MiB", "50 mib", "50 M", "99999999 TiB", "50 MiB "]
        {
            assert_eq!(text.parse::<ByteSize>(), Err(NotASize(text.to_owned())));
        }
    }
}
