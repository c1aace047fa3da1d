//! Commands of what arrives: tokens and quarantine.

use std::path::PathBuf;

use clap::Subcommand;
use serde_json::{Value, json};

use super::context::print;
use super::{CliError, Cx};
use crate::clock::rfc3339;
use crate::intake::model::TokenKind;
use crate::intake::quarantine::{Discard, Retry};
use crate::intake::satisfaction;
use crate::intake::store::{self, Held, Token};
use crate::intake::tokens::{self, Create, Revoke};
use crate::locale::intake as say;

/// `zhiban token`
#[derive(Debug, Subcommand)]
pub enum TokenCmd {
    /// Make a token; it is shown this once
    Create {
        /// Who will send with it
        #[arg(long)]
        source: String,
        /// What it lets them do
        #[arg(long, value_enum)]
        kind: TokenKind,
    },
    /// List tokens, without their secrets
    List,
    /// Revoke a token
    Revoke {
        /// Its number
        id: i64,
    },
}

/// `zhiban quarantine`
#[derive(Debug, Subcommand)]
pub enum QuarantineCmd {
    /// What could not be understood, newest first
    List {
        /// Also what was dealt with
        #[arg(long)]
        all: bool,
        /// How many
        #[arg(long, default_value_t = 100)]
        limit: i64,
    },
    /// One of them, with what arrived
    Show {
        /// Its number
        id: i64,
    },
    /// Read it again
    Retry {
        /// Its number
        id: i64,
    },
    /// Let it go
    Discard {
        /// Its number
        id: i64,
    },
}

/// `zhiban attachment`
#[derive(Debug, Subcommand)]
pub enum AttachmentCmd {
    /// The files of a ticket
    List {
        /// The ticket
        ticket: i64,
    },
    /// Write a file; one that is there is not overwritten
    Save {
        /// The number of the attachment
        id: i64,
        /// Where to: its own name is never used
        file: PathBuf,
    },
}

/// `zhiban satisfaction`
#[derive(Debug, clap::Args)]
pub struct SatisfactionArgs {
    /// Of the tickets resolved in this month, such as 2026-11; this month where it is not given
    #[arg(long, value_name = "YYYY-MM")]
    month: Option<String>,
}

pub(super) async fn attachment(cx: &Cx, cmd: AttachmentCmd) -> Result<(), CliError> {
    match cmd {
        AttachmentCmd::List { ticket } => {
            let all = store::attachments(cx.store().await?, ticket).await?;
            let value = all
                .iter()
                .map(|a| {
                    json!({"id": a.id, "name": a.name, "mime": a.mime, "sha256": a.sha256, "bytes": a.size,
                        "at": rfc3339(a.at)})
                })
                .collect();
            cx.out(&value, || {
                all.iter().map(|a| format!("{:>6} {:>10} B  {}  {}\n", a.id, a.size, a.mime, a.name)).collect()
            });
        }
        AttachmentCmd::Save { id, file } => {
            let body = store::attachment(cx.store().await?, id).await?;
            let body = body.ok_or_else(|| CliError::NotFound(say::attachment_named(id)))?;
            let shown = file.display().to_string();
            let failed = |e: std::io::Error| CliError::Usage(format!("{shown}: {e}"));
            let mut out = std::fs::File::options().write(true).create_new(true).open(&file).map_err(failed)?;
            std::io::Write::write_all(&mut out, &body).map_err(failed)?;
            let value = json!({"id": id, "file": shown, "bytes": body.len()});
            cx.out(&value, || say::attachment_saved(id, &shown, body.len()));
        }
    }
    Ok(())
}

/// The first instants of a month and of the next, in the zone of the office.
pub(super) fn month(cx: &Cx, text: Option<&str>) -> Result<(String, i64, i64), CliError> {
    let zone: chrono_tz::Tz = cx.config().tickets.office.zone.parse().unwrap_or(chrono_tz::UTC);
    let now = chrono::DateTime::from_timestamp_millis(cx.clock().now()).unwrap_or_default().with_timezone(&zone);
    let name = text.map_or_else(|| now.format("%Y-%m").to_string(), str::to_owned);
    let wrong = || CliError::Usage(say::month_shape(&name));
    let first = chrono::NaiveDate::parse_from_str(&format!("{name}-01"), "%Y-%m-%d").map_err(|_| wrong())?;
    let next = first.checked_add_months(chrono::Months::new(1)).ok_or_else(wrong)?;
    let at = |day: chrono::NaiveDate| {
        let midnight = day.and_time(chrono::NaiveTime::MIN);
        midnight.and_local_timezone(zone).earliest().map(|t| t.timestamp_millis()).ok_or_else(wrong)
    };
    let (from, to) = (at(first)?, at(next)?);
    Ok((name, from, to))
}

