//! What alerts do to tickets.

use serde_json::{Value, json};

use crate::action::{Action, ActionError, Apply, BoxFuture, Done, Role};
use crate::clock::{MINUTE, Millis, rfc3339};
use crate::intake::actions::answer_of;
use crate::intake::alerts::model::{Changes, Group, rank};
use crate::intake::alerts::store::{self, Known, Named};
use crate::intake::model::Channel;
use crate::locale::intake as say;
use crate::tickets::actions::{Change, New, OLDEST, What};

/// Matters of one place that begin so close together are related.
const RELATED: Millis = 10 * MINUTE;

/// A message of a monitoring system.
#[derive(Debug, Clone)]
pub struct Heard {
    /// Which token.
    pub source: String,
    /// The matters it tells of.
    pub groups: Vec<Group>,
    /// Whether it says that the sender is alive.
    pub heartbeat: bool,
}

/// What one matter came to.
struct Became {
    ticket: i64,
    /// In words, when something happened that a person should see in the journal.
    what: Option<&'static str>,
    answer: Value,
}

impl Heard {
    async fn hear(&self, cx: &mut Apply<'_>, group: &Group) -> Result<Option<Became>, ActionError> {
        let named = Named { source: &self.source, key: &group.key, place: &group.place, truncated: group.truncated };
        let known = store::known(cx.tx, &self.source, &group.key).await?;
        let fires = group.alerts.iter().any(|a| a.ends_at.is_none());
        let Some(known) = known else {
            // the end of something that was never told is nothing to anybody
            return if fires { self.begin(cx, group, named, None).await.map(Some) } else { Ok(None) };
        };
        store::put_alerts(cx.tx, named, &group.alerts, cx.now).await?;
        let (alerts, firing) = store::tally(cx.tx, &self.source, &group.key).await?;
        // the same occurrence told again does not bring back what somebody has closed
        if !known.is_open && fires && alerts > known.alerts {
            return self.begin(cx, group, named, Some(known)).await.map(Some);
        }
        self.go_on(cx, group, named, known, (alerts, firing)).await.map(Some)
    }

    /// A matter that has no open ticket.
    async fn begin(
        &self,
        cx: &mut Apply<'_>,
        group: &Group,
        named: Named<'_>,
        before: Option<Known>,
    ) -> Result<Became, ActionError> {
        let began = group.alerts.iter().filter(|a| a.ends_at.is_none()).map(|a| a.starts_at).min();
        let new = New {
            title: group.title.clone(),
            body: group.body.clone(),
            scope: group.scope.clone(),
            severity: group.severity.clone(),
            channel: Channel::Alert.word().into(),
            reporter: self.source.clone(),
            // senders that know no beginning write the year 1
            reported_at: began.map(|at| at.min(cx.now)).filter(|at| *at >= cx.now - OLDEST),
            late_reason: Some(say::dated_by_sender()),
            ..New::default()
        };
        let made = new.apply(cx).await?;
        let ticket = made.as_value()["id"].as_i64().unwrap_or_default();
        let mut changes = before.as_ref().map(|b| b.changes.clone()).unwrap_or_default();
        if before.is_some() {
            changes.note(cx.now);
        }
        let flapping = changes.flap(cx.now);
        if before.is_none() {
            store::put_alerts(cx.tx, named, &group.alerts, cx.now).await?;
        }
        let (alerts, _) = store::tally(cx.tx, &self.source, &group.key).await?;
        let state = Known {
            ticket_id: ticket,
            state: "firing".into(),
            severity: group.severity.clone(),
            changes,
            flapping,
            alerts,
            is_open: true,
        };
        store::put_group(cx.tx, named, &state, cx.now).await?;
        if let Some(before) = before {
            link(cx, ticket, before.ticket_id, "continues").await?;
        }
        if !group.place.is_empty()
            && let Some(other) = store::related(cx.tx, named, cx.now - RELATED).await?
        {
            link(cx, ticket, other, "related").await?;
        }
        Ok(Became { ticket, what: Some("began"), answer: answer_of(made.as_value()) })
    }

