//! What is wrong with the desk itself: messages that nobody got, arrivals that nobody understood, senders that have
//! fallen silent, a listener that anybody can overhear.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::TicketsTab;
use crate::action::{Action, BoxFuture, Door, Role as Rank};
use crate::clock::{Millis, SECOND};
use crate::console::tab::{Confirm, Effect, Pick, Reading};
use crate::locale::tickets as say;

/// How long what was found is good, in milliseconds, unless something was done about it.
const GOOD_FOR: Millis = 2 * SECOND;

/// What kind of trouble.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A message that was given up.
    Dead,
    /// Something that arrived and could not be understood.
    Held,
    /// A sender of alerts without a heartbeat.
    Silent,
    /// A listener without encryption.
    Plain,
}

impl Kind {
    /// In the order in which they are told.
    pub const ALL: [Self; 4] = [Self::Dead, Self::Held, Self::Silent, Self::Plain];

    /// The word of `--json`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Dead => "message_given_up",
            Self::Held => "not_understood",
            Self::Silent => "sender_silent",
            Self::Plain => "not_encrypted",
        }
    }
}

/// Something that is wrong.
#[derive(Debug, Clone)]
pub struct Trouble {
    /// What kind.
    pub kind: Kind,
    /// Its number or name.
    pub id: String,
    /// Since when.
    pub at: Millis,
    /// In a line.
    pub line: String,
    /// In full, Markdown.
    pub text: String,
    /// What tries again.
    pub retry: Option<Arc<dyn Action>>,
    /// What lets it go.
    pub discard: Option<Arc<dyn Action>>,
}

/// What is wrong, and how much of each kind.
#[derive(Debug, Clone, Default)]
pub struct Troubles {
    /// How many there are of [`Kind::ALL`].
    pub counts: [i64; 4],
    /// The newest of them.
    pub list: Vec<Trouble>,
}

impl Troubles {
    /// How much is wrong.
    pub fn total(&self) -> i64 {
        self.counts.iter().sum()
    }

    /// All of it in a line; none while nothing is wrong.
    pub fn line(&self) -> Option<String> {
        let told: [fn(i64) -> String; 4] =
            [say::trouble_dead, say::trouble_held, say::trouble_silent, say::trouble_plain];
        let parts: Vec<String> = told.iter().zip(self.counts).filter(|(_, n)| *n > 0).map(|(say, n)| say(n)).collect();
        (!parts.is_empty()).then(|| parts.join(" · "))
    }
}

/// Finds what is wrong.
pub type FindTroubles = fn(Door) -> BoxFuture<'static, Result<Troubles, String>>;

/// What was found, and whether it is to be found anew.
#[derive(Debug)]
pub(in crate::tickets) struct Watch {
    pub(in crate::tickets) found: Troubles,
    at: Millis,
    again: Arc<AtomicBool>,
}

impl Default for Watch {
    fn default() -> Self {
        Self { found: Troubles::default(), at: Millis::MIN / 2, again: Arc::default() }
    }
}

impl Watch {
    /// Whether it is to be looked at `now`.
    pub(super) fn is_old(&self, now: Millis) -> bool {
        self.again.swap(false, Ordering::Relaxed) || !(0..GOOD_FOR).contains(&(now - self.at))
    }

    pub(super) fn take(&mut self, found: Troubles, now: Millis) {
        self.found = found;
        self.at = now;
    }
}

impl TicketsTab {
    /// A list of what is wrong; each can be read, tried again or let go.
    pub(super) fn show_troubles(&self) -> Vec<Effect> {
        let list = self.watch.found.list.clone();
        let (again, role) = (self.watch.again.clone(), self.role);
        let mut items: Vec<(String, String)> =
            list.iter().enumerate().map(|(i, t)| (i.to_string(), t.line.clone())).collect();
        let dead: Vec<Arc<dyn Action>> =
            list.iter().filter(|t| t.kind == Kind::Dead).filter_map(|t| t.retry.clone()).collect();
        if dead.len() > 1 {
            items.push(("all".into(), say::retry_all(dead.len())));
        }
        let then = Box::new(move |chosen: &str| {
            again.store(true, Ordering::Relaxed);
            if chosen == "all" {
                let title = say::retry_all_question(dead.len());
                return vec![Effect::Confirm(Confirm { title, lines: vec![], yes: vec![Effect::Act(dead.clone())] })];
            }
            let Some(t) = chosen.parse().ok().and_then(|i: usize| list.get(i)) else { return vec![] };
            let mut keys = Vec::new();
            if let Some(retry) = &t.retry {
                keys.push(('r', say::key_retry(), vec![Effect::Act(vec![retry.clone()])]));
            }
            let mut text = t.text.clone();
            if let Some(discard) = &t.discard {
                if role >= Rank::Supervisor {
                    keys.push(('x', say::key_discard(), vec![Effect::Act(vec![discard.clone()])]));
                } else {
                    text.push_str(&format!("\n\n> {}", say::discard_needs_supervisor()));
                }
            }
            vec![Effect::Read(Reading { title: t.line.clone(), text, keys })]
        });
        vec![Effect::Pick(Pick { title: say::troubles(), items, then })]
    }
}
