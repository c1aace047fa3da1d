//! Accounts of seven systems and the HR roster, as their exports: two thousand in order, and some that are not.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use chrono::{Duration, NaiveDate, TimeZone as _};
use fastrand::Rng;

use super::people::{DEPARTMENTS, name};
use crate::accounts::actions::{ImportAccounts, ImportRoster};
use crate::accounts::sources::{self, AccountFile};
use crate::action::{Action, ActionError};
use crate::clock::{DAY, HOUR, Millis, rfc3339};
use crate::config::{Accounts, Conflict};

/// People on the roster.
const STAFF: usize = 640;
/// The systems: name, share of the staff that has an account there, permissions of an ordinary account.
const SYSTEMS: [(&str, u32, &str); 7] = [
    ("oa", 100, "flow.submit;doc.read"),
    ("mail", 98, "mailbox"),
    ("erp", 46, "order.read"),
    ("vpn", 38, ""),
    ("hr", 12, "leave.read"),
    ("wiki", 34, "page.read;page.write"),
    ("svn", 21, "repo.read"),
];
const POSITIONS: &[&str] = &["专员", "主管", "经理", "工程师", "会计", "助理"];
/// What a manager may hold.
const MANAGER: [&str; 9] =
    ["staff", "flow.submit", "doc.read", "mailbox", "order.read", "leave.read", "page.read", "page.write", "repo.read"];

/// The rules of the company: the defaults, with what a manager may hold and what nobody may hold together.
pub fn rules() -> Accounts {
    let words = |all: &[&str]| all.iter().map(|w| (*w).to_owned()).collect::<Vec<_>>();
    let payment = Conflict {
        name: "付款制单与审批".into(),
        left: words(&["payment.create"]),
        right: words(&["payment.approve"]),
    };
    Accounts {
        positions: BTreeMap::from([("经理".to_owned(), words(&MANAGER))]),
        conflict: vec![payment],
        ..Accounts::default()
    }
}

fn day(at: Millis) -> NaiveDate {
    let office = chrono_tz::Asia::Shanghai;
    office.timestamp_millis_opt(at).single().map_or(NaiveDate::MIN, |t| t.date_naive())
}

// what is planted, by employee
fn left(n: usize) -> bool {
    n % 53 == 11
}
fn leaves_soon(n: usize) -> bool {
    n % 160 == 21
}
fn has_no_account(n: usize) -> bool {
    n % 213 == 57
}
/// Has become a manager since the roster of last month.
fn moved(n: usize) -> bool {
    n % 149 == 31
}

fn number(n: usize) -> String {
    format!("E{:05}", 10_001 + n)
}

/// The roster as HR exports it, now or with `before` a month ago.
fn roster(seed: u64, now: Millis, before: bool) -> String {
    let mut rng = Rng::with_seed(seed ^ 0x4242);
    let mut out = "person,name,department,position,status,hired_on,leaves_on\n".to_owned();
    for n in 0..STAFF {
        let hired = day(now) - Duration::days(rng.i64(120..4_000));
        let hired = if has_no_account(n) { day(now) - Duration::days(9) } else { hired };
        let (status, last) = if left(n) && !before {
            ("left", (day(now) - Duration::days(4 + (n % 24) as i64)).to_string())
        } else if leaves_soon(n) {
            ("active", (day(now) + Duration::days(3)).to_string())
        } else {
            ("active", String::new())
        };
        let (department, position) = (DEPARTMENTS[n % DEPARTMENTS.len()], POSITIONS[n % POSITIONS.len()]);
        let position = if moved(n) && !before { "经理" } else { position };
        _ = writeln!(out, "{},{},{department},{position},{status},{hired},{last}", number(n), name(n));
    }
    out
}

/// An account as an export tells it.
#[derive(Clone, Default)]
struct Row {
    account: String,
    person: String,
    name: String,
    department: &'static str,
    position: &'static str,
    roles: &'static str,
    permissions: String,
    enabled: &'static str,
    created: Option<Millis>,
    login: Option<Millis>,
    kind: &'static str,
    owner: String,
    direct: &'static str,
    interactive: Option<Millis>,
    expires: Option<Millis>,
    password: Option<Millis>,
    never_expires: bool,
    no_password: bool,
    second_factor: bool,
    locked: Option<Millis>,
    reviewed: Option<Millis>,
}

const HEAD: &str = "account,person,name,department,position,roles,permissions,enabled,created_at,last_login_at,kind,owner,\
                    direct_permissions,last_interactive_at,expires_at,password_set_at,password_never_expires,\
                    password_not_required,second_factor,locked_at,reviewed_at\n";

impl Row {
    fn csv(&self, out: &mut String) {
        let time = |at: Option<Millis>| at.map(|at| rfc3339(at / 1_000 * 1_000)).unwrap_or_default();
        let fields = [
            &self.account,
            &self.person,
            &self.name,
            self.department,
            self.position,
            self.roles,
            &self.permissions,
            self.enabled,
            &time(self.created),
            &time(self.login),
            self.kind,
            &self.owner,
            self.direct,
            &time(self.interactive),
            &time(self.expires),
            &time(self.password),
            &self.never_expires.to_string(),
            &self.no_password.to_string(),
            &self.second_factor.to_string(),
            &time(self.locked),
            &time(self.reviewed),
        ];
        _ = writeln!(out, "{}", fields.join(","));
    }

