//! What is imported comes back, on both databases: workflows.

use zhiban::action::Role;
use zhiban::clock::{Clock, parse_rfc3339};
use zhiban::workflows;
use zhiban::workflows::actions::Import as ImportLog;
use zhiban::workflows::analysis::analyse;
use zhiban::workflows::log::Log;
use zhiban::workflows::model::Event;

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
}
