//! Event logs: files of every kind, both stores, the tab.
#![expect(clippy::panic, clippy::print_stdout, reason = "a test fails where it stands and says what it skips")]

mod files;

use std::sync::Arc;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use zhiban::action::{Door, Role};
use zhiban::clock::{Clock, DAY, Millis};
use zhiban::config::Config;
use zhiban::console::tab::{Effect, Tab};
use zhiban::demo::workflows::{FLOWS, log as company, write_csv};
use zhiban::locale::{self, Lang};
use zhiban::tui::paint::Brush;
use zhiban::tui::testing::lines;
use zhiban::tui::theme::{Depth, Theme};
use zhiban::workflows::actions::{Import, Remove, WriteReport};
use zhiban::workflows::analysis::analyse;
use zhiban::workflows::log::Log;
use zhiban::workflows::sources::{LogError, Options, read_from};
use zhiban::workflows::store;
use zhiban::workflows::tab::WorkflowsTab;

use self::files::CSV;
use crate::on_both;

const NOW: Millis = 1_795_500_000_000;

fn from(text: impl AsRef<[u8]>) -> Result<Log, LogError> {
    read_from(text.as_ref(), &Options::default())
}

async fn import(door: &Door, name: &str, log: Log) -> zhiban::action::Outcome {
    let import = Import { name: name.into(), source: "test".into(), log: Arc::new(log) };
    door.run(&import).await.expect("imported")
}

