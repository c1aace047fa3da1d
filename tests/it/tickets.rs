//! Tickets, on both databases.

use zhiban::action::{ActionError, Role};
use zhiban::calendar::HolidayList;
use zhiban::clock::{Clock, HOUR, MINUTE, parse_rfc3339};
use zhiban::config::Tickets;
use zhiban::journal;
use zhiban::tickets::actions::{Change, Import, New, Pull, Recount, What};
use zhiban::tickets::store::{self, Cursor, Queue};

use crate::on_both;

fn new(title: &str, severity: &str) -> New {
    New {
        title: title.into(),
        body: "审批提交后一直转圈 approval hangs".into(),
        scope: "individual".into(),
        severity: severity.into(),
        channel: "phone".into(),
        reporter: "张敏".into(),
        ..New::default()
    }
}

trait RunPull {
    async fn run_pull(&self) -> i64;
}

impl RunPull for zhiban::action::Door {
    async fn run_pull(&self) -> i64 {
        self.run(&Pull::default()).await.expect("pull").value["id"].as_i64().expect("id")
    }
}

/// Tuesday, 10:00 in Shanghai.
fn clock() -> Clock {
    Clock::manual(parse_rfc3339("2026-11-24T10:00:00+08:00").expect("time"))
}

on_both! {
    async fn fifty_claimers_and_every_ticket_has_one_owner(fresh: Fresh) {
        let clock = clock();
        let door = fresh.door("root", Role::Admin, &clock);
        for i in 0..500 {
            door.run(&new(&format!("t{i}"), "general")).await.expect("new");
        }
        let mut tasks = Vec::new();
        for c in 0..50 {
            let door = fresh.door(&format!("op{c}"), Role::Operator, &clock);
            tasks.push(tokio::spawn(async move {
                let mut won = 0;
                for id in 1..=500 {
                    let claimed = door.run(&Change::new(id, What::Claim)).await;
                    assert!(matches!(claimed, Ok(_) | Err(ActionError::Conflict { .. })), "{claimed:?}");
                    won += i32::from(claimed.is_ok());
                }
                won
            }));
        }
        let mut won = 0;
        for task in tasks {
            won += task.await.expect("claimer");
        }
        assert_eq!(won, 500);
        assert_eq!(store::counts(&fresh.store, "op1", clock.now()).await.expect("counts")[2], 0);
        let v = journal::verify(&fresh.store).await.expect("verify");
        assert_eq!((v.rows, v.first_broken), (1_000, None));
    }

    async fn a_reply_stops_the_response_clock_and_a_note_does_not(fresh: Fresh) {
        let clock = clock();
        let door = fresh.door("wang", Role::Operator, &clock);
        door.run(&new("t", "important")).await.expect("new");
        clock.set(clock.now() + 10 * MINUTE);
        door.run(&Change::new(1, What::Note("look".into()))).await.expect("note");
        let t = store::get(&fresh.store, 1).await.expect("get").expect("there");
        assert_eq!(t.response_met_at, None);
        door.run(&Change::new(1, What::Reply("on it".into()))).await.expect("reply");
        let t = store::get(&fresh.store, 1).await.expect("get").expect("there");
        assert_eq!(t.response_met_at, Some(clock.now()));
        assert!(!t.response_breached);
    }

    async fn a_pause_moves_the_resolution_and_ends_by_itself(fresh: Fresh) {
        let clock = clock();
        let door = fresh.door("wang", Role::Operator, &clock);
        door.run(&new("t", "important")).await.expect("new");
        let start = clock.now();
        door.run(&Change::new(1, What::Reply("on it".into()))).await.expect("reply");
        let pause = What::Pause { reason: "waiting_user".into(), until: start + HOUR, note: String::new() };
        door.run(&Change::new(1, pause)).await.expect("pause");
        assert_eq!(store::get(&fresh.store, 1).await.expect("get").expect("there").resolution_due, None);
        clock.set(start + HOUR);
        assert_eq!(store::overdue_marks(&fresh.store, clock.now()).await.expect("marks"), [1]);
        door.run(&Change::new(1, What::Tick)).await.expect("tick");
        let t = store::get(&fresh.store, 1).await.expect("get").expect("there");
        assert_eq!((t.state.as_str(), t.flag.as_deref()), ("open", Some("follow_up")));
        // 4 h of office time from 10:00, an hour of it paused, an hour of it lunch
        assert_eq!(t.resolution_due, Some(start + 6 * HOUR));
    }

    async fn a_breach_is_latched_once_and_stays(fresh: Fresh) {
        let clock = clock();
        let door = fresh.door("wang", Role::Operator, &clock);
        door.run(&new("t", "urgent")).await.expect("new");
        clock.set(clock.now() + 31 * MINUTE);
        for _ in 0..3 {
            door.run(&Change::new(1, What::Tick)).await.expect("tick");
        }
        let past = store::happenings(&fresh.store, 1).await.expect("past");
        assert_eq!(past.iter().filter(|h| h.kind == "sla_breached").count(), 1);
        let level = What::Level { scope: "individual".into(), severity: "general".into(), reason: "smaller".into() };
        door.run(&Change::new(1, level)).await.expect("level");
        assert!(store::get(&fresh.store, 1).await.expect("get").expect("there").response_breached);
    }

    async fn someone_elses_change_is_a_conflict_that_names_them(fresh: Fresh) {
        let clock = clock();
        let wang = fresh.door("wang", Role::Operator, &clock);
        let li = fresh.door("li", Role::Operator, &clock);
        wang.run(&new("t", "general")).await.expect("new");
        li.run(&Change::new(1, What::Note("first".into()))).await.expect("note");
        let late = Change { id: 1, what: What::Note("second".into()), seen: Some(1) };
        let refused = wang.run(&late).await;
        assert!(matches!(&refused, Err(ActionError::Conflict { who, .. }) if who == "li"), "{refused:?}");
    }

    async fn an_undo_gives_the_ticket_back(fresh: Fresh) {
        let door = fresh.door("wang", Role::Operator, &clock());
        door.run(&new("t", "general")).await.expect("new");
        let claimed = door.run(&Change::new(1, What::Claim)).await.expect("claim");
        door.run(claimed.undo.expect("undo").as_ref()).await.expect("undone");
        assert_eq!(store::get(&fresh.store, 1).await.expect("get").expect("there").owner, None);
    }

    async fn search_finds_chinese_and_english_newest_first(fresh: Fresh) {
        let door = fresh.door("wang", Role::Operator, &clock());
        for title in ["磁盘空间不足 disk full", "合同附件下载失败", "磁盘告警 host-00042"] {
            door.run(&new(title, "general")).await.expect("new");
        }
        let ids = |words: &'static str| {
            let s = fresh.store.clone();
            async move { store::find(&s, words, 10).await.expect("find").iter().map(|t| t.id).collect::<Vec<_>>() }
        };
        assert_eq!(ids("磁盘").await, [3, 1]);
        assert_eq!(ids("DISK 空间").await, [1]);
        assert_eq!(ids("间").await, [1]);
        assert_eq!(ids("足").await, [1]);
        assert_eq!(ids("00042").await, [3]);
        assert_eq!(ids("'\" OR * :!").await, Vec::<i64>::new());
        assert_eq!(ids("转圈 hangs").await, [3, 2, 1]);
    }

    async fn queues_hold_what_their_names_say(fresh: Fresh) {
        let clock = clock();
        let door = fresh.door("wang", Role::Operator, &clock);
        for severity in ["general", "important", "urgent"] {
            door.run(&new(severity, severity)).await.expect("new");
        }
        door.run(&Change::new(1, What::Claim)).await.expect("claim");
        clock.set(clock.now() + 25 * MINUTE);
        let counts = store::counts(&fresh.store, "wang", clock.now()).await.expect("counts");
        assert_eq!(counts, [1, 1, 2, 0, 3]);
        let all = store::page(&fresh.store, Queue::All, "wang", clock.now(), None, 10).await.expect("page");
        assert_eq!(all.iter().map(|t| t.id).collect::<Vec<_>>(), [3, 2, 1], "most urgent first");
    }

    async fn a_breach_that_no_tick_saw_is_latched_by_the_answer(fresh: Fresh) {
        let clock = clock();
        let door = fresh.door("wang", Role::Operator, &clock);
        door.run(&new("t", "urgent")).await.expect("new");
        clock.set(clock.now() + 31 * MINUTE);
        let seen = store::get(&fresh.store, 1).await.expect("get").expect("there");
        assert!(!seen.response_breached && seen.response_is_breached(clock.now()), "true on read, before any tick");
        door.run(&Change::new(1, What::Reply("late".into()))).await.expect("reply");
        let past = store::happenings(&fresh.store, 1).await.expect("past");
        let kinds: Vec<&str> = past.iter().map(|h| h.kind.as_str()).collect();
        assert_eq!(kinds, ["created", "sla_breached", "threshold_fired", "reply"]);
        assert_eq!(past[3].data["response"]["late_s"], 60);
        door.run(&Change::new(1, What::Tick)).await.expect("tick");
        assert_eq!(store::happenings(&fresh.store, 1).await.expect("past").len(), 4, "once");
    }

    async fn a_raise_that_breaches_is_the_doing_of_whoever_raised(fresh: Fresh) {
        let clock = clock();
        let door = fresh.door("wang", Role::Operator, &clock);
        door.run(&new("t", "general")).await.expect("new");
        clock.set(clock.now() + 45 * MINUTE);
        let level = What::Level { scope: "company".into(), severity: "urgent".into(), reason: "everybody".into() };
        door.run(&Change::new(1, level)).await.expect("level");
        let past = store::happenings(&fresh.store, 1).await.expect("past");
        let breach = past.iter().find(|h| h.kind == "sla_breached").expect("breached on the raise");
        assert_eq!((breach.actor.as_str(), &breach.data["on_raise"]), ("wang", &serde_json::json!(true)));
        let told: Vec<_> = past.iter().filter(|h| h.kind == "threshold_fired").map(|h| &h.data["percent"]).collect();
        assert_eq!(told, [150], "only the highest newly passed");
    }

    async fn a_grave_pause_needs_a_note_or_a_second_person(fresh: Fresh) {
        let clock = clock();
        let wang = fresh.door("wang", Role::Operator, &clock);
        wang.run(&New { scope: "company".into(), ..new("t", "urgent") }).await.expect("new");
        wang.run(&Change::new(1, What::Claim)).await.expect("claim");
        let pause = |note: &str| {
            let until = clock.now() + HOUR;
            Change::new(1, What::Pause { reason: "waiting_vendor".into(), until, note: note.into() })
        };
        assert!(matches!(wang.run(&pause("later")).await, Err(ActionError::Invalid(_))));
        wang.run(&pause("厂商工程师正在路上，预计一小时后到场更换存储控制器")).await.expect("with a note");
        wang.run(&Change::new(1, What::Resume)).await.expect("resume");
        fresh.door("li", Role::Operator, &clock).run(&pause("")).await.expect("by a second person");
    }

    async fn a_message_of_the_user_ends_the_pause_that_waited_for_it(fresh: Fresh) {
        let clock = clock();
        let door = fresh.door("wang", Role::Operator, &clock);
        door.run(&new("t", "important")).await.expect("new");
        door.run(&Change::new(1, What::Reply("which one?".into()))).await.expect("reply");
        let pause = What::Pause { reason: "waiting_user".into(), until: clock.now() + 8 * HOUR, note: String::new() };
        door.run(&Change::new(1, pause)).await.expect("pause");
        clock.set(clock.now() + 30 * MINUTE);
        let said = What::UserMessage { from: "张敏".into(), text: "第二个".into() };
        door.run(&Change::new(1, said)).await.expect("message");
        let t = store::get(&fresh.store, 1).await.expect("get").expect("there");
        assert_eq!((t.state.as_str(), t.flag.as_deref()), ("open", Some("user_replied")));
        // 4 h from 10:00, half an hour of it paused, an hour lunch
        assert_eq!(t.resolution_due, Some(clock.now() + 5 * HOUR));
    }

    async fn a_merge_keeps_the_earliest_start_and_only_common_pauses(fresh: Fresh) {
        let clock = clock();
        let start = clock.now();
        let door = fresh.door("wang", Role::Operator, &clock);
        door.run(&New { reported_at: Some(start - 30 * MINUTE), ..new("first", "urgent") }).await.expect("new");
        door.run(&new("second", "important")).await.expect("new");
        let pause = What::Pause { reason: "waiting_vendor".into(), until: start + 5 * HOUR, note: String::new() };
        door.run(&Change::new(2, pause)).await.expect("pause");
        clock.set(start + 20 * MINUTE);
        door.run(&Change::new(1, What::Merge(2))).await.expect("merge");
        let t = store::get(&fresh.store, 2).await.expect("get").expect("there");
        assert_eq!((t.reported_at, t.level.as_str(), t.state.as_str(), t.reports), (start - 30 * MINUTE, "urgent", "open", 2));
        assert_eq!(t.resolution_due, Some(start + 90 * MINUTE), "the pause was not the other's");
        let child = store::get(&fresh.store, 1).await.expect("get").expect("there");
        assert_eq!((child.state.as_str(), child.merged_into), ("merged", Some(2)));
        let first = &store::happenings(&fresh.store, 2).await.expect("past")[0];
        assert_eq!(first.data["reported_at"], start, "what happened is not rewritten");
    }

    async fn a_matter_that_comes_back_late_goes_on_in_a_new_ticket(fresh: Fresh) {
        let clock = clock();
        let door = fresh.door("wang", Role::Operator, &clock);
        door.run(&new("t", "general")).await.expect("new");
        let solved = What::Resolve { cause: "disk".into(), solution: "cleaned".into() };
        door.run(&Change::new(1, solved)).await.expect("resolve");
        clock.set(clock.now() + 24 * HOUR);
        door.run(&Change::new(1, What::Reopen)).await.expect("within the window");
        let again = What::Resolve { cause: "disk".into(), solution: "bigger".into() };
        door.run(&Change::new(1, again)).await.expect("resolve");
        clock.set(clock.now() + 14 * 24 * HOUR);
        let out = door.run(&Change::new(1, What::Reopen)).await.expect("after the window");
        assert_eq!((&out.value["id"], &out.value["continues"]), (&serde_json::json!(2), &serde_json::json!(1)));
        assert_eq!(store::get(&fresh.store, 1).await.expect("get").expect("there").state, "resolved");
    }

    async fn an_excuse_is_a_supervisors_and_erases_nothing(fresh: Fresh) {
        let clock = clock();
        let wang = fresh.door("wang", Role::Operator, &clock);
        wang.run(&new("t", "urgent")).await.expect("new");
        let excuse = Change::new(1, What::Excuse { clock: "response".into(), reason: "power cut".into() });
        assert!(matches!(wang.run(&excuse).await, Err(ActionError::Denied { .. })));
        let boss = fresh.door("zhao", Role::Supervisor, &clock);
        assert!(matches!(boss.run(&excuse).await, Err(ActionError::Invalid(_))), "not breached yet");
        clock.set(clock.now() + HOUR);
        boss.run(&excuse).await.expect("excused");
        let t = store::get(&fresh.store, 1).await.expect("get").expect("there");
        assert!(t.response_breached && t.response_excused);
    }

    async fn the_same_message_twice_is_one_ticket(fresh: Fresh) {
        let door = fresh.door("wang", Role::Operator, &clock());
        let mail = New { intake_key: Some("<1@mail>".into()), ..new("t", "general") };
        let first = door.run(&mail).await.expect("new");
        let second = door.run(&mail).await.expect("again");
        assert_eq!((first.value["id"].clone(), second.seq), (second.value["id"].clone(), None));
    }

    async fn taking_back_is_refused_once_somebody_gave_it_on(fresh: Fresh) {
        let clock = clock();
        let wang = fresh.door("wang", Role::Operator, &clock);
        wang.run(&new("t", "general")).await.expect("new");
        let claimed = wang.run(&Change::new(1, What::Claim)).await.expect("claim");
        let li = fresh.door("li", Role::Operator, &clock);
        li.run(&Change::new(1, What::Assign(Some("zhao".into())))).await.expect("assign");
        let refused = wang.run(claimed.undo.expect("undo").as_ref()).await;
        assert!(matches!(&refused, Err(ActionError::Conflict { who, .. }) if who == "li"), "{refused:?}");
    }

    async fn an_undo_puts_the_clocks_back_as_if_nothing_had_happened(fresh: Fresh) {
        let clock = clock();
        let door = fresh.door("wang", Role::Supervisor, &clock);
        door.run(&new("t", "important")).await.expect("new");
        door.run(&new("other", "urgent")).await.expect("new");
        door.run(&Change::new(1, What::Reply("on it".into()))).await.expect("reply");
        clock.set(clock.now() + 20 * MINUTE);
        let until = clock.now() + 2 * HOUR;
        let changes = [
            What::Claim,
            What::Assign(Some("li".into())),
            What::Note("n".into()),
            What::Call("张敏".into()),
            What::UserMessage { from: "张敏".into(), text: "?".into() },
            What::Link { kind: "host".into(), subject: "oa-1".into(), snapshot: serde_json::Value::Null },
            What::Level { scope: "department".into(), severity: "general".into(), reason: "small".into() },
            What::Pause { reason: "waiting_vendor".into(), until, note: String::new() },
            What::Resolve { cause: "disk".into(), solution: "cleaned".into() },
            What::Merge(2),
        ];
        for what in changes {
            let all = |id| {
                let store = fresh.store.clone();
                async move {
                    let mut t = store::get(&store, id).await.expect("get").expect("there");
                    t.version = 0;
                    t.next_at = 0;
                    t
                }
            };
            let before = (all(1).await, all(2).await);
            let done = door.run(&Change::new(1, what.clone())).await.expect("done");
            clock.set(clock.now() + MINUTE);
            let undo = done.undo.expect("everything here can be taken back");
            let undone = door.run(undo.as_ref()).await.expect("undone");
            let after = (all(1).await, all(2).await);
            assert_eq!(after.0.resolution_due, before.0.resolution_due, "{what:?}");
            if before.0.state != "new" {
                assert_eq!(after, before, "{what:?}");
            }
            assert!(undone.undo.is_some(), "{what:?} can be done again");
        }
        let refused = door.run(door.run(&Change::new(1, What::Reply("sent".into()))).await.expect("reply").undo.expect("held").as_ref()).await;
        refused.expect("within ten seconds");
        let reply = door.run(&Change::new(1, What::Reply("sent".into()))).await.expect("reply");
        clock.set(clock.now() + 11_000);
        assert!(matches!(door.run(reply.undo.expect("held").as_ref()).await, Err(ActionError::Invalid(_))));
    }

    async fn a_pause_that_was_undone_counts_again(fresh: Fresh) {
        let clock = clock();
        let start = clock.now();
        let door = fresh.door("wang", Role::Operator, &clock);
        door.run(&new("t", "urgent")).await.expect("new");
        let pause = What::Pause { reason: "waiting_vendor".into(), until: start + HOUR, note: String::new() };
        let paused = door.run(&Change::new(1, pause)).await.expect("pause");
        clock.set(start + 10 * MINUTE);
        door.run(paused.undo.expect("undo").as_ref()).await.expect("undone");
        let t = store::get(&fresh.store, 1).await.expect("get").expect("there");
        assert_eq!((t.state.as_str(), t.resolution_due), ("new", Some(start + 2 * HOUR)));
    }

    async fn a_new_calendar_moves_open_clocks_and_leaves_what_is_over(fresh: Fresh) {
        let clock = Clock::manual(parse_rfc3339("2026-12-30T16:00:00+08:00").expect("time"));
        let door = fresh.door("zhao", Role::Supervisor, &clock);
        door.run(&new("open", "general")).await.expect("new");
        door.run(&new("over", "general")).await.expect("new");
        clock.set(clock.now() + HOUR);
        door.run(&Change::new(2, What::Reply("soon".into()))).await.expect("reply");
        clock.set(parse_rfc3339("2026-12-31T15:00:00+08:00").expect("time"));
        let solved = What::Resolve { cause: "c".into(), solution: "s".into() };
        door.run(&Change::new(2, solved)).await.expect("resolve");
        assert!(!store::is_recount_due(&fresh.store, &door.config().tickets).await.expect("due"));
        let (was, over) = (
            store::get(&fresh.store, 1).await.expect("get").expect("there"),
            store::get(&fresh.store, 2).await.expect("get").expect("there"),
        );
        // 8 h from Wednesday 16:00: 2 h, then 5 of Thursday's 8
        assert_eq!(was.resolution_due, parse_rfc3339("2026-12-31T16:00:00+08:00").ok());
        // the notice for 2027 rules the last day of 2026
        let day = |d: &str| d.parse().expect("day");
        let list = HolidayList { year: 2027, days: vec![(day("2026-12-31"), true), (day("2027-01-01"), true), (day("2027-01-03"), false)] };
        let import = Import { list, source: "2027.json".into() };
        let viewer = fresh.door("guest", Role::Viewer, &clock);
        assert!(matches!(viewer.run(&import).await, Err(ActionError::Denied { .. })));
        let done = door.run(&import).await.expect("import");
        assert_eq!(done.value["version"], 2);
        assert_eq!(door.run(&import).await.expect("again").seq, None, "nothing new");
        assert!(store::is_recount_due(&fresh.store, &door.config().tickets).await.expect("due"));
        assert_eq!(door.run(&Recount).await.expect("recount").value["more"], false);
        assert!(!store::is_recount_due(&fresh.store, &door.config().tickets).await.expect("due"));
        let open = store::get(&fresh.store, 1).await.expect("get").expect("there");
        // Thursday is off now, and Sunday is a working day
        assert_eq!(open.resolution_due, parse_rfc3339("2027-01-03T16:00:00+08:00").ok());
        let past = store::happenings(&fresh.store, 1).await.expect("past");
        assert_eq!(past.iter().filter(|h| h.kind == "calendar_changed").count(), 1);
        let after = store::get(&fresh.store, 2).await.expect("get").expect("there");
        assert_eq!(after, over, "what is over is not touched");
        let policy = store::policy(&fresh.store, &door.config().tickets).await.expect("policy");
        let past = store::happenings(&fresh.store, 2).await.expect("past");
        let clocks = zhiban::tickets::actions::clocks_json(&policy, &past, clock.now()).expect("clocks");
        assert_eq!((&clocks["resolution"]["consumed_s"], &clocks["resolution"]["breached"]), (&serde_json::json!(25_200), &serde_json::json!(false)));
        let snapshot = &past.iter().find(|h| h.kind == "resolved").expect("resolved").data["resolution"];
        assert_eq!((&snapshot["calendar_version"], &snapshot["budget_s"]), (&serde_json::json!(1), &serde_json::json!(28_800)));
    }

    async fn two_who_pull_get_two_tickets_the_most_urgent_first(fresh: Fresh) {
        let clock = clock();
        let wang = fresh.door("wang", Role::Operator, &clock);
        for severity in ["general", "urgent", "important"] {
            wang.run(&new(severity, severity)).await.expect("new");
        }
        let li = fresh.door("li", Role::Operator, &clock);
        let (a, b) = tokio::join!(wang.run_pull(), li.run_pull());
        let mut got = [a, b];
        got.sort_unstable();
        assert_eq!(got, [2, 3]);
        assert_eq!(wang.run_pull().await, 1);
        assert!(matches!(wang.run(&Pull::default()).await, Err(ActionError::NotFound { .. })));
    }

    async fn a_later_message_of_the_user_has_a_clock_of_its_own(fresh: Fresh) {
        let clock = clock();
        let start = clock.now();
        let mut config = zhiban::config::Config::default();
        let rule = config.tickets.levels.get_mut("urgent").expect("urgent");
        rule.next_response = Some(zhiban::config::Dur(20 * MINUTE));
        config.tickets.warn_before = vec![zhiban::config::Dur(5 * MINUTE)];
        let actor = zhiban::action::Actor { name: "wang".into(), role: Role::Operator, origin: "test".into(), unclaimed: false };
        let door = zhiban::action::Door::new(fresh.store.clone(), clock.clone(), config.into(), actor, false);
        door.run(&new("t", "urgent")).await.expect("new");
        door.run(&Change::new(1, What::Reply("on it".into()))).await.expect("reply");
        let get = || async { store::get(&fresh.store, 1).await.expect("get").expect("there") };
        let wrote = || Change::new(1, What::UserMessage { from: "张敏".into(), text: "还没好".into() });
        door.run(&wrote()).await.expect("message");
        assert_eq!(get().await.next_due, Some(start + 30 * MINUTE), "never before the first response was due");
        door.run(&Change::new(1, What::Call("张敏".into()))).await.expect("call");
        assert_eq!(get().await.next_due, None, "answered");
        clock.set(start + HOUR);
        door.run(&wrote()).await.expect("message");
        clock.set(clock.now() + 10 * MINUTE);
        door.run(&wrote()).await.expect("writing again does not push the clock");
        assert_eq!(get().await.next_due, Some(start + HOUR + 20 * MINUTE));
        clock.set(start + HOUR + 16 * MINUTE);
        door.run(&Change::new(1, What::Tick)).await.expect("tick");
        clock.set(start + HOUR + 21 * MINUTE);
        for _ in 0..2 {
            door.run(&Change::new(1, What::Tick)).await.expect("tick");
        }
        let past = store::happenings(&fresh.store, 1).await.expect("past");
        let of = |kind: &str| past.iter().filter(|h| h.kind == kind && h.data["clock"] == "next_response").count();
        assert_eq!(of("sla_breached"), 1);
        let before = past.iter().filter(|h| h.data["before_due_s"] == 300 && h.data["clock"] == "next_response");
        assert_eq!(before.count(), 1, "five minutes before due, once");
    }

    async fn a_title_has_a_limit_that_is_told(fresh: Fresh) {
        let door = fresh.door("wang", Role::Operator, &clock());
        let long = "磁盘".repeat(5_000);
        door.run(&new(&long, "general")).await.expect("ten thousand characters");
        assert_eq!(store::get(&fresh.store, 1).await.expect("get").expect("there").title, long);
        let refused = door.run(&new(&format!("{long}!"), "general")).await;
        assert!(matches!(&refused, Err(ActionError::Invalid(why)) if why.contains("10001")), "{refused:?}");
        let body: String = (0..60_000).map(|i| format!("word{i} ")).collect();
        door.run(&New { body, ..new("long", "general") }).await.expect("a long text is stored whole");
        assert_eq!(store::find(&fresh.store, "", 10).await.expect("all").len(), 2, "a blank query finds all");
        assert_eq!(store::find(&fresh.store, "word7", 10).await.expect("found").len(), 1);
    }

    async fn what_was_solved_before_is_found_by_its_words(fresh: Fresh) {
        let door = fresh.door("wang", Role::Operator, &clock());
        for (title, solution) in [("磁盘空间不足 oa-db-1", "清理归档日志"), ("打印机卡纸", "换纸盒")] {
            door.run(&new(title, "general")).await.expect("new");
            let id = store::find(&fresh.store, "", 1).await.expect("newest")[0].id;
            let solved = What::Resolve { cause: "c".into(), solution: solution.into() };
            door.run(&Change::new(id, solved)).await.expect("resolve");
        }
        let found = store::similar(&fresh.store, "oa-db-2 磁盘空间告警", store::Among::Solved, None, 5).await.expect("similar");
        assert_eq!(found.iter().map(|s| s.solution.as_str()).collect::<Vec<_>>(), ["清理归档日志"]);
    }

    async fn the_rare_word_makes_tickets_alike(fresh: Fresh) {
        let door = fresh.door("wang", Role::Operator, &clock());
        for i in 0..30 {
            door.run(&new(&format!("打印机 offline 楼层{i}"), "general")).await.expect("new");
        }
        door.run(&new("打印机 offline kerberos", "general")).await.expect("new");
        door.run(&new("kerberos 登录失败", "general")).await.expect("new");
        let alike = async |text: &str, except| {
            store::similar(&fresh.store, text, store::Among::All, except, 3).await.expect("similar")
        };
        let found = alike("打印机 offline kerberos", Some(31)).await;
        assert_eq!(found.len(), 3);
        assert!(found.iter().all(|s| s.id != 31 && s.score > 0.0 && s.score < 1.0));
        let found = alike("打印机 offline kerberos", None).await;
        assert_eq!((found[0].id, found[0].score), (31, 1.0));
        assert!(found[0].score > found[1].score);
        assert!(alike("… ! ?", None).await.is_empty());
        assert!(alike("无关内容 unrelated", None).await.is_empty());
    }

    async fn another_policy_is_tried_on_what_happened(fresh: Fresh) {
        use zhiban::tickets::simulate::simulate;
        let clock = clock();
        let door = fresh.door("wang", Role::Operator, &clock);
        let before = Tickets::default();
        door.run(&new("answered late", "urgent")).await.expect("new");
        door.run(&new("answered in time", "general")).await.expect("new");
        clock.set(clock.now() + 40 * MINUTE);
        for id in [1, 2] {
            door.run(&Change::new(id, What::Reply("…".into()))).await.expect("reply");
        }
        let solve = What::Resolve { cause: "c".into(), solution: "s".into() };
        for id in [1, 2] {
            door.run(&Change::new(id, solve.clone())).await.expect("resolve");
        }
        clock.set(clock.now() + 60 * MINUTE);
        let month = (clock.now() - 30 * 24 * 60 * MINUTE, clock.now());
        let same = simulate(&fresh.store, &before, &before, month, clock.now()).await.expect("simulated");
        assert_eq!((same.tickets, same.now, same.then, same.changed.len()), (2, 1, 1, 0));
        let text = "[levels]\nurgent = { response = \"1h\", resolution = \"2h\", calendar = \"always\" }\n\
                    general = { response = \"10m\", resolution = \"30m\", calendar = \"always\" }\n";
        let then = before.overlaid("p.toml", text).expect("policy");
        assert!(then.levels.contains_key("important"), "what the file does not say stays");
        let tried = simulate(&fresh.store, &before, &then, month, clock.now()).await.expect("simulated");
        assert_eq!((tried.now, tried.then), (1, 2));
        let changed: Vec<_> = tried.changed.iter().map(|c| (c.id, c.clock, c.now, c.then)).collect();
        assert_eq!(changed, [(1, "response", true, false), (2, "response", false, true), (2, "resolution", false, true)]);
        let wrong = before.overlaid("p.toml", "[levels]\nurgnt = 3\n").expect_err("wrong").to_string();
        assert!(wrong.contains("p.toml:2"), "{wrong}");
        let wrong = before.overlaid("p.toml", "[office]\nzone = \"Mars\"\n").expect_err("wrong").to_string();
        assert!(wrong.contains("p.toml:2"), "{wrong}");
    }

    async fn every_order_pages_without_gap(fresh: Fresh) {
        use zhiban::tickets::store::Order;
        let clock = clock();
        let door = fresh.door("wang", Role::Operator, &clock);
        for i in 0..12 {
            door.run(&new(&format!("t{i}"), ["general", "urgent"][i % 2])).await.expect("new");
        }
        for order in Order::ALL {
            let page = |at, limit| store::page_in(&fresh.store, (Queue::All, order), "wang", clock.now(), at, limit);
            let ids = |rows: Vec<zhiban::tickets::model::Ticket>| rows.iter().map(|t| t.id).collect::<Vec<_>>();
            let whole = page(Cursor::Start, 100).await.expect("whole");
            let (u, id) = order.place(&whole[4]);
            let whole = ids(whole);
            assert_eq!(ids(page(Cursor::After(u, id), 3).await.expect("after")), whole[5..8], "{order:?}");
            assert_eq!(ids(page(Cursor::From(u, id), 3).await.expect("from")), whole[4..7], "{order:?}");
            assert_eq!(ids(page(Cursor::Before(u, id), 3).await.expect("before")), whole[1..4], "{order:?}");
            assert_eq!(ids(page(Cursor::End, 3).await.expect("end")), whole[9..], "{order:?}");
        }
    }

    async fn pages_by_key_meet_without_gap_in_both_directions(fresh: Fresh) {
        let clock = clock();
        let door = fresh.door("wang", Role::Operator, &clock);
        for i in 0..25 {
            clock.set(clock.now() + MINUTE);
            door.run(&new(&format!("t{i}"), ["general", "important", "urgent"][i % 3])).await.expect("new");
        }
        let now = clock.now() + 24 * MINUTE;
        for queue in [Queue::All, Queue::Unassigned, Queue::Breaching] {
            let page = |at, limit| store::page_at(&fresh.store, queue, "wang", now, at, limit);
            let key = |t: &zhiban::tickets::model::Ticket| (t.urgency, t.id);
            let whole: Vec<_> = page(Cursor::Start, 100).await.expect("whole").iter().map(key).collect();
            assert!(whole.is_sorted() && whole.len() >= 8, "{queue:?} {}", whole.len());
            let (u, id) = whole[4];
            let keys = |rows: Vec<_>| rows.iter().map(key).collect::<Vec<_>>();
            assert_eq!(keys(page(Cursor::After(u, id), 3).await.expect("after")), whole[5..8]);
            assert_eq!(keys(page(Cursor::From(u, id), 3).await.expect("from")), whole[4..7]);
            assert_eq!(keys(page(Cursor::Before(u, id), 3).await.expect("before")), whole[1..4]);
            assert_eq!(keys(page(Cursor::End, 3).await.expect("end")), whole[whole.len() - 3..]);
        }
    }
}

