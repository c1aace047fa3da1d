//! Event logs: files of every kind, both stores, the tab.
#![expect(clippy::panic, clippy::print_stdout, reason = "a test fails where it stands and says what it skips")]

use std::io::Write as _;
use std::path::PathBuf;
use std::sync::Arc;

use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;
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
use zhiban::workflows::sources::{LogError, Options, read, read_from};
use zhiban::workflows::store;
use zhiban::workflows::tab::WorkflowsTab;

use crate::on_both;

const NOW: Millis = 1_795_500_000_000;

fn from(text: impl AsRef<[u8]>) -> Result<Log, LogError> {
    read_from(text.as_ref(), &Options::default())
}

/// The line that an error names.
fn line(result: Result<Log, LogError>) -> u64 {
    match result.expect_err("refused") {
        LogError::Line { line, .. } => line,
        other => panic!("names no line: {other}"),
    }
}

const CSV: &str = "case:concept:name,concept:name,time:timestamp,org:resource\n\
    1,submit,2026-10-12 09:00:00,li\n1,approve,2026-10-12 11:00:00,wang\n2,submit,2026-10-12 10:00:00,li\n";

fn xes(body: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<log xes.version=\"1.0\" xmlns=\"http://www.xes-standard.org/\">\n\
         <global scope=\"event\"><string key=\"concept:name\" value=\"X\"/></global>\n{body}\n</log>\n"
    )
}

const TRACE: &str = "<trace><string key=\"concept:name\" value=\"r&amp;d 1\"/>\n\
    <event><string key=\"concept:name\" value=\"submit\"><string key=\"concept:name\" value=\"inner\"/></string>\n\
    <date key=\"time:timestamp\" value=\"2026-10-12T09:00:00.000+08:00\"/></event>\n\
    <event><date key=\"time:timestamp\" value=\"2026-10-12T10:00:00.000+08:00\"/>\n\
    <string key=\"concept:name\" value=\"approve\"/><string key=\"org:resource\" value=\"wang\"/></event></trace>";

#[test]
fn the_same_log_is_read_whatever_its_dress() {
    let plain = from(CSV).expect("plain");
    assert_eq!((plain.cases.len(), plain.len(), plain.activities.len()), (2, 3, 2));
    let quoted = "\"case:concept:name\",\"concept:name\",\"time:timestamp\",\"org:resource\"\r\n\
        1,\"submit\",\"2026-10-12 09:00:00\",\"li\"\r\n1,approve,2026-10-12T11:00:00Z,wang\r\n\
        2,submit,2026/10/12 10:00,\"li\"";
    let semicolons = CSV.replace(',', ";");
    let tabs = CSV.replace(',', "\t");
    let bom = format!("\u{feff}{CSV}");
    let utf16: Vec<u8> = [0xff, 0xfe].into_iter().chain(CSV.encode_utf16().flat_map(u16::to_le_bytes)).collect();
    let mut gz = GzEncoder::new(vec![], Compression::fast());
    gz.write_all(CSV.as_bytes()).expect("packed");
    let gz = gz.finish().expect("packed");
    let blank_lines = CSV.replace('\n', "\n\n");
    let all: [&[u8]; 7] = [
        quoted.as_bytes(),
        semicolons.as_bytes(),
        tabs.as_bytes(),
        bom.as_bytes(),
        &utf16,
        &gz,
        blank_lines.as_bytes(),
    ];
    for dress in all {
        let log = from(dress).expect("read");
        assert_eq!((&log.at, &log.case, &log.activity), (&plain.at, &plain.case, &plain.activity));
        assert_eq!(log.activities.get(1), "approve");
    }
}

#[test]
fn a_gbk_export_with_chinese_headings_is_read_without_being_told() {
    let text = "流程编号,节点名称,完成时间,处理人\nBX-1,提交报销单,2026-10-12 09:00:00,张敏\n\
        BX-1,部门经理审批,2026年10月12日 11:05,李雷\nBX-1,\"财务,审核\",2026-10-12 12:00:00,王芳\n";
    let (bytes, _, lossy) = encoding_rs::GB18030.encode(text);
    assert!(!lossy);
    let log = from(&bytes).expect("read");
    assert_eq!(log.activities.get(1), "部门经理审批");
    assert_eq!(log.activities.get(2), "财务,审核");
    assert_eq!(log.resources.get(0), "张敏");
    assert_eq!(log.activities.find("提交报销单".as_bytes()), Some(0));
}

