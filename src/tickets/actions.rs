//! What can be done to a ticket. Every change goes the same way: look, check, note what happened, recompute the clocks.

use serde_json::{Value, json};

use super::model::{Happening, NEVER, Ticket, clocks, level_of, marks, policy};
use super::sla::State;
use super::store::{self, Keys};
use crate::action::{Action, ActionError, Apply, BoxFuture, Done, Role};
use crate::clock::{Millis, rfc3339};
use crate::locale::tickets as say;

/// A new ticket.
#[derive(Debug, Clone)]
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
    /// When they did; now where it is not given.
    pub reported_at: Option<Millis>,
    /// Why it is entered later than the configured limit allows.
    pub late_reason: Option<String>,
}

/// Everything `--json` says of a ticket.
pub fn json_of(t: &Ticket) -> Value {
    json!({
        "id": t.id, "title": t.title, "body": t.body, "scope": t.scope, "severity": t.severity, "level": t.level,
        "state": t.state, "channel": t.channel, "reporter": t.reporter, "owner": t.owner,
        "created_at": rfc3339(t.created_at), "reported_at": rfc3339(t.reported_at),
        "response_due": t.response_due.map(rfc3339), "response_met_at": t.response_met_at.map(rfc3339),
        "response_breached": t.response_breached, "resolution_due": t.resolution_due.map(rfc3339),
        "resolved_at": t.resolved_at.map(rfc3339), "resolution_breached": t.resolution_breached,
        "born_late": t.born_late, "paused": t.state == "waiting", "pause_reason": t.pause_reason,
        "follow_up_at": t.follow_up_at.map(rfc3339), "flag": t.flag, "merged_into": t.merged_into, "reports": t.reports,
        "cause": t.cause, "solution": t.solution, "version": t.version,
    })
}

/// Takes the clocks over into the row and gives what the queues sort by.
fn settle(t: &mut Ticket, state: &State, marks: &[(&'static str, u32, Millis)], now: Millis) -> Keys {
    t.level.clone_from(&state.level);
    t.response_due = state.response.due;
    t.response_met_at = state.response.stopped;
    t.response_breached = state.response.breached;
    t.resolution_due = state.resolution.due;
    t.resolved_at = state.resolved;
    t.resolution_breached = state.resolution.breached;
    t.born_late = state.born_late;
    let running = |c: &super::sla::ClockState| c.stopped.is_none().then_some(c.due).flatten();
    let urgency = running(&state.response).into_iter().chain(running(&state.resolution)).min();
    t.risk_at = state.response.risk_from.into_iter().chain(state.resolution.risk_from).min().unwrap_or(NEVER);
    let next = marks.iter().map(|m| m.2).filter(|at| *at > now).chain(t.follow_up_at).min();
    Keys { urgency: urgency.unwrap_or(NEVER), risk_at: t.risk_at, next_at: next.unwrap_or(NEVER) }
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
            let title = self.title.trim();
            if title.is_empty() {
                return Err(ActionError::Invalid(say::needs_title()));
            }
            let config = &cx.config.tickets;
            let reported_at = self.reported_at.unwrap_or(cx.now);
            if reported_at > cx.now {
                return Err(ActionError::Invalid(say::reported_in_future()));
            }
            if cx.now - reported_at > config.backdate_limit.millis() && self.late_reason.is_none() {
                return Err(ActionError::Invalid(say::reported_long_ago(&config.backdate_limit.to_string())));
            }
            let level = level_of(config, &self.scope, &self.severity);
            let created = Happening {
                at: cx.now,
                actor: cx.actor.name.clone(),
                kind: "created".into(),
                data: json!({"level": level, "reported_at": reported_at, "scope": self.scope, "severity": self.severity,
                    "channel": self.channel, "late_reason": self.late_reason}),
            };
            let policy = policy(config);
            let state = clocks(&policy, std::slice::from_ref(&created), cx.now).map_err(ActionError::Invalid)?;
            let mut t = Ticket {
                id: 0,
                title: title.to_owned(),
                body: self.body.clone(),
                scope: self.scope.clone(),
                severity: self.severity.clone(),
                level,
                state: "new".into(),
                channel: self.channel.clone(),
                reporter: self.reporter.clone(),
                owner: None,
                created_at: cx.now,
                reported_at,
                follow_up_at: None,
                pause_reason: None,
                flag: None,
                response_due: None,
                response_met_at: None,
                response_breached: false,
                resolution_due: None,
                resolved_at: None,
                resolution_breached: false,
                born_late: false,
                risk_at: NEVER,
                merged_into: None,
                reports: 1,
                cause: None,
                solution: None,
                version: 1,
            };
            // what has passed already is the first tick's work
            let keys = settle(&mut t, &state, &marks(&policy, &state, &config.thresholds), reported_at - 1);
            t.id = store::insert(cx.tx, &t, &keys).await?;
            store::add_happening(cx.tx, t.id, 1, &created).await?;
            let value = json_of(&t);
            Ok(Done::new("ticket", t.id, say::created(t.id)).detail(created.data).value(value))
        })
    }
}

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
    /// For colleagues only: stops nothing.
    Note(String),
    /// A call with the reporter.
    Call(String),
    /// Wait, until a time.
    Pause { reason: String, until: Millis },
    /// Go on.
    Resume,
    /// Solved.
    Resolve { cause: String, solution: String },
    /// Not solved after all.
    Reopen,
    /// Another scope and severity.
    Level { scope: String, severity: String, reason: String },
    /// It is the same as another.
    Merge(i64),
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

