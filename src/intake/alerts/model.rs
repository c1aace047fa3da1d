//! What an alert is. Pure.

use std::collections::BTreeMap;

use crate::clock::{MINUTE, Millis};

/// Changes within [`FLAP_WINDOW`] beyond which a group flaps.
const FLAP_CHANGES: usize = 2;
/// The window of flapping.
pub const FLAP_WINDOW: Millis = 30 * MINUTE;

/// One alert, as its sender last told it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alert {
    /// The sender's name of what is watched.
    pub fingerprint: String,
    /// When this occurrence began; with the fingerprint it names the occurrence.
    pub starts_at: Millis,
    /// When it ended; `None` while it fires.
    pub ends_at: Option<Millis>,
    /// In words.
    pub summary: String,
    /// What it is about.
    pub labels: BTreeMap<String, String>,
}

/// Alerts that are one matter: one ticket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// The sender's name of the matter.
    pub key: String,
    /// One line.
    pub title: String,
    /// Everything else.
    pub body: String,
    /// `general`, `important` or `urgent`.
    pub severity: String,
    /// `individual`, `department` or `company`.
    pub scope: String,
    /// Where it is; groups of one place are related. Empty: nowhere in particular.
    pub place: String,
    /// Alerts that the sender left out of this message.
    pub truncated: i64,
    /// What was told.
    pub alerts: Vec<Alert>,
}

/// How bad a severity is, for comparing.
pub fn rank(severity: &str) -> u8 {
    match severity {
        "urgent" => 2,
        "important" => 1,
        _ => 0,
    }
}

/// Instants of the changes of a group between firing and recovered, those of the last half hour.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Changes(Vec<Millis>);

impl Changes {
    /// As stored: instants in seconds, separated by blanks. What cannot be read is no change.
    pub fn parse(text: &str) -> Self {
        Self(text.split_ascii_whitespace().filter_map(|t| t.parse().ok()).collect())
    }

    /// As [`Changes::parse`] reads them.
    pub fn text(&self) -> String {
        self.0.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
    }

    /// Notes a change; those before the window are forgotten.
    pub fn note(&mut self, now: Millis) {
        self.0.push(now);
        self.0.retain(|at| now - at < FLAP_WINDOW);
    }

    /// Whether there were more changes within the window than a matter that is merely over and back.
    pub fn flap(&self, now: Millis) -> bool {
        self.0.iter().filter(|at| now - **at < FLAP_WINDOW).count() > FLAP_CHANGES
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_than_two_changes_in_half_an_hour_flap() {
        let mut changes = Changes::default();
        for at in [0, 10 * MINUTE, 20 * MINUTE] {
            changes.note(at);
        }
        assert!(changes.flap(20 * MINUTE));
        assert!(!changes.flap(31 * MINUTE), "the first is out of the window");
        assert_eq!(Changes::parse(&changes.text()), changes);
    }
}
