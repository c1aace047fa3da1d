//! The words of process mining as this console uses them. Pure.
//!
//! - An **event** is one row of the log; its **activity** is the `concept:name`. A **case** is one request on its way.
//! - Events of a case are taken in the order of their time; where times are equal, in the order of the log.
//! - An **execution** of an activity is enabled (C), started (S) and completed (E). A log with lifecycle events gives
//!   C by `schedule`, S by `start`, E by `complete`; a row with a start timestamp gives S and E, one with an enabling
//!   timestamp C. What the log does not give: C is the completion before it in the case (an approximation where branches run in parallel), none for the
//!   first execution of a case.
//! - **Sojourn** is E − C, **waiting** S − C, **processing** E − S. For the first execution of a case with a start
//!   timestamp C is S. The first execution of a case that has neither has no sojourn; it is not counted as zero.
//! - **Case duration** is the last time in a case less the first (a start timestamp counts as a time).
//! - A **variant** is a distinct sequence of activities over all events of a case.
//! - **Rework**: a case in which an activity has more than one event (as PM4Py counts it); **repeated** counts more than
//!   one completed execution instead, which is not fooled by schedule, start and complete of one execution. Executions
//!   that could begin before the one before them was done are countersigning and count as one. What is repeated is a
//!   **self-loop** right after itself and a **loop** after something else.
//! - An **edge** joins two events that follow each other in a case; its mean is the time between the two.
//! - A **handover** is an edge between two different known resources; **ping-pong** is A → B → A. The system itself is
//!   no resource.
//! - Percentiles interpolate linearly between the closest ranks (numpy's and DuckDB's `quantile_cont` default).
//! - **Blocked**: open executions older than θ among all open ones, with its Wilson 95 % interval; under
//!   [`FEWEST`] open executions it is not told. θ is set in the configuration, else the p95 of the sojourn over the
//!   90 days before.
//! - **Lost time** of an activity is the sum of its waiting (of its sojourn where the log does not tell them apart);
//!   its share of the sum over all activities is the bottleneck score. Activities that are no work are left out.

use crate::clock::Millis;

/// Fewest open executions of which a blocked share is told.
pub const FEWEST: usize = 10;

/// What an event says of the execution it belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
#[repr(u8)]
pub enum Transition {
    /// Completed; also whatever has no standard word.
    #[default]
    Complete = 0,
    /// Enabled: somebody may take it.
    Schedule = 1,
    /// Work began.
    Start = 2,
    /// Work was interrupted or taken up again.
    Pause = 3,
    /// Given up without completion.
    Abort = 4,
}

impl Transition {
    /// Reads `lifecycle:transition` of the standard model, in any case of letters. A word from another model stands for
    /// a completion: such a log has one event an execution.
    pub fn from_bytes(word: &[u8]) -> Self {
        let is = |w: &str| word.eq_ignore_ascii_case(w.as_bytes());
        if word.is_empty() || is("complete") {
            Self::Complete
        } else if is("schedule") || is("assign") || is("reassign") {
            Self::Schedule
        } else if is("start") {
            Self::Start
        } else if is("suspend") || is("resume") {
            Self::Pause
        } else if is("withdraw") || is("ate_abort") || is("pi_abort") {
            Self::Abort
        } else {
            Self::Complete
        }
    }

    /// The transition of its number; an unknown number is a completion.
    pub fn from_code(code: u8) -> Self {
        match code {
            1 => Self::Schedule,
            2 => Self::Start,
            3 => Self::Pause,
            4 => Self::Abort,
            _ => Self::Complete,
        }
    }
}

/// One event on its way into a [`super::log::Log`]; text as it stood in the file.
#[derive(Debug, Clone, Copy, Default)]
pub struct Event<'a> {
    /// The case.
    pub case: &'a [u8],
    /// The activity.
    pub activity: &'a [u8],
    /// Who did it; empty: not known.
    pub resource: &'a [u8],
    /// When it happened (completed, for a row with a start).
    pub at: Millis,
    /// When the work began, where the row tells it.
    pub start: Option<Millis>,
    /// When it could have begun, where the row tells it.
    pub enabled: Option<Millis>,
    /// What it says of the execution.
    pub transition: Transition,
}

/// Durations summed up, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Spread {
    /// How many.
    pub n: usize,
    /// Their sum.
    pub sum: f64,
    /// The mean.
    pub mean: f64,
    /// The middle.
    pub median: f64,
    /// Nineteen of twenty are at most this.
    pub p95: f64,
    /// The largest.
    pub max: f64,
}

