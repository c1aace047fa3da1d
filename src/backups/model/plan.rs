//! The plan that a system is held against. Pure.

use chrono::Weekday;
use chrono_tz::Tz;

use super::{Kind, Run, Tool};
use crate::clock::Millis;
use crate::config::{BackupSystem, Config};

/// What counts as the weekly full where the tool itself knows no difference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FullRule {
    /// A restic snapshot with this tag, a borg archive whose name matches one of these patterns (`*`, `?`).
    Marked {
        /// The tag.
        tag: String,
        /// The patterns.
        names: Vec<String>,
    },
    /// Any snapshot that a clean check of the data has followed.
    Verified,
}

/// What should happen to a system, and the limits of its findings (definitions B00 to B19).
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// The zone of its times.
    pub zone: Tz,
    /// Minute of the day at which a run is due, every day.
    pub minute: u32,
    /// The day on which the run must be a full; `None`: no weekly full is planned.
    pub full_on: Option<Weekday>,
    /// What counts as a full.
    pub full: FullRule,
    /// How long after the slot a run still counts as on time.
    pub grace: Millis,
    /// How old the newest restorable data may be.
    pub rpo: Millis,
    /// How far the off-site copy may lag.
    pub offsite: Millis,
    /// How old the last verification may be.
    pub verify: Millis,
    /// How old the last passed restore test may be.
    pub restore_test: Millis,
    /// How long a restore may take.
    pub rto: Millis,
    /// How long a run may take.
    pub run_limit: Millis,
    /// Fulls that every repository must hold, also after its next prune.
    pub keep_full: usize,
    /// How long a full must be kept.
    pub keep_for: Millis,
    /// What the configuration says of the places of its repositories.
    pub places: Vec<Place>,
}

/// Where a repository is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Whether it is the off-site copy.
    pub offsite: bool,
    /// Its medium; empty: not said.
    pub medium: String,
    /// Whether it is offline or immutable, where that is said.
    pub immutable: Option<bool>,
}

/// The plan of the system `name`: the defaults of `[backups]` and what `[[backups.system]]` says otherwise.
pub fn plan_of(config: &Config, name: &str) -> Plan {
    let b = &config.backups;
    let own: Option<&BackupSystem> = b.system.iter().filter(|s| s.name == name).min_by_key(|s| s.offsite);
    let text = |own: Option<&String>, base: &String| own.filter(|s| !s.is_empty()).unwrap_or(base).clone();
    let zone = if b.zone.is_empty() { &config.tickets.office.zone } else { &b.zone };
    let full_on = text(own.map(|s| &s.full_on), &b.full_on);
    let tag = text(own.map(|s| &s.full_tag), &b.full_tag);
    let names = own.filter(|s| !s.full_names.is_empty()).map_or(&b.full_names, |s| &s.full_names).clone();
    Plan {
        zone: zone.parse().unwrap_or(chrono_tz::Asia::Shanghai),
        minute: crate::calendar::minutes(&text(own.map(|s| &s.daily_at), &b.daily_at)).unwrap_or(120),
        full_on: full_on.parse().ok(),
        full: if text(own.map(|s| &s.full), &b.full) == "verified" {
            FullRule::Verified
        } else {
            FullRule::Marked { tag, names }
        },
        grace: b.grace.millis(),
        rpo: own.and_then(|s| s.rpo).unwrap_or(b.rpo).millis(),
        offsite: b.offsite.millis(),
        verify: b.verify.millis(),
        restore_test: b.restore_test.millis(),
        rto: b.rto.millis(),
        run_limit: b.run_limit.millis(),
        keep_full: own.and_then(|s| s.keep_full).unwrap_or(b.keep_full) as usize,
        keep_for: own.and_then(|s| s.keep_for).unwrap_or(b.keep_for).millis(),
        places: b
            .system
            .iter()
            .filter(|s| s.name == name)
            .map(|s| Place { offsite: s.offsite, medium: s.medium.trim().to_lowercase(), immutable: s.immutable })
            .collect(),
    }
}

/// What `run` counts as under `plan`. `verified_upto`: the newest clean check of the data.
pub fn kind_of(tool: Tool, plan: &Plan, run: &Run, verified_upto: Option<Millis>) -> Kind {
    if let Some(kind) = run.kind {
        return kind;
    }
    let full = match &plan.full {
        FullRule::Verified => verified_upto.is_some_and(|at| at >= run.ended_at.unwrap_or(run.ran_at)),
        FullRule::Marked { tag, names } => match tool {
            Tool::Restic => run.tags.iter().any(|t| t == tag),
            Tool::Borg | Tool::Pgbackrest => names.iter().any(|p| matches(p, &run.name)),
        },
    };
    if full { Kind::Full } else { Kind::Incremental }
}

/// Whether `text` matches a shell pattern of `*` and `?`; linear in practice, never exponential.
pub fn matches(pattern: &str, text: &str) -> bool {
    let (p, t): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    let (mut i, mut j, mut star) = (0, 0, None);
    while j < t.len() {
        match p.get(i) {
            Some('*') => {
                star = Some((i, j));
                i += 1;
            }
            Some(c) if *c == '?' || *c == t[j] => {
                i += 1;
                j += 1;
            }
            _ => match star {
                Some((si, sj)) => {
                    i = si + 1;
                    j = sj + 1;
                    star = Some((si, j));
                }
                None => return false,
            },
        }
    }
    p[i..].iter().all(|c| *c == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_as_a_shell_would() {
        for (pattern, text, yes) in [
            ("*weekly*", "oa-app-01-weekly-2026-05-03", true),
            ("*weekly*", "oa-app-01-daily-2026-05-04", false),
            ("*", "", true),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("*审批*full", "x审批yfull", true),
        ] {
            assert_eq!(matches(pattern, text), yes, "{pattern} {text}");
        }
        assert!(!matches(&"*a".repeat(60), &"a".repeat(59)));
    }
}
