//! Eight systems' backups with planted gaps: what an operator should find in under a minute.

use chrono::Datelike as _;

use crate::action::{ActionError, Door};
use crate::backups::actions::{AddSystem, Import, RecordTest};
use crate::backups::model::{Check, Kind, LookState, Outcome, Plan, Report, Run, Tool, level, plan_of};
use crate::backups::slots::{self, Slot};
use crate::backups::store;
use crate::clock::{DAY, HOUR, MINUTE, Millis};

/// Nights of history.
const NIGHTS: u64 = 60;

/// What is wrong with a system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Planted {
    /// Nothing; verified and tested.
    Nothing,
    /// Nothing ran last night.
    LastNight,
    /// The off-site copy stopped four days ago.
    OffsiteLag,
    /// The data check of yesterday found damage.
    Damage,
    /// A failed, a partial and a late night behind it.
    Rough,
    /// Two nights missing a fortnight ago, and a late one.
    Gap,
    /// The weekly full did not run as a full.
    NoFull,
    /// The repository has not answered since yesterday.
    Unreachable,
}

struct System {
    name: &'static str,
    tool: Tool,
    repository: &'static str,
    offsite: bool,
    gib: f64,
    planted: Planted,
}

const fn system(
    name: &'static str,
    tool: Tool,
    repository: &'static str,
    offsite: bool,
    gib: f64,
    planted: Planted,
) -> System {
    System { name, tool, repository, offsite, gib, planted }
}

const SYSTEMS: [System; 8] = [
    system("oa-db", Tool::Pgbackrest, "oa", true, 180.0, Planted::LastNight),
    system("oa-files", Tool::Restic, "sftp:bak@nas-1:/oa-files", true, 920.0, Planted::OffsiteLag),
    system("oa-mail", Tool::Borg, "ssh://bak@nas-1/srv/oa-mail", true, 410.0, Planted::Nothing),
    system("oa-ldap", Tool::Restic, "sftp:bak@nas-1:/oa-ldap", false, 3.0, Planted::Damage),
    system("oa-flow", Tool::Pgbackrest, "flow", true, 75.0, Planted::Rough),
    system("oa-wiki", Tool::Borg, "ssh://bak@nas-2/srv/oa-wiki", true, 28.0, Planted::Gap),
    system("oa-archive", Tool::Restic, "s3:s3.corp.example/oa-archive", false, 2_400.0, Planted::NoFull),
    system("oa-hr", Tool::Restic, "rest:https://bak-2.corp.example/oa-hr", true, 12.0, Planted::Unreachable),
];

/// What ran in one slot; `None`: nothing. `night` counts back from the last slot that was due (0).
fn run_of(
    s: &System,
    slot: &Slot,
    night: u64,
    offsite: bool,
    last_full: &mut Option<String>,
    seed: u64,
) -> Option<Run> {
    let mut rng = fastrand::Rng::with_seed(seed ^ slot.due as u64 ^ (s.gib.to_bits() >> 7) ^ u64::from(offsite));
    let lag = if offsite { 3 * HOUR } else { 0 };
    let mut at = slot.due + lag + rng.i64(2..9) * MINUTE;
    let mut full = slot.full;
    let mut outcome = Outcome::Ok;
    let mut note = "";
    match (s.planted, night) {
        (Planted::LastNight, 0) => return None,
        (Planted::OffsiteLag, 0..=3) if offsite => return None,
        (Planted::Gap, 13 | 14) => return None,
        (Planted::Gap, 6) | (Planted::Rough, 17) => at += 5 * HOUR,
        (Planted::Rough, 9) => {
            (outcome, note) =
                (Outcome::Failed, "ERROR: [082]: WAL segment was not archived before the 60000ms timeout");
        }
        (Planted::Rough, 4) => (outcome, note) = (Outcome::Partial, "at least one source file could not be read"),
        (Planted::NoFull, 0..=6) => full = false,
        (Planted::Unreachable, 0) => return None,
        _ => {}
    }
    // a little more every night, and nobody works on Sunday
    let size = s.gib * (1.0 - 0.002 * night as f64) * (1u64 << 30) as f64;
    let share = if slot.date.weekday().num_days_from_monday() == 6 { 0.002 } else { 0.011 };
    let pg = s.tool == Tool::Pgbackrest;
    let added = if full && pg { size } else { size * share * (0.8 + 0.4 * rng.f64()) };
    let took = (added / f64::from(120 << 20) * 1_000.0) as Millis + rng.i64(2..6) * MINUTE;
    let id = match s.tool {
        Tool::Pgbackrest => match (&last_full, full) {
            (Some(base), false) => format!("{base}_{}I", slot.date.format("%Y%m%d-020500")),
            _ => format!("{}F", slot.date.format("%Y%m%d-020500")),
        },
        _ => format!("{:016x}{:016x}", rng.u64(..), rng.u64(..)),
    };
    let prior = last_full.clone().filter(|_| pg && !full);
    if full && outcome == Outcome::Ok {
        *last_full = Some(id.clone());
    }
    let word = if full { "weekly" } else { "daily" };
    Some(Run {
        name: match s.tool {
            Tool::Borg => format!("{}-{word}-{}", s.name, slot.date),
            Tool::Restic => id.chars().take(8).collect(),
            Tool::Pgbackrest => id.clone(),
        },
        tags: if s.tool == Tool::Restic {
            vec![if full { "weekly-full".into() } else { "daily-incr".into() }]
        } else {
            vec![]
        },
        kind: pg.then_some(if full { Kind::Full } else { Kind::Incremental }),
        host: s.name.into(),
        ended_at: Some(at + took),
        source_bytes: Some(size as i64),
        added_bytes: Some(added as i64),
        ratio: Some(1.9 + 0.2 * rng.f64()),
        outcome,
        prior,
        note: note.into(),
        ..Run::new(id, at)
    })
}

