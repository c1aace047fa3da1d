//! Whether a system could be restored, and how well its plan is kept. Pure: everything follows from facts, plan and now.

use chrono::NaiveDate;

use super::anomaly::{self, Odd};
use super::model::{Check, Facts, Kind, LookState, Outcome, Plan, Repo, Run, kind_of, level, unrestorable};
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

/// How much a finding weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// Worth knowing; last night is safe all the same.
    Info,
    /// Something is not as it should be.
    Warn,
    /// Data would be lost.
    Critical,
}

impl Weight {
    /// Its word in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warn => "warning",
            Self::Critical => "critical",
        }
    }
}

/// What was found; the ids are those of the definitions.
#[derive(Debug, Clone, PartialEq)]
pub enum What {
    /// B00: no run is known.
    Never,
    /// B01: nothing ran in the last slot.
    Missed(Slot),
    /// B02: the newest good full is older than the last due weekly slot.
    FullOverdue(Option<Millis>, Slot),
    /// B03: the latest run failed.
    Failed(Millis, String),
    /// B04: the latest run ended with warnings.
    Partial(Millis),
    /// B05: running for too long, since.
    Stuck(Millis),
    /// B06: age of the newest restorable data, and the limit.
    Rpo(Option<Millis>, Millis),
    /// B07: the run whose ancestor is gone or bad, and how many cannot be restored.
    Chain(String, usize),
    /// B08: how far the off-site copy lags (`None`: it is empty), and the limit.
    OffsiteLag(Option<Millis>, Millis),
    /// B09: the newest verification (`None`: none), and the limit.
    VerifyOverdue(Option<Millis>, Millis),
    /// B10: a check found damage.
    Corrupt(Check),
    /// B11: the newest passed restore test (`None`: none), and the limit.
    TestOverdue(Option<Millis>, Millis),
    /// B12: the last restore test failed.
    TestFailed(Check),
    /// B13: measured or projected minutes of a restore, and the limit.
    TestSlow(f64, Millis),
    /// B14 to B16.
    Odd(Odd),
    /// B15 with B16: the shape of ransomware.
    Ransom,
    /// B17: there is no off-site copy.
    Copies,
    /// B19: the repository is not encrypted.
    NotEncrypted(bool),
    /// DQ: runs from the future.
    Clock(usize),
    /// The repository could not be looked at.
    Blind(bool, LookState, String, Option<Millis>),
}

/// A finding.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// How much it weighs.
    pub weight: Weight,
    /// Since when, where that makes sense.
    pub since: Option<Millis>,
    /// What it is.
    pub what: What,
}

