//! What follows from the clocks: the row's own columns, breaches latched, thresholds told once.

use serde_json::{Value, json};

use super::{Change, What};
use crate::action::{ActionError, Apply, Done};
use crate::clock::{Millis, rfc3339};
use crate::config::Tickets;
use crate::locale::tickets as say;
use crate::tickets::model::{Happening, Mark, NEVER, Passed, Ticket, clocks, marks, on_record, seconds};
use crate::tickets::sla::{ClockState, Policy, State};
use crate::tickets::store;

/// Takes the clocks over into the row, with what queues and ticks look for; gives the thresholds of the running clocks.
pub(super) fn settle(t: &mut Ticket, policy: &Policy, state: &State, config: &Tickets, now: Millis) -> Vec<Mark> {
    let running = |c: &ClockState| c.stopped.is_none().then_some(c.due).flatten();
    let next_response = state.next_response.as_ref().map(|(_, clock)| clock).filter(|_| t.is_open());
    let all = || [&state.response, &state.resolution].into_iter().chain(next_response);
    let urgency = all().filter_map(running).min();
    let risk = all().filter_map(|c| c.risk_from).min();
    let marks = if t.is_open() { marks(policy, state, config) } else { vec![] };
    let next = marks.iter().map(|m| m.at).filter(|at| *at > now).chain(t.follow_up_at).min();
    t.level.clone_from(&state.level);
    t.reported_at = state.reported_at;
    t.response_due = state.response.due;
    t.response_breach_at = state.response.breaches_after;
    t.response_met_at = state.response.stopped;
    t.response_breached = state.response.breached;
    t.next_due = next_response.and_then(|c| c.due);
    t.next_breach_at = next_response.and_then(|c| c.breaches_after);
    t.resolution_due = state.resolution.due;
    t.resolution_breach_at = state.resolution.breaches_after;
    t.resolved_at = state.resolved;
    t.resolution_used = (state.paused || state.resolved.is_some()).then_some(state.resolution.consumed);
    t.resolution_breached = state.resolution.breached;
    t.born_late = state.born_late;
    t.urgency = urgency.unwrap_or(NEVER);
    t.risk_at = risk.unwrap_or(NEVER);
    t.next_at = next.unwrap_or(NEVER);
    marks
}

/// Fires the thresholds that have passed and were never told; of those newly passed at once only the highest is told.
pub(super) async fn notice(
    cx: &mut Apply<'_>,
    t: &Ticket,
    policy: &Policy,
    state: &State,
    marks: &[Mark],
    on_raise: bool,
) -> Result<Vec<Happening>, ActionError> {
    let passed: Vec<&Mark> = marks.iter().filter(|m| m.at <= cx.now).collect();
    if passed.is_empty() {
        return Ok(vec![]);
    }
    let before = store::fired(cx.tx, t.id).await?;
    let mut out = Vec::new();
    // a raise is the doing of whoever raised it; everything else the passing of time did
    let actor = if on_raise { cx.actor.name.clone() } else { "system".to_owned() };
    let mut tell = |kind: &str, data: Value| {
        out.push(Happening { at: cx.now, actor: actor.clone(), kind: kind.into(), data });
    };
    let next = state.next_response.as_ref().map(|(_, clock)| ("next_response", clock));
    for (name, clock) in [("response", &state.response), ("resolution", &state.resolution)].into_iter().chain(next) {
        let (mut highest, mut closest) = (None, None);
        for mark in passed.iter().filter(|m| m.clock == name) {
            let percent = if let Passed::Percent(percent) = mark.what { percent } else { 0 };
            let told = before.iter().any(|(key, p)| *key == mark.key && *p == i64::from(percent));
            if told || !store::fire(cx.tx, t.id, &mark.key, percent, mark.at).await? {
                continue;
            }
            match mark.what {
                Passed::Percent(percent) => highest = highest.max(Some(percent)),
                Passed::Before(left) => closest = Some(closest.map_or(left, |c: Millis| c.min(left))),
            }
            if percent == 100 {
                let calendar = policy.levels.get(&state.level).map(|l| l.calendar.clone());
                tell(
                    "sla_breached",
                    json!({"clock": name, "level": state.level, "owner": t.owner, "calendar": calendar,
                        "calendar_version": policy.version, "breached_at": rfc3339(mark.at),
                        "budget_s": seconds(clock.budget), "on_raise": on_raise, "late_logged": state.born_late}),
                );
            }
        }
        if let Some(percent) = highest {
            tell("threshold_fired", json!({"clock": name, "percent": percent}));
        }
        if let Some(left) = closest.filter(|_| highest.is_none_or(|p| p < 100)) {
            tell("threshold_fired", json!({"clock": name, "before_due_s": seconds(left)}));
        }
    }
    Ok(out)
}

