//! Periodic work: breaches, thresholds, ends of pauses, due times after the calendar has changed; how long tickets take,
//! and when the open ones must be begun.

use std::time::Duration;

use super::actions::{Change, Recount, What};
use super::handling::{self, Typical};
use super::store;
use crate::action::{ActionError, BoxFuture, Door, Job, go_on};

/// Looks every five seconds for clocks that passed a mark.
#[derive(Debug)]
pub struct Tick;

impl Job for Tick {
    fn name(&self) -> &'static str {
        "tickets.tick"
    }
    fn every(&self) -> Duration {
        Duration::from_secs(5)
    }
    fn run<'a>(&'a self, door: &'a Door) -> BoxFuture<'a, Result<(), ActionError>> {
        Box::pin(async move {
            // a changed calendar first, in small transactions, and for so long only that breaches are not told late
            let due = store::is_recount_due(door.store(), &door.config().tickets).await?;
            for _ in 0..if due { 20 } else { 0 } {
                if door.run(&Recount).await?.value["more"] != true {
                    break;
                }
            }
            for id in store::overdue_marks(door.store(), door.clock().now()).await? {
                go_on(door, &Change::new(id, What::Tick)).await?;
            }
            Ok(())
        })
    }
}

/// Tickets in one transaction: a writer waits no longer for it.
const TOGETHER: i64 = 500;
/// Transactions of one run: what is left waits for the next.
const AT_ONCE: usize = 6;

/// Measures what was solved, and keeps the last safe start of every open ticket.
#[derive(Debug)]
pub struct SafeStarts;

impl SafeStarts {
    /// Measures tickets that were solved; whether there were any.
    async fn measure(door: &Door) -> Result<bool, ActionError> {
        let (s, now) = (door.store(), door.clock().now());
        let policy = store::policy(s, &door.config().tickets).await?;
        let mut any = false;
        for _ in 0..AT_ONCE {
            let found = store::unmeasured(s, now - handling::WINDOW, TOGETHER).await?;
            let more = found.len() as i64 == TOGETHER;
            let all: Vec<_> = found
                .into_iter()
                .map(|(id, category, past)| (id, category, handling::handled(&policy, &past, now)))
                .collect();
            if !all.is_empty() {
                store::measured(s, &all).await?;
                any = true;
            }
            if !more {
                break;
            }
        }
        Ok(any)
    }

    /// Takes the medians anew; open tickets are counted anew for those that moved.
    async fn take_medians(door: &Door) -> Result<(), ActionError> {
        let s = door.store();
        let before = store::typical(s).await?;
        let fresh = handling::typical(&store::handlings(s, door.clock().now() - handling::WINDOW).await?);
        let was = |t: &Typical| before.iter().find(|b| b.category == t.category && b.level == t.level);
        let moved = |t: &&Typical| !was(t).is_some_and(|b| t.is_like(b)) && t.n >= handling::LEAST;
        let gone = |b: &&Typical| {
            let now = fresh.iter().find(|t| t.category == b.category && t.level == b.level);
            b.n >= handling::LEAST && now.is_none_or(|t| t.n < handling::LEAST)
        };
        let mut levels: Vec<&str> =
            fresh.iter().filter(moved).chain(before.iter().filter(gone)).map(|t| t.level.as_str()).collect();
        levels.sort_unstable();
        levels.dedup();
        // a median that hardly moved stays the one that open tickets were counted with
        let kept: Vec<Typical> = fresh
            .iter()
            .map(|t| match was(t).filter(|b| t.is_like(b)) {
                Some(b) => Typical { n: t.n, ..b.clone() },
                None => t.clone(),
            })
            .collect();
        if kept != before {
            store::put_typical(s, &kept, &levels).await?;
        }
        Ok(())
    }
}

impl Job for SafeStarts {
    fn name(&self) -> &'static str {
        "tickets.safe_starts"
    }
    fn every(&self) -> Duration {
        Duration::from_secs(5)
    }
    fn run<'a>(&'a self, door: &'a Door) -> BoxFuture<'a, Result<(), ActionError>> {
        Box::pin(async move {
            let s = door.store();
            if Self::measure(door).await? {
                Self::take_medians(door).await?;
            }
            let policy = store::policy(s, &door.config().tickets).await?;
            let typical = store::typical(s).await?;
            for _ in 0..AT_ONCE {
                let found = store::uncounted(s, TOGETHER).await?;
                let more = found.len() as i64 == TOGETHER;
                let counted = found.into_iter().map(|t| {
                    let kind = handling::like(&typical, &t.category, &t.level);
                    let at =
                        kind.zip(t.due).and_then(|(k, due)| handling::last_start(&policy, &t.level, due, k.median));
                    (t, at)
                });
                let counted: Vec<_> = counted.collect();
                if !counted.is_empty() {
                    store::count_safe_starts(s, &counted).await?;
                }
                if !more {
                    break;
                }
            }
            Ok(())
        })
    }
}