pub(super) async fn satisfaction(cx: &Cx, args: SatisfactionArgs) -> Result<(), CliError> {
    let (name, from, to) = month(cx, args.month.as_deref())?;
    let s = satisfaction::summary(cx.store().await?, from, to).await?;
    let value = json!({"month": name, "asked": s.asked, "n": s.answered, "response_rate": s.rate(),
        "average": s.average, "scores": s.scores});
    cx.out(&value, || match (s.average, s.rate()) {
        (Some(average), Some(rate)) => {
            say::satisfaction_line(&format!("{average:.2}"), s.answered, s.asked, &format!("{:.0}", rate * 100.0))
        }
        _ => say::satisfaction_none(s.asked),
    });
    Ok(())
}

fn token_json(t: &Token) -> Value {
    json!({"id": t.id, "source": t.source, "kind": t.kind.word(), "created_at": rfc3339(t.created_at),
        "created_by": t.created_by, "revoked_at": t.revoked_at.map(rfc3339)})
}

pub(super) async fn token(cx: &Cx, cmd: TokenCmd) -> Result<(), CliError> {
    let outcome = match cmd {
        TokenCmd::List => {
            let all = store::tokens(cx.store().await?).await?;
            let line = |t: &Token| {
                let state = t.revoked_at.map_or_else(say::in_force, |at| say::revoked_at(&rfc3339(at)));
                format!("{:>5}  {:<20} {:<13} {}\n", t.id, t.source, t.kind.word(), state)
            };
            cx.out(&all.iter().map(token_json).collect(), || all.iter().map(line).collect());
            return Ok(());
        }
        TokenCmd::Create { source, kind } => {
            let token = tokens::random().map_err(CliError::Failed)?;
            cx.door().await?.run(&Create { source, kind, token }).await?
        }
        TokenCmd::Revoke { id } => cx.door().await?.run(&Revoke { id }).await?,
    };
    cx.done(&outcome);
    Ok(())
}

fn held_json(h: &Held) -> Value {
    json!({"id": h.id, "at": rfc3339(h.at), "channel": h.channel, "source": h.source, "reason": h.reason,
        "state": h.state, "tries": h.tries, "result": h.result, "bytes": h.size})
}

fn held_line(h: &Held) -> String {
    let (at, state) = (rfc3339(h.at), &h.state);
    format!("{:>5}  {at}  {:<13} {:<16} {state:<9} {:>8} B  {}\n", h.id, h.channel, h.source, h.size, h.reason)
}

pub(super) async fn quarantine(cx: &Cx, cmd: QuarantineCmd) -> Result<(), CliError> {
    let outcome = match cmd {
        QuarantineCmd::List { all, limit } => {
            let held = store::quarantine(cx.store().await?, all, limit.clamp(1, 100_000)).await?;
            cx.out(&held.iter().map(held_json).collect(), || held.iter().map(held_line).collect());
            return Ok(());
        }
        QuarantineCmd::Show { id } => {
            let found = store::held(cx.store().await?, id).await?;
            let (held, body) = found.ok_or_else(|| CliError::NotFound(say::held_named(id)))?;
            let text = String::from_utf8_lossy(&body).into_owned();
            let mut value = held_json(&held);
            value["body"] = text.clone().into();
            cx.out(&value, || format!("{}\n{text}", held_line(&held)));
            return Ok(());
        }
        QuarantineCmd::Retry { id } => {
            let outcome = cx.door().await?.run(&Retry { id }).await?;
            if outcome.value["state"] == "held" {
                print(&if cx.json() { outcome.value.to_string() } else { outcome.message.clone() });
                return Err(CliError::CheckFailed);
            }
            outcome
        }
        QuarantineCmd::Discard { id } => cx.door().await?.run(&Discard { id }).await?,
    };
    cx.done(&outcome);
    Ok(())
}
