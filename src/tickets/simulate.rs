//! What another policy would have made of the tickets of a month: their events, counted anew.

use super::model::{Happening, clocks, level_of, policy};
use super::sla::Policy;
use super::store;
use crate::calendar::HolidayList;
use crate::clock::Millis;
use crate::config::Tickets;
use crate::store::{Store, StoreError};

/// A clock that comes out otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changed {
    /// The ticket.
    pub id: i64,
    /// `response` or `resolution`.
    pub clock: &'static str,
    /// Whether it is breached by the policy in force.
    pub now: bool,
    /// Whether it would be by the other.
    pub then: bool,
}

/// What came out.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Simulated {
    /// Tickets reported in the time; merged ones do not count.
    pub tickets: usize,
    /// Breached clocks by the policy in force.
    pub now: usize,
    /// Breached clocks by the other.
    pub then: usize,
    /// The clocks that come out otherwise, by ticket.
    pub changed: Vec<Changed>,
}

/// Why it cannot be told.
#[derive(Debug, thiserror::Error)]
pub enum SimulateError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The clocks of a ticket cannot be counted: its number and why.
    #[error("#{0}: {1}")]
    Ticket(i64, String),
}

/// What happened, without what the policy of the time made of it: levels by the matrix of `config`, nothing on record.
fn bare(past: &[Happening], config: &Tickets) -> Vec<Happening> {
    let mut out = past.to_vec();
    for h in &mut out {
        if let (Some(scope), Some(severity)) = (h.data["scope"].as_str(), h.data["severity"].as_str())
            && ["created", "level"].contains(&h.kind.as_str())
        {
            h.data["level"] = level_of(config, scope, severity).into();
        }
        if let Some(data) = h.data.as_object_mut() {
            data.remove("response");
            data.remove("resolution");
        }
        // its place stays taken: others name happenings by their places
        if h.kind == "sla_breached" {
            h.kind = "was_breached".into();
        }
    }
    out
}

fn breaches(policy: &Policy, config: &Tickets, past: &[Happening], now: Millis) -> Result<[bool; 2], String> {
    let state = clocks(policy, &bare(past, config), now)?;
    Ok([state.response.breached, state.resolution.breached])
}

/// Counts the tickets reported from `month.0` and before `month.1` by `config`, which is in force, and by `other`, as of
/// `now`. Imported holiday lists hold for both.
///
/// # Errors
/// When the store does not answer, or a ticket has a level that a policy does not know.
pub async fn simulate(
    store: &Store,
    config: &Tickets,
    other: &Tickets,
    month: (Millis, Millis),
    now: Millis,
) -> Result<Simulated, SimulateError> {
    let lists: Vec<HolidayList> = store::holiday_lists(store).await?.into_iter().map(|row| row.list).collect();
    let (in_force, tried) = (policy(config, &lists, 0), policy(other, &lists, 0));
    let mut out = Simulated::default();
    let mut after = 0;
    loop {
        let page = store::reported_in(store, month, after).await?;
        let Some((last, _)) = page.last() else { return Ok(out) };
        after = *last;
        for (id, past) in &page {
            let fail = |why| SimulateError::Ticket(*id, why);
            let a = breaches(&in_force, config, past, now).map_err(fail)?;
            let b = breaches(&tried, other, past, now).map_err(fail)?;
            out.tickets += 1;
            out.now += a.iter().filter(|x| **x).count();
            out.then += b.iter().filter(|x| **x).count();
            for (clock, i) in [("response", 0), ("resolution", 1)] {
                if a[i] != b[i] {
                    out.changed.push(Changed { id: *id, clock, now: a[i], then: b[i] });
                }
            }
        }
    }
}
