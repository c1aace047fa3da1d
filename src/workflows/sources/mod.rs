//! Event logs from files: XES (plain and gzipped) and CSV. Read in pieces, never whole.

mod csv;
mod input;
mod time;
mod xes;

use std::fs::File;
use std::io::Read;
use std::path::Path;

use chrono_tz::Tz;

use super::log::{Log, Overflow};
use crate::locale::workflows as say;

pub use time::TimeReader;

/// How a file is to be read. Everything has a usual meaning; a CSV needs names only where its own are unusual.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// Column of the case.
    pub case: Option<String>,
    /// Column of the activity.
    pub activity: Option<String>,
    /// Column of the time (of completion).
    pub time: Option<String>,
    /// Column of the start.
    pub start: Option<String>,
    /// Column of the time at which the execution could begin.
    pub enabled: Option<String>,
    /// Column of the resource.
    pub resource: Option<String>,
    /// Column of the lifecycle transition.
    pub lifecycle: Option<String>,
    /// Field separator; found in the first line when not given.
    pub delimiter: Option<u8>,
    /// A strftime pattern for times that are written in no usual way.
    pub time_format: Option<String>,
    /// The zone of times that do not tell theirs.
    pub zone: Tz,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            case: None,
            activity: None,
            time: None,
            start: None,
            enabled: None,
            resource: None,
            lifecycle: None,
            delimiter: None,
            time_format: None,
            zone: Tz::UTC,
        }
    }
}

/// Why a file cannot be read. Nothing of it was taken.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The file itself.
    #[error("{}", say::file_unreadable(.0))]
    Io(String),
    /// A line makes no sense; counted from 1 (in what a `.gz` unpacks to).
    #[error("{}", say::at_line(*.line, .why))]
    Line {
        /// The line.
        line: u64,
        /// What is wrong with it and what to do.
        why: String,
    },
    /// The file as a whole.
    #[error("{0}")]
    File(String),
}

impl LogError {
    pub(super) fn at(line: u64, why: String) -> Self {
        Self::Line { line, why }
    }
    pub(super) fn overflow(line: u64, what: Overflow) -> Self {
        Self::at(line, if what == Overflow::Activities { say::too_many_activities() } else { say::too_large() })
    }
}

/// What a file was read as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// XES.
    Xes,
    /// Comma-separated (or otherwise) text.
    Csv,
}

/// Reads the log in `path`.
///
/// # Errors
/// When the file cannot be read or a line of it makes no sense; the error names the line.
pub fn read(path: &Path, options: &Options) -> Result<Log, LogError> {
    let file = File::open(path).map_err(|e| LogError::Io(e.to_string()))?;
    if file.metadata().is_ok_and(|m| m.is_dir()) {
        return Err(LogError::Io(say::is_a_folder()));
    }
    read_from(file, options)
}

/// Reads a log from anything: gzip, XML and encodings are recognised by what they begin with.
///
/// # Errors
/// As [`read`].
pub fn read_from(raw: impl Read, options: &Options) -> Result<Log, LogError> {
    let mut input = input::open(raw)?;
    let mut log = match input::format(&mut input)? {
        Format::Xes => xes::read(input, options)?,
        Format::Csv => csv::read(input, options)?,
    };
    if log.is_empty() {
        return Err(LogError::File(say::no_events()));
    }
    log.settle();
    Ok(log)
}