    /// A matter that was told before.
    async fn go_on(
        &self,
        cx: &mut Apply<'_>,
        group: &Group,
        named: Named<'_>,
        mut known: Known,
        (alerts, firing): (i64, i64),
    ) -> Result<Became, ActionError> {
        let more = alerts - known.alerts;
        if more > 0 {
            store::add_reports(cx.tx, known.ticket_id, more).await?;
        }
        let state = if firing > 0 { "firing" } else { "recovered" };
        let mut what = None;
        if state != known.state {
            known.changes.note(cx.now);
            let began_to_flap = !known.flapping && known.changes.flap(cx.now);
            what = Some(match (began_to_flap, known.flapping) {
                (true, _) => "flapping",
                // told once; its further changes are counted and not told
                (false, true) => "flaps",
                (false, false) => state,
            });
        }
        known.flapping = known.changes.flap(cx.now);
        let worse = rank(&group.severity) > rank(&known.severity);
        known.state = state.into();
        known.alerts = alerts;
        if worse {
            known.severity.clone_from(&group.severity);
        }
        store::put_group(cx.tx, named, &known, cx.now).await?;
        let ticket = known.ticket_id;
        if let Some(state) = what.filter(|w| *w != "flaps") {
            let text = match state {
                "firing" => say::alert_again(firing),
                "flapping" => say::alert_flaps(),
                _ => say::alert_recovered(alerts),
            };
            let told = What::Alert { state: state.into(), text };
            Change::new(ticket, told).apply(cx).await?;
        }
        if worse && known.is_open {
            let reason = say::alert_worse();
            let level = What::Level { scope: group.scope.clone(), severity: group.severity.clone(), reason };
            Change::new(ticket, level).apply(cx).await?;
            what = Some("worse");
        }
        let answer = json!({"id": ticket, "state": known.state, "alerts": alerts, "firing": firing});
        Ok(Became { ticket, what: what.filter(|w| *w != "flaps"), answer })
    }
}

async fn link(cx: &mut Apply<'_>, ticket: i64, other: i64, relation: &str) -> Result<(), ActionError> {
    let snapshot = json!({"relation": relation});
    let what = What::Link { kind: "ticket".into(), subject: format!("#{other}"), snapshot };
    Change::new(ticket, what).apply(cx).await.map(|_| ())
}

impl Action for Heard {
    fn verb(&self) -> &'static str {
        "alert.heard"
    }
    fn needs(&self) -> Role {
        Role::Operator
    }
    fn apply<'a>(&'a self, cx: &'a mut Apply<'_>) -> BoxFuture<'a, Result<Done, ActionError>> {
        Box::pin(async move {
            if self.heartbeat {
                store::heartbeat(cx.tx, &self.source, cx.now).await?;
            }
            let mut became = Vec::new();
            for group in &self.groups {
                became.extend(self.hear(cx, group).await?);
            }
            let answers: Vec<Value> = became.iter().map(|b| b.answer.clone()).collect();
            let value = json!({"answer": {"tickets": answers}, "again": false});
            let told: Vec<Value> =
                became.iter().filter_map(|b| b.what.map(|w| json!({"ticket": b.ticket, "what": w}))).collect();
            let first = became.iter().find(|b| b.what.is_some()).map_or(0, |b| b.ticket);
            let detail = json!({"source": self.source, "alerts": told});
            let done = Done::new("ticket", first, say::alerts_heard(self.groups.len())).value(value).detail(detail);
            // told again, or more of the same: counted, not decided
            Ok(if told.is_empty() { done.unchanged() } else { done })
        })
    }
}

/// A sender has said nothing for too long: nobody watches.
#[derive(Debug, Clone)]
pub struct Silent {
    /// Which token.
    pub source: String,
    /// When it was last heard.
    pub last: Millis,
    /// Before which it must have been silent.
    pub since: Millis,
}

impl Action for Silent {
    fn verb(&self) -> &'static str {
        "ticket.new"
    }
    fn needs(&self) -> Role {
        Role::Operator
    }
    fn apply<'a>(&'a self, cx: &'a mut Apply<'_>) -> BoxFuture<'a, Result<Done, ActionError>> {
        Box::pin(async move {
            if !store::missed(cx.tx, &self.source, self.since, cx.now).await? {
                return Ok(Done::new("ticket", 0, say::alerts_heard(0)).unchanged());
            }
            let new = New {
                title: say::sender_silent(&self.source),
                body: say::sender_silent_since(&rfc3339(self.last)),
                scope: "department".into(),
                severity: "important".into(),
                channel: Channel::Alert.word().into(),
                reporter: self.source.clone(),
                ..New::default()
            };
            let made = new.apply(cx).await?;
            let id = made.as_value()["id"].as_i64().unwrap_or_default();
            let key = "heartbeat";
            let named = Named { source: &self.source, key, place: "", truncated: 0 };
            let state = Known {
                ticket_id: id,
                state: "firing".into(),
                severity: "important".into(),
                changes: Changes::default(),
                flapping: false,
                alerts: 1,
                is_open: true,
            };
            store::put_group(cx.tx, named, &state, cx.now).await?;
            let detail = made.as_detail().clone();
            Ok(Done::new("ticket", id, say::sender_silent(&self.source)).detail(detail).value(made.as_value().clone()))
        })
    }
}
