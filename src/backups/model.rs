//! Backups and whether they keep to the plan. Pure.
//!
//! The plan: a backup every day, a full one every week. A day is missed when it is over by more than the grace and no
//! backup was started on it; days are local. What a backup holds is as old as its start.

use std::collections::BTreeMap;

use chrono::{Days, NaiveDate, NaiveTime, TimeZone as _};

use crate::clock::{DAY, HOUR, Millis};

/// Days of the plan that are looked back at.
pub const WINDOW_DAYS: u64 = 35;
/// How long after its end a day without a backup counts as missed.
const GRACE: Millis = 2 * HOUR;
/// Oldest a full backup may be.
const FULL_LIMIT: Millis = 7 * DAY + GRACE;
/// Oldest the newest backup may be.
const RPO_LIMIT: Millis = 26 * HOUR;
/// How far the off-site copy may be behind.
const OFFSITE_LIMIT: Millis = 24 * HOUR;

/// A backup that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backup {
    /// The tool's own name of it.
    pub id: String,
    /// When it was begun.
    pub started_at: Millis,
    /// Whether it counts as the weekly full one.
    pub is_full: bool,
    /// Whether the tool noted errors in it.
    pub failed: bool,
    /// Bytes read from the source.
    pub bytes: Option<i64>,
    /// Whether it lies in the off-site copy.
    pub offsite: bool,
}

/// What was on a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cell {
    /// Before the first backup, or not over yet.
    Blank,
    /// A full one.
    Full,
    /// An incremental one.
    Incremental,
    /// None.
    Missed,
}

/// How a system stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Status {
    /// The system.
    pub system: String,
    /// Start of the newest good full backup.
    pub last_full: Option<Millis>,
    /// Start of the newest good incremental backup.
    pub last_incremental: Option<Millis>,
    /// Age of what can be restored now.
    pub rpo: Option<Millis>,
    /// Days without a backup.
    pub missed: Vec<NaiveDate>,
    /// Age of the newest off-site backup.
    pub offsite_age: Option<Millis>,
    /// `safe`, `never`, `rpo_breach`, `full_overdue`, `missed`, `failed`, `offsite_lag`
    pub verdict: &'static str,
    /// One cell a day, oldest first, [`WINDOW_DAYS`] of them; the last is today.
    pub cells: Vec<Cell>,
}

/// How `system` stands at `at`.
pub fn status(system: &str, wants_offsite: bool, backups: &[Backup], at: Millis, zone: chrono_tz::Tz) -> Status {
    let date = |t: Millis| zone.timestamp_millis_opt(t).single().map_or(NaiveDate::MIN, |t| t.date_naive());
    // a backup from the future is a wrong clock and proves nothing
    let seen: Vec<&Backup> = backups.iter().filter(|b| b.started_at <= at).collect();
    let good: Vec<&&Backup> = seen.iter().filter(|b| !b.failed).collect();
    let newest = |want: &dyn Fn(&Backup) -> bool| good.iter().filter(|b| want(b)).map(|b| b.started_at).max();
    let last_full = newest(&|b| b.is_full && !b.offsite);
    let last_incremental = newest(&|b| !b.is_full && !b.offsite);
    let last = newest(&|_| true);
    let offsite_age = newest(&|b| b.offsite).map(|t| at - t);
    let mut days: BTreeMap<NaiveDate, bool> = BTreeMap::new();
    for b in good.iter().filter(|b| !b.offsite) {
        *days.entry(date(b.started_at)).or_default() |= b.is_full;
    }
    let first = days.keys().next().copied();
    let today = date(at);
    let mut cells = Vec::new();
    let mut missed = Vec::new();
    for back in (0..WINDOW_DAYS).rev() {
        let Some(day) = today.checked_sub_days(Days::new(back)) else { continue };
        let end = day.checked_add_days(Days::new(1)).map(|d| d.and_time(NaiveTime::MIN));
        let over = end
            .and_then(|e| zone.from_local_datetime(&e).earliest())
            .is_some_and(|e| at > e.timestamp_millis() + GRACE);
        cells.push(match days.get(&day) {
            Some(true) => Cell::Full,
            Some(false) => Cell::Incremental,
            None if over && first.is_some_and(|f| day > f) => {
                missed.push(day);
                Cell::Missed
            }
            None => Cell::Blank,
        });
    }
    let rpo = last.map(|t| at - t);
    let newest_failed = seen.iter().max_by_key(|b| b.started_at).is_some_and(|b| b.failed);
    let yesterday = today.checked_sub_days(Days::new(1));
    let verdict = match rpo {
        None => "never",
        Some(age) if age > RPO_LIMIT => "rpo_breach",
        Some(_) if newest_failed => "failed",
        Some(_) if last_full.is_none_or(|t| at - t > FULL_LIMIT) => "full_overdue",
        Some(_) if missed.last().copied() == yesterday && yesterday.is_some() => "missed",
        Some(_) if wants_offsite && offsite_age.is_none_or(|age| age - rpo.unwrap_or(0) > OFFSITE_LIMIT) => {
            "offsite_lag"
        }
        Some(_) => "safe",
    };
    Status { system: system.to_owned(), last_full, last_incremental, rpo, missed, offsite_age, verdict, cells }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::parse_rfc3339;

    fn backup(at: &str, is_full: bool) -> Backup {
        Backup {
            id: at.into(),
            started_at: parse_rfc3339(at).expect("time"),
            is_full,
            failed: false,
            bytes: None,
            offsite: false,
        }
    }

    #[test]
    fn the_missing_night_is_named() {
        let all = [
            backup("2026-11-20T02:00:00+08:00", true),
            backup("2026-11-21T02:00:00+08:00", false),
            backup("2026-11-23T02:00:00+08:00", false),
        ];
        let at = parse_rfc3339("2026-11-23T12:00:00+08:00").expect("time");
        let s = status("oa", false, &all, at, chrono_tz::Asia::Shanghai);
        assert_eq!(s.missed, ["2026-11-22".parse().expect("day")]);
        assert_eq!((s.verdict, s.rpo), ("missed", Some(10 * HOUR)));
        assert_eq!(s.cells.len(), WINDOW_DAYS as usize);
        assert_eq!(&s.cells[31..], [Cell::Full, Cell::Incremental, Cell::Missed, Cell::Incremental]);
    }

    #[test]
    fn without_a_backup_nothing_is_safe() {
        assert_eq!(status("oa", false, &[], 0, chrono_tz::Asia::Shanghai).verdict, "never");
    }
}
