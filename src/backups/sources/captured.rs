//! Every captured output of the tools is read right or refused with a sentence; what each says stands in the table.

use std::path::{Path, PathBuf};

use super::tests::cx;
use super::{Report, parse};
use crate::backups::model::{LookState, Tool, level};

/// A report in a line: runs, what they ended with, checks, how the repository answered.
fn told(report: &Report) -> String {
    let mut out = vec![];
    if !report.runs.is_empty() || report.listing {
        let mut ends: Vec<&str> = report.runs.iter().map(|r| r.outcome.word()).collect();
        ends.dedup();
        let all = if report.listing { " in all" } else { "" };
        out.push(format!("{} runs{all} {}", report.runs.len(), ends.join("+")).trim_end().to_owned());
    }
    for c in &report.checks {
        out.push(format!("{} {}", level::word(c.level), if c.ok { "clean" } else { "DAMAGED" }));
    }
    if report.look.0 != LookState::Ok {
        out.push(report.look.0.word().to_owned());
    }
    if out.is_empty() { "nothing".into() } else { out.join("; ") }
}

fn files(folder: &Path, out: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("folder").map(|e| e.expect("entry").path()) {
        if entry.is_dir() { files(&entry, out) } else { out.push(entry) }
    }
}

#[test]
fn every_captured_file_is_read_right_or_refused_with_a_sentence() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/backups/captured");
    let mut all = vec![];
    files(&root, &mut all);
    all.sort();
    let mut got = String::new();
    // each stream by itself, and both as `> FILE 2>&1` brings them together
    let read = |file: &PathBuf| {
        let name = file.strip_prefix(&root).expect("below").to_string_lossy().into_owned();
        (name, std::fs::read(file).expect("file"))
    };
    let mut cases: Vec<(String, Vec<u8>)> = all.iter().map(read).collect();
    let both: Vec<(String, Vec<u8>)> = cases
        .iter()
        .filter_map(|(name, err)| {
            let stem = name.strip_suffix(".stderr")?;
            let (_, out) = cases.iter().find(|(n, _)| n.strip_suffix(".stdout") == Some(stem))?;
            Some((format!("{stem} both"), [err.as_slice(), b"\n", out].concat()))
        })
        .collect();
    cases.extend(both);
    cases.sort();
    for (name, bytes) in &cases {
        let tool = Tool::from_word(name.split('/').next().unwrap_or_default()).expect("tool");
        let said = match parse(tool, bytes, &cx()) {
            Ok(report) => told(&report),
            Err(why) => {
                assert!(!why.chars().any(char::is_control), "{name}: {why:?}");
                format!("refused: {why}")
            }
        };
        got.push_str(&format!("{name}: {said}\n"));
    }
    let table = root.with_file_name("captured.txt");
    if std::env::var_os("ZHIBAN_BLESS").is_some() {
        std::fs::write(&table, &got).expect("written");
    }
    let wanted = std::fs::read_to_string(&table).expect("table");
    for (got, wanted) in got.lines().zip(wanted.lines()) {
        assert_eq!(got, wanted);
    }
    assert_eq!(got.lines().count(), wanted.lines().count());
}
