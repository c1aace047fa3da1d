//! Times as logs write them.

use chrono::{NaiveDateTime, Offset as _, TimeZone as _};
use chrono_tz::Tz;

use crate::clock::{DAY, HOUR, MINUTE, Millis, SECOND};
use crate::text::encoding;

/// Reads times; remembers the last day and the last offset, since neighbours share them.
#[derive(Debug, Clone)]
pub struct TimeReader {
    zone: Tz,
    pattern: Option<String>,
    day: ([u8; 10], Millis),
    /// Hours of local time and how far each is from UTC, found by the hour's last bits.
    offsets: Vec<(Millis, Millis)>,
}

/// Hours whose offsets are remembered.
const HOURS: usize = 1024;

impl TimeReader {
    /// A reader that takes times without a zone as times of `zone`, and tries `pattern` (strftime) first.
    pub fn new(zone: Tz, pattern: Option<String>) -> Self {
        Self { zone, pattern, day: ([0; 10], 0), offsets: vec![(Millis::MIN, 0); HOURS] }
    }

    /// Reads a time: ISO 8601 with `T` or a blank, `-`, `/` or `.` between the parts of the day, seconds and fractions
    /// or not, an offset or not; day-month-year with dots; `2026年10月12日 14:03`; digits alone as
    /// `YYYYMMDD[HHMMSS]`, epoch seconds (10 digits) or milliseconds (13).
    pub fn read(&mut self, text: &[u8]) -> Option<Millis> {
        if let Some(pattern) = &self.pattern {
            let text = std::str::from_utf8(text).ok()?.trim();
            if let Ok(t) = chrono::DateTime::parse_from_str(text, pattern) {
                return Some(t.timestamp_millis());
            }
            let local = NaiveDateTime::parse_from_str(text, pattern)
                .ok()
                .or_else(|| chrono::NaiveDate::parse_from_str(text, pattern).ok()?.and_hms_opt(0, 0, 0))?;
            return self.in_zone(local.and_utc().timestamp_millis());
        }
        if let Some(local) = text.first_chunk().and_then(|t| self.fixed(t)) {
            match &text[19..] {
                [] => return self.in_zone(local),
                b"Z" | b".000Z" | b"+00:00" | b".000+00:00" => return Some(local),
                _ => {}
            }
        }
        if let Some(at) = self.iso(text) {
            return Some(at);
        }
        let text = text.trim_ascii();
        self.iso(text).or_else(|| self.digits(text)).or_else(|| self.unusual(text))
    }

    /// `YYYY-MM-DD?HH:MM:SS`, as most logs write it; `None` for anything else.
    #[inline]
    fn fixed(&mut self, t: &[u8; 19]) -> Option<Millis> {
        let separated = t[4] == b'-' && t[7] == b'-' && matches!(t[10], b' ' | b'T') && t[13] == b':' && t[16] == b':';
        let digit = |i: usize| t[i].wrapping_sub(b'0');
        let two = |i: usize| Millis::from(digit(i)) * 10 + Millis::from(digit(i + 1));
        let digits = [11, 12, 14, 15, 17, 18].iter().all(|i| digit(*i) < 10);
        if !separated || !digits {
            return None;
        }
        let date = t.first_chunk::<10>()?;
        if *date != self.day.0 {
            if ![0, 1, 2, 3, 5, 6, 8, 9].iter().all(|i| digit(*i) < 10) {
                return None;
            }
            self.day = (*date, days(two(0) * 100 + two(2), two(5), two(8))?);
        }
        let (h, m, s) = (two(11), two(14), two(17));
        (h < 24 && m < 60 && s <= 60).then_some(self.day.1 + h * HOUR + m * MINUTE + s * SECOND)
    }

    /// `YYYY-MM-DD[T ]HH:MM[:SS[.fff]][Z|±HH[:MM]]`.
    fn iso(&mut self, t: &[u8]) -> Option<Millis> {
        if t.len() < 10 || !matches!(t[4], b'-' | b'/' | b'.') || t[7] != t[4] {
            return None;
        }
        let date = t.first_chunk::<10>()?;
        if *date != self.day.0 {
            let at = days(number(&t[..4])?, number(&t[5..7])?, number(&t[8..10])?)?;
            self.day = (*date, at);
        }
        let day = self.day.1;
        if t.len() == 10 {
            return self.in_zone(day);
        }
        if !matches!(t[10], b'T' | b't' | b' ') {
            return None;
        }
        let (time, rest) = clock_time(&t[11..])?;
        self.with_offset(day + time, rest)
    }

