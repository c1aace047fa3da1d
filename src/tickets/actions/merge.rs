//! One ticket taken into another.

use serde_json::json;

use super::Change;
use super::undo::{Standing, Survivor};
use crate::action::{ActionError, Apply};
use crate::locale::tickets as say;
use crate::tickets::model::{Happening, SEVERITIES, Ticket, clocks};
use crate::tickets::sla::Policy;
use crate::tickets::store;

impl Change {
    /// The surviving ticket takes the earlier start and the higher level; a pause stays where both were paused. Gives
    /// what it takes to part them again.
    pub(super) async fn take_in(
        &self,
        cx: &mut Apply<'_>,
        into: i64,
        child: &Ticket,
        childs_past: &[Happening],
        policy: &Policy,
    ) -> Result<Survivor, ActionError> {
        let missing = || ActionError::NotFound { what: format!("#{into}") };
        let (mut t, mut past) = store::load(cx.tx, into).await?.ok_or_else(missing)?;
        if !t.is_open() {
            return Err(ActionError::Invalid(say::is_closed(into)));
        }
        let known = past.len();
        let before = Standing::of(&t);
        self.catch_up(cx, &mut t, &mut past, policy).await?;
        let by = |kind: &str, data| Happening { at: cx.now, actor: cx.actor.name.clone(), kind: kind.into(), data };
        let theirs = clocks(policy, childs_past, cx.now).map_err(ActionError::Invalid)?;
        let waits = child.state == "waiting";
        // the last pause of a waiting ticket is the one that goes on
        let waiting = if waits { theirs.pauses.last().map(|(from, _)| *from) } else { None };
        let ended = theirs.pauses.len() - usize::from(waiting.is_some());
        past.push(by(
            "joined",
            json!({"child": self.id, "reported_at": child.reported_at, "pauses": theirs.pauses[..ended],
                "waiting": waiting}),
        ));
        let mut places = vec![past.len()];
        if t.state == "waiting" && !waits {
            t.state = "open".into();
            t.pause_reason = None;
            t.follow_up_at = None;
        }
        let rank = |level: &str| SEVERITIES.iter().position(|s| *s == level);
        if rank(&child.level) > rank(&t.level) {
            t.scope.clone_from(&child.scope);
            t.severity.clone_from(&child.severity);
            past.push(by("level", json!({"level": child.level, "from": t.level, "child": self.id})));
            places.push(past.len());
        }
        t.reports += child.reports;
        t.version += 1;
        self.write(cx, &mut t, &mut past, known, policy).await?;
        Ok(Survivor { id: into, places, before, after: Standing::of(&t), reports: child.reports })
    }
}
