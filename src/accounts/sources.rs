//! Where accounts and people come from: CSV and LDIF files.

use std::collections::BTreeMap;

use base64::Engine as _;
use chrono::{NaiveDate, NaiveDateTime};

use super::model::{Account, Person};
use crate::clock::{Millis, parse_rfc3339};

/// A row that could not be read: line and why.
pub type BadRow = (u64, String);

/// The text of a file: UTF-8 with or without a mark, else GB18030.
fn decode(bytes: &[u8]) -> String {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => encoding_rs::GB18030.decode(bytes).0.into_owned(),
    }
}

fn instant(text: &str) -> Result<Option<Millis>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    if let Ok(at) = parse_rfc3339(text) {
        return Ok(Some(at));
    }
    for form in ["%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%Y/%m/%d %H:%M:%S", "%Y/%m/%d %H:%M", "%Y-%m-%d %H:%M"] {
        if let Ok(at) = NaiveDateTime::parse_from_str(text, form) {
            return Ok(Some(at.and_utc().timestamp_millis()));
        }
    }
    date(text).map(|d| d.map(|d| d.and_time(chrono::NaiveTime::MIN).and_utc().timestamp_millis()))
}

fn date(text: &str) -> Result<Option<NaiveDate>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    for form in ["%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%Y%m%d", "%m/%d/%Y"] {
        if let Ok(day) = NaiveDate::parse_from_str(text, form) {
            return Ok(Some(day));
        }
    }
    Err(format!("`{text}` is no date; write YYYY-MM-DD"))
}

fn list(text: &str) -> Vec<String> {
    text.split([';', '|']).map(str::trim).filter(|s| !s.is_empty()).map(str::to_owned).collect()
}

/// The rows of a CSV text: each as column → value, with its line.
fn rows(bytes: &[u8], must: &str) -> Result<Vec<(u64, Result<BTreeMap<String, String>, String>)>, String> {
    let text = decode(bytes);
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(text.as_bytes());
    let head: Vec<String> = reader.headers().map_err(|e| e.to_string())?.iter().map(|h| h.trim().to_owned()).collect();
    if !head.iter().any(|h| h == must) {
        return Err(format!("line 1: no column `{must}` (there are: {})", head.join(", ")));
    }
    let mut out = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|e| e.to_string())?;
        let line = record.position().map_or(0, csv::Position::line);
        if record.len() != head.len() {
            out.push((line, Err(format!("{} fields, {} expected", record.len(), head.len()))));
            continue;
        }
        out.push((line, Ok(head.iter().cloned().zip(record.iter().map(|f| f.trim().to_owned())).collect())));
    }
    Ok(out)
}

/// Reads accounts of `system`; rows that cannot be read come back with line and reason. `columns`: our name = theirs.
///
/// # Errors
/// When the file as a whole cannot be read.
pub fn accounts_csv(
    bytes: &[u8],
    system: &str,
    columns: &BTreeMap<String, String>,
) -> Result<(Vec<Account>, Vec<BadRow>), String> {
    let theirs = |ours: &str| columns.get(ours).map_or_else(|| ours.to_owned(), Clone::clone);
    let (mut good, mut bad) = (Vec::new(), Vec::new());
    for (line, row) in rows(bytes, &theirs("account"))? {
        let read = |row: BTreeMap<String, String>| -> Result<Account, String> {
            let field = |name: &str| row.get(&theirs(name)).cloned().unwrap_or_default();
            let account = field("account");
            if account.is_empty() {
                return Err("no account name".into());
            }
            let enabled = match field("enabled").to_lowercase().as_str() {
                "true" | "1" | "yes" | "y" | "enabled" | "是" | "启用" => true,
                "false" | "0" | "no" | "n" | "disabled" | "否" | "停用" | "禁用" => false,
                other => return Err(format!("enabled: `{other}`; write true or false")),
            };
            let kind = field("kind").to_lowercase();
            Ok(Account {
                system: system.to_owned(),
                account,
                person: field("person"),
                name: field("name"),
                department: field("department"),
                position: field("position"),
                roles: list(&field("roles")),
                permissions: list(&field("permissions")),
                enabled,
                created_at: instant(&field("created_at")).map_err(|e| format!("created_at: {e}"))?,
                last_login_at: instant(&field("last_login_at")).map_err(|e| format!("last_login_at: {e}"))?,
                kind: if kind.is_empty() { "person".into() } else { kind },
                owner: field("owner"),
            })
        };
        match row.and_then(read) {
            Ok(account) => good.push(account),
            Err(why) => bad.push((line, why)),
        }
    }
    Ok((good, bad))
}

