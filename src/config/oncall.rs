//! `[oncall]`

use serde::{Deserialize, Serialize};

use super::{Dur, Notify, Problems};

/// `[oncall]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Oncall {
    /// When only urgent matters call people; the rest waits for the end. May cross midnight.
    pub quiet_hours: Vec<[String; 2]>,
    /// How long an acknowledgement keeps the reminders away.
    pub acknowledged_for: Dur,
    /// Who is told what.
    pub escalation: Vec<EscalationRule>,
}

impl Default for Oncall {
    fn default() -> Self {
        Self { quiet_hours: vec![], acknowledged_for: Dur(30 * 60_000), escalation: vec![] }
    }
}

/// `[[oncall.escalation]]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EscalationRule {
    /// `response`, `resolution` or `any`.
    pub clock: String,
    /// The threshold, one of `tickets.thresholds`.
    pub percent: u32,
    /// Levels that it is for; empty: all.
    pub levels: Vec<String>,
    /// `owner`, `oncall`, `supervisors`, `everybody` (the channel's group), or an operator's name.
    pub to: Vec<String>,
    /// A channel of `notify.channels`.
    pub channel: String,
    /// They are told again after so long until somebody looks after it; zero: once.
    pub repeat: Dur,
}

impl Default for EscalationRule {
    fn default() -> Self {
        Self {
            clock: "any".into(),
            percent: 100,
            levels: vec![],
            to: vec!["owner".into(), "oncall".into()],
            channel: String::new(),
            repeat: Dur(0),
        }
    }
}

impl Oncall {
    pub(super) fn check(&self, thresholds: &[u32], notify: &Notify, problems: &mut Problems) {
        for (i, rule) in self.escalation.iter().enumerate() {
            let mut wrong = |what: String| problems.add(&["oncall", "escalation"], format!("entry {}: {what}", i + 1));
            if !["response", "resolution", "any"].contains(&rule.clock.as_str()) {
                wrong("clock must be response, resolution or any".into());
            }
            if rule.percent != 100 && !thresholds.contains(&rule.percent) {
                wrong(format!("{} is none of tickets.thresholds", rule.percent));
            }
            if !notify.has(&rule.channel) {
                wrong(format!("there is no channel `{}` in notify.channels", rule.channel));
            }
            if rule.to.is_empty() {
                wrong("to is empty".into());
            }
            for level in rule.levels.iter().filter(|l| !["general", "important", "urgent"].contains(&l.as_str())) {
                wrong(format!("there is no level `{level}`"));
            }
            if rule.repeat.millis() != 0 && rule.repeat.millis() < 60_000 {
                wrong("repeat must be at least 1m, or 0s".into());
            }
        }
        for [from, to] in &self.quiet_hours {
            if [from, to].iter().any(|t| chrono::NaiveTime::parse_from_str(t, "%H:%M").is_err()) {
                problems.add(&["oncall", "quiet_hours"], format!("`{from}`–`{to}`: write times such as 22:00"));
            }
        }
        if self.acknowledged_for.millis() < 60_000 {
            problems.add(&["oncall", "acknowledged_for"], "must be at least 1m");
        }
    }
}
