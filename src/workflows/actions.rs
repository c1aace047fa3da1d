//! What can be done to workflows.

use std::io::Write as _;
use std::path::PathBuf;
use std::sync::Arc;

use serde_json::json;

use super::log::Log;
use super::store;
use crate::action::{Action, ActionError, Apply, BoxFuture, Done, Role};
use crate::locale::workflows as say;

/// Takes an event log in.
#[derive(Debug, Clone)]
pub struct Import {
    /// The name of the workflow.
    pub name: String,
    /// The name of the file.
    pub source: String,
    /// Its events.
    pub log: Arc<Log>,
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
            let name = self.name.trim();
            if name.is_empty() || name.chars().count() > 200 {
                return Err(ActionError::Invalid(say::bad_name()));
            }
            let log = &self.log;
            let added = store::add(cx.tx, name, &self.source, log, cx.now).await?;
            let message = say::imported(name, log.cases.len(), log.len(), added.events);
            let value = json!({
                "name": name, "cases": log.cases.len(), "events": log.len(), "activities": log.activities.len(),
                "new_cases": added.cases, "new_events": added.events,
            });
            let done = Done::new("workflow", name, message).detail(json!({
                "source": self.source, "cases": added.cases, "events": added.events,
            }));
            let done = done.value(value);
            Ok(if added.events == 0 {
                done.unchanged()
            } else if added.created {
                done.undo(Remove { name: name.to_owned() })
            } else {
                done
            })
        })
    }
}

/// Removes a workflow and its events.
#[derive(Debug, Clone)]
pub struct Remove {
    /// Its name.
    pub name: String,
}

impl Action for Remove {
    fn verb(&self) -> &'static str {
        "workflow.remove"
    }
    fn needs(&self) -> Role {
        Role::Operator
    }
    fn apply<'a>(&'a self, cx: &'a mut Apply<'_>) -> BoxFuture<'a, Result<Done, ActionError>> {
        Box::pin(async move {
            if !store::remove(cx.tx, &self.name).await? {
                return Err(ActionError::NotFound { what: self.name.clone() });
            }
            Ok(Done::new("workflow", &self.name, say::forgotten(&self.name)))
        })
    }
}

/// Writes the report of a workflow into a new file.
#[derive(Debug, Clone)]
pub struct WriteReport {
    /// The workflow.
    pub name: String,
    /// The file; it must not be there yet.
    pub path: PathBuf,
    /// What it will hold.
    pub text: String,
}

impl Action for WriteReport {
    fn verb(&self) -> &'static str {
        "workflow.report"
    }
    fn needs(&self) -> Role {
        Role::Operator
    }
    fn apply<'a>(&'a self, _cx: &'a mut Apply<'_>) -> BoxFuture<'a, Result<Done, ActionError>> {
        Box::pin(async move {
            // told as a whole: nobody remembers where the console was started
            let shown = std::path::absolute(&self.path).unwrap_or_else(|_| self.path.clone()).display().to_string();
            let (path, text) = (self.path.clone(), self.text.clone());
            let written = tokio::task::spawn_blocking(move || {
                std::fs::File::create_new(path).and_then(|mut f| f.write_all(text.as_bytes()))
            });
            let written = written.await.map_err(|e| ActionError::Invalid(e.to_string()))?;
            written.map_err(|e| match e.kind() {
                std::io::ErrorKind::AlreadyExists => ActionError::Invalid(say::file_exists(&shown)),
                _ => ActionError::Invalid(format!("{shown}: {e}")),
            })?;
            let done = Done::new("report", &self.name, say::report_written(&shown));
            Ok(done.detail(json!({"file": shown})))
        })
    }
}
