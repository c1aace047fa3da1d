//! What was done here, and taking it back: one key, one step, however many rows it acted on.

use std::sync::Arc;

use super::app::App;
use super::app::Work;
use super::layer::Layer;
use crate::action::{Action, ActionError, Door, Outcome};
use crate::clock::Millis;
use crate::locale::console as say;
use crate::text;
use crate::tui::theme::Role;

/// Which way actions go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Asked for by a key.
    Do,
    /// Takes a step back.
    Undo,
    /// Does a step again.
    Redo,
}

/// Actions asked for with one key.
#[derive(Debug, Clone)]
pub struct Batch {
    /// They, in the order in which they are done.
    pub actions: Vec<Arc<dyn Action>>,
    /// Which way they go.
    pub kind: Kind,
    /// What each of them takes back or does again; empty when they are asked for anew.
    pub(super) from: Vec<Outcome>,
    /// The form they come from: what was typed is kept until they have succeeded.
    pub(super) sent: Option<Sent>,
}

/// A form that was sent.
#[derive(Debug, Clone)]
pub(super) struct Sent {
    /// Its title.
    pub(super) title: String,
    /// What its fields held.
    pub(super) values: Vec<String>,
    /// The number under which it waits, where it can come back.
    pub(super) form: Option<u64>,
}

impl Batch {
    /// Actions asked for anew.
    pub fn new(actions: Vec<Arc<dyn Action>>) -> Self {
        Self { actions, kind: Kind::Do, from: vec![], sent: None }
    }
}

/// What came of a [`Batch`].
#[derive(Debug, Default)]
pub struct Came {
    /// What was done.
    pub done: Vec<Outcome>,
    /// What was not done.
    pub failed: Vec<Failed>,
}

/// An action that was not done.
#[derive(Debug, Default)]
pub struct Failed {
    /// Its number.
    pub at: usize,
    /// Why; empty where an earlier one says it.
    pub why: String,
    /// Whether it may succeed another time.
    pub again: bool,
    /// Whether somebody else was first.
    pub conflict: bool,
}

impl Came {
    /// Nothing, because of a fault of the program itself.
    pub(super) fn fault(why: String) -> Self {
        Self { done: vec![], failed: vec![Failed { why, ..Failed::default() }] }
    }
}

/// Does the actions of `batch` one after the other, each in a transaction of its own. One that is refused does not hold
/// up the next; a store that does not answer, or a role that does not reach, ends it.
pub(super) async fn act(door: &Door, batch: &Batch) -> Came {
    let mut came = Came::default();
    for (i, action) in batch.actions.iter().enumerate() {
        match door.run(action.as_ref()).await {
            Ok(outcome) => came.done.push(outcome),
            Err(e) => {
                let for_all = matches!(e, ActionError::Store(_) | ActionError::Denied { .. } | ActionError::ReadOnly);
                let conflict = matches!(e, ActionError::Conflict { .. });
                came.failed.push(Failed { at: i, why: e.to_string(), again: for_all, conflict });
                if for_all {
                    let rest = (i + 1..batch.actions.len()).map(|at| Failed { at, again: true, ..Failed::default() });
                    came.failed.extend(rest);
                    break;
                }
            }
        }
    }
    came
}

/// What a step is called: its first sentence, and how many more there are.
pub(super) fn name(step: &[Outcome]) -> String {
    let first = step.first().map(|o| o.message.clone()).unwrap_or_default();
    if step.len() > 1 { say::and_more(&first, step.len() - 1) } else { first }
}

impl App {
    /// What is taken back next.
    pub(super) fn next_undo(&self) -> Option<String> {
        self.undo.iter().rev().find(|step| step.iter().any(|o| o.undo.is_some())).map(|step| name(step))
    }

