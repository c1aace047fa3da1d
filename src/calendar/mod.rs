//! Business time: zones, weekly hours, holidays, make-up days. Pure.
//!
//! Precedence of a day: `overrides` (make-up day or special hours) before `holidays` before weekly hours; breaks are
//! subtracted last. A local time that does not exist moves forward by the gap, an ambiguous one is the first.
//!
//! [`Rules`] say when the office is open; a [`Calendar`] counts by them, with a table for each year it has been asked
//! about, so that a question costs two searches instead of a walk over the days.

mod holidays;
mod table;

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Datelike as _, NaiveDate, NaiveTime, TimeZone as _};
use chrono_tz::Tz;
use sha2::{Digest as _, Sha256};

pub use holidays::{HolidayList, built_in};
pub use table::Calendar;

use crate::clock::Millis;

/// A stretch of local time in a day, minutes from midnight; the end may be 1440.
pub type Hours = (u32, u32);

/// When the office is open.
#[derive(Debug, Clone, PartialEq)]
pub struct Rules {
    /// Its zone.
    pub zone: Tz,
    /// Open day and night, whatever else is set.
    pub always: bool,
    /// Monday first.
    pub week: [Vec<Hours>; 7],
    /// Closed days.
    pub holidays: BTreeSet<NaiveDate>,
    /// Days with hours of their own.
    pub overrides: BTreeMap<NaiveDate, Vec<Hours>>,
    /// Closed stretches of single days.
    pub breaks: BTreeMap<NaiveDate, Vec<Hours>>,
    /// Years with a holiday list; empty: no list is expected.
    pub years: BTreeSet<i32>,
}

impl Rules {
    /// Open day and night.
    pub fn always(zone: Tz) -> Self {
        Self { always: true, ..Self::closed(zone) }
    }

    /// Never open, until hours are set.
    pub fn closed(zone: Tz) -> Self {
        Self {
            zone,
            always: false,
            week: Default::default(),
            holidays: BTreeSet::new(),
            overrides: BTreeMap::new(),
            breaks: BTreeMap::new(),
            years: BTreeSet::new(),
        }
    }

    /// Takes a year's holidays and make-up days in, in place of what an earlier list says of these days; a make-up day
    /// has the hours `make_up`.
    pub fn add_list(&mut self, list: &HolidayList, make_up: &[Hours]) {
        self.years.insert(list.year);
        for (day, off) in &list.days {
            if *off {
                self.overrides.remove(day);
                self.holidays.insert(*day);
            } else {
                self.holidays.remove(day);
                self.overrides.insert(*day, make_up.to_vec());
            }
        }
    }

    /// The rules in words that differ when the rules do: what a calendar version is known by.
    pub fn canonical(&self) -> String {
        use std::fmt::Write as _;
        let hours = |list: &[Hours]| {
            let clock = |m: u32| format!("{:02}:{:02}", m / 60, m % 60);
            list.iter().map(|(a, b)| format!("{}-{}", clock(*a), clock(*b))).collect::<Vec<_>>().join(",")
        };
        let mut out = format!("zone {}\n", self.zone);
        if self.always {
            out.push_str("always\n");
        }
        for (day, open) in ["mon", "tue", "wed", "thu", "fri", "sat", "sun"].iter().zip(&self.week) {
            _ = writeln!(out, "{day} {}", hours(open));
        }
        for year in &self.years {
            _ = writeln!(out, "list {year}");
        }
        for day in &self.holidays {
            _ = writeln!(out, "off {day}");
        }
        for (day, open) in &self.overrides {
            _ = writeln!(out, "day {day} {}", hours(open));
        }
        for (day, closed) in &self.breaks {
            _ = writeln!(out, "break {day} {}", hours(closed));
        }
        out
    }

    /// A short name for [`Rules::canonical`]: sixteen hexadecimal digits.
    pub fn digest(&self) -> String {
        Sha256::digest(self.canonical().as_bytes()).iter().take(8).map(|b| format!("{b:02x}")).collect()
    }

