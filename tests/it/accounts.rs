//! Accounts: both databases, a real directory, keys and screens.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use zhiban::accounts::actions::{Decide, ImportAccounts, ImportRoster, TakeBack, Verdict};
use zhiban::accounts::audit::{Finding, audit};
use zhiban::accounts::decisions::{State, state};
use zhiban::accounts::model::{Account, BadRow, zone};
use zhiban::accounts::sources::{self, AccountFile, RosterFile};
use zhiban::accounts::store;
use zhiban::accounts::tab::AccountsTab;
use zhiban::action::{ActionError, Door, Role};
use zhiban::clock::{Clock, DAY, HOUR, Millis, parse_rfc3339};
use zhiban::config::{Accounts, Config};
use zhiban::console::testing::Driver;
use zhiban::locale::{self, Lang};

use crate::db::{Db, Fresh, fresh};
use crate::on_both;

const HOSTILE: &str = "李\u{1b}[2J\u{1b}]52;c;eA==\u{7}\u{202e}强\n'; DROP TABLE account;--";

fn clock() -> Clock {
    Clock::manual(parse_rfc3339("2026-11-23T12:00:00+08:00").expect("time"))
}

fn sample() -> AccountFile {
    let rules = Accounts::default();
    let bytes = include_bytes!("../fixtures/accounts/accounts.csv");
    sources::accounts_csv(bytes, "oa", &rules.columns, zone(&rules)).expect("csv")
}

fn people() -> RosterFile {
    sources::roster(include_bytes!("../fixtures/accounts/hr.csv")).expect("roster")
}

fn import(file: AccountFile) -> ImportAccounts {
    ImportAccounts { system: "oa".into(), file, complete: false }
}

async fn seeded(door: &Door) {
    door.run(&import(sample())).await.expect("accounts");
    door.run(&ImportRoster { file: people(), complete: false }).await.expect("roster");
}

async fn findings(fresh: &Fresh, now: Millis) -> Vec<Finding> {
    let rules = Accounts::default();
    let book = store::book(&fresh.store, &rules).await.expect("book");
    audit(&book, now, now, &rules).findings
}

async fn find(fresh: &Fresh, now: Millis, account: &str, rule: &str) -> Option<Finding> {
    findings(fresh, now).await.into_iter().find(|f| f.account == account && f.rule.id == rule)
}

fn decide(f: &Finding, decision: &str, until: Option<Millis>) -> Decide {
    let verdict = Verdict { decision: decision.into(), reason: "checked".into(), until };
    Decide {
        finding: f.id.clone(),
        system: f.system.clone(),
        account: f.account.clone(),
        verdict: Some(verdict),
        seen: None,
    }
}

async fn stands(fresh: &Fresh, f: &Finding, now: Millis) -> State {
    let present = findings(fresh, now).await.iter().any(|g| g.id == f.id);
    let all = store::decisions(&fresh.store).await.expect("decisions");
    state(all.iter().find(|d| d.finding == f.id), present, now)
}

/// The sample with one account changed.
fn with(account: &str, change: impl Fn(&mut Account)) -> AccountFile {
    let mut file = sample();
    file.accounts.iter_mut().filter(|a| a.account == account).for_each(change);
    file
}