    fn with_offset(&mut self, local: Millis, rest: &[u8]) -> Option<Millis> {
        let rest = rest.trim_ascii();
        match rest.first() {
            None => self.in_zone(local),
            Some(b'Z' | b'z') if rest.len() == 1 => Some(local),
            Some(b'U' | b'G') if rest == b"UTC" || rest == b"GMT" => Some(local),
            Some(sign @ (b'+' | b'-')) => {
                let digits = &rest[1..];
                let (hours, minutes) = match digits.len() {
                    2 => (number(digits)?, 0),
                    4 => (number(&digits[..2])?, number(&digits[2..])?),
                    5 if digits[2] == b':' => (number(&digits[..2])?, number(&digits[3..])?),
                    _ => return None,
                };
                if hours > 18 || minutes > 59 {
                    return None;
                }
                let by = hours * HOUR + minutes * MINUTE;
                Some(if *sign == b'+' { local - by } else { local + by })
            }
            _ => None,
        }
    }

    /// A local time in the reader's zone as an instant. A time that does not exist moves forward by the gap; of two
    /// equal ones it is the first.
    fn in_zone(&mut self, local: Millis) -> Option<Millis> {
        if self.zone == Tz::UTC {
            return Some(local);
        }
        let hour = local.div_euclid(HOUR);
        let slot = hour.rem_euclid(HOURS as Millis) as usize;
        let (at, by) = self.offsets[slot];
        if at == hour {
            return Some(local - by);
        }
        let naive = chrono::DateTime::from_timestamp_millis(local)?.naive_utc();
        let by = match self.zone.from_local_datetime(&naive).earliest() {
            Some(t) => Millis::from(t.offset().fix().local_minus_utc()) * SECOND,
            None => {
                let before = self.zone.offset_from_utc_datetime(&(naive - chrono::Duration::days(1)));
                Millis::from(before.fix().local_minus_utc()) * SECOND
            }
        };
        self.offsets[slot] = (hour, by);
        Some(local - by)
    }

    fn digits(&mut self, t: &[u8]) -> Option<Millis> {
        let (whole, fraction) = match memchr::memchr(b'.', t) {
            Some(dot) => (&t[..dot], &t[dot + 1..]),
            None => (t, &[][..]),
        };
        if whole.is_empty() || !whole.iter().chain(fraction).all(u8::is_ascii_digit) {
            return None;
        }
        match whole.len() {
            13 => number(whole),
            10 => {
                let millis = fraction.iter().chain(b"000").take(3).fold(0, |n, d| n * 10 + Millis::from(d - b'0'));
                Some(number(whole)? * SECOND + millis)
            }
            8 | 12 | 14 if fraction.is_empty() => {
                let day = days(number(&t[..4])?, number(&t[4..6])?, number(&t[6..8])?)?;
                let part = |i: usize| if t.len() >= i + 2 { number(&t[i..i + 2]) } else { Some(0) };
                let (h, m, s) = (part(8)?, part(10)?, part(12)?);
                (h < 24 && m < 60 && s <= 60).then_some(())?;
                self.in_zone(day + h * HOUR + m * MINUTE + s * SECOND)
            }
            _ => None,
        }
    }

    /// One-digit months and days, day first with dots, Chinese.
    fn unusual(&mut self, t: &[u8]) -> Option<Millis> {
        let text = encoding::decode(t).ok()?;
        let text =
            text.replace(['年', '月'], "-").replace('日', " ").replace(['时', '点', '分', '：'], ":").replace('秒', "");
        let text = text.trim().trim_end_matches(':');
        let end = text.find([' ', 'T']).unwrap_or(text.len());
        let (date, rest) = text.split_at(end);
        let parts: Vec<&str> = date.split(['-', '/', '.']).collect();
        let [a, b, c] = parts.as_slice() else { return None };
        let n = |s: &str| number(s.as_bytes());
        // a year has four digits; day-month-year is told by its dots, month-day-year is never guessed
        let day = if a.len() == 4 && b.len() <= 2 && c.len() <= 2 {
            days(n(a)?, n(b)?, n(c)?)?
        } else if c.len() == 4 && a.len() <= 2 && b.len() <= 2 && (date.contains('.') || n(a)? > 12) {
            days(n(c)?, n(b)?, n(a)?)?
        } else {
            return None;
        };
        let rest = rest.trim_start_matches('T').trim_start();
        if rest.is_empty() {
            return self.in_zone(day);
        }
        let padded;
        let time = if rest.as_bytes().get(1) == Some(&b':') {
            padded = format!("0{rest}");
            padded.as_bytes()
        } else {
            rest.as_bytes()
        };
        let (time, rest) = clock_time(time)?;
        self.with_offset(day + time, rest)
    }
}

