//! LDIF: what `slapcat` and `ldapsearch -LLL` print, with OpenLDAP's or Active Directory's attributes.

use std::collections::{BTreeMap, HashMap};

use base64::Engine as _;
use chrono::NaiveDateTime;

use super::{AccountFile, decode, fields_of};
use crate::accounts::model::{Account, BadRow, Group, More};
use crate::clock::Millis;
use crate::locale::accounts as say;

// bits of Active Directory's `userAccountControl`
const DISABLED: i64 = 0x2;
const NO_PASSWORD: i64 = 0x20;
const NEVER_EXPIRES: i64 = 0x1_0000;
/// Bit of `msDS-User-Account-Control-Computed`: locked out. `userAccountControl` itself never says so.
const LOCKED: i64 = 0x10;

/// The attributes of an entry by their names in small letters; the `dn` is among them.
struct Entry {
    line: u64,
    has: BTreeMap<String, Vec<String>>,
    /// A value that could not be decoded.
    broken: Option<String>,
}

impl Entry {
    fn get(&self, key: &str) -> &str {
        self.all(key).first().map(String::as_str).unwrap_or_default()
    }
    fn all(&self, key: &str) -> &[String] {
        self.has.get(key).map(Vec::as_slice).unwrap_or_default()
    }
    /// The first of these that is there.
    fn first(&self, keys: &[&str]) -> &str {
        keys.iter().map(|k| self.get(k)).find(|v| !v.is_empty()).unwrap_or_default()
    }
    fn is(&self, class: &str) -> bool {
        self.all("objectclass").iter().any(|c| c.eq_ignore_ascii_case(class))
    }
    fn number(&self, key: &str) -> Option<i64> {
        self.get(key).parse().ok()
    }
}

/// Reads accounts from LDIF; an entry that cannot be read is set aside with its line.
///
/// # Errors
/// When the file is no LDIF or holds change records; the sentence names the line.
pub fn accounts_ldif(bytes: &[u8], system: &str) -> Result<AccountFile, String> {
    let entries = entries(&decode(bytes))?;
    let is_group = |e: &Entry| {
        ["groupofnames", "groupofuniquenames", "posixgroup", "group", "organizationalrole"].iter().any(|c| e.is(c))
    };
    // membership as the groups say it: `memberOf` is missing where the overlay is, and with slapcat
    let mut member_of: HashMap<String, Vec<String>> = HashMap::new();
    let mut groups = Vec::new();
    for e in entries.iter().filter(|e| is_group(e)) {
        let name = e.first(&["cn", "samaccountname"]).to_owned();
        for key in ["member", "uniquemember", "memberuid", "roleoccupant"] {
            for member in e.all(key).iter().filter(|m| !m.is_empty()) {
                member_of.entry(member.to_lowercase()).or_default().push(name.clone());
            }
        }
        groups.push(Group { name, owner: head_of(e.first(&["owner", "managedby"])).to_owned() });
    }
    let mut file = AccountFile { groups, ..AccountFile::default() };
    let mut seen: HashMap<String, u64> = HashMap::new();
    for e in entries.iter().filter(|e| !is_group(e) && !e.is("computer")) {
        let key = e.first(&["samaccountname", "uid"]).to_owned();
        let why = match (&e.broken, seen.get(&key)) {
            // neither a person nor an account: a unit, a domain
            (None, _) if key.is_empty() => continue,
            (Some(why), _) => why.clone(),
            (None, Some(line)) => say::twice(&key, *line),
            (None, None) => match account(e, &key, system, &member_of) {
                Ok(account) => {
                    seen.insert(key, e.line);
                    file.accounts.push(account);
                    continue;
                }
                Err(why) => why,
            },
        };
        file.bad.push(BadRow { line: e.line, key, why });
    }
    file.fields = fields_of(&file.accounts);
    Ok(file)
}

fn entries(text: &str) -> Result<Vec<Entry>, String> {
    // a line that begins with a blank goes on from the one before
    let mut lines: Vec<(u64, String)> = Vec::new();
    for (i, line) in text.split('\n').enumerate() {
        let line = line.strip_suffix('\r').unwrap_or(line);
        match (line.strip_prefix(' '), lines.last_mut()) {
            (Some(rest), Some(before)) => before.1.push_str(rest),
            _ => lines.push((i as u64 + 1, line.to_owned())),
        }
    }
    let mut out: Vec<Entry> = Vec::new();
    let mut open = false;
    for (n, line) in lines {
        if line.is_empty() {
            open = false;
            continue;
        }
        if line.starts_with('#') || (!open && line.to_lowercase().starts_with("version:")) {
            continue;
        }
        let Some((key, value)) = line.split_once(':') else { return Err(say::no_ldif(n)) };
        let key = key.split(';').next().unwrap_or_default().to_lowercase();
        // what ldapsearch prints after the entries, and referrals
        if !open && ["search", "result", "ref"].contains(&key.as_str()) {
            continue;
        }
        if key == "changetype" {
            return Err(say::change_record(n));
        }
        if !open {
            if key != "dn" {
                return Err(say::no_ldif(n));
            }
            out.push(Entry { line: n, has: BTreeMap::new(), broken: None });
            open = true;
        }
        let Some(entry) = out.last_mut() else { continue };
        let value = match value.strip_prefix(':') {
            Some(encoded) => match base64::engine::general_purpose::STANDARD.decode(encoded.trim()) {
                Ok(raw) => decode(&raw),
                Err(e) => {
                    entry.broken = Some(format!("{key}: {e}"));
                    continue;
                }
            },
            None if value.starts_with('<') => continue,
            None => value.trim_start().to_owned(),
        };
        entry.has.entry(key).or_default().push(value);
    }
    Ok(out)
}