on_both! {
    async fn the_sample_is_audited_and_a_freeze_waits_for_the_directory(fresh: Fresh) {
        let clock = clock();
        let door = fresh.door("wang", Role::Operator, &clock);
        seeded(&door).await;
        assert_eq!(findings(&fresh, clock.now()).await.len(), 12);
        let leaver = find(&fresh, clock.now(), "li.qiang", "A03").await.expect("the leaver");
        let outcome = door.run(&decide(&leaver, "freeze", None)).await.expect("decided");
        assert_eq!(outcome.value["state"], "instructed");
        // the same file again freezes nobody
        clock.set(clock.now() + HOUR);
        door.run(&import(sample())).await.expect("again");
        assert_eq!(stands(&fresh, &leaver, clock.now()).await, State::Instructed);
        // the directory did it
        clock.set(clock.now() + HOUR);
        door.run(&import(with("li.qiang", |a| a.enabled = false))).await.expect("frozen");
        assert_eq!(stands(&fresh, &leaver, clock.now()).await, State::Done);
        // and undid it
        clock.set(clock.now() + HOUR);
        let back = door.run(&import(sample())).await.expect("thawed");
        assert_eq!(stands(&fresh, &leaver, clock.now()).await, State::Recurred);
        // the import that said so is taken back: it is done again
        door.run(back.undo.expect("undo").as_ref()).await.expect("taken back");
        assert_eq!(stands(&fresh, &leaver, clock.now()).await, State::Done);
        // what was decided goes away with its undo
        let again = door.run(&decide(&leaver, "ask", None)).await.expect("asked");
        assert_eq!(again.value["state"], "asked");
        door.run(again.undo.expect("undo").as_ref()).await.expect("undone");
        assert!(store::decisions(&fresh.store).await.expect("decisions").is_empty());
    }

    async fn a_keep_comes_back_at_its_review_and_needs_one(fresh: Fresh) {
        let clock = clock();
        let door = fresh.door("wang", Role::Operator, &clock);
        seeded(&door).await;
        let f = find(&fresh, clock.now(), "qian.lei", "A01").await.expect("dormant");
        for until in [None, Some(clock.now())] {
            assert!(matches!(door.run(&decide(&f, "keep", until)).await, Err(ActionError::Invalid(_))));
        }
        let until = clock.now() + DAY;
        door.run(&decide(&f, "keep", Some(until))).await.expect("kept");
        assert_eq!(stands(&fresh, &f, until - 1).await, State::Kept);
        assert_eq!(stands(&fresh, &f, until).await, State::ReviewDue);
        // somebody who saw no decision does not overwrite one
        let blind = Decide { seen: Some(None), ..decide(&f, "freeze", None) };
        assert!(matches!(door.run(&blind).await, Err(ActionError::Conflict { who, .. }) if who == "wang"));
        // a person cannot be frozen
        let joiner = find(&fresh, clock.now(), "E0008", "A23").await.expect("joiner");
        assert!(matches!(door.run(&decide(&joiner, "freeze", None)).await, Err(ActionError::Invalid(_))));
        // an account that is disabled already is told to lose its rights, and done when it has
        let kept = find(&fresh, clock.now(), "zhou.jie", "A04").await.expect("rights kept");
        door.run(&decide(&kept, "freeze", None)).await.expect("instructed");
        assert_eq!(store::decisions(&fresh.store).await.expect("decisions")[1].instruction, "remove_rights");
        clock.set(clock.now() + HOUR);
        door.run(&import(with("zhou.jie", |a| a.roles.clear()))).await.expect("bare");
        assert_eq!(stands(&fresh, &kept, clock.now()).await, State::Done);
    }

    async fn a_bad_row_keeps_its_account_and_is_told(fresh: Fresh) {
        let clock = clock();
        let door = fresh.door("wang", Role::Operator, &clock);
        seeded(&door).await;
        let drop = |file: &mut AccountFile, account: &str, key: &str| {
            file.accounts.retain(|a| a.account != account);
            file.bad.push(BadRow { line: 5, key: key.into(), why: "enabled: ?".into() });
        };
        let mut file = sample();
        drop(&mut file, "li.qiang", "li.qiang");
        let done = door.run(&import(file)).await.expect("import");
        assert_eq!((&done.value["bad_rows"], &done.value["kept"], &done.value["gone"]), (&1.into(), &1.into(), &0.into()));
        assert!(find(&fresh, clock.now(), "li.qiang", "A03").await.is_some(), "the leaver is still found");
        let told = find(&fresh, clock.now(), "li.qiang", "DQ-row").await.expect("and the row is told");
        assert_eq!(told.severity, "info");
        // a row that does not say what it is about may be about anybody who is missing
        let mut file = sample();
        drop(&mut file, "wu.tao", "");
        assert_eq!(door.run(&import(file)).await.expect("import").value["kept"], 1);
        assert!(find(&fresh, clock.now(), "wu.tao", "A05").await.is_some());
        // in a file that could be read, an account that is missing is gone
        let mut file = sample();
        file.accounts.retain(|a| a.account != "wu.tao");
        assert_eq!(door.run(&import(file)).await.expect("import").value["gone"], 1);
        assert!(find(&fresh, clock.now(), "wu.tao", "A05").await.is_none());
        // the same for people: a row that could not be read makes nobody an orphan
        let mut roster = people();
        roster.people.retain(|p| p.person != "E0001");
        roster.bad.push(BadRow { line: 2, key: "E0001".into(), why: "status: ?".into() });
        door.run(&ImportRoster { file: roster, complete: false }).await.expect("roster");
        assert!(find(&fresh, clock.now(), "zhao.min", "A05").await.is_none());
    }

    async fn a_short_file_is_refused_unless_it_is_complete_and_taken_back_whole(fresh: Fresh) {
        let clock = clock();
        let door = fresh.door("wang", Role::Operator, &clock);
        seeded(&door).await;
        let short = |n: usize, complete| {
            let mut file = sample();
            file.accounts.truncate(n);
            ImportAccounts { system: "oa".into(), file, complete }
        };
        assert!(matches!(door.run(&short(8, false)).await, Err(ActionError::Invalid(_))), "a fifth fewer");
        door.run(&short(9, false)).await.expect("exactly ten percent fewer is taken");
        let all = store::accounts(&fresh.store).await.expect("accounts");
        let cut = door.run(&short(2, true)).await.expect("said to be complete");
        assert_eq!((&cut.value["gone"], store::accounts(&fresh.store).await.expect("accounts").len()), (&7.into(), 2));
        let back = door.run(cut.undo.expect("undo").as_ref()).await.expect("taken back");
        assert_eq!(store::accounts(&fresh.store).await.expect("accounts"), all);
        door.run(back.undo.expect("redo").as_ref()).await.expect("in again");
        assert_eq!(store::accounts(&fresh.store).await.expect("accounts").len(), 2);
        // only the newest can be taken back
        let old = TakeBack { import: 1, again: false };
        assert!(matches!(door.run(&old).await, Err(ActionError::Conflict { .. })));
        assert!(matches!(door.run(&TakeBack { import: 99, again: false }).await, Err(ActionError::NotFound { .. })));
        let mut few = people();
        few.people = few.people.split_off(4);
        assert!(matches!(door.run(&ImportRoster { file: few.clone(), complete: false }).await, Err(ActionError::Invalid(_))));
        door.run(&ImportRoster { file: few, complete: true }).await.expect("complete");
        let orphan = find(&fresh, clock.now(), "zhao.min", "A05").await.expect("gone from the roster");
        assert!(format!("{:?}", orphan.evidence).contains("dropped: Some"), "and since when is known");
        let viewer = fresh.door("eve", Role::Viewer, &clock);
        assert!(matches!(viewer.run(&short(9, true)).await, Err(ActionError::Denied { .. })));
    }

    async fn a_change_of_position_is_seen_between_two_rosters(fresh: Fresh) {
        let clock = clock();
        let door = fresh.door("wang", Role::Operator, &clock);
        seeded(&door).await;
        clock.set(clock.now() + HOUR);
        let mut roster = people();
        roster.people[0].position = "财务经理".into();
        door.run(&ImportRoster { file: roster, complete: false }).await.expect("roster");
        // the account got something new after the move: that is no creep
        clock.set(clock.now() + HOUR);
        door.run(&import(with("zhao.min", |a| a.roles.push("finance-approver".into())))).await.expect("import");
        let rules = Accounts {
            positions: BTreeMap::from([("财务经理".to_owned(), vec!["staff".to_owned()])]),
            ..Accounts::default()
        };
        let book = store::book(&fresh.store, &rules).await.expect("book");
        let found = audit(&book, clock.now(), clock.now(), &rules).findings;
        let creep = found.iter().find(|f| f.rule.id == "A08").expect("creep");
        assert!(format!("{:?}", creep.evidence).contains("[\"finance-clerk\", \"expense.enter\"]"), "{creep:?}");
        let past = store::past(&fresh.store, "E0001", &[("oa".into(), "zhao.min".into())]).await.expect("past");
        assert_eq!(past.len(), 4, "first seen twice, moved, granted: {past:?}");
    }

    async fn hostile_names_pass_through_the_store_unharmed(fresh: Fresh) {
        let door = fresh.door("wang", Role::Operator, &clock());
        let bad = Account { name: HOSTILE.into(), account: HOSTILE.into(), ..sample().accounts.remove(3) };
        door.run(&import(AccountFile::new(vec![bad.clone()]))).await.expect("import");
        assert_eq!(store::accounts(&fresh.store).await.expect("accounts"), [bad]);
    }
}