fn required(text: &str, what: String) -> Result<String, ActionError> {
    let text = text.trim();
    if text.is_empty() { Err(ActionError::Invalid(what)) } else { Ok(text.to_owned()) }
}

impl Action for Change {
    fn verb(&self) -> &'static str {
        match self.what {
            What::Claim => "ticket.claim",
            What::Assign(_) => "ticket.assign",
            What::Reply(_) => "ticket.reply",
            What::Note(_) => "ticket.note",
            What::Call(_) => "ticket.call",
            What::Pause { .. } => "ticket.pause",
            What::Resume => "ticket.resume",
            What::Resolve { .. } => "ticket.resolve",
            What::Reopen => "ticket.reopen",
            What::Level { .. } => "ticket.level",
            What::Merge(_) => "ticket.merge",
            What::Tick => "ticket.tick",
        }
    }

    fn needs(&self) -> Role {
        Role::Operator
    }

    fn apply<'a>(&'a self, cx: &'a mut Apply<'_>) -> BoxFuture<'a, Result<Done, ActionError>> {
        Box::pin(async move { self.make(cx).await })
    }
}

impl Change {
    async fn make(&self, cx: &mut Apply<'_>) -> Result<Done, ActionError> {
        let missing = || ActionError::NotFound { what: format!("#{}", self.id) };
        let (mut t, mut past) = store::load(cx.tx, self.id).await?.ok_or_else(missing)?;
        if self.seen.is_some_and(|v| v != t.version) {
            return Err(cx.conflict(format!("#{}", self.id), "ticket", &self.id.to_string()).await);
        }
        let closed = matches!(t.state.as_str(), "resolved" | "merged");
        if closed && !matches!(self.what, What::Reopen | What::Note(_) | What::Tick) {
            return Err(ActionError::Invalid(say::is_closed(self.id)));
        }
        let policy = policy(&cx.config.tickets);
        if matches!(self.what, What::Tick) {
            return self.tick(cx, t, past, &policy).await;
        }
        let me = cx.actor.name.clone();
        let (kind, data, message, undo) = match &self.what {
            What::Claim => {
                if let Some(owner) = &t.owner {
                    let at = past
                        .iter()
                        .rev()
                        .find(|h| ["claimed", "assigned"].contains(&h.kind.as_str()))
                        .map_or(t.created_at, |h| h.at);
                    return Err(ActionError::Conflict { what: format!("#{}", self.id), who: owner.clone(), at });
                }
                t.owner = Some(me.clone());
                ("claimed", json!({"owner": me}), say::claimed(self.id), Some(What::Assign(None)))
            }
            What::Assign(to) => {
                let before = std::mem::replace(&mut t.owner, to.clone());
                let message = to.as_ref().map_or_else(|| say::unassigned(self.id), |to| say::assigned(self.id, to));
                ("assigned", json!({"owner": to, "from": before}), message, Some(What::Assign(before)))
            }
            What::Reply(text) => {
                let text = required(text, say::needs_text())?;
                ("reply", json!({"text": text}), say::replied(self.id), None)
            }
            What::Note(text) => {
                ("note", json!({"text": required(text, say::needs_text())?}), say::noted(self.id), None)
            }
            What::Call(with) => {
                ("call", json!({"with": required(with, say::needs_person())?}), say::called(self.id), None)
            }
            What::Pause { reason, until } => {
                if t.state == "waiting" {
                    return Err(ActionError::Invalid(say::is_paused(self.id)));
                }
                if !["waiting_user", "waiting_vendor", "approved_window"].contains(&reason.as_str()) {
                    return Err(ActionError::Invalid(say::pause_reasons()));
                }
                if *until <= cx.now {
                    return Err(ActionError::Invalid(say::until_past()));
                }
                if reason == "waiting_user" && t.response_met_at.is_none() {
                    return Err(ActionError::Invalid(say::reply_first()));
                }
                t.state = "waiting".into();
                t.pause_reason = Some(reason.clone());
                t.follow_up_at = Some(*until);
                (
                    "paused",
                    json!({"reason": reason, "until": rfc3339(*until)}),
                    say::paused(self.id),
                    Some(What::Resume),
                )
            }
            What::Resume => {
                if t.state != "waiting" {
                    return Err(ActionError::Invalid(say::is_not_paused(self.id)));
                }
                let undo = t
                    .follow_up_at
                    .filter(|u| *u > cx.now)
                    .zip(t.pause_reason.take())
                    .map(|(until, reason)| What::Pause { reason, until });
                t.state = "open".into();
                t.pause_reason = None;
                t.follow_up_at = None;
                t.flag = None;
                ("resumed", json!({}), say::resumed(self.id), undo)
            }
            What::Resolve { cause, solution } => {
                let (cause, solution) =
                    (required(cause, say::needs_cause())?, required(solution, say::needs_solution())?);
                t.state = "resolved".into();
                t.follow_up_at = None;
                t.pause_reason = None;
                t.owner.get_or_insert(me.clone());
                t.cause = Some(cause.clone());
                t.solution = Some(solution.clone());
                ("resolved", json!({"cause": cause, "solution": solution}), say::resolved(self.id), Some(What::Reopen))
            }
            What::Reopen => {
                if t.state != "resolved" {
                    return Err(ActionError::Invalid(say::is_not_resolved(self.id)));
                }
                let office = policy.calendars.get("office");
                let since = office.zip(t.resolved_at).map_or(0, |(c, at)| c.elapsed(at, cx.now, &[]));
                if since > cx.config.tickets.reopen_window.millis() {
                    return Err(ActionError::Invalid(say::reopen_window(&cx.config.tickets.reopen_window.to_string())));
                }
                t.state = "open".into();
                let undo =
                    t.cause.clone().zip(t.solution.clone()).map(|(cause, solution)| What::Resolve { cause, solution });
                ("reopened", json!({}), say::reopened(self.id), undo)
            }
            What::Level { scope, severity, reason } => {
                let reason = required(reason, say::needs_reason())?;
                let level = level_of(&cx.config.tickets, scope, severity);
                let undo = What::Level { scope: t.scope.clone(), severity: t.severity.clone(), reason: reason.clone() };
                let data =
                    json!({"from": t.level, "level": level, "scope": scope, "severity": severity, "reason": reason});
                t.scope.clone_from(scope);
                t.severity.clone_from(severity);
                let message = say::levelled(self.id, &super::view::level_word(&level));
                t.level = level;
                ("level", data, message, Some(undo))
            }
            What::Merge(into) => {
                if *into == self.id {
                    return Err(ActionError::Invalid(say::merge_self()));
                }
                self.take_in(cx, *into, &t, &policy).await?;
                t.state = "merged".into();
                t.merged_into = Some(*into);
                t.follow_up_at = None;
                ("merged", json!({"into": into}), say::merged(self.id, *into), None)
            }
            What::Tick => return Err(missing()),
        };
        if t.state == "new" && !matches!(self.what, What::Note(_)) {
            t.state = "open".into();
        }
        past.push(Happening { at: cx.now, actor: me, kind: kind.into(), data: data.clone() });
        let state = self.write(cx, &mut t, &past, &policy).await?;
        drop(state);
        let mut done = Done::new("ticket", self.id, message).detail(data).value(json_of(&t));
        if let Some(what) = undo {
            done = done.undo(Self::new(self.id, what));
        }
        Ok(done)
    }

