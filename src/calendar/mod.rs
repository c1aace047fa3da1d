//! Business time: zones, weekly hours, holidays, make-up days. Pure.
//!
//! Precedence of a day: `overrides` (make-up day or special hours) before `holidays` before weekly hours; breaks are
//! subtracted last. A local time that does not exist moves forward by the gap, an ambiguous one is the first.

mod holidays;

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Datelike as _, Days, NaiveDate, NaiveTime, TimeZone as _};
use chrono_tz::Tz;

pub use holidays::{HolidayList, built_in};

use crate::clock::Millis;

/// A stretch of local time in a day, minutes from midnight; the end may be 1440.
pub type Hours = (u32, u32);

/// Days searched before a calendar counts as never opening again.
const HORIZON_DAYS: u32 = 4_000;

/// When the office is open.
#[derive(Debug, Clone, PartialEq)]
pub struct Calendar {
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

impl Calendar {
    /// Open day and night.
    pub fn always(zone: Tz) -> Self {
        Self {
            zone,
            always: true,
            week: Default::default(),
            holidays: BTreeSet::new(),
            overrides: BTreeMap::new(),
            breaks: BTreeMap::new(),
            years: BTreeSet::new(),
        }
    }

    /// Takes a year's holidays and make-up days in; a make-up day has the hours of a Monday.
    pub fn add_list(&mut self, list: &HolidayList) {
        self.years.insert(list.year);
        for (day, off) in &list.days {
            if *off {
                self.holidays.insert(*day);
            } else {
                self.overrides.insert(*day, self.week[0].clone());
            }
        }
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

    /// The open stretches within [from, to).
    pub fn open_within(&self, from: Millis, to: Millis) -> Vec<(Millis, Millis)> {
        if to <= from {
            return vec![];
        }
        if self.always {
            return vec![(from, to)];
        }
        let mut out: Vec<(Millis, Millis)> = Vec::new();
        let (mut day, last) = (self.date(from), self.date(to));
        while day <= last {
            for (a, b) in self.day(day) {
                let (a, b) = (a.max(from), b.min(to));
                if a < b {
                    match out.last_mut() {
                        // midnight is no border
                        Some(before) if before.1 >= a => before.1 = before.1.max(b),
                        _ => out.push((a, b)),
                    }
                }
            }
            let Some(next) = day.checked_add_days(Days::new(1)) else { break };
            day = next;
        }
        out
    }

    /// Open milliseconds within [from, to) outside `pauses`.
    pub fn elapsed(&self, from: Millis, to: Millis, pauses: &[(Millis, Millis)]) -> Millis {
        subtract(self.open_within(from, to), pauses).iter().map(|(a, b)| b - a).sum()
    }

    /// The earliest instant at or after `start` by which `budget` open milliseconds outside `pauses` have gone. `None`
    /// when the office does not open that long within eleven years.
    pub fn deadline(&self, start: Millis, budget: Millis, pauses: &[(Millis, Millis)]) -> Option<Millis> {
        let mut left = budget;
        if left <= 0 {
            return Some(start);
        }
        if self.always {
            let mut at = start;
            let mut closed: Vec<_> = pauses.iter().copied().filter(|(a, b)| a < b).collect();
            closed.sort_unstable();
            for (a, b) in closed {
                if b <= at {
                    continue;
                }
                if a - at >= left {
                    break;
                }
                left -= (a - at).max(0);
                at = at.max(b);
            }
            return Some(at + left);
        }
        let mut day = self.date(start);
        for _ in 0..HORIZON_DAYS {
            let open = self.day(day).into_iter().map(|(a, b)| (a.max(start), b)).filter(|(a, b)| a < b).collect();
            for (a, b) in subtract(open, pauses) {
                if b - a >= left {
                    return Some(a + left);
                }
                left -= b - a;
            }
            day = day.checked_add_days(Days::new(1))?;
        }
        None
    }

    /// The latest instant from which `offset` open milliseconds lead up to `at`.
    pub fn offset_before(&self, at: Millis, offset: Millis) -> Option<Millis> {
        let mut left = offset;
        if left <= 0 || self.always {
            return Some(at - left.max(0));
        }
        let mut day = self.date(at);
        for _ in 0..HORIZON_DAYS {
            for (a, b) in self.day(day).into_iter().rev() {
                let b = b.min(at);
                if b <= a {
                    continue;
                }
                if b - a >= left {
                    return Some(b - left);
                }
                left -= b - a;
            }
            day = day.checked_sub_days(Days::new(1))?;
        }
        None
    }

    /// Whether the office is open at `at`.
    pub fn is_open(&self, at: Millis) -> bool {
        self.always || self.day(self.date(at)).iter().any(|(a, b)| (*a..*b).contains(&at))
    }

    /// Whether something between the two instants lies in a year that a holiday list is expected for but not there.
    pub fn is_provisional(&self, from: Millis, to: Millis) -> bool {
        if self.always || self.years.is_empty() {
            return false;
        }
        (self.date(from).year()..=self.date(to).year()).any(|year| !self.years.contains(&year))
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

    fn office() -> Calendar {
        let day = vec![(540, 720), (780, 1080)];
        let mut c = Calendar::always(Tz::Asia__Shanghai);
        c.always = false;
        c.week = [day.clone(), day.clone(), day.clone(), day.clone(), day, vec![], vec![]];
        for list in built_in() {
            c.add_list(&list);
        }
        c
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
        let mut c = office();
        c.week[1] = vec![(540, 780), (720, 1080)];
        let start = parse_rfc3339("2026-11-24T09:00:00+08:00").expect("t");
        let due = c.deadline(start, 9 * HOUR, &[]);
        assert_eq!(due, Some(start + 9 * HOUR));
        assert_eq!(c.offset_before(start + 9 * HOUR, 9 * HOUR), Some(start));
    }

    #[test]
    fn a_pause_that_ends_before_it_begins_is_none() {
        let c = Calendar::always(Tz::UTC);
        assert_eq!(c.deadline(0, 2 * HOUR, &[(HOUR, MINUTE)]), Some(2 * HOUR));
    }

    #[test]
    fn a_year_missing_between_two_lists_is_provisional() {
        let t = |s| parse_rfc3339(s).expect("t");
        let mut c = office();
        c.years.insert(2028);
        assert!(c.is_provisional(t("2027-03-01T09:00:00Z"), t("2027-03-02T09:00:00Z")));
    }

    proptest! {
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
