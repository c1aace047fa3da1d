//! Durations as people write them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::clock::{DAY, HOUR, MINUTE, Millis, SECOND};

/// A duration in milliseconds, written `"250ms"`, `"30m"`, `"1h30m"`, `"90d"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Dur(pub Millis);

impl Dur {
    /// Milliseconds.
    pub fn millis(self) -> Millis {
        self.0
    }
    /// Whole seconds, rounded down.
    pub fn seconds(self) -> i64 {
        self.0 / SECOND
    }
    /// For timers.
    pub fn std(self) -> std::time::Duration {
        std::time::Duration::from_millis(self.0.max(0) as u64)
    }
}

const UNITS: [(&str, Millis); 5] = [("d", DAY), ("h", HOUR), ("m", MINUTE), ("s", SECOND), ("ms", 1)];

impl fmt::Display for Dur {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.0;
        if rest == 0 {
            return f.write_str("0s");
        }
        for (unit, size) in UNITS {
            if rest >= size {
                write!(f, "{}{unit}", rest / size)?;
                rest %= size;
            }
        }
        Ok(())
    }
}

impl FromStr for Dur {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let bad =
            || format!("`{text}` is no duration; write a number with ms, s, m, h or d, such as \"90s\" or \"1h30m\"");
        let mut rest = text.trim();
        let mut total: Millis = 0;
        if rest.is_empty() {
            return Err(bad());
        }
        while !rest.is_empty() {
            let digits = rest.find(|c: char| !c.is_ascii_digit()).ok_or_else(bad)?;
            let number: Millis = rest[..digits].parse().map_err(|_| bad())?;
            rest = &rest[digits..];
            let letters = rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len());
            let (_, size) = UNITS.iter().find(|(unit, _)| *unit == &rest[..letters]).ok_or_else(bad)?;
            total = number.checked_mul(*size).and_then(|ms| total.checked_add(ms)).ok_or_else(bad)?;
            rest = &rest[letters..];
        }
        Ok(Self(total))
    }
}

impl Serialize for Dur {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Dur {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_and_print_alike() {
        for text in ["250ms", "30m", "1h30m", "90d", "0s", "2d3h"] {
            assert_eq!(text.parse::<Dur>().map(|d| d.to_string()).as_deref(), Ok(text));
        }
        assert_eq!("90s".parse(), Ok(Dur(90 * SECOND)));
        for bad in ["", "5", "h", "5x", "-1h", "99999999999999999d"] {
            assert!(bad.parse::<Dur>().is_err(), "{bad}");
        }
    }
}
