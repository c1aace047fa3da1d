//! Executions put together from the events of a case; definitions in [`super::model`]. Pure.

use super::log::{Log, NOBODY};
use super::model::Transition;
use crate::clock::Millis;

/// One carrying out of an activity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Execution {
    /// The activity.
    pub activity: u16,
    /// Who; [`NOBODY`] where not known.
    pub resource: u32,
    /// When it could have begun.
    pub enabled: Option<Millis>,
    /// When work began, where the log tells it.
    pub started: Option<Millis>,
    /// When it was done; `None`: still open.
    pub completed: Option<Millis>,
}

impl Execution {
    /// E − C.
    pub fn sojourn(&self) -> Option<Millis> {
        Some(self.completed? - self.enabled?)
    }
    /// S − C.
    pub fn waiting(&self) -> Option<Millis> {
        Some(self.started? - self.enabled?)
    }
    /// Whether it could begin before `last`, the completion of another execution of the same activity in the case: the
    /// two are beside each other, as countersigners are, and neither repeats the other.
    pub fn is_beside(&self, last: Millis) -> bool {
        self.enabled.is_some_and(|c| c < last)
    }
    /// E − S.
    pub fn processing(&self) -> Option<Millis> {
        Some(self.completed? - self.started?)
    }
}

/// Puts executions together from the events of one case; kept between cases for its memory.
#[derive(Debug, Default)]
pub struct Pairing {
    open: Vec<Execution>,
}

impl Pairing {
    /// Hands every execution of a case to `f`: completed ones as they complete, open ones at the end. `events` are in
    /// the order of time.
    pub fn of_case(&mut self, log: &Log, events: &[u32], mut f: impl FnMut(&Execution)) {
        let mut before: Option<Millis> = None;
        self.open.clear();
        for i in events {
            let i = *i as usize;
            let (at, activity, resource) = (log.at[i], log.activity[i], log.resource[i]);
            // a start after its end is a slip of the log: the end counts
            let start = log.start_of(i).map(|s| s.min(at));
            let told = log.enabled_of(i).map(|c| c.min(start.unwrap_or(at)));
            match log.transition_of(i) {
                Transition::Complete => {
                    let ours = |e: &Execution| e.activity == activity;
                    let begun = self.open.iter().position(|e| ours(e) && e.started.is_some());
                    let at_open = begun.or_else(|| self.open.iter().position(ours));
                    let execution = if let Some(n) = at_open {
                        let e = self.open.remove(n);
                        let resource = if resource == NOBODY { e.resource } else { resource };
                        let enabled = told.or(e.enabled);
                        Execution { resource, enabled, started: e.started.or(start), completed: Some(at), ..e }
                    } else {
                        let enabled = told.or(match (before, start) {
                            (Some(c), Some(s)) => Some(c.min(s)),
                            (c, s) => c.or(s),
                        });
                        Execution { activity, resource, enabled, started: start, completed: Some(at) }
                    };
                    f(&execution);
                    before = Some(at);
                }
                Transition::Schedule => {
                    // assigned anew: it waits since it was first there
                    match self.open.iter_mut().find(|e| e.activity == activity && e.started.is_none()) {
                        Some(e) if resource != NOBODY => e.resource = resource,
                        Some(_) => {}
                        None => {
                            let enabled = Some(at);
                            self.open.push(Execution { activity, resource, enabled, started: None, completed: None });
                        }
                    }
                }
                Transition::Start => {
                    let mut same = self.open.iter_mut().filter(|e| e.activity == activity);
                    match same.find(|e| e.started.is_none() || e.resource == resource) {
                        Some(e) => {
                            // a second start without an end between them: taken up again
                            if e.started.is_none() {
                                (e.started, e.resource) =
                                    (Some(at), if resource == NOBODY { e.resource } else { resource });
                            }
                        }
                        None => {
                            let enabled = told.or_else(|| Some(before.map_or(at, |c| c.min(at))));
                            let started = Some(at);
                            self.open.push(Execution { activity, resource, enabled, started, completed: None });
                        }
                    }
                }
                Transition::Abort => {
                    if let Some(n) = self.open.iter().position(|e| e.activity == activity) {
                        self.open.remove(n);
                    }
                }
                Transition::Pause => {}
            }
        }
        self.open.iter().for_each(f);
    }
}
