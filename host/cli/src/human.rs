//! Sizes, counts and durations for people. Machines read the exact numbers with `--json`.

use std::time::Duration;

const UNITS: [&str; 5] = ["KiB", "MiB", "GiB", "TiB", "PiB"];

/// A size in binary units with one decimal: `0 B`, `1023 B`, `1.0 KiB`, `12.3 MiB`.
pub(crate) fn size(bytes: u64) -> String {
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    let mut unit = 0;
    // Tenths of the unit, rounded, so that 1023.99 KiB becomes 1.0 MiB and not 1024.0 KiB.
    let mut tenths = tenths_of(bytes, 1024);
    let mut divisor = 1024_u64;
    while tenths >= 10_240 && unit + 1 < UNITS.len() {
        unit += 1;
        divisor *= 1024;
        tenths = tenths_of(bytes, divisor);
    }
    format!("{}.{} {}", tenths / 10, tenths % 10, UNITS[unit])
}

fn tenths_of(bytes: u64, divisor: u64) -> u64 {
    let rounded = (u128::from(bytes) * 10 + u128::from(divisor) / 2) / u128::from(divisor);
    u64::try_from(rounded).unwrap_or(u64::MAX)
}

/// A duration: `85 ms`, `3.2 s`, `2 min 05 s`, `1 h 02 min`.
pub(crate) fn duration(duration: Duration) -> String {
    let milliseconds = duration.as_millis();
    let seconds = duration.as_secs();
    match seconds {
        0 => format!("{milliseconds} ms"),
        1..60 => format!("{seconds}.{} s", (milliseconds % 1000) / 100),
        60..3600 => format!("{} min {:02} s", seconds / 60, seconds % 60),
        _ => format!("{} h {:02} min", seconds / 3600, seconds / 60 % 60),
    }
}

/// A count with its noun: `1 layer`, `3 layers`.
pub(crate) fn count(number: u64, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{plural}")
}

#[cfg(test)]
mod tests {
    use super::*;

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
            assert_eq!(size(bytes), text);
        }
    }

    #[test]
    fn durations_keep_two_figures_that_matter() {
        for (milliseconds, text) in [
            (0, "0 ms"),
            (999, "999 ms"),
            (1000, "1.0 s"),
            (3299, "3.2 s"),
            (59_999, "59.9 s"),
            (125_000, "2 min 05 s"),
            (3_725_000, "1 h 02 min"),
        ] {
            assert_eq!(duration(Duration::from_millis(milliseconds)), text);
        }
    }
}
