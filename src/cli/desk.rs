//! Commands of the duty rota and the outbox.

use chrono::{NaiveDate, NaiveTime};
use clap::Subcommand;
use serde_json::{Value, json};

use super::context::time;
use super::{CliError, Cx};
use crate::clock::rfc3339;
use crate::locale::{notify as say_notify, oncall as say};
use crate::notify::actions::{Discard, Retry};
use crate::notify::model::Queued;
use crate::notify::store as outbox;
use crate::oncall::actions::{Acknowledge, GiveBack, SetRota, TakeOver};
use crate::oncall::model::{Plan, Rota};
use crate::oncall::store;

/// `zhiban oncall`
#[derive(Debug, Subcommand)]
pub enum OncallCmd {
    /// Who is on duty
    Show {
        /// At this instant instead of now, RFC 3339
        #[arg(long, value_name = "TIME", value_parser = time)]
        at: Option<i64>,
    },
    /// Set the rota
    Set {
        /// Who takes turns, in order, separated by commas; several share a turn as wang+li
        #[arg(long, value_delimiter = ',', required = true)]
        people: Vec<String>,
        /// Who takes turns on public holidays, by the day
        #[arg(long, value_delimiter = ',')]
        holidays: Vec<String>,
        /// First day of the first of them, such as 2026-11-23; today where it is not given
        #[arg(long, value_name = "DATE")]
        from: Option<String>,
        /// Time of day at which one hands over to the next
        #[arg(long, default_value = "09:00", value_name = "TIME")]
        hand_over: String,
        /// Days that a turn lasts
        #[arg(long, default_value_t = 7)]
        days: i64,
    },
    /// Somebody takes over for a while
    Override {
        /// Who
        #[arg(required_unless_present = "remove")]
        person: Option<String>,
        /// From, RFC 3339; now where it is not given
        #[arg(long, value_name = "TIME", value_parser = time)]
        from: Option<i64>,
        /// Until, RFC 3339
        #[arg(long, value_name = "TIME", value_parser = time, required_unless_present = "remove")]
        until: Option<i64>,
        /// Why
        #[arg(long, default_value = "")]
        reason: String,
        /// End an override instead
        #[arg(long, value_name = "ID", conflicts_with_all = ["person", "from", "until"])]
        remove: Option<i64>,
    },
    /// Say that you have seen the reminders about a ticket; they pause
    Ack {
        /// The ticket
        id: i64,
    },
    /// Who was called about what, newest first
    Escalations {
        /// How many
        #[arg(long, default_value_t = 50)]
        limit: i64,
    },
}

/// `zhiban outbox`
#[derive(Debug, Subcommand)]
pub enum OutboxCmd {
    /// Messages, newest first
    List {
        /// Only those: queued, sent, dead or discarded
        #[arg(long, value_parser = ["queued", "sent", "dead", "discarded"])]
        state: Option<String>,
        /// How many
        #[arg(long, default_value_t = 100)]
        limit: i64,
    },
    /// Try a message again now
    Retry {
        /// Its number
        id: i64,
    },
    /// Let a message go
    Discard {
        /// Its number
        id: i64,
    },
}

fn duty_json(plan: &Plan, at: i64) -> Value {
    let rota = plan.rota.as_ref().map(|r| {
        json!({"people": r.people, "holiday_people": r.holiday_people, "starts_on": r.starts_on.to_string(),
            "hand_over": r.hand_over.format("%H:%M").to_string(), "days": r.days})
    });
    let overrides: Vec<Value> = plan
        .overrides
        .iter()
        .map(|o| {
            json!({"id": o.id, "person": o.person, "from": rfc3339(o.from), "until": rfc3339(o.until),
                "reason": o.reason})
        })
        .collect();
    let duty = plan.on_duty(at);
    json!({"at": rfc3339(at), "person": duty.as_ref().map(|d| &d.person),
        "people": duty.as_ref().map(|d| d.people()).unwrap_or_default(),
        "until": duty.as_ref().and_then(|d| d.until).map(rfc3339), "next": duty.as_ref().and_then(|d| d.next.as_ref()),
        "source": duty.as_ref().map(|d| d.source), "rota": rota, "overrides": overrides})
}

fn duty_lines(plan: &Plan, at: i64) -> String {
    let Some(duty) = plan.on_duty(at) else { return say::nobody() };
    let source = match duty.source {
        "holiday" => say::source_holiday(),
        "override" => say::source_override(),
        _ => say::source_rota(),
    };
    let mut out = format!("{} ({source})", say::on_duty(&duty.person));
    if let (Some(until), Some(next)) = (duty.until, &duty.next) {
        out = format!("{out}\n{}", say::until_then(&rfc3339(until), next));
    }
    out
}

