//! Six OA workflows with the shape of real logs: rework, weekends, one approver who holds everybody up.

use std::io::{self, Write};

use fastrand::Rng;

use crate::clock::{DAY, HOUR, MINUTE, Millis, rfc3339};
use crate::workflows::log::Log;
use crate::workflows::model::{Event, Transition};

/// A step of a workflow.
#[derive(Debug, Clone, Copy)]
pub struct Step {
    /// The activity.
    pub name: &'static str,
    /// Who does it; the first of several at a bottleneck is the slow one.
    pub people: &'static [&'static str],
    /// Median hours until it is begun.
    pub wait_h: f64,
    /// Median minutes of work.
    pub work_min: f64,
    /// Of a hundred, how many go back to the first step.
    pub back: u32,
    /// Of a hundred, how many leave it out.
    pub skip: u32,
    /// Its first person is slow.
    pub bottleneck: bool,
}

/// A workflow.
#[derive(Debug, Clone, Copy)]
pub struct Flow {
    /// Its name.
    pub name: &'static str,
    /// What its case numbers begin with.
    pub prefix: &'static str,
    /// Cases a day.
    pub per_day: f64,
    /// Its steps in order.
    pub steps: &'static [Step],
}

const fn step(name: &'static str, people: &'static [&'static str], wait_h: f64, work_min: f64) -> Step {
    Step { name, people, wait_h, work_min, back: 0, skip: 0, bottleneck: false }
}
const fn with(s: Step, back: u32, skip: u32, bottleneck: bool) -> Step {
    Step { back, skip, bottleneck, ..s }
}

const STAFF: &[&str] = &["李雷", "韩梅梅", "王芳", "刘洋", "陈静", "杨帆", "赵敏", "黄磊", "周杰", "吴倩"];
const MANAGERS: &[&str] = &["张伟", "孙丽", "马超", "朱琳"];
const FINANCE: &[&str] = &["何会计", "高会计", "林会计"];
const DIRECTORS: &[&str] = &["郑总", "谢总"];
const LEGAL: &[&str] = &["罗法务", "梁法务"];
const BUYERS: &[&str] = &["宋采购", "唐采购", "许采购"];
const ADMIN: &[&str] = &["韩行政", "冯行政"];
const CASHIER: &[&str] = &["曹出纳"];

/// The six workflows of the company.
pub const FLOWS: [Flow; 6] = [
    Flow {
        name: "费用报销",
        prefix: "BX",
        per_day: 14.0,
        steps: &[
            step("提交报销单", STAFF, 0.0, 12.0),
            with(step("部门经理审批", MANAGERS, 5.0, 6.0), 6, 0, false),
            with(step("财务审核", FINANCE, 20.0, 18.0), 16, 0, true),
            with(step("总监审批", DIRECTORS, 9.0, 4.0), 2, 60, false),
            step("出纳付款", CASHIER, 16.0, 5.0),
        ],
    },
    Flow {
        name: "请假",
        prefix: "QJ",
        per_day: 11.0,
        steps: &[
            step("提交请假申请", STAFF, 0.0, 3.0),
            with(step("直属领导审批", MANAGERS, 3.0, 2.0), 3, 0, false),
            with(step("人事备案", ADMIN, 6.0, 3.0), 1, 0, false),
        ],
    },
    Flow {
        name: "采购申请",
        prefix: "CG",
        per_day: 5.0,
        steps: &[
            step("提交采购申请", STAFF, 0.0, 20.0),
            with(step("部门经理审批", MANAGERS, 7.0, 8.0), 5, 0, false),
            with(step("采购询价", BUYERS, 22.0, 150.0), 8, 0, false),
            with(step("预算审核", FINANCE, 10.0, 15.0), 9, 0, false),
            with(step("分管副总审批", DIRECTORS, 30.0, 6.0), 4, 25, true),
            step("下达订单", BUYERS, 5.0, 25.0),
        ],
    },
    Flow {
        name: "合同审批",
        prefix: "HT",
        per_day: 3.0,
        steps: &[
            step("起草合同", STAFF, 0.0, 90.0),
            with(step("业务部门审核", MANAGERS, 8.0, 25.0), 8, 0, false),
            with(step("法务审核", LEGAL, 34.0, 80.0), 24, 0, true),
            with(step("财务会签", FINANCE, 12.0, 20.0), 6, 15, false),
            with(step("总经理签批", DIRECTORS, 20.0, 8.0), 2, 0, false),
            step("归档", ADMIN, 10.0, 10.0),
        ],
    },
    Flow {
        name: "用印申请",
        prefix: "YY",
        per_day: 7.0,
        steps: &[
            step("提交用印申请", STAFF, 0.0, 5.0),
            with(step("部门经理审批", MANAGERS, 4.0, 3.0), 4, 0, false),
            with(step("法务复核", LEGAL, 9.0, 10.0), 7, 45, false),
            with(step("印章管理员用印", ADMIN, 11.0, 6.0), 0, 0, true),
        ],
    },
    Flow {
        name: "出差申请",
        prefix: "CC",
        per_day: 6.0,
        steps: &[
            step("提交出差申请", STAFF, 0.0, 8.0),
            with(step("部门经理审批", MANAGERS, 5.0, 4.0), 4, 0, false),
            with(step("分管领导审批", DIRECTORS, 18.0, 3.0), 3, 50, true),
            step("行政订票", ADMIN, 6.0, 35.0),
        ],
    },
];

/// A carrying out of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Done {
    /// The step's activity.
    pub activity: &'static str,
    /// Who.
    pub person: &'static str,
    /// When it could begin.
    pub enabled: Millis,
    /// When it was begun.
    pub started: Millis,
    /// When it was done.
    pub completed: Millis,
}

