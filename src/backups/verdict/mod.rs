//! Whether a system could be restored, and how well its plan is kept. Pure: everything follows from facts, plan and now.

mod copies;
mod finding;
mod retention;
mod rules;

use chrono::NaiveDate;

pub use copies::Copies;
pub use finding::{Finding, Weight, What};
pub use rules::restore_minutes;

use self::rules::{blind, check_findings, offsite_findings, repo_findings, runs_findings};
use super::model::{Check, Facts, Kind, Outcome, Plan, Repo, Run, kind_of, level, unrestorable};
use super::slots::{self, Seen, Slot, SlotState, judge};
use crate::clock::{DAY, MINUTE, Millis};

/// Days of the calendar.
pub const CALENDAR_DAYS: u64 = 35;
/// Days over which adherence and the worst gap are counted.
pub const WINDOW_DAYS: u64 = 30;
/// A run dated later than its own import by more than this tells of a wrong clock.
const CLOCK_SLACK: Millis = 10 * MINUTE;

/// The answer to "is last night safe?".
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// Yes.
    Safe,
    /// Last night is there, but something is not as it should be.
    AtRisk,
    /// The repository cannot be looked at: neither yes nor no.
    Unknown,
    /// There was never a run.
    Never,
    /// No.
    Unsafe,
}

impl Verdict {
    /// Its word in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Safe => "safe",
            Self::AtRisk => "at_risk",
            Self::Unknown => "unknown",
            Self::Never => "never",
            Self::Unsafe => "unsafe",
        }
    }
}

/// A run and what it counts as.
#[derive(Debug, Clone, PartialEq)]
pub struct Shown {
    /// The run.
    pub run: Run,
    /// What it counts as.
    pub kind: Kind,
    /// Whether it is the off-site copy's.
    pub offsite: bool,
    /// Whether it could be restored now, as far as is known.
    pub restorable: bool,
    /// Whether a clean check has covered it.
    pub verified: bool,
}

/// A day of the calendar.
#[derive(Debug, Clone, PartialEq)]
pub struct Day {
    /// Its slot.
    pub slot: Slot,
    /// What came of it.
    pub state: SlotState,
    /// The runs that belong to it, oldest first.
    pub runs: Vec<Shown>,
    /// Runs are there and no check has covered any of them although that is overdue.
    pub unverified: bool,
}

/// How a system stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Status {
    /// The system.
    pub system: String,
    /// The instant it is judged for.
    pub as_of: Millis,
    /// The answer.
    pub verdict: Verdict,
    /// Data time of the newest good full.
    pub last_full: Option<Millis>,
    /// Data time of the newest good run that is not a full.
    pub last_incremental: Option<Millis>,
    /// Age of the newest restorable data.
    pub rpo: Option<Millis>,
    /// The longest stretch without new restorable data in the window.
    pub worst_gap: Option<Millis>,
    /// Slots kept and slots due in the window.
    pub adherence: (usize, usize),
    /// Days in the window whose slot was not kept, oldest first.
    pub missed: Vec<NaiveDate>,
    /// Those of them on which an incremental ran where a full was due.
    pub not_full: Vec<NaiveDate>,
    /// Age of the newest off-site data.
    pub offsite_age: Option<Millis>,
    /// Whether there is an off-site repository.
    pub has_offsite: bool,
    /// The newest verification of any depth.
    pub last_check: Option<Check>,
    /// The newest restore test.
    pub last_test: Option<Check>,
    /// The deepest level passed within its limit.
    pub tested_level: u8,
    /// How it stands against 3-2-1-1-0.
    pub copies: Copies,
    /// What was found, heaviest first.
    pub findings: Vec<Finding>,
    /// The calendar, oldest first, ending today.
    pub days: Vec<Day>,
    /// When the next run is due.
    pub next_due: Millis,
    /// Source bytes by calendar day.
    pub sizes: Vec<Option<f64>>,
}

struct View<'a> {
    repo: &'a Repo,
    runs: Vec<(&'a Run, Kind, bool)>,
}