    /// The local date of an instant.
    pub fn date(&self, at: Millis) -> NaiveDate {
        self.zone.timestamp_millis_opt(at).single().map_or(NaiveDate::MIN, |t| t.date_naive())
    }

    fn instant(&self, day: NaiveDate, minutes: u32) -> Millis {
        let midnight = day.and_time(NaiveTime::MIN);
        let local = midnight + chrono::Duration::minutes(i64::from(minutes));
        match self.zone.from_local_datetime(&local) {
            chrono::LocalResult::Single(t) | chrono::LocalResult::Ambiguous(t, _) => t.timestamp_millis(),
            chrono::LocalResult::None => {
                // by the offset that was in force before the gap
                let before = local - chrono::Duration::hours(3);
                let offset = self
                    .zone
                    .from_local_datetime(&before)
                    .earliest()
                    .map_or(0, |t| before.and_utc().timestamp_millis() - t.timestamp_millis());
                local.and_utc().timestamp_millis() - offset
            }
        }
    }

    /// The open stretches of a local day, in order.
    fn day(&self, day: NaiveDate) -> Vec<(Millis, Millis)> {
        let hours: &[Hours] = match (self.overrides.get(&day), self.holidays.contains(&day)) {
            (Some(hours), _) => hours,
            (None, true) => &[],
            (None, false) => &self.week[day.weekday().num_days_from_monday() as usize],
        };
        let mut open: Vec<(Millis, Millis)> =
            hours.iter().map(|(a, b)| (self.instant(day, *a), self.instant(day, *b))).filter(|(a, b)| a < b).collect();
        open.sort_unstable();
        // hours that overlap, as written or by a shift over a gap, count once
        open.dedup_by(|next, before| {
            let touches = next.0 <= before.1;
            if touches {
                before.1 = before.1.max(next.1);
            }
            touches
        });
        if let Some(breaks) = self.breaks.get(&day) {
            let closed: Vec<_> = breaks.iter().map(|(a, b)| (self.instant(day, *a), self.instant(day, *b))).collect();
            open = subtract(open, &closed);
        }
        open
    }

    /// Whether something between the two instants lies in a year that a holiday list is expected for but not there.
    pub fn is_provisional(&self, from: Millis, to: Millis) -> bool {
        if self.always || self.years.is_empty() {
            return false;
        }
        (self.date(from).year()..=self.date(to).year()).any(|year| !self.years.contains(&year))
    }

    /// From the first of December on: the next year, when its list is expected but not there.
    pub fn missing_year(&self, now: Millis) -> Option<i32> {
        let today = self.date(now);
        if self.always || self.years.is_empty() {
            return None;
        }
        let due = today.year() + i32::from(today.month() == 12);
        (!self.years.contains(&due)).then_some(due)
    }
}

/// `open` without `closed`; both in any order of ends, `open` sorted.
fn subtract(open: Vec<(Millis, Millis)>, closed: &[(Millis, Millis)]) -> Vec<(Millis, Millis)> {
    closed.iter().fold(open, |open, (x, y)| {
        if x >= y {
            return open;
        }
        let mut out = Vec::with_capacity(open.len() + 1);
        for (a, b) in open {
            if *y <= a || b <= *x {
                out.push((a, b));
                continue;
            }
            if a < *x {
                out.push((a, *x));
            }
            if *y < b {
                out.push((*y, b));
            }
        }
        out
    })
}

/// Reads `09:00`–`24:00` as minutes from midnight.
///
/// # Errors
/// When it is no time of day.
pub fn minutes(text: &str) -> Result<u32, String> {
    let bad = || format!("`{text}` is no time of day; write HH:MM from 00:00 to 24:00");
    let (h, m) = text.split_once(':').ok_or_else(bad)?;
    let (h, m): (u32, u32) = (h.parse().map_err(|_| bad())?, m.parse().map_err(|_| bad())?);
    if m > 59 || h * 60 + m > 1440 {
        return Err(bad());
    }
    Ok(h * 60 + m)
}

