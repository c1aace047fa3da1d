//! `zhiban workflow`

use std::path::PathBuf;

use clap::Subcommand;
use serde_json::json;

use super::{CliError, Cx};
use crate::workflows::actions::Import;
use crate::workflows::model::{Log, Stats, analyse};
use crate::workflows::sources::{self, Columns};
use crate::workflows::store;

/// Columns of a CSV file.
#[derive(Debug, clap::Args)]
pub struct CsvColumns {
    /// Column of the case
    #[arg(long)]
    case: Option<String>,
    /// Column of the activity
    #[arg(long)]
    activity: Option<String>,
    /// Column of the time it was done
    #[arg(long)]
    time: Option<String>,
    /// Column of the time it was begun
    #[arg(long)]
    start: Option<String>,
    /// Column of who did it
    #[arg(long)]
    resource: Option<String>,
}

/// `zhiban workflow`
#[derive(Debug, Subcommand)]
pub enum Cmd {
    /// Take an event log in (.xes, .xes.gz, .csv)
    Import {
        /// The file
        file: PathBuf,
        /// The workflow's name; the file's where it is not given
        #[arg(long)]
        name: Option<String>,
        #[command(flatten)]
        columns: CsvColumns,
    },
    /// Names of the workflows
    List,
    /// Figures of a workflow
    Stats {
        /// Its name
        name: String,
    },
    /// The same figures of a file, without a store
    Analyze {
        /// The file
        file: PathBuf,
        #[command(flatten)]
        columns: CsvColumns,
    },
}

async fn read(file: PathBuf, c: CsvColumns) -> Result<Log, CliError> {
    let columns = Columns { case: c.case, activity: c.activity, time: c.time, start: c.start, resource: c.resource };
    tokio::task::spawn_blocking(move || sources::read(&file, &columns))
        .await
        .map_err(|e| CliError::Failed(e.to_string()))?
        .map_err(CliError::Usage)
}

fn print(cx: &Cx, stats: &Stats) {
    let mut value = stats.json();
    if !cx.json() {
        value["bottlenecks"] =
            stats.bottlenecks().iter().take(5).map(|(a, share)| json!({"name": a.name, "share": share})).collect();
    }
    cx.out(&value, || serde_json::to_string_pretty(&value).unwrap_or_default());
}

pub(super) async fn run(cx: &Cx, cmd: Cmd) -> Result<(), CliError> {
    match cmd {
        Cmd::Import { file, name, columns } => {
            let stem =
                file.file_name().unwrap_or_default().to_string_lossy().split('.').next().unwrap_or_default().to_owned();
            let source = file.display().to_string();
            let import = Import { name: name.unwrap_or(stem), source, log: read(file, columns).await? };
            cx.done(&cx.door().await?.run(&import).await?);
        }
        Cmd::List => {
            let names = store::names(cx.store().await?).await?;
            cx.out(&json!(names), || names.join("\n"));
        }
        Cmd::Stats { name } => {
            let log = store::log(cx.store().await?, &name).await?.ok_or(CliError::NotFound(name))?;
            print(cx, &analyse(&log));
        }
        Cmd::Analyze { file, columns } => print(cx, &analyse(&read(file, columns).await?)),
    }
    Ok(())
}
