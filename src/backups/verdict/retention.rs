//! B18, retention: what the next prune would leave, and what was removed too early. Pure.

use super::View;
use super::finding::{Weight, What};
use super::rules::Add;
use super::{WINDOW_DAYS, slots};
use crate::backups::model::{Kind, Outcome, Plan};
use crate::clock::{DAY, Millis};

/// Findings about what is kept. Only fulls count: a tool without a chain restores any snapshot, but its plan promises
/// these, and an incremental outlives its full in no tool that has one.
pub(super) fn findings(views: &[View<'_>], plan: &Plan, now: Millis, add: &mut Add<'_>) {
    for v in views {
        let fulls = || v.runs.iter().filter(|(r, k, _)| *k == Kind::Full && r.outcome != Outcome::Failed);
        // what a policy of `keep_for` allows to go is gone after the next run
        let cut = slots::next(plan, now).due - plan.keep_for;
        let left = fulls().filter(|(r, _, bad)| !bad && r.at >= cut).count();
        let began = v.runs.iter().map(|(r, ..)| r.at).min();
        // a week a set, and one more: a plan that has just begun lacks nothing yet
        let due = plan.full_on.is_some()
            && began.is_some_and(|at| now - at > (plan.keep_full as Millis + 1) * 7 * DAY)
            && fulls().next().is_some();
        if due && left < plan.keep_full {
            add(Weight::Warn, None, What::TooFewFulls(v.repo.offsite, left, plan.keep_full));
        }
        let early = fulls().filter_map(|(r, ..)| Some((r, r.gone_at.filter(|at| *at <= now)?)));
        let early = early
            .filter(|(r, gone)| gone - r.at < plan.keep_for && now - gone <= WINDOW_DAYS as Millis * DAY)
            .min_by_key(|(r, gone)| gone - r.at);
        if let Some((run, gone)) = early {
            let what = What::KeptTooShort(run.name.clone(), gone - run.at, plan.keep_for);
            add(Weight::Warn, Some(gone), what);
        }
    }
}
