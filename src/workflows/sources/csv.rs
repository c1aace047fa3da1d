//! Event logs as CSV: one row an event. Fields are split in place; only records with quotes are copied.

use std::io::BufRead as _;

use super::input::{Lines, unreadable};
use super::time::TimeReader;
use super::{LogError, Options};
use crate::locale::workflows as say;
use crate::text;
use crate::workflows::log::Log;
use crate::workflows::model::{Event, Transition};

/// Longest record with a line end inside quotes.
const LONGEST_QUOTED: usize = 1 << 20;
/// Most columns of which the error lists the names.
const COLUMNS_TOLD: usize = 40;

const CASE: usize = 0;
const ACTIVITY: usize = 1;
const TIME: usize = 2;
const START: usize = 3;
const RESOURCE: usize = 4;
const LIFECYCLE: usize = 5;
const ROLES: usize = 6;

/// Names that columns go by, the most telling first.
const KNOWN: [&[&str]; ROLES] = [
    &[
        "case:concept:name",
        "case_id",
        "caseid",
        "case id",
        "case",
        "trace",
        "process_instance_id",
        "proc_inst_id_",
        "instance_id",
        "流程实例编号",
        "流程实例",
        "流程编号",
        "实例编号",
        "案例编号",
        "案例",
        "单号",
        "单据编号",
        "申请单号",
    ],
    &[
        "concept:name",
        "activity",
        "activity name",
        "activity_name",
        "act_name_",
        "task",
        "task_name",
        "event",
        "node",
        "活动",
        "活动名称",
        "节点",
        "节点名称",
        "环节",
        "环节名称",
        "任务名称",
        "任务",
        "步骤",
    ],
    &[
        "time:timestamp",
        "end_time",
        "complete timestamp",
        "complete_timestamp",
        "completetimestamp",
        "end_time_",
        "completed_at",
        "timestamp",
        "end",
        "end time",
        "time",
        "date",
        "完成时间",
        "结束时间",
        "办理时间",
        "处理时间",
        "审批时间",
        "时间",
        "发生时间",
    ],
    &[
        "start_timestamp",
        "start_time",
        "start timestamp",
        "starttimestamp",
        "start_time_",
        "started_at",
        "start",
        "start time",
        "开始时间",
        "接收时间",
        "到达时间",
    ],
    &[
        "org:resource",
        "resource",
        "assignee",
        "assignee_",
        "user",
        "performer",
        "处理人",
        "办理人",
        "审批人",
        "经办人",
        "操作人",
        "执行人",
        "人员",
    ],
    &["lifecycle:transition", "lifecycle", "transition", "event_type", "生命周期", "状态变化"],
];

/// Where the columns are that matter.
struct Layout {
    delimiter: u8,
    /// Column → role, in the order of columns.
    wanted: Vec<(usize, usize)>,
    columns: usize,
    names: Vec<String>,
}

/// Reads a CSV log.
pub(super) fn read(mut input: Lines<'_>, options: &Options) -> Result<Log, LogError> {
    let mut reader = Reader {
        log: Log::default(),
        times: TimeReader::new(options.zone, options.time_format.clone()),
        layout: None,
        options,
        line: 0,
        not_utf8: None,
        quoted: Vec::new(),
        quoted_from: 0,
        unquoted: Vec::new(),
    };
    let mut carry: Vec<u8> = Vec::new();
    loop {
        input.mark();
        let line = reader.line + 1;
        let buf = input.fill_buf().map_err(|e| LogError::at(line, unreadable(&e)))?;
        if buf.is_empty() {
            if !carry.is_empty() {
                reader.line(&carry)?;
            }
            break;
        }
        let mut at = 0;
        for end in memchr::memchr_iter(b'\n', buf) {
            if carry.is_empty() {
                reader.line(&buf[at..end])?;
            } else {
                carry.extend_from_slice(&buf[at..end]);
                reader.line(&carry)?;
                carry.clear();
            }
            at = end + 1;
        }
        carry.extend_from_slice(&buf[at..]);
        if carry.len() > 4 * LONGEST_QUOTED {
            return Err(LogError::at(reader.line + 1, say::endless_piece()));
        }
        let n = buf.len();
        input.consume(n);
    }
    reader.finish()
}

