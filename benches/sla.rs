//! The SLA state of 100 000 open tickets computed anew on one core, from their events.
//!
//! `cargo bench --bench sla`
#![expect(clippy::print_stdout, clippy::expect_used, reason = "a bench prints its figure and stops where it fails")]

use std::hint::black_box;
use std::time::Instant;

use zhiban::clock::{HOUR, MINUTE, Millis};
use zhiban::config::Tickets;
use zhiban::tickets::model::policy;
use zhiban::tickets::sla::{Event, Step, evaluate};

const TICKETS: usize = 100_000;
/// 2026-11-24 10:00 in Shanghai.
const NOW: Millis = 1_795_485_600_000;

/// A ticket of the last four weeks: reported, most of them answered, some paused or raised.
fn events(i: usize) -> Vec<Event> {
    let level = ["general", "important", "urgent"][i % 3].to_owned();
    let at = NOW - (i as Millis * 7_919_000) % (28 * 24 * HOUR) - MINUTE;
    let mut out = vec![Event { at, step: Step::Reported { level, reported_at: at } }];
    if !i.is_multiple_of(5) {
        out.push(Event { at: at + 20_000, step: Step::Respond(None) });
    }
    if i.is_multiple_of(4) {
        out.push(Event { at: at + 30_000, step: Step::Pause });
        out.push(Event { at: at + 45_000, step: Step::Resume });
    }
    if i.is_multiple_of(10) {
        out.push(Event { at: at + 50_000, step: Step::Level("important".into()) });
    }
    out
}

fn main() {
    let policy = policy(&Tickets::default(), &[], 1);
    let tickets: Vec<Vec<Event>> = (0..TICKETS).map(events).collect();
    let mut best = f64::MAX;
    for _ in 0..7 {
        let started = Instant::now();
        for events in &tickets {
            black_box(evaluate(&policy, black_box(events), NOW).expect("state"));
        }
        best = best.min(started.elapsed().as_secs_f64() * 1e3);
    }
    println!("{TICKETS} tickets: {best:.0} ms, {:.2} us each", best * 1e3 / TICKETS as f64);
}
