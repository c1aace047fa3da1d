//! The rules: what the facts of a system say about it. Pure.

use super::finding::{Weight, What};
use super::{CLOCK_SLACK, Day, View};
use crate::backups::anomaly::{self, Odd};
use crate::backups::model::{Check, Facts, Kind, LookState, Outcome, Plan, Repo, Run, level};
use crate::backups::slots::{self, Seen, SlotState};
use crate::clock::{MINUTE, Millis};

pub(super) type Add<'a> = dyn FnMut(Weight, Option<Millis>, What) + 'a;
/// When the last look failed: (when, state, note) and when the repository was last seen well.
pub(super) type Blind = ((Millis, LookState, String), Option<Millis>);

pub(super) fn blind(repo: &Repo, now: Millis) -> Option<Blind> {
    let look = repo.look.as_ref().filter(|l| l.state != LookState::Ok && l.at <= now)?;
    Some(((look.at, look.state, look.note.clone()), repo.seen_at.filter(|at| *at <= now)))
}

#[expect(clippy::too_many_arguments, reason = "one place where the slots become findings")]
pub(super) fn runs_findings(
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

pub(super) fn repo_findings(facts: &Facts, views: &[View<'_>], now: Millis, plan: &Plan, add: &mut Add<'_>) {
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

pub(super) fn offsite_findings(
    local: Option<&View<'_>>,
    far: Option<&View<'_>>,
    plan: &Plan,
    now: Millis,
    add: &mut Add<'_>,
) {
    let Some(far) = far else { return };
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

pub(super) fn check_findings(
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