#[tokio::test]
async fn no_queue_is_read_as_a_whole_or_sorted_as_a_whole() {
    let fresh = crate::db::fresh(crate::db::Db::Sqlite).await;
    for (name, plan) in store::plans(&fresh.store).await.expect("plans") {
        let reads_all = plan.lines().any(|l| l.starts_with("SCAN ticket") && !l.contains("USING"));
        assert!(!reads_all, "{name}:\n{plan}");
        // a page that was read backwards is turned round, and few hits are sorted: nothing else is
        let turned = ["Before", "End", "few=true"].iter().any(|n| name.contains(n));
        assert!(turned || !plan.contains("USE TEMP B-TREE"), "{name}:\n{plan}");
    }
}

on_both! {
    async fn a_search_for_common_words_finds_the_newest_and_one_for_rare_words_all(fresh: Fresh) {
        let door = fresh.door("wang", Role::Operator, &clock());
        for i in 0..60 {
            door.run(&new(if i % 20 == 0 { "磁盘空间不足 rare" } else { "合同审批卡住" }, "general")).await.expect("new");
        }
        let ids = |words: &'static str, limit| {
            let s = fresh.store.clone();
            async move { store::find(&s, words, limit).await.expect("find").iter().map(|t| t.id).collect::<Vec<_>>() }
        };
        assert_eq!(ids("合同审批", 3).await, [60, 59, 58]);
        assert_eq!(ids("合同审批", 100).await.len(), 57);
        assert_eq!(ids("磁盘空间 rare", 100).await, [41, 21, 1]);
        // of three and more the rarest are looked for first, whatever the order they are typed in
        assert_eq!(ids("磁盘空间 不足 rare 磁盘", 100).await, [41, 21, 1]);
        assert_eq!(ids("rare 合同审批 磁盘空间", 100).await, [0; 0]);
    }
}
