//! Holiday lists, and open tickets counted anew after the calendar has changed.

use serde_json::json;

use super::clocks::{notice, settle};
use crate::action::{Action, ActionError, Apply, BoxFuture, Done, Role};
use crate::calendar::HolidayList;
use crate::clock::{Millis, rfc3339};
use crate::locale::tickets as say;
use crate::tickets::model::{Happening, clocks};
use crate::tickets::store;

/// Tickets of one [`Recount`].
const BATCH: i64 = 200;

/// Takes a year's holiday list in, in place of an earlier one of that year.
#[derive(Debug, Clone)]
pub struct Import {
    /// The list.
    pub list: HolidayList,
    /// The file that it comes from.
    pub source: String,
}

impl Action for Import {
    fn verb(&self) -> &'static str {
        "calendar.import"
    }
    fn needs(&self) -> Role {
        Role::Supervisor
    }
    fn apply<'a>(&'a self, cx: &'a mut Apply<'_>) -> BoxFuture<'a, Result<Done, ActionError>> {
        Box::pin(async move {
            let HolidayList { year, days } = &self.list;
            // what was counted so far keeps its number
            store::terms(cx.tx, &cx.config.tickets, cx.now).await?;
            let changed = store::import(cx.tx, &self.list, &self.source, &cx.actor.name, cx.now).await?;
            let policy = store::terms(cx.tx, &cx.config.tickets, cx.now).await?;
            let value = json!({"year": year, "days": days.len(), "changed": changed, "version": policy.version});
            Ok(if changed {
                let detail = json!({"version": policy.version, "source": self.source, "list": self.list.to_json()});
                Done::new("calendar", year, say::list_imported(*year, days.len())).detail(detail).value(value)
            } else {
                Done::new("calendar", year, say::list_known(*year)).value(value).unchanged()
            })
        })
    }
}

/// Counts the next open tickets anew when the calendar is another than the one they were counted by. Its outcome says
/// whether there are more. Clocks that have stopped keep what they came to.
#[derive(Debug, Clone)]
pub struct Recount;

impl Action for Recount {
    fn verb(&self) -> &'static str {
        "calendar.recount"
    }
    fn needs(&self) -> Role {
        Role::Operator
    }
    fn apply<'a>(&'a self, cx: &'a mut Apply<'_>) -> BoxFuture<'a, Result<Done, ActionError>> {
        Box::pin(async move {
            let policy = store::terms(cx.tx, &cx.config.tickets, cx.now).await?;
            let idle = || Done::new("calendar", policy.version, say::recounted(0, 0)).value(json!({"more": false}));
            let after = match store::pass(cx.tx).await? {
                Some((version, _, true)) if version == policy.version => return Ok(idle().unchanged()),
                Some((version, upto, false)) if version == policy.version => upto,
                // the first calendar is the one that everything was counted by
                None if policy.version == 1 => return Ok(idle().unchanged()),
                _ => 0,
            };
            let ids = store::open_after(cx.tx, after, BATCH).await?;
            let mut changed = 0;
            for id in &ids {
                let Some((mut t, mut past)) = store::load(cx.tx, *id).await? else { continue };
                let dues = |t: &crate::tickets::model::Ticket| [t.response_due, t.next_due, t.resolution_due];
                let (was, known) = (dues(&t), past.len());
                let state = clocks(&policy, &past, cx.now).map_err(ActionError::Invalid)?;
                let marks = settle(&mut t, &policy, &state, &cx.config.tickets, cx.now);
                if dues(&t) != was {
                    changed += 1;
                    let text = |due: &[Option<Millis>; 3]| due.map(|d| d.map(rfc3339));
                    let data = json!({"version": policy.version, "from": text(&was), "to": text(&dues(&t))});
                    past.push(Happening { at: cx.now, actor: "system".into(), kind: "calendar_changed".into(), data });
                }
                past.extend(notice(cx, &t, &policy, &state, &marks, false).await?);
                for (n, happening) in past.iter().enumerate().skip(known) {
                    store::add_happening(cx.tx, *id, n + 1, happening).await?;
                }
                store::update(cx.tx, &t).await?;
            }
            let more = ids.len() as i64 >= BATCH;
            store::set_pass(cx.tx, policy.version, ids.last().copied().unwrap_or(after), !more).await?;
            let detail = json!({"version": policy.version, "tickets": ids.len(), "changed": changed});
            let done = Done::new("ticket", "*", say::recounted(ids.len(), changed));
            Ok(done.detail(detail).value(json!({"more": more})))
        })
    }
}
