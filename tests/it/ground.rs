//! Store, journal, door, lease and feed, on both databases.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use zhiban::action::operators::{Add, SetRole};
use zhiban::action::{Action, ActionError, Actor, Apply, BoxFuture, Done, Door, Role};
use zhiban::args;
use zhiban::clock::Clock;
use zhiban::config::Config;
use zhiban::journal;
use zhiban::store::feed::News;
use zhiban::store::{Store, StoreError};

use crate::on_both;

/// An action that does nothing but leave its row.
#[derive(Debug)]
struct Mark(&'static str);

impl Action for Mark {
    fn verb(&self) -> &'static str {
        "test.mark"
    }
    fn needs(&self) -> Role {
        Role::Operator
    }
    fn apply<'a>(&'a self, _cx: &'a mut Apply<'_>) -> BoxFuture<'a, Result<Done, ActionError>> {
        Box::pin(async move { Ok(Done::new("mark", self.0, "marked".into()).detail(json!({"what": self.0}))) })
    }
}

/// An action with a statement that the store refuses, if only when it is sent.
#[derive(Debug)]
struct Broken;

impl Action for Broken {
    fn verb(&self) -> &'static str {
        "test.broken"
    }
    fn needs(&self) -> Role {
        Role::Operator
    }
    fn apply<'a>(&'a self, cx: &'a mut Apply<'_>) -> BoxFuture<'a, Result<Done, ActionError>> {
        Box::pin(async move {
            cx.tx.exec("INSERT INTO change(topic, seq) VALUES ('broken', 1)", args![]).await?;
            cx.tx.exec("INSERT INTO change(topic, seq) VALUES ($1, $2)", args!["broken", None::<i64>]).await?;
            Ok(Done::new("mark", "broken", "marked".into()))
        })
    }
}

fn clock() -> Clock {
    Clock::manual(1_790_000_000_000)
}

