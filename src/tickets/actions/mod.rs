//! What can be done to a ticket. Every change goes the same way: look, check, note what happened, recompute the clocks.

mod calendar;
mod change;
mod clocks;
mod merge;
mod new;
mod pull;
mod report;
mod split;
mod undo;

use serde_json::{Value, json};

pub use calendar::{Import, Recount};
pub use new::{New, OLDEST};
pub use pull::Pull;
pub use report::Report;
pub use split::{Part, Split, part};
pub use undo::TakeBack;

use super::model::{Happening, Ticket, clocks as clocks_of, seconds};
use super::sla::{ClockState, Policy};
use crate::action::{Action, ActionError, Apply, BoxFuture, Done, Role};
use crate::clock::{Millis, rfc3339};

/// What is done to a ticket that is there.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the fields say what they are")]
pub enum What {
    /// Take it.
    Claim,
    /// Give it to somebody, or to nobody.
    Assign(Option<String>),
    /// Answer the reporter: stops the response clock.
    Reply(String),
    /// The reporter wrote: a pause that waited for them ends.
    UserMessage { from: String, text: String },
    /// Somebody else reports the same.
    Report(Report),
    /// For colleagues only: stops nothing.
    Note(String),
    /// A call with the reporter.
    Call(String),
    /// Wait, until a time; `note` says why, which the highest level with the widest scope requires.
    Pause { reason: String, until: Millis, note: String },
    /// Go on.
    Resume,
    /// Solved.
    Resolve { cause: String, solution: String },
    /// Not solved after all; after the reopen window a new ticket that continues this one.
    Reopen,
    /// Another scope and severity.
    Level { scope: String, severity: String, reason: String },
    /// It is the same as another.
    Merge(i64),
    /// A breach of `response` or `resolution` is excused: it stays, counted apart.
    Excuse { clock: String, reason: String },
    /// Evidence: something elsewhere, as it was.
    Link { kind: String, subject: String, snapshot: Value },
    /// What monitoring says of it: `firing` again, `recovered`, `flapping`.
    Alert { state: String, text: String },
    /// What was done is taken back: for the clocks it did not happen.
    TakeBack(Box<TakeBack>),
    /// The passing of time: latch breaches, note thresholds, end pauses.
    Tick,
}

/// A change to ticket `id`; with `seen`, only if nobody changed it since that version.
#[derive(Debug, Clone)]
pub struct Change {
    /// Which ticket.
    pub id: i64,
    /// What.
    pub what: What,
    /// The version the person looked at.
    pub seen: Option<i64>,
}

impl Change {
    /// A change whatever the version.
    pub fn new(id: i64, what: What) -> Self {
        Self { id, what, seen: None }
    }
}

impl Action for Change {
    fn verb(&self) -> &'static str {
        match self.what {
            What::Claim => "ticket.claim",
            What::Assign(_) => "ticket.assign",
            What::Reply(_) => "ticket.reply",
            What::UserMessage { .. } => "ticket.message",
            What::Report(_) => "ticket.join",
            What::Note(_) => "ticket.note",
            What::Call(_) => "ticket.call",
            What::Pause { .. } => "ticket.pause",
            What::Resume => "ticket.resume",
            What::Resolve { .. } => "ticket.resolve",
            What::Reopen => "ticket.reopen",
            What::Level { .. } => "ticket.level",
            What::Merge(_) => "ticket.merge",
            What::Excuse { .. } => "ticket.excuse",
            What::Link { .. } => "ticket.link",
            What::Alert { .. } => "ticket.alert",
            What::TakeBack(_) => "ticket.undo",
            What::Tick => "ticket.tick",
        }
    }

    fn needs(&self) -> Role {
        match &self.what {
            What::Excuse { .. } => Role::Supervisor,
            What::TakeBack(back) => Self::new(self.id, back.again.clone()).needs(),
            _ => Role::Operator,
        }
    }

    fn apply<'a>(&'a self, cx: &'a mut Apply<'_>) -> BoxFuture<'a, Result<Done, ActionError>> {
        Box::pin(async move { self.make(cx).await })
    }
}

/// Everything `--json` says of a ticket at `now`.
pub fn json_of(t: &Ticket, now: Millis) -> Value {
    json!({
        "id": t.id, "title": t.title, "body": t.body, "scope": t.scope, "severity": t.severity, "level": t.level,
        "state": t.state, "channel": t.channel, "reporter": t.reporter, "owner": t.owner,
        "created_at": rfc3339(t.created_at), "reported_at": rfc3339(t.reported_at),
        "response_due": t.response_due.map(rfc3339), "response_met_at": t.response_met_at.map(rfc3339),
        "response_breached": t.response_is_breached(now), "response_excused": t.response_excused,
        "resolution_due": t.resolution_due.map(rfc3339), "resolved_at": t.resolved_at.map(rfc3339),
        "next_response_due": t.next_due.map(rfc3339),
        "resolution_breached": t.resolution_is_breached(now), "resolution_excused": t.resolution_excused,
        "at_risk": t.risk_at <= now, "born_late": t.born_late, "paused": t.state == "waiting",
        "pause_reason": t.pause_reason, "follow_up_at": t.follow_up_at.map(rfc3339), "flag": t.flag,
        "merged_into": t.merged_into, "continues": t.continues, "reports": t.reports,
        "cause": t.cause, "solution": t.solution, "version": t.version, "last_safe_start": t.last_safe_start().map(rfc3339),
    })
}

/// The clocks of a ticket at `now`, by what happened to it; durations in seconds.
///
/// # Errors
/// When a level of its past is not in the policy any more.
pub fn clocks_json(policy: &Policy, past: &[Happening], now: Millis) -> Result<Value, String> {
    let state = clocks_of(policy, past, now)?;
    let clock = |c: &ClockState, paused: bool| {
        let word = match (c.stopped, paused) {
            (Some(_), _) => "stopped",
            (None, true) => "paused",
            (None, false) => "running",
        };
        json!({
            "state": word, "budget_s": seconds(c.budget), "consumed_s": seconds(c.consumed),
            "remaining_s": seconds((c.budget - c.consumed).max(0)), "late_s": seconds((c.consumed - c.budget).max(0)),
            "due": c.due.map(rfc3339), "stopped_at": c.stopped.map(rfc3339), "breached": c.breached,
            "provisional": c.provisional,
        })
    };
    Ok(json!({
        "level": state.level, "calendar": policy.levels.get(&state.level).map(|t| &t.calendar),
        "calendar_version": policy.version, "started_at": rfc3339(state.reported_at),
        "response": clock(&state.response, false), "resolution": clock(&state.resolution, state.paused),
        "next_response": state.next_response.as_ref().map(|(_, c)| clock(c, false)),
        "pauses": state.pauses.iter().map(|(a, b)| json!({"from": rfc3339(*a), "to": rfc3339(*b)})).collect::<Vec<_>>(),
    }))
}