impl View<'_> {
    /// Data time of the newest run that restores.
    fn newest(&self) -> Option<Millis> {
        self.runs.iter().filter(|(_, _, bad)| !bad).map(|(r, ..)| r.at).max()
    }
    fn newest_where(&self, full: bool) -> Option<Millis> {
        let fits = |k: Kind| (k == Kind::Full) == full;
        self.runs
            .iter()
            .filter(|(r, k, bad)| !bad && fits(*k) && r.outcome != Outcome::Failed)
            .map(|(r, ..)| r.at)
            .max()
    }
}

fn view<'a>(repo: &'a Repo, checks: &[Check], plan: &Plan, now: Millis) -> View<'a> {
    // cut to what had happened by then; the order by data time is the order of the list
    let bad = unrestorable(repo.tool, &repo.runs, now);
    let verified = checks
        .iter()
        .filter(|c| c.offsite == repo.offsite && c.ok && c.level >= level::DATA && c.at <= now)
        .map(|c| c.at)
        .max();
    let runs = repo.runs.iter().zip(bad).filter(|(r, _)| r.at <= now);
    View { repo, runs: runs.map(|(r, bad)| (r, kind_of(repo.tool, plan, r, verified), bad)).collect() }
}

/// How a system stands at `now` under its plan.
pub fn evaluate(facts: &Facts, plan: &Plan, now: Millis) -> Status {
    let checks: Vec<Check> = facts.checks.iter().filter(|c| c.at <= now).cloned().collect();
    let views: Vec<View<'_>> = facts.repos.iter().map(|r| view(r, &checks, plan, now)).collect();
    let local = views.iter().find(|v| !v.repo.offsite).or(views.first());
    let far = views.iter().find(|v| v.repo.offsite);

    // runs of both repositories serve a slot: a system may back up straight to the far one
    let mut seen: Vec<Seen> = views
        .iter()
        .flat_map(|v| v.runs.iter().map(|(r, kind, _)| Seen { at: r.at, kind: *kind, outcome: r.outcome }))
        .collect();
    seen.sort_by_key(|s| s.at);
    // what retention removed before the first look is no gap: the plan is held against the time since the first run
    let watched = seen.first().map_or(facts.created_at, |s| s.at);
    let blind = local.and_then(|v| blind(v.repo, now));
    let blind_since = blind.as_ref().map(|b| b.1.unwrap_or(facts.created_at));
    let newest = views.iter().filter_map(View::newest).max();
    let full_at = views.iter().filter_map(|v| v.newest_where(true)).max();

    let practised = checks.iter().any(|c| c.level >= level::STRUCTURE);
    let days: Vec<Day> = slots::upto(plan, now, CALENDAR_DAYS)
        .into_iter()
        .map(|slot| {
            let state = judge(&slot, &seen, plan, now, watched, blind_since);
            let runs = shown(&views, &checks, &slot);
            let stale = |s: &Shown| !s.verified && now - s.run.ran_at > plan.verify && s.run.gone_at.is_none();
            // where nothing was ever verified that is one finding, not thirty-five
            let unverified = practised && !runs.is_empty() && runs.iter().all(stale);
            Day { slot, state, runs, unverified }
        })
        .collect();
    let window = &days[days.len().saturating_sub(WINDOW_DAYS as usize)..];
    let met = window.iter().filter(|d| d.state.is_met()).count();
    let missed: Vec<&Day> = window.iter().filter(|d| d.state.is_missed()).collect();

    let mut findings = vec![];
    let mut add = |weight, since, what| findings.push(Finding { weight, since, what });
    let rpo = newest.map(|at| now - at);
    if seen.is_empty() {
        if blind.is_none() {
            add(Weight::Critical, Some(facts.created_at), What::Never);
        }
    } else {
        runs_findings(&days, &seen, &views, plan, now, full_at, blind_since, &mut add);
        // absence counts only where somebody could have seen the presence
        let excused = blind_since.is_some_and(|since| newest.is_some_and(|at| since - at <= plan.rpo));
        if rpo.is_none_or(|age| age > plan.rpo) && !excused {
            add(Weight::Critical, newest.map(|at| at + plan.rpo), What::Rpo(rpo, plan.rpo));
        }
    }
    if let Some((look, seen_at)) = &blind {
        let known = days.iter().rev().find(|d| d.slot.due + plan.grace <= now);
        let weight = if known.is_some_and(|d| d.state == SlotState::Unknown) { Weight::Critical } else { Weight::Warn };
        add(weight, Some(look.0), What::Blind(false, look.1, look.2.clone(), *seen_at));
    }
    repo_findings(facts, &views, now, plan, &mut add);
    offsite_findings(local, far, plan, now, &mut add);
    retention::findings(&views, plan, now, &mut add);
    let copies = copies::count(&views, &checks, plan, now);
    if !seen.is_empty() && copies.is_short() {
        add(Weight::Info, None, What::Copies(copies.clone()));
    }
    let (last_check, last_test, tested_level) = check_findings(&checks, plan, now, !seen.is_empty(), &mut add);
    findings.sort_by_key(|f| (std::cmp::Reverse(f.weight), f.id().0));

    let unknown = findings.iter().any(|f| f.weight == Weight::Critical && matches!(f.what, What::Blind(..)));
    let critical = findings.iter().any(|f| f.weight == Weight::Critical && !matches!(f.what, What::Blind(..)));
    let verdict = match () {
        () if seen.is_empty() && !unknown && blind.is_none() => Verdict::Never,
        () if critical => Verdict::Unsafe,
        () if unknown || (seen.is_empty() && blind.is_some()) => Verdict::Unknown,
        () if findings.iter().any(|f| f.weight == Weight::Warn) => Verdict::AtRisk,
        () => Verdict::Safe,
    };
    let sizes = days
        .iter()
        .map(|d| d.runs.iter().rev().filter(|s| !s.offsite).find_map(|s| s.run.source_bytes).map(|b| b as f64))
        .collect();
    Status {
        system: facts.name.clone(),
        as_of: now,
        verdict,
        last_full: full_at,
        last_incremental: views.iter().filter_map(|v| v.newest_where(false)).max(),
        rpo,
        worst_gap: worst_gap(&views, now),
        adherence: (met, met + missed.len()),
        missed: missed.iter().map(|d| d.slot.date).collect(),
        not_full: missed.iter().filter(|d| d.state == SlotState::NotFull).map(|d| d.slot.date).collect(),
        offsite_age: far.and_then(View::newest).map(|at| now - at),
        has_offsite: far.is_some(),
        last_check,
        last_test,
        tested_level,
        copies,
        findings,
        next_due: slots::next(plan, now).due,
        days,
        sizes,
    }
}
fn shown(views: &[View<'_>], checks: &[Check], slot: &Slot) -> Vec<Shown> {
    let mut out = vec![];
    for v in views {
        for (run, kind, bad) in v.runs.iter().filter(|(r, ..)| (slot.from..slot.to).contains(&r.at)) {
            let done = run.ended_at.unwrap_or(run.ran_at);
            let verified = checks
                .iter()
                .any(|c| c.ok && c.offsite == v.repo.offsite && c.level >= level::STRUCTURE && c.at >= done);
            out.push(Shown {
                run: (*run).clone(),
                kind: *kind,
                offsite: v.repo.offsite,
                restorable: !bad,
                verified: verified && run.outcome != Outcome::Failed,
            });
        }
    }
    out.sort_by_key(|s| (s.run.at, s.offsite));
    out
}

/// The longest stretch in the window in which no newer restorable data came, up to now. Data that retention has
/// removed since were there then and count.
fn worst_gap(views: &[View<'_>], now: Millis) -> Option<Millis> {
    let good = views.iter().flat_map(|v| &v.runs).filter(|(r, ..)| r.outcome != Outcome::Failed);
    let mut at: Vec<Millis> = good.map(|(r, ..)| r.at).collect();
    at.sort_unstable();
    let from = now - WINDOW_DAYS as Millis * DAY;
    let before = at.iter().copied().filter(|a| *a < from).max();
    let mut points: Vec<Millis> = before.into_iter().chain(at.into_iter().filter(|a| *a >= from)).collect();
    points.push(now);
    points.windows(2).map(|w| w[1] - w[0]).max()
}

#[cfg(test)]
mod tests;