on_both! {
    async fn the_chain_holds_under_many_writers(fresh: Fresh) {
        let door = fresh.door("wang", Role::Operator, &clock());
        let mut tasks = Vec::new();
        for _ in 0..8 {
            let door = door.clone();
            tasks.push(tokio::spawn(async move {
                for _ in 0..25 {
                    door.run(&Mark("a")).await.expect("marked");
                }
            }));
        }
        for task in tasks {
            task.await.expect("writer");
        }
        let v = journal::verify(&fresh.store).await.expect("verify");
        assert_eq!((v.rows, v.first_broken), (200, None));
    }

    async fn of_many_together_one_that_is_refused_takes_nobody_with_it(fresh: Fresh) {
        let door = fresh.door("wang", Role::Operator, &clock());
        let actor = Arc::new(Actor { name: "wang".into(), role: Role::Operator, origin: "test".into(), unclaimed: false });
        let viewer = Arc::new(Actor { role: Role::Viewer, ..(*actor).clone() });
        let wanted: Vec<(Arc<Actor>, Arc<dyn Action>)> = vec![
            (actor.clone(), Arc::new(Broken)),
            (actor.clone(), Arc::new(Mark("a"))),
            (viewer, Arc::new(Mark("not permitted"))),
            (actor.clone(), Arc::new(Broken)),
            (actor.clone(), Arc::new(Mark("b"))),
            (actor, Arc::new(Mark("c"))),
        ];
        let done = door.run_all(&wanted).await.expect("the batch");
        assert_eq!(done.iter().map(Result::is_ok).collect::<Vec<_>>(), [false, true, false, false, true, true]);
        let v = journal::verify(&fresh.store).await.expect("verify");
        assert_eq!((v.rows, v.first_broken), (3, None));
        let broken = fresh.store.row("SELECT seq FROM change WHERE topic = 'broken'", args![], |r| r.get::<i64>(0)).await;
        assert_eq!(broken.expect("read"), None, "the half that was good went back with the other");
    }

    async fn the_journal_refuses_to_be_rewritten(fresh: Fresh) {
        let door = fresh.door("wang", Role::Operator, &clock());
        door.run(&Mark("a")).await.expect("marked");
        for sql in ["UPDATE journal SET actor = 'eve'", "DELETE FROM journal"] {
            let mut tx = fresh.store.begin().await.expect("begin");
            let refused = tx.exec(sql, args![]).await.expect_err("refused").to_string();
            assert!(refused.contains("append-only"), "{refused}");
        }
    }

    async fn verify_names_the_first_broken_row(fresh: Fresh) {
        let door = fresh.door("wang", Role::Operator, &clock());
        for _ in 0..5 {
            door.run(&Mark("a")).await.expect("marked");
        }
        let mut tx = fresh.store.begin().await.expect("begin");
        let off = tx.pick("DROP TRIGGER journal_no_update", "DROP TRIGGER journal_no_change ON journal").to_owned();
        tx.exec(&off, args![]).await.expect("trigger off");
        tx.exec("UPDATE journal SET actor = 'eve' WHERE seq = 3", args![]).await.expect("forged");
        tx.commit().await.expect("commit");
        assert_eq!(journal::verify(&fresh.store).await.expect("verify").first_broken, Some(3));
    }

    async fn roles_are_kept_at_the_door(fresh: Fresh) {
        let viewer = fresh.door("li", Role::Viewer, &clock());
        assert!(matches!(viewer.run(&Mark("a")).await, Err(ActionError::Denied { .. })));
        let actor = Actor { name: "wang".into(), role: Role::Admin, origin: "test".into(), unclaimed: false };
        let read_only = Door::new(fresh.store.clone(), clock(), Config::default().into(), actor, true);
        assert!(matches!(read_only.run(&Mark("a")).await, Err(ActionError::ReadOnly)));
        assert_eq!(journal::verify(&fresh.store).await.expect("verify").rows, 0);
    }

    async fn the_first_to_write_becomes_admin_and_the_second_stays_a_viewer(fresh: Fresh) {
        let newcomer = |name: &str| Actor { name: name.into(), role: Role::Admin, origin: "test".into(), unclaimed: true };
        let door = |name: &str| {
            Door::new(fresh.store.clone(), clock(), Config::default().into(), newcomer(name), false)
        };
        door("wang").run(&Mark("a")).await.expect("first");
        assert!(matches!(door("li").run(&Mark("a")).await, Err(ActionError::Denied { has: Role::Viewer, .. })));
        let all = zhiban::action::operators::list(&fresh.store).await.expect("list");
        assert_eq!(all.iter().map(|o| (o.name.as_str(), o.role)).collect::<Vec<_>>(), [("wang", Role::Admin)]);
    }

    async fn the_last_admin_stays(fresh: Fresh) {
        let door = fresh.door("root", Role::Admin, &clock());
        door.run(&Add { name: "wang".into(), role: Role::Admin, key: None }).await.expect("added");
        let lowered = door.run(&SetRole { name: "wang".into(), role: Role::Viewer }).await;
        assert!(matches!(lowered, Err(ActionError::Invalid(_))));
    }

    async fn an_undo_is_an_action_of_its_own(fresh: Fresh) {
        let door = fresh.door("root", Role::Admin, &clock());
        door.run(&Add { name: "wang".into(), role: Role::Admin, key: None }).await.expect("added");
        let outcome = door.run(&Add { name: "li".into(), role: Role::Operator, key: None }).await.expect("added");
        door.run(outcome.undo.expect("can be undone").as_ref()).await.expect("undone");
        let all = zhiban::action::operators::list(&fresh.store).await.expect("list");
        assert_eq!(all.len(), 1);
        assert_eq!(journal::verify(&fresh.store).await.expect("verify").rows, 3);
    }

    async fn one_process_holds_the_lease_and_another_takes_over(fresh: Fresh) {
        let store = &fresh.store;
        assert!(store.hold_lease("jobs", "a", 1_000).await.expect("a"));
        assert!(!store.hold_lease("jobs", "b", 5_000).await.expect("b"));
        assert!(store.hold_lease("jobs", "a", 9_000).await.expect("renewed"));
        assert!(!store.hold_lease("jobs", "b", 18_000).await.expect("b"));
        assert!(store.hold_lease("jobs", "b", 19_001).await.expect("taken over"));
        // the clock was set back an hour: the lease from the future does not block for an hour
        assert!(store.hold_lease("jobs", "c", 19_001 - 3_600_000).await.expect("taken"));
    }

    async fn another_session_hears_of_a_change_in_time(fresh: Fresh) {
        let other = Store::open(&fresh.url.parse().expect("url")).await.expect("second session");
        let mut feed = other.feed();
        let door = fresh.door("wang", Role::Operator, &clock());
        // the feed is up once it has reported anything at all
        let first = async {
            loop {
                door.run(&Mark("warm")).await.expect("marked");
                if let Ok(Some(_)) = tokio::time::timeout(Duration::from_millis(300), feed.recv()).await {
                    return;
                }
            }
        };
        tokio::time::timeout(Duration::from_secs(10), first).await.expect("the feed starts");
        while tokio::time::timeout(Duration::from_millis(400), feed.recv()).await.is_ok() {}
        door.run(&Mark("a")).await.expect("marked");
        let news = tokio::time::timeout(Duration::from_secs(2), feed.recv()).await.expect("heard").expect("open");
        assert_eq!(news, News::Changed(vec!["mark".into()]));
    }

    async fn a_store_from_a_newer_version_is_refused(fresh: Fresh) {
        let mut tx = fresh.store.begin().await.expect("begin");
        let sql = tx.pick(
            "INSERT INTO _sqlx_migrations(version, description, success, checksum, execution_time) VALUES (9999, 'x', 1, x'00', 0)",
            "INSERT INTO _sqlx_migrations(version, description, success, checksum, execution_time) VALUES (9999, 'x', true, '\\x00', 0)",
        ).to_owned();
        tx.exec(&sql, args![]).await.expect("from the future");
        tx.commit().await.expect("commit");
        let refused = Store::open(&fresh.url.parse().expect("url")).await.expect_err("refused");
        assert!(matches!(refused, StoreError::Newer { found: 9999, .. }), "{refused}");
    }

    async fn two_first_starts_do_not_trip_over_each_other(fresh: Fresh) {
        let folder = tempfile::tempdir().expect("folder");
        let url = if fresh.url.starts_with("postgres") {
            crate::db::fresh_postgres().await
        } else {
            format!("sqlite://{}", folder.path().join("new.db").display())
        };
        let opens = (0..6).map(|_| {
            let url = url.clone();
            tokio::spawn(async move { Store::open(&url.parse().expect("url")).await.map(|_| ()) })
        });
        for open in opens.collect::<Vec<_>>() {
            open.await.expect("task").expect("opened");
        }
    }

    async fn odd_text_comes_back_as_it_went_in(fresh: Fresh) {
        let odd = "审批\u{1b}[2J\u{202e}' OR 1=1 -- \u{0}end 👩‍👧";
        let mut tx = fresh.store.begin().await.expect("begin");
        tx.exec("INSERT INTO holiday_list(year, days, source) VALUES ($1, $2, $3)", args![2099, odd, "x"]).await.expect("in");
        tx.commit().await.expect("commit");
        let back = fresh.store.row("SELECT days FROM holiday_list WHERE year = $1", args![2099], |r| r.get::<String>(0)).await;
        assert_eq!(back.expect("out").as_deref(), Some(odd.replace('\0', "␀").as_str()));
    }
}
