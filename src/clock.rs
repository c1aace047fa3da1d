//! Time as a parameter: everything that needs "now" is handed a [`Clock`].

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, SecondsFormat, TimeZone, Utc};

/// Milliseconds since 1970-01-01T00:00:00Z. All stored and passed instants use it.
pub type Millis = i64;

/// One second in [`Millis`].
pub const SECOND: Millis = 1_000;
/// One minute in [`Millis`].
pub const MINUTE: Millis = 60 * SECOND;
/// One hour in [`Millis`].
pub const HOUR: Millis = 60 * MINUTE;
/// Twenty-four hours in [`Millis`]; a civil day may be shorter or longer.
pub const DAY: Millis = 24 * HOUR;

/// Where "now" comes from.
#[derive(Debug, Clone)]
pub enum Clock {
    /// The machine's wall clock.
    System,
    /// Stands still until [`Clock::set`]; for tests.
    Manual(Arc<AtomicI64>),
    /// Stands at `base` until [`Clock::begin`], then runs `speed` times faster than the wall clock; for the demo.
    Scaled {
        /// The instant shown when the wall clock read `started`.
        base: Millis,
        /// The wall-clock instant at which it began; [`Millis::MAX`] while it stands.
        started: Arc<AtomicI64>,
        /// Seconds of shown time per second of wall-clock time.
        speed: f64,
    },
}

impl Clock {
    /// A clock that stands at `now` until it is set.
    pub fn manual(now: Millis) -> Self {
        Self::Manual(Arc::new(AtomicI64::new(now)))
    }

    /// A clock that stands at `base` and runs `speed` times as fast as the wall clock from [`Clock::begin`] on.
    pub fn scaled(base: Millis, speed: f64) -> Self {
        Self::Scaled { base, started: Arc::new(AtomicI64::new(Millis::MAX)), speed }
    }

    /// Lets a [`Clock::Scaled`] and its clones run from its base on; the other kinds are left alone.
    pub fn begin(&self) {
        if let Self::Scaled { started, .. } = self {
            started.store(wall(), Ordering::SeqCst);
        }
    }

    /// Seconds of shown time per second of wall-clock time.
    pub fn pace(&self) -> f64 {
        match self {
            Self::Scaled { speed, .. } => *speed,
            Self::System | Self::Manual(_) => 1.0,
        }
    }

    /// The present instant of this clock.
    pub fn now(&self) -> Millis {
        match self {
            Self::System => wall(),
            Self::Manual(at) => at.load(Ordering::SeqCst),
            Self::Scaled { base, started, speed } => {
                let ran = (wall() - started.load(Ordering::SeqCst)).max(0);
                base + (ran as f64 * speed) as Millis
            }
        }
    }

    /// Wall-clock milliseconds until this clock has advanced by `ahead`; at least zero.
    pub fn wall_until(&self, ahead: Millis) -> Millis {
        ((ahead as f64 / self.pace()).ceil() as Millis).max(0)
    }

    /// Moves a [`Clock::Manual`] to `now`; the other kinds are left alone.
    pub fn set(&self, now: Millis) {
        if let Self::Manual(at) = self {
            at.store(now, Ordering::SeqCst);
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the one place that reads the wall clock")]
fn wall() -> Millis {
    Utc::now().timestamp_millis()
}

/// RFC 3339 in UTC with a `Z`: whole seconds when there is no fraction, else milliseconds.
pub fn rfc3339(at: Millis) -> String {
    let form = if at.rem_euclid(SECOND) == 0 { SecondsFormat::Secs } else { SecondsFormat::Millis };
    match Utc.timestamp_millis_opt(at).single() {
        Some(t) => t.to_rfc3339_opts(form, true),
        None => format!("@{at}ms"),
    }
}

/// Reads RFC 3339 (any offset).
///
/// # Errors
/// When `text` is not an RFC 3339 instant.
pub fn parse_rfc3339(text: &str) -> Result<Millis, chrono::ParseError> {
    DateTime::parse_from_rfc3339(text.trim()).map(|t| t.timestamp_millis())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc3339_round_trips_and_shows_fractions_only_when_there_are_any() {
        assert_eq!(rfc3339(0), "1970-01-01T00:00:00Z");
        assert_eq!(rfc3339(1_500), "1970-01-01T00:00:01.500Z");
        assert_eq!(parse_rfc3339("2026-11-24T08:00:00+08:00").map(rfc3339).as_deref(), Ok("2026-11-24T00:00:00Z"));
    }

    #[test]
    fn a_scaled_clock_stands_until_it_begins() {
        let clock = Clock::scaled(5, 1e9);
        assert_eq!(clock.now(), 5);
        let shown = clock.clone();
        clock.begin();
        assert!(std::iter::repeat_with(|| shown.now()).take(100_000_000).any(|now| now > 5));
    }

    #[test]
    fn a_manual_clock_moves_only_when_set() {
        let clock = Clock::manual(5);
        assert_eq!(clock.now(), 5);
        clock.set(9);
        assert_eq!(clock.clone().now(), 9);
    }
}
