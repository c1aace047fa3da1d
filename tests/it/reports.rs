//! What people report: the same again, and two matters in one.

use zhiban::action::{ActionError, Door, Job as _, Role};
use zhiban::clock::{Clock, HOUR, MINUTE, SECOND, parse_rfc3339};
use zhiban::config::{CannedReply, Config, DeskCommand, NotifyChannel, Secret};
use zhiban::console::testing::Driver;
use zhiban::intake::answers::Answer;
use zhiban::notify::store as outbox;
use zhiban::tickets::actions::{Change, New, Report, Split, What};
use zhiban::tickets::model::{Happening, Ticket};
use zhiban::tickets::store;

use crate::db::Fresh;
use crate::on_both;

/// Tuesday, 10:00 in Shanghai.
fn clock() -> Clock {
    Clock::manual(parse_rfc3339("2026-11-24T10:00:00+08:00").expect("time"))
}

fn new(title: &str) -> New {
    New {
        title: title.into(),
        scope: "individual".into(),
        severity: "general".into(),
        channel: "phone".into(),
        reporter: "张敏".into(),
        ..New::default()
    }
}

async fn whole(fresh: &Fresh, id: i64) -> (Ticket, Vec<Happening>) {
    let ticket = store::get(&fresh.store, id).await.expect("get").expect("there");
    (ticket, store::happenings(&fresh.store, id).await.expect("happenings"))
}

/// The ticket tab for the operator `name`.
async fn desk(fresh: &Fresh, name: &str, clock: &Clock) -> Driver {
    let tabs = zhiban::console::all_tabs(&Config::default().into(), name);
    let tabs = tabs.into_iter().filter(|t| t.key() == "tickets").collect();
    let mut driver = Driver::new(tabs, Some(fresh.door(name, Role::Operator, clock)), clock.now(), None);
    driver.settle().await;
    driver
}

