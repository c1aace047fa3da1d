//! Runs that look unlike the ones before them: shrunk sources, surges, data that no longer compress. Pure.

use super::model::{Kind, Outcome, Run};

/// Runs that a comparison needs before it says anything.
const ENOUGH: usize = 5;
/// B14: a source below this share of its median has shrunk.
const SHRUNK: f64 = 0.5;
/// B15: median plus this many robust standard deviations (1.4826 × median absolute deviation).
const SURGE_DEVIATIONS: f64 = 6.0;
/// B15: and more than this many medians.
const SURGE_TIMES: f64 = 3.0;
/// B16: the compressed share rose by more than this (1 − 1 ÷ ratio fell by as much).
const ENTROPY: f64 = 0.15;

/// What is odd about the newest run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Odd {
    /// B14: bytes of the source now, and their median before.
    Shrank(i64, i64),
    /// B15: bytes added now, and their median before.
    Surge(i64, i64),
    /// B16: compression now, and its median before.
    Entropy(f64, f64),
}

fn median(values: &mut [f64]) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let n = values.len();
    let mid = *values.get(n / 2)?;
    Some(if n % 2 == 1 { mid } else { f64::midpoint(values[n / 2 - 1], mid) })
}

/// Compares the newest good run with the good runs of the same kind before it (`runs` oldest first).
pub fn look(runs: &[(&Run, Kind)]) -> Vec<Odd> {
    let good: Vec<_> = runs.iter().filter(|(r, _)| r.outcome != Outcome::Failed).collect();
    let Some(((newest, kind), before)) = good.split_last() else { return vec![] };
    let values = |f: fn(&Run) -> Option<f64>, same: bool| -> Vec<f64> {
        let all = before.iter().filter(|(_, k)| !same || k == kind).filter_map(|(r, _)| f(r));
        let mut all: Vec<f64> = all.collect();
        // the last six weeks, so that slow growth is no surge
        all.drain(..all.len().saturating_sub(42));
        all
    };
    let mut odd = vec![];
    let mut sizes = values(|r| r.source_bytes.map(|b| b as f64), false);
    if let (Some(now), true) = (newest.source_bytes, sizes.len() >= ENOUGH)
        && let Some(m) = median(&mut sizes)
        && (now as f64) < SHRUNK * m
    {
        odd.push(Odd::Shrank(now, m as i64));
    }
    let mut added = values(|r| r.added_bytes.map(|b| b as f64), true);
    if let (Some(now), true) = (newest.added_bytes, added.len() >= ENOUGH)
        && let Some(m) = median(&mut added)
    {
        let mut off: Vec<f64> = added.iter().map(|v| (v - m).abs()).collect();
        let mad = median(&mut off).unwrap_or(0.0);
        let value = now as f64;
        if value > m + SURGE_DEVIATIONS * 1.4826 * mad && value > SURGE_TIMES * m {
            odd.push(Odd::Surge(now, m as i64));
        }
    }
    let mut ratios = values(|r| r.ratio, true);
    if let (Some(now), true) = (newest.ratio, ratios.len() >= ENOUGH)
        && let Some(m) = median(&mut ratios)
        && saved(m) - saved(now) > ENTROPY
    {
        odd.push(Odd::Entropy(now, m));
    }
    odd
}

/// The share that compression saves, 0 to 1.
fn saved(ratio: f64) -> f64 {
    if ratio > 1.0 { 1.0 - 1.0 / ratio } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(source: i64, added: i64, ratio: f64) -> Run {
        Run { source_bytes: Some(source), added_bytes: Some(added), ratio: Some(ratio), ..Run::new("x", 0) }
    }

    fn judge(newest: Run) -> Vec<Odd> {
        let mut runs: Vec<Run> = (0..10).map(|i| run(1_000 + i, 50 + i, 2.0)).collect();
        runs.push(newest);
        look(&runs.iter().map(|r| (r, Kind::Incremental)).collect::<Vec<_>>())
    }

    #[test]
    fn an_ordinary_run_is_not_odd_and_the_three_shapes_are() {
        assert!(judge(run(1_010, 60, 1.95)).is_empty());
        assert!(matches!(judge(run(400, 60, 2.0))[..], [Odd::Shrank(400, _)]));
        assert!(matches!(judge(run(1_010, 900, 2.0))[..], [Odd::Surge(900, _)]), "a bulk import");
        assert!(matches!(judge(run(1_010, 900, 1.0))[..], [Odd::Surge(..), Odd::Entropy(..)]), "ransomware shape");
    }

    #[test]
    fn nothing_is_said_of_a_handful_of_runs() {
        let runs = [run(1_000, 5, 2.0), run(1, 5_000, 1.0)];
        assert!(look(&runs.iter().map(|r| (r, Kind::Full)).collect::<Vec<_>>()).is_empty());
    }
}
