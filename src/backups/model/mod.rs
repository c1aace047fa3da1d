//! What a backup catalogue holds. Pure.

mod chain;
mod plan;

pub use chain::unrestorable;
pub use plan::{FullRule, Place, Plan, kind_of, plan_of};

use crate::clock::Millis;

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
    /// An open ticket from one of its gaps.
    pub ticket: Option<i64>,
}

/// How the intake key of a ticket from a gap begins; the system and the day of the gap follow.
pub const TICKET_KEY: &str = "backup:";