on_both! {
    async fn a_matter_reported_again_is_counted_and_both_reporters_hear_of_it(fresh: Fresh) {
        let clock = clock();
        let mut config = Config::default();
        config.notify.channels = vec![NotifyChannel {
            name: "app".into(),
            kind: "webhook".into(),
            url: Secret::new("http://127.0.0.1:9/"),
            body: "{}".into(),
            ..NotifyChannel::default()
        }];
        config.notify.answer_by = [("wecom".to_owned(), "app".to_owned())].into();
        let system = Door::system(fresh.store.clone(), clock.clone(), config.into());
        Answer.run(&system).await.expect("begin");
        let door = fresh.door("wang", Role::Operator, &clock);
        let first = New { channel: "wecom".into(), contact: "zhangmin".into(), ..new("VPN 断线") };
        door.run(&first).await.expect("new");
        let due = whole(&fresh, 1).await.0.resolution_due.expect("due");
        let report = |minutes: i64| Report {
            from: "李雷".into(),
            channel: "wecom".into(),
            contact: "lilei".into(),
            text: "我也断线".into(),
            reported_at: Some(clock.now() - minutes * MINUTE),
            ..Report::default()
        };
        let joined = door.run(&Change::new(1, What::Report(report(30)))).await.expect("join");
        assert_eq!(joined.value["reports"], 2);
        let (t, past) = whole(&fresh, 1).await;
        assert_eq!((t.reports, t.flag.as_deref(), t.state.as_str()), (2, Some("reported"), "new"));
        assert_eq!(t.resolution_due, Some(due - 30 * MINUTE), "the clocks start at the earliest report");
        assert_eq!((past[1].kind.as_str(), &past[1].data["text"]), ("reported", &"我也断线".into()));
        let told = async || {
            door.run(&Change::new(1, What::Reply("正在处理".into()))).await.expect("reply");
            Answer.run(&system).await.expect("answer");
            let mut all = outbox::list(&fresh.store, Some("queued"), 99).await.expect("outbox");
            let mut names: Vec<String> = all.drain(..).map(|q| q.message.recipient).collect();
            names.sort();
            for q in outbox::list(&fresh.store, Some("queued"), 99).await.expect("outbox") {
                system.run(&zhiban::notify::actions::Discard { id: q.id }).await.expect("discard");
            }
            names
        };
        assert_eq!(told().await, ["lilei", "zhangmin"]);
        // a report that is taken back was never made: for the count, the clocks and the replies
        let back = joined.undo.expect("undo");
        clock.set(clock.now() + MINUTE);
        // the first answer has made it another ticket since
        assert!(door.run(&*back).await.is_err());
        let again = door.run(&Change::new(1, What::Report(report(40)))).await.expect("join");
        assert_eq!(whole(&fresh, 1).await.0.reports, 3);
        let undone = door.run(&*again.undo.expect("undo")).await.expect("taken back");
        assert_eq!(whole(&fresh, 1).await.0.reports, 2);
        assert_eq!(whole(&fresh, 1).await.0.resolution_due, Some(due - 30 * MINUTE));
        assert_eq!(told().await, ["lilei", "zhangmin"]);
        door.run(&*undone.undo.expect("redo")).await.expect("done again");
        assert_eq!(whole(&fresh, 1).await.0.reports, 3);
        // a ticket that waits goes on waiting, and one that is closed takes none
        let until = clock.now() + HOUR;
        let pause = What::Pause { reason: "waiting_vendor".into(), until, note: String::new() };
        door.run(&Change::new(1, pause)).await.expect("pause");
        clock.set(clock.now() + 10 * MINUTE);
        let late = Report { reported_at: None, ..report(0) };
        door.run(&Change::new(1, What::Report(late.clone()))).await.expect("join");
        assert_eq!(whole(&fresh, 1).await.0.state, "waiting");
        door.run(&Change::new(1, What::Resume)).await.expect("resume");
        assert_eq!(whole(&fresh, 1).await.0.resolution_due, Some(due - 39 * MINUTE + 10 * MINUTE), "the pause counts");
        let solve = What::Resolve { cause: "c".into(), solution: "s".into() };
        door.run(&Change::new(1, solve)).await.expect("resolve");
        assert!(door.run(&Change::new(1, What::Report(late.clone()))).await.is_err());
        let long_ago = Report { reported_at: Some(clock.now() - 48 * HOUR), ..late.clone() };
        door.run(&new("VPN")).await.expect("new");
        assert!(door.run(&Change::new(2, What::Report(long_ago.clone()))).await.is_err(), "a reason is wanted");
        let explained = Report { late_reason: Some("系统停机".into()), ..long_ago };
        door.run(&Change::new(2, What::Report(explained))).await.expect("join");
        let t = whole(&fresh, 2).await.0;
        assert!(t.response_is_breached(clock.now()), "{t:?}");
        assert_eq!(zhiban::journal::verify(&fresh.store).await.expect("verify").first_broken, None);
    }

    async fn what_is_open_and_alike_is_offered_while_a_title_is_typed(fresh: Fresh) {
        let clock = clock();
        let door = fresh.door("li", Role::Operator, &clock);
        for title in ["VPN 断线 财务部", "VPN 无法连接", "打印机卡纸", "VPN 断线 已好"] {
            door.run(&new(title)).await.expect("new");
        }
        let solve = What::Resolve { cause: "c".into(), solution: "s".into() };
        door.run(&Change::new(4, solve)).await.expect("resolve");
        let mut d = desk(&fresh, "wang", &clock).await;
        d.keys("N \"VPN 断线\"").await;
        assert!(!d.screen().contains("#1 VPN"), "not before the fingers rest");
        assert!(d.sleeps() <= 300, "{}", d.sleeps());
        d.pass(200).await;
        d.keys("\"了\"").await;
        d.pass(200).await;
        assert!(!d.screen().contains("#1 VPN"), "each key begins the pause anew");
        d.pass(100).await;
        let screen = d.screen();
        assert!(screen.contains("#1 VPN 断线 财务部") && !screen.contains("#3") && !screen.contains("#4"), "{screen}");
        // the answer to what stands there no longer
        d.keys("backspace backspace backspace \"打印\"").await;
        d.update(zhiban::console::Msg::Offered(1, Ok(vec![("9".into(), "#9 stale".into())])));
        assert!(!d.screen().contains("stale"));
        d.pass(300).await;
        assert!(d.screen().contains("#3 打印机卡纸"), "{}", d.screen());
        // nothing typed, nothing offered
        d.keys("ctrl-u").await;
        d.pass(SECOND).await;
        let screen = d.screen();
        assert!(!screen.contains("#3 打印机卡纸"), "{screen}");
        d.keys("ctrl-o").await;
        assert!(!d.screen().contains("which?"));
        d.keys("\"VPN 断线\" tab \"韩梅\" tab \"1234\"").await;
        d.pass(300).await;
        d.keys("ctrl-o").await;
        assert!(d.screen().contains("which?"), "{}", d.screen());
        d.keys("\"#1\" enter").await;
        let (t, past) = whole(&fresh, 1).await;
        assert_eq!(t.reports, 2, "{}", d.screen());
        let said = &past.last().expect("reported").data;
        assert_eq!((&said["from"], &said["contact"], &said["text"]), (&"韩梅".into(), &"1234".into(), &"VPN 断线".into()));
        assert!(d.screen().contains("×2 "), "{}", d.screen());
        assert_eq!(store::find(&fresh.store, "", 9).await.expect("all").len(), 4, "none was made");
        d.keys("u").await;
        assert_eq!(whole(&fresh, 1).await.0.reports, 1);
    }

    async fn a_message_becomes_a_ticket_of_its_own_and_both_know(fresh: Fresh) {
        let clock = clock();
        let start = clock.now();
        let door = fresh.door("wang", Role::Operator, &clock);
        door.run(&New { body: "全部内容".into(), ..new("打印机卡纸") }).await.expect("new");
        clock.set(start + 10 * MINUTE);
        let wrote = What::UserMessage { from: "李雷".into(), text: "另外 VPN 也断了\n每小时一次".into() };
        door.run(&Change::new(1, wrote)).await.expect("message");
        let said = Report { from: "韩梅".into(), channel: "wecom".into(), contact: "hanmei".into(), ..Report::default() };
        door.run(&Change::new(1, What::Report(said.clone()))).await.expect("says nothing");
        door.run(&Change::new(1, What::Report(Report { text: "邮件收不到".into(), ..said }))).await.expect("report");
        let before = whole(&fresh, 1).await.0;
        clock.set(start + 4 * HOUR);
        let split = |title: &str, message| Split { id: 1, title: title.into(), message };
        let made = door.run(&split("VPN 断线", Some(1))).await.expect("split");
        assert_eq!((&made.value["id"], &made.value["split_from"]), (&2.into(), &1.into()));
        let (t, past) = whole(&fresh, 2).await;
        assert_eq!((t.title.as_str(), t.reporter.as_str(), t.channel.as_str()), ("VPN 断线", "李雷", "phone"));
        assert_eq!((t.body.as_str(), t.reported_at), ("另外 VPN 也断了\n每小时一次", start + 10 * MINUTE));
        assert!(t.born_late && t.response_is_breached(clock.now()), "two hours had passed when it was split");
        assert!(past.iter().any(|h| h.kind == "linked" && h.data["subject"] == "#1"), "{past:?}");
        let (old, its) = whole(&fresh, 1).await;
        assert!(its.iter().any(|h| h.kind == "linked" && h.data["snapshot"]["relation"] == "split_into"), "{its:?}");
        assert_eq!((old.reports, old.resolution_due, &old.body), (before.reports, before.resolution_due, &before.body));
        // the second message that says something is the report with a text
        door.run(&split("邮件", Some(2))).await.expect("split");
        let (t, past) = whole(&fresh, 3).await;
        assert_eq!((t.reporter.as_str(), t.channel.as_str(), &past[0].data["contact"]), ("韩梅", "wecom", &"hanmei".into()));
        door.run(&split("全部", None)).await.expect("split");
        let t = whole(&fresh, 4).await.0;
        assert_eq!((t.body.as_str(), t.reported_at, t.reporter.as_str()), ("全部内容", start, "张敏"));
        for wrong in [Some(0), Some(3)] {
            let error = door.run(&split("x", wrong)).await.expect_err("no such message");
            assert!(matches!(error, ActionError::NotFound { .. }), "{error}");
        }
        assert!(door.run(&split(" ", None)).await.is_err());
        // taken back it is void, and the old ticket's link with it
        let undone = door.run(&*made.undo.expect("undo")).await.expect("taken back");
        let t = whole(&fresh, 2).await.0;
        assert_eq!((t.state.as_str(), t.merged_into), ("merged", Some(1)));
        let its = whole(&fresh, 1).await.1;
        assert!(its.iter().any(|h| h.kind == "undone" && h.data["kind"] == "linked"), "{its:?}");
        assert_eq!(whole(&fresh, 1).await.0.resolution_due, before.resolution_due, "no clock of the old one moved");
        let again = door.run(&*undone.undo.expect("redo")).await.expect("again");
        assert_eq!(again.value["id"], 5);
        door.run(&Change::new(5, What::Claim)).await.expect("claim");
        let error = door.run(&*again.undo.expect("undo")).await.expect_err("somebody works on it");
        assert!(matches!(error, ActionError::Conflict { .. }), "{error}");
        assert_eq!(zhiban::journal::verify(&fresh.store).await.expect("verify").first_broken, None);
    }

    async fn a_message_is_split_off_by_key(fresh: Fresh) {
        let clock = clock();
        let door = fresh.door("wang", Role::Operator, &clock);
        door.run(&New { body: "卡纸".into(), ..new("打印机") }).await.expect("new");
        let wrote = What::UserMessage { from: "李雷".into(), text: "VPN 也断了".into() };
        door.run(&Change::new(1, wrote)).await.expect("message");
        let mut d = desk(&fresh, "wang", &clock).await;
        d.keys("M").await;
        let screen = d.screen();
        assert!(screen.contains("the whole text") && screen.contains("VPN 也断了"), "{screen}");
        d.keys("\"VPN\" enter").await;
        assert!(d.screen().contains("Split #1"), "{}", d.screen());
        d.keys("\"，求助\" enter").await;
        let t = whole(&fresh, 2).await.0;
        assert_eq!((t.title.as_str(), t.reporter.as_str()), ("VPN 也断了，求助", "李雷"));
        d.keys("u").await;
        assert_eq!(whole(&fresh, 2).await.0.state, "merged");
    }

    async fn a_canned_reply_is_picked_filled_and_can_be_changed_before_it_leaves(fresh: Fresh) {
        let clock = clock();
        let door = fresh.door("wang", Role::Operator, &clock);
        for title in ["VPN {{ id }}", "打印机"] {
            door.run(&new(title)).await.expect("new");
        }
        let mut config = Config::default();
        let reply = |name: &str, zh: &str, en: &str| CannedReply { name: name.into(), zh: zh.into(), en: en.into() };
        config.desk.reply = vec![
            reply("took", "", "#{{ id }} {{ title }} is in my hands. {{ me }}"),
            reply("thanks", "感谢反馈", "Thank you."),
        ];
        let config = std::sync::Arc::new(config);
        let tabs = zhiban::console::all_tabs(&config, "wang");
        let tabs = tabs.into_iter().filter(|t| t.key() == "tickets").collect();
        let mut d = Driver::new(tabs, Some(fresh.door("wang", Role::Operator, &clock)), clock.now(), None);
        d.settle().await;
        d.keys("r \"Hello. \" ctrl-o").await;
        assert!(d.screen().contains("took  #1 VPN"), "{}", d.screen());
        d.keys("\"tk\" enter \" Bye.\" enter").await;
        let said = whole(&fresh, 1).await.1.pop().expect("reply");
        assert_eq!(said.data["text"], "Hello. #1 VPN {{ id }} is in my hands. wang Bye.", "{}", d.screen());
        // to several: only what says the same to each
        d.keys("space space r ctrl-o").await;
        let screen = d.screen();
        assert!(screen.contains("Thank you.") && !screen.contains("took"), "{screen}");
        d.keys("enter enter").await;
        assert_eq!(whole(&fresh, 2).await.1.pop().expect("reply").data["text"], "Thank you.");
        // a store without any has no such key
        let mut d = desk(&fresh, "wang", &clock).await;
        d.keys("r").await;
        assert!(!d.screen().contains("ctrl-o"));
    }

    async fn a_command_of_the_configuration_gets_the_row_and_is_noted(fresh: Fresh) {
        let clock = clock();
        let door = fresh.door("wang", Role::Operator, &clock);
        door.run(&new("VPN; $(touch /tmp/no) \u{1b}[2J")).await.expect("new");
        let link = What::Link { kind: "host".into(), subject: "db-01".into(), snapshot: serde_json::Value::Null };
        door.run(&Change::new(1, link)).await.expect("link");
        let command = |name: &str, key: &str, run: &[&str]| DeskCommand {
            name: name.into(),
            key: key.into(),
            run: run.iter().map(|a| (*a).to_owned()).collect(),
            ..DeskCommand::default()
        };
        let mut config = Config::default();
        config.desk.command = vec![
            DeskCommand { background: true, ..command("echo", "b", &["echo", "{id}", "{title}", "{host}"]) },
            DeskCommand { confirm: true, ..command("shell", "C s", &["ssh", "{host}"]) },
            DeskCommand { background: true, ..command("whose", "B", &["echo", "{owner}"]) },
            DeskCommand { tab: "health".into(), ..command("elsewhere", "D", &["ssh", "{host}"]) },
        ];
        let config = std::sync::Arc::new(config);
        assert!(zhiban::console::wrong_keys(&config).is_empty());
        let driver = async |role: Role, closed: bool| {
            let tabs = zhiban::console::all_tabs(&config, "wang").into_iter().filter(|t| t.key() == "tickets").collect();
            let actor = fresh.door("wang", role, &clock).actor().clone();
            let door = Door::new(fresh.store.clone(), clock.clone(), config.clone(), actor, closed);
            let mut d = Driver::new(tabs, Some(door), clock.now(), None);
            d.size = (200, 40);
            d.settle().await;
            d
        };
        let mut d = driver(Role::Operator, false).await;
        assert!(d.screen().contains("b echo"), "{}", d.screen());
        assert!(!d.screen().contains("whose"), "nobody owns it: its hint is hidden");
        d.keys("b").await;
        let screen = d.screen();
        assert!(screen.contains("1 VPN; $(touch /tmp/no) ␛[2J db-01") && screen.contains("ended with code 0"), "{screen}");
        d.keys("esc C s").await;
        assert!(d.screen().contains("Run shell?") && d.screen().contains("ssh db-01"), "{}", d.screen());
        d.keys("n").await;
        assert!(d.handed.is_empty());
        d.keys("C s y").await;
        assert_eq!(d.handed[0].argv, ["ssh", "db-01"]);
        d.keys("B").await;
        assert!(d.screen().contains("has no owner"), "{}", d.screen());
        d.keys(": \"echo\"").await;
        assert!(d.screen().contains("echo {id} {title} {host}"), "{}", d.screen());
        // what it says waits beneath a form that is being typed
        d.keys("esc r \"half\"").await;
        d.update(zhiban::console::Msg::Ran("echo".into(), Ok(("ended".into(), vec!["late words".into()]))));
        d.keys("\" done\"").await;
        assert!(d.screen().contains("half done") && !d.screen().contains("late words"), "{}", d.screen());
        d.keys("esc").await;
        assert!(d.screen().contains("late words"));
        let journal = zhiban::journal::newest(&fresh.store, None, 99).await.expect("journal");
        let runs: Vec<_> = journal.iter().filter(|r| r.entry.verb == "command.run").collect();
        assert_eq!(runs.len(), 2);
        // who may not act, or only look here, runs nothing
        let mut d = driver(Role::Viewer, false).await;
        d.keys("b").await;
        assert!(!d.screen().contains("ended with") && d.screen().contains("operator"), "{}", d.screen());
        let mut d = driver(Role::Operator, true).await;
        d.keys("b").await;
        assert!(d.screen().contains("read-only"), "{}", d.screen());
        assert!(!d.screen().contains("b echo"));
    }
}

