//! Counting: the open stretches of each year as a table, made when the year is first asked about.

use std::ops::Deref;
use std::sync::{Arc, OnceLock};

use chrono::{Days, NaiveDate};

use super::Rules;
use crate::clock::Millis;

/// The first year with a table, and how many follow; instants outside count as closed.
const FIRST: i32 = 1971;
const YEARS: usize = 229;
/// Years searched before a calendar counts as never opening again.
const HORIZON: usize = 11;

/// Counts business time by [`Rules`]. A clone shares its tables.
#[derive(Debug, Clone)]
pub struct Calendar {
    rules: Rules,
    tables: Arc<Tables>,
}

#[derive(Debug)]
struct Tables {
    /// When each year begins, in the zone; one more than there are years.
    starts: Vec<Millis>,
    years: Vec<OnceLock<Year>>,
}

/// The open stretches of a year.
#[derive(Debug, Default)]
struct Year {
    /// In order, apart from each other.
    spans: Vec<(Millis, Millis)>,
    /// Open milliseconds of the year before each span; then those of the whole year.
    before: Vec<Millis>,
}

impl Year {
    fn of(rules: &Rules, year: i32) -> Self {
        let mut out = Self::default();
        let mut total = 0;
        let mut day = NaiveDate::from_ymd_opt(year, 1, 1);
        let end = NaiveDate::from_ymd_opt(year + 1, 1, 1);
        while let Some(today) = day.filter(|d| Some(*d) != end) {
            for (a, b) in rules.day(today) {
                match out.spans.last_mut() {
                    // midnight is no border; hours that a gap moved onto the next day count once
                    Some(last) if last.1 >= a => {
                        total += (b - last.1).max(0);
                        last.1 = last.1.max(b);
                    }
                    _ => {
                        out.before.push(total);
                        total += b - a;
                        out.spans.push((a, b));
                    }
                }
            }
            day = today.checked_add_days(Days::new(1));
        }
        out.before.push(total);
        out
    }

    fn total(&self) -> Millis {
        self.before.last().copied().unwrap_or(0)
    }

    /// Open milliseconds of the year before `at`.
    fn until(&self, at: Millis) -> Millis {
        match self.spans.partition_point(|span| span.0 <= at).checked_sub(1) {
            Some(i) => self.before[i] + (at.min(self.spans[i].1) - self.spans[i].0),
            None => 0,
        }
    }

    /// The first instant by which `count` open milliseconds of the year have gone; `count` is 1 or more and no more
    /// than the year has.
    fn reached(&self, count: Millis) -> Option<Millis> {
        let i = self.before.partition_point(|before| *before < count).checked_sub(1)?;
        self.spans.get(i).map(|span| span.0 + (count - self.before[i]))
    }

    /// The last instant before which only `count` open milliseconds of the year have gone; fewer than the year has.
    fn left(&self, count: Millis) -> Option<Millis> {
        let i = self.before.partition_point(|before| *before <= count).checked_sub(1)?;
        self.spans.get(i).map(|span| span.0 + (count - self.before[i]))
    }
}

impl Deref for Calendar {
    type Target = Rules;
    fn deref(&self) -> &Rules {
        &self.rules
    }
}

impl PartialEq for Calendar {
    fn eq(&self, other: &Self) -> bool {
        self.rules == other.rules
    }
}

impl Calendar {
    /// Counts by `rules`.
    pub fn new(rules: Rules) -> Self {
        let starts = (0..=YEARS)
            .map(|i| {
                let first = NaiveDate::from_ymd_opt(FIRST + i as i32, 1, 1).unwrap_or(NaiveDate::MAX);
                rules.instant(first, 0)
            })
            .collect();
        let years = (0..YEARS).map(|_| OnceLock::new()).collect();
        Self { rules, tables: Arc::new(Tables { starts, years }) }
    }

    fn year(&self, i: usize) -> &Year {
        self.tables.years[i].get_or_init(|| Year::of(&self.rules, FIRST + i as i32))
    }

    /// The year in which an instant lies.
    fn place(&self, at: Millis) -> usize {
        // near enough by the mean length of a year, then put right
        let mut i = ((at / 31_556_952_000) + 1970 - i64::from(FIRST)).clamp(0, YEARS as i64 - 1) as usize;
        let starts = &self.tables.starts;
        while i > 0 && at < starts[i] {
            i -= 1;
        }
        while i + 1 < YEARS && at >= starts[i + 1] {
            i += 1;
        }
        i
    }