    /// Writes the newest happening and the row that follows from all of them.
    async fn write(
        &self,
        cx: &mut Apply<'_>,
        t: &mut Ticket,
        past: &[Happening],
        policy: &super::sla::Policy,
    ) -> Result<State, ActionError> {
        let state = clocks(policy, past, cx.now).map_err(ActionError::Invalid)?;
        let keys = settle(t, &state, &marks(policy, &state, &cx.config.tickets.thresholds), cx.now - 1);
        if let Some(newest) = past.last() {
            store::add_happening(cx.tx, t.id, past.len(), newest).await?;
        }
        store::update(cx.tx, t, &keys).await?;
        t.version += 1;
        Ok(state)
    }

    /// The surviving ticket takes the earlier start and the higher level.
    async fn take_in(
        &self,
        cx: &mut Apply<'_>,
        into: i64,
        child: &Ticket,
        policy: &super::sla::Policy,
    ) -> Result<(), ActionError> {
        let missing = || ActionError::NotFound { what: format!("#{into}") };
        let (mut t, mut past) = store::load(cx.tx, into).await?.ok_or_else(missing)?;
        if matches!(t.state.as_str(), "resolved" | "merged") {
            return Err(ActionError::Invalid(say::is_closed(into)));
        }
        let rank = |level: &str| super::model::SEVERITIES.iter().position(|s| *s == level);
        t.reports += child.reports;
        let raised = rank(&child.level) > rank(&t.level);
        if child.reported_at < t.reported_at {
            t.reported_at = child.reported_at;
            tx_set_start(cx, into, child.reported_at, &mut past).await?;
        }
        let data = if raised {
            t.scope.clone_from(&child.scope);
            t.severity.clone_from(&child.severity);
            json!({"level": child.level, "from": t.level, "child": self.id})
        } else {
            json!({"child": self.id})
        };
        let kind = if raised { "level" } else { "joined" };
        past.push(Happening { at: cx.now, actor: cx.actor.name.clone(), kind: kind.into(), data });
        self.write(cx, &mut t, &past, policy).await?;
        Ok(())
    }

