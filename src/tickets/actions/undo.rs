//! Taking a change back: the row gets what it had, and for the clocks it did not happen.

use serde_json::json;

use super::{Change, What, json_of};
use crate::action::{ActionError, Apply, Done};
use crate::clock::Millis;
use crate::locale::tickets as say;
use crate::notify::model::dedupe_prefix;
use crate::notify::store as outbox;
use crate::tickets::model::{Happening, Ticket};
use crate::tickets::sla::Policy;
use crate::tickets::store;
use crate::tickets::words::kind_word;

/// What a change may do to a row, beyond its clocks.
#[derive(Debug, Clone, PartialEq)]
pub struct Standing {
    state: String,
    owner: Option<String>,
    pause_reason: Option<String>,
    follow_up_at: Option<Millis>,
    scope: String,
    severity: String,
    cause: Option<String>,
    solution: Option<String>,
    merged_into: Option<i64>,
    excused: (bool, bool),
    /// Comes and goes by itself too: not compared.
    flag: Flag,
}

#[derive(Debug, Clone)]
struct Flag(Option<String>);

impl PartialEq for Flag {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Standing {
    pub(super) fn of(t: &Ticket) -> Self {
        Self {
            state: t.state.clone(),
            owner: t.owner.clone(),
            pause_reason: t.pause_reason.clone(),
            follow_up_at: t.follow_up_at,
            scope: t.scope.clone(),
            severity: t.severity.clone(),
            cause: t.cause.clone(),
            solution: t.solution.clone(),
            merged_into: t.merged_into,
            excused: (t.response_excused, t.resolution_excused),
            flag: Flag(t.flag.clone()),
        }
    }

    fn restore(&self, t: &mut Ticket) {
        let was = self.clone();
        t.state = was.state;
        t.owner = was.owner;
        t.pause_reason = was.pause_reason;
        t.follow_up_at = was.follow_up_at;
        t.scope = was.scope;
        t.severity = was.severity;
        t.cause = was.cause;
        t.solution = was.solution;
        t.merged_into = was.merged_into;
        (t.response_excused, t.resolution_excused) = was.excused;
        t.flag = was.flag.0;
    }
}

/// The inverse of a change.
#[derive(Debug, Clone)]
pub struct TakeBack {
    /// The places (from 1) of what happened by it.
    pub(super) places: Vec<usize>,
    pub(super) before: Standing,
    /// Refused when the row has come to stand otherwise since.
    pub(super) after: Standing,
    /// Not after this instant.
    pub(super) until: Option<Millis>,
    /// What does it again.
    pub(super) again: What,
    /// Of a merge: the ticket that stayed.
    pub(super) survivor: Option<Survivor>,
}

/// What a merge did to the ticket that stayed.
#[derive(Debug, Clone)]
pub struct Survivor {
    pub(super) id: i64,
    pub(super) places: Vec<usize>,
    pub(super) before: Standing,
    pub(super) after: Standing,
    pub(super) reports: i64,
}

impl Change {
    pub(super) async fn take_back(
        &self,
        cx: &mut Apply<'_>,
        back: &TakeBack,
        mut t: Ticket,
        mut past: Vec<Happening>,
        policy: &Policy,
    ) -> Result<Done, ActionError> {
        if back.until.is_some_and(|until| cx.now > until) {
            return Err(ActionError::Invalid(say::sent_already(self.id)));
        }
        if Standing::of(&t) != back.after {
            return Err(cx.conflict(format!("#{}", self.id), "ticket", &self.id.to_string()).await);
        }
        for n in &back.places {
            // an answer that has left cannot be unsaid; a question how content they are is only kept back if it can be
            for (template, all) in [("reply", true), ("survey", false)] {
                let prefix = dedupe_prefix(template, self.id, *n);
                if outbox::keep_back(cx.tx, self.id, &prefix, all, cx.now).await? > 0 && all {
                    return Err(ActionError::Invalid(say::sent_already(self.id)));
                }
            }
        }
        if let Some(other) = &back.survivor {
            let missing = || ActionError::NotFound { what: format!("#{}", other.id) };
            let (mut stayed, mut its) = store::load(cx.tx, other.id).await?.ok_or_else(missing)?;
            if Standing::of(&stayed) != other.after {
                return Err(cx.conflict(format!("#{}", other.id), "ticket", &other.id.to_string()).await);
            }
            stayed.reports -= other.reports;
            self.void(cx, &other.places, &other.before, &mut stayed, &mut its, policy).await?;
        }
        let kind = back.places.first().and_then(|n| past.get(n - 1)).map(|h| h.kind.clone()).unwrap_or_default();
        self.void(cx, &back.places, &back.before, &mut t, &mut past, policy).await?;
        let done = Done::new("ticket", self.id, format!("#{} {}", self.id, kind_word(&kind)));
        let detail = json!({"what": kind, "places": back.places});
        Ok(done.detail(detail).value(json_of(&t, cx.now)).undo(Self::new(self.id, back.again.clone())))
    }

    /// Notes that the happenings at `places` are void and puts the row back.
    async fn void(
        &self,
        cx: &mut Apply<'_>,
        places: &[usize],
        before: &Standing,
        t: &mut Ticket,
        past: &mut Vec<Happening>,
        policy: &Policy,
    ) -> Result<(), ActionError> {
        let known = past.len();
        // what has passed until now passed by the clocks as they ran
        self.catch_up(cx, t, past, policy).await?;
        for n in places {
            let kind = past.get(n - 1).map(|h| h.kind.clone());
            t.reports -= i64::from(kind.as_deref() == Some("reported"));
            let data = json!({"n": n, "kind": kind});
            past.push(Happening { at: cx.now, actor: cx.actor.name.clone(), kind: "undone".into(), data });
        }
        before.restore(t);
        t.version += 1;
        self.write(cx, t, past, known, policy).await
    }
}