    /// Open milliseconds within [from, to).
    fn between(&self, from: Millis, to: Millis) -> Millis {
        if to <= from {
            return 0;
        }
        if self.rules.always {
            return to - from;
        }
        let (a, b) = (self.place(from), self.place(to));
        if a == b {
            let year = self.year(a);
            return year.until(to) - year.until(from);
        }
        let first = self.year(a);
        let whole: Millis = (a + 1..b).map(|i| self.year(i).total()).sum();
        first.total() - first.until(from) + whole + self.year(b).until(to)
    }

    /// The earliest instant after `start` by which `budget` (1 or more) open milliseconds have gone.
    fn after(&self, start: Millis, budget: Millis) -> Option<Millis> {
        if self.rules.always {
            return Some(start + budget);
        }
        let first = self.place(start);
        let mut left = budget + self.year(first).until(start);
        for i in first..(first + HORIZON).min(YEARS) {
            let year = self.year(i);
            if year.total() >= left {
                return year.reached(left);
            }
            left -= year.total();
        }
        None
    }

    /// Open milliseconds within [from, to) outside `pauses`.
    pub fn elapsed(&self, from: Millis, to: Millis, pauses: &[(Millis, Millis)]) -> Millis {
        let paused = |(a, b): (Millis, Millis)| self.between(a.max(from), b.min(to));
        match pauses {
            [] => self.between(from, to),
            [one] => self.between(from, to) - paused(*one),
            many => self.between(from, to) - united(many).into_iter().map(paused).sum::<Millis>(),
        }
    }

    /// The earliest instant at or after `start` by which `budget` open milliseconds outside `pauses` have gone. `None`
    /// when the office does not open that long within eleven years.
    pub fn deadline(&self, start: Millis, budget: Millis, pauses: &[(Millis, Millis)]) -> Option<Millis> {
        if budget <= 0 {
            return Some(start);
        }
        if pauses.is_empty() {
            return self.after(start, budget);
        }
        let (mut at, mut left) = (start, budget);
        for (a, b) in united(pauses) {
            if b <= at {
                continue;
            }
            let open = self.between(at, a);
            if open >= left {
                break;
            }
            left -= open;
            at = b;
        }
        self.after(at, left)
    }

    /// The latest instant from which `offset` open milliseconds lead up to `at`.
    pub fn offset_before(&self, at: Millis, offset: Millis) -> Option<Millis> {
        if offset <= 0 || self.rules.always {
            return Some(at - offset.max(0));
        }
        let last = self.place(at);
        // how much of the year has gone at the instant looked for; below zero it lies in an earlier one
        let mut count = self.year(last).until(at) - offset;
        for i in (last.saturating_sub(HORIZON)..=last).rev() {
            if i != last {
                count += self.year(i).total();
            }
            if count >= 0 {
                return self.year(i).left(count);
            }
        }
        None
    }

    /// Whether the office is open at `at`.
    pub fn is_open(&self, at: Millis) -> bool {
        self.rules.always || self.span_at(at).is_some()
    }

    fn span_at(&self, at: Millis) -> Option<(Millis, Millis)> {
        let spans = &self.year(self.place(at)).spans;
        let span = spans.get(spans.partition_point(|s| s.0 <= at).checked_sub(1)?)?;
        (at < span.1).then_some(*span)
    }

    /// When the office opens next after a closed instant; `None` while it is open.
    pub fn opens_at(&self, at: Millis) -> Option<Millis> {
        if self.is_open(at) { None } else { self.after(at, 1).map(|t| t - 1) }
    }

    /// The open stretches within [from, to).
    pub fn open_within(&self, from: Millis, to: Millis) -> Vec<(Millis, Millis)> {
        if to <= from {
            return vec![];
        }
        if self.rules.always {
            return vec![(from, to)];
        }
        let mut out: Vec<(Millis, Millis)> = Vec::new();
        for i in self.place(from)..=self.place(to) {
            let spans = &self.year(i).spans;
            for (a, b) in &spans[spans.partition_point(|s| s.1 <= from)..] {
                let (a, b) = ((*a).max(from), (*b).min(to));
                if a >= b {
                    break;
                }
                match out.last_mut() {
                    Some(last) if last.1 >= a => last.1 = b,
                    _ => out.push((a, b)),
                }
            }
        }
        out
    }
}

/// Stretches in order, those that meet made one, those that end before they begin left out.
fn united(stretches: &[(Millis, Millis)]) -> Vec<(Millis, Millis)> {
    let mut all: Vec<_> = stretches.iter().copied().filter(|(a, b)| a < b).collect();
    all.sort_unstable();
    all.dedup_by(|next, before| {
        let meets = next.0 <= before.1;
        if meets {
            before.1 = before.1.max(next.1);
        }
        meets
    });
    all
}
