//! What the tools print, understood. Every parser takes hostile text: broken JSON, wrong types, invalid UTF-8 and
//! control characters end in a sentence that names the place, never in a crash and never in half an import.

pub mod borg;
pub mod pgbackrest;
pub mod restic;
pub mod run;

use chrono_tz::Tz;
use serde_json::Value;

pub use super::model::Report;
use super::model::Tool;
use crate::clock::Millis;
use crate::locale::backups as say;
use crate::text::encoding;

/// Largest file that is read.
pub const MAX_BYTES: usize = 64 << 20;
/// Longest note kept of what a tool said.
const NOTE: usize = 500;

/// What the reader of a tool's output is told about it.
#[derive(Debug, Clone)]
pub struct Context {
    /// When it was written, where it does not say so itself.
    pub at: Millis,
    /// The zone of times that carry none (borg).
    pub zone: Tz,
    /// restic: only snapshots of this host; empty: all.
    pub host: String,
    /// restic: only snapshots that hold this path; empty: all.
    pub path: String,
    /// pgBackRest: the stanza; where the file holds several, the system's name is tried next.
    pub stanza: String,
    /// The system's name.
    pub system: String,
    /// The check read the data (restic does not say so itself).
    pub read_data: bool,
    /// pgBackRest: whether the off-site repository is asked for (its higher key).
    pub offsite: bool,
}

/// Reads what `tool` printed.
///
/// # Errors
/// With a sentence that names the place in the text.
pub fn parse(tool: Tool, bytes: &[u8], cx: &Context) -> Result<Report, String> {
    if bytes.len() > MAX_BYTES {
        return Err(say::too_large(MAX_BYTES >> 20));
    }
    let text = encoding::decode_lossy(bytes);
    let text = text.trim();
    if text.is_empty() {
        return Err(say::empty_file());
    }
    match tool {
        Tool::Restic => restic::parse(text, cx),
        Tool::Borg => borg::parse(text, cx),
        Tool::Pgbackrest => pgbackrest::parse(text, cx),
    }
}

/// A note short enough to keep: the first lines of what was said.
fn note(text: &str) -> String {
    let text = text.trim();
    match text.char_indices().nth(NOTE) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// The lines of `text` that are JSON objects, with their numbers. A line that begins like one and is none is an error.
fn json_lines(text: &str) -> Result<Vec<(usize, Value)>, String> {
    let mut out = vec![];
    for (i, line) in text.lines().enumerate() {
        // a prompt may stand before the object on the same line (borg asking for its passphrase)
        let Some(start) = line.find('{') else { continue };
        match serde_json::from_str(&line[start..]) {
            Ok(value @ Value::Object(_)) => out.push((i + 1, value)),
            Ok(_) => {}
            Err(e) if start == 0 => return Err(say::bad_line(i + 1, e.column(), &reason(&e))),
            Err(_) => {}
        }
    }
    Ok(out)
}

/// Why JSON could not be read, without the place that serde appends.
fn reason(e: &serde_json::Error) -> String {
    let text = e.to_string();
    text.rsplit_once(" at line ").map_or(text.clone(), |(head, _)| head.to_owned())
}

/// The whole of `text` as one JSON value.
fn json(text: &str) -> Result<Value, String> {
    serde_json::from_str(text).map_err(|e| say::bad_line(e.line(), e.column(), &reason(&e)))
}

/// Text at `key`, where it is text.
fn text_at<'a>(value: &'a Value, key: &str) -> Option<&'a str> {
    value.get(key)?.as_str()
}

/// Text at `key`, or an error that names `place`.
fn need<'a>(value: &'a Value, key: &str, place: &str) -> Result<&'a str, String> {
    match value.get(key) {
        Some(Value::String(s)) if !s.is_empty() => Ok(s),
        Some(other) if !other.is_null() => Err(say::bad_field(place, key, &shorten(other))),
        _ => Err(say::no_field(place, key)),
    }
}

fn shorten(value: &Value) -> String {
    let text = value.to_string();
    crate::text::fit(&crate::text::clean(&text), 40).into_owned()
}

/// A count of bytes at `key`; negative and broken ones are nothing.
fn bytes_at(value: &Value, key: &str) -> Option<i64> {
    value.get(key)?.as_i64().filter(|n| *n >= 0)
}

/// What comes in ÷ what comes out, where both are known.
fn ratio(input: Option<i64>, output: Option<i64>) -> Option<f64> {
    match (input, output) {
        (Some(i), Some(o)) if i > 0 && o > 0 => Some(i as f64 / o as f64),
        _ => None,
    }
}

#[cfg(test)]
mod captured;
#[cfg(test)]
mod tests;
