use super::*;
use crate::clock::SECOND;
use crate::config::Dur;
use crate::health::model::Disk;

const TICK: Millis = 10 * SECOND;
const START: Millis = 1_790_000_000_000;

/// Thresholds of a minute each.
fn quick() -> Vec<Rule> {
    let mut c = Health::default();
    for t in [&mut c.cpu_warn, &mut c.cpu_critical, &mut c.disk_warn] {
        (t.lasts, t.keep) = (Dur(MINUTE), Dur(MINUTE));
    }
    rules(&c)
}

fn sample(at: Millis, cpu: f64) -> Sample {
    Sample { at, cpu, mem_total: 100, mem_used: 10, ..Sample::default() }
}

/// Runs CPU values through the machine, one every ten seconds; the phases of the warning after each.
fn run(values: &[f64]) -> (Vec<Option<Phase>>, Vec<Change>) {
    let (mut tracks, mut phases, mut all) = (vec![], vec![], vec![]);
    for (i, cpu) in values.iter().enumerate() {
        let (next, changes) = advance(&tracks, &sample(START + i as Millis * TICK, *cpu), &[], &quick(), TICK);
        tracks = next;
        all.extend(changes);
        phases.push(tracks.iter().find(|t| t.severity == Severity::Warn).map(|t| t.phase));
    }
    (phases, all)
}

#[test]
fn a_figure_must_last_before_it_is_a_problem_and_be_over_before_it_is_none() {
    use Phase::{Clearing, Firing, Pending};
    let mut values = vec![95.0; 7];
    values.extend([85.0, 70.0, 70.0, 70.0, 70.0, 70.0, 70.0, 70.0]);
    let (phases, changes) = run(&values);
    assert_eq!(phases[..6], [Some(Pending); 6]);
    assert_eq!(phases[6..8], [Some(Firing); 2], "a minute, and between the lines it stays");
    assert_eq!(phases[8..14], [Some(Clearing); 6]);
    assert_eq!(phases[14], None);
    let told: Vec<_> = changes.iter().map(|c| (c.was, c.phase)).collect();
    assert_eq!(told, [(Some(Pending), Some(Firing)), (Some(Firing), Some(Clearing)), (Some(Clearing), None)]);
}

#[test]
fn flapping_at_the_line_never_fires_and_flapping_while_it_fires_never_recovers() {
    let hover: Vec<f64> = (0..200).map(|i| if i % 3 == 2 { 89.0 } else { 91.0 }).collect();
    let (phases, changes) = run(&hover);
    assert!(phases.iter().all(|p| *p != Some(Phase::Firing)) && changes.is_empty());
    let mut fired = vec![95.0; 7];
    fired.extend((0..200).map(|i| if i % 5 == 4 { 92.0 } else { 70.0 }));
    let (phases, _) = run(&fired);
    assert!(phases[7..].iter().all(|p| matches!(p, Some(Phase::Firing | Phase::Clearing))), "one problem, not forty");
}

#[test]
fn a_gap_freezes_the_count() {
    let (tracks, _) = advance(&[], &sample(START, 95.0), &[], &quick(), TICK);
    // an hour without samples: neither "an hour of trouble" nor "trouble over"
    let (tracks, changes) = advance(&tracks, &sample(START + HOUR, 95.0), &[], &quick(), TICK);
    assert_eq!((tracks[0].phase, tracks[0].held), (Phase::Pending, 0));
    assert!(changes.is_empty());
    let (tracks, _) = advance(&tracks, &sample(START + HOUR + TICK, 95.0), &[], &quick(), TICK);
    assert_eq!(tracks[0].held, TICK);
}

#[test]
fn a_sample_counted_twice_counts_once_and_a_clock_set_back_freezes() {
    let (tracks, _) = advance(&[], &sample(START, 95.0), &[], &quick(), TICK);
    let (tracks, _) = advance(&tracks, &sample(START + TICK, 95.0), &[], &quick(), TICK);
    assert_eq!(advance(&tracks, &sample(START + TICK, 10.0), &[], &quick(), TICK).0, tracks);
    let (back, _) = advance(&tracks, &sample(START - HOUR, 95.0), &[], &quick(), TICK);
    assert_eq!((back[0].held, back[0].at), (TICK, START - HOUR));
    let (on, _) = advance(&back, &sample(START - HOUR + TICK, 95.0), &[], &quick(), TICK);
    assert_eq!(on[0].held, 2 * TICK, "it goes on counting from there");
}

#[test]
fn without_news_what_was_wrong_stands_and_that_there_is_none_is_a_problem_of_its_own() {
    let mut tracks = vec![];
    for i in 0..7 {
        tracks = advance(&tracks, &sample(START + i * TICK, 95.0), &[], &quick(), TICK).0;
    }
    let last = START + 6 * TICK;
    let open = |now| problems(&tracks, &quick(), last, TICK, now);
    assert_eq!(worst(&open(last + 3 * TICK)), Severity::Warn);
    let later = open(last + 3 * TICK + 1);
    assert_eq!(later.iter().map(|p| p.metric).collect::<Vec<_>>(), [Metric::Age, Metric::Cpu]);
    assert_eq!((worst(&later), later[0].since), (Severity::Stale, last + 3 * TICK));
}

#[test]
fn the_worst_threshold_of_a_figure_speaks_for_it() {
    let mut tracks = vec![];
    for i in 0..7 {
        tracks = advance(&tracks, &sample(START + i * TICK, 99.0), &[], &quick(), TICK).0;
    }
    let now = START + 6 * TICK;
    let open = problems(&tracks, &quick(), now, TICK, now);
    assert_eq!((open.len(), open[0].severity, open[0].since), (1, Severity::Critical, now));
}

#[test]
fn a_file_system_that_is_gone_clears_and_one_for_reading_only_is_never_full() {
    let full = |read_only| Sample {
        disks: vec![Disk { mount: "/d".into(), total: 100, used: 95, read_only, ..Disk::default() }],
        ..sample(START, 1.0)
    };
    let mut tracks = vec![];
    for i in 0..7 {
        tracks = advance(&tracks, &Sample { at: START + i * TICK, ..full(false) }, &[], &quick(), TICK).0;
    }
    assert_eq!(tracks[0].phase, Phase::Firing);
    let (tracks, _) = advance(&tracks, &sample(START + 7 * TICK, 1.0), &[], &quick(), TICK);
    assert_eq!(tracks[0].phase, Phase::Clearing);
    assert!(advance(&[], &full(true), &[], &quick(), TICK).0.is_empty());
}

#[test]
fn a_forecast_is_a_problem_only_where_there_is_little_room_left() {
    let near = |used| [("/d".to_owned(), 3.0, used)];
    assert!(advance(&[], &sample(START, 1.0), &near(50.0), &quick(), TICK).0.is_empty());
    let (tracks, _) = advance(&[], &sample(START, 1.0), &near(70.0), &quick(), TICK);
    assert_eq!(tracks.iter().map(|t| t.severity).collect::<Vec<_>>(), [Severity::Warn]);
    assert_eq!(advance(&[], &sample(START, 1.0), &near(85.0), &quick(), TICK).0.len(), 2);
}