/// The console on the sample.
async fn console() -> (Driver, Fresh) {
    let fresh = fresh(Db::Sqlite).await;
    let clock = clock();
    let door = fresh.door("wang", Role::Operator, &clock);
    let mut file = sample();
    file.accounts[3].name = HOSTILE.into();
    door.run(&import(file)).await.expect("accounts");
    door.run(&ImportRoster { file: people(), complete: false }).await.expect("roster");
    let now = clock.now();
    let mut driver = Driver::new(vec![Box::new(AccountsTab::new(Config::default().into()))], Some(door), now, None);
    driver.size = (140, 36);
    driver.settle().await;
    (driver, fresh)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn findings_are_decided_marked_explained_and_undone_with_keys() {
    let (mut d, fresh) = console().await;
    let first = d.screen();
    assert!(
        first.contains("A03") && first.contains("leaver still active") && first.contains("decided 0 of 12"),
        "{first}"
    );
    assert!(!first.contains('\u{1b}') && !first.contains('\u{202e}'));
    d.keys("f").await;
    assert!(d.screen().contains("instruction for the directory"));
    d.keys("\"left\" enter").await;
    let frozen = d.screen();
    assert!(frozen.contains("freeze instructed") && frozen.contains("decided 1 of 12"), "{frozen}");
    d.keys("u").await;
    assert!(d.screen().contains("decided 0 of 12"));
    // three marked, one reason, one key
    d.keys("space space space e \"reviewed\" enter enter").await;
    let kept = d.screen();
    assert!(kept.contains("decided 3 of 12") && kept.contains("kept to 2027-02-21"), "{kept}");
    assert_eq!(store::decisions(&fresh.store).await.expect("decisions").len(), 3);
    d.keys("! g g E").await;
    let why = d.screen();
    assert!(why.contains("Definition:") && why.contains("Evidence:"), "{why}");
    d.keys("esc esc esc").await;
    d.keys("/ \"qian.lei\" enter").await;
    let one = d.screen();
    assert!(one.contains("Findings 1 of 12"), "{one}");
    d.keys("y Y H").await;
    assert!(d.screen().contains("History of 钱磊"));
    assert!(d.copied[0].starts_with("A01-") && d.copied[1].contains("114 days ago"), "{:?}", d.copied);
    d.keys("esc C").await;
    assert!(d.screen().contains("needs who asked for and who approved"), "{}", d.screen());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_size_and_language_is_drawn() {
    let (mut d, _fresh) = console().await;
    for size in [(200, 50), (120, 36), (80, 24), (60, 15), (20, 6), (3, 1)] {
        d.size = size;
        for lang in [Lang::En, Lang::Zh] {
            let screen = locale::with(lang, || d.screen());
            assert!(
                size.0 < 60 || screen.contains(if lang == Lang::En { "dormant" } else { "长期未登录" }),
                "{screen}"
            );
        }
    }
}

/// A process that ends with its owner.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        _ = self.0.kill();
        _ = self.0.wait();
    }
}

