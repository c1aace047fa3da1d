//! The definitions B00 to B19 as small stories. The plan: every day at 02:00 in Shanghai, a full on Sunday.

use super::*;
use crate::backups::model::{Look, LookState, Tool, plan_of};
use crate::clock::{HOUR, parse_rfc3339};
use crate::config::Config;

fn at(text: &str) -> Millis {
    parse_rfc3339(&format!("{text}:00+08:00")).expect("time")
}

/// Sunday.
const NOW: &str = "2026-11-29T09:00";

fn plan() -> Plan {
    plan_of(&Config::default(), "oa")
}

fn run(text: &str, tag: &str) -> Run {
    let start = at(text);
    let id = format!("{tag}-{text}");
    Run { tags: vec![tag.into()], ended_at: Some(start + 10 * MINUTE), ..Run::new(id, start) }
}

/// A run at 02:05 every day of two weeks up to the morning of [`NOW`], fulls on Sundays.
fn fortnight() -> Vec<Run> {
    let first = chrono::NaiveDate::from_ymd_opt(2026, 11, 15).expect("date");
    first
        .iter_days()
        .take(15)
        .map(|d| run(&format!("{d}T02:05"), if d.format("%a").to_string() == "Sun" { "weekly-full" } else { "daily" }))
        .collect()
}

fn repo(runs: Vec<Run>) -> Repo {
    Repo {
        id: 1,
        offsite: false,
        tool: Tool::Restic,
        repository: "/srv".into(),
        look: None,
        seen_at: None,
        busy_since: None,
        encryption: String::new(),
        runs,
        asked: false,
    }
}

fn facts(runs: Vec<Run>) -> Facts {
    Facts {
        name: "oa".into(),
        created_at: at("2026-11-01T00:00"),
        repos: vec![repo(runs)],
        checks: vec![],
        ticket: None,
    }
}

fn judge(facts: &Facts) -> Status {
    evaluate(facts, &plan(), at(NOW))
}

fn ids(s: &Status, weight: Weight) -> Vec<&'static str> {
    s.findings.iter().filter(|f| f.weight == weight).map(|f| f.id().0).collect()
}

fn check(text: &str, level: u8, ok: bool) -> Check {
    Check { id: 1, offsite: false, at: at(text), level, ok, errors: None, minutes: None, share: None, note: "n".into() }
}

#[test]
fn a_kept_plan_is_safe_and_says_what_it_does_not_know() {
    let s = judge(&facts(fortnight()));
    assert_eq!((s.verdict, s.missed.len(), s.adherence), (Verdict::Safe, 0, (15, 15)));
    assert_eq!(s.rpo, Some(6 * HOUR + 55 * MINUTE));
    assert_eq!(s.last_full, Some(at("2026-11-29T02:05")));
    assert_eq!(s.last_incremental, Some(at("2026-11-28T02:05")));
    assert_eq!(ids(&s, Weight::Info), ["B09", "B11", "B17"], "never verified, never tested, no copy");
}

#[test]
fn a_night_without_a_run_is_named_and_before_the_first_run_nothing_is_missed() {
    let mut runs = fortnight();
    runs.remove(5);
    let s = judge(&facts(runs));
    assert_eq!(s.missed, ["2026-11-20".parse().expect("date")]);
    assert_eq!((s.verdict, s.adherence, s.worst_gap), (Verdict::Safe, (14, 15), Some(48 * HOUR)));
    assert_eq!(s.days.iter().filter(|d| d.state == SlotState::Before).count(), 20);
}

#[test]
fn last_night_missing_is_unsafe_only_after_its_grace() {
    let mut runs = fortnight();
    runs.pop();
    let f = facts(runs);
    let early = evaluate(&f, &plan(), at("2026-11-29T03:59"));
    assert_eq!(early.verdict, Verdict::Safe, "{:?}", early.findings);
    let late = evaluate(&f, &plan(), at("2026-11-29T04:00"));
    assert_eq!((late.verdict, ids(&late, Weight::Critical)), (Verdict::Unsafe, vec!["B01"]));
    assert_eq!(ids(&judge(&f), Weight::Critical), ["B01", "B06"], "and the data are older than 26 h by then");
}