#[test]
fn columns_are_taken_by_their_names_and_a_missing_one_is_told_with_those_there_are() {
    let text = "who;what;nr;done\nli;submit;7;2026-10-12 09:00\n";
    let options = Options {
        case: Some("nr".into()),
        activity: Some("WHAT".into()),
        time: Some("done".into()),
        resource: Some("who".into()),
        ..Options::default()
    };
    let log = read_from(text.as_bytes(), &options).expect("read");
    assert_eq!((log.cases.get(0), log.resources.get(0)), ("7".into(), "li".into()));
    let error = from(text).expect_err("refused").to_string();
    assert!(error.contains("line 1") && error.contains("--case") && error.contains("who, what, nr, done"), "{error}");
}

#[test]
fn xes_is_read_with_its_entities_and_without_its_nested_attributes() {
    for dress in [xes(TRACE), xes(TRACE).replace("<log", "<!-- a <log> -->\n<log")] {
        let log = from(&dress).expect("read");
        assert_eq!(log.cases.get(0), "r&d 1");
        assert_eq!(log.activities.get(0), "submit");
        assert_eq!(log.at[1] - log.at[0], 3_600_000);
        assert_eq!(log.resources.get(0), "wang");
    }
}

#[test]
fn what_is_wrong_is_told_with_its_line() {
    let row = |line: &str| format!("{CSV}{line}\n");
    assert_eq!(line(from(row("3,submit,soon,li"))), 5);
    assert_eq!(line(from(row("3,submit"))), 5);
    assert_eq!(line(from(row("3,submit,2026-10-12 09:00:00,li,one,too,many"))), 5);
    assert_eq!(line(from(row(",submit,2026-10-12 09:00:00,li"))), 5);
    assert_eq!(line(from(row("3,,2026-10-12 09:00:00,li"))), 5);
    assert_eq!(line(from(row("3,submit,,li"))), 5);
    assert_eq!(line(from(row("3,\"submit,2026-10-12 09:00:00,li\n4,approve,2026-10-12 09:00:00,li"))), 5);
    assert_eq!(line(from("PK\u{3}\u{4}spreadsheet")), 1);
    assert_eq!(line(from(b"\x00\x01\x02")), 1);
    // neither UTF-8 nor GB18030
    assert_eq!(line(from([CSV.as_bytes(), b"3,sub\xff\xffmit,2026-10-12 09:00:00,li\n"].concat())), 5);

    let whole = xes(TRACE);
    assert_eq!(line(from(&whole[..whole.len() - 20])), 8);
    assert_eq!(line(from(whole.replace("2026-10-12T10", "yesterday"))), 7);
    assert_eq!(line(from(whole.replace("key=\"concept:name\" value=\"approve\"", "key=\"x\" value=\"y\""))), 8);
    assert_eq!(line(from(whole.replace("</trace>", "</trade>"))), 8);
    assert_eq!(line(from("<html><body>no log</body></html>")), 1);
    let mut gz = GzEncoder::new(vec![], Compression::fast());
    gz.write_all(xes(&TRACE.repeat(2_000)).as_bytes()).expect("packed");
    let gz = gz.finish().expect("packed");
    assert!(line(from(&gz[..gz.len() / 2])) >= 1);
    assert!(matches!(from(""), Err(LogError::File(_))));
    assert!(matches!(from("case,activity,time\n"), Err(LogError::File(_))));
}

#[test]
fn a_field_without_an_end_does_not_eat_the_memory() {
    let mut text = CSV.as_bytes().to_vec();
    text.extend_from_slice(b"3,\"");
    text.resize(40 << 20, b'x');
    assert_eq!(line(from(&text)), 5);
    let mut tag = b"<?xml version=\"1.0\"?>\n<log><trace><string key=\"".to_vec();
    tag.resize(40 << 20, b'x');
    assert_eq!(line(from(&tag)), 2);
}

