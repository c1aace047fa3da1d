//! What is imported comes back, on both databases: workflows, accounts.

use std::collections::BTreeMap;

use zhiban::accounts::actions::{Decide, ImportAccounts, ImportRoster};
use zhiban::action::{ActionError, Role};
use zhiban::clock::{Clock, parse_rfc3339};
use zhiban::workflows::actions::Import as ImportLog;
use zhiban::workflows::analysis::analyse;
use zhiban::workflows::log::Log;
use zhiban::workflows::model::Event;
use zhiban::{accounts, workflows};

use crate::on_both;

fn clock() -> Clock {
    Clock::manual(parse_rfc3339("2026-11-23T12:00:00+08:00").expect("time"))
}

fn log() -> Log {
    let mut log = Log::default();
    for (case, activity, at) in [("1", "提交", 0), ("1", "审批\u{1b}[2J", 10_000), ("2", "提交", 500)] {
        let (case, activity) = (case.as_bytes(), activity.as_bytes());
        log.push(&Event { case, activity, resource: b"wang", at, ..Event::default() }).expect("room");
    }
    log
}

on_both! {
    async fn a_log_comes_back_with_the_same_figures_and_twice_is_once(fresh: Fresh) {
        let door = fresh.door("wang", Role::Operator, &clock());
        let import = ImportLog { name: "expense".into(), source: "x.csv".into(), log: log().into() };
        door.run(&import).await.expect("import");
        door.run(&import).await.expect("again");
        let found = workflows::store::find(&fresh.store, "expense").await.expect("store").expect("there");
        let back = workflows::store::load(&fresh.store, found.id).await.expect("log");
        assert_eq!(analyse(&back), analyse(&log()));
    }

    async fn the_sample_is_audited_and_a_freeze_waits_for_the_directory(fresh: Fresh) {
        let clock = clock();
        let door = fresh.door("wang", Role::Operator, &clock);
        let (all, bad) = accounts::sources::accounts_csv(include_bytes!("../fixtures/accounts/accounts.csv"), "oa", &BTreeMap::new()).expect("csv");
        let (people, _) = accounts::sources::roster(include_bytes!("../fixtures/accounts/hr.csv")).expect("roster");
        door.run(&ImportAccounts { system: "oa".into(), accounts: all.clone(), bad: bad.len(), force: false }).await.expect("accounts");
        door.run(&ImportRoster { people, bad: 0, force: false }).await.expect("roster");
        let short = ImportAccounts { system: "oa".into(), accounts: all[..5].to_vec(), bad: 0, force: false };
        assert!(matches!(door.run(&short).await, Err(ActionError::Invalid(_))), "a file of half the size is not taken for half the staff leaving");
        let stored = accounts::store::accounts(&fresh.store).await.expect("accounts");
        let people = accounts::store::people(&fresh.store).await.expect("people");
        let found = accounts::model::audit(&stored, &people, clock.now(), &zhiban::config::Accounts::default());
        assert_eq!(found.len(), 12);
        let leaver = found.iter().find(|f| f.rule == "A03").expect("the leaver");
        let freeze = Decide { finding: leaver.id.clone(), account: leaver.account.clone(), decision: Some(("freeze".into(), "left".into(), None)) };
        let outcome = door.run(&freeze).await.expect("decided");
        assert_eq!(outcome.value["state"], "instructed");
        door.run(outcome.undo.expect("undo").as_ref()).await.expect("undone");
        assert!(accounts::store::decisions(&fresh.store).await.expect("decisions").is_empty());
    }
}