/// `uid=li.qiang,ou=people` → `li.qiang`
fn head_of(dn: &str) -> &str {
    dn.split(',').next().and_then(|rdn| rdn.split_once('=')).map_or(dn, |(_, value)| value)
}

/// `20261123221432Z`, `20261123221432.316967Z`, `20261123221645.0Z`
fn generalized(text: &str) -> Result<Option<Millis>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    // OpenLDAP writes this for a lock that nobody set a time for
    if text.starts_with("000001010000") {
        return Ok(Some(0));
    }
    let plain = text.strip_suffix('Z').ok_or_else(|| say::no_date(text))?;
    NaiveDateTime::parse_from_str(plain, "%Y%m%d%H%M%S%.f")
        .map(|t| Some(t.and_utc().timestamp_millis()))
        .map_err(|_| say::no_date(text))
}

/// 100 ns since 1601; 0 and the largest value mean never.
fn filetime(text: &str) -> Result<Option<Millis>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    let ticks: i64 = text.parse().map_err(|_| say::no_date(text))?;
    Ok(Some(ticks).filter(|v| *v > 0 && *v < i64::MAX).map(|v| v / 10_000 - 11_644_473_600_000))
}

fn account(e: &Entry, name: &str, system: &str, member_of: &HashMap<String, Vec<String>>) -> Result<Account, String> {
    let ad = !e.get("samaccountname").is_empty();
    let at = |read: fn(&str) -> Result<Option<Millis>, String>, key: &str| {
        read(e.get(key)).map_err(|why| format!("{key}: {why}"))
    };
    let mut roles: Vec<String> = e.all("memberof").iter().map(|dn| head_of(dn).to_owned()).collect();
    for key in [e.get("dn"), name] {
        roles.extend(member_of.get(&key.to_lowercase()).into_iter().flatten().cloned());
    }
    roles.sort();
    roles.dedup();
    let flags = match e.get("useraccountcontrol") {
        "" => None,
        text => Some(text.parse::<i64>().map_err(|_| format!("userAccountControl: {text}"))?),
    };
    let locked = if ad { at(filetime, "lockouttime")? } else { at(generalized, "pwdaccountlockedtime")? };
    let computed = e.number("msds-user-account-control-computed").is_some_and(|c| c & LOCKED != 0);
    // `lastLogon` is this server's own and exact; `lastLogonTimestamp` is everybody's and late
    let (exact, late) = (at(filetime, "lastlogon")?, at(filetime, "lastlogontimestamp")?);
    let kind = match e.get("employeetype").to_lowercase().as_str() {
        "service" | "admin" | "shared" => e.get("employeetype").to_lowercase(),
        _ if e.is("msds-groupmanagedserviceaccount") || e.is("applicationprocess") => "service".into(),
        _ => "person".into(),
    };
    let failures = e.all("pwdfailuretime").iter().filter_map(|t| generalized(t).ok().flatten()).collect();
    Ok(Account {
        system: system.to_owned(),
        account: name.to_owned(),
        person: e.first(&["employeenumber", "employeeid"]).to_owned(),
        name: e.first(&["displayname", "cn"]).to_owned(),
        department: e.first(&["department", "departmentnumber", "ou"]).to_owned(),
        position: e.get("title").to_owned(),
        roles,
        permissions: vec![],
        // a lock of OpenLDAP without an end is how accounts are disabled there; a lockout of Active Directory passes
        enabled: if ad { flags.is_none_or(|f| f & DISABLED == 0) } else { locked != Some(0) },
        created_at: if ad { at(generalized, "whencreated")? } else { at(generalized, "createtimestamp")? },
        last_login_at: if ad { exact.max(late) } else { at(generalized, "pwdlastsuccess")? },
        kind,
        owner: head_of(e.first(&["manager", "owner", "managedby"])).to_owned(),
        more: More {
            mail: e.get("mail").to_owned(),
            login_lags: ad && late.is_some() && late >= exact,
            expires_at: at(filetime, "accountexpires")?,
            password_set_at: if ad { at(filetime, "pwdlastset")? } else { at(generalized, "pwdchangedtime")? },
            password_never_expires: flags.map(|f| f & NEVER_EXPIRES != 0),
            password_not_required: flags.map(|f| f & NO_PASSWORD != 0),
            locked_at: locked.filter(|at| *at > 0).or(computed.then_some(0)),
            failures,
            ..More::default()
        },
    })
}
