//! `zhiban sla`

use std::path::PathBuf;

use clap::Subcommand;
use serde_json::{Value, json};

use super::{CliError, Cx};
use crate::tickets::eval;

/// `zhiban sla`
#[derive(Debug, Subcommand)]
pub enum Cmd {
    /// Compute worked SLA cases and compare; exit code 1 when one does not come out
    Eval {
        /// A JSON file with `calendars` and `cases`
        file: PathBuf,
    },
}

pub(super) fn run(cx: &Cx, cmd: Cmd) -> Result<(), CliError> {
    let Cmd::Eval { file } = cmd;
    let shown = file.display();
    let text = std::fs::read_to_string(&file).map_err(|e| CliError::Usage(format!("{shown}: {e}")))?;
    let outcomes = eval::run(&text).map_err(|e| CliError::Usage(format!("{shown}: {e}")))?;
    let object = |o: &eval::Outcome| {
        let mut value = json!({"id": o.id, "got": o.got, "ok": o.ok});
        if let Some(error) = &o.error {
            value["error"] = json!(error);
        }
        value
    };
    let value: Value = outcomes.iter().map(object).collect();
    cx.out(&value, || {
        let sign = |ok| if ok { "ok  " } else { "FAIL" };
        let got = |o: &eval::Outcome| o.error.clone().unwrap_or_else(|| o.got.to_string());
        outcomes.iter().map(|o| format!("{} {} {}\n", sign(o.ok), o.id, got(o))).collect()
    });
    if outcomes.iter().all(|o| o.ok) { Ok(()) } else { Err(CliError::CheckFailed) }
}
