//! `zhiban workflow`: event logs without a screen.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Subcommand;
use serde_json::json;

use super::{CliError, Cx};
use crate::clock::rfc3339;
use crate::locale::workflows as say;
use crate::text::clean;
use crate::workflows::actions::Import;
use crate::workflows::log::Log;
use crate::workflows::sources::{self, LogError, Options};
use crate::workflows::{analysis, insight, report, store};

/// `zhiban workflow`
#[derive(Debug, Subcommand)]
pub enum Cmd {
    /// Take the events of a file into the store; what is there already is not taken twice
    Import {
        /// An event log: XES, XES.GZ or CSV; `-` is standard input
        file: PathBuf,
        /// The name of the workflow; else that of the file
        #[arg(long, value_name = "N")]
        name: Option<String>,
        #[command(flatten)]
        columns: Columns,
    },
    /// The figures of a workflow in the store
    Stats {
        /// Its name
        name: String,
    },
    /// The figures of a file, without a store
    Analyze {
        /// An event log: XES, XES.GZ or CSV; `-` is standard input
        file: PathBuf,
        #[command(flatten)]
        columns: Columns,
    },
    /// Every workflow in the store
    List,
}

/// How a CSV is to be read; usual column names are found without.
#[derive(Debug, clap::Args)]
pub struct Columns {
    /// Column of the case
    #[arg(long, value_name = "COLUMN")]
    case: Option<String>,
    /// Column of the activity
    #[arg(long, value_name = "COLUMN")]
    activity: Option<String>,
    /// Column of the time (of completion)
    #[arg(long, value_name = "COLUMN")]
    time: Option<String>,
    /// Column of the start
    #[arg(long, value_name = "COLUMN")]
    start: Option<String>,
    /// Column of the time at which a step could begin (assigned, received)
    #[arg(long, value_name = "COLUMN")]
    enabled: Option<String>,
    /// Column of the resource
    #[arg(long, value_name = "COLUMN")]
    resource: Option<String>,
    /// Column of the lifecycle transition (schedule, start, complete)
    #[arg(long, value_name = "COLUMN")]
    lifecycle: Option<String>,
    /// Field separator: one character, or `tab`
    #[arg(long, value_name = "C")]
    delimiter: Option<String>,
    /// How times are written, as strftime: "%d/%m/%Y %H:%M"
    #[arg(long, value_name = "PATTERN")]
    time_format: Option<String>,
    /// Zone of times that do not tell theirs; else `workflows.zone` of the configuration
    #[arg(long, value_name = "ZONE")]
    zone: Option<String>,
}

impl Columns {
    fn options(self, cx: &Cx) -> Result<Options, CliError> {
        let delimiter = match self.delimiter.as_deref() {
            None => None,
            Some("tab" | "\\t") => Some(b'\t'),
            Some(c) if c.len() == 1 && c.is_ascii() && c != "\"" => Some(c.as_bytes()[0]),
            Some(c) => return Err(CliError::Usage(say::bad_delimiter(c))),
        };
        let zone = match &self.zone {
            Some(zone) => zone.parse().map_err(|_| CliError::Usage(say::bad_zone(zone)))?,
            None => cx.config().workflows.tz(),
        };
        Ok(Options {
            case: self.case,
            activity: self.activity,
            time: self.time,
            start: self.start,
            enabled: self.enabled,
            resource: self.resource,
            lifecycle: self.lifecycle,
            delimiter,
            time_format: self.time_format,
            zone,
        })
    }
}

/// Reads `file`, or standard input where it is `-`.
fn read(file: &std::path::Path, options: &Options) -> Result<Log, CliError> {
    let log = if is_stdin(file) {
        sources::read_from(std::io::stdin().lock(), options)
    } else {
        sources::read(file, options)
    };
    log.map_err(|e: LogError| CliError::Usage(format!("{}: {e}", file.display())))
}

fn is_stdin(file: &std::path::Path) -> bool {
    file.as_os_str() == "-"
}

/// Prints the figures of a log.
fn tell(cx: &Cx, log: &Log) {
    let config = &cx.config().workflows;
    let order = log.order();
    let all = analysis::analyse_in_order(log, &order);
    let as_of = insight::as_of(log, cx.clock().now(), config.stale_after.millis());
    let now = insight::look_at_all(log, &order, &all, as_of, config);
    cx.out(&report::to_json(log, &all, &now), || report::to_text(log, &all, &now));
}

/// The name of a workflow after its file: `leave.xes.gz` → `leave`.
fn name_of(file: &std::path::Path) -> String {
    let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let lower = name.to_ascii_lowercase();
    let end = [".xes.gz", ".csv.gz", ".xes", ".csv", ".txt", ".gz"].iter().find(|e| lower.ends_with(**e));
    match end {
        Some(end) if end.len() < name.len() => name[..name.len() - end.len()].to_owned(),
        _ => name,
    }
}

pub(super) async fn run(cx: &Cx, cmd: Cmd) -> Result<(), CliError> {
    match cmd {
        Cmd::Analyze { file, columns } => {
            let log = read(&file, &columns.options(cx)?)?;
            tell(cx, &log);
        }
        Cmd::Import { file, name, columns } => {
            let options = columns.options(cx)?;
            if is_stdin(&file) && name.is_none() {
                return Err(CliError::Usage(say::stdin_needs_name()));
            }
            let door = cx.door().await?;
            let name = name.unwrap_or_else(|| name_of(&file));
            let log = read(&file, &options)?;
            let source = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
            cx.done(&door.run(&Import { name, source, log: Arc::new(log) }).await?);
        }
        Cmd::Stats { name } => {
            let store = cx.store().await?;
            let found = store::find(store, &name).await?.ok_or_else(|| CliError::NotFound(name.clone()))?;
            tell(cx, &store::load(store, found.id).await?);
        }
        Cmd::List => {
            let all = store::list(cx.store().await?).await?;
            let value = all
                .iter()
                .map(|w| {
                    json!({"name": w.name, "cases": w.cases, "events": w.events, "activities": w.activities,
                    "first_at": rfc3339(w.first_at), "last_at": rfc3339(w.last_at), "imported_at": rfc3339(w.imported_at)})
                })
                .collect();
            cx.out(&value, || {
                if all.is_empty() {
                    return say::not_on_screen();
                }
                let line =
                    |w: &store::Workflow| say::list_line(&clean(&w.name), w.cases, w.events, &rfc3339(w.last_at));
                all.iter().map(line).collect::<Vec<_>>().join("\n")
            });
        }
    }
    Ok(())
}
