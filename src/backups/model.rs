//! What a backup catalogue holds, and the plan it is held against. Pure.

use chrono::Weekday;
use chrono_tz::Tz;

use crate::clock::Millis;
use crate::config::{BackupSystem, Config};

/// A backup tool whose output is understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, clap::ValueEnum)]
pub enum Tool {
    /// restic
    Restic,
    /// borg
    Borg,
    /// pgBackRest
    Pgbackrest,
}

impl Tool {
    /// Its name in the store, in JSON, in the configuration, and of its program.
    pub fn word(self) -> &'static str {
        match self {
            Self::Restic => "restic",
            Self::Borg => "borg",
            Self::Pgbackrest => "pgbackrest",
        }
    }

    /// The tool of a name.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Restic, Self::Borg, Self::Pgbackrest].into_iter().find(|t| t.word() == word)
    }

    /// Whether its incrementals need their ancestors to restore. Every snapshot of restic and borg restores by itself.
    pub fn has_chain(self) -> bool {
        self == Self::Pgbackrest
    }
}

/// What a run saved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Everything; for tools without a chain: what the plan counts as its weekly full.
    Full,
    /// What changed since the last run.
    Incremental,
    /// What changed since the last full.
    Differential,
}

impl Kind {
    /// Its word in the store and in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Incremental => "incremental",
            Self::Differential => "differential",
        }
    }

    /// The kind of a word.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Full, Self::Incremental, Self::Differential].into_iter().find(|k| k.word() == word)
    }
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Whole.
    Ok,
    /// A snapshot was made, but not of everything (restic 3, borg 1 and 100–127).
    Partial,
    /// Nothing usable came of it.
    Failed,
}

impl Outcome {
    /// Its word in the store and in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Partial => "partial",
            Self::Failed => "failed",
        }
    }

    /// The outcome of a word; an unknown word is a failure.
    pub fn from_word(word: &str) -> Self {
        [Self::Ok, Self::Partial].into_iter().find(|o| o.word() == word).unwrap_or(Self::Failed)
    }
}

/// One run of a backup, with the snapshot it left behind where it left one.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// The tool's own id of the snapshot; made up for a run that left none.
    pub id: String,
    /// The instant that the data show: what plan, RPO and calendar go by. See `sources::restic` for `--time`.
    pub at: Millis,
    /// When it ran.
    pub ran_at: Millis,
    /// When it ended, where that is known.
    pub ended_at: Option<Millis>,
    /// Archive name, label or short id, as the tool's people know it.
    pub name: String,
    /// The host that was backed up.
    pub host: String,
    /// Tags.
    pub tags: Vec<String>,
    /// What the tool itself calls it; `None` for tools without a chain.
    pub kind: Option<Kind>,
    /// How it ended.
    pub outcome: Outcome,
    /// The run it builds on.
    pub prior: Option<String>,
    /// Bytes of the source.
    pub source_bytes: Option<i64>,
    /// Bytes that were new to the repository.
    pub added_bytes: Option<i64>,
    /// Compression: bytes in ÷ bytes out; 1 means nothing could be compressed.
    pub ratio: Option<f64>,
    /// What the tool said about it.
    pub note: String,
    /// When it first came into this store.
    pub seen_at: Millis,
    /// When it was found to be gone from the repository (retention, or somebody).
    pub gone_at: Option<Millis>,
}

impl Run {
    /// A whole run at `at` and nothing else known.
    pub fn new(id: impl Into<String>, at: Millis) -> Self {
        let id = id.into();
        Self {
            name: id.clone(),
            id,
            at,
            ran_at: at,
            ended_at: None,
            host: String::new(),
            tags: vec![],
            kind: None,
            outcome: Outcome::Ok,
            prior: None,
            source_bytes: None,
            added_bytes: None,
            ratio: None,
            note: String::new(),
            seen_at: at,
            gone_at: None,
        }
    }
}

/// How deep a verification went: the restore-test levels 1 to 5 (0 is none at all).
pub mod level {
    /// The listing could be read.
    pub const LISTING: u8 = 1;
    /// The structure was checked.
    pub const STRUCTURE: u8 = 2;
    /// The data were read and compared with their sums.
    pub const DATA: u8 = 3;
    /// Files were restored and compared.
    pub const FILES: u8 = 4;
    /// Loaded into a scratch application and looked at there.
    pub const APPLICATION: u8 = 5;
    /// Their words, from 0.
    pub const WORDS: [&str; 6] = ["none", "listing", "structure", "data", "files", "application"];
    /// The word of a level.
    pub fn word(level: u8) -> &'static str {
        WORDS[usize::from(level.min(5))]
    }
}

/// A verification or a restore test.
#[derive(Debug, Clone, PartialEq)]
pub struct Check {
    /// Its number in the store; 0 before it has one.
    pub id: i64,
    /// Whether it was of the off-site copy.
    pub offsite: bool,
    /// When it was done.
    pub at: Millis,
    /// See [`level`].
    pub level: u8,
    /// Whether everything was in order.
    pub ok: bool,
    /// How many errors were found.
    pub errors: Option<i64>,
    /// Measured duration of a restore.
    pub minutes: Option<f64>,
    /// Share of the whole that was restored, 0 to 1.
    pub share: Option<f64>,
    /// What was found.
    pub note: String,
}

