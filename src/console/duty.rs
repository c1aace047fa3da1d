//! Who is on duty, as the wall shows it.

use crate::action::{BoxFuture, Door};
use crate::clock::{HOUR, Millis};
use crate::journal;
use crate::oncall::store as oncall;

/// How long after their last change an operator counts as being there.
const THERE: Millis = 4 * HOUR;
/// Journal rows looked at.
const LOOK: i64 = 400;

/// Somebody on duty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OnDuty {
    /// The operator's name.
    pub name: String,
    /// When they last did something, where that is how it is known.
    pub seen: Option<Millis>,
}

/// Knows who is on duty.
pub trait Duty: Send + Sync {
    /// Who is on duty at `now`, first in charge first.
    fn at(&self, door: Door, now: Millis) -> BoxFuture<'static, Result<Vec<OnDuty>, String>>;
}

/// Who the rota names; where none is kept, [`SeenLately`].
#[derive(Debug, Clone, Copy, Default)]
pub struct ByRota;

impl Duty for ByRota {
    fn at(&self, door: Door, now: Millis) -> BoxFuture<'static, Result<Vec<OnDuty>, String>> {
        Box::pin(async move {
            let plan = oncall::plan(door.store(), door.config(), now).await.map_err(|e| e.to_string())?;
            match plan.on_duty(now) {
                Some(duty) => Ok(duty.people().into_iter().map(|name| OnDuty { name, seen: None }).collect()),
                None => SeenLately.at(door, now).await,
            }
        })
    }
}

/// The operators who changed something lately, the last first.
#[derive(Debug, Clone, Copy, Default)]
pub struct SeenLately;

impl Duty for SeenLately {
    fn at(&self, door: Door, now: Millis) -> BoxFuture<'static, Result<Vec<OnDuty>, String>> {
        Box::pin(async move {
            let rows = journal::newest(door.store(), None, LOOK).await.map_err(|e| e.to_string())?;
            let mut out: Vec<OnDuty> = Vec::new();
            // programs act through the door too; people sit at a console or a command line
            let people = |e: &&journal::Entry| ["console", "cli"].iter().any(|face| e.origin.starts_with(face));
            for entry in rows.iter().map(|r| &r.entry).filter(|e| now - e.at < THERE).filter(people) {
                if !out.iter().any(|o| o.name == entry.actor) {
                    out.push(OnDuty { name: entry.actor.clone(), seen: Some(entry.at) });
                }
            }
            out.sort_by_key(|o| std::cmp::Reverse(o.seen));
            Ok(out)
        })
    }
}
