use std::collections::BTreeMap;

use super::*;
use crate::accounts::model::{BadRow, Feed, Group, More, Move};
use crate::accounts::sources;
use crate::clock::{DAY, HOUR, SECOND, parse_rfc3339};
use crate::config::Conflict;

fn at(text: &str) -> Millis {
    parse_rfc3339(text).expect("time")
}

/// 2026-11-23 12:00 in Shanghai.
fn noon() -> Millis {
    at("2026-11-23T12:00:00+08:00")
}

fn sample() -> Book {
    let rules = Accounts::default();
    let accounts = include_bytes!("../../../tests/fixtures/accounts/accounts.csv");
    let file = sources::accounts_csv(accounts, "oa", &rules.columns, zone(&rules)).expect("accounts");
    assert!(file.bad.is_empty());
    let roster = sources::roster(include_bytes!("../../../tests/fixtures/accounts/hr.csv")).expect("roster");
    Book { accounts: file.accounts, people: roster.people, ..Book::default() }
}

fn pairs(book: &Book, at: Millis, rules: &Accounts) -> Vec<(String, &'static str)> {
    audit(book, at, at, rules).findings.into_iter().map(|f| (f.account, f.rule.id)).collect()
}

fn found(book: &Book, at: Millis, account: &str, rule: &str) -> bool {
    pairs(book, at, &Accounts::default()).contains(&(account.to_owned(), by_id(rule).expect("a rule").id))
}

/// An enabled account of a person, used today.
fn used(account: &str, person: &str) -> Account {
    Account {
        system: "oa".into(),
        account: account.into(),
        person: person.into(),
        name: account.into(),
        enabled: true,
        created_at: Some(noon() - 400 * DAY),
        last_login_at: Some(noon() - HOUR),
        kind: "person".into(),
        ..Account::default()
    }
}

fn active(person: &str) -> Person {
    Person { person: person.into(), name: person.into(), status: "active".into(), ..Person::default() }
}

fn one(account: Account) -> Book {
    let people = vec![active(&account.person)];
    Book { accounts: vec![account], people, ..Book::default() }
}

#[test]
fn the_sample_gives_what_it_should() {
    let mut got = pairs(&sample(), noon(), &Accounts::default());
    got.sort();
    let mut want: Vec<(String, &str)> = [
        ("qian.lei", "A01"),
        ("sun.li", "A02"),
        ("li.qiang", "A03"),
        ("li.qiang", "A03b"),
        ("zhou.jie", "A04"),
        ("zhou.jie2", "A04"),
        ("wu.tao", "A05"),
        ("svc.print", "A18"),
        ("zheng.hao", "A06"),
        ("zheng.hao.b", "A06"),
        ("zheng.hao", "A01"),
        ("E0008", "A23"),
    ]
    .map(|(a, r)| (a.to_owned(), r))
    .to_vec();
    want.sort();
    assert_eq!(got, want);
}

#[test]
fn exactly_ninety_days_is_not_dormant() {
    let book = sample();
    assert!(!found(&book, at("2026-11-23T00:00:00+08:00"), "zheng.hao", "A01"));
    assert!(found(&book, at("2026-11-23T00:00:00.001+08:00"), "zheng.hao", "A01"));
    // a privileged account: 45 days, and it weighs more
    let admin = |ago: Millis| {
        one(Account { roles: vec!["db-admin".into()], last_login_at: Some(noon() - ago), ..used("a", "E1") })
    };
    assert!(!found(&admin(45 * DAY), noon(), "a", "A01"));
    assert!(found(&admin(45 * DAY + 1), noon(), "a", "A01"));
    assert_eq!(audit(&admin(46 * DAY), noon(), noon(), &Accounts::default()).findings[0].severity, "high");
}

#[test]
fn a_login_time_that_lags_is_certain_only_fourteen_days_later() {
    let lagging = |days: i64| {
        let more = More { login_lags: true, ..More::default() };
        one(Account { last_login_at: Some(noon() - days * DAY), more, ..used("a", "E1") })
    };
    assert!(pairs(&lagging(90), noon(), &Accounts::default()).is_empty());
    assert_eq!(pairs(&lagging(104), noon(), &Accounts::default()), [("a".into(), "A01b")]);
    assert_eq!(pairs(&lagging(105), noon(), &Accounts::default()), [("a".into(), "A01")]);
}

#[test]
fn a_person_leaving_today_has_not_left_and_the_day_ends_in_the_company_zone() {
    let book = sample();
    assert!(!found(&book, at("2026-11-18T23:59:59+08:00"), "li.qiang", "A03"));
    assert!(found(&book, at("2026-11-19T00:00:00+08:00"), "li.qiang", "A03"));
    // in UTC the leaving day ends eight hours later
    let rules = Accounts { zone: "UTC".into(), ..Accounts::default() };
    assert!(!pairs(&book, at("2026-11-19T00:00:00+08:00"), &rules).contains(&("li.qiang".into(), "A03")));
}