    pub(super) fn take_back(&mut self, kind: Kind, now: Millis) {
        let (stack, empty) = match kind {
            Kind::Redo => (&mut self.redo, say::nothing_to_redo()),
            _ => (&mut self.undo, say::nothing_to_undo()),
        };
        while let Some(step) = stack.pop() {
            // the last thing done is the first taken back
            let from: Vec<Outcome> = step.into_iter().rev().filter(|o| o.undo.is_some()).collect();
            let actions: Vec<_> = from.iter().filter_map(|o| o.undo.clone()).collect();
            if !actions.is_empty() {
                self.work.push(Work::Act(Batch { actions, kind, from, sent: None }));
                return;
            }
        }
        self.say(empty, Role::Dim, now);
    }

    /// What somebody else changed is known: the form comes back with it, unless something else is being typed by now.
    pub(super) fn compared(&mut self, number: u64, lines: Result<Vec<String>, String>, now: Millis) {
        let Some(mut form) = self.outgoing.remove(&number) else { return };
        match lines {
            Ok(lines) if self.layers.is_empty() => {
                form.clash(lines);
                self.layers.push(Layer::Form(form));
                self.message = None;
                self.dirty = true;
            }
            lines => {
                let (title, values) = form.kept();
                self.drafts.insert(title, values);
                let why =
                    lines.err().unwrap_or_else(|| self.message.take().map_or_else(String::new, |(text, ..)| text));
                self.say(format!("{why} · {}", say::draft_kept()), Role::Critical, now);
            }
        }
    }

    pub(super) fn acted(&mut self, batch: Batch, came: Came, now: Millis) {
        let Batch { actions, kind, mut from, sent } = batch;
        let Came { done, failed } = came;
        let undone = |text: &str| if kind == Kind::Undo { say::undone(text) } else { text.to_owned() };
        for outcome in &done {
            self.session.push((now, undone(&outcome.message)));
        }
        let reasons: Vec<&str> = failed.iter().map(|f| f.why.as_str()).filter(|why| !why.is_empty()).collect();
        for why in &reasons {
            self.session.push((now, say::not_done(why)));
        }
        let (mut text, role) = if failed.is_empty() {
            (undone(&name(&done)), Role::Ok)
        } else {
            let mut why = reasons.iter().take(2).copied().collect::<Vec<_>>().join(" · ");
            if reasons.len() > 2 {
                why = say::and_more(&why, reasons.len() - 2);
            }
            let part = say::done_in_part(done.len(), actions.len(), &why);
            (if actions.len() == 1 { why } else { undone(&part) }, Role::Critical)
        };
        // what was typed is safe until all of it is done
        if let Some(sent) = sent {
            let form = sent.form.and_then(|n| self.outgoing.remove(&n));
            let clashes = actions.len() == 1 && failed.iter().any(|f| f.conflict);
            match form.and_then(|form| Some((form.compare()?, form))).filter(|_| clashes) {
                Some((compare, form)) => {
                    self.questions += 1;
                    self.outgoing.insert(self.questions, form);
                    self.work.push(Work::Compare(self.questions, compare));
                }
                None if !failed.is_empty() => {
                    self.drafts.insert(sent.title, sent.values);
                    text = format!("{text} · {}", say::draft_kept());
                }
                None => {}
            }
        }
        // what may succeed another time waits where it was; the rest is past and would stand in the way
        let again: Vec<usize> = failed.iter().filter(|f| f.again).map(|f| f.at).collect();
        let mut waiting: Vec<Outcome> = Vec::new();
        for (i, outcome) in from.drain(..).enumerate() {
            if again.contains(&i) {
                waiting.insert(0, outcome);
            }
        }
        let mut steps = |step: Vec<Outcome>, undo: bool| {
            if !step.is_empty() {
                if undo { self.undo.push(step) } else { self.redo.push(step) }
            }
        };
        match kind {
            Kind::Do => {
                let any = !done.is_empty();
                steps(done, true);
                if any {
                    self.redo.clear();
                }
            }
            Kind::Redo => {
                steps(done, true);
                steps(waiting, false);
            }
            Kind::Undo => {
                steps(done, false);
                steps(waiting, true);
            }
        }
        self.say(text::clean(&text).into_owned(), role, now);
        self.reload(self.active, now);
    }
}