#[test]
fn a_command_takes_no_key_that_means_something() {
    for (key, tab, wrong) in [
        ("b", "tickets", false),
        ("a", "tickets", true),
        ("a", "health", false),
        ("j", "tickets", true),
        ("g x", "tickets", false),
        ("g", "health", true),
        ("g g", "tickets", true),
        ("3", "tickets", true),
        ("hyper-x", "tickets", true),
    ] {
        let run = vec!["true".to_owned()];
        let mut config = Config::default();
        config.desk.command =
            vec![DeskCommand { name: "own".into(), key: key.into(), run, tab: tab.into(), ..DeskCommand::default() }];
        let found = zhiban::console::wrong_keys(&config.into());
        assert_eq!(!found.is_empty(), wrong, "{key} {tab} {found:?}");
        assert!(found.iter().all(|w| w.path.join(".") == "desk.command.1.key"), "{found:?}");
    }
}

on_both! {
    async fn who_has_a_ticket_open_sees_who_else_has(fresh: Fresh) {
        let clock = clock();
        let door = fresh.door("li", Role::Operator, &clock);
        door.run(&new("VPN")).await.expect("new");
        door.run(&new("打印机")).await.expect("new");
        let written = async || {
            let sql = "SELECT operator, ticket_id, doing, at FROM presence ORDER BY operator, at";
            let read = |r: &zhiban::store::Row<'_>| {
                Ok((r.get::<String>(0)?, r.get::<i64>(1)?, r.get::<String>(2)?, r.get::<i64>(3)?))
            };
            fresh.store.rows(sql, vec![], read).await.expect("rows")
        };
        let (mut wang, mut li) = (desk(&fresh, "wang", &clock).await, desk(&fresh, "li", &clock).await);
        wang.pass(10 * SECOND).await;
        assert!(written().await.is_empty() && wang.beats == 0, "a list tells nothing");
        wang.keys("enter").await;
        let at = clock.now();
        assert_eq!(written().await, [("wang".to_owned(), 1, "viewing".to_owned(), at)]);
        li.keys("enter").await;
        assert!(li.screen().contains("wang is looking at it"), "{}", li.screen());
        assert!(!wang.screen().contains("li is looking"));
        // told again only after five seconds, whatever is pressed meanwhile
        wang.keys("r \"on it\"").await;
        wang.pass(2 * SECOND).await;
        assert_eq!(wang.beats, 1);
        wang.pass(3 * SECOND).await;
        assert_eq!(wang.beats, 2);
        assert!(wang.screen().contains("li is looking at it"), "{}", wang.screen());
        li.pass(5 * SECOND).await;
        assert!(li.screen().contains("wang is replying"), "{}", li.screen());
        // nothing new: nothing is drawn
        _ = li.screen();
        li.update(zhiban::console::Msg::Tick);
        li.settle().await;
        let beats = li.beats;
        clock.set(clock.now() + 5 * SECOND);
        wang.update(zhiban::console::Msg::Tick);
        wang.settle().await;
        li.update(zhiban::console::Msg::Tick);
        li.settle().await;
        assert_eq!(li.beats, beats + 1);
        // before a reply leaves, one word
        li.keys("r \"mine\" enter").await;
        assert!(li.screen().contains("sending again"), "{}", li.screen());
        assert_eq!(whole(&fresh, 1).await.1.len(), 1);
        li.keys("enter").await;
        assert_eq!(whole(&fresh, 1).await.1.len(), 2, "{}", li.screen());
        // whoever goes away is gone: at once when they say so, else after three beats
        li.keys("esc").await;
        li.pass(5 * SECOND).await;
        assert_eq!(written().await.len(), 1);
        li.keys("enter").await;
        li.pass(5 * SECOND).await;
        assert!(li.screen().contains("wang is replying"), "{}", li.screen());
        li.pass(16 * SECOND).await;
        assert!(!li.screen().contains("wang is"), "{}", li.screen());
        assert_eq!(written().await.len(), 1, "what was not renewed is forgotten");
        // who may only look here tells nothing, and hears all the same
        let tabs = zhiban::console::all_tabs(&Config::default().into(), "han");
        let tabs = tabs.into_iter().filter(|t| t.key() == "tickets").collect();
        let closed = fresh.door("han", Role::Operator, &clock).closed();
        let mut han = Driver::new(tabs, Some(closed), clock.now(), None);
        han.settle().await;
        han.keys("G enter").await;
        assert!(han.screen().contains("li is looking"), "{}", han.screen());
        assert_eq!(written().await.len(), 1);
        // journal and feed know nothing of it
        assert_eq!(zhiban::journal::verify(&fresh.store).await.expect("verify").rows, 3);
    }

    async fn what_somebody_else_changed_is_shown_and_the_text_stays(fresh: Fresh) {
        let clock = clock();
        let door = fresh.door("li", Role::Operator, &clock);
        door.run(&new("VPN")).await.expect("new");
        let mut d = desk(&fresh, "wang", &clock).await;
        let replies = async || {
            let past = whole(&fresh, 1).await.1;
            past.iter().filter(|h| h.kind == "reply").map(|h| h.data["text"].as_str().unwrap_or_default().to_owned()).collect::<Vec<_>>()
        };
        let meanwhile = async |text: &str| {
            clock.set(clock.now() + MINUTE);
            door.run(&Change::new(1, What::Note(text.into()))).await.expect("note");
        };
        d.keys("r \"my words\"").await;
        door.run(&Change::new(1, What::Claim)).await.expect("claim");
        let wrote = What::UserMessage { from: "张敏".into(), text: "还是不行".into() };
        door.run(&Change::new(1, wrote)).await.expect("message");
        d.keys("enter").await;
        let screen = d.screen();
        for wanted in ["changed by li at 11-24 10:00:00", "owner: — → li", "new → in hand", "张敏: 还是不行", "my words", "ctrl-s"] {
            assert!(screen.contains(wanted), "{wanted}: {screen}");
        }
        // a letter sends nothing and loses nothing
        d.keys("\"sdxy\"").await;
        assert_eq!(replies().await, [""; 0]);
        // back to the text, which can be changed; whoever is first again is shown again, and only what is new
        d.keys("enter \" and more\"").await;
        meanwhile("note of li").await;
        d.keys("enter").await;
        let screen = d.screen();
        assert!(screen.contains("note of li") && !screen.contains("owner: —"), "{screen}");
        d.keys("ctrl-s").await;
        assert_eq!(replies().await, ["my words and more"], "{}", d.screen());
        // discarded, it is gone
        d.keys("r \"second\"").await;
        meanwhile("again").await;
        d.keys("enter").await;
        assert!(d.screen().contains("again"), "{}", d.screen());
        d.keys("ctrl-x r").await;
        assert!(!d.screen().contains("second"), "{}", d.screen());
        // left, it is kept
        d.keys("\"third\"").await;
        meanwhile("once more").await;
        d.keys("enter esc r").await;
        assert!(d.screen().contains("third"), "{}", d.screen());
        assert_eq!(replies().await.len(), 1);
    }
}