#[test]
fn a_run_after_the_grace_is_late_and_keeps_the_slot() {
    let mut runs = fortnight();
    *runs.last_mut().expect("run") = run("2026-11-29T07:30", "weekly-full");
    let s = judge(&facts(runs));
    let last = s.days.last().expect("day");
    assert_eq!(last.state, SlotState::Met { full: true, late: true, partial: false });
    assert_eq!(s.verdict, Verdict::Safe);
}

#[test]
fn an_incremental_does_not_stand_for_the_weekly_full_but_a_full_stands_for_an_incremental() {
    let mut runs = fortnight();
    runs[14] = run("2026-11-29T02:05", "daily");
    let s = judge(&facts(runs.clone()));
    assert_eq!(s.days.last().expect("day").state, SlotState::NotFull);
    assert_eq!((ids(&s, Weight::Warn), s.verdict), (vec!["B02"], Verdict::AtRisk));
    assert_eq!(s.not_full, ["2026-11-29".parse().expect("date")]);
    runs[10] = run("2026-11-25T02:05", "weekly-full");
    let s = judge(&facts(runs));
    assert!(s.days[s.days.len() - 5].state.is_met());
}

#[test]
fn with_full_verified_a_clean_data_check_makes_a_full_of_any_snapshot() {
    let mut f = facts(fortnight().into_iter().map(|r| Run { tags: vec![], ..r }).collect());
    let plan = Plan { full: crate::backups::model::FullRule::Verified, ..plan() };
    assert_eq!(evaluate(&f, &plan, at(NOW)).last_full, None);
    f.checks = vec![check("2026-11-23T12:00", level::DATA, true), check("2026-11-28T12:00", level::STRUCTURE, true)];
    assert_eq!(evaluate(&f, &plan, at(NOW)).last_full, Some(at("2026-11-23T02:05")), "a structure check is not enough");
}

#[test]
fn a_failed_last_run_is_unsafe_and_a_partial_one_is_at_risk() {
    let mut runs = fortnight();
    runs[14].outcome = Outcome::Failed;
    let s = judge(&facts(runs.clone()));
    assert_eq!(s.days.last().expect("day").state, SlotState::Failed);
    assert!(s.verdict == Verdict::Unsafe && ids(&s, Weight::Critical).contains(&"B03"));
    runs[14].outcome = Outcome::Partial;
    let s = judge(&facts(runs));
    assert_eq!((s.verdict, ids(&s, Weight::Warn)), (Verdict::AtRisk, vec!["B04"]));
}

#[test]
fn nothing_known_is_never_and_everything_deleted_is_unsafe() {
    assert_eq!(judge(&facts(vec![])).verdict, Verdict::Never);
    let gone = fortnight().into_iter().map(|r| Run { gone_at: Some(at("2026-11-29T08:00")), ..r }).collect();
    let s = judge(&facts(gone));
    assert_eq!((s.rpo, s.verdict, s.adherence.0), (None, Verdict::Unsafe, 15), "they ran, and cannot be restored");
    let before = evaluate(&facts(fortnight()), &plan(), at("2026-11-02T00:00"));
    assert_eq!(before.verdict, Verdict::Never, "the past is judged by what was known then");
}

#[test]
fn a_repository_that_cannot_be_looked_at_is_unknown_not_missed() {
    let mut runs = fortnight();
    runs.pop();
    let mut f = facts(runs);
    f.repos[0].seen_at = Some(at("2026-11-28T08:00"));
    f.repos[0].look = Some(Look { at: at("2026-11-29T08:00"), state: LookState::Unreachable, note: "refused".into() });
    let s = judge(&f);
    assert_eq!((s.verdict, s.missed.len()), (Verdict::Unknown, 0), "{:?}", s.findings);
    assert_eq!(s.days.last().expect("day").state, SlotState::Unknown);
    // what was seen after the slot stays known
    f.repos[0].runs = fortnight();
    f.repos[0].seen_at = Some(at("2026-11-29T04:30"));
    assert_eq!(judge(&f).verdict, Verdict::AtRisk);
}