const SLAPD: &str = "include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
pidfile {dir}/slapd.pid
modulepath /usr/lib/ldap
moduleload back_mdb
moduleload ppolicy
moduleload memberof
database mdb
suffix \"dc=oa,dc=example\"
rootdn \"cn=admin,dc=oa,dc=example\"
rootpw secret
directory {dir}/db
lastbind on
overlay memberof
overlay ppolicy
ppolicy_default \"cn=policy,dc=oa,dc=example\"
";

const BASE: &str = "dn: dc=oa,dc=example
objectClass: dcObject
objectClass: organization
dc: oa
o: 公司

dn: cn=policy,dc=oa,dc=example
objectClass: pwdPolicy
objectClass: device
cn: policy
pwdAttribute: userPassword
pwdLockout: TRUE
pwdMaxFailure: 3

dn: uid=zhang.wei,dc=oa,dc=example
objectClass: inetOrgPerson
uid: zhang.wei
cn: 张伟
sn: 张
employeeNumber: E0001
title: 会计
departmentNumber: 财务部
userPassword: geheim

dn: uid=wang.fang,dc=oa,dc=example
objectClass: inetOrgPerson
uid: wang.fang
cn: 王芳
sn: 王
employeeNumber: E0002
userPassword: geheim

dn: uid=li.na,dc=oa,dc=example
objectClass: inetOrgPerson
uid: li.na
cn: 李娜
sn: 李
userPassword: geheim

dn: cn=finance-admin,dc=oa,dc=example
objectClass: groupOfNames
cn: finance-admin
member: uid=zhang.wei,dc=oa,dc=example
";