struct Reader<'o> {
    log: Log,
    times: TimeReader,
    layout: Option<Layout>,
    options: &'o Options,
    /// Lines seen.
    line: u64,
    /// The first line with a name that is no UTF-8.
    not_utf8: Option<u64>,
    /// A record whose quotes are open at the end of its line.
    quoted: Vec<u8>,
    quoted_from: u64,
    /// Fields of a record with quotes, without them.
    unquoted: Vec<u8>,
}

impl Reader<'_> {
    /// Takes a line without its `\n`.
    fn line(&mut self, line: &[u8]) -> Result<(), LogError> {
        self.line += 1;
        if self.quoted.is_empty() {
            if memchr::memchr(b'"', line).is_none() {
                return self.record(line.strip_suffix(b"\r").unwrap_or(line), self.line);
            }
            if self.stays_open(line) {
                self.quoted_from = self.line;
                self.quoted.extend_from_slice(line);
                self.quoted.push(b'\n');
                return Ok(());
            }
            let line = line.to_vec();
            return self.quoted_record(&line, self.line);
        }
        self.quoted.extend_from_slice(line);
        if memchr::memchr_iter(b'"', line).count().is_multiple_of(2) {
            self.quoted.push(b'\n');
            if self.quoted.len() > LONGEST_QUOTED {
                return Err(LogError::at(self.quoted_from, say::quote_open()));
            }
            return Ok(());
        }
        let record = std::mem::take(&mut self.quoted);
        self.quoted_record(&record, self.quoted_from)
    }

    /// Whether a quoted field goes on in the next line. A quote inside a field that does not begin with one is text.
    fn stays_open(&self, line: &[u8]) -> bool {
        let delimiter = self.layout.as_ref().map_or_else(|| delimiter_of(line), |l| l.delimiter);
        !memchr::memchr_iter(b'"', line).count().is_multiple_of(2)
            && (line.first() == Some(&b'"') || memchr::memmem::find(line, &[delimiter, b'"']).is_some())
    }

    /// A record with quotes: they are taken off and the fields joined by a byte that no field holds.
    fn quoted_record(&mut self, record: &[u8], line: u64) -> Result<(), LogError> {
        let record = record.strip_suffix(b"\r").unwrap_or(record);
        if self.layout.is_none() {
            return self.header(record, line);
        }
        let delimiter = self.layout.as_ref().map_or(b',', |l| l.delimiter);
        let mut out = std::mem::take(&mut self.unquoted);
        out.clear();
        let mut fields = Vec::new();
        split_quoted(record, delimiter, &mut out, &mut fields);
        let result = self.event(&out, fields.into_iter(), line);
        self.unquoted = out;
        result
    }

    fn record(&mut self, line: &[u8], at: u64) -> Result<(), LogError> {
        let Some(layout) = &self.layout else { return self.header(line, at) };
        if line.is_empty() {
            return Ok(());
        }
        let delimiter = layout.delimiter;
        let mut begin = 0;
        let fields = memchr::memchr_iter(delimiter, line).chain(std::iter::once(line.len())).map(move |end| {
            let field = (begin, end);
            begin = end + 1;
            field
        });
        self.event(line, fields, at)
    }

    /// Finds the columns in the first line that is not empty.
    fn header(&mut self, line: &[u8], at: u64) -> Result<(), LogError> {
        if line.trim_ascii().is_empty() {
            return Ok(());
        }
        if line.starts_with(b"PK\x03\x04") {
            return Err(LogError::at(at, say::spreadsheet()));
        }
        if line.iter().any(|b| *b < 0x20 && *b != b'\t') {
            return Err(LogError::at(at, say::no_text()));
        }
        let delimiter = self.options.delimiter.unwrap_or_else(|| delimiter_of(line));
        let (mut bytes, mut fields) = (Vec::new(), Vec::new());
        split_quoted(line, delimiter, &mut bytes, &mut fields);
        let names: Vec<String> = fields.iter().map(|(a, b)| decode(&bytes[*a..*b]).trim().to_owned()).collect();
        let find = |given: &Option<String>, role: usize| -> Result<Option<usize>, LogError> {
            if let Some(wanted) = given {
                let found = names.iter().position(|n| n == wanted);
                let found = found.or_else(|| names.iter().position(|n| n.eq_ignore_ascii_case(wanted)));
                return found.map(Some).ok_or_else(|| LogError::at(at, say::no_such_column(wanted, &told(&names))));
            }
            Ok(KNOWN[role].iter().find_map(|known| names.iter().position(|n| n.to_lowercase() == **known)))
        };
        let o = self.options;
        let mut found = [
            find(&o.case, CASE)?,
            find(&o.activity, ACTIVITY)?,
            find(&o.time, TIME)?,
            find(&o.start, START)?,
            find(&o.resource, RESOURCE)?,
            find(&o.lifecycle, LIFECYCLE)?,
        ];
        // a log that knows only when things began
        if found[TIME].is_none() && o.start.is_none() {
            found[TIME] = found[START].take();
        }
        for (role, flag) in [(CASE, "--case"), (ACTIVITY, "--activity"), (TIME, "--time")] {
            if found[role].is_none() {
                return Err(LogError::at(at, say::no_column(flag, &told(&names))));
            }
        }
        let mut wanted: Vec<(usize, usize)> =
            found.iter().enumerate().filter_map(|(role, column)| Some(((*column)?, role))).collect();
        wanted.sort_unstable();
        self.layout = Some(Layout { delimiter, wanted, columns: names.len(), names });
        Ok(())
    }

    /// Takes the event of a record whose fields lie at `fields` in `bytes`.
    #[inline]
    fn event(&mut self, bytes: &[u8], fields: impl Iterator<Item = (usize, usize)>, line: u64) -> Result<(), LogError> {
        let Some(layout) = &self.layout else { return Ok(()) };
        let mut of: [&[u8]; ROLES] = [&[]; ROLES];
        let mut next = 0;
        let mut columns = 0;
        for (begin, end) in fields {
            while let Some((column, role)) = layout.wanted.get(next)
                && *column == columns
            {
                of[*role] = &bytes[begin..end];
                next += 1;
            }
            columns += 1;
        }
        if next < layout.wanted.len() || columns > layout.columns {
            return Err(LogError::at(line, say::field_count(columns, layout.columns)));
        }
        let column =
            |role: usize| layout.wanted.iter().find(|(_, r)| *r == role).map_or("", |(c, _)| layout.names[*c].as_str());
        for role in [CASE, ACTIVITY] {
            if of[role].is_empty() {
                return Err(LogError::at(line, say::empty_field(&text::clean(column(role)))));
            }
        }
        let mut read = |role: usize| -> Result<Option<i64>, LogError> {
            if of[role].is_empty() || is_nothing(of[role]) {
                return Ok(None);
            }
            match self.times.read(of[role]) {
                Some(at) => Ok(Some(at)),
                None => {
                    let shown = text::fit(&text::clean(&decode(of[role])), 40).into_owned();
                    Err(LogError::at(line, say::no_time(&text::clean(column(role)), &shown)))
                }
            }
        };
        let (time, start) = (read(TIME)?, read(START)?);
        let mut transition = Transition::from_bytes(of[LIFECYCLE]);
        let (at, start) = match (time, start) {
            (Some(at), start) => (at, start),
            // begun and not done yet
            (None, Some(start)) => {
                transition = Transition::Start;
                (start, None)
            }
            (None, None) => return Err(LogError::at(line, say::empty_field(&text::clean(column(TIME))))),
        };
        let resource = if is_nothing(of[RESOURCE]) { &[] } else { of[RESOURCE] };
        let before = [self.log.cases.len(), self.log.activities.len(), self.log.resources.len()];
        let event = Event { case: of[CASE], activity: of[ACTIVITY], resource, at, start, transition };
        self.log.push(&event).map_err(|e| LogError::overflow(line, e))?;
        if self.not_utf8.is_none() {
            let after = [self.log.cases.len(), self.log.activities.len(), self.log.resources.len()];
            let texts = [of[CASE], of[ACTIVITY], resource];
            if (0..3).any(|i| after[i] > before[i] && std::str::from_utf8(texts[i]).is_err()) {
                self.not_utf8 = Some(line);
            }
        }
        Ok(())
    }

    /// Settles the encoding of the names.
    fn finish(mut self) -> Result<Log, LogError> {
        if !self.quoted.is_empty() {
            return Err(LogError::at(self.quoted_from, say::quote_open()));
        }
        if let Some(line) = self.not_utf8 {
            let log = &mut self.log;
            let names = [&log.cases, &log.activities, &log.resources].map(crate::workflows::log::Names::census);
            let utf8: usize = names.iter().map(|n| n[1]).sum();
            let other: usize = names.iter().map(|n| n[2]).sum();
            // a short GB18030 name may happen to be UTF-8; many of them are not
            let whole = utf8 <= other
                && log.cases.decode_gb18030()
                && log.activities.decode_gb18030()
                && log.resources.decode_gb18030();
            if !whole {
                return Err(LogError::at(line, say::not_utf8()));
            }
        }
        Ok(self.log)
    }
}