#[test]
fn rights_on_a_leavers_disabled_account_may_stand_a_day() {
    let gone = Person { leaves_on: NaiveDate::from_ymd_opt(2026, 11, 20), ..active("E1") };
    let account = Account { enabled: false, roles: vec!["staff".into()], ..used("a", "E1") };
    let book = Book { accounts: vec![account], people: vec![gone], ..Book::default() };
    assert!(!found(&book, at("2026-11-22T00:00:00+08:00"), "a", "A04"));
    assert!(found(&book, at("2026-11-22T00:00:00.001+08:00"), "a", "A04"));
}

#[test]
fn disabled_and_privileged_is_another_finding_for_those_who_stay() {
    let stays = one(Account { enabled: false, roles: vec!["admin".into()], ..used("a", "E1") });
    assert_eq!(pairs(&stays, noon(), &Accounts::default()), [("a".into(), "A04b")]);
    let plain = one(Account { enabled: false, roles: vec!["staff".into()], ..used("a", "E1") });
    assert!(pairs(&plain, noon(), &Accounts::default()).is_empty(), "an ordinary disabled account is no finding");
}

#[test]
fn disabled_accounts_are_never_dormant_and_services_never_unused() {
    let old = Account { enabled: false, last_login_at: None, ..used("a", "E1") };
    assert!(pairs(&one(old), noon(), &Accounts::default()).is_empty());
    let service = Account { kind: "service".into(), owner: "E1".into(), last_login_at: None, ..used("svc", "") };
    let book = Book { accounts: vec![service], people: vec![active("E1")], ..Book::default() };
    assert!(pairs(&book, noon(), &Accounts::default()).iter().all(|(_, r)| !["A01", "A02"].contains(r)));
}

#[test]
fn a_login_in_the_future_does_not_underflow_and_is_told() {
    let ahead = one(Account { last_login_at: Some(Millis::MAX), created_at: Some(Millis::MIN), ..used("a", "E1") });
    assert_eq!(pairs(&ahead, noon(), &Accounts::default()), [("a".into(), "DQ-time")]);
}

#[test]
fn conflicting_duties_count_per_person_over_two_accounts() {
    let conflict = Conflict { name: "pay".into(), left: vec!["enter".into()], right: vec!["approve".into()] };
    let rules = Accounts { conflict: vec![conflict], ..Accounts::default() };
    let with = |account: &str, system: &str, role: &str| Account {
        system: system.into(),
        roles: vec![role.into()],
        ..used(account, "E1")
    };
    let mut book = Book {
        accounts: vec![with("a", "oa", "enter"), with("b", "erp", "approve")],
        people: vec![active("E1")],
        ..Book::default()
    };
    assert!(pairs(&book, noon(), &rules).contains(&("a".into(), "A09")));
    book.accounts[1].enabled = false;
    assert!(!pairs(&book, noon(), &rules).iter().any(|(_, r)| *r == "A09"), "a disabled account holds nothing");
}

#[test]
fn a_stale_roster_makes_nobody_an_orphan_and_an_audit_of_the_future_is_no_reason() {
    let mut book = sample();
    book.feeds = vec![Feed { at: noon(), rows: 7, ..Feed::default() }];
    let late = noon() + 25 * HOUR;
    let all = pairs(&book, late, &Accounts::default());
    assert!(all.contains(&("hr".into(), "DQ-feed")));
    assert!(!all.iter().any(|(_, r)| ["A03", "A03b", "A04", "A05"].contains(r)));
    let off: Vec<&str> = coverage(&book, late, &Accounts::default())
        .iter()
        .filter(|c| matches!(c.missing, Some(Missing::Stale(_))))
        .map(|c| c.rule.id)
        .collect();
    assert_eq!(off, ["A03", "A03b", "A04", "A05"]);
    assert!(!pairs(&book, noon() + 24 * HOUR, &Accounts::default()).contains(&("hr".into(), "DQ-feed")));
    let ahead = audit(&book, late, noon() + HOUR, &Accounts::default());
    assert!(ahead.findings.iter().any(|f| f.rule.id == "A05"));
}

