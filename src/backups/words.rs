//! What the figures mean, in the language of the console.

use super::anomaly::Odd;
use super::model::{Kind, LookState, Outcome, Plan, level};
use super::slots::{Slot, SlotState, clock_text, local_text};
use super::verdict::{Copies, Finding, Status, Verdict, What};
use crate::clock::{HOUR, MINUTE, Millis};
use crate::locale::backups as say;
use crate::tui::countdown::{age, remaining};
use crate::tui::paint::bytes;

/// The word of a verdict.
pub fn verdict_word(verdict: Verdict) -> String {
    match verdict {
        Verdict::Safe => say::safe(),
        Verdict::AtRisk => say::at_risk(),
        Verdict::Unknown => say::unknown(),
        Verdict::Never => say::never(),
        Verdict::Unsafe => say::not_safe(),
    }
}

/// The word of a verification level.
pub fn level_word(n: u8) -> String {
    match n {
        level::LISTING => say::level_listing(),
        level::STRUCTURE => say::level_structure(),
        level::DATA => say::level_data(),
        level::FILES => say::level_files(),
        level::APPLICATION => say::level_application(),
        _ => say::level_none(),
    }
}

/// The word of a kind.
pub fn kind_word(kind: Kind) -> String {
    match kind {
        Kind::Full => say::full(),
        Kind::Incremental => say::incremental(),
        Kind::Differential => say::differential(),
    }
}

/// The word of an outcome.
pub fn outcome_word(outcome: Outcome) -> String {
    match outcome {
        Outcome::Ok => say::ok(),
        Outcome::Partial => say::partial(),
        Outcome::Failed => say::failed(),
    }
}

/// What came of looking at a repository.
pub fn look_state(state: LookState) -> String {
    match state {
        LookState::Ok => say::look_ok(),
        LookState::Locked => say::look_locked(),
        LookState::Auth => say::look_auth(),
        LookState::Missing => say::look_missing(),
        LookState::Unreachable => say::look_unreachable(),
        LookState::Unparseable => say::look_unparseable(),
        LookState::Failed => say::look_failed(),
    }
}

/// What came of a slot.
pub fn slot_word(state: SlotState, slot: &Slot) -> String {
    match state {
        SlotState::Pending => say::slot_pending(),
        SlotState::Before => say::slot_before(),
        SlotState::Met { partial: true, .. } => say::slot_partial(),
        SlotState::Met { late: true, .. } => say::slot_late(),
        SlotState::Met { full: true, .. } if !slot.full => say::slot_full_instead(),
        SlotState::Met { .. } => say::slot_met(),
        SlotState::NotFull => say::slot_not_full(),
        SlotState::Failed => say::slot_failed(),
        SlotState::Missed => say::slot_missed(),
        SlotState::Unknown => say::slot_unknown(),
    }
}

/// `9h` and the like, with a unit more where one alone says too little: `1d2h`.
pub fn span(ms: Millis) -> String {
    if (24 * HOUR..10 * 24 * HOUR).contains(&ms) && ms % (24 * HOUR) >= HOUR {
        format!("{}d{}h", ms / (24 * HOUR), ms % (24 * HOUR) / HOUR)
    } else {
        age(ms)
    }
}

/// The first line of what a tool said.
fn first(note: &str) -> &str {
    note.lines().find(|l| !l.trim().is_empty()).unwrap_or_default().trim()
}

/// A finding as a sentence.
pub fn finding(f: &Finding, plan: &Plan) -> String {
    let at = |t: Millis| local_text(plan.zone, t);
    let opt = |t: Option<Millis>| t.map_or_else(crate::locale::common::never, at);
    let size = |n: i64| bytes(u64::try_from(n).unwrap_or(0));
    match &f.what {
        What::Never => say::f_never(),
        What::Missed(slot) => say::f_missed(&at(slot.due)),
        What::FullOverdue(last, slot) => say::f_full_overdue(&at(slot.due), &opt(*last)),
        What::Failed(t, note) => say::f_failed(&at(*t), first(note)),
        What::Partial(t) => say::f_partial(&at(*t)),
        What::Stuck(t) => say::f_stuck(&at(*t), &span(plan.run_limit)),
        What::Rpo(Some(ago), limit) => say::f_rpo(&span(*ago), &span(*limit)),
        What::Rpo(None, limit) => say::f_rpo_none(&span(*limit)),
        What::Chain(run, n) => say::f_chain(run, *n),
        What::OffsiteLag(Some(lag), limit) => say::f_offsite_lag(&span(*lag), &span(*limit)),
        What::OffsiteLag(None, _) => say::f_offsite_empty(),
        What::VerifyOverdue(Some(t), limit) => say::f_verify_overdue(&at(*t), &span(*limit)),
        What::VerifyOverdue(None, _) => say::f_verify_never(),
        What::Corrupt(c) => say::f_corrupt(&at(c.at), &level_word(c.level), first(&c.note)),
        What::TestOverdue(Some(t), limit) => say::f_test_overdue(&at(*t), &span(*limit)),
        What::TestOverdue(None, _) => say::f_test_never(),
        What::TestFailed(c) => say::f_test_failed(&at(c.at), first(&c.note)),
        What::TestSlow(minutes, limit) => {
            say::f_test_slow(&remaining((minutes * MINUTE as f64) as Millis), &span(*limit))
        }
        What::Odd(Odd::Shrank(now, before)) => say::f_shrank(&size(*now), &size(*before)),
        What::Odd(Odd::Surge(now, before)) => say::f_surge(&size(*now), &size(*before)),
        What::Odd(Odd::Entropy(now, before)) => say::f_entropy(&format!("{now:.2}"), &format!("{before:.2}")),
        What::Ransom => say::f_ransom(),
        What::Copies(c) => say::f_copies(&copies(c)),
        What::TooFewFulls(false, left, wanted) => say::f_fulls(*left, *wanted),
        What::TooFewFulls(true, left, wanted) => say::f_fulls_offsite(*left, *wanted),
        What::KeptTooShort(run, kept, wanted) => say::f_kept(run, &span(*kept), &span(*wanted)),
        What::NotEncrypted(false) => say::f_not_encrypted(),
        What::NotEncrypted(true) => say::f_not_encrypted_offsite(),
        What::Clock(n) => say::f_clock(*n),
        What::Blind(offsite, state, note, seen) => {
            let what = if *offsite { say::offsite_copy() } else { say::repository() };
            say::f_blind(&what, &look_state(*state), &opt(*seen), first(note))
        }
    }
}