/// Reads a pair of times as [`Hours`].
///
/// # Errors
/// When one is no time of day, or they are out of order (an interval may not cross midnight).
pub fn hours(from: &str, to: &str) -> Result<Hours, String> {
    let pair = (minutes(from)?, minutes(to)?);
    if pair.0 >= pair.1 {
        return Err(format!("{from}–{to}: the end must be after the start; split an interval at midnight"));
    }
    Ok(pair)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{HOUR, MINUTE, parse_rfc3339};
    use proptest::prelude::*;

    fn rules() -> Rules {
        let day = vec![(540, 720), (780, 1080)];
        let mut c = Rules::closed(Tz::Asia__Shanghai);
        c.week = [day.clone(), day.clone(), day.clone(), day.clone(), day.clone(), vec![], vec![]];
        for list in built_in() {
            c.add_list(&list, &day);
        }
        c
    }

    fn office() -> Calendar {
        Calendar::new(rules())
    }

    /// The same by walking over the days: slow, and plain to see.
    fn walked(rules: &Rules, from: Millis, to: Millis, pauses: &[(Millis, Millis)]) -> Millis {
        let mut open = Vec::new();
        let mut day = rules.date(from);
        while day <= rules.date(to) {
            open.extend(rules.day(day).into_iter().map(|(a, b)| (a.max(from), b.min(to))).filter(|(a, b)| a < b));
            day = day.succ_opt().expect("next");
        }
        subtract(open, pauses).iter().map(|(a, b)| b - a).sum()
    }

    #[test]
    fn a_make_up_saturday_counts_and_a_holiday_does_not() {
        let c = office();
        assert!(c.is_open(parse_rfc3339("2026-02-14T10:00:00+08:00").expect("t")));
        assert!(!c.is_open(parse_rfc3339("2026-02-16T10:00:00+08:00").expect("t")));
        assert!(!c.is_open(parse_rfc3339("2026-11-24T12:30:00+08:00").expect("t")));
    }

    #[test]
    fn a_year_without_a_list_is_provisional() {
        let t = |s| parse_rfc3339(s).expect("t");
        let c = office();
        assert!(c.is_provisional(t("2026-12-31T09:00:00Z"), t("2027-01-04T09:00:00Z")));
        assert!(!c.is_provisional(t("2026-12-01T09:00:00Z"), t("2026-12-02T09:00:00Z")));
    }

    #[test]
    fn overlapping_hours_count_once() {
        let mut rules = rules();
        rules.week[1] = vec![(540, 780), (720, 1080)];
        let c = Calendar::new(rules);
        let start = parse_rfc3339("2026-11-24T09:00:00+08:00").expect("t");
        let due = c.deadline(start, 9 * HOUR, &[]);
        assert_eq!(due, Some(start + 9 * HOUR));
        assert_eq!(c.offset_before(start + 9 * HOUR, 9 * HOUR), Some(start));
    }

    #[test]
    fn a_pause_that_ends_before_it_begins_is_none() {
        let c = Calendar::new(Rules::always(Tz::UTC));
        assert_eq!(c.deadline(0, 2 * HOUR, &[(HOUR, MINUTE)]), Some(2 * HOUR));
    }

    #[test]
    fn a_year_missing_between_two_lists_is_provisional() {
        let t = |s| parse_rfc3339(s).expect("t");
        let mut c = rules();
        c.years.insert(2028);
        assert!(c.is_provisional(t("2027-03-01T09:00:00Z"), t("2027-03-02T09:00:00Z")));
    }

    #[test]
    fn a_newer_list_takes_the_place_of_what_an_older_one_says() {
        let t = |s| parse_rfc3339(s).expect("t");
        let mut c = rules();
        assert_eq!(c.missing_year(t("2026-11-30T10:00:00+08:00")), None);
        assert_eq!(c.missing_year(t("2026-12-01T10:00:00+08:00")), Some(2027));
        let digest = c.digest();
        let day = |d: &str| d.parse().expect("day");
        // next year's notice may rule days of this December
        let days = vec![(day("2026-12-31"), true), (day("2026-10-10"), true), (day("2026-10-01"), false)];
        c.add_list(&HolidayList { year: 2027, days }, &[(540, 600)]);
        assert_ne!(c.digest(), digest);
        assert_eq!(c.missing_year(t("2026-12-01T10:00:00+08:00")), None);
        let c = Calendar::new(c);
        assert!(!c.is_open(t("2026-12-31T10:00:00+08:00")) && !c.is_open(t("2026-10-10T10:00:00+08:00")));
        assert!(c.is_open(t("2026-10-01T09:30:00+08:00")));
        assert_eq!(c.opens_at(t("2026-12-30T18:00:00+08:00")), Some(t("2027-01-01T09:00:00+08:00")));
        assert_eq!(c.opens_at(t("2026-12-30T17:59:00+08:00")), None);
    }

    proptest! {
        #[test]
        fn the_tables_count_as_a_walk_over_the_days_does(
            start in 1_730_000_000_000i64..1_790_000_000_000, span in 0i64..500 * 24 * HOUR,
            pauses in proptest::collection::vec((0i64..500 * 24 * HOUR, -HOUR..40 * HOUR), 0..4),
        ) {
            let c = office();
            let pauses: Vec<_> = pauses.into_iter().map(|(a, took)| (start + a, start + a + took)).collect();
            let elapsed = c.elapsed(start, start + span, &pauses);
            prop_assert_eq!(elapsed, walked(&c, start, start + span, &pauses));
            let due = c.deadline(start, elapsed.max(1), &pauses).expect("opens again");
            prop_assert_eq!(walked(&c, start, due, &pauses), elapsed.max(1));
            prop_assert!(walked(&c, start, due - 1, &pauses) < elapsed.max(1));
            let open: Millis = c.open_within(start, start + span).iter().map(|(a, b)| b - a).sum();
            prop_assert_eq!(open, walked(&c, start, start + span, &[]));
        }

        #[test]
        fn a_deadline_is_reached_exactly_and_not_before(start in 1_735_000_000_000i64..1_790_000_000_000, budget in 1i64..200 * HOUR) {
            let c = office();
            let due = c.deadline(start, budget, &[]).expect("opens again");
            prop_assert_eq!(c.elapsed(start, due, &[]), budget);
            prop_assert!(c.elapsed(start, due - 1, &[]) < budget);
            let back = c.offset_before(due, budget).expect("was open before");
            prop_assert_eq!(c.elapsed(back, due, &[]), budget);
            prop_assert!(c.elapsed(back + 1, due, &[]) < budget);
        }

        #[test]
        fn elapsed_time_adds_up(start in 1_735_000_000_000i64..1_790_000_000_000, a in 0i64..100 * HOUR, b in 0i64..100 * HOUR) {
            let c = office();
            prop_assert_eq!(c.elapsed(start, start + a, &[]) + c.elapsed(start + a, start + a + b, &[]), c.elapsed(start, start + a + b, &[]));
        }

        #[test]
        fn a_pause_outside_hours_costs_nothing(budget in 1i64..40 * HOUR) {
            let c = office();
            let start = parse_rfc3339("2026-11-23T10:00:00+08:00").expect("t");
            let night = (parse_rfc3339("2026-11-23T19:00:00+08:00").expect("t"), parse_rfc3339("2026-11-24T08:00:00+08:00").expect("t"));
            prop_assert_eq!(c.deadline(start, budget, &[night]), c.deadline(start, budget, &[]));
        }
    }
}
