//! Thresholds reach people: each that is passed raises the rules that it meets, each rule calls its people until
//! somebody looks after the ticket.

use serde_json::json;

use crate::action::operators;
use crate::action::{Action, ActionError, Apply, BoxFuture, Done, Role};
use crate::clock::{Millis, SECOND};
use crate::config::{Config, EscalationRule};
use crate::locale::oncall as say;
use crate::notify::model::Message;
use crate::notify::store as outbox;
use crate::notify::templates::{Values, fill};
use crate::oncall::model::quiet_until;
use crate::oncall::store::{self, Escalation, Fired, Ticket};

/// Deals with a threshold that was passed.
#[derive(Debug, Clone)]
pub struct Raise {
    /// Which.
    pub fired: Fired,
}

/// Whether `rule` is for `clock` of a ticket of `level`.
fn is_for(rule: &EscalationRule, clock: &str, level: &str) -> bool {
    (rule.clock == "any" || rule.clock == clock) && (rule.levels.is_empty() || rule.levels.iter().any(|l| l == level))
}

impl Action for Raise {
    fn verb(&self) -> &'static str {
        "escalation.raise"
    }
    fn needs(&self) -> Role {
        Role::Operator
    }
    fn apply<'a>(&'a self, cx: &'a mut Apply<'_>) -> BoxFuture<'a, Result<Done, ActionError>> {
        Box::pin(async move {
            let f = &self.fired;
            let done = Done::new("ticket", f.ticket, say::raised(f.ticket, f.percent));
            let passed = store::deal_with(cx.tx, f).await?;
            let ticket = store::ticket(cx.tx, f.ticket).await?.filter(|_| !passed.is_empty());
            let Some(ticket) = ticket else { return Ok(done.unchanged()) };
            let mut raised = Vec::new();
            // what monitoring says comes and goes is not told again and again
            let calm = ticket.flag.as_deref() == Some("flapping");
            if ticket.runs(&f.clock) && !calm {
                let rules = cx.config.oncall.escalation.iter().enumerate();
                let met: Vec<(usize, i64)> = rules
                    .filter(|(_, r)| is_for(r, &f.clock, &ticket.level) && passed.contains(&i64::from(r.percent)))
                    .map(|(i, r)| (i, i64::from(r.percent)))
                    .collect();
                // of thresholds passed at once only the highest that anybody asked for
                let highest = met.iter().map(|(_, percent)| *percent).max();
                for (i, percent) in met.into_iter().filter(|(_, p)| Some(*p) == highest) {
                    let fired = Fired { percent, ..f.clone() };
                    if store::raise(cx.tx, &fired, i as i64, cx.now).await? {
                        raised.push(i);
                    }
                }
            }
            let detail = json!({"clock": f.clock, "percent": f.percent, "rules": raised});
            Ok(if raised.is_empty() { done.unchanged() } else { done.detail(detail) })
        })
    }
}

/// Calls the people of an escalation, or ends it when somebody cared.
#[derive(Debug, Clone)]
pub struct Call {
    /// Which.
    pub id: i64,
}

/// A way to somebody: a channel and their address there.
type Way = (String, String);

/// The people of a rule: their ways, and those of them that cannot be reached.
async fn people(
    cx: &mut Apply<'_>,
    rule: &EscalationRule,
    ticket: &Ticket,
) -> Result<(Vec<Way>, Vec<String>), ActionError> {
    let mut names = Vec::new();
    let mut ways: Vec<Way> = Vec::new();
    for to in &rule.to {
        match to.as_str() {
            "owner" => names.extend(ticket.owner.clone()),
            "oncall" => {
                let plan = store::plan_in(cx.tx, cx.config, cx.now).await?;
                names.extend(plan.on_duty(cx.now).map(|d| d.people()).unwrap_or_default());
            }
            "supervisors" => {
                let all = operators::list_in(cx.tx).await?;
                names.extend(all.into_iter().filter(|o| o.role == Role::Supervisor).map(|o| o.name));
            }
            "everybody" => ways.push((rule.channel.clone(), String::new())),
            name => names.push(name.to_owned()),
        }
    }
    names.dedup();
    let mut missing = Vec::new();
    for name in names {
        match cx.config.notify.people.get(&name).and_then(|a| a.get(&rule.channel)) {
            Some(address) => ways.push((rule.channel.clone(), address.clone())),
            None => missing.push(name),
        }
    }
    // better the whole group than nobody
    if ways.is_empty() && cx.config.notify.channels.iter().any(|c| c.name == rule.channel && c.kind == "wecom_robot") {
        ways.push((rule.channel.clone(), String::new()));
    }
    ways.sort();
    ways.dedup();
    Ok((ways, missing))
}