#[test]
fn the_off_site_copy_may_lag_a_day_and_counts_as_restorable() {
    let mut f = facts(fortnight());
    let copy = |upto: usize| Repo { offsite: true, runs: fortnight()[..upto].to_vec(), ..repo(vec![]) };
    f.repos.push(copy(14));
    assert_eq!((judge(&f).verdict, judge(&f).offsite_age), (Verdict::Safe, Some(30 * HOUR + 55 * MINUTE)));
    f.repos[1] = copy(13);
    assert_eq!(ids(&judge(&f), Weight::Warn), ["B08"]);
    f.repos[1] = copy(0);
    assert_eq!(ids(&judge(&f), Weight::Warn), ["B08"], "an empty copy");
    // only the off-site copy is left
    f.repos[1] = copy(15);
    f.repos[0].runs.clear();
    assert_eq!(judge(&f).rpo, Some(6 * HOUR + 55 * MINUTE));
}

#[test]
fn damage_stands_until_a_check_as_deep_finds_none() {
    let mut f = facts(fortnight());
    f.checks = vec![check("2026-11-28T12:00", level::DATA, false)];
    assert_eq!((judge(&f).verdict, ids(&judge(&f), Weight::Critical)), (Verdict::Unsafe, vec!["B10"]));
    f.checks.push(check("2026-11-28T13:00", level::STRUCTURE, true));
    assert_eq!(judge(&f).verdict, Verdict::Unsafe, "a bit flip passes the structure check");
    f.checks.push(check("2026-11-28T14:00", level::DATA, true));
    assert_eq!(judge(&f).verdict, Verdict::Safe);
}

#[test]
fn verification_and_restore_tests_grow_old_and_slow() {
    let mut f = facts(fortnight());
    let old = Check { minutes: Some(30.0), share: Some(0.1), ..check("2026-10-20T12:00", level::FILES, true) };
    f.checks = vec![old, check("2026-11-20T12:00", level::DATA, true)];
    assert_eq!(ids(&judge(&f), Weight::Warn), ["B09", "B11", "B13"], "30 minutes for a tenth are five hours");
    f.checks.push(check("2026-11-28T12:00", level::FILES, false));
    assert_eq!(ids(&judge(&f), Weight::Critical), ["B12"]);
}

#[test]
fn a_day_whose_check_is_overdue_shows_as_unverified() {
    let mut f = facts(fortnight());
    f.checks = vec![check("2026-11-17T12:00", level::STRUCTURE, true)];
    let s = judge(&f);
    let unverified: Vec<String> =
        s.days.iter().filter(|d| d.unverified).map(|d| d.slot.date.format("%d").to_string()).collect();
    assert_eq!(unverified, ["18", "19", "20", "21"], "checked up to the 17th; younger than 8 days is not overdue");
}

#[test]
fn a_broken_chain_counts_only_what_still_restores() {
    let chain = |label: &str, text: &str, kind, prior: Option<&str>| Run {
        kind: Some(kind),
        prior: prior.map(Into::into),
        ..Run::new(label, at(text))
    };
    let mut f = facts(vec![
        chain("F1", "2026-11-22T02:01", Kind::Full, None),
        chain("F1_I1", "2026-11-27T02:01", Kind::Incremental, Some("F1")),
        chain("F1_I2", "2026-11-28T02:01", Kind::Incremental, Some("F1_I1")),
    ]);
    f.repos[0].tool = Tool::Pgbackrest;
    f.repos[0].runs[1].outcome = Outcome::Failed;
    let s = judge(&f);
    assert_eq!(s.rpo, Some(at(NOW) - at("2026-11-22T02:01")), "only the full restores");
    assert!(ids(&s, Weight::Critical).contains(&"B07"), "{:?}", s.findings);
}

#[test]
fn runs_from_the_future_tell_of_a_clock_and_prove_nothing() {
    let mut runs = fortnight();
    let last = runs.last_mut().expect("run");
    last.at += 30 * DAY;
    let s = judge(&facts(runs));
    assert!(ids(&s, Weight::Warn).contains(&"DQ") && s.verdict == Verdict::Unsafe);
}

#[test]
fn slots_follow_local_time_across_a_change_of_clocks() {
    let zone = chrono_tz::Europe::Berlin;
    let night = |text: &str| slots::instant(zone, text.parse().expect("date"), 150);
    assert_eq!(night("2026-03-29") - night("2026-03-28"), 24 * HOUR, "02:30 does not exist: an hour later by the wall");
    assert_eq!(night("2026-10-25") - night("2026-10-24"), 24 * HOUR, "02:30 comes twice: the first counts");
    assert_eq!(night("2026-10-26") - night("2026-10-25"), 25 * HOUR);
}