    async fn tick(
        &self,
        cx: &mut Apply<'_>,
        mut t: Ticket,
        mut past: Vec<Happening>,
        policy: &super::sla::Policy,
    ) -> Result<Done, ActionError> {
        let by = |kind: &str, data: Value| Happening { at: cx.now, actor: "system".into(), kind: kind.into(), data };
        let mut events = Vec::new();
        if t.state == "waiting" && t.follow_up_at.is_some_and(|at| at <= cx.now) {
            t.state = "open".into();
            t.follow_up_at = None;
            t.flag = Some("follow_up".into());
            t.pause_reason = None;
            events.push(by("resumed", json!({"by": "follow_up"})));
        }
        past.extend(events.iter().cloned());
        let state = clocks(policy, &past, cx.now).map_err(ActionError::Invalid)?;
        let all = marks(policy, &state, &cx.config.tickets.thresholds);
        for clock in ["response", "resolution"] {
            let mut highest = None;
            for (_, percent, _) in all.iter().filter(|m| m.0 == clock && m.2 <= cx.now) {
                if store::fire(cx.tx, self.id, clock, *percent, cx.now).await? {
                    highest = highest.max(Some(*percent));
                }
            }
            // of those newly passed at once only the highest is told
            if let Some(percent) = highest {
                events.push(by("threshold_fired", json!({"clock": clock, "percent": percent})));
                if percent >= 100 {
                    events.push(by("sla_breached", json!({"clock": clock, "level": state.level, "owner": t.owner})));
                }
            }
        }
        let before = past.len() - events.iter().filter(|e| e.kind == "resumed").count();
        let keys = settle(&mut t, &state, &all, cx.now);
        for (i, event) in events.iter().enumerate() {
            store::add_happening(cx.tx, self.id, before + i + 1, event).await?;
        }
        store::update(cx.tx, &t, &keys).await?;
        let done = Done::new("ticket", self.id, say::ticked(self.id));
        if events.is_empty() {
            return Ok(done.unchanged());
        }
        let what: Vec<Value> = events.iter().map(|e| json!({"kind": e.kind, "data": e.data})).collect();
        Ok(done.detail(json!({"events": what})))
    }
}

/// Moves the start of a ticket's clocks back: the first happening is what they start from.
async fn tx_set_start(cx: &mut Apply<'_>, id: i64, at: Millis, past: &mut [Happening]) -> Result<(), ActionError> {
    if let Some(first) = past.first_mut() {
        first.data["reported_at"] = json!(at);
        cx.tx
            .exec(
                "UPDATE ticket_event SET data = $2 WHERE ticket_id = $1 AND n = 1",
                crate::args![id, first.data.to_string()],
            )
            .await?;
        cx.tx.exec("UPDATE ticket SET reported_at = $2 WHERE id = $1", crate::args![id, at]).await?;
    }
    Ok(())
}