    /// As an entry of an Active Directory export.
    fn ldif(&self, out: &mut String) {
        let ticks = |at: Option<Millis>| at.map_or(0, |at| (at + 11_644_473_600_000) * 10_000);
        let made = self.created.map(|at| day(at).format("%Y%m%d000000.0Z").to_string()).unwrap_or_default();
        let flags = 512 + if self.enabled == "true" { 0 } else { 2 };
        _ = write!(
            out,
            "dn: cn={0},ou=staff,dc=corp,dc=example\nsAMAccountName: {0}\nemployeeNumber: {1}\ndisplayName: {2}\n\
             department: {3}\ntitle: {4}\nuserAccountControl: {flags}\nwhenCreated: {made}\nlastLogonTimestamp: {5}\n\
             pwdLastSet: {6}\n",
            self.account,
            self.person,
            self.name,
            self.department,
            self.position,
            ticks(self.login),
            ticks(self.password)
        );
        if !self.roles.is_empty() {
            _ = writeln!(out, "memberOf: cn=VPN-{},ou=groups,dc=corp,dc=example", self.roles);
        }
        out.push('\n');
    }
}

/// The account of employee `n` in a system.
fn account_of(n: usize, system: usize, now: Millis, rng: &mut Rng) -> Row {
    let (title, _, rights) = SYSTEMS[system];
    let mut row = Row {
        account: format!("u{}", 10_001 + n),
        person: number(n),
        name: name(n),
        department: DEPARTMENTS[n % DEPARTMENTS.len()],
        position: POSITIONS[n % POSITIONS.len()],
        roles: "staff",
        permissions: rights.to_owned(),
        enabled: "true",
        created: Some(now - rng.i64(200..2_000) * DAY),
        login: Some(now - rng.i64(1..20 * 24) * HOUR),
        kind: "person",
        password: Some(now - rng.i64(1..75) * DAY),
        second_factor: true,
        reviewed: Some(now - rng.i64(5..80) * DAY),
        ..Row::default()
    };
    let ago = |days: i64| Some(now - days * DAY);
    if left(n) {
        row.login = ago(6 + (n % 24) as i64);
        match (title, n % 3) {
            // the OA itself was forgotten for some, and one of them came back
            ("oa", 0) if n.is_multiple_of(2) => row.login = ago(2),
            ("oa", 0) => {}
            ("erp", 1) => row.enabled = "false",
            _ => (row.enabled, row.roles, row.permissions) = ("false", "", String::new()),
        }
        return row;
    }
    match title {
        "svn" if n.is_multiple_of(6) => {
            (row.roles, row.login) = ("repo-admin", if n.is_multiple_of(24) { ago(70) } else { row.login });
        }
        "hr" if n.is_multiple_of(3) => row.login = ago(100 + (n % 30) as i64),
        // Active Directory says it up to a fortnight late
        "vpn" if n % 70 == 9 => row.login = ago(97),
        "erp" if n % 300 == 73 => row.permissions.push_str(";payment.create;payment.approve"),
        "oa" => {
            match n % 120 {
                70 => row.never_expires = true,
                33 => row.password = ago(205),
                60 => row.direct = "doc.export",
                _ => {}
            }
            match n {
                99 => row.no_password = true,
                40 | 197 => row.expires = ago(17),
                81 | 181 | 281 => row.reviewed = ago(260),
                142 | 301 => row.locked = Some(now - 5 * HOUR),
                100 | 260 => row.position = "实习生",
                // the three administrators, of whom one is two
                3 => row.roles = "staff;系统管理员;安全管理员",
                4 => row.roles = "staff;安全管理员",
                5 => row.roles = "staff;审计管理员",
                _ => {}
            }
            if moved(n) {
                row.permissions.push_str(";order.approve");
            }
        }
        _ => {}
    }
    if n % 97 == 5 && title == "oa" {
        row.login = ago(100 + (n % 90) as i64);
    } else if n % 131 == 17 && title != "vpn" {
        (row.login, row.created) = (None, ago(70));
    } else if n % 110 == 45 && title != "vpn" {
        (row.roles, row.permissions, row.kind) = ("sysadmin", "user.admin;config.write".into(), "admin");
        (row.login, row.second_factor) = (ago(if n % 4 == 1 { 61 } else { 1 }), n % 220 != 155);
    } else if n % 173 == 29 && title == "erp" {
        (row.enabled, row.roles) = ("false", "admin;staff");
    }
    row
}