/// `HH:MM[:SS[.fff…]]` as milliseconds, and what follows.
fn clock_time(t: &[u8]) -> Option<(Millis, &[u8])> {
    if t.len() < 5 || t[2] != b':' {
        return None;
    }
    let (h, m) = (number(&t[..2])?, number(&t[3..5])?);
    let mut rest = &t[5..];
    let mut s = 0;
    let mut millis = 0;
    if rest.first() == Some(&b':') && rest.len() >= 3 {
        s = number(&rest[1..3])?;
        rest = &rest[3..];
        if matches!(rest.first(), Some(b'.' | b',')) {
            let digits = rest[1..].iter().take_while(|d| d.is_ascii_digit()).count();
            if digits == 0 {
                return None;
            }
            for i in 0..3 {
                millis = millis * 10 + if i < digits { Millis::from(rest[1 + i] - b'0') } else { 0 };
            }
            rest = &rest[1 + digits..];
        }
    }
    // 60: a leap second
    (h < 24 && m < 60 && s <= 60).then_some((h * HOUR + m * MINUTE + s * SECOND + millis, rest))
}

/// Digits as a number, at most 15 of them.
fn number(digits: &[u8]) -> Option<Millis> {
    if digits.is_empty() || digits.len() > 15 {
        return None;
    }
    digits.iter().try_fold(0, |n: Millis, d| d.is_ascii_digit().then(|| n * 10 + Millis::from(d - b'0')))
}

/// Milliseconds from 1970 to a day of the Gregorian calendar (days from civil, H. Hinnant).
fn days(year: Millis, month: Millis, day: Millis) -> Option<Millis> {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let longest = match month {
        2 => 28 + Millis::from(leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    if !(1..=longest).contains(&day) {
        return None;
    }
    let y = if month <= 2 { year - 1 } else { year };
    let era = y.div_euclid(400);
    let of_era = y - era * 400;
    let of_year = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + day - 1;
    let day_of_era = of_era * 365 + of_era / 4 - of_era / 100 + of_year;
    Some((era * 146_097 + day_of_era - 719_468) * DAY)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn utc(text: &str) -> Option<Millis> {
        TimeReader::new(Tz::UTC, None).read(text.as_bytes())
    }

    #[test]
    fn the_usual_ways_to_write_an_instant_give_the_same_one() {
        let wanted = Some(1_791_813_780_000);
        for text in [
            "2026-10-12T14:03:00Z",
            "2026-10-12T14:03:00.000+00:00",
            "2026-10-12 22:03:00+0800",
            "2026-10-12 14:03",
            "2026/10/12 14:03:00",
            "2026.10.12 14:03:00,000",
            "  2026-10-12 14:03:00 UTC",
            "12.10.2026 14:03:00",
            "2026年10月12日 14:03",
            "2026年10月12日14时03分00秒",
            "20261012140300",
            "1791813780",
            "1791813780.000",
            "1791813780000",
            "2026-10-12 09:03:00-05",
        ] {
            assert_eq!(utc(text), wanted, "{text}");
        }
        assert_eq!(utc("2026-9-1 8:05"), utc("2026-09-01 08:05:00"));
    }

    #[test]
    fn what_is_no_time_or_could_be_two_is_refused() {
        for text in [
            "",
            "soon",
            "2026-13-01",
            "2026-02-29",
            "2026-10-12 25:00",
            "03/04/2026 10:00",
            "2026-10-12T14:03:00+99:00",
            "12345",
            "2026-10-12 14:03:00.",
        ] {
            assert_eq!(utc(text), None, "{text}");
        }
    }

    #[test]
    fn a_time_without_a_zone_is_a_time_of_the_office() {
        let mut shanghai = TimeReader::new(Tz::Asia__Shanghai, None);
        assert_eq!(shanghai.read(b"2026-10-12 22:03:00"), utc("2026-10-12T14:03:00Z"));
        assert_eq!(shanghai.read(b"2026-10-12T22:03:00Z"), utc("2026-10-12T22:03:00Z"));
        let mut berlin = TimeReader::new(Tz::Europe__Berlin, None);
        assert_eq!(berlin.read(b"2026-03-29 02:30:00"), utc("2026-03-29T01:30:00Z"), "an hour that does not exist");
        assert_eq!(berlin.read(b"2026-10-25 02:30:00"), utc("2026-10-25T00:30:00Z"), "the first of two");
    }

    #[test]
    fn a_pattern_reads_what_would_be_two_things() {
        let mut us = TimeReader::new(Tz::UTC, Some("%m/%d/%Y %H:%M".into()));
        assert_eq!(us.read(b"03/04/2026 10:00"), utc("2026-03-04 10:00"));
        let mut day = TimeReader::new(Tz::UTC, Some("%d/%m/%Y".into()));
        assert_eq!(day.read(b"03/04/2026"), utc("2026-04-03"));
    }

    proptest! {
        #[test]
        fn any_instant_reads_back(at in -60_000_000_000_000i64..250_000_000_000_000) {
            let text = crate::clock::rfc3339(at);
            prop_assert_eq!(utc(&text), Some(at));
        }

        #[test]
        fn no_bytes_make_it_stumble(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            let mut zone = TimeReader::new(Tz::Asia__Shanghai, None);
            _ = zone.read(&bytes);
        }
    }
}
