//! What can be done to workflows: import a log.

use serde_json::json;

use super::model::Log;
use super::store;
use crate::action::{Action, ActionError, Apply, BoxFuture, Done, Role};
use crate::locale::workflows as say;

/// Takes an event log in under a name.
#[derive(Debug)]
pub struct Import {
    /// The workflow's name.
    pub name: String,
    /// The file it came from, for the record.
    pub source: String,
    /// The log.
    pub log: Log,
}

impl Action for Import {
    fn verb(&self) -> &'static str {
        "workflow.import"
    }
    fn needs(&self) -> Role {
        Role::Operator
    }
    fn apply<'a>(&'a self, cx: &'a mut Apply<'_>) -> BoxFuture<'a, Result<Done, ActionError>> {
        Box::pin(async move {
            let changed = store::put(cx.tx, &self.name, &self.source, &self.log, cx.now).await?;
            let (cases, events) = (self.log.cases.len(), self.log.events());
            let value = json!({"cases": cases, "events": events, "activities": self.log.activities.len()});
            let detail = json!({"source": self.source, "cases": cases, "events": events, "changed_cases": changed});
            Ok(Done::new("workflow", &self.name, say::imported(&self.name, cases, events)).value(value).detail(detail))
        })
    }
}