#[test]
fn the_answer_for_all_is_the_worst_of_them() {
    let safe = judge(&facts(fortnight()));
    let never = judge(&facts(vec![]));
    let night = |all: &[Status]| crate::backups::words::night(all.iter()).0;
    assert_eq!(night(&[safe.clone(), safe.clone()]), Verdict::Safe);
    assert_eq!(night(&[safe, never]), Verdict::Unsafe);
}

#[test]
fn too_few_fulls_after_the_next_prune_and_one_removed_too_early_are_told() {
    let mut f = facts(fortnight());
    let plan = |keep_full, keep_for| Plan { keep_full, keep_for, ..plan() };
    let found = |f: &Facts, plan: &Plan| {
        let s = evaluate(f, plan, at(NOW));
        let mine = s.findings.iter().filter(|f| f.id().0 == "B18").map(|f| f.what.clone());
        (mine.collect::<Vec<_>>(), s.verdict)
    };
    assert_eq!(found(&f, &plan(2, 28 * DAY)), (vec![], Verdict::Safe), "three fulls of two weeks");
    // eight days reach the full of today and, until tomorrow night, not the one of last Sunday
    assert_eq!(found(&f, &plan(1, 7 * DAY)), (vec![], Verdict::Safe));
    let short = vec![What::TooFewFulls(false, 1, 2)];
    f.repos[0].runs.insert(0, run("2026-11-01T02:05", "weekly-full"));
    assert_eq!(found(&f, &plan(2, 7 * DAY)), (short, Verdict::AtRisk));
    // one that is gone counts for nothing, and was removed before its time
    f.repos[0].runs[8].gone_at = Some(at("2026-11-28T03:00"));
    let (what, _) = found(&f, &plan(2, 28 * DAY));
    let kept = at("2026-11-28T03:00") - at("2026-11-22T02:05");
    assert_eq!(what, [What::KeptTooShort("weekly-full-2026-11-22T02:05".into(), kept, 28 * DAY)]);
    assert_eq!(found(&f, &plan(2, 5 * DAY)).0, [What::TooFewFulls(false, 1, 2)], "kept long enough");
    f.repos[0].runs[8].gone_at = Some(at(NOW) + DAY);
    assert_eq!(found(&f, &plan(2, 28 * DAY)).0, [], "not gone yet at that instant");
    // where no weekly full is planned none is missing
    let none = Plan { full_on: None, ..plan(9, 28 * DAY) };
    assert_eq!(found(&f, &none).0, []);
}

#[test]
fn three_two_one_one_zero_counts_what_is_known_and_says_what_is_not() {
    use crate::backups::model::Place;
    let mut f = facts(fortnight());
    let copies = |f: &Facts, plan: &Plan| evaluate(f, plan, at(NOW)).copies;
    let place = |offsite, medium: &str, immutable| Place { offsite, medium: medium.into(), immutable };
    let alone = copies(&f, &plan());
    assert_eq!((alone.copies, alone.media, alone.offsite, alone.immutable, alone.clean), (2, None, false, None, None));
    f.repos.push(Repo { offsite: true, ..repo(fortnight()) });
    f.checks = vec![check("2026-11-28T12:00", level::STRUCTURE, true)];
    let both = copies(&f, &plan());
    assert_eq!((both.copies, both.offsite, both.clean, both.is_short()), (3, true, None, false), "one is not verified");
    f.checks.push(Check { offsite: true, ..check("2026-11-28T12:00", level::DATA, true) });
    let mut plan = plan();
    plan.places = vec![place(false, "disk", Some(false)), place(true, "tape", Some(true))];
    let all = copies(&f, &plan);
    assert_eq!((all.media, all.immutable, all.clean, all.is_short()), (Some(2), Some(true), Some(true), false));
    plan.places = vec![place(false, "disk", Some(false)), place(true, "", None)];
    assert_eq!((copies(&f, &plan).media, copies(&f, &plan).immutable), (None, None), "half known is not known");
    plan.places = vec![place(false, "disk", Some(false)), place(true, "disk", Some(false))];
    let poor = copies(&f, &plan);
    assert!(poor.media == Some(1) && poor.immutable == Some(false) && poor.is_short());
    f.checks.push(Check { offsite: true, ..check("2026-11-28T13:00", level::DATA, false) });
    assert_eq!(copies(&f, &plan).clean, Some(false));
}