impl Change {
    /// Writes the happenings that are new (`past` from `known` on) and the row that follows from all of them.
    pub(super) async fn write(
        &self,
        cx: &mut Apply<'_>,
        t: &mut Ticket,
        past: &mut Vec<Happening>,
        known: usize,
        policy: &Policy,
    ) -> Result<(), ActionError> {
        let answered = t.response_met_at.is_some();
        let was_open = t.resolved_at.is_none();
        let state = clocks(policy, past, cx.now).map_err(ActionError::Invalid)?;
        if let Some(newest) = past.last_mut().filter(|h| h.data.is_object()) {
            if !answered && state.response.stopped.is_some() {
                newest.data["response"] = on_record(&state.response.freeze(), policy.version);
            }
            if was_open && state.resolved.is_some() {
                newest.data["resolution"] = on_record(&state.resolution.freeze(), policy.version);
            }
        }
        let marks = settle(t, policy, &state, &cx.config.tickets, cx.now);
        let on_raise = matches!(self.what, What::Level { .. } | What::Merge(_));
        past.extend(notice(cx, t, policy, &state, &marks, on_raise).await?);
        for (n, happening) in past.iter().enumerate().skip(known) {
            store::add_happening(cx.tx, t.id, n + 1, happening).await?;
        }
        store::update(cx.tx, t).await?;
        Ok(())
    }

    /// Tells what passed since the last look, before something is done about it.
    pub(super) async fn catch_up(
        &self,
        cx: &mut Apply<'_>,
        t: &mut Ticket,
        past: &mut Vec<Happening>,
        policy: &Policy,
    ) -> Result<(), ActionError> {
        if !t.is_open() || t.next_at > cx.now {
            return Ok(());
        }
        let state = clocks(policy, past, cx.now).map_err(ActionError::Invalid)?;
        let marks = settle(t, policy, &state, &cx.config.tickets, cx.now);
        past.extend(notice(cx, t, policy, &state, &marks, false).await?);
        Ok(())
    }

    pub(super) async fn tick(
        &self,
        cx: &mut Apply<'_>,
        mut t: Ticket,
        mut past: Vec<Happening>,
        policy: &Policy,
    ) -> Result<Done, ActionError> {
        let known = past.len();
        if t.state == "waiting" && t.follow_up_at.is_some_and(|at| at <= cx.now) {
            let reason = t.pause_reason.take();
            t.state = "open".into();
            t.follow_up_at = None;
            t.flag = Some("follow_up".into());
            t.version += 1;
            let data = json!({"by": "follow_up", "reason": reason});
            past.push(Happening { at: cx.now, actor: "system".into(), kind: "resumed".into(), data });
        }
        self.write(cx, &mut t, &mut past, known, policy).await?;
        let done = Done::new("ticket", self.id, say::ticked(self.id));
        if past.len() == known {
            return Ok(done.unchanged());
        }
        let what: Vec<Value> = past[known..].iter().map(|e| json!({"kind": e.kind, "data": e.data})).collect();
        Ok(done.detail(json!({"events": what})))
    }
}
