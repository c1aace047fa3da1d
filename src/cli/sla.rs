//! `zhiban sla`

use std::path::{Path, PathBuf};

use clap::Subcommand;
use serde_json::{Value, json};

use super::{CliError, Cx};
use crate::locale::tickets as say;
use crate::tickets::simulate::SimulateError;
use crate::tickets::{eval, simulate};

/// `zhiban sla`
#[derive(Debug, Subcommand)]
pub enum Cmd {
    /// Compute worked SLA cases and compare; exit code 1 when one does not come out
    Eval {
        /// A JSON file with `calendars` and `cases`
        file: PathBuf,
    },
    /// What another policy would have made of the tickets reported in a month
    Simulate {
        /// TOML with what it says otherwise than the configuration: levels, matrix, office, thresholds
        #[arg(long)]
        policy: PathBuf,
        /// Such as 2026-11
        #[arg(long)]
        month: String,
    },
}

pub(super) async fn run(cx: &Cx, cmd: Cmd) -> Result<(), CliError> {
    match cmd {
        Cmd::Eval { file } => eval(cx, &file),
        Cmd::Simulate { policy, month } => simulate(cx, &policy, &month).await,
    }
}

async fn simulate(cx: &Cx, file: &Path, month: &str) -> Result<(), CliError> {
    let shown = file.display().to_string();
    let text = std::fs::read_to_string(file).map_err(|e| CliError::Usage(format!("{shown}: {e}")))?;
    let config = &cx.config().tickets;
    let other = config.overlaid(&shown, &text)?;
    let (_, from, to) = super::intake::month(cx, Some(month))?;
    let came = simulate::simulate(cx.store().await?, config, &other, (from, to), cx.clock().now()).await;
    let came = came.map_err(|e| match e {
        SimulateError::Store(e) => CliError::Store(e),
        SimulateError::Ticket(..) => CliError::Failed(e.to_string()),
    })?;
    let changed: Vec<Value> =
        came.changed.iter().map(|c| json!({"id": c.id, "clock": c.clock, "now": c.now, "then": c.then})).collect();
    let value = json!({"tickets": came.tickets, "breaches": {"now": came.now, "then": came.then}, "changed": changed});
    cx.out(&value, || {
        let mut text = say::simulated(came.tickets, came.now, came.then) + "\n";
        for c in &came.changed {
            let word = |breached| if breached { say::simulated_breached() } else { say::simulated_kept() };
            text += &format!("#{}  {}  {} → {}\n", c.id, c.clock, word(c.now), word(c.then));
        }
        text
    });
    Ok(())
}

fn eval(cx: &Cx, file: &Path) -> Result<(), CliError> {
    let shown = file.display();
    let text = std::fs::read_to_string(file).map_err(|e| CliError::Usage(format!("{shown}: {e}")))?;
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
