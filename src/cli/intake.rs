//! Commands of what arrives: tokens and quarantine.

use clap::Subcommand;
use serde_json::{Value, json};

use super::context::print;
use super::{CliError, Cx};
use crate::clock::rfc3339;
use crate::intake::model::TokenKind;
use crate::intake::quarantine::{Discard, Retry};
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
