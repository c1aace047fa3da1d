//! Does what the plan of the desk says.

use std::collections::HashMap;

use super::desk::{Deed, Step, Who};
use super::people;
use crate::action::{Action, ActionError, Actor, History, Role};
use crate::tickets::actions::{Change, What};

/// Does the steps of a plan.
#[derive(Debug)]
pub struct Doer {
    /// Whoever looks at the demo.
    pub visitor: Actor,
    ids: HashMap<usize, i64>,
}

impl Doer {
    /// A doer that has done nothing.
    pub fn new(visitor: Actor) -> Self {
        Self { visitor, ids: HashMap::new() }
    }

    /// The ticket at a place of the plan.
    pub fn id(&self, ticket: usize) -> Option<i64> {
        self.ids.get(&ticket).copied()
    }

    /// The actor and the action of a step; nothing when its ticket is not there.
    pub fn action(&self, step: &Step) -> Option<(Actor, Box<dyn Action>)> {
        let actor = match step.who {
            Who::Desk(n) => people::colleague(n),
            Who::Visitor => self.visitor.clone(),
            Who::System => Actor { name: "system".into(), role: Role::Admin, origin: "serve".into(), unclaimed: false },
        };
        let action: Box<dyn Action> = match &step.deed {
            Deed::New(new) => new.clone(),
            Deed::Change(what) => Box::new(Change::new(self.id(step.ticket)?, what.clone())),
            Deed::Into(into) => Box::new(Change::new(self.id(step.ticket)?, What::Merge(self.id(*into)?))),
        };
        Some((actor, action))
    }

    /// Notes the number that a new ticket has got.
    pub fn note(&mut self, step: &Step, value: &serde_json::Value) {
        if let (Deed::New(_), Some(id)) = (&step.deed, value["id"].as_i64()) {
            self.ids.insert(step.ticket, id);
        }
    }

    /// Does `steps`, as a history.
    ///
    /// # Errors
    /// When the store does not take it.
    pub async fn tell(&mut self, history: &mut History, steps: &[Step]) -> Result<(), ActionError> {
        for step in steps {
            if let Some((actor, action)) = self.action(step) {
                let outcome = history.run(&actor, step.at, action.as_ref()).await?;
                self.note(step, &outcome.value);
            }
        }
        Ok(())
    }
}
