//! A synthetic log of any size: the same seed gives the same bytes on every machine.

use std::io::{self, BufWriter, Write};

use fastrand::Rng;

/// Activities in the log.
pub const ACTIVITIES: usize = 57;
const RESOURCES: usize = 240;
/// 2024-01-01T00:00:00Z, seconds.
const BEGIN: i64 = 1_704_067_200;

/// An event: 20 bytes, so that ten million of them fit a small machine.
#[derive(Clone, Copy)]
pub struct Event {
    begun: u32,
    done: u32,
    case: u32,
    activity: u16,
    resource: u16,
}

/// How the rows stand in the file.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Rows {
    /// By time of completion, cases interleaved: an export of a running system.
    InTime,
    /// In no order at all: the worst that an export can be.
    Shuffled,
}

/// `events` events of cases that walk a chain of activities with skips, ways back and repetitions, in the order of
/// their cases. No two events of a case share a time, so that every engine sees one order.
pub fn events(events: usize, seed: u64) -> Vec<Event> {
    let mut rng = Rng::with_seed(seed);
    let mut out = Vec::with_capacity(events);
    // two years, whatever the size
    let step = (63_000_000.0 / (events as f64 / 10.0)).max(0.01);
    let (mut case, mut arrival) = (0u32, 0.0f64);
    while out.len() < events {
        arrival += step * 2.0 * rng.f64();
        let mut at = arrival as u32;
        let mut activity = if rng.u8(..10) == 0 { rng.usize(1..6) } else { 0 };
        loop {
            let wait = (-(1.0 - rng.f64()).ln() * 14_000.0 * (1 + activity % 5) as f64) as u32 + 1;
            let work = (-(1.0 - rng.f64()).ln() * 900.0) as u32 + 1;
            let (begun, done) = (at + wait, at + wait + work);
            let resource = ((activity * 4 + rng.usize(..6)) % RESOURCES) as u16;
            out.push(Event { begun, done, case, activity: activity as u16, resource });
            at = done;
            let next = match rng.u8(..100) {
                0..8 => break,
                8..14 => activity.saturating_sub(rng.usize(1..7)),
                14..17 => activity,
                17..34 => activity + rng.usize(2..7),
                _ => activity + 1,
            };
            if next >= ACTIVITIES || out.len() >= events {
                break;
            }
            activity = next;
        }
        case += 1;
    }
    out
}

fn names() -> Vec<String> {
    let words = ["部门经理审批", "财务审核", "Submit request", "Check budget", "法务复核", "Archive"];
    (0..ACTIVITIES).map(|i| format!("{} {i:02}", words[i % words.len()])).collect()
}

/// `YYYY-MM-DD HH:MM:SS`.
fn stamp(out: &mut Vec<u8>, days: &[String], seconds: u32) {
    let (day, s) = ((seconds / 86_400) as usize, seconds % 86_400);
    out.extend_from_slice(days[day].as_bytes());
    let two = |v: u32| [b'0' + (v / 10) as u8, b'0' + (v % 10) as u8];
    out.extend_from_slice(&two(s / 3_600));
    out.push(b':');
    out.extend_from_slice(&two(s / 60 % 60));
    out.push(b':');
    out.extend_from_slice(&two(s % 60));
}

/// The days that stamps can name, with the separator behind each.
fn days(log: &[Event], separator: char) -> Vec<String> {
    let last = log.iter().map(|e| e.done / 86_400).max().unwrap_or(0);
    let day = |d: u32| chrono::DateTime::from_timestamp(BEGIN + i64::from(d) * 86_400, 0).expect("a day");
    (0..=last).map(|d| format!("{}{separator}", day(d).format("%Y-%m-%d"))).collect()
}

/// Writes the log as CSV.
///
/// # Errors
/// When `out` cannot be written.
pub fn write_csv(out: impl Write, log: &mut [Event], rows: Rows) -> io::Result<()> {
    match rows {
        Rows::InTime => log.sort_by_key(|e| e.done),
        Rows::Shuffled => Rng::with_seed(7).shuffle(log),
    }
    let (names, days) = (names(), days(log, ' '));
    let mut out = BufWriter::with_capacity(1 << 20, out);
    out.write_all(b"case:concept:name,concept:name,org:resource,start_timestamp,time:timestamp\n")?;
    let mut line = Vec::with_capacity(128);
    for e in log.iter() {
        line.clear();
        write!(line, "BX-{:08},{},user{:03},", e.case, names[e.activity as usize], e.resource)?;
        stamp(&mut line, &days, e.begun);
        line.push(b',');
        stamp(&mut line, &days, e.done);
        line.push(b'\n');
        out.write_all(&line)?;
    }
    out.flush()
}

/// Writes the log as XES, without the starts: that is how exports of lifecycle-less systems look.
///
/// # Errors
/// When `out` cannot be written.
pub fn write_xes(out: impl Write, log: &[Event]) -> io::Result<()> {
    let (names, days) = (names(), days(log, 'T'));
    let mut out = BufWriter::with_capacity(1 << 20, out);
    out.write_all(
        b"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<log xes.version=\"1849-2016\" xmlns=\"http://www.xes-standard.org/\">\n",
    )?;
    let mut line = Vec::with_capacity(512);
    for trace in log.chunk_by(|a, b| a.case == b.case) {
        writeln!(out, "<trace>\n<string key=\"concept:name\" value=\"BX-{:08}\"/>", trace[0].case)?;
        for e in trace {
            line.clear();
            let name = &names[e.activity as usize];
            writeln!(line, "<event>\n<string key=\"concept:name\" value=\"{name}\"/>")?;
            writeln!(line, "<string key=\"org:resource\" value=\"user{:03}\"/>", e.resource)?;
            line.extend_from_slice(b"<date key=\"time:timestamp\" value=\"");
            stamp(&mut line, &days, e.done);
            line.extend_from_slice(b".000+00:00\"/>\n</event>\n");
            out.write_all(&line)?;
        }
        out.write_all(b"</trace>\n")?;
    }
    out.write_all(b"</log>\n")?;
    out.flush()
}