/// What stands where nothing is known.
fn is_nothing(field: &[u8]) -> bool {
    matches!(field, b"NULL" | b"null" | b"NaN" | b"nan" | b"NaT" | b"None" | b"\\N")
}

fn decode(bytes: &[u8]) -> std::borrow::Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.into(),
        Err(_) => encoding_rs::GB18030.decode_without_bom_handling(bytes).0,
    }
}

/// The names of the columns for an error, cleaned and not too many.
fn told(names: &[String]) -> String {
    let mut out: Vec<String> =
        names.iter().take(COLUMNS_TOLD).map(|n| text::fit(&text::clean(n), 40).into_owned()).collect();
    if names.len() > COLUMNS_TOLD {
        out.push("…".into());
    }
    out.join(", ")
}

/// The separator that stands most often in the first line, outside quotes.
fn delimiter_of(line: &[u8]) -> u8 {
    let mut counts = [(b',', 0usize), (b';', 0), (b'\t', 0), (b'|', 0)];
    let mut inside = false;
    for b in line {
        inside ^= *b == b'"';
        if !inside && let Some(c) = counts.iter_mut().find(|c| c.0 == *b) {
            c.1 += 1;
        }
    }
    counts.iter().rev().max_by_key(|c| c.1).map_or(b',', |c| c.0)
}

/// Splits a record, takes quotes off into `out`, and says where each field lies there.
fn split_quoted(record: &[u8], delimiter: u8, out: &mut Vec<u8>, fields: &mut Vec<(usize, usize)>) {
    let mut i = 0;
    loop {
        let begin = out.len();
        if record.get(i) == Some(&b'"') {
            i += 1;
            while i < record.len() {
                if record[i] == b'"' {
                    if record.get(i + 1) == Some(&b'"') {
                        i += 1;
                    } else {
                        i += 1;
                        break;
                    }
                }
                out.push(record[i]);
                i += 1;
            }
        }
        // also what stands after a closing quote
        let end = memchr::memchr(delimiter, &record[i.min(record.len())..]).map_or(record.len(), |n| i + n);
        out.extend_from_slice(&record[i.min(end)..end]);
        fields.push((begin, out.len()));
        if end >= record.len() {
            return;
        }
        i = end + 1;
    }
}
