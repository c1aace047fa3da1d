//! `[workflows]`

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Dur, Problems};

/// `[workflows]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Workflows {
    /// Zone of times in imported files that do not tell theirs, an IANA name.
    pub zone: String,
    /// A log whose last event is older is judged as of that event instead of now.
    pub stale_after: Dur,
    /// Activities that are no work: the time before them is not lost. `*` stands for anything.
    pub not_work: Vec<String>,
    /// Activities that end a case; empty: those with which at least half of their cases end.
    pub final_activities: Vec<String>,
    /// Activity → how long an open execution may wait before it counts as blocked; else the usual (p95 of 90 days).
    pub blocked_after: BTreeMap<String, Dur>,
}

impl Default for Workflows {
    fn default() -> Self {
        Self {
            zone: "Asia/Shanghai".into(),
            stale_after: Dur(30 * 86_400_000),
            not_work: ["Start trip", "End trip", "出差开始", "出差结束"].map(str::to_owned).to_vec(),
            final_activities: vec![],
            blocked_after: BTreeMap::new(),
        }
    }
}

impl Workflows {
    pub(super) fn check(&self, problems: &mut Problems) {
        if self.zone.parse::<chrono_tz::Tz>().is_err() {
            problems
                .add(&["workflows", "zone"], format!("`{}` is no IANA time zone, such as Asia/Shanghai", self.zone));
        }
        if self.stale_after.0 < 3_600_000 {
            problems.add(&["workflows", "stale_after"], "at least 1h");
        }
    }

    /// The zone of times that do not tell theirs.
    pub fn tz(&self) -> chrono_tz::Tz {
        self.zone.parse().unwrap_or(chrono_tz::Asia::Shanghai)
    }

    /// Whether time before `activity` counts as lost.
    pub fn is_work(&self, activity: &str) -> bool {
        !self.not_work.iter().any(|pattern| matches(pattern, activity))
    }

    /// Whether `activity` ends a case; `usually`: what the log itself suggests.
    pub fn is_final(&self, activity: &str, usually: bool) -> bool {
        if self.final_activities.is_empty() {
            usually
        } else {
            self.final_activities.iter().any(|pattern| matches(pattern, activity))
        }
    }
}

/// Whether `text` is `pattern`, in which `*` stands for anything.
fn matches(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = text.strip_prefix(parts.next().unwrap_or_default()) else { return false };
    let mut parts = parts.peekable();
    if parts.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return rest.ends_with(part);
        }
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_anything() {
        for (pattern, text, yes) in [
            ("Start trip", "Start trip", true),
            ("Start trip", "Start trips", false),
            ("*trip", "Start trip", true),
            ("Start*", "Start trip", true),
            ("a*b*c", "a1b2c", true),
            ("a*b*c", "a1c", false),
            ("*", "", true),
        ] {
            assert_eq!(matches(pattern, text), yes, "{pattern} {text}");
        }
    }
}
