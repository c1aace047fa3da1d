//! CSV logs.

use std::io::Read;

use chrono::NaiveDateTime;

use crate::clock::{Millis, parse_rfc3339};
use crate::workflows::model::Log;

/// Which columns hold what; none: found by the usual names.
#[derive(Debug, Clone, Default)]
pub struct Columns {
    /// Case.
    pub case: Option<String>,
    /// Activity.
    pub activity: Option<String>,
    /// End of the activity.
    pub time: Option<String>,
    /// Start of the activity.
    pub start: Option<String>,
    /// Who did it.
    pub resource: Option<String>,
}

const CASE: &[&str] = &["case:concept:name", "case_id", "caseid", "case", "trace_id", "流程编号", "实例编号"];
const ACTIVITY: &[&str] = &["concept:name", "activity", "task", "event", "节点", "活动"];
const TIME: &[&str] =
    &["time:timestamp", "timestamp", "end_time", "end_timestamp", "complete_time", "time", "完成时间", "时间"];
const START: &[&str] = &["start_timestamp", "start_time", "开始时间"];
const RESOURCE: &[&str] = &["org:resource", "resource", "user", "处理人"];

/// The text of a file: UTF-8 with or without a mark, else GB18030.
fn decode(bytes: Vec<u8>) -> String {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").map(<[u8]>::to_vec).unwrap_or(bytes);
    String::from_utf8(bytes).unwrap_or_else(|e| encoding_rs::GB18030.decode(e.as_bytes()).0.into_owned())
}

/// Reads a log.
pub(super) fn read(mut input: impl Read, columns: &Columns) -> Result<Log, String> {
    let mut bytes = Vec::new();
    input.read_to_end(&mut bytes).map_err(|e| e.to_string())?;
    let text = decode(bytes);
    let first = text.lines().next().unwrap_or_default();
    let delimiter = [b',', b';', b'\t']
        .into_iter()
        .max_by_key(|d| memchr::memchr_iter(*d, first.as_bytes()).count())
        .unwrap_or(b',');
    let mut reader = ::csv::ReaderBuilder::new().delimiter(delimiter).from_reader(text.as_bytes());
    let head = reader.headers().map_err(|e| e.to_string())?.clone();
    let find = |wanted: &Option<String>, usual: &[&str]| match wanted {
        Some(name) => {
            head.iter().position(|h| h.trim() == name).map(Some).ok_or_else(|| format!("line 1: no column `{name}`"))
        }
        None => Ok(usual.iter().find_map(|u| head.iter().position(|h| h.trim().eq_ignore_ascii_case(u)))),
    };
    let must = |found: Option<usize>, what: &str| {
        found.ok_or_else(|| {
            format!(
                "line 1: no column for the {what}; name it with --{what} (there are: {})",
                head.iter().collect::<Vec<_>>().join(", ")
            )
        })
    };
    let case = must(find(&columns.case, CASE)?, "case")?;
    let activity = must(find(&columns.activity, ACTIVITY)?, "activity")?;
    let at = must(find(&columns.time, TIME)?, "time")?;
    let (start, resource) = (find(&columns.start, START)?, find(&columns.resource, RESOURCE)?);
    let mut log = Log::default();
    let mut record = ::csv::StringRecord::new();
    while reader.read_record(&mut record).map_err(|e| e.to_string())? {
        let line = record.position().map_or(0, ::csv::Position::line);
        let field = |i: usize| record.get(i).unwrap_or_default().trim();
        let when = time(field(at)).map_err(|e| format!("line {line}: {e}"))?;
        let begun = match start.map(field).filter(|s| !s.is_empty()) {
            Some(text) => Some(time(text).map_err(|e| format!("line {line}: {e}"))?),
            None => None,
        };
        if field(case).is_empty() || field(activity).is_empty() {
            return Err(format!("line {line}: case and activity must not be empty"));
        }
        log.add(field(case), field(activity), resource.map(field), when, begun);
    }
    Ok(log)
}

/// Reads the usual forms of an instant; one without a zone is UTC.
pub(super) fn time(text: &str) -> Result<Millis, String> {
    if let Ok(at) = parse_rfc3339(text) {
        return Ok(at);
    }
    // `2011-10-11 13:45:40.276+02:00`
    if let Ok(at) = parse_rfc3339(&text.replacen(' ', "T", 1)) {
        return Ok(at);
    }
    for form in [
        "%Y-%m-%d %H:%M:%S%.f",
        "%Y-%m-%dT%H:%M:%S%.f",
        "%Y/%m/%d %H:%M:%S%.f",
        "%Y/%m/%d %H:%M",
        "%Y-%m-%d %H:%M",
        "%d-%m-%Y:%H.%M",
        "%d.%m.%Y %H:%M:%S",
    ] {
        if let Ok(at) = NaiveDateTime::parse_from_str(text, form) {
            return Ok(at.and_utc().timestamp_millis());
        }
    }
    Err(format!("`{text}` is no instant; write 2026-11-24T09:30:00+08:00 or 2026-11-24 09:30:00"))
}
