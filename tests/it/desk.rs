//! The ticket desk as its people use it: the tab by its keys, the commands by their exit codes.

use std::process::Command;

use serde_json::{Value, json};
use zhiban::action::Role;
use zhiban::calendar::HolidayList;
use zhiban::clock::{Clock, HOUR, MINUTE, parse_rfc3339};
use zhiban::config::Config;
use zhiban::console::tab::Tab;
use zhiban::console::testing::Driver;
use zhiban::health;
use zhiban::locale::{self, Lang};
use zhiban::tickets::actions::{Change, New, What};
use zhiban::tickets::store;

use crate::db::Fresh;
use crate::on_both;

fn new(title: &str, severity: &str) -> New {
    New {
        title: title.into(),
        scope: "individual".into(),
        severity: severity.into(),
        channel: "phone".into(),
        reporter: "张敏".into(),
        ..New::default()
    }
}

/// Tuesday, 10:00 in Shanghai.
fn clock() -> Clock {
    Clock::manual(parse_rfc3339("2026-11-24T10:00:00+08:00").expect("time"))
}

/// The console on the ticket tab, everything loaded.
async fn desk(fresh: &Fresh, role: Role, clock: &Clock) -> Driver {
    let door = fresh.door("wang", role, clock);
    let tabs: Vec<Box<dyn Tab>> = zhiban::console::all_tabs(&Config::default().into(), "wang");
    let tabs = tabs.into_iter().filter(|t| t.key() == "tickets").collect();
    let mut driver = Driver::new(tabs, Some(door), clock.now(), None);
    driver.settle().await;
    driver
}

async fn owner(fresh: &Fresh, id: i64) -> Option<String> {
    store::get(&fresh.store, id).await.expect("get").expect("there").owner
}

