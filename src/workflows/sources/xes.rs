//! XES, read as a stream.

use std::io::BufRead;

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use crate::clock::{Millis, parse_rfc3339};
use crate::workflows::model::Log;

#[derive(Default)]
struct Seen {
    name: Option<String>,
    at: Option<Millis>,
    start: Option<Millis>,
    resource: Option<String>,
}

/// Reads a log.
pub(super) fn read(input: impl BufRead) -> Result<Log, String> {
    let mut reader = Reader::from_reader(LineCount { inner: input, lines: 1 });
    let mut log = Log::default();
    let mut buffer = Vec::new();
    let mut trace: Option<String> = None;
    let mut traces = 0usize;
    let mut event: Option<Seen> = None;
    let mut depth_in = 0usize;
    let mut closed = false;
    loop {
        buffer.clear();
        let item = reader.read_event_into(&mut buffer);
        let (tag, empty) = match item {
            Ok(Event::Start(tag)) => (tag.into_owned(), false),
            Ok(Event::Empty(tag)) => (tag.into_owned(), true),
            Ok(Event::End(tag)) => {
                match tag.local_name().as_ref() {
                    "event" => {
                        if let Some(seen) = event.take() {
                            finish(&mut log, trace.as_deref(), traces, seen)
                                .map_err(|e| format!("line {}: {e}", reader.get_ref().lines))?;
                        }
                        depth_in = 0;
                    }
                    "trace" => trace = None,
                    "log" => closed = true,
                    _ => depth_in = depth_in.saturating_sub(1),
                }
                continue;
            }
            Ok(Event::Eof) => break,
            Ok(_) => continue,
            Err(e) => return Err(format!("line {}: {e}", reader.get_ref().lines)),
        };
        match tag.local_name().as_ref() {
            "trace" => {
                traces += 1;
                trace = Some(format!("#{traces}"));
            }
            "event" if !empty => event = Some(Seen::default()),
            "string" | "date" | "id" => {
                let fail = |e: String| format!("line {}: {e}", reader.get_ref().lines);
                let (key, value) = attribute(&tag).map_err(fail)?;
                match (&mut event, depth_in) {
                    (Some(seen), 0) => match key.as_str() {
                        "concept:name" => seen.name = Some(value),
                        "time:timestamp" => seen.at = Some(time(&value).map_err(fail)?),
                        "start_timestamp" => seen.start = Some(time(&value).map_err(fail)?),
                        "org:resource" => seen.resource = Some(value),
                        _ => {}
                    },
                    (None, _) if trace.is_some() && key == "concept:name" => trace = Some(value),
                    _ => {}
                }
                depth_in += usize::from(!empty);
            }
            "log" | "event" => {}
            _ => depth_in += usize::from(!empty),
        }
    }
    if !closed {
        return Err(format!("line {}: the file ends before </log>: it is cut off or no XES", reader.get_ref().lines));
    }
    Ok(log)
}

fn finish(log: &mut Log, trace: Option<&str>, traces: usize, seen: Seen) -> Result<(), String> {
    let name = seen.name.ok_or("an event without concept:name")?;
    let at = seen.at.ok_or("an event without time:timestamp")?;
    let fallback = format!("#{traces}");
    log.add(trace.unwrap_or(&fallback), &name, seen.resource.as_deref(), at, seen.start);
    Ok(())
}

fn time(text: &str) -> Result<Millis, String> {
    parse_rfc3339(text).or_else(|_| super::csv::time(text))
}

fn attribute(tag: &BytesStart<'_>) -> Result<(String, String), String> {
    let (mut key, mut value) = (String::new(), String::new());
    for attribute in tag.attributes() {
        let attribute = attribute.map_err(|e| e.to_string())?;
        let text = quick_xml::escape::unescape(&attribute.value).map_err(|e| e.to_string())?.into_owned();
        match attribute.key.as_ref() {
            "key" => key = text,
            "value" => value = text,
            _ => {}
        }
    }
    Ok((key, value))
}

/// Counts lines as they go by, for messages.
struct LineCount<R> {
    inner: R,
    lines: usize,
}

impl<R: BufRead> std::io::Read for LineCount<R> {
    fn read(&mut self, buf: &mut [u8]) -> std::io::Result<usize> {
        self.inner.read(buf)
    }
}

impl<R: BufRead> BufRead for LineCount<R> {
    fn fill_buf(&mut self) -> std::io::Result<&[u8]> {
        self.inner.fill_buf()
    }
    fn consume(&mut self, amount: usize) {
        if let Ok(buffer) = self.inner.fill_buf() {
            self.lines += memchr::memchr_iter(b'\n', &buffer[..amount.min(buffer.len())]).count();
        }
        self.inner.consume(amount);
    }
}