/// Reads the HR roster.
///
/// # Errors
/// When the file as a whole cannot be read.
pub fn roster(bytes: &[u8]) -> Result<(Vec<Person>, Vec<BadRow>), String> {
    let (mut good, mut bad) = (Vec::new(), Vec::new());
    for (line, row) in rows(bytes, "person")? {
        let read = |row: BTreeMap<String, String>| -> Result<Person, String> {
            let field = |name: &str| row.get(name).cloned().unwrap_or_default();
            if field("person").is_empty() {
                return Err("no employee number".into());
            }
            let status = match field("status").to_lowercase().as_str() {
                "active" | "在职" => "active",
                "left" | "离职" => "left",
                other => return Err(format!("status: `{other}`; write active or left")),
            };
            Ok(Person {
                person: field("person"),
                name: field("name"),
                department: field("department"),
                position: field("position"),
                status: status.into(),
                hired_on: date(&field("hired_on")).map_err(|e| format!("hired_on: {e}"))?,
                leaves_on: date(&field("leaves_on")).map_err(|e| format!("leaves_on: {e}"))?,
            })
        };
        match row.and_then(read) {
            Ok(person) => good.push(person),
            Err(why) => bad.push((line, why)),
        }
    }
    Ok((good, bad))
}

/// Reads accounts from LDIF, OpenLDAP's or Active Directory's attributes.
///
/// # Errors
/// When the file is no LDIF or holds change records; the sentence names the line.
pub fn accounts_ldif(bytes: &[u8], system: &str) -> Result<(Vec<Account>, Vec<BadRow>), String> {
    let text = decode(bytes).replace("\r\n", "\n");
    // a line that begins with a blank goes on from the one before
    let mut lines: Vec<(u64, String)> = Vec::new();
    for (i, line) in text.split('\n').enumerate() {
        match (line.strip_prefix(' '), lines.last_mut()) {
            (Some(rest), Some(before)) => before.1.push_str(rest),
            _ => lines.push((i as u64 + 1, line.to_owned())),
        }
    }
    lines.push((lines.len() as u64 + 1, String::new()));
    let (mut good, mut bad) = (Vec::new(), Vec::new());
    let mut entry: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut first = 0;
    for (n, line) in lines {
        if line.starts_with('#') {
            continue;
        }
        if line.is_empty() {
            if !entry.is_empty() {
                match ldap_account(&std::mem::take(&mut entry), system) {
                    Ok(account) => good.extend(account),
                    Err(why) => bad.push((first, why)),
                }
            }
            continue;
        }
        let (key, value) =
            line.split_once(':').ok_or_else(|| format!("line {n}: `attribute: value` is expected; this is no LDIF"))?;
        let value = match value.strip_prefix(':') {
            Some(encoded) => {
                let raw = base64::engine::general_purpose::STANDARD
                    .decode(encoded.trim())
                    .map_err(|e| format!("line {n}: {e}"))?;
                decode(&raw)
            }
            None => value.trim_start().to_owned(),
        };
        let key = key.split(';').next().unwrap_or_default().to_lowercase();
        if key == "changetype" {
            return Err(format!("line {n}: a change record; export entries (slapcat, ldapsearch -LLL), not changes"));
        }
        if entry.is_empty() {
            first = n;
        }
        entry.entry(key).or_default().push(value);
    }
    Ok((good, bad))
}