/// What an escalation says.
fn text(config: &Config, e: &Escalation, t: &Ticket, now: Millis) -> Result<(String, String), String> {
    let zone: chrono_tz::Tz = config.tickets.office.zone.parse().unwrap_or(chrono_tz::UTC);
    let local = |at: Millis| {
        chrono::DateTime::from_timestamp_millis(at)
            .map(|t| t.with_timezone(&zone).format("%Y-%m-%d %H:%M").to_string())
            .unwrap_or_default()
    };
    let due = t.due(&e.clock);
    let late = due.filter(|d| *d < now).map(|d| say::minutes((now - d + 59 * SECOND) / (60 * SECOND)));
    let values = Values::from([
        ("ticket", t.id.to_string()),
        ("title", crate::text::clean(&t.title).into_owned()),
        ("level", crate::locale::tickets::level_name(&t.level)),
        ("reporter", crate::text::clean(&t.reporter).into_owned()),
        ("owner", t.owner.clone().unwrap_or_default()),
        ("clock", if e.clock == "response" { say::response() } else { say::resolution() }),
        ("percent", e.percent.to_string()),
        ("due", due.map(local).unwrap_or_default()),
        ("late", late.unwrap_or_default()),
        ("count", (e.told + 1).to_string()),
    ]);
    fill(&config.notify, "escalation", &values)
}

impl Action for Call {
    fn verb(&self) -> &'static str {
        "escalation.call"
    }
    fn needs(&self) -> Role {
        Role::Operator
    }
    fn apply<'a>(&'a self, cx: &'a mut Apply<'_>) -> BoxFuture<'a, Result<Done, ActionError>> {
        Box::pin(async move {
            let missing = || ActionError::NotFound { what: say::escalation_named(self.id) };
            let mut e = store::escalation(cx.tx, self.id).await?.ok_or_else(missing)?;
            let done = Done::new("ticket", e.ticket, say::called(e.ticket, e.percent));
            if e.state != "open" || e.next_at > cx.now {
                return Ok(done.unchanged());
            }
            let ticket = store::ticket(cx.tx, e.ticket).await?;
            let rule = usize::try_from(e.rule).ok().and_then(|i| cx.config.oncall.escalation.get(i)).cloned();
            let (Some(ticket), Some(rule)) = (ticket, rule) else {
                e.state = "over".into();
                store::put_escalation(cx.tx, &e).await?;
                return Ok(done.unchanged());
            };
            if !ticket.runs(&e.clock) {
                e.state = "over".into();
                store::put_escalation(cx.tx, &e).await?;
                return Ok(done.unchanged());
            }
            if e.told > 0
                && let Some(who) = store::taken_care_by(cx.tx, e.ticket, e.created_at).await?
            {
                e.state = "cared".into();
                e.ended_by = who;
                store::put_escalation(cx.tx, &e).await?;
                return Ok(done.unchanged());
            }
            let (ways, unreachable) = people(cx, &rule, &ticket).await?;
            let (subject, body) = text(cx.config, &e, &ticket, cx.now).map_err(ActionError::Invalid)?;
            let zone = cx.config.tickets.office.zone.parse().unwrap_or(chrono_tz::UTC);
            let quiet = quiet_until(&cx.config.oncall.quiet_hours, zone, cx.now).filter(|_| ticket.level != "urgent");
            for (channel, recipient) in &ways {
                let message = Message {
                    channel: channel.clone(),
                    recipient: recipient.clone(),
                    subject: subject.clone(),
                    body: body.clone(),
                    cause: "escalation".into(),
                    ticket_id: Some(e.ticket),
                    thread: String::new(),
                    dedupe: format!("escalation:{}:{}:{channel}:{recipient}", e.id, e.told),
                    not_before: quiet.unwrap_or(cx.now),
                };
                outbox::put(cx.tx, &message, cx.now).await?;
            }
            e.told += 1;
            let repeat = rule.repeat.millis();
            if repeat == 0 {
                e.state = "told".into();
            } else {
                e.next_at = quiet.unwrap_or(cx.now) + repeat;
            }
            store::put_escalation(cx.tx, &e).await?;
            if !unreachable.is_empty() {
                tracing::warn!(channel = rule.channel, "no address for {}", unreachable.join(", "));
            }
            let to: Vec<&String> = ways.iter().map(|(_, who)| who).collect();
            Ok(done.detail(json!({"clock": e.clock, "percent": e.percent, "rule": e.rule, "time": e.told,
                "channel": rule.channel, "to": to, "unreachable": unreachable})))
        })
    }
}
