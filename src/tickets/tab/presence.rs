//! Who else has the ticket open, and telling them that it is open here: written when it changes and every few seconds
//! while it is, never otherwise.

use std::sync::{Arc, Mutex, PoisonError};

use super::TicketsTab;
use crate::clock::Millis;
use crate::console::tab::{Load, Snapshot};
use crate::locale::tickets as say;
use crate::tickets::model::{Doing, Other};
use crate::tickets::store;

/// Beats after which whoever was not heard of counts as gone.
const LIVES: Millis = 3;

/// The others on a ticket, as they were last heard of; shared with the form that is open.
pub(super) type Others = Arc<Mutex<(i64, Vec<Other>)>>;

/// What came of a beat.
struct Heard {
    ticket: i64,
    others: Vec<Other>,
}

/// What this console has told of itself, and heard of others.
pub(super) struct Presence {
    /// Names this console among those of the same operator.
    session: String,
    told: Option<(i64, Doing)>,
    told_at: Millis,
    pub(super) others: Others,
    heard_at: Millis,
    /// What is open here, and how long a beat is: for the next look.
    open: Option<(i64, Doing)>,
    every: Millis,
}

impl Presence {
    pub(super) fn new() -> Self {
        Self {
            session: std::iter::repeat_with(fastrand::alphanumeric).take(16).collect(),
            told: None,
            told_at: Millis::MIN / 2,
            others: Arc::default(),
            heard_at: Millis::MIN / 2,
            open: None,
            every: 0,
        }
    }

    /// The others on `ticket`, as far as that is still known at `now`.
    pub(super) fn on(&self, ticket: i64, now: Millis) -> Vec<Other> {
        let others = self.others.lock().unwrap_or_else(PoisonError::into_inner);
        let known = others.0 == ticket && now - self.heard_at <= LIVES * self.every;
        if known { others.1.clone() } else { vec![] }
    }

    /// When something is to be told next.
    pub(super) fn due(&self) -> Option<Millis> {
        (self.open.is_some() || self.told.is_some()).then_some(self.told_at + self.every)
    }

    fn beat(&mut self, open: Option<(i64, Doing)>, me: &str, every: Millis, now: Millis) -> Option<Load> {
        (self.open, self.every) = (open, every);
        // a clock set back must not silence it
        if self.due().is_none_or(|at| now < at && at <= now + every) {
            return None;
        }
        (self.told, self.told_at) = (open, now);
        let (session, me, since) = (self.session.clone(), me.to_owned(), now - LIVES * every);
        Some(Box::new(move |door| {
            Box::pin(async move {
                let s = door.store();
                let wrong = |e: crate::store::StoreError| e.to_string();
                let Some((ticket, doing)) = open else {
                    if !door.is_read_only() {
                        store::leave(s, &session).await.map_err(wrong)?;
                    }
                    return Ok(Box::new(Heard { ticket: 0, others: vec![] }) as Snapshot);
                };
                if !door.is_read_only() {
                    store::attend(s, (&session, &me), (ticket, doing), now, since).await.map_err(wrong)?;
                }
                let others = store::others(s, &session, ticket, since).await.map_err(wrong)?;
                Ok(Box::new(Heard { ticket, others }) as Snapshot)
            })
        }))
    }

    /// Takes what was heard; whether it is something new.
    fn take(&mut self, heard: Heard, now: Millis) -> bool {
        self.heard_at = now;
        let mut others = self.others.lock().unwrap_or_else(PoisonError::into_inner);
        let new = (heard.ticket, heard.others);
        std::mem::replace(&mut *others, new.clone()).1 != new.1
    }
}

/// Others in words: who does what.
pub(in crate::tickets) fn in_words(others: &[Other]) -> String {
    let one = |o: &Other| {
        let who = crate::text::clean(&o.operator);
        match o.doing {
            Doing::Viewing => say::is_viewing(&who),
            Doing::Working => say::is_working(&who),
            Doing::Replying => say::is_replying(&who),
        }
    };
    others.iter().map(one).collect::<Vec<_>>().join(" · ")
}

impl TicketsTab {
    pub(super) fn make_beat(
        &mut self,
        seen: bool,
        writes: Option<(i64, Doing)>,
        every: Millis,
        now: Millis,
    ) -> Option<Load> {
        let open = self.current().filter(|_| self.full).map(|t| (t.id, Doing::Viewing));
        let open = writes.or(open).filter(|_| seen);
        self.presence.beat(open, &self.me, every, now)
    }

    pub(super) fn take_beat(&mut self, snapshot: Snapshot, now: Millis) -> bool {
        snapshot.downcast::<Heard>().is_ok_and(|heard| self.presence.take(*heard, now))
    }

    /// The others on `ticket` in words; whether one of them writes.
    pub(in crate::tickets) fn others_on(&self, ticket: i64, now: Millis) -> Option<(String, bool)> {
        let others = self.presence.on(ticket, now);
        let writes = others.iter().any(|o| o.doing != Doing::Viewing);
        (!others.is_empty()).then(|| (in_words(&others), writes))
    }
}
