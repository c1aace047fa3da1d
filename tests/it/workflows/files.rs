//! Files of every kind and every fault.

use std::io::Write as _;
use std::path::PathBuf;

use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;
use zhiban::demo::workflows::{FLOWS, write_csv};
use zhiban::workflows::analysis::{Analysis, analyse};
use zhiban::workflows::log::Log;
use zhiban::workflows::sources::{LogError, Options, read, read_from};

use super::from;

/// The line that an error names.
fn line(result: Result<Log, LogError>) -> u64 {
    match result.expect_err("refused") {
        LogError::Line { line, .. } => line,
        other => panic!("names no line: {other}"),
    }
}

pub(super) const CSV: &str = "case:concept:name,concept:name,time:timestamp,org:resource\n\
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
fn a_row_may_tell_when_its_step_could_begin() {
    let text = "PROC_INST_ID_,NAME_,ASSIGNEE_,START_TIME_,CLAIM_TIME_,END_TIME_\n\
        1,审批,li,2026-10-12 08:00:00,2026-10-12 10:00:00,2026-10-12 10:30:00\n\
        1,归档,,2026-10-12 10:30:00,,\n";
    let log = from(text).expect("read");
    let all = analyse(&log);
    let f = all.activities.iter().find(|f| f.executions == 1).expect("done");
    let means = [f.waiting, f.processing, f.sojourn].map(|s| s.map(|s| s.mean as i64 / 60_000));
    assert_eq!(means, [Some(120), Some(30), Some(150)]);
    assert_eq!(log.transition_of(1), zhiban::workflows::model::Transition::Schedule, "created, not claimed");
    let named = Options { enabled: Some("nowhere".into()), ..Options::default() };
    assert!(read_from(text.as_bytes(), &named).expect_err("refused").to_string().contains("nowhere"));
}

#[test]
fn naive_times_are_those_of_the_zone_given_in_whatever_order() {
    let zone = Options { zone: chrono_tz::Asia::Shanghai, ..Options::default() };
    let text = "case,activity,time\n1,b,2026-10-12 18:00:00\n1,a,2026-10-12 09:00:00\n1,c,2026-10-12T11:00:00Z\n";
    let log = read_from(text.as_bytes(), &zone).expect("read");
    assert_eq!(log.at.iter().map(|t| t / 3_600_000 % 24).collect::<Vec<_>>(), [1, 10, 11]);
}

#[test]
fn a_file_that_is_neither_utf_8_nor_gbk_and_one_of_two_encodings_name_their_line() {
    let gbk = encoding_rs::GB18030.encode("4,归档,2026-10-12 09:00:00,王芳\n").0.into_owned();
    // UTF-8 by most of its names, and a line of GBK in the middle
    let utf8 = format!("{CSV}3,审批,2026-10-12 09:00:00,李雷\n3,复核,2026-10-12 10:00:00,韩梅梅\n");
    let error = from([utf8.as_bytes(), &gbk].concat()).expect_err("refused");
    assert!(error.to_string().contains("line 7") && error.to_string().contains("UTF-8"), "{error}");
    let xes = xes(TRACE).replace("approve", "审批");
    let broken = encoding_rs::GB18030.encode(&xes).0.into_owned();
    assert_eq!(line(from(&broken)), 8, "it says UTF-8 and is GBK");
    let told = xes.replace("UTF-8", "GBK");
    let log = from(encoding_rs::GB18030.encode(&told).0).expect("it says GBK and is");
    assert_eq!(log.activities.get(1), "审批");
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
        let edges = |a: &Analysis| a.edges.iter().map(|e| e.count).collect::<Vec<_>>();
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
