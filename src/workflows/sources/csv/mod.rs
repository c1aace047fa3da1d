//! Event logs as CSV: one row an event. Fields are split in place; only records with quotes are copied.

mod columns;

use std::io::BufRead as _;

use self::columns::{ACTIVITY, CASE, ENABLED, LIFECYCLE, Layout, RESOURCE, ROLES, START, TIME, delimiter_of};
use super::input::{Lines, unreadable};
use super::time::TimeReader;
use super::{LogError, Options};
use crate::locale::workflows as say;
use crate::text::{self, encoding};
use crate::workflows::log::Log;
use crate::workflows::model::{Event, Transition};
use crate::workflows::names::Names;

/// Events that are taken in together.
const BATCH: usize = 64;
/// Longest record with a line end inside quotes.
const LONGEST_QUOTED: usize = 1 << 20;

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
        fields: Vec::new(),
        found: Vec::new(),
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
        // most files have no quotes at all: asked once for many lines
        let quotes = memchr::memchr(b'"', buf).is_some();
        let (mut batch, mut lines) = (Vec::with_capacity(BATCH), Vec::with_capacity(BATCH));
        for end in memchr::memchr_iter(b'\n', buf) {
            if carry.is_empty() && !quotes && !reader.is_quoted() {
                if let Some(event) = reader.plain(&buf[at..end])? {
                    batch.push(event);
                    lines.push(reader.line);
                }
                if batch.len() == BATCH {
                    reader.take(&batch, &lines)?;
                    batch.clear();
                    lines.clear();
                }
            } else if carry.is_empty() {
                reader.line(&buf[at..end])?;
            } else {
                carry.extend_from_slice(&buf[at..end]);
                reader.line(&carry)?;
                carry.clear();
            }
            at = end + 1;
        }
        reader.take(&batch, &lines)?;
        carry.extend_from_slice(&buf[at..]);
        if carry.len() > 4 * LONGEST_QUOTED {
            return Err(LogError::at(reader.line + 1, say::endless_piece()));
        }
        let n = buf.len();
        input.consume_uncounted(n);
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
    /// Fields of a record with quotes, without them, and where each lies.
    unquoted: Vec<u8>,
    fields: Vec<(usize, usize)>,
    /// Room to look cases up in.
    found: Vec<u32>,
}

