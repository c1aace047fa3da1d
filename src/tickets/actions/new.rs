//! A new ticket.

use serde_json::{Value, json};

use super::change::within_limits;
use super::clocks::{notice, settle};
use super::json_of;
use crate::action::{Action, ActionError, Apply, BoxFuture, Done, Role};
use crate::clock::{DAY, Millis, rfc3339};
use crate::locale::tickets as say;
use crate::tickets::model::{Happening, NEVER, Ticket, clocks, level_of};
use crate::tickets::store;

/// The furthest back that a report may be dated, in milliseconds: ten years. Working time is counted day by day from
/// there, inside the transaction that every writer waits for.
pub const OLDEST: Millis = 3_650 * DAY;

/// A new ticket.
#[derive(Debug, Clone, Default)]
pub struct New {
    /// One line.
    pub title: String,
    /// Everything else.
    pub body: String,
    /// `individual`, `department` or `company`.
    pub scope: String,
    /// `general`, `important` or `urgent`.
    pub severity: String,
    /// How it came in.
    pub channel: String,
    /// Who reported it.
    pub reporter: String,
    /// Where they are reached by that channel: an account, an address, a number; empty: nowhere, or the intake knows.
    pub contact: String,
    /// When they did; now where it is not given.
    pub reported_at: Option<Millis>,
    /// Why it is entered later than the configured limit allows.
    pub late_reason: Option<String>,
    /// Names the message it comes from: the same message a second time gives the ticket it made, not another.
    pub intake_key: Option<String>,
}

impl Action for New {
    fn verb(&self) -> &'static str {
        "ticket.new"
    }
    fn needs(&self) -> Role {
        Role::Operator
    }
    fn apply<'a>(&'a self, cx: &'a mut Apply<'_>) -> BoxFuture<'a, Result<Done, ActionError>> {
        Box::pin(async move {
            if let Some(key) = &self.intake_key
                && let Some(id) = store::by_intake_key(cx.tx, key).await?
                && let Some((t, _)) = store::load(cx.tx, id).await?
            {
                return Ok(Done::new("ticket", id, say::created(id)).value(json_of(&t, cx.now)).unchanged());
            }
            let (t, detail) = create(cx, self, None).await?;
            let value = json_of(&t, cx.now);
            Ok(Done::new("ticket", t.id, say::created(t.id)).detail(detail).value(value))
        })
    }
}

/// When something was reported, once it is checked that it can be; now where it is not given.
pub(super) fn check_reported(cx: &Apply<'_>, at: Option<Millis>, explained: bool) -> Result<Millis, ActionError> {
    let at = at.unwrap_or(cx.now);
    if at > cx.now {
        return Err(ActionError::Invalid(say::reported_in_future()));
    }
    if at < cx.now - OLDEST {
        return Err(ActionError::Invalid(say::reported_ages_ago()));
    }
    let limit = cx.config.tickets.backdate_limit;
    if cx.now - at > limit.millis() && !explained {
        return Err(ActionError::Invalid(say::reported_long_ago(&limit.to_string())));
    }
    Ok(at)
}

/// Checks and inserts it; `continues` names the ticket whose matter came back. Gives the journal's particulars too.
pub(super) async fn create(
    cx: &mut Apply<'_>,
    new: &New,
    continues: Option<i64>,
) -> Result<(Ticket, Value), ActionError> {
    let title = new.title.trim();
    if title.is_empty() {
        return Err(ActionError::Invalid(say::needs_title()));
    }
    within_limits(title, &new.body)?;
    let config = &cx.config.tickets;
    let explained = new.late_reason.as_ref().is_some_and(|r| !r.trim().is_empty());
    let reported_at = check_reported(cx, new.reported_at, explained)?;
    let level = level_of(config, &new.scope, &new.severity);
    let detail = json!({"level": level, "reported_at": reported_at, "scope": new.scope, "severity": new.severity,
        "channel": new.channel, "contact": new.contact.trim(), "late_reason": new.late_reason, "continues": continues});
    let created = Happening { at: cx.now, actor: cx.actor.name.clone(), kind: "created".into(), data: detail.clone() };
    let policy = store::terms(cx.tx, config, cx.now).await?;
    let mut past = vec![created];
    let state = clocks(&policy, &past, cx.now).map_err(ActionError::Invalid)?;
    let mut t = Ticket {
        id: 0,
        title: title.to_owned(),
        body: new.body.clone(),
        scope: new.scope.clone(),
        severity: new.severity.clone(),
        level,
        state: "new".into(),
        channel: new.channel.clone(),
        reporter: new.reporter.clone(),
        owner: None,
        created_at: cx.now,
        reported_at,
        follow_up_at: None,
        pause_reason: None,
        flag: None,
        response_due: None,
        response_breach_at: None,
        response_met_at: None,
        response_breached: false,
        response_excused: false,
        resolution_due: None,
        resolution_breach_at: None,
        next_due: None,
        next_breach_at: None,
        resolved_at: None,
        resolution_used: None,
        resolution_breached: false,
        resolution_excused: false,
        born_late: false,
        urgency: NEVER,
        risk_at: NEVER,
        next_at: NEVER,
        merged_into: None,
        continues,
        reports: 1,
        cause: None,
        solution: None,
        version: 1,
        category: None,
        safe_start: NEVER,
    };
    let marks = settle(&mut t, &policy, &state, config, cx.now);
    t.id = store::insert(cx.tx, &t, new.intake_key.as_deref()).await?;
    // what had passed before it was entered is told at once
    past.extend(notice(cx, &t, &policy, &state, &marks, false).await?);
    for (i, happening) in past.iter().enumerate() {
        store::add_happening(cx.tx, t.id, i + 1, happening).await?;
    }
    let mut detail = detail;
    detail["reported_at"] = json!(rfc3339(reported_at));
    detail["title"] = json!(t.title);
    Ok((t, detail))
}
