//! Durations and sizes, written with their unit.

use std::fmt;
use std::time::Duration;

/// `"10s"`, `"1m30s"`, `"500ms"`; zero may stand without a unit.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    if text == "0" {
        return Ok(Duration::ZERO);
    }
    if text.bytes().all(|b| b.is_ascii_digit()) && !text.is_empty() {
        return Err(format!("`{text}` has no unit: write \"{text}s\" for seconds"));
    }
    humantime::parse_duration(text).map_err(|_| {
        format!("`{text}` is no duration: write one such as \"500ms\", \"30s\", \"5m\"")
    })
}

const UNITS: [(&str, u64); 9] = [
    ("B", 1),
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("TiB", 1 << 40),
    ("KB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("TB", 1_000_000_000_000),
];

/// `"64KiB"`, `"10MB"`, `"512B"`; zero may stand without a unit. The case of the unit is free.
pub(crate) fn size(text: &str) -> Result<u64, String> {
    if text == "0" {
        return Ok(0);
    }
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at_checked(digits).unwrap_or(("", text));
    let unit = unit.trim_start();
    if unit.is_empty() && !number.is_empty() {
        return Err(format!("`{text}` has no unit: write \"{text}B\" for bytes"));
    }
    let factor = UNITS.iter().find(|(name, _)| name.eq_ignore_ascii_case(unit));
    match (number.parse::<u64>(), factor) {
        (Ok(number), Some((_, factor))) => number
            .checked_mul(*factor)
            .ok_or_else(|| format!("`{text}` is more than can be counted")),
        _ => Err(format!("`{text}` is no size: write one such as \"512B\", \"64KiB\", \"10MB\"")),
    }
}

/// Prints a duration as it is written in the configuration.
pub(crate) struct Span(pub(crate) Duration);

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = humantime::format_duration(self.0).to_string();
        f.write_str(&text.replace(' ', ""))
    }
}

/// Prints a size as it is written in the configuration.
pub(crate) struct Bytes(pub(crate) u64);

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == 0 {
            return f.write_str("0");
        }
        let whole = UNITS.iter().take(5).filter(|(_, factor)| self.0.is_multiple_of(*factor));
        match whole.max_by_key(|(_, factor)| *factor) {
            Some((unit, factor)) => write!(f, "{}{unit}", self.0 / factor),
            None => write!(f, "{}B", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_need_a_unit_unless_zero() {
        assert_eq!(duration("10s"), Ok(Duration::from_secs(10)));
        assert_eq!(duration("1m30s"), Ok(Duration::from_secs(90)));
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(duration("0"), Ok(Duration::ZERO));
        assert_eq!(duration("0s"), Ok(Duration::ZERO));
        for (text, reason) in [
            ("30", "`30` has no unit: write \"30s\" for seconds"),
            ("", "`` is no duration: write one such as \"500ms\", \"30s\", \"5m\""),
            ("-1s", "`-1s` is no duration: write one such as \"500ms\", \"30s\", \"5m\""),
            ("soon", "`soon` is no duration: write one such as \"500ms\", \"30s\", \"5m\""),
        ] {
            assert_eq!(duration(text), Err(reason.to_owned()));
        }
    }

    #[test]
    fn sizes_need_a_unit_unless_zero() {
        assert_eq!(size("64KiB"), Ok(65_536));
        assert_eq!(size("64 kib"), Ok(65_536));
        assert_eq!(size("10MB"), Ok(10_000_000));
        assert_eq!(size("0"), Ok(0));
        assert_eq!(size("7B"), Ok(7));
        for (text, reason) in [
            ("100", "`100` has no unit: write \"100B\" for bytes"),
            ("1.5MiB", "`1.5MiB` is no size: write one such as \"512B\", \"64KiB\", \"10MB\""),
            ("-1B", "`-1B` is no size: write one such as \"512B\", \"64KiB\", \"10MB\""),
            ("20000000TiB", "`20000000TiB` is more than can be counted"),
        ] {
            assert_eq!(size(text), Err(reason.to_owned()));
        }
    }

    #[test]
    fn units_are_printed_as_they_are_written() {
        assert_eq!(Span(Duration::from_secs(90)).to_string(), "1m30s");
        assert_eq!(Bytes(65_536).to_string(), "64KiB");
        assert_eq!(Bytes(1000).to_string(), "1000B");
        assert_eq!(Bytes(0).to_string(), "0");
    }
}