/// The reason of a verdict in a few words: the heaviest finding, or that all is well.
pub fn reason(s: &Status, plan: &Plan) -> String {
    match s.findings.first() {
        Some(f) if f.weight > super::verdict::Weight::Info => finding(f, plan),
        _ => s.rpo.map(|ago| say::newest_data(&span(ago))).unwrap_or_default(),
    }
}

/// 3-2-1-1-0 as far as is known, and what is not.
pub fn copies(c: &Copies) -> String {
    let media = c.media.map_or_else(say::media_unknown, say::media);
    let far = if c.offsite { say::has_offsite() } else { say::lacks_offsite() };
    let immutable = match c.immutable {
        Some(true) => say::has_immutable(),
        Some(false) => say::lacks_immutable(),
        None => say::immutable_unknown(),
    };
    let clean = match c.clean {
        Some(true) => say::clean(),
        Some(false) => say::not_clean(),
        None => say::clean_unknown(),
    };
    [say::copies(c.copies), media, far, immutable, clean].join(" · ")
}

/// The plan as a sentence.
pub fn plan_line(plan: &Plan) -> String {
    let time = clock_text(plan.minute);
    match plan.full_on {
        Some(day) => say::plan_weekly(&time, &weekday(day)),
        None => say::plan_daily(&time),
    }
}

/// A weekday, short.
pub fn weekday(day: chrono::Weekday) -> String {
    use chrono::Weekday as W;
    match day {
        W::Mon => say::mon(),
        W::Tue => say::tue(),
        W::Wed => say::wed(),
        W::Thu => say::thu(),
        W::Fri => say::fri(),
        W::Sat => say::sat(),
        W::Sun => say::sun(),
    }
}

/// "Is last night safe?" for all systems, in one sentence.
pub fn night<'a>(all: impl Iterator<Item = &'a Status> + Clone) -> (Verdict, String) {
    let n = all.clone().count();
    let of =
        |v: &[Verdict]| all.clone().filter(|s| v.contains(&s.verdict)).map(|s| s.system.as_str()).collect::<Vec<_>>();
    let bad = of(&[Verdict::Unsafe, Verdict::Never]);
    let blind = of(&[Verdict::Unknown]);
    let risk = of(&[Verdict::AtRisk]);
    let names = |all: &[&str]| {
        let shown: Vec<_> =
            all.iter().take(4).map(|n| crate::text::fit(&crate::text::clean(n), 20).into_owned()).collect();
        let more = all.len().saturating_sub(shown.len());
        let text = shown.join(", ");
        if more > 0 { format!("{text} +{more}") } else { text }
    };
    let oldest = all.clone().filter_map(|s| s.rpo).max().map(span).unwrap_or_default();
    if !bad.is_empty() {
        (Verdict::Unsafe, say::night_no(bad.len(), n, &names(&bad)))
    } else if !blind.is_empty() {
        (Verdict::Unknown, say::night_unknown(blind.len(), n, &names(&blind)))
    } else if !risk.is_empty() {
        (Verdict::AtRisk, say::night_but(n, risk.len(), &names(&risk)))
    } else {
        (Verdict::Safe, say::night_yes(n, &oldest))
    }
}

/// One line for the clipboard.
pub fn summary(s: &Status, plan: &Plan) -> String {
    crate::text::clean(&format!("{}: {}; {}", s.system, verdict_word(s.verdict), reason(s, plan))).into_owned()
}