#[test]
fn without_a_roster_or_a_column_a_rule_says_what_it_needs() {
    let mut book = sample();
    book.people.clear();
    book.feeds = vec![Feed { system: "oa".into(), at: noon(), fields: vec!["roles".into()], ..Feed::default() }];
    let all = audit(&book, noon(), noon(), &Accounts::default());
    assert!(!all.findings.iter().any(|f| ["A01", "A02", "A05", "A18"].contains(&f.rule.id)));
    let of = |id: &str| all.coverage.iter().find(|c| c.rule.id == id).expect("a rule").missing;
    assert_eq!(of("A02"), Some(Missing::Needs(super::super::rules::Need::Column("last_login_at"))));
    assert_eq!(of("A05"), Some(Missing::Needs(super::super::rules::Need::Roster)));
    assert_eq!(of("A20"), None);
    assert_eq!(all.coverage.len(), super::super::rules::RULES.len(), "no rule is silently absent");
}

#[test]
fn what_only_a_directory_tells_is_judged_where_it_is_told() {
    let set = Some(noon() - 91 * DAY);
    let cases: [(&str, More, &str); 9] = [
        ("A11", More { expires_at: Some(noon() - SECOND), ..More::default() }, "a"),
        ("A13", More { direct: vec!["x".into()], ..More::default() }, "a"),
        ("A15", More { password_never_expires: Some(true), ..More::default() }, "a"),
        ("A16", More { password_not_required: Some(true), ..More::default() }, "a"),
        ("A17", More { password_set_at: set, ..More::default() }, "a"),
        ("A27", More { locked_at: Some(noon()), ..More::default() }, "a"),
        ("A27", More { failures: (0..5).map(|i| noon() - i * 60 * SECOND).collect(), ..More::default() }, "a"),
        ("A29", More { reviewed_at: Some(noon() - 181 * DAY), ..More::default() }, "a"),
        ("A20", More::default(), "guest"),
    ];
    for (rule, more, name) in cases {
        let book = one(Account { more, ..used(name, "E1") });
        assert_eq!(pairs(&book, noon(), &Accounts::default()), [(name.to_owned(), by_id(rule).expect("rule").id)]);
    }
    // at the limit, or spread out, or asked for anew: nothing
    let fine = More {
        expires_at: Some(noon()),
        password_set_at: Some(noon() - 90 * DAY),
        reviewed_at: Some(noon() - 180 * DAY),
        failures: (0..5).map(|i| noon() - i * 4 * 60 * SECOND).collect(),
        second_factor: Some(false),
        ..More::default()
    };
    assert!(pairs(&one(Account { more: fine, ..used("a", "E1") }), noon(), &Accounts::default()).is_empty());
    let admin = Account {
        kind: "admin".into(),
        more: More { second_factor: Some(false), ..More::default() },
        ..used("a", "E1")
    };
    assert!(found(&one(admin), noon(), "a", "A26"));
}

#[test]
fn peers_are_compared_only_where_there_are_enough() {
    let clerk = |n: usize, extra: &[&str]| {
        let mut roles = vec!["clerk".to_owned()];
        roles.extend(extra.iter().map(|e| (*e).to_owned()));
        let number = format!("E{n}");
        Account { department: "财务部".into(), position: "会计".into(), roles, ..used(&format!("u{n}"), &number) }
    };
    let book = |n: usize| Book {
        accounts: (0..n).map(|i| clerk(i, if i == 0 { &["treasury"] } else { &[] })).collect(),
        people: (0..n).map(|i| active(&format!("E{i}"))).collect(),
        ..Book::default()
    };
    assert!(!found(&book(5), noon(), "u0", "A10"), "four others are too few");
    let all = pairs(&book(6), noon(), &Accounts::default());
    assert_eq!(all, [("u0".into(), "A10")]);
}

#[test]
fn three_administrators_are_three_people() {
    let with = |account: &str, person: &str, roles: &[&str]| Account {
        roles: roles.iter().map(|r| (*r).to_owned()).collect(),
        ..used(account, person)
    };
    let of = |accounts: Vec<Account>| {
        let people = ["E1", "E2", "E3"].map(active).to_vec();
        pairs(&Book { accounts, people, ..Book::default() }, noon(), &Accounts::default())
            .into_iter()
            .filter(|(_, r)| *r == "A22")
            .map(|(a, _)| a)
            .collect::<Vec<_>>()
    };
    let apart =
        vec![with("a", "E1", &["系统管理员"]), with("b", "E2", &["安全管理员"]), with("c", "E3", &["审计管理员"])];
    assert!(of(apart).is_empty());
    let both = vec![with("a", "E1", &["系统管理员"]), with("b", "E1", &["audit-admin"])];
    assert_eq!(of(both), ["a", "security-admin"], "two of one person, and one unfilled");
}