pub(super) async fn oncall(cx: &Cx, cmd: OncallCmd) -> Result<(), CliError> {
    let now = cx.clock().now();
    let outcome = match cmd {
        OncallCmd::Show { at } => {
            let at = at.unwrap_or(now);
            let plan = store::plan(cx.store().await?, cx.config(), at).await?;
            cx.out(&duty_json(&plan, at), || duty_lines(&plan, at));
            return Ok(());
        }
        OncallCmd::Escalations { limit } => {
            let all = store::escalations(cx.store().await?, limit.clamp(1, 100_000)).await?;
            let value: Vec<Value> = all
                .iter()
                .map(|e| {
                    json!({"id": e.id, "ticket": e.ticket, "clock": e.clock, "percent": e.percent, "rule": e.rule,
                        "state": e.state, "told": e.told, "at": rfc3339(e.created_at), "next_at": rfc3339(e.next_at),
                        "ended_by": e.ended_by})
                })
                .collect();
            cx.out(&value.into(), || {
                all.iter()
                    .map(|e| {
                        format!(
                            "{:>6}  #{:<8} {:<10} {:>4} %  {:<6} {:>3}x\n",
                            e.id, e.ticket, e.clock, e.percent, e.state, e.told
                        )
                    })
                    .collect()
            });
            return Ok(());
        }
        OncallCmd::Set { people, holidays, from, hand_over, days } => {
            let zone: chrono_tz::Tz = cx.config().tickets.office.zone.parse().unwrap_or(chrono_tz::UTC);
            let starts_on = match from {
                Some(text) => text.parse::<NaiveDate>().map_err(|_| CliError::Usage(say::needs_date(&text)))?,
                None => {
                    chrono::DateTime::from_timestamp_millis(now).unwrap_or_default().with_timezone(&zone).date_naive()
                }
            };
            let hand_over =
                NaiveTime::parse_from_str(&hand_over, "%H:%M").map_err(|_| CliError::Usage(say::needs_time()))?;
            let trim = |names: Vec<String>| names.iter().map(|n| n.trim().to_owned()).collect();
            let rota = Rota { people: trim(people), holiday_people: trim(holidays), starts_on, hand_over, days };
            cx.door().await?.run(&SetRota { rota: Some(rota) }).await?
        }
        OncallCmd::Override { remove: Some(id), .. } => cx.door().await?.run(&GiveBack { id }).await?,
        OncallCmd::Override { person, from, until, reason, .. } => {
            let over = TakeOver {
                person: person.unwrap_or_default(),
                from: from.unwrap_or(now),
                until: until.unwrap_or_default(),
                reason,
            };
            cx.door().await?.run(&over).await?
        }
        OncallCmd::Ack { id } => cx.door().await?.run(&Acknowledge { ticket: id }).await?,
    };
    cx.done(&outcome);
    Ok(())
}

fn message_json(q: &Queued) -> Value {
    let m = &q.message;
    json!({"id": q.id, "channel": m.channel, "recipient": m.recipient, "subject": m.subject, "body": m.body,
        "cause": m.cause, "ticket": m.ticket_id, "state": q.state, "tries": q.tries, "error": q.error,
        "created_at": rfc3339(q.created_at), "next_at": rfc3339(q.next_at), "sent_at": q.sent_at.map(rfc3339)})
}

fn message_line(q: &Queued) -> String {
    let (m, state) = (&q.message, say_notify::state(&q.state));
    let mut line = format!(
        "{:>6}  {}  {:<12} {:<16} {state:<10} {}",
        q.id,
        rfc3339(q.created_at),
        m.channel,
        m.recipient,
        m.subject
    );
    if !q.error.is_empty() {
        line = format!("{line}\n        {}", q.error);
    }
    line + "\n"
}

pub(super) async fn outbox(cx: &Cx, cmd: OutboxCmd) -> Result<(), CliError> {
    let outcome = match cmd {
        OutboxCmd::List { state, limit } => {
            let all = outbox::list(cx.store().await?, state.as_deref(), limit.clamp(1, 100_000)).await?;
            cx.out(&all.iter().map(message_json).collect(), || all.iter().map(message_line).collect());
            return Ok(());
        }
        OutboxCmd::Retry { id } => cx.door().await?.run(&Retry { id }).await?,
        OutboxCmd::Discard { id } => cx.door().await?.run(&Discard { id }).await?,
    };
    cx.done(&outcome);
    Ok(())
}