/// The accounts of system number `system`, as it exports them.
fn export(system: usize, seed: u64, now: Millis) -> String {
    let (title, percent, _) = SYSTEMS[system];
    let mut rng = Rng::with_seed(seed ^ ((system as u64 + 1) << 8));
    let ldif = title == "vpn";
    let mut out = if ldif { String::new() } else { HEAD.to_owned() };
    for n in 0..STAFF {
        let chosen = rng.u32(0..100) < percent;
        let mut row = account_of(n, system, now, &mut rng);
        if !chosen || has_no_account(n) {
            continue;
        }
        if ldif {
            row.ldif(&mut out);
            continue;
        }
        row.csv(&mut out);
        if title == "oa" && n % 201 == 77 {
            // a second account of the same person
            row.account.push('b');
            row.csv(&mut out);
        }
    }
    if ldif {
        for (group, head) in [("VPN-staff", "managedBy: cn=u10003\n"), ("VPN-项目组", "")] {
            _ = write!(out, "dn: cn={group},ou=groups,dc=corp,dc=example\nobjectClass: group\ncn: {group}\n{head}\n");
        }
    } else {
        others(title, now, &mut out);
    }
    out
}

/// The accounts of a system that are no employee's.
fn others(title: &str, now: Millis, out: &mut String) {
    let base = Row {
        permissions: "api".into(),
        enabled: "true",
        created: Some(now - 900 * DAY),
        login: Some(now - HOUR),
        kind: "service",
        password: Some(now - 30 * DAY),
        second_factor: true,
        reviewed: Some(now - 30 * DAY),
        ..Row::default()
    };
    for (service, purpose, owner) in [
        ("svc-backup", "备份服务", number(2)),
        ("svc-sync", "组织同步", number(11)),
        ("svc-report", "报表服务", String::new()),
    ] {
        let interactive = (title == "erp" && service == "svc-backup").then_some(now - 3 * HOUR);
        let account = format!("{service}-{title}");
        Row { account, name: purpose.into(), owner, interactive, ..base.clone() }.csv(out);
    }
    let stranger = Row { roles: "staff", kind: "person", permissions: String::new(), ..base };
    let named = |account: &str, name: &str| Row { account: account.into(), name: name.into(), ..stranger.clone() };
    match title {
        "oa" => {
            Row { kind: "shared", ..named("guest", "来宾") }.csv(out);
            Row { kind: "shared", ..named("office", "总经办公用") }.csv(out);
        }
        // somebody whom HR does not know
        "erp" => Row { person: "X0017".into(), ..named("ext.partner", "外部顾问") }.csv(out),
        "wiki" => {
            // a clock that runs ahead, a kind that nobody knows, and a row that cannot be read
            Row { person: number(8), login: Some(now + 26 * HOUR), ..named("w.beta", "测试用户") }.csv(out);
            Row { kind: "robot", ..named("bot-translate", "翻译机器人") }.csv(out);
            Row { enabled: "maybe", ..named("w.gamma", "未知") }.csv(out);
        }
        _ => {}
    }
}

fn read(rules: &Accounts, system: usize, seed: u64, now: Millis) -> Result<AccountFile, String> {
    let (title, text) = (SYSTEMS[system].0, export(system, seed, now));
    if title == "vpn" {
        sources::accounts_ldif(text.as_bytes(), title)
    } else {
        sources::accounts_csv(
            text.as_bytes(),
            title,
            &rules.columns,
            rules.zone.parse().unwrap_or(chrono_tz::Asia::Shanghai),
        )
    }
}

/// The action that takes the roster in, as an import of HR's file would: that of now, or with `before` last month's.
///
/// # Errors
/// When the export cannot be read: the sentence says why.
pub fn roster_import(seed: u64, now: Millis, before: bool) -> Result<ImportRoster, ActionError> {
    let file = sources::roster(roster(seed, now, before).as_bytes()).map_err(ActionError::Invalid)?;
    Ok(ImportRoster { file, complete: true })
}

/// The actions that take every system's accounts in.
///
/// # Errors
/// As [`roster_import`].
pub fn imports(rules: &Accounts, seed: u64, now: Millis) -> Result<Vec<Box<dyn Action>>, ActionError> {
    let import = |(i, (system, ..)): (usize, &(&str, u32, &str))| {
        let file = read(rules, i, seed, now).map_err(ActionError::Invalid)?;
        Ok(Box::new(ImportAccounts { system: (*system).into(), file, complete: true }) as Box<dyn Action>)
    };
    SYSTEMS.iter().enumerate().map(import).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Millis = 1_795_501_800_000;

    #[test]
    fn the_exports_are_read_but_for_the_row_that_cannot_be() {
        let rules = rules();
        let mut all = 0;
        for (i, (system, ..)) in SYSTEMS.iter().enumerate() {
            let file = read(&rules, i, 7, NOW).expect("read");
            assert_eq!(file.bad.len(), usize::from(*system == "wiki"), "{system} {:?}", file.bad);
            all += file.accounts.len();
            assert_eq!(export(i, 7, NOW), export(i, 7, NOW), "{system}");
        }
        assert!(all >= 2_000, "{all}");
        let file = sources::roster(roster(7, NOW, false).as_bytes()).expect("roster");
        assert!(file.bad.is_empty() && file.people.len() == STAFF);
    }
}