on_both! {
    async fn an_import_comes_back_as_it_went_in_and_again_is_nothing_new(fresh: Fresh) {
        let door = fresh.door("wang", Role::Operator, &Clock::manual(NOW));
        let log = company(&FLOWS[0], 3, NOW, 40);
        let outcome = import(&door, "报销", log.clone()).await;
        assert_eq!(outcome.value["events"], log.len());
        assert_eq!(outcome.value["new_events"], log.len());
        let found = store::find(&fresh.store, "报销").await.expect("store").expect("there");
        assert_eq!((found.cases, found.events), (log.cases.len() as i64, log.len() as i64));
        let back = store::load(&fresh.store, found.id).await.expect("loaded");
        let (a, b) = (analyse(&log), analyse(&back));
        assert_eq!((a.cases, a.events, a.variants, a.case_duration), (b.cases, b.events, b.variants, b.case_duration));
        assert_eq!(a.ping_pong, b.ping_pong);

        let again = import(&door, "报销", log.clone()).await;
        assert_eq!(again.value["new_events"], 0);
        assert_eq!(again.seq, None, "nothing was decided, nothing is journalled");
        assert_eq!(store::find(&fresh.store, "报销").await.expect("store"), Some(found.clone()));

        // a day later the export has grown: only what is new is taken
        let grown = company(&FLOWS[0], 3, NOW, 40);
        let later = import(&door, "报销", grown).await;
        assert_eq!(later.value["new_events"], 0);
        let removed = door.run(outcome.undo.expect("can be undone").as_ref()).await.expect("undone");
        assert!(removed.seq.is_some());
        assert!(store::list(&fresh.store).await.expect("list").is_empty());
        assert!(door.run(&Remove { name: "报销".into() }).await.is_err());
    }

    async fn an_export_in_two_halves_makes_the_same_log(fresh: Fresh) {
        let door = fresh.door("wang", Role::Operator, &Clock::manual(NOW));
        let mut csv = Vec::new();
        write_csv(&mut csv, &FLOWS[3], 5, 4_000).expect("written");
        let text = String::from_utf8(csv).expect("text");
        let whole = from(&text).expect("read");
        let rows: Vec<&str> = text.lines().skip(1).collect();
        let head = text.lines().next().expect("head");
        // the halves overlap, and cut cases in two
        for part in [&rows[1_500..], &rows[..2_500]] {
            import(&door, "合同", from(format!("{head}\n{}\n", part.join("\n"))).expect("read")).await;
        }
        let found = store::find(&fresh.store, "合同").await.expect("store").expect("there");
        assert_eq!((found.cases, found.events), (whole.cases.len() as i64, whole.len() as i64));
        let back = store::load(&fresh.store, found.id).await.expect("loaded");
        let (a, b) = (analyse(&whole), analyse(&back));
        assert_eq!((a.variants, a.case_duration), (b.variants, b.case_duration));
    }

    async fn a_grown_log_adds_only_its_new_events(fresh: Fresh) {
        let door = fresh.door("wang", Role::Operator, &Clock::manual(NOW));
        let rows = |last: &[&str]| {
            let head = "case_id,activity,enable_time,start_time,end_time,resource";
            let first = "1,a,2026-10-12 08:00,2026-10-12 09:00,2026-10-12 10:00,li\n2,a,,2026-10-12 09:30,2026-10-12 10:10,";
            from(format!("{head}\n{first}\n{}\n", last.join("\n"))).expect("read")
        };
        let before = import(&door, "f", rows(&[])).await;
        assert_eq!((before.value["new_events"].as_u64(), before.value["activities"].as_u64()), (Some(2), Some(1)));
        let grown = rows(&["1,b,2026-10-12 10:00,2026-10-12 11:00,2026-10-12 12:00,wang", "3,a,,,2026-10-13 10:00,li"]);
        let after = import(&door, "f", grown.clone()).await;
        let counts = ["cases", "events", "new_cases", "new_events"].map(|k| after.value[k].as_u64());
        assert_eq!(counts, [Some(3), Some(4), Some(1), Some(2)]);
        assert_eq!(import(&door, "f", grown.clone()).await.value["new_events"], 0);
        let found = store::find(&fresh.store, "f").await.expect("store").expect("there");
        let back = store::load(&fresh.store, found.id).await.expect("loaded");
        assert_eq!((found.cases, found.events, found.activities), (3, 4, 2));
        // the times at which steps could begin survive the store
        let (x, y) = (analyse(&grown), analyse(&back));
        assert_eq!(x.activities, y.activities);
        let a = y.activities.iter().find(|f| f.count == 3).expect("a");
        assert_eq!(a.waiting.map(|s| s.max as i64), Some(3_600_000));
    }

    async fn a_workflow_may_be_called_anything(fresh: Fresh) {
        let door = fresh.door("wang", Role::Operator, &Clock::manual(NOW));
        let nasty = "a\u{1b}[2J\u{202e}'; DROP TABLE workflow;--";
        let text = format!("case,activity,time,resource\n{nasty}\u{0},{nasty},2026-10-12 09:00:00,{nasty}\n");
        import(&door, nasty, from(text).expect("read")).await;
        let found = store::find(&fresh.store, nasty).await.expect("store").expect("there");
        let back = store::load(&fresh.store, found.id).await.expect("loaded");
        assert_eq!(back.activities.get(0), nasty);
        for bad in [" ".to_owned(), "x".repeat(201)] {
            let import = Import { name: bad, source: String::new(), log: Arc::new(from(CSV).expect("read")) };
            assert!(door.run(&import).await.is_err());
        }
    }

    async fn the_tab_shows_the_bottleneck_and_makes_a_ticket_of_it(fresh: Fresh) {
        let door = fresh.door("wang", Role::Operator, &Clock::manual(NOW));
        for flow in &FLOWS {
            import(&door, flow.name, company(flow, 1, NOW, 120)).await;
        }
        let mut tab = WorkflowsTab::new(Config::default().into());
        reload(&mut tab, &door).await;
        let shown = screen(&tab, 160, 45, Lang::Zh);
        for text in ["财务审核", "何会计", "损失", "受阻"] {
            assert!(shown.contains(text), "{text} is not on\n{shown}");
        }
        assert!(tab.attention(NOW).is_some_and(|a| a.count > 0));
        assert!(!tab.wall(NOW).problems.is_empty());
        let names = ["何会计", "张伟", "罗法务"];
        let wall = format!("{:?}", tab.wall(NOW));
        assert!(!names.iter().any(|n| wall.contains(n)), "no names on the wall");

        let Some(Effect::Form(form)) = tab.run("ticket", NOW).into_iter().next() else { panic!("no form") };
        let values: Vec<String> = form.fields.iter().map(|f| f.value.clone()).collect();
        let Ok(effects) = (form.submit)(&values) else { panic!("refused") };
        let Some(Effect::Act(actions)) = effects.into_iter().next() else { panic!("no action") };
        door.run(actions[0].as_ref()).await.expect("a ticket");
        let title = fresh.store.row("SELECT title FROM ticket", vec![], |r| r.get::<String>(0)).await.expect("store");
        assert!(title.is_some_and(|t| t.contains("费用报销") && t.contains("财务审核")));

        let body = fresh.store.row("SELECT body FROM ticket", vec![], |r| r.get::<String>(0)).await.expect("store");
        let body = body.unwrap_or_default();
        assert!(body.contains("p95") && body.lines().count() > 5 && body.contains("BX"), "the evidence: {body}");

        // the same keys as everywhere: sort, late only, copy, evidence on and off
        let copied = |tab: &mut WorkflowsTab, key: &str| match tab.run(key, NOW).into_iter().next() {
            Some(Effect::Copy(text)) => text,
            _ => panic!("nothing copied"),
        };
        tab.run("right", NOW);
        assert_eq!(copied(&mut tab, "copy"), "财务审核");
        assert!(copied(&mut tab, "copy_line").starts_with("费用报销 · 财务审核: "));
        for order in 0..tab.offers().orders.len() {
            tab.list().expect("list").look().order = order;
            tab.relist(NOW);
            assert_eq!(copied(&mut tab, "copy"), "财务审核", "the cursor stays on its node");
        }
        tab.list().expect("list").look().faults = true;
        tab.relist(NOW);
        assert_eq!(copied(&mut tab, "copy"), "财务审核");
        assert!(!screen(&tab, 160, 45, Lang::Zh).contains("提交报销单"), "nothing is late there");
        tab.list().expect("list").look().preview = false;
        assert!(!screen(&tab, 160, 45, Lang::Zh).contains("停留案例"));
        tab.run("open", NOW);
        assert!(screen(&tab, 160, 45, Lang::Zh).contains("停留案例"));
        assert!(copied(&mut tab, "copy").starts_with("BX"));
        assert!(matches!(tab.run("open", NOW).first(), Some(Effect::Text(..))));
        tab.run("back", NOW);
        assert_eq!(copied(&mut tab, "copy"), "费用报销");

        // a ticket from its node is open: somebody has it in hand, and a second one today is the same
        reload(&mut tab, &door).await;
        let handled = tab.wall(NOW).problems.iter().filter(|p| p.handled).count();
        assert_eq!(handled, 1, "{:?}", tab.wall(NOW).problems);
        assert_eq!(door.run(actions[0].as_ref()).await.expect("the same").value["id"], 1);

        // marks: what is copied and ticketed is everything marked
        tab.run("right", NOW);
        tab.list().expect("list").mark();
        tab.list().expect("list").mark();
        assert_eq!(copied(&mut tab, "copy").lines().count(), 2);
        let Some(Effect::Form(form)) = tab.run("ticket", NOW).into_iter().next() else { panic!("no form") };
        let values: Vec<String> = form.fields.iter().map(|f| f.value.clone()).collect();
        let Ok(effects) = (form.submit)(&values) else { panic!("refused") };
        assert!(matches!(effects.first(), Some(Effect::Act(all)) if all.len() == 2));
        assert!(tab.list().expect("list").unmark());
        tab.run("back", NOW);

        // a search narrows the list and goes to what was meant; esc takes it back
        tab.search("财务审核");
        assert_eq!(copied(&mut tab, "copy"), "财务审核");
        assert!(screen(&tab, 160, 45, Lang::Zh).contains("/财务审核"));
        tab.run("back", NOW);
        assert!(!screen(&tab, 160, 45, Lang::Zh).contains("/财务审核"));
        assert!(matches!(tab.search("没有这样的").first(), Some(Effect::Say(_))));
        tab.run("back", NOW);

        for keys in [&["right"][..], &["right", "down", "open"], &["loops"], &["window_more", "bottom"], &["back"]] {
            for key in keys {
                tab.run(key, NOW);
            }
            reload(&mut tab, &door).await;
            screen(&tab, 120, 40, Lang::En);
        }
        assert!(tab.explain(NOW).is_some_and(|(_, lines)| lines.len() > 3));
    }
}

