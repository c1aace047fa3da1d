//! Accounts, people and where they come from. Pure.

use std::collections::HashMap;

use chrono::{Days, NaiveDate, NaiveTime, TimeZone as _};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use crate::clock::Millis;
use crate::config::Accounts;

/// An account of a system.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Account {
    /// The system it is in.
    pub system: String,
    /// Its name there.
    pub account: String,
    /// Employee number; empty where none is known.
    pub person: String,
    /// Name of the person or purpose.
    pub name: String,
    /// Department.
    pub department: String,
    /// Position.
    pub position: String,
    /// Roles.
    pub roles: Vec<String>,
    /// Permissions.
    pub permissions: Vec<String>,
    /// Whether it can be logged in to.
    pub enabled: bool,
    /// When it was made.
    pub created_at: Option<Millis>,
    /// Last login.
    pub last_login_at: Option<Millis>,
    /// `person`, `admin`, `service`, `shared`
    pub kind: String,
    /// Who answers for it: an employee number or an account of the same system.
    pub owner: String,
    /// The figures that only some systems give.
    #[serde(flatten)]
    pub more: More,
}

/// What only some systems say about an account. `None`: not said.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct More {
    /// Mail address.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub mail: String,
    /// Permissions given to the account itself, past its roles.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub direct: Vec<String>,
    /// The last login may be this account's up to 14 days later than said (Active Directory `lastLogonTimestamp`).
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub login_lags: bool,
    /// Last login by a person at a keyboard.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_interactive_at: Option<Millis>,
    /// When it ends by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Millis>,
    /// When the password was set; none also where it must be changed at the next login.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password_set_at: Option<Millis>,
    /// The password never has to be changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password_never_expires: Option<bool>,
    /// No password is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password_not_required: Option<bool>,
    /// A second factor is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub second_factor: Option<bool>,
    /// Locked out since.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub locked_at: Option<Millis>,
    /// Failed logins.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub failures: Vec<Millis>,
    /// When its rights were last confirmed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reviewed_at: Option<Millis>,
}

/// A person of the HR roster.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Person {
    /// Employee number.
    pub person: String,
    /// Name.
    pub name: String,
    /// Department.
    pub department: String,
    /// Position.
    pub position: String,
    /// `active` or `left`
    pub status: String,
    /// First day.
    pub hired_on: Option<NaiveDate>,
    /// Last day.
    pub leaves_on: Option<NaiveDate>,
    /// Mail address.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub mail: String,
}

/// A group or role that a directory holds as a thing of its own.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Group {
    /// Its name.
    pub name: String,
    /// Who answers for it.
    pub owner: String,
}

/// A row that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct BadRow {
    /// Its line in the file, from 1.
    pub line: u64,
    /// The account or person it is about, where that much could be read.
    pub key: String,
    /// What is wrong with it.
    pub why: String,
}

/// The last import of a system, or of the roster.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Feed {
    /// Number of the import.
    pub id: i64,
    /// The system; empty: the HR roster.
    pub system: String,
    /// When it was taken in.
    pub at: Millis,
    /// Who took it in.
    pub actor: String,
    /// Rows that were read.
    pub rows: usize,
    /// Rows that were not.
    pub bad: Vec<BadRow>,
    /// What the file says of each account, in our column names.
    pub fields: Vec<String>,
    /// Groups it names.
    pub groups: Vec<Group>,
}

/// A person's newest change of position, as two rosters tell it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Move {
    /// When the roster first said so.
    pub at: Millis,
    /// The position before.
    pub from: String,
    /// The position since.
    pub to: String,
    /// What the person's accounts held at that time, by system and account.
    pub held: HashMap<(String, String), Vec<String>>,
}

/// Everything an audit looks at.
#[derive(Debug, Clone, Default)]
pub struct Book {
    /// Every account.
    pub accounts: Vec<Account>,
    /// Everybody of the roster.
    pub people: Vec<Person>,
    /// The last import of each system and of the roster.
    pub feeds: Vec<Feed>,
    /// Who changed position.
    pub moves: HashMap<String, Move>,
    /// Who was in a roster and is in the newest no more, and since when.
    pub dropped: HashMap<String, Millis>,
}

impl Book {
    /// The roster's import.
    pub fn roster(&self) -> Option<&Feed> {
        self.feeds.iter().find(|f| f.system.is_empty())
    }

    /// Whether the file of `system` says `field`; what was stored without an import says what the data says.
    pub fn says(&self, system: &str, field: &str) -> bool {
        match self.feeds.iter().find(|f| f.system == system) {
            Some(feed) => feed.fields.iter().any(|f| f == field),
            None => true,
        }
    }
}

impl Account {
    /// Whether it may do what others may not.
    pub fn is_privileged(&self, rules: &Accounts) -> bool {
        let hit = |text: &String| rules.privileged.iter().any(|w| text.to_lowercase().contains(&w.to_lowercase()));
        self.kind == "admin" || self.grants().any(hit)
    }

    /// Its roles, then its permissions.
    pub fn grants(&self) -> impl Iterator<Item = &String> {
        self.roles.iter().chain(&self.permissions).chain(&self.more.direct)
    }

    /// In one word, for the history: `enabled`, `disabled`, or `bare` when it is disabled and holds nothing.
    pub fn state_word(&self) -> &'static str {
        match (self.enabled, self.grants().next()) {
            (true, _) => "enabled",
            (false, Some(_)) => "disabled",
            (false, None) => "bare",
        }
    }
}

/// The zone of the company.
pub fn zone(rules: &Accounts) -> Tz {
    rules.zone.parse().unwrap_or(chrono_tz::Asia::Shanghai)
}

/// The first instant of a local day.
pub fn start_of_day(day: NaiveDate, zone: Tz) -> Millis {
    let midnight = day.and_time(NaiveTime::MIN);
    zone.from_local_datetime(&midnight).earliest().map_or_else(|| midnight.and_utc(), |t| t.to_utc()).timestamp_millis()
}

/// The instant after the last moment of a local day.
pub fn end_of_day(day: NaiveDate, zone: Tz) -> Millis {
    start_of_day(day.checked_add_days(Days::new(1)).unwrap_or(day), zone)
}

/// The local day of an instant.
pub fn day_of(at: Millis, zone: Tz) -> Option<NaiveDate> {
    zone.timestamp_millis_opt(at).single().map(|t| t.date_naive())
}

/// Somebody has left: since when, where that is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Left(pub Option<Millis>);

/// Whether a person has left as of `at`.
///
/// The last day is over at its end in the company's zone, whatever the status says by then.
pub fn left(p: &Person, at: Millis, zone: Tz) -> Option<Left> {
    match p.leaves_on {
        Some(day) => Some(end_of_day(day, zone)).filter(|end| at >= *end).map(|end| Left(Some(end))),
        None => (p.status == "left").then_some(Left(None)),
    }
}