/// Runs a tool of the directory; its output when `ok`.
fn ldap(tool: &str, args: &[&str], stdin: &str) -> (bool, String) {
    use std::io::Write as _;
    let mut child = Command::new(tool)
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the tools of the directory");
    child.stdin.take().expect("stdin").write_all(stdin.as_bytes()).expect("written");
    let out = child.wait_with_output().expect("ended");
    (out.status.success(), String::from_utf8_lossy(&out.stdout).into_owned() + &String::from_utf8_lossy(&out.stderr))
}

/// A slapd of its own in `dir`, on a free port of loopback.
fn slapd(dir: &Path) -> (Server, String) {
    std::fs::create_dir(dir.join("db")).expect("folder");
    let conf = dir.join("slapd.conf");
    std::fs::write(&conf, SLAPD.replace("{dir}", &dir.display().to_string())).expect("configuration");
    let port = std::net::TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("a free port").port();
    let url = format!("ldap://127.0.0.1:{port}");
    let program = ["/usr/sbin/slapd", "slapd"].into_iter().find(|p| Path::new(p).exists()).unwrap_or("slapd");
    let child = Command::new(program)
        .args(["-d", "0", "-f", &conf.display().to_string(), "-h", &url])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("slapd starts: ./tests/run installs it");
    (Server(child), url)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_real_directory_is_read_with_its_chinese_names_logins_and_locks() {
    let dir = tempfile::tempdir().expect("folder");
    let (_server, url) = slapd(dir.path());
    let admin = ["-x", "-H", &url, "-D", "cn=admin,dc=oa,dc=example", "-w", "secret"];
    let mut up = false;
    for _ in 0..200 {
        if ldap("ldapwhoami", &admin, "").0 {
            up = true;
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(up, "slapd answers within ten seconds");
    let (ok, said) = ldap("ldapadd", &admin, BASE);
    assert!(ok, "{said}");
    // one logs in, one is locked out by bad passwords, one is disabled by the administrator
    let bind = |uid: &str, password: &str| {
        let dn = format!("uid={uid},dc=oa,dc=example");
        ldap("ldapwhoami", &["-x", "-H", &url, "-D", &dn, "-w", password], "").0
    };
    let new = [&admin[..], &["-s", "neu", "uid=zhang.wei,dc=oa,dc=example"]].concat();
    let (ok, said) = ldap("ldappasswd", &new, "");
    assert!(ok, "{said}");
    assert!(bind("zhang.wei", "neu"));
    for _ in 0..3 {
        assert!(!bind("wang.fang", "wrong"));
    }
    let lock = "dn: uid=li.na,dc=oa,dc=example\nchangetype: modify\nreplace: pwdAccountLockedTime\npwdAccountLockedTime: 000001010000Z\n";
    let (ok, said) = ldap("ldapmodify", &[&admin[..], &["-e", "relax"]].concat(), lock);
    assert!(ok, "{said}");
    let (ok, export) = ldap("ldapsearch", &[&admin[..], &["-LLL", "-b", "dc=oa,dc=example", "*", "+"]].concat(), "");
    assert!(ok && export.contains("cn:: "), "names that are not ASCII come encoded: {export}");

    let file = sources::accounts_ldif(export.as_bytes(), "ldap").expect("read");
    assert!(file.bad.is_empty(), "{:?}", file.bad);
    let get = |name: &str| file.accounts.iter().find(|a| a.account == name).expect("there");
    let (zhang, wang, li) = (get("zhang.wei"), get("wang.fang"), get("li.na"));
    assert_eq!((zhang.name.as_str(), zhang.department.as_str(), zhang.position.as_str()), ("张伟", "财务部", "会计"));
    assert_eq!(zhang.roles, ["finance-admin"]);
    assert!(zhang.enabled && zhang.last_login_at.is_some() && zhang.created_at.is_some());
    assert!(zhang.more.password_set_at.is_some());
    assert!(wang.enabled && wang.more.locked_at.is_some_and(|at| at > 0) && wang.more.failures.len() == 3);
    assert!(!li.enabled, "locked without an end is disabled");
    assert_eq!(file.accounts.len(), 3, "neither units nor policies nor groups are accounts");

    let store = fresh(Db::Sqlite).await;
    let clock = Clock::System;
    let door = store.door("wang", Role::Operator, &clock);
    door.run(&ImportAccounts { system: "ldap".into(), file, complete: false }).await.expect("import");
    let found = findings(&store, clock.now() + 1_000).await;
    let has = |account: &str, rule: &str| found.iter().any(|f| f.account == account && f.rule.id == rule);
    assert!(has("wang.fang", "A27") && has("finance-admin", "A28"), "{found:?}");
}
