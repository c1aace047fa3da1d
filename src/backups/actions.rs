//! What can be done to the catalogue: name a system, take in what its tool says.

use serde_json::json;

use super::model::Backup;
use super::store::{self, System};
use crate::action::{Action, ActionError, Apply, BoxFuture, Done, Role};
use crate::locale::backups as say;

/// Names a system, or adds a repository to it.
#[derive(Debug, Clone)]
pub struct AddSystem(pub System);

impl Action for AddSystem {
    fn verb(&self) -> &'static str {
        "backup.system"
    }
    fn needs(&self) -> Role {
        Role::Operator
    }
    fn apply<'a>(&'a self, cx: &'a mut Apply<'_>) -> BoxFuture<'a, Result<Done, ActionError>> {
        Box::pin(async move {
            let s = &self.0;
            store::put_system(cx.tx, s).await?;
            let value = json!({"system": s.name, "tool": s.tool, "repository": s.repository, "offsite_repository": s.offsite_repository});
            Ok(Done::new("backup", &s.name, say::system_added(&s.name)).detail(value.clone()).value(value))
        })
    }
}

/// Takes backups of a system in.
#[derive(Debug)]
pub struct Import {
    /// The system.
    pub system: String,
    /// The tool that said it.
    pub tool: String,
    /// Whether it is the off-site copy.
    pub offsite: bool,
    /// What it said.
    pub backups: Vec<Backup>,
}

impl Action for Import {
    fn verb(&self) -> &'static str {
        "backup.import"
    }
    fn needs(&self) -> Role {
        Role::Operator
    }
    fn apply<'a>(&'a self, cx: &'a mut Apply<'_>) -> BoxFuture<'a, Result<Done, ActionError>> {
        Box::pin(async move {
            let tool = store::tool_of(cx.tx, &self.system)
                .await?
                .ok_or_else(|| ActionError::NotFound { what: self.system.clone() })?;
            if tool != self.tool {
                return Err(ActionError::Invalid(say::other_tool(&self.system, &tool)));
            }
            let added = store::add(cx.tx, &self.system, self.offsite, &self.backups).await?;
            let value =
                json!({"system": self.system, "backups": self.backups.len(), "new": added, "offsite": self.offsite});
            Ok(Done::new("backup", &self.system, say::imported(&self.system, self.backups.len(), added))
                .detail(value.clone())
                .value(value))
        })
    }
}