/// Times are those of an office in UTC+8, 9 to 18 on weekdays: the next such moment from `at` on.
fn office(at: Millis) -> Millis {
    let local = at + 8 * HOUR;
    let (day, time) = (local.div_euclid(DAY), local.rem_euclid(DAY));
    // 1970-01-01 was a Thursday
    let weekday = (day + 3).rem_euclid(7);
    let (day, time) = match (weekday, time) {
        (5, _) => (day + 2, 9 * HOUR),
        (6, _) => (day + 1, 9 * HOUR),
        (_, t) if t < 9 * HOUR => (day, 9 * HOUR),
        (4, t) if t >= 18 * HOUR => (day + 3, 9 * HOUR),
        (_, t) if t >= 18 * HOUR => (day + 1, 9 * HOUR),
        (_, t) => (day, t),
    };
    day * DAY + time - 8 * HOUR
}

/// A log-normal factor around 1.
fn spread(rng: &mut Rng, sigma: f64) -> f64 {
    let (u, v) = (rng.f64().max(1e-12), rng.f64());
    ((-2.0 * u.ln()).sqrt() * (std::f64::consts::TAU * v).cos() * sigma).exp()
}

/// One case that begins at `begin`, as if nothing stopped it. Rework stops after four rounds.
pub fn case(flow: &Flow, rng: &mut Rng, begin: Millis) -> Vec<Done> {
    let mut out = Vec::with_capacity(flow.steps.len() + 2);
    let mut at = office(begin);
    let staff = rng.choice(flow.steps[0].people).copied().unwrap_or_default();
    let (mut i, mut rounds) = (0, 0);
    while let Some(s) = flow.steps.get(i) {
        if s.skip > 0 && rng.u32(0..100) < s.skip {
            i += 1;
            continue;
        }
        // at a bottleneck two in five come to the slow one
        let slow = s.bottleneck && (s.people.len() == 1 || rng.u32(0..5) < 2);
        let person = match (i, slow) {
            (0, _) => staff,
            (_, true) => s.people[0],
            _ => s.people[rng.usize(usize::from(s.bottleneck && s.people.len() > 1)..s.people.len())],
        };
        let wait = s.wait_h * spread(rng, 0.9) * if slow { 3.5 } else { 1.0 };
        let work = s.work_min * spread(rng, 0.6);
        let enabled = at;
        let started = office(enabled + (wait * HOUR as f64) as Millis);
        let completed = office(started + (work * MINUTE as f64) as Millis).max(started + 1_000);
        out.push(Done { activity: s.name, person, enabled, started, completed });
        at = completed;
        if s.back > 0 && rounds < 4 && rng.u32(0..100) < s.back {
            rounds += 1;
            i = 0;
        } else {
            i += 1;
        }
    }
    out
}

/// The log of `flow` over the `days` before `now`, with what is still open at `now`.
pub fn log(flow: &Flow, seed: u64, now: Millis, days: u32) -> Log {
    between(flow, seed, now - Millis::from(days) * DAY, (Millis::MIN, now))
}

