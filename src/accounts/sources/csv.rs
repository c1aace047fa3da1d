//! CSV: accounts and the HR roster.

use std::collections::BTreeMap;

use chrono_tz::Tz;

use super::{AccountFile, RosterFile, date, decode, fields_of, instant, list, yes_no};
use crate::accounts::model::{Account, BadRow, More, Person};
use crate::locale::accounts as say;

/// One row: its line, and its fields by the file's own names, or why there are none.
struct Numbered {
    line: u64,
    key: String,
    fields: Result<BTreeMap<String, String>, String>,
}

/// The separator that the line of names is cut by.
fn separator(text: &str) -> u8 {
    let first = text.lines().find(|l| !l.trim().is_empty()).unwrap_or_default();
    let count = |c: char| first.matches(c).count();
    [b'\t', b';', b'|'].into_iter().fold(b',', |best, c| if count(c.into()) > count(best.into()) { c } else { best })
}

/// The names of the columns, and the rows. `must`: the column that names the thing.
fn rows(bytes: &[u8], must: &str) -> Result<(Vec<String>, Vec<Numbered>), String> {
    let text = decode(bytes);
    let mut reader = csv::ReaderBuilder::new().flexible(true).delimiter(separator(&text)).from_reader(text.as_bytes());
    let head: Vec<String> = reader.headers().map_err(|e| e.to_string())?.iter().map(|h| h.trim().to_owned()).collect();
    let Some(place) = head.iter().position(|h| h == must) else {
        return Err(say::no_column(must, &head.join(", ")));
    };
    if let Some(twice) = head.iter().enumerate().find(|(i, h)| !h.is_empty() && head[..*i].contains(h)) {
        return Err(say::column_twice(twice.1));
    }
    let mut out = Vec::new();
    for record in reader.records() {
        let record = match record {
            Ok(record) => record,
            Err(e) => {
                let line = e.position().map_or(0, csv::Position::line);
                out.push(Numbered { line, key: String::new(), fields: Err(e.to_string()) });
                continue;
            }
        };
        if record.iter().all(|f| f.trim().is_empty()) {
            continue;
        }
        let line = record.position().map_or(0, csv::Position::line);
        let key = record.get(place).unwrap_or_default().trim().to_owned();
        let fields = if record.len() == head.len() {
            Ok(head.iter().cloned().zip(record.iter().map(|f| f.trim().to_owned())).collect())
        } else {
            Err(say::fields_expected(record.len(), head.len()))
        };
        out.push(Numbered { line, key, fields });
    }
    Ok((head, out))
}

/// Reads every row by `read`; a row that names what an earlier row named is set aside.
fn collect<T>(
    rows: Vec<Numbered>,
    read: impl Fn(&BTreeMap<String, String>) -> Result<T, String>,
    name: impl Fn(&T) -> &str,
) -> (Vec<T>, Vec<BadRow>) {
    let (mut good, mut bad): (Vec<T>, Vec<BadRow>) = (Vec::new(), Vec::new());
    let mut seen: BTreeMap<String, u64> = BTreeMap::new();
    for row in rows {
        let why = match row.fields.and_then(|fields| read(&fields)) {
            Ok(thing) => match seen.get(name(&thing)) {
                None => {
                    seen.insert(name(&thing).to_owned(), row.line);
                    good.push(thing);
                    continue;
                }
                Some(line) => say::twice(&row.key, *line),
            },
            Err(why) => why,
        };
        bad.push(BadRow { line: row.line, key: row.key, why });
    }
    (good, bad)
}