#[test]
fn hostile_names_are_kept_raw_and_ten_thousand_characters_are_a_name_too() {
    let nasty = format!("\u{1b}]52;c;eA==\u{7}\u{202e}审批{}", "长".repeat(10_000));
    let log = from(format!("case,activity,time\n1,{nasty},2026-10-12 09:00:00\n")).expect("read");
    assert_eq!(log.activities.get(0), nasty);
}

#[test]
fn an_open_row_is_a_start_and_a_start_makes_waiting_and_work() {
    let text = "case_id,activity,start_time,end_time\n1,a,2026-10-12 09:00:00,2026-10-12 10:00:00\n\
        1,b,2026-10-12 12:00:00,\n";
    let log = from(text).expect("read");
    let all = analyse(&log);
    assert_eq!(all.activities.iter().map(|a| a.executions).sum::<usize>(), 1, "the second is open");
    assert_eq!(all.activities.iter().find_map(|a| a.processing).map(|p| p.mean as i64), Some(3_600_000));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn no_bytes_make_a_reader_stumble(bytes in prop::collection::vec(any::<u8>(), 0..400), kind in 0u8..4) {
        let mut text = match kind {
            0 => CSV.as_bytes().to_vec(),
            1 => xes(TRACE).into_bytes(),
            2 => vec![0x1f, 0x8b, 8, 0],
            _ => vec![],
        };
        let at = text.len() / 2;
        text.splice(at..at, bytes);
        _ = from(text);
    }

    #[test]
    fn the_figures_do_not_depend_on_the_order_of_the_rows(seed in any::<u64>()) {
        let mut csv = Vec::new();
        write_csv(&mut csv, &FLOWS[2], seed, 300).expect("written");
        let text = String::from_utf8(csv).expect("text");
        let (head, rows) = text.split_once('\n').expect("rows");
        let mut rows: Vec<&str> = rows.lines().collect();
        let whole = analyse(&from(&text).expect("read"));
        // the cases in another order, the events of each in the same
        rows.sort_by_key(|r| std::cmp::Reverse(r.split(',').next()));
        let other = analyse(&from(format!("{head}\n{}\n", rows.join("\n"))).expect("read"));
        prop_assert_eq!((whole.cases, whole.events, whole.variants), (other.cases, other.events, other.variants));
        prop_assert_eq!(whole.case_duration.map(|s| s.p95), other.case_duration.map(|s| s.p95));
        let edges = |a: &zhiban::workflows::analysis::Analysis| a.edges.iter().map(|e| e.count).collect::<Vec<_>>();
        prop_assert_eq!(edges(&whole), edges(&other));
    }
}

/// The real logs, where they are at hand.
fn real(name: &str) -> Option<PathBuf> {
    let shared = std::env::var("ZHIBAN_SHARED").map_or_else(|_| PathBuf::from("../shared"), PathBuf::from);
    let file = shared.join("data/public/eventlogs").join(name);
    if file.is_file() {
        return Some(file);
    }
    println!("skipped: {} is not here", file.display());
    None
}

#[test]
fn real_logs_give_the_figures_that_other_tools_give() {
    // cases, events, activities, variants: as PM4Py counts them
    for (name, wanted) in [
        ("DomesticDeclarations.xes.gz", (10_500, 56_437, 17, 99)),
        ("BPI_Challenge_2012.xes.gz", (13_087, 262_200, 24, 4_366)),
        ("BPIC13_incidents.xes.gz", (7_554, 65_533, 4, 1_511)),
        ("running-example.xes", (6, 42, 8, 6)),
        ("receipt.csv", (1_434, 8_577, 27, 116)),
    ] {
        let Some(file) = real(name) else { continue };
        let log = read(&file, &Options::default()).expect("read");
        let all = analyse(&log);
        assert_eq!((all.cases, all.events, log.activities.len(), all.variants), wanted, "{name}");
    }
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
    for command in ["down", "left", "right", "open", "ticket", "report", "loops", "back", "bottom"] {
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
        for (width, height) in [(200, 57), (120, 37), (80, 21), (60, 12), (40, 7), (10, 3), (1, 1)] {
            for command in ["back", "right", "right", "down", "loops", "loops", "left", "left", "down"] {
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
    door.run(&report).await.expect("written");
    assert_eq!(std::fs::read_to_string(&path).expect("there"), "# x\n");
    assert!(door.run(&report).await.is_err());
}