impl Reader<'_> {
    /// Whether a quote is open.
    fn is_quoted(&self) -> bool {
        !self.quoted.is_empty()
    }

    /// The event of a line without its `\n` that has no quotes.
    #[inline]
    fn plain<'l>(&mut self, line: &'l [u8]) -> Result<Option<Event<'l>>, LogError> {
        self.line += 1;
        self.record(line.strip_suffix(b"\r").unwrap_or(line), self.line)
    }

    /// Takes events in; `lines` are theirs.
    fn take(&mut self, events: &[Event<'_>], lines: &[u64]) -> Result<(), LogError> {
        let before = [self.log.cases.len(), self.log.activities.len(), self.log.resources.len()];
        let taken = self.log.push_all(events, &mut self.found);
        taken.map_err(|(at, full)| LogError::overflow(lines.get(at).copied().unwrap_or(self.line), full))?;
        if self.not_utf8.is_none() {
            let log = &self.log;
            let fresh = [(&log.cases, before[0]), (&log.activities, before[1]), (&log.resources, before[2])];
            let odd = |(names, from): (&Names, usize)| {
                (from..names.len()).any(|n| std::str::from_utf8(names.bytes(n as u32)).is_err())
            };
            if fresh.into_iter().any(odd) {
                let is_odd =
                    |e: &Event<'_>| [e.case, e.activity, e.resource].iter().any(|n| std::str::from_utf8(n).is_err());
                self.not_utf8 = events.iter().position(is_odd).and_then(|at| lines.get(at).copied());
            }
        }
        Ok(())
    }

    /// Takes a line without its `\n`.
    fn line(&mut self, line: &[u8]) -> Result<(), LogError> {
        self.line += 1;
        if self.quoted.is_empty() {
            if memchr::memchr(b'"', line).is_none() {
                let event = self.record(line.strip_suffix(b"\r").unwrap_or(line), self.line)?;
                return event.map_or(Ok(()), |e| self.take(&[e], &[self.line]));
            }
            if self.stays_open(line) {
                self.quoted_from = self.line;
                self.quoted.extend_from_slice(line);
                self.quoted.push(b'\n');
                return Ok(());
            }
            return self.quoted_record(line, self.line);
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
        let (mut out, mut fields) = (std::mem::take(&mut self.unquoted), std::mem::take(&mut self.fields));
        out.clear();
        fields.clear();
        split_quoted(record, delimiter, &mut out, &mut fields);
        let event = self.event(&out, fields.iter().copied(), line)?;
        let result = event.map_or(Ok(()), |e| self.take(&[e], &[line]));
        (self.unquoted, self.fields) = (out, fields);
        result
    }

    #[inline]
    fn record<'l>(&mut self, line: &'l [u8], at: u64) -> Result<Option<Event<'l>>, LogError> {
        if line.is_empty() {
            return Ok(None);
        }
        let Some(layout) = &self.layout else { return self.header(line, at).map(|()| None) };
        let delimiter = layout.delimiter;
        let mut begin = 0;
        let fields = memchr::memchr_iter(delimiter, line).chain(std::iter::once(line.len())).map(move |end| {
            let field = (begin, end);
            begin = end + 1;
            field
        });
        self.event(line, fields, at)
    }

    /// Takes the first line that is not empty for the names of the columns.
    fn header(&mut self, line: &[u8], at: u64) -> Result<(), LogError> {
        if !line.trim_ascii().is_empty() {
            self.layout = Some(Layout::find(line, at, self.options)?);
        }
        Ok(())
    }

    /// The event of a record whose fields lie at `fields` in `bytes`.
    #[inline]
    fn event<'l>(
        &mut self,
        bytes: &'l [u8],
        fields: impl Iterator<Item = (usize, usize)>,
        line: u64,
    ) -> Result<Option<Event<'l>>, LogError> {
        let Some(layout) = &self.layout else { return Ok(None) };
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
        for role in [CASE, ACTIVITY] {
            if of[role].is_empty() {
                return Err(LogError::at(line, say::empty_field(&layout.name_of(role))));
            }
        }
        let mut read = |role: usize| -> Result<Option<i64>, LogError> {
            if of[role].is_empty() || is_nothing(of[role]) {
                return Ok(None);
            }
            match self.times.read(of[role]) {
                Some(at) => Ok(Some(at)),
                None => {
                    let shown = text::fit(&text::clean(&encoding::decode_lossy(of[role])), 40).into_owned();
                    Err(LogError::at(line, say::no_time(&layout.name_of(role), &shown)))
                }
            }
        };
        let (time, start, enabled) = (read(TIME)?, read(START)?, read(ENABLED)?);
        let mut transition = Transition::from_bytes(of[LIFECYCLE]);
        let (at, start) = match (time, start) {
            (Some(at), start) => (at, start),
            // begun and not done yet
            (None, Some(start)) => {
                transition = Transition::Start;
                (start, None)
            }
            (None, None) if enabled.is_some() => {
                transition = Transition::Schedule;
                (enabled.unwrap_or_default(), None)
            }
            (None, None) => return Err(LogError::at(line, say::empty_field(&layout.name_of(TIME)))),
        };
        let resource = if is_nothing(of[RESOURCE]) { &[] } else { of[RESOURCE] };
        Ok(Some(Event { case: of[CASE], activity: of[ACTIVITY], resource, at, start, enabled, transition }))
    }

    /// Settles the encoding of the names.
    fn finish(mut self) -> Result<Log, LogError> {
        if !self.quoted.is_empty() {
            return Err(LogError::at(self.quoted_from, say::quote_open()));
        }
        if let Some(line) = self.not_utf8 {
            let log = &mut self.log;
            let names = [&log.cases, &log.activities, &log.resources].map(Names::census);
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