impl Finding {
    /// The id of its definition and its name.
    pub fn id(&self) -> (&'static str, &'static str) {
        match &self.what {
            What::Never => ("B00", "never"),
            What::Missed(_) => ("B01", "missed"),
            What::FullOverdue(..) => ("B02", "full_overdue"),
            What::Failed(..) => ("B03", "failed"),
            What::Partial(_) => ("B04", "partial"),
            What::Stuck(_) => ("B05", "stuck"),
            What::Rpo(..) => ("B06", "rpo_breach"),
            What::Chain(..) => ("B07", "chain_broken"),
            What::OffsiteLag(..) => ("B08", "offsite_lag"),
            What::VerifyOverdue(..) => ("B09", "verification_overdue"),
            What::Corrupt(_) => ("B10", "corruption"),
            What::TestOverdue(..) => ("B11", "restore_test_overdue"),
            What::TestFailed(_) => ("B12", "restore_test_failed"),
            What::TestSlow(..) => ("B13", "restore_too_slow"),
            What::Odd(Odd::Shrank(..)) => ("B14", "source_shrank"),
            What::Odd(Odd::Surge(..)) => ("B15", "surge"),
            What::Odd(Odd::Entropy(..)) => ("B16", "entropy"),
            What::Ransom => ("B16", "ransomware_shape"),
            What::Copies => ("B17", "copies"),
            What::NotEncrypted(_) => ("B19", "not_encrypted"),
            What::Clock(_) => ("DQ", "clock"),
            What::Blind(..) => ("DQ", "cannot_look"),
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
    offsite_findings(local, far, plan, now, !seen.is_empty(), &mut add);
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
        findings,
        next_due: slots::next(plan, now).due,
        days,
        sizes,
    }
}

type Add<'a> = dyn FnMut(Weight, Option<Millis>, What) + 'a;
/// When the last look failed: (when, state, note) and when the repository was last seen well.
type Blind = ((Millis, LookState, String), Option<Millis>);

fn blind(repo: &Repo, now: Millis) -> Option<Blind> {
    let look = repo.look.as_ref().filter(|l| l.state != LookState::Ok && l.at <= now)?;
    Some(((look.at, look.state, look.note.clone()), repo.seen_at.filter(|at| *at <= now)))
}

#[expect(clippy::too_many_arguments, reason = "one place where the slots become findings")]
fn runs_findings(
    days: &[Day],
    seen: &[Seen],
    views: &[View<'_>],
    plan: &Plan,
    now: Millis,
    full_at: Option<Millis>,
    blind: Option<Millis>,
    add: &mut Add<'_>,
) {
    // the last slot that is decided: its grace is over or something ran
    let last = days.iter().rev().find(|d| d.state != SlotState::Pending && d.slot.from <= now);
    if let Some(day) = last {
        match day.state {
            SlotState::Missed => add(Weight::Critical, Some(day.slot.due), What::Missed(day.slot)),
            SlotState::Met { partial: true, .. } => {
                let at = day.runs.iter().rev().find(|s| s.run.outcome == Outcome::Partial).map(|s| s.run.ran_at);
                add(Weight::Warn, at, What::Partial(at.unwrap_or(day.slot.due)));
            }
            _ => {}
        }
    }
    if let Some(latest) = seen.last().filter(|s| s.outcome == Outcome::Failed) {
        let note = views.iter().flat_map(|v| &v.runs).find(|(r, ..)| r.at == latest.at && r.outcome == latest.outcome);
        let slot_met = last.is_some_and(|d| d.state.is_met());
        let weight = if slot_met { Weight::Warn } else { Weight::Critical };
        let note = note.map(|(r, ..)| r.note.clone()).unwrap_or_default();
        add(weight, Some(latest.at), What::Failed(latest.at, note));
    }
    let began = seen.first().map_or(now, |s| s.at);
    let weekly = slots::upto(plan, now, 14).into_iter().rev();
    if let Some(slot) = weekly.filter(|s| s.full).find(|s| s.due + plan.grace <= now)
        && slot.to > began
        && full_at.is_none_or(|at| at < slot.from)
        && blind.is_none_or(|since| since >= slot.due + plan.grace)
    {
        add(Weight::Warn, Some(slot.due), What::FullOverdue(full_at, slot));
    }
    if let Some(v) = views.first() {
        let runs: Vec<(&Run, Kind)> = v.runs.iter().map(|(r, k, _)| (*r, *k)).collect();
        let odd = anomaly::look(&runs);
        let at = runs.last().map(|(r, _)| r.at);
        let both = odd.iter().any(|o| matches!(o, Odd::Surge(..))) && odd.iter().any(|o| matches!(o, Odd::Entropy(..)));
        if both {
            add(Weight::Critical, at, What::Ransom);
        }
        for o in odd {
            let weight = if matches!(o, Odd::Surge(..)) && !both { Weight::Info } else { Weight::Warn };
            add(weight, at, What::Odd(o));
        }
    }
}

fn repo_findings(facts: &Facts, views: &[View<'_>], now: Millis, plan: &Plan, add: &mut Add<'_>) {
    for v in views {
        let broken = || v.runs.iter().filter(|(r, _, bad)| *bad && r.outcome != Outcome::Failed && r.gone_at.is_none());
        if let Some((run, ..)) = broken().next().filter(|_| v.repo.tool.has_chain()) {
            // worth a call only while the newest data hang on it
            let newest_hangs = v.runs.last().is_some_and(|(.., bad)| *bad);
            let weight = if newest_hangs { Weight::Critical } else { Weight::Warn };
            add(weight, Some(run.at), What::Chain(run.name.clone(), broken().count()));
        }
        if let Some(since) = v.repo.busy_since.filter(|at| now - at > plan.run_limit) {
            add(Weight::Warn, Some(since), What::Stuck(since));
        }
        if v.repo.encryption == "none" {
            add(Weight::Warn, None, What::NotEncrypted(v.repo.offsite));
        }
        if v.repo.offsite
            && let Some(((at, state, note), seen)) = blind(v.repo, now)
            && facts.repos.len() > 1
        {
            add(Weight::Warn, Some(at), What::Blind(true, state, note, seen));
        }
    }
    let future =
        facts.repos.iter().flat_map(|r| &r.runs).filter(|r| r.at > r.seen_at + CLOCK_SLACK && r.seen_at <= now);
    let future = future.count();
    if future > 0 {
        add(Weight::Warn, None, What::Clock(future));
    }
}

fn offsite_findings(
    local: Option<&View<'_>>,
    far: Option<&View<'_>>,
    plan: &Plan,
    now: Millis,
    any: bool,
    add: &mut Add<'_>,
) {
    let Some(far) = far else {
        if any {
            add(Weight::Info, None, What::Copies);
        }
        return;
    };
    let Some(local) = local.filter(|l| !l.repo.offsite) else { return };
    let Some(here) = local.newest() else { return };
    match far.newest() {
        // an empty copy lags since the first thing it could have held
        None => {
            let first = local.runs.iter().map(|(r, ..)| r.at).min().unwrap_or(here);
            if now - first > plan.offsite {
                add(Weight::Warn, Some(first + plan.offsite), What::OffsiteLag(None, plan.offsite));
            }
        }
        Some(there) if here - there > plan.offsite => {
            add(Weight::Warn, Some(there + plan.offsite), What::OffsiteLag(Some(here - there), plan.offsite));
        }
        Some(_) => {}
    }
}

fn check_findings(
    checks: &[Check],
    plan: &Plan,
    now: Millis,
    any: bool,
    add: &mut Add<'_>,
) -> (Option<Check>, Option<Check>, u8) {
    let is_test = |c: &&Check| c.level >= level::FILES;
    let last_check = checks.iter().max_by_key(|c| c.at);
    let last_test = checks.iter().filter(is_test).max_by_key(|c| c.at);
    // damage stands until a check at least as deep finds none
    let standing = checks
        .iter()
        .filter(|c| !c.ok && !is_test(c))
        .filter(|c| !checks.iter().any(|o| o.ok && o.offsite == c.offsite && o.level >= c.level && o.at > c.at));
    if let Some(c) = standing.max_by_key(|c| c.at) {
        add(Weight::Critical, Some(c.at), What::Corrupt(c.clone()));
    }
    if any {
        let verified = checks.iter().filter(|c| c.ok && c.level >= level::STRUCTURE).map(|c| c.at).max();
        match verified {
            None => add(Weight::Info, None, What::VerifyOverdue(None, plan.verify)),
            Some(at) if now - at > plan.verify => {
                add(Weight::Warn, Some(at + plan.verify), What::VerifyOverdue(Some(at), plan.verify));
            }
            Some(_) => {}
        }
        let passed = checks.iter().filter(is_test).filter(|c| c.ok).map(|c| c.at).max();
        match (last_test, passed) {
            (Some(t), _) if !t.ok => add(Weight::Critical, Some(t.at), What::TestFailed(t.clone())),
            (_, None) => add(Weight::Info, None, What::TestOverdue(None, plan.restore_test)),
            (_, Some(at)) if now - at > plan.restore_test => {
                add(Weight::Warn, Some(at + plan.restore_test), What::TestOverdue(Some(at), plan.restore_test));
            }
            _ => {}
        }
    }
    if let Some(minutes) = last_test.filter(|t| t.ok).and_then(restore_minutes)
        && minutes * MINUTE as f64 > plan.rto as f64
    {
        add(Weight::Warn, last_test.map(|t| t.at), What::TestSlow(minutes, plan.rto));
    }
    let fresh =
        |c: &&Check| c.ok && now - c.at <= if c.level >= level::FILES { plan.restore_test } else { plan.verify };
    let tested = checks.iter().filter(fresh).map(|c| c.level).max().unwrap_or(0);
    (last_check.cloned(), last_test.cloned(), tested)
}

/// Minutes that a whole restore takes by a test: measured, or scaled up where only a part was restored.
pub fn restore_minutes(test: &Check) -> Option<f64> {
    let minutes = test.minutes?;
    Some(match test.share {
        Some(share) if share > 0.0 && share < 1.0 => minutes / share,
        _ => minutes,
    })
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

/// The answer for everything: the worst verdict and how many systems are safe.
pub fn night(all: &[Status]) -> (Verdict, usize) {
    let worst = all.iter().map(|s| s.verdict).max().unwrap_or(Verdict::Never);
    (worst, all.iter().filter(|s| s.verdict == Verdict::Safe).count())
}

#[cfg(test)]
mod tests;