fn slots_upto(plan: &Plan, now: Millis, nights: u64) -> Vec<Slot> {
    slots::upto(plan, now, nights + 1).into_iter().filter(|s| s.due + 4 * HOUR <= now).collect()
}

/// Fills the catalogue with two months up to `now`.
///
/// # Errors
/// When the store does not take it.
pub async fn fill(door: &Door, now: Millis, seed: u64) -> Result<(), ActionError> {
    for s in &SYSTEMS {
        let plan = plan_of(door.config(), s.name);
        let all = slots_upto(&plan, now, NIGHTS);
        for offsite in [false, true].into_iter().filter(|far| !far || s.offsite) {
            let repository = if offsite { format!("{}-offsite", s.repository) } else { s.repository.to_owned() };
            door.run(&AddSystem { name: s.name.into(), tool: s.tool, repository, offsite }).await?;
            let mut last_full = None;
            let count = all.len() as u64;
            let runs: Vec<Run> = all
                .iter()
                .enumerate()
                .filter_map(|(i, slot)| run_of(s, slot, count - 1 - i as u64, offsite, &mut last_full, seed))
                .collect();
            let mut checks = vec![];
            let mut check = |at: Millis, deep: u8, ok: bool, note: &str| {
                checks.push(Check {
                    id: 0,
                    offsite,
                    at,
                    level: deep,
                    ok,
                    errors: Some(i64::from(!ok)),
                    minutes: None,
                    share: None,
                    note: note.into(),
                });
            };
            for week in (0..8).rev() {
                check(now - week * 7 * DAY - 20 * HOUR, level::STRUCTURE, true, "");
            }
            if s.planted == Planted::Damage {
                let note = "pack 3a9941b5 contains 2 errors: ciphertext verification failed";
                check(now - 18 * HOUR, level::DATA, false, note);
            } else {
                check(now - 3 * DAY, level::DATA, true, "");
            }
            let looked = |at, look| Import {
                system: s.name.into(),
                tool: s.tool,
                offsite,
                report: Report { look, encryption: "repokey-blake2".into(), ..Report::default() },
                complete: false,
                at,
                source: "demo".into(),
                request: None,
            };
            let good = (LookState::Ok, String::new());
            let lost = s.planted == Planted::Unreachable && !offsite;
            let before = all.last().map_or(now, |slot| slot.due - HOUR);
            let seen = if lost { before } else { now - 10 * MINUTE };
            let mut import = looked(seen, good);
            (import.report.runs, import.report.checks) = (runs, checks);
            door.run(&import).await?;
            if lost {
                let why = "dial tcp 10.20.0.14:8000: connect: connection refused".to_owned();
                door.run(&looked(now - 10 * MINUTE, (LookState::Unreachable, why))).await?;
            }
        }
        if !matches!(s.planted, Planted::NoFull | Planted::Damage) {
            let minutes = Some((s.gib / 6.0).clamp(4.0, 90.0));
            let test = RecordTest {
                system: s.name.into(),
                offsite: false,
                level: if s.tool == Tool::Pgbackrest { level::APPLICATION } else { level::FILES },
                ok: true,
                minutes,
                share: None,
                note: "季度恢复演练 / restore drill".into(),
                at: Some(now - 12 * DAY),
            };
            door.run(&test).await?;
        }
    }
    Ok(())
}

