//! The plan's slots: when a run is due, and which run belongs to which slot. Pure.

use chrono::{Datelike as _, Days, LocalResult, NaiveDate, TimeZone as _};
use chrono_tz::Tz;

use super::model::{Kind, Outcome, Plan};
use crate::clock::{DAY, HOUR, MINUTE, Millis};

/// A planned run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slot {
    /// The civil day it belongs to, in the plan's zone.
    pub date: NaiveDate,
    /// When it is due.
    pub due: Millis,
    /// Whether it must be a full.
    pub full: bool,
    /// From when on a run counts for it: a grace before it is due, so that a clock ahead of ours does no harm.
    pub from: Millis,
    /// Until when (exclusive): where the next slot begins.
    pub to: Millis,
}

/// What came of a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SlotState {
    /// Not due yet, or within its grace.
    Pending,
    /// From before the system was watched.
    Before,
    /// A run satisfies it.
    Met {
        /// With a full.
        full: bool,
        /// After the grace.
        late: bool,
        /// It ended with warnings.
        partial: bool,
    },
    /// A full was due and only an incremental ran: the data are there, the full is not.
    NotFull,
    /// A run was tried and failed.
    Failed,
    /// Nothing ran.
    Missed,
    /// The repository could not be looked at since: nobody knows.
    Unknown,
}

impl SlotState {
    /// Whether the slot counts as kept.
    pub fn is_met(self) -> bool {
        matches!(self, Self::Met { .. })
    }
    /// Whether the slot has been decided and was not kept.
    pub fn is_missed(self) -> bool {
        matches!(self, Self::NotFull | Self::Failed | Self::Missed)
    }
}

/// A run as the slots see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// The instant its data show.
    pub at: Millis,
    /// What it counts as.
    pub kind: Kind,
    /// How it ended.
    pub outcome: Outcome,
}

/// The civil day of an instant.
pub fn date_of(zone: Tz, at: Millis) -> NaiveDate {
    zone.timestamp_millis_opt(at).single().map_or(NaiveDate::MIN, |t| t.date_naive())
}

/// A local time as an instant: one that does not exist moves forward by the gap, an ambiguous one is the first.
pub fn instant(zone: Tz, date: NaiveDate, minute: u32) -> Millis {
    let Some(local) = date.and_hms_opt(minute / 60 % 24, minute % 60, 0) else { return 0 };
    match zone.from_local_datetime(&local) {
        LocalResult::Single(t) | LocalResult::Ambiguous(t, _) => t.timestamp_millis(),
        LocalResult::None => {
            let hour_before = local - chrono::TimeDelta::hours(3);
            zone.from_local_datetime(&hour_before)
                .earliest()
                .map_or_else(|| local.and_utc().timestamp_millis(), |t| t.timestamp_millis() + 3 * HOUR)
        }
    }
}

fn slot(plan: &Plan, date: NaiveDate) -> Slot {
    let due = instant(plan.zone, date, plan.minute);
    let next = date.checked_add_days(Days::new(1)).map_or(due + DAY, |d| instant(plan.zone, d, plan.minute));
    let early = plan.grace.min(6 * HOUR);
    Slot { date, due, full: plan.full_on == Some(date.weekday()), from: due - early, to: next - early }
}

/// The slots of the `count` days up to the day of `now`, oldest first.
pub fn upto(plan: &Plan, now: Millis, count: u64) -> Vec<Slot> {
    let today = date_of(plan.zone, now);
    (0..count).rev().filter_map(|back| today.checked_sub_days(Days::new(back))).map(|d| slot(plan, d)).collect()
}

/// The slot after `now`.
pub fn next(plan: &Plan, now: Millis) -> Slot {
    let today = date_of(plan.zone, now);
    let first = slot(plan, today);
    if first.due > now { first } else { today.checked_add_days(Days::new(1)).map_or(first, |d| slot(plan, d)) }
}

/// Judges a slot by `runs` (oldest first, none after `now`). `watched` is when watching began; `blind` the instant
/// since which the repository could not be looked at.
pub fn judge(
    slot: &Slot,
    runs: &[Seen],
    plan: &Plan,
    now: Millis,
    watched: Millis,
    blind: Option<Millis>,
) -> SlotState {
    let inside = || runs.iter().filter(|r| (slot.from..slot.to).contains(&r.at));
    let good = || inside().filter(|r| r.outcome != Outcome::Failed);
    let fits = || good().filter(|r| !slot.full || r.kind == Kind::Full);
    let waiting = now < slot.due + plan.grace;
    if let Some(first) = fits().next() {
        return SlotState::Met {
            full: fits().any(|r| r.kind == Kind::Full),
            late: first.at > slot.due + plan.grace,
            partial: fits().all(|r| r.outcome == Outcome::Partial),
        };
    }
    if good().next().is_some() {
        return if waiting { SlotState::Pending } else { SlotState::NotFull };
    }
    if inside().next().is_some() {
        return SlotState::Failed;
    }
    if waiting {
        SlotState::Pending
    } else if slot.due < watched {
        SlotState::Before
    } else if blind.is_some_and(|since| since < slot.due + plan.grace) {
        SlotState::Unknown
    } else {
        SlotState::Missed
    }
}

/// `HH:MM` of a minute of the day.
pub fn clock_text(minute: u32) -> String {
    format!("{:02}:{:02}", minute / 60 % 24, minute % 60)
}

/// Local `MM-DD HH:MM`.
pub fn local_text(zone: Tz, at: Millis) -> String {
    zone.timestamp_millis_opt(at / MINUTE * MINUTE)
        .single()
        .map_or_else(|| "—".to_owned(), |t| t.format("%m-%d %H:%M").to_string())
}