/// Reads accounts of `system`; rows that cannot be read are set aside with line and reason. `columns`: our name =
/// theirs; `zone`: that of times without an offset.
///
/// # Errors
/// When the file as a whole cannot be read.
pub fn accounts_csv(
    bytes: &[u8],
    system: &str,
    columns: &BTreeMap<String, String>,
    zone: Tz,
) -> Result<AccountFile, String> {
    let theirs = |ours: &str| columns.get(ours).map_or(ours, String::as_str).to_owned();
    let (head, rows) = rows(bytes, &theirs("account"))?;
    let read = |row: &BTreeMap<String, String>| -> Result<Account, String> {
        let field = |name: &str| row.get(&theirs(name)).map(String::as_str).unwrap_or_default();
        let time = |name: &str| instant(field(name), zone).map_err(|e| format!("{name}: {e}"));
        let flag = |name: &str| match field(name) {
            "" => Ok(None),
            text => yes_no(text).map(Some).ok_or_else(|| format!("{name}: {}", say::no_bool(text))),
        };
        if field("account").is_empty() {
            return Err(say::no_account());
        }
        let kind = field("kind").to_lowercase();
        Ok(Account {
            system: system.to_owned(),
            account: field("account").to_owned(),
            person: field("person").to_owned(),
            name: field("name").to_owned(),
            department: field("department").to_owned(),
            position: field("position").to_owned(),
            roles: list(field("roles")),
            permissions: list(field("permissions")),
            enabled: flag("enabled")?.ok_or_else(|| format!("enabled: {}", say::no_bool("")))?,
            created_at: time("created_at")?,
            last_login_at: time("last_login_at")?,
            kind: if kind.is_empty() { "person".into() } else { kind },
            owner: field("owner").to_owned(),
            more: More {
                mail: field("mail").to_owned(),
                direct: list(field("direct_permissions")),
                login_lags: false,
                last_interactive_at: time("last_interactive_at")?,
                expires_at: time("expires_at")?,
                password_set_at: time("password_set_at")?,
                password_never_expires: flag("password_never_expires")?,
                password_not_required: flag("password_not_required")?,
                second_factor: flag("second_factor")?,
                locked_at: time("locked_at")?,
                failures: vec![],
                reviewed_at: time("reviewed_at")?,
            },
        })
    };
    let (accounts, bad) = collect(rows, read, |a| &a.account);
    let mut fields = fields_of(&accounts);
    // a column that is there and empty says that there is none
    let named = FIELDS.iter().filter(|f| head.contains(&theirs(f)) && !fields.iter().any(|have| have == *f));
    let named: Vec<String> = named.map(|f| (*f).to_owned()).collect();
    fields.extend(named);
    Ok(AccountFile { accounts, bad, fields, groups: vec![] })
}

/// The columns that rules ask for.
const FIELDS: [&str; 16] = [
    "person",
    "department",
    "position",
    "roles",
    "created_at",
    "last_login_at",
    "owner",
    "direct_permissions",
    "last_interactive_at",
    "expires_at",
    "password_set_at",
    "password_never_expires",
    "password_not_required",
    "second_factor",
    "locked_at",
    "reviewed_at",
];

/// Reads the HR roster.
///
/// # Errors
/// When the file as a whole cannot be read.
pub fn roster(bytes: &[u8]) -> Result<RosterFile, String> {
    let (_, rows) = rows(bytes, "person")?;
    let read = |row: &BTreeMap<String, String>| -> Result<Person, String> {
        let field = |name: &str| row.get(name).map(String::as_str).unwrap_or_default();
        let day = |name: &str| date(field(name)).map_err(|e| format!("{name}: {e}"));
        if field("person").is_empty() {
            return Err(say::no_number());
        }
        let status = match field("status").to_lowercase().as_str() {
            "active" | "在职" | "试用" => "active",
            "left" | "terminated" | "离职" => "left",
            other => return Err(format!("status: {}", say::no_status(other))),
        };
        Ok(Person {
            person: field("person").to_owned(),
            name: field("name").to_owned(),
            department: field("department").to_owned(),
            position: field("position").to_owned(),
            status: status.into(),
            hired_on: day("hired_on")?,
            leaves_on: day("leaves_on")?,
            mail: field("mail").to_owned(),
        })
    };
    let (people, bad) = collect(rows, read, |p| &p.person);
    Ok(RosterFile { people, bad })
}