fn ldap_account(entry: &BTreeMap<String, Vec<String>>, system: &str) -> Result<Option<Account>, String> {
    let get = |key: &str| entry.get(key).and_then(|v| v.first()).map(String::as_str).unwrap_or_default();
    let ad = !get("samaccountname").is_empty();
    let account = if ad { get("samaccountname") } else { get("uid") };
    if account.is_empty() {
        return Ok(None);
    }
    let generalized = |text: &str| {
        let digits: String = text.chars().take_while(char::is_ascii_digit).collect();
        NaiveDateTime::parse_from_str(&digits, "%Y%m%d%H%M%S").ok().map(|t| t.and_utc().timestamp_millis())
    };
    // 100 ns since 1601; 0 and the largest value mean never
    let filetime = |text: &str| {
        text.parse::<i64>().ok().filter(|v| *v > 0 && *v < i64::MAX).map(|v| v / 10_000 - 11_644_473_600_000)
    };
    let roles = entry
        .get("memberof")
        .into_iter()
        .flatten()
        .map(|dn| dn.split(',').next().unwrap_or_default().split('=').nth(1).unwrap_or(dn).to_owned());
    let flags: i64 = get("useraccountcontrol").parse().unwrap_or(0);
    Ok(Some(Account {
        system: system.to_owned(),
        account: account.to_owned(),
        person: get("employeenumber").to_owned(),
        name: [get("displayname"), get("cn")].into_iter().find(|s| !s.is_empty()).unwrap_or_default().to_owned(),
        department: [get("department"), get("departmentnumber"), get("ou")]
            .into_iter()
            .find(|s| !s.is_empty())
            .unwrap_or_default()
            .to_owned(),
        position: get("title").to_owned(),
        roles: roles.collect(),
        permissions: vec![],
        enabled: if ad { flags & 2 == 0 } else { get("pwdaccountlockedtime").is_empty() },
        created_at: generalized(if ad { get("whencreated") } else { get("createtimestamp") }),
        last_login_at: if ad { filetime(get("lastlogontimestamp")) } else { generalized(get("pwdlastsuccess")) },
        kind: if get("employeetype").eq_ignore_ascii_case("service") { "service".into() } else { "person".into() },
        owner: get("manager").split(',').next().unwrap_or_default().split('=').nth(1).unwrap_or_default().to_owned(),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gbk_file_is_read_and_a_bad_row_is_named() {
        let text = "account,person,name,enabled\nzhao,E1,赵敏,true\nqian,E2,钱磊,maybe\n";
        let (gbk, _, _) = encoding_rs::GBK.encode(text);
        let (good, bad) = accounts_csv(&gbk, "oa", &BTreeMap::new()).expect("read");
        assert_eq!(good[0].name, "赵敏");
        assert_eq!(bad, [(3, "enabled: `maybe`; write true or false".into())]);
    }

    #[test]
    fn ldif_folds_decodes_and_refuses_changes() {
        let text = "dn: uid=zw,dc=oa\nuid: zw\ncn:: 5byg5Lyf\nemployeeNumber: E00\n 09\npwdLastSuccess: 20261123221432Z\n\ndn: cn=x\nsAMAccountName: old\nuserAccountControl: 514\nlastLogonTimestamp: 0\n";
        let (good, _) = accounts_ldif(text.as_bytes(), "ad").expect("read");
        assert_eq!((good[0].name.as_str(), good[0].person.as_str(), good[0].enabled), ("张伟", "E0009", true));
        assert_eq!(good[0].last_login_at, parse_rfc3339("2026-11-23T22:14:32Z").ok());
        assert_eq!((good[1].enabled, good[1].last_login_at), (false, None));
        assert!(accounts_ldif(b"dn: x\nchangetype: modify\n", "ad").is_err());
    }
}