/// Lets the nights between `from` and `to` happen: every system runs, one in twelve fails.
///
/// # Errors
/// When the store does not take it.
pub async fn advance(door: &Door, from: Millis, to: Millis, seed: u64) -> Result<(), ActionError> {
    for s in &SYSTEMS {
        let plan = plan_of(door.config(), s.name);
        for slot in slots::upto(&plan, to, 3) {
            // each run ends a while after its slot: before that nobody knows of it
            let known = slot.due + 30 * MINUTE;
            if !(from < known && known <= to) || s.planted == Planted::Unreachable {
                continue;
            }
            let Some(mut run) = run_of(s, &slot, u64::MAX, false, &mut None, seed) else { continue };
            if s.tool == Tool::Pgbackrest {
                // the chain of the past is not known here: each night stands for itself
                run.kind = Some(if slot.full { Kind::Full } else { Kind::Differential });
                run.prior = None;
            }
            let mut rng = fastrand::Rng::with_seed(seed ^ slot.due as u64 ^ s.name.len() as u64 ^ s.gib.to_bits());
            if rng.u8(0..12) == 0 {
                (run.outcome, run.note) = (Outcome::Failed, "no space left on device".into());
            }
            run.source_bytes = Some((s.gib * (1u64 << 30) as f64) as i64);
            let import = Import {
                system: s.name.into(),
                tool: s.tool,
                offsite: false,
                report: Report { runs: vec![run], ..Report::default() },
                complete: false,
                at: known,
                source: "demo".into(),
                request: None,
            };
            door.run(&import).await?;
        }
    }
    Ok(())
}

/// The tool of a system, whether its local repository does not answer, and whether its data are damaged.
fn known(name: &str) -> Option<(Tool, bool, bool)> {
    let s = SYSTEMS.iter().find(|s| s.name == name)?;
    Some((s.tool, s.planted == Planted::Unreachable, s.planted == Planted::Damage))
}

fn told(system: &str, tool: Tool, offsite: bool, report: Report, at: Millis, request: Option<i64>) -> Import {
    Import { system: system.into(), tool, offsite, report, complete: false, at, source: "demo".into(), request }
}

/// A backup of the wiki that somebody started by hand fails at `at`.
///
/// # Errors
/// When the store does not take it.
pub async fn fail(door: &Door, at: Millis) -> Result<(), ActionError> {
    let run = Run {
        name: "oa-wiki-adhoc".into(),
        host: "oa-wiki".into(),
        ended_at: Some(at),
        outcome: Outcome::Failed,
        note: "Connection closed by remote host: bak@nas-2".into(),
        ..Run::new(format!("{at:016x}"), at - 7 * MINUTE)
    };
    let report = Report { runs: vec![run], ..Report::default() };
    door.run(&told("oa-wiki", Tool::Borg, false, report, at, None)).await.map(|_| ())
}

/// Answers what operators asked for, as the tools would: no tool is run here.
///
/// # Errors
/// When the store does not answer.
pub async fn answer(door: &Door, at: Millis) -> Result<(), ActionError> {
    for request in store::requests(door.store()).await? {
        let Some((tool, lost, damaged)) = known(&request.system) else { continue };
        let mut report = Report::default();
        if lost && !request.offsite {
            let why = "dial tcp 10.20.0.14:8000: connect: connection refused".to_owned();
            report.look = (LookState::Unreachable, why);
        } else if request.kind != "scan" {
            let deep = if request.kind == "data" { level::DATA } else { level::STRUCTURE };
            let ok = !(damaged && deep == level::DATA);
            let note = if ok { "" } else { "pack 3a9941b5 contains 2 errors: ciphertext verification failed" };
            report.checks.push(Check {
                id: 0,
                offsite: request.offsite,
                at,
                level: deep,
                ok,
                errors: Some(i64::from(!ok)),
                minutes: Some(3.4),
                share: None,
                note: note.into(),
            });
        }
        door.run(&told(&request.system, tool, request.offsite, report, at, Some(request.id))).await?;
    }
    Ok(())
}
