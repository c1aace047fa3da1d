//! Where accounts and people come from: CSV and LDIF files.

mod csv;
mod ldif;
#[cfg(test)]
mod tests;

use chrono::{NaiveDate, NaiveDateTime, TimeZone as _};
use chrono_tz::Tz;

pub use csv::{accounts_csv, roster};
pub use ldif::accounts_ldif;

use super::model::{Account, BadRow, Group, Person, start_of_day};
use crate::clock::{Millis, parse_rfc3339};
use crate::locale::accounts as say;

/// A file of accounts as it was read.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct AccountFile {
    /// What could be read.
    pub accounts: Vec<Account>,
    /// What could not.
    pub bad: Vec<BadRow>,
    /// What the file says of each account, in our column names.
    pub fields: Vec<String>,
    /// Groups it names.
    pub groups: Vec<Group>,
}

impl AccountFile {
    /// A file that holds these accounts and says what they say.
    pub fn new(accounts: Vec<Account>) -> Self {
        let fields = fields_of(&accounts);
        Self { accounts, fields, ..Self::default() }
    }
}

/// A roster as it was read.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RosterFile {
    /// Who could be read.
    pub people: Vec<Person>,
    /// What could not.
    pub bad: Vec<BadRow>,
}

/// What is said of at least one account.
fn fields_of(accounts: &[Account]) -> Vec<String> {
    let some: [(&str, fn(&Account) -> bool); 16] = [
        ("person", |a| !a.person.is_empty()),
        ("department", |a| !a.department.is_empty()),
        ("position", |a| !a.position.is_empty()),
        ("roles", |a| a.grants().next().is_some()),
        ("created_at", |a| a.created_at.is_some()),
        ("last_login_at", |a| a.last_login_at.is_some()),
        ("owner", |a| !a.owner.is_empty()),
        ("direct_permissions", |a| !a.more.direct.is_empty()),
        ("last_interactive_at", |a| a.more.last_interactive_at.is_some()),
        ("expires_at", |a| a.more.expires_at.is_some()),
        ("password_set_at", |a| a.more.password_set_at.is_some()),
        ("password_never_expires", |a| a.more.password_never_expires.is_some()),
        ("password_not_required", |a| a.more.password_not_required.is_some()),
        ("second_factor", |a| a.more.second_factor.is_some()),
        ("locked_at", |a| a.more.locked_at.is_some() || !a.more.failures.is_empty()),
        ("reviewed_at", |a| a.more.reviewed_at.is_some()),
    ];
    some.into_iter().filter(|(_, is)| accounts.iter().any(is)).map(|(name, _)| name.to_owned()).collect()
}

/// The text of a file: by its mark, else UTF-8, else GB18030.
fn decode(bytes: &[u8]) -> String {
    if let Some((encoding, skip)) = encoding_rs::Encoding::for_bom(bytes) {
        return encoding.decode_without_bom_handling(&bytes[skip..]).0.into_owned();
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => encoding_rs::GB18030.decode(bytes).0.into_owned(),
    }
}

/// An instant as directories and spreadsheets write it; without an offset it is the company's time.
fn instant(text: &str, zone: Tz) -> Result<Option<Millis>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    if let Ok(at) = parse_rfc3339(text).or_else(|_| parse_rfc3339(&text.replacen(' ', "T", 1))) {
        return Ok(Some(at));
    }
    for form in [
        "%Y-%m-%d %H:%M:%S%.f",
        "%Y-%m-%dT%H:%M:%S%.f",
        "%Y/%m/%d %H:%M:%S",
        "%Y/%m/%d %H:%M",
        "%Y-%m-%d %H:%M",
        "%m/%d/%Y %H:%M:%S",
        "%m/%d/%Y %H:%M",
    ] {
        if let Ok(at) = NaiveDateTime::parse_from_str(text, form) {
            return Ok(Some(local(at, zone)));
        }
    }
    date(text).map(|d| d.map(|d| start_of_day(d, zone)))
}

/// A wall-clock time of the company; one that the clocks skip is taken as if they had not.
fn local(at: NaiveDateTime, zone: Tz) -> Millis {
    zone.from_local_datetime(&at).earliest().map_or_else(|| at.and_utc(), |t| t.to_utc()).timestamp_millis()
}

fn date(text: &str) -> Result<Option<NaiveDate>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    for form in ["%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%Y%m%d", "%m/%d/%Y", "%Y年%m月%d日"] {
        if let Ok(day) = NaiveDate::parse_from_str(text, form) {
            return Ok(Some(day));
        }
    }
    Err(say::no_date(text))
}

fn yes_no(text: &str) -> Option<bool> {
    match text.to_lowercase().as_str() {
        "true" | "1" | "yes" | "y" | "t" | "enabled" | "active" | "是" | "启用" | "正常" => Some(true),
        "false" | "0" | "no" | "n" | "f" | "disabled" | "inactive" | "否" | "停用" | "禁用" | "冻结" => {
            Some(false)
        }
        _ => None,
    }
}

fn list(text: &str) -> Vec<String> {
    text.split([';', '|', '；']).map(str::trim).filter(|s| !s.is_empty()).map(str::to_owned).collect()
}
