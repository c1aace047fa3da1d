//! What can be done to the rota, and to an escalation: acknowledge it.

use serde_json::{Value, json};

use crate::action::{Action, ActionError, Apply, BoxFuture, Done, Role};
use crate::clock::{Millis, rfc3339};
use crate::locale::oncall as say;
use crate::oncall::model::{Override, Rota, people_of};
use crate::oncall::store;

/// Sets the rota, or takes it away.
#[derive(Debug, Clone)]
pub struct SetRota {
    /// The new one.
    pub rota: Option<Rota>,
}

fn rota_json(rota: &Rota) -> Value {
    json!({"people": rota.people, "holiday_people": rota.holiday_people, "starts_on": rota.starts_on.to_string(),
        "hand_over": rota.hand_over.format("%H:%M").to_string(), "days": rota.days})
}

impl Action for SetRota {
    fn verb(&self) -> &'static str {
        "oncall.set"
    }
    fn needs(&self) -> Role {
        Role::Supervisor
    }
    fn apply<'a>(&'a self, cx: &'a mut Apply<'_>) -> BoxFuture<'a, Result<Done, ActionError>> {
        Box::pin(async move {
            if let Some(rota) = &self.rota {
                let bad = |names: &[String]| {
                    names.iter().any(|n| n.contains(',') || n.split('+').any(|name| name.trim().is_empty()))
                };
                if rota.people.is_empty() || bad(&rota.people) || bad(&rota.holiday_people) {
                    return Err(ActionError::Invalid(say::needs_people()));
                }
                if !(1..=366).contains(&rota.days) {
                    return Err(ActionError::Invalid(say::needs_days()));
                }
            }
            let before = store::set_rota(cx.tx, self.rota.as_ref()).await?;
            let value = self.rota.as_ref().map_or(Value::Null, rota_json);
            let message = self.rota.as_ref().map_or_else(say::rota_gone, |r| say::rota_set(&r.people.join(", ")));
            Ok(Done::new("oncall", "rota", message)
                .detail(json!({"from": before.as_ref().map(rota_json), "to": value}))
                .value(value)
                .undo(Self { rota: before }))
        })
    }
}

/// Somebody takes over for a while.
#[derive(Debug, Clone)]
pub struct TakeOver {
    /// Who.
    pub person: String,
    /// From this instant …
    pub from: Millis,
    /// … until this.
    pub until: Millis,
    /// Why.
    pub reason: String,
}

impl Action for TakeOver {
    fn verb(&self) -> &'static str {
        "oncall.override"
    }
    fn needs(&self) -> Role {
        Role::Operator
    }
    fn apply<'a>(&'a self, cx: &'a mut Apply<'_>) -> BoxFuture<'a, Result<Done, ActionError>> {
        Box::pin(async move {
            if people_of(&self.person).is_empty() {
                return Err(ActionError::Invalid(say::needs_people()));
            }
            if self.until <= self.from || self.until <= cx.now {
                return Err(ActionError::Invalid(say::needs_span()));
            }
            let o = Override {
                id: 0,
                person: self.person.trim().to_owned(),
                from: self.from,
                until: self.until,
                reason: self.reason.clone(),
            };
            let id = store::add_override(cx.tx, &o).await?;
            let value = json!({"id": id, "person": o.person, "from": rfc3339(o.from), "until": rfc3339(o.until),
                "reason": o.reason});
            let message = say::taken_over(&o.person, &rfc3339(o.from), &rfc3339(o.until));
            Ok(Done::new("oncall", id, message).detail(value.clone()).value(value).undo(GiveBack { id }))
        })
    }
}

/// Ends an override.
#[derive(Debug, Clone)]
pub struct GiveBack {
    /// Which.
    pub id: i64,
}

impl Action for GiveBack {
    fn verb(&self) -> &'static str {
        "oncall.override_removed"
    }
    fn needs(&self) -> Role {
        Role::Operator
    }
    fn apply<'a>(&'a self, cx: &'a mut Apply<'_>) -> BoxFuture<'a, Result<Done, ActionError>> {
        Box::pin(async move {
            if !store::remove_override(cx.tx, self.id, cx.now).await? {
                return Err(ActionError::NotFound { what: say::override_named(self.id) });
            }
            Ok(Done::new("oncall", self.id, say::given_back(self.id)).value(json!({"id": self.id})))
        })
    }
}

/// Says "I have seen it": the reminders about a ticket pause for the configured while, then begin again unless somebody
/// looked after it.
#[derive(Debug, Clone)]
pub struct Acknowledge {
    /// The ticket.
    pub ticket: i64,
}

impl Action for Acknowledge {
    fn verb(&self) -> &'static str {
        "oncall.acknowledge"
    }
    fn needs(&self) -> Role {
        Role::Operator
    }
    fn apply<'a>(&'a self, cx: &'a mut Apply<'_>) -> BoxFuture<'a, Result<Done, ActionError>> {
        Box::pin(async move {
            let until = cx.now + cx.config.oncall.acknowledged_for.millis();
            if store::put_off(cx.tx, self.ticket, until).await? == 0 {
                return Err(ActionError::Invalid(say::nothing_to_acknowledge(self.ticket)));
            }
            let value = json!({"ticket": self.ticket, "until": rfc3339(until)});
            let message = say::acknowledged(self.ticket, &rfc3339(until));
            Ok(Done::new("ticket", self.ticket, message).detail(value.clone()).value(value))
        })
    }
}