on_both! {
    async fn a_filter_finds_what_it_says_by_key_and_by_queue(fresh: Fresh) {
        let clock = clock();
        let door = fresh.door("wang", Role::Operator, &clock);
        for (title, severity, reporter) in [
            ("打印机 paper jam", "urgent", "张敏（财务部）"),
            ("printer 打印机 offline", "general", "李雷"),
            ("VPN", "important", "张敏（财务部）"),
        ] {
            door.run(&New { reporter: reporter.into(), ..new(title, severity) }).await.expect("new");
        }
        door.run(&Change::new(2, What::Claim)).await.expect("claim");
        let solve = What::Resolve { cause: "c".into(), solution: "s".into() };
        door.run(&Change::new(3, solve)).await.expect("resolve");
        clock.set(clock.now() + 45 * MINUTE);
        let now = clock.now();
        for (text, ids) in [
            ("", vec![1, 2]),
            ("level:urgent", vec![1]),
            ("-level:urgent", vec![2]),
            ("from:财务", vec![1]),
            ("from:财务 state:any", vec![3, 1]),
            ("owner:me", vec![2]),
            ("owner:none", vec![1]),
            ("owner:wang", vec![2]),
            ("owner:li", vec![]),
            ("打印机", vec![2, 1]),
            ("打印机 owner:none", vec![1]),
            ("打印机 -offline", vec![1]),
            ("\"paper jam\"", vec![1]),
            ("\"jam paper\"", vec![]),
            ("breached", vec![1]),
            ("-breached", vec![2]),
            ("paused", vec![]),
            ("age>30m", vec![1, 2]),
            ("age<30m", vec![]),
            ("due<0s", vec![1]),
            ("due>1h", vec![2]),
            ("channel:mail", vec![]),
            ("channel:phone scope:individual", vec![1, 2]),
            ("state:resolved", vec![3]),
            ("100%", vec![]),
        ] {
            let filter = zhiban::text::filter::parse(text).expect(text);
            let found = store::filtered(&fresh.store, &filter, "wang", now, 50).await.expect(text);
            assert_eq!(found.tickets.iter().map(|t| t.id).collect::<Vec<_>>(), ids, "{text}");
            assert!(!found.capped);
            let (n, more) = store::count_filtered(&fresh.store, &filter, "wang", now).await.expect(text);
            assert_eq!((n, more), (ids.len() as i64, false), "{text}");
        }
        let mut config = Config::default();
        let queue = |name: &str, filter: &str| zhiban::config::SavedQueue { name: name.into(), filter: filter.into() };
        config.tickets.queues = vec![queue("财务未认领", "from:财务 owner:none"), queue("mine solved", "owner:me state:resolved")];
        let tabs: Vec<Box<dyn Tab>> = zhiban::console::all_tabs(&config.into(), "wang");
        let tabs = tabs.into_iter().filter(|t| t.key() == "tickets").collect();
        let mut d = Driver::new(tabs, Some(fresh.door("wang", Role::Operator, &clock)), clock.now(), None);
        d.size = (160, 40);
        d.settle().await;
        d.keys("right").await;
        d.settle().await;
        let screen = d.screen();
        assert!(screen.contains("财务未认领 1") && screen.contains("mine solved 1"), "{screen}");
        assert!(screen.contains("paper jam") && !screen.contains("offline"), "{screen}");
        d.keys("left").await;
        d.settle().await;
        assert!(d.screen().contains("offline"));
    }

    async fn the_next_ticket_is_pulled_opened_and_given_back(fresh: Fresh) {
        let clock = clock();
        let door = fresh.door("li", Role::Operator, &clock);
        for severity in ["general", "urgent", "important"] {
            door.run(&new(&format!("matter {severity}"), severity)).await.expect("new");
        }
        let mut d = desk(&fresh, Role::Operator, &clock).await;
        d.keys("n").await;
        assert_eq!(owner(&fresh, 2).await.as_deref(), Some("wang"));
        d.pass(100).await;
        d.keys("j").await;
        let screen = d.screen();
        assert!(screen.contains("#2") && screen.contains("matter urgent") && !screen.contains("matter general"), "{screen}");
        d.keys("esc u").await;
        assert_eq!(owner(&fresh, 2).await, None);
        d.keys("U").await;
        assert_eq!(owner(&fresh, 2).await.as_deref(), Some("wang"));
    }

    async fn marked_tickets_change_together_and_each_is_put_back(fresh: Fresh) {
        let clock = clock();
        let door = fresh.door("li", Role::Operator, &clock);
        for i in 0..4 {
            door.run(&new(&format!("t{i}"), "general")).await.expect("new");
        }
        let mut d = desk(&fresh, Role::Operator, &clock).await;
        d.keys("space space space").await;
        assert!(d.screen().contains("li opened it"), "the ticket under the cursor is whole\n{}", d.screen());
        d.keys("a").await;
        for id in 1..=3 {
            assert_eq!(owner(&fresh, id).await.as_deref(), Some("wang"));
        }
        assert_eq!(owner(&fresh, 4).await, None);
        d.keys("u").await;
        for id in 1..=3 {
            assert_eq!(owner(&fresh, id).await, None, "{id}");
        }
    }

    async fn what_was_acted_on_stays_under_the_cursor(fresh: Fresh) {
        let clock = clock();
        let door = fresh.door("li", Role::Operator, &clock);
        for (title, reporter) in [("one", "张敏"), ("two", "李雷"), ("three", "王芳")] {
            door.run(&New { reporter: reporter.into(), ..new(title, "general") }).await.expect("new");
        }
        let mut d = desk(&fresh, Role::Operator, &clock).await;
        // nobody's, the second of three
        d.keys("left left j").await;
        assert!(d.screen().contains("#2"), "{}", d.screen());
        d.keys("a").await;
        assert_eq!(owner(&fresh, 2).await.as_deref(), Some("wang"));
        d.keys("r").await;
        let form = d.screen();
        assert!(form.contains("#2") && form.contains("goes to 李雷"), "the next key reaches its neighbour\n{form}");
        d.keys("\"found it\" enter").await;
        let answered = store::get(&fresh.store, 2).await.expect("get").expect("there");
        assert!(answered.response_met_at.is_some());
        assert!(d.screen().contains("two"), "{}", d.screen());
        d.keys("j").await;
        assert!(!d.screen().contains("two"), "it left with the cursor\n{}", d.screen());
        d.keys("a").await;
        assert_eq!(owner(&fresh, 3).await.as_deref(), Some("wang"));
        assert_eq!(owner(&fresh, 1).await, None);
    }

    async fn a_reply_to_many_names_them_all(fresh: Fresh) {
        let clock = clock();
        let door = fresh.door("li", Role::Operator, &clock);
        for reporter in ["a1", "a2", "a3", "a4", "a5"] {
            door.run(&New { reporter: reporter.into(), ..new(reporter, "general") }).await.expect("new");
        }
        let mut d = desk(&fresh, Role::Operator, &clock).await;
        d.keys("space space r").await;
        assert!(d.screen().contains("goes to a1 · a2 "), "{}", d.screen());
        d.keys("esc space space space r").await;
        assert!(d.screen().contains("goes to 5 users"), "{}", d.screen());
        // whom of the five was called? nobody is guessed
        d.keys("esc c enter").await;
        for id in 1..=5 {
            assert_eq!(store::get(&fresh.store, id).await.expect("get").expect("there").response_met_at, None);
        }
    }

    async fn keys_reach_nothing_that_is_not_seen(fresh: Fresh) {
        let clock = clock();
        let door = fresh.door("li", Role::Operator, &clock);
        door.run(&new("t", "general")).await.expect("new");
        let mut d = desk(&fresh, Role::Operator, &clock).await;
        d.size = (40, 10);
        d.screen();
        d.keys("a N \"abc\"").await;
        assert_eq!(owner(&fresh, 1).await, None);
        d.size = (120, 36);
        assert!(d.screen().contains("#1") && !d.screen().contains("abc"), "{}", d.screen());
        d.keys("a").await;
        assert_eq!(owner(&fresh, 1).await.as_deref(), Some("wang"));
    }

    async fn a_key_that_cannot_act_says_why(fresh: Fresh) {
        let clock = clock();
        let door = fresh.door("li", Role::Operator, &clock);
        let mut empty = desk(&fresh, Role::Operator, &clock).await;
        empty.keys("r").await;
        assert!(empty.screen().contains("there is no ticket here"), "{}", empty.screen());
        door.run(&new("t", "general")).await.expect("new");
        door.run(&Change::new(1, What::Claim)).await.expect("claim");
        let mut d = desk(&fresh, Role::Operator, &clock).await;
        for (key, why) in [
            ("a", "#1 is li's"),
            ("W", "#1 is not paused"),
            ("X", "#1 is not resolved"),
            ("m", "mark the tickets to merge"),
            ("z", "supervisor"),
            ("L", "nothing to link yet"),
        ] {
            d.keys(key).await;
            let screen = d.screen();
            assert!(screen.contains(why), "{key}: {why}\n{screen}");
        }
        let mut viewer = desk(&fresh, Role::Viewer, &clock).await;
        viewer.keys("r").await;
        assert!(viewer.screen().contains("operator"), "{}", viewer.screen());
    }

    async fn the_level_picker_shows_the_new_due_before_enter(fresh: Fresh) {
        let clock = clock();
        fresh.door("li", Role::Operator, &clock).run(&new("t", "general")).await.expect("new");
        clock.set(clock.now() + 45 * MINUTE);
        let mut d = desk(&fresh, Role::Operator, &clock).await;
        d.keys("e").await;
        assert!(d.screen().contains("response due 11-24 12:00:00"), "{}", d.screen());
        d.keys("tab right right").await;
        let screen = d.screen();
        assert!(screen.contains("response due 11-24 10:30:00, resolution due 11-24 12:00:00"), "{screen}");
        assert!(screen.contains("this breaches at once"), "{screen}");
        assert_eq!(store::get(&fresh.store, 1).await.expect("get").expect("there").level, "general");
        d.keys("tab \"everybody\" enter").await;
        assert_eq!(store::get(&fresh.store, 1).await.expect("get").expect("there").level, "urgent");
    }

    async fn solving_offers_what_was_solved_before_and_takes_it_over(fresh: Fresh) {
        let clock = clock();
        let door = fresh.door("li", Role::Operator, &clock);
        door.run(&new("磁盘空间不足 oa-db-1", "general")).await.expect("new");
        door.run(&Change::new(1, What::Resolve { cause: "日志".into(), solution: "清理归档日志".into() })).await.expect("resolve");
        door.run(&new("磁盘空间不足 oa-db-2", "general")).await.expect("new");
        let mut d = desk(&fresh, Role::Operator, &clock).await;
        d.keys("x").await;
        assert!(d.screen().contains("清理归档日志"), "{}", d.screen());
        d.keys("tab \"#1\" enter").await;
        let t = store::get(&fresh.store, 2).await.expect("get").expect("there");
        assert_eq!((t.cause.as_deref(), t.solution.as_deref()), (Some("日志"), Some("清理归档日志 (#1)")));
    }

    async fn a_host_is_linked_with_how_it_was(fresh: Fresh) {
        let clock = clock();
        fresh.door("li", Role::Operator, &clock).run(&new("slow", "general")).await.expect("new");
        let sample = health::model::Sample { host: "oa-app-1".into(), at: clock.now(), cpu: 97.0, ..Default::default() };
        health::store::add(&fresh.store, &[sample], 10_000).await.expect("sample");
        let mut d = desk(&fresh, Role::Operator, &clock).await;
        d.pass(31_000).await;
        d.keys("L").await;
        assert!(d.screen().contains("oa-app-1"), "{}", d.screen());
        d.keys("\"oa-app\" enter").await;
        let past = store::happenings(&fresh.store, 1).await.expect("past");
        let linked = past.iter().find(|h| h.kind == "linked").expect("linked");
        assert_eq!((&linked.data["subject"], &linked.data["snapshot"]["cpu"]), (&json!("oa-app-1"), &json!(97.0)));
    }

    async fn the_states_of_a_clock_look_as_designed(fresh: Fresh) {
        let clock = clock();
        let start = clock.now();
        let door = fresh.door("wang", Role::Operator, &clock);
        for title in ["running", "paused", "solved"] {
            door.run(&new(title, "important")).await.expect("new");
            door.run(&Change::new(store::find(&fresh.store, "", 1).await.expect("newest")[0].id, What::Reply("ok".into()))).await.expect("reply");
        }
        door.run(&new("loud", "urgent")).await.expect("new");
        let until = start + 5 * HOUR;
        door.run(&Change::new(2, What::Pause { reason: "waiting_user".into(), until, note: String::new() })).await.expect("pause");
        clock.set(start + 30 * MINUTE);
        door.run(&Change::new(3, What::Resolve { cause: "c".into(), solution: "s".into() })).await.expect("resolve");
        clock.set(start + 25 * MINUTE + 30 * MINUTE);
        let mut d = desk(&fresh, Role::Operator, &clock).await;
        let screen = d.screen();
        for cell in ["✗ +25:00 resp", "  3h05m", "‖ 4h00m user"] {
            assert!(screen.contains(cell), "{cell}\n{screen}");
        }
        d.keys("/ \"solved\" enter").await;
        assert!(d.screen().contains("✓ met in 30:00"), "{}", d.screen());
        d.keys("esc").await;
        // 18:30, the office is closed; nothing of what is left is used
        clock.set(start + 8 * HOUR + 30 * MINUTE);
        door.run(&new("late", "general")).await.expect("new");
        let mut d = desk(&fresh, Role::Operator, &clock).await;
        let screen = d.screen();
        assert!(screen.contains("☾ 2h00m → 09:00"), "{screen}");
        d.ascii = true;
        let screen = d.screen();
        assert!(screen.contains("z 2h00m > 09:00") && screen.contains("X +"), "{screen}");
        // a due time beyond the holiday lists is marked
        clock.set(parse_rfc3339("2026-12-31T17:30:00+08:00").expect("time"));
        door.run(&new("eve", "general")).await.expect("new");
        let mut d = desk(&fresh, Role::Operator, &clock).await;
        d.keys("/ \"eve\" enter").await;
        let screen = d.screen();
        assert!(screen.contains("2h00m resp?"), "{screen}");
        assert!(screen.contains("the holiday list of 2027 is missing"), "{screen}");
    }

    async fn every_word_of_a_ticket_is_in_the_language_of_the_reader(fresh: Fresh) {
        let clock = clock();
        let door = fresh.door("wang", Role::Supervisor, &clock);
        door.run(&new("报销", "urgent")).await.expect("new");
        clock.set(clock.now() + HOUR);
        let until = clock.now() + HOUR;
        let pause = || What::Pause { reason: "waiting_vendor".into(), until, note: "等厂商".into() };
        let changes = [
            What::Claim, What::Reply("好".into()), What::Note("注".into()), What::Call("张敏".into()), pause(), What::Resume,
            What::Level { scope: "department".into(), severity: "important".into(), reason: "小".into() },
            What::UserMessage { from: "张敏".into(), text: "喂".into() },
            What::Excuse { clock: "response".into(), reason: "停电".into() },
            What::Link { kind: "host".into(), subject: "甲".into(), snapshot: Value::Null },
        ];
        for what in changes {
            door.run(&Change::new(1, what)).await.expect("done");
        }
        let undo = door.run(&Change::new(1, What::Note("错".into()))).await.expect("note").undo.expect("undo");
        door.run(undo.as_ref()).await.expect("undone");
        let mut d = desk(&fresh, Role::Operator, &clock).await;
        d.keys("enter").await;
        let screen = locale::with(Lang::Zh, || d.screen());
        let ours: Vec<&str> = screen.lines().skip(1).take(30).collect();
        for word in ours.iter().flat_map(|l| l.split(|c: char| !c.is_ascii_alphabetic())).filter(|w| w.len() > 3) {
            assert!(["wang"].contains(&word), "{word}\n{screen}");
        }
        d.keys("E").await;
    }

    async fn the_commands_keep_their_contract(fresh: Fresh) {
        let home = tempfile::tempdir().expect("home");
        let run = |args: &[&str]| {
            let out = Command::new(env!("CARGO_BIN_EXE_zhiban"))
                .args(["--store", &fresh.url, "--lang", "en", "--json"])
                .args(args)
                .env("HOME", home.path())
                .env_remove("XDG_CONFIG_HOME")
                .env_remove("XDG_DATA_HOME")
                .env_remove("XDG_STATE_HOME")
                .env_remove("ZHIBAN_CONFIG")
                .output()
                .expect("runs");
            let value: Value = serde_json::from_slice(&out.stdout).unwrap_or(Value::Null);
            (out.status.code().expect("code"), value, String::from_utf8_lossy(&out.stderr).into_owned())
        };
        let (code, t, _) = run(&["ticket", "new", "--title", "打印机卡纸", "--severity", "urgent", "--reported-at", "10m ago"]);
        assert_eq!((code, &t["id"], &t["level"], &t["state"]), (0, &json!(1), &json!("urgent"), &json!("new")));
        let at = |key: &str| parse_rfc3339(t[key].as_str().expect(key)).expect(key);
        assert_eq!(at("response_due") - at("reported_at"), 30 * MINUTE);
        assert_eq!(at("resolution_due") - at("reported_at"), 2 * HOUR);
        let code = |args: &[&str]| run(args).0;
        assert_eq!(code(&["operator", "add", "li", "--role", "operator"]), 0);
        assert_eq!(code(&["operator", "add", "guest", "--role", "viewer"]), 0);
        for title in ["second", "third"] {
            assert_eq!(code(&["ticket", "new", "--title", title]), 0);
        }
        assert_eq!(code(&["ticket", "new", "--title", "x", "--reported-at", "in 5m"]), 2, "not in the future");
        assert_eq!(code(&["ticket", "new", "--title", "x", "--reported-at", "sometime"]), 2);
        assert_eq!(code(&["ticket", "new", "--title", "  "]), 2);
        assert_eq!(code(&["ticket", "claim", "1"]), 0);
        let (conflict, _, why) = run(&["--as", "li", "ticket", "claim", "1"]);
        assert_eq!(conflict, 4);
        assert!(why.contains(t["owner"].as_str().unwrap_or("#1")), "{why}");
        assert_eq!(code(&["--as", "guest", "ticket", "note", "1", "--text", "n"]), 5);
        assert_eq!(code(&["--read-only", "ticket", "note", "1", "--text", "n"]), 5);
        for verb in [vec!["show"], vec!["claim"], vec!["explain"], vec!["resume"], vec!["note", "--text", "n"]] {
            let mut args = vec!["ticket", verb[0], "99"];
            args.extend(&verb[1..]);
            assert_eq!(code(&args), 6, "{args:?}");
        }
        let until = "2099-01-01T00:00:00Z";
        let ok: [&[&str]; 15] = [
            &["assign", "1", "li"], &["reply", "1", "--text", "on it"], &["note", "1", "--text", "n"],
            &["call", "1", "--with", "张敏"], &["pause", "1", "--reason", "waiting_user", "--until", until], &["resume", "1"],
            &["message", "1", "--from", "张敏", "--text", "?"], &["link", "1", "--kind", "host", "--subject", "h"],
            &["level", "1", "--scope", "company", "--severity", "general", "--reason", "r"],
            &["resolve", "1", "--cause", "c", "--solution", "s"], &["reopen", "1"], &["merge", "3", "2"],
            &["show", "1"], &["explain", "1"], &["list", "--search", ""],
        ];
        for args in ok {
            let all: Vec<&str> = std::iter::once("ticket").chain(args.iter().copied()).collect();
            let (code, value, why) = run(&all);
            assert!(code == 0 && !value.is_null(), "{args:?} {code} {why}");
        }
        assert_eq!(code(&["ticket", "resume", "1"]), 2);
        let ids = |args: &[&str]| -> Vec<i64> {
            run(args).1.as_array().expect("array").iter().map(|t| t["id"].as_i64().expect("id")).collect()
        };
        assert_eq!(ids(&["ticket", "list"]), [2, 1], "most urgent first");
        assert_eq!(ids(&["ticket", "list", "--search", ""]), [3, 2, 1], "a blank search is everything, newest first");
        assert_eq!(ids(&["ticket", "list", "--search", "卡"]), [1]);
        assert_eq!(ids(&["ticket", "list", "--limit", "1"]), [2]);
        assert_eq!(ids(&["ticket", "list", "--queue", "unassigned"]), [2]);
        let explained = run(&["ticket", "explain", "1"]).1;
        let counted: f64 = explained["segments"].as_array().expect("segments").iter().filter(|s| s["counted"] == true).map(|s| {
            let at = |key: &str| parse_rfc3339(s[key].as_str().expect(key)).expect(key);
            (at("to") - at("from")) as f64 / 1e3
        }).sum();
        let used = explained["clocks"]["resolution"]["consumed_s"].as_f64().expect("used");
        assert!((counted - used).abs() < 1e-6, "{counted} {used}");
        // a newer holiday list
        let file = home.path().join("2027.json");
        std::fs::write(&file, r#"{"year": 2027, "days": [{"name": "元旦", "date": "2027-01-01", "isOffDay": true}]}"#).expect("file");
        let file = file.to_str().expect("path");
        assert_eq!(code(&["--as", "li", "calendar", "import", file]), 5);
        let (done, value, why) = run(&["calendar", "import", file]);
        assert_eq!((done, &value["version"]), (0, &json!(2)), "{why}");
        assert_eq!(run(&["calendar", "list"]).1["lists"].as_array().map(Vec::len), Some(3));
        assert_eq!((code(&["calendar", "show", "2027"]), code(&["calendar", "show", "2031"])), (0, 6));
        assert_eq!(code(&["calendar", "import", "/nowhere.json"]), 2);
    }
}

#[test]
fn a_list_of_another_shape_is_refused_with_what_is_wrong() {
    for (text, why) in [
        ("{", "EOF"),
        (r#"{"days": []}"#, "`year` is missing"),
        (r#"{"year": 2027, "days": [{"date": "2027-02-30", "isOffDay": true}]}"#, "days[0].date"),
        (r#"{"year": 2027, "days": [{"date": "2024-02-01", "isOffDay": true}]}"#, "does not belong"),
        (r#"{"year": 2027, "days": [{"date": "2027-02-01"}]}"#, "isOffDay"),
        (r#"{"year": 2027, "days": []}"#, "empty"),
    ] {
        let error = HolidayList::parse(text).expect_err("refused");
        assert!(error.contains(why), "{text}: {error}");
    }
}