impl Spread {
    /// Sums up `values`, reordering them; `None` when there are none.
    pub fn of(values: &mut [Millis]) -> Option<Self> {
        let n = values.len();
        if n == 0 {
            return None;
        }
        let (sum, max) = values.iter().fold((0.0, Millis::MIN), |(sum, max), v| (sum + *v as f64, max.max(*v)));
        let (median, p95) = (quantile(values, 0.5), quantile_above_median(values, 0.95));
        let max = max as f64;
        Some(Self { n, sum, mean: sum / n as f64, median, p95, max })
    }
}

/// The `q`-quantile (0 to 1) with linear interpolation between the closest ranks; reorders `values`; 0 when empty.
pub fn quantile(values: &mut [Millis], q: f64) -> f64 {
    if values.is_empty() {
        return 0.0;
    }
    let rank = (values.len() - 1) as f64 * q.clamp(0.0, 1.0);
    let low = rank.floor() as usize;
    let (_, at, above) = values.select_nth_unstable(low);
    let at = *at as f64;
    let share = rank - low as f64;
    match above.iter().copied().min() {
        Some(next) if share > 0.0 => at + (next as f64 - at) * share,
        _ => at,
    }
}

/// [`quantile`] of values that [`quantile`] has parted at their median; `q` over 0.5. Looks at the upper half only.
fn quantile_above_median(values: &mut [Millis], q: f64) -> f64 {
    let middle = (values.len().max(1) - 1) / 2;
    let rank = (values.len().max(1) - 1) as f64 * q;
    let upper = &mut values[middle..];
    if upper.len() < 2 {
        return quantile(upper, 1.0);
    }
    // the same rank, counted from the middle
    let low = (rank.floor() as usize).saturating_sub(middle);
    let (_, at, above) = upper.select_nth_unstable(low);
    let (at, share) = (*at as f64, rank.fract());
    above.iter().copied().min().filter(|_| share > 0.0).map_or(at, |next| at + (next as f64 - at) * share)
}

/// The Wilson 95 % interval of `k` out of `n`; (0, 1) when `n` is 0.
pub fn wilson(k: usize, n: usize) -> (f64, f64) {
    const Z: f64 = 1.959_963_984_540_054;
    if n == 0 {
        return (0.0, 1.0);
    }
    let (n, p) = (n as f64, k as f64 / n as f64);
    let base = 1.0 + Z * Z / n;
    let middle = (p + Z * Z / (2.0 * n)) / base;
    let half = Z / base * (p * (1.0 - p) / n + Z * Z / (4.0 * n * n)).sqrt();
    ((middle - half).max(0.0), (middle + half).min(1.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn quantiles_are_those_of_numpy() {
        assert!((quantile(&mut [1, 2, 3, 4], 0.5) - 2.5).abs() < 1e-9);
        assert!((quantile(&mut [4, 1, 3, 2], 0.95) - 3.85).abs() < 1e-9);
        assert!((quantile(&mut [7], 0.95) - 7.0).abs() < 1e-9);
        assert!(Spread::of(&mut []).is_none());
    }

    #[test]
    fn the_wilson_interval_is_the_one_in_the_books() {
        let (low, high) = wilson(5, 50);
        assert!((low - 0.0435).abs() < 5e-4 && (high - 0.2136).abs() < 5e-4, "{low} {high}");
        assert_eq!(wilson(0, 0), (0.0, 1.0));
        assert!(wilson(0, 10).0.abs() < 1e-9 && wilson(0, 10).1 > 0.2);
    }

    #[test]
    fn only_standard_lifecycle_words_part_an_execution() {
        assert_eq!(Transition::from_bytes(b"START"), Transition::Start);
        assert_eq!(Transition::from_bytes(b"schedule"), Transition::Schedule);
        assert_eq!(Transition::from_bytes(b"In Progress"), Transition::Complete);
    }

    proptest! {
        #[test]
        fn a_quantile_is_what_sorting_gives(mut values in prop::collection::vec(-1_000i64..1_000, 1..60), q in 0.0f64..=1.0) {
            let mut sorted = values.clone();
            sorted.sort_unstable();
            let rank = (sorted.len() - 1) as f64 * q;
            let (low, high) = (rank.floor() as usize, rank.ceil() as usize);
            let wanted = sorted[low] as f64 + (sorted[high] - sorted[low]) as f64 * (rank - low as f64);
            prop_assert!((quantile(&mut values, q) - wanted).abs() < 1e-6);
            let p95 = quantile(&mut values.clone(), 0.95);
            prop_assert!((Spread::of(&mut values).map_or(0.0, |s| s.p95) - p95).abs() < 1e-9);
        }
    }
}