#[test]
fn a_mover_keeps_neither_the_old_position_nor_its_rights() {
    let rules = Accounts {
        positions: BTreeMap::from([("经理".to_owned(), vec!["manager".to_owned()])]),
        ..Accounts::default()
    };
    let account = Account {
        position: "会计".into(),
        roles: vec!["manager".into(), "ledger".into(), "new".into()],
        ..used("a", "E1")
    };
    let person = Person { position: "经理".into(), ..active("E1") };
    let mut book = Book { accounts: vec![account], people: vec![person], ..Book::default() };
    let key = ("oa".to_owned(), "a".to_owned());
    let moved = |ago: Millis| Move {
        at: noon() - ago,
        from: "会计".into(),
        to: "经理".into(),
        held: HashMap::from([(key.clone(), vec!["ledger".to_owned()])]),
    };
    book.moves.insert("E1".into(), moved(DAY));
    let all = audit(&book, noon(), noon(), &rules).findings;
    assert_eq!(all.iter().map(|f| f.rule.id).collect::<Vec<_>>(), ["A08"], "the account has a day to follow");
    assert!(matches!(&all[0].evidence, Evidence::Creep { grants, .. } if grants == &["ledger"]));
    book.moves.insert("E1".into(), moved(DAY + 1));
    assert!(pairs(&book, noon(), &rules).contains(&("a".into(), "A24")));
}

#[test]
fn rows_that_cannot_be_read_groups_without_members_and_owners_who_left_are_told() {
    let feed = Feed {
        system: "oa".into(),
        at: noon(),
        bad: vec![BadRow { line: 3, key: "qian".into(), why: "w".into() }],
        groups: vec![
            Group { name: "empty".into(), owner: "x".into() },
            Group { name: "vpn".into(), owner: "x".into() },
        ],
        fields: vec!["owner".into(), "roles".into()],
        ..Feed::default()
    };
    let gone = Person { status: "left".into(), ..active("E9") };
    let service =
        Account { kind: "service".into(), owner: "boss".into(), roles: vec!["vpn".into()], ..used("svc", "") };
    let owner = Account { enabled: false, ..used("boss", "E9") };
    let book = Book { accounts: vec![service, owner], people: vec![gone], feeds: vec![feed], ..Book::default() };
    let all = pairs(&book, noon(), &Accounts::default());
    for want in [("qian", "DQ-row"), ("empty", "A28"), ("svc", "A18")] {
        assert!(all.contains(&(want.0.into(), want.1)), "{want:?} in {all:?}");
    }
    assert!(!all.contains(&("vpn".into(), "A28")));
}

#[test]
fn an_address_finds_its_person_and_the_exceptions_are_no_orphans() {
    let by_mail = Account { more: More { mail: "Wu@oa.example".into(), ..More::default() }, ..used("wu", "") };
    let person = Person { mail: "wu@oa.example".into(), ..active("E1") };
    let book = Book { accounts: vec![by_mail], people: vec![person], ..Book::default() };
    assert!(pairs(&book, noon(), &Accounts::default()).is_empty());
    let book = Book { accounts: vec![used("x", "E7")], people: vec![active("E1")], ..Book::default() };
    assert!(found(&book, noon(), "x", "A05"));
    let rules = Accounts { exceptions: vec!["x".into()], ..Accounts::default() };
    assert!(!pairs(&book, noon(), &rules).contains(&("x".into(), "A05")));
}

#[test]
fn a_leaving_is_announced_seven_days_ahead_with_what_is_to_be_handed_over() {
    let leaving = Person { leaves_on: NaiveDate::from_ymd_opt(2026, 11, 29), ..active("E1") };
    let service = Account { kind: "service".into(), owner: "E1".into(), ..used("svc", "") };
    let book = Book { accounts: vec![used("a", "E1"), service], people: vec![leaving], ..Book::default() };
    let all = audit(&book, noon(), noon(), &Accounts::default()).findings;
    assert!(matches!(&all[0].evidence, Evidence::Leaving { owns, .. } if owns == &["svc"]), "{all:?}");
    assert!(!found(&book, noon() - 2 * DAY, "E1", "A25"));
}

#[test]
fn many_administrators_and_unused_ones_are_told_of_the_system() {
    let many = |n: usize, away: usize| Book {
        accounts: (0..n)
            .map(|i| Account {
                kind: "admin".into(),
                last_login_at: Some(noon() - if i < away { 46 * DAY } else { HOUR }),
                ..used(&format!("adm{i}"), "E1")
            })
            .collect(),
        people: vec![active("E1")],
        ..Book::default()
    };
    assert!(!found(&many(50, 0), noon(), "oa", "A21"));
    assert!(found(&many(51, 0), noon(), "oa", "A21"));
    assert!(!found(&many(40, 5), noon(), "oa", "A21b"));
    assert!(found(&many(40, 6), noon(), "oa", "A21b"));
}