/// What happens in `flow` after the first instant up to the second, when its first case begins at `from`: the same
/// cases whatever stretch of them is asked for.
pub fn between(flow: &Flow, seed: u64, from: Millis, (after, upto): (Millis, Millis)) -> Log {
    let seed = seed ^ flow.prefix.bytes().fold(7, |h, b| h * 31 + u64::from(b));
    let mut log = Log::default();
    let gap = (DAY as f64 / flow.per_day) as Millis;
    for i in 0.. {
        // evenly over the days, so that numbers rise with time
        let evenly = from + gap * i;
        if evenly > upto {
            break;
        }
        let mut rng = Rng::with_seed(seed.wrapping_add((i as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15)));
        let begin = office(evenly + rng.i64(0..HOUR));
        let number = format!("{}{:06}", flow.prefix, i + 1);
        if begin > upto {
            continue;
        }
        let mut put = |activity: &str, person: &str, at: Millis, transition| {
            if at <= after || at > upto {
                return;
            }
            // a log of six columns has room for any case that this company makes
            _ = log.push(&Event {
                case: number.as_bytes(),
                activity: activity.as_bytes(),
                resource: person.as_bytes(),
                at,
                start: None,
                enabled: None,
                transition,
            });
        };
        for (place, done) in case(flow, &mut rng, begin).into_iter().enumerate() {
            if place > 0 {
                put(done.activity, done.person, done.enabled, Transition::Schedule);
            }
            put(done.activity, done.person, done.started, Transition::Start);
            put(done.activity, done.person, done.completed, Transition::Complete);
        }
    }
    log
}

/// Writes a CSV of at least `events` rows, whole cases one after the other: what an export of `flow` looks like.
///
/// # Errors
/// When `out` cannot be written.
pub fn write_csv(out: &mut impl Write, flow: &Flow, seed: u64, events: usize) -> io::Result<usize> {
    let mut rng = Rng::with_seed(seed);
    writeln!(out, "case:concept:name,concept:name,org:resource,start_timestamp,time:timestamp")?;
    let (mut written, mut number) = (0, 0);
    let mut begin: Millis = 1_735_689_600_000;
    while written < events {
        number += 1;
        begin += rng.i64(MINUTE..3 * MINUTE);
        for done in case(flow, &mut rng, begin) {
            let (start, end) = (rfc3339(done.started / 1_000 * 1_000), rfc3339(done.completed / 1_000 * 1_000));
            writeln!(out, "{}{number:08},{},{},{start},{end}", flow.prefix, done.activity, done.person)?;
            written += 1;
        }
    }
    Ok(written)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Workflows;
    use crate::workflows::insight;

    const NOW: Millis = 1_795_500_000_000;

    #[test]
    fn the_same_seed_gives_the_same_company() {
        let (a, b) = (log(&FLOWS[0], 7, NOW, 30), log(&FLOWS[0], 7, NOW, 30));
        assert_eq!((a.at, a.case, a.activity), (b.at, b.case, b.activity));
        assert_ne!(log(&FLOWS[0], 8, NOW, 30).at, log(&FLOWS[0], 7, NOW, 30).at);
    }

    #[test]
    fn the_planted_bottleneck_and_its_slow_approver_are_found_in_every_workflow() {
        for flow in FLOWS.iter().filter(|f| f.steps.iter().any(|s| s.bottleneck)) {
            let log = log(flow, 1, NOW, 120);
            let seen = insight::look(&log, (NOW, false), Some(90 * DAY), &Workflows::default());
            let planted = flow.steps.iter().find(|s| s.bottleneck).expect("planted");
            let worst = seen.bottleneck().expect("a bottleneck");
            assert_eq!(worst.name, planted.name, "{}", flow.name);
            if planted.people.len() > 1 {
                assert_eq!(worst.slowest.as_ref().map(|p| p.name.as_str()), planted.people.first().copied());
            }
            assert!(seen.running > 0 && seen.finished > 20, "{}", flow.name);
            assert!(seen.rework_share.is_some_and(|s| s > 0.0), "{}", flow.name);
        }
    }

    #[test]
    fn nobody_works_at_night_or_on_a_weekend() {
        for hour in 0..24 * 14 {
            let at = office(NOW + hour * HOUR) + 8 * HOUR;
            let (weekday, time) = ((at.div_euclid(DAY) + 3).rem_euclid(7), at.rem_euclid(DAY));
            assert!(weekday < 5 && (9 * HOUR..18 * HOUR).contains(&time), "{at}");
        }
    }
}
