//! When a file system will be full, looked at over two horizons. Pure.
//!
//! The slow horizon is the median of all slopes between hourly maxima of two weeks (Theil, Sen), which a nightly batch,
//! a rotated log or a single clean-up does not move; its interval is Kendall's. The fast one is the least squares line
//! through six hours of minutes, which sees what began today. A problem needs both; the screen shows the slow one.

use crate::clock::{DAY, HOUR, Millis};

/// A fill level at an instant, percent.
pub type Point = (Millis, f64);

/// Never further ahead than this.
pub const FURTHEST: Millis = 90 * DAY;
/// Span of the fast horizon.
pub const FAST: Millis = 6 * HOUR;
/// Span of the slow horizon.
pub const SLOW: Millis = 14 * DAY;

/// A forecast: instants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Forecast {
    /// When it is full by the slow horizon.
    pub full_at: Millis,
    /// The early end of the interval that holds it with 95 %.
    pub early_at: Millis,
    /// The late end, at most 90 days ahead.
    pub late_at: Millis,
    /// When it is full by the fast horizon, if that sees a trend.
    pub fast_at: Option<Millis>,
}

impl Forecast {
    /// Hours from `now` until both horizons see it full; `None` while they do not agree that it fills.
    pub fn agreed_hours(&self, now: Millis) -> Option<f64> {
        let at = self.full_at.max(self.fast_at?);
        Some((at - now).max(0) as f64 / HOUR as f64)
    }
}

/// Looks at hourly maxima (`slow`) and minutes (`fast`), both oldest first. `None`: no trend, or none that reaches the
/// brim within 90 days.
pub fn forecast(slow: &[Point], fast: &[Point], now: Millis) -> Option<Forecast> {
    let last = fast.last().or(slow.last())?;
    let rest = 100.0 - last.1;
    let fast_at = least_squares(fast).and_then(|slope| full(rest, slope, last.0, now));
    // with less than half a day of hours the minutes must do
    let (slope, low, high) = if slow.len() >= 12 { theil_sen(slow)? } else { early(fast)? };
    let full_at = full(rest, slope, last.0, now)?;
    let early_at = full(rest, high, last.0, now)?;
    let late_at = if low > 0.0 { full(rest, low, last.0, now) } else { None }.unwrap_or(now + FURTHEST);
    Some(Forecast { full_at, early_at, late_at, fast_at: fast_at.filter(|_| slow.len() >= 12) })
}

/// The instant at which `rest` percent are gone at `slope` percent a day.
fn full(rest: f64, slope: f64, from: Millis, now: Millis) -> Option<Millis> {
    if slope <= 0.0 {
        return None;
    }
    let at = from as f64 + rest.max(0.0) / slope * DAY as f64;
    (at <= (now + FURTHEST) as f64).then_some((at as Millis).max(now))
}

fn days(a: Millis, b: Millis) -> f64 {
    (b - a) as f64 / DAY as f64
}

/// Slope in percent a day of the line through at least 30 points, if it explains 70 % of what they do.
fn least_squares(points: &[Point]) -> Option<f64> {
    let first = points.first()?.0;
    let n = points.len() as f64;
    if points.len() < 30 {
        return None;
    }
    let (mx, my) = points.iter().fold((0.0, 0.0), |(x, y), (t, v)| (x + days(first, *t) / n, y + v / n));
    let (mut sxx, mut sxy, mut syy) = (0.0, 0.0, 0.0);
    for (t, v) in points {
        let (x, y) = (days(first, *t) - mx, v - my);
        sxx += x * x;
        sxy += x * y;
        syy += y * y;
    }
    let explained = if sxx * syy > 0.0 { sxy * sxy / (sxx * syy) } else { 0.0 };
    (explained > 0.7).then(|| sxy / sxx)
}

/// The fast line alone, between half and twice its slope: so little is known in the first hours.
fn early(fast: &[Point]) -> Option<(f64, f64, f64)> {
    let long = days(fast.first()?.0, fast.last()?.0) * DAY as f64 >= HOUR as f64;
    let slope = least_squares(fast).filter(|s| long && *s > 0.0)?;
    Some((slope, slope / 2.0, slope * 2.0))
}