async fn reload(tab: &mut WorkflowsTab, door: &Door) {
    let snapshot = tab.load(NOW)(door.clone()).await.expect("loaded");
    tab.arrived(snapshot, NOW);
}

/// The screen as text; nothing on it may drive a terminal.
fn screen(tab: &WorkflowsTab, width: u16, height: u16, lang: Lang) -> String {
    let mut out = String::new();
    for (ascii, theme) in [(true, "mono"), (false, "dark")] {
        let theme = Theme::load(theme, None, Depth::TrueColor).expect("theme");
        let mut buf = Buffer::empty(Rect::new(0, 0, width, height));
        let area = buf.area;
        locale::with(lang, || tab.draw(&Brush { theme: &theme, ascii }, &mut buf, area, NOW));
        out = lines(&buf).join("\n");
        assert!(!out.chars().any(|c| (c.is_control() && c != '\n') || c == '\u{202e}'), "{width}×{height}");
    }
    out
}

#[tokio::test]
async fn the_tab_is_drawn_at_any_size_with_any_name_and_says_what_to_do_when_empty() {
    let fresh = crate::db::fresh(crate::db::Db::Sqlite).await;
    let door = fresh.door("wang", Role::Operator, &Clock::manual(NOW));
    let mut tab = WorkflowsTab::new(Config::default().into());
    reload(&mut tab, &door).await;
    assert!(screen(&tab, 100, 30, Lang::Zh).contains("zhiban workflow import"));
    for command in [
        "down",
        "left",
        "right",
        "open",
        "ticket",
        "report",
        "loops",
        "sort",
        "faults",
        "preview",
        "copy",
        "copy_line",
        "back",
        "bottom",
    ] {
        tab.run(command, NOW);
        assert!(tab.disabled("ticket").is_some());
    }
    let nasty = format!("\u{1b}]52;c;eA==\u{7}\u{202e}审批{}", "长".repeat(10_000));
    let mut rows = String::from("case,activity,time,resource\n");
    for i in 0..40i64 {
        let day = zhiban::clock::rfc3339(NOW - (40 - i) * DAY / 4);
        rows.push_str(&format!("{nasty}{i},{nasty},{day},{nasty}\n{nasty}{i},b,{day},{nasty}\n"));
    }
    import(&door, "\u{1b}[2Jn", from(rows).expect("read")).await;
    import(&door, "past", from(CSV.replace("2026", "2012")).expect("read")).await;
    reload(&mut tab, &door).await;
    for lang in [Lang::En, Lang::Zh] {
        for (width, height) in
            [(200, 47), (120, 33), (80, 21), (60, 12), (40, 7), (10, 3), (1, 1), (0, 0), (200, 0), (0, 50)]
        {
            for command in
                ["back", "right", "right", "down", "loops", "loops", "open", "left", "left", "down", "preview", "sort"]
            {
                tab.run(command, NOW);
                screen(&tab, width, height, lang);
            }
        }
    }
}

#[tokio::test]
async fn a_report_is_written_once_and_never_over_another_file() {
    let fresh = crate::db::fresh(crate::db::Db::Sqlite).await;
    let door = fresh.door("wang", Role::Operator, &Clock::manual(NOW));
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("r.md");
    let report = WriteReport { name: "x".into(), path: path.clone(), text: "# x\n".into() };
    let outcome = door.run(&report).await.expect("written");
    assert!(outcome.message.contains(&*path.to_string_lossy()), "told where: {}", outcome.message);
    assert_eq!(std::fs::read_to_string(&path).expect("there"), "# x\n");
    assert!(door.run(&report).await.is_err());
}