/// What came of the last attempt to look at a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LookState {
    /// It answered.
    Ok,
    /// Another process holds its lock.
    Locked,
    /// Password or key is wrong or missing.
    Auth,
    /// There is no repository there.
    Missing,
    /// No answer in time, or no connection.
    Unreachable,
    /// It answered something that cannot be understood.
    Unparseable,
    /// The tool failed in another way.
    Failed,
}

impl LookState {
    const ALL: [Self; 7] =
        [Self::Ok, Self::Locked, Self::Auth, Self::Missing, Self::Unreachable, Self::Unparseable, Self::Failed];

    /// Its word in the store and in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Locked => "locked",
            Self::Auth => "auth",
            Self::Missing => "missing",
            Self::Unreachable => "unreachable",
            Self::Unparseable => "unparseable",
            Self::Failed => "failed",
        }
    }

    /// The state of a word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.word() == word)
    }
}

/// An attempt to look at a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look {
    /// When.
    pub at: Millis,
    /// What came of it.
    pub state: LookState,
    /// What the tool said.
    pub note: String,
}

/// A repository of a system.
#[derive(Debug, Clone, PartialEq)]
pub struct Repo {
    /// Its number in the store; 0 where only the configuration knows it.
    pub id: i64,
    /// Whether it is the off-site copy.
    pub offsite: bool,
    /// The tool that writes it.
    pub tool: Tool,
    /// Where it is, as the tool takes it; empty: only imported files tell of it.
    pub repository: String,
    /// The last attempt to look at it.
    pub look: Option<Look>,
    /// When it was last seen well.
    pub seen_at: Option<Millis>,
    /// A backup has been running since then, as far as was seen.
    pub busy_since: Option<Millis>,
    /// Encryption mode as the tool names it; empty: not known.
    pub encryption: String,
    /// Its runs, oldest first.
    pub runs: Vec<Run>,
    /// A verification was asked for and is not done yet.
    pub asked: bool,
}

/// What a tool's output says.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// Runs.
    pub runs: Vec<Run>,
    /// Verifications and restore tests.
    pub checks: Vec<Check>,
    /// How the repository answered, and what was said.
    pub look: (LookState, String),
    /// Version of the tool, where it says so.
    pub version: String,
    /// Encryption mode, where it says so.
    pub encryption: String,
    /// Whether a backup is running; `None` where that is not told.
    pub busy: Option<bool>,
    /// Whether `runs` is everything the repository holds.
    pub listing: bool,
}

impl Default for Report {
    fn default() -> Self {
        Self {
            runs: vec![],
            checks: vec![],
            look: (LookState::Ok, String::new()),
            version: String::new(),
            encryption: String::new(),
            busy: None,
            listing: false,
        }
    }
}

/// Everything known of a system.
#[derive(Debug, Clone, PartialEq)]
pub struct Facts {
    /// Its name.
    pub name: String,
    /// Since when it is watched.
    pub created_at: Millis,
    /// At most one local and one off-site repository, the local one first.
    pub repos: Vec<Repo>,
    /// Verifications and restore tests, oldest first.
    pub checks: Vec<Check>,
}

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

/// Which of `runs` cannot be restored because they, or something they build on, failed or is gone (B07). For tools
/// without a chain only the run itself counts.
pub fn unrestorable(tool: Tool, runs: &[Run], now: Millis) -> Vec<bool> {
    let gone = |r: &Run| r.gone_at.is_some_and(|at| at <= now);
    let own: Vec<bool> = runs.iter().map(|r| r.outcome == Outcome::Failed || gone(r)).collect();
    if !tool.has_chain() {
        return own;
    }
    let by_id: std::collections::HashMap<&str, usize> =
        runs.iter().enumerate().map(|(i, r)| (r.id.as_str(), i)).collect();
    let mut bad = own;
    for start in 0..runs.len() {
        let mut at = start;
        // a chain is never longer than the list; a ring in a hostile file ends here
        for _ in 0..runs.len() {
            if at != start && bad[at] {
                bad[start] = true;
                break;
            }
            match &runs[at].prior {
                None => break,
                Some(prior) => match by_id.get(prior.as_str()) {
                    Some(next) if *next != at => at = *next,
                    _ => {
                        bad[start] = true;
                        break;
                    }
                },
            }
        }
    }
    bad
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

    #[test]
    fn an_incremental_without_its_ancestor_cannot_be_restored_and_neither_can_its_children() {
        let run = |id: &str, prior: Option<&str>| Run { prior: prior.map(Into::into), ..Run::new(id, 0) };
        let mut runs = vec![run("F", None), run("F_1I", Some("F")), run("F_2I", Some("F_1I")), run("G", None)];
        assert_eq!(unrestorable(Tool::Pgbackrest, &runs, 9), [false; 4]);
        runs[1].outcome = Outcome::Failed;
        assert_eq!(unrestorable(Tool::Pgbackrest, &runs, 9), [false, true, true, false]);
        runs.remove(1);
        assert_eq!(unrestorable(Tool::Pgbackrest, &runs, 9), [false, true, false]);
        // dedup tools have no chain: each snapshot stands alone
        assert_eq!(unrestorable(Tool::Restic, &runs, 9), [false; 3]);
        let ring = [run("a", Some("b")), run("b", Some("a"))];
        assert_eq!(unrestorable(Tool::Pgbackrest, &ring, 9).len(), 2, "a ring ends");
    }
}