/// Median slope in percent a day, and the ends of its interval of 95 %; `None` where the interval holds no rise.
fn theil_sen(points: &[Point]) -> Option<(f64, f64, f64)> {
    // pairs grow with the square: two hundred points tell as much as three hundred
    let every = points.len().div_ceil(200);
    let thin: Vec<Point> =
        points.chunks(every).filter_map(|c| c.iter().copied().max_by(|a, b| a.1.total_cmp(&b.1))).collect();
    let mut slopes = Vec::with_capacity(thin.len() * thin.len() / 2);
    for (i, (t, v)) in thin.iter().enumerate() {
        for (u, w) in &thin[i + 1..] {
            let x = days(*t, *u);
            if x > 0.0 {
                slopes.push((w - v) / x);
            }
        }
    }
    if slopes.is_empty() {
        return None;
    }
    let n = thin.len() as f64;
    let spread = 1.96 * (n * (n - 1.0) * (2.0 * n + 5.0) / 18.0).sqrt();
    let count = slopes.len() as f64;
    let mut at = |rank: f64| {
        let i = (rank.max(0.0) as usize).min(slopes.len() - 1);
        *slopes.select_nth_unstable_by(i, f64::total_cmp).1
    };
    let (median, low, high) = (at(count / 2.0), at((count - spread) / 2.0), at(f64::midpoint(count, spread)));
    (low > 0.0).then_some((median, low, high))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::MINUTE;

    const NOW: Millis = 1_790_000_000_000;

    fn hours(n: i64, level: impl Fn(f64) -> f64) -> Vec<Point> {
        (0..n).map(|i| (NOW - (n - 1 - i) * HOUR, level(i as f64))).collect()
    }

    fn minutes(level: impl Fn(f64) -> f64) -> Vec<Point> {
        (0..360).map(|i| (NOW - (359 - i) * MINUTE, level(i as f64 / 60.0))).collect()
    }

    #[test]
    fn a_steady_rise_is_forecast_with_an_interval_around_it() {
        // half a percent a day with some unrest, 80 % at the end: 40 days
        let slow = hours(336, |h| 73.0 + h / 48.0 + (h * 12.9898).sin() * 0.8);
        let fast = minutes(|h| 79.9 + h / 48.0);
        let f = forecast(&slow, &fast, NOW).expect("a trend");
        let ahead = |at: Millis| days(NOW, at);
        assert!((34.0..46.0).contains(&ahead(f.full_at)), "{f:?}");
        assert!(f.early_at < f.full_at && f.full_at < f.late_at && ahead(f.late_at) < 60.0, "{f:?}");
        assert!(f.agreed_hours(NOW).is_some());
    }

    #[test]
    fn what_goes_up_and_down_has_no_trend() {
        let saw = hours(336, |h| 60.0 + (h % 24.0));
        assert_eq!(forecast(&saw, &minutes(|_| 70.0), NOW), None);
        assert_eq!(forecast(&hours(336, |h| 90.0 - h / 50.0), &minutes(|_| 83.0), NOW), None, "falling");
        assert_eq!(forecast(&hours(336, |_| 75.0), &minutes(|_| 75.0), NOW), None, "flat");
        assert_eq!(forecast(&[], &[], NOW), None);
    }

    #[test]
    fn nothing_is_said_beyond_ninety_days() {
        assert_eq!(forecast(&hours(336, |h| 50.0 + h / 336.0), &minutes(|_| 51.0), NOW), None, "700 days");
        let far = forecast(&hours(336, |h| 50.0 + h / 42.0), &minutes(|h| 57.8 + h / 42.0), NOW).expect("74 days");
        assert!(far.late_at <= NOW + FURTHEST);
    }

    #[test]
    fn one_clean_up_does_not_hide_the_trend_and_one_burst_makes_none() {
        let cleaned = hours(336, |h| if h < 200.0 { 60.0 + h / 10.0 } else { 50.0 + h / 10.0 });
        assert!(forecast(&cleaned, &minutes(|h| 83.0 + h / 10.0), NOW).is_some());
        let burst = hours(336, |h| if h > 333.0 { 90.0 } else { 60.0 });
        assert_eq!(forecast(&burst, &minutes(|h| 85.0 + h), NOW), None);
    }

    #[test]
    fn a_batch_that_fills_six_hours_alone_is_no_problem_yet() {
        let slow = hours(336, |h| 73.0 + h / 48.0);
        let f = forecast(&slow, &minutes(|_| 80.0), NOW).expect("slow trend");
        assert_eq!(f.agreed_hours(NOW), None, "the fast horizon sees none");
    }
}
