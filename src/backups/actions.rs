//! What can be done to the catalogue: name systems, take in what tools say, record restore tests, ask for a look.

use serde_json::json;

use super::model::{Check, LookState, Report, Tool, level};
use super::store;
use crate::action::{Action, ActionError, Apply, BoxFuture, Done, Role};
use crate::clock::{MINUTE, Millis, rfc3339};
use crate::config::repository as usable;
use crate::locale::backups as say;

/// Names a repository of a system: the local one, or with `offsite` the off-site copy.
#[derive(Debug, Clone)]
pub struct AddSystem {
    /// The system.
    pub name: String,
    /// The tool that writes the repository.
    pub tool: Tool,
    /// Where it is; empty: only imported files tell of it.
    pub repository: String,
    /// Whether it is the off-site copy.
    pub offsite: bool,
}

impl Action for AddSystem {
    fn verb(&self) -> &'static str {
        "backup.system"
    }
    fn needs(&self) -> Role {
        Role::Operator
    }
    fn apply<'a>(&'a self, cx: &'a mut Apply<'_>) -> BoxFuture<'a, Result<Done, ActionError>> {
        Box::pin(async move {
            let name = self.name.trim();
            if name.is_empty() {
                return Err(ActionError::Invalid(say::needs_name()));
            }
            usable(&self.repository).map_err(ActionError::Invalid)?;
            let old = store::put_repo(cx.tx, name, self.offsite, self.tool, &self.repository, cx.now).await?;
            let value = json!({"system": name, "tool": self.tool.word(), "repository": self.repository,
                "offsite": self.offsite});
            let done = Done::new("backup", name, say::system_added(name)).value(value.clone()).detail(value);
            Ok(match old {
                Some(old) if old.tool == self.tool && old.repository == self.repository => done.unchanged(),
                Some(old) => done.undo(Self { tool: old.tool, repository: old.repository, ..self.clone() }),
                None => done.undo(Forget { name: name.to_owned(), offsite: self.offsite }),
            })
        })
    }
}

/// Forgets a repository with everything known of it; the system with its last one.
#[derive(Debug, Clone)]
pub struct Forget {
    /// The system.
    pub name: String,
    /// Whether its off-site copy.
    pub offsite: bool,
}

impl Action for Forget {
    fn verb(&self) -> &'static str {
        "backup.forget"
    }
    fn needs(&self) -> Role {
        Role::Operator
    }
    fn apply<'a>(&'a self, cx: &'a mut Apply<'_>) -> BoxFuture<'a, Result<Done, ActionError>> {
        Box::pin(async move {
            let old = store::find_repo(cx.tx, &self.name, self.offsite).await?;
            let old = old.ok_or_else(|| ActionError::NotFound { what: self.name.clone() })?;
            let runs = store::forget_repo(cx.tx, &self.name, self.offsite).await?;
            // taking back a name just given is anybody's; a history is not
            if runs > 0 && cx.actor.role < Role::Supervisor {
                return Err(ActionError::Denied { needs: Role::Supervisor, has: cx.actor.role });
            }
            let value = json!({"system": self.name, "offsite": self.offsite, "backups": runs});
            let done = Done::new("backup", &self.name, say::system_removed(&self.name, runs)).value(value.clone());
            let again = AddSystem {
                name: self.name.clone(),
                tool: old.tool,
                repository: old.repository,
                offsite: self.offsite,
            };
            Ok(done.detail(value).undo(again))
        })
    }
}

/// Takes in what a tool said.
#[derive(Debug, Clone)]
pub struct Import {
    /// The system.
    pub system: String,
    /// The tool that said it.
    pub tool: Tool,
    /// Whether it is the off-site copy.
    pub offsite: bool,
    /// What it said.
    pub report: Report,
    /// Whether a run that a listing does not name is gone from the repository.
    pub complete: bool,
    /// When it was said.
    pub at: Millis,
    /// The file, or how it was asked, for the record.
    pub source: String,
    /// The request that is answered by it.
    pub request: Option<i64>,
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
            let repo = store::repo(cx.tx, cx.config, &self.system, self.offsite, Some(self.tool), cx.now).await?;
            let changed = store::take(cx.tx, &repo, &self.report, self.complete, self.at, cx.now).await?;
            store::looked(cx.tx, &repo, &self.report, self.at).await?;
            if let Some(id) = self.request {
                store::answered(cx.tx, id, cx.now).await?;
            }
            let (state, note) = &self.report.look;
            let damaged = self.report.checks.iter().any(|c| !c.ok);
            let n = self.report.runs.len();
            let value = json!({"system": self.system, "offsite": self.offsite, "backups": n, "new": changed.new,
                "changed": changed.updated, "gone": changed.gone, "checks": changed.checks, "damaged": damaged,
                "state": state.word(), "note": note});
            let message = match self.report.checks.last() {
                _ if *state != LookState::Ok => {
                    say::looked_in_vain(&self.system, &super::words::look_state(*state), note)
                }
                Some(c) if c.ok => say::check_ok(&self.system, &super::words::level_word(c.level)),
                Some(c) => say::check_bad(&self.system, &super::words::level_word(c.level), &c.note),
                None => say::imported(&self.system, n, changed.new, changed.gone),
            };
            let detail = json!({"source": self.source, "offsite": self.offsite, "new": changed.new,
                "changed": changed.updated, "gone": changed.gone, "checks": changed.checks, "state": state.word(),
                "note": note});
            let done = Done::new("backup", &self.system, message).value(value).detail(detail);
            // a look that found nothing new is a measurement, no decision; a state that changed is told
            let same = repo.look_state == state.word() || (repo.look_state.is_empty() && *state == LookState::Ok);
            if changed.new + changed.updated + changed.gone + changed.checks == 0 && same {
                cx.tx.bump("backup").await?;
                return Ok(done.unchanged());
            }
            Ok(done)
        })
    }
}

/// Records a restore test, or a verification done elsewhere.
#[derive(Debug, Clone)]
pub struct RecordTest {
    /// The system.
    pub system: String,
    /// Whether of its off-site copy.
    pub offsite: bool,
    /// See [`level`].
    pub level: u8,
    /// Whether it passed.
    pub ok: bool,
    /// How long the restore took.
    pub minutes: Option<f64>,
    /// The share of the whole that was restored, 0 to 1.
    pub share: Option<f64>,
    /// What was found.
    pub note: String,
    /// When it was done; now where it is not given.
    pub at: Option<Millis>,
}

impl Action for RecordTest {
    fn verb(&self) -> &'static str {
        "backup.test"
    }
    fn needs(&self) -> Role {
        Role::Operator
    }
    fn apply<'a>(&'a self, cx: &'a mut Apply<'_>) -> BoxFuture<'a, Result<Done, ActionError>> {
        Box::pin(async move {
            let at = self.at.unwrap_or(cx.now);
            if at > cx.now + MINUTE {
                return Err(ActionError::Invalid(say::test_in_future()));
            }
            let sane = |v: Option<f64>, most: f64| v.is_none_or(|v| v.is_finite() && v > 0.0 && v <= most);
            if !(level::LISTING..=level::APPLICATION).contains(&self.level)
                || !sane(self.minutes, 1e6)
                || !sane(self.share, 1.0)
            {
                return Err(ActionError::Invalid(say::test_figures()));
            }
            let repo = store::repo(cx.tx, cx.config, &self.system, self.offsite, None, cx.now).await?;
            let check = Check {
                id: 0,
                offsite: self.offsite,
                at,
                level: self.level,
                ok: self.ok,
                errors: None,
                minutes: self.minutes,
                share: self.share,
                note: self.note.clone(),
            };
            let id = store::put_check(cx.tx, repo.id, &check).await?;
            let word = super::words::level_word(self.level);
            let message = if self.ok {
                say::check_ok(&self.system, &word)
            } else {
                say::check_bad(&self.system, &word, &self.note)
            };
            let value = json!({"system": self.system, "offsite": self.offsite, "level": level::word(self.level),
                "passed": self.ok, "minutes": self.minutes, "share": self.share, "at": rfc3339(at), "note": self.note});
            let done = Done::new("backup", &self.system, message).value(value.clone()).detail(value);
            Ok(match id {
                Some(id) => done.undo(Unrecord { id, test: self.clone() }),
                None => done.unchanged(),
            })
        })
    }
}

/// Takes a recorded test back.
#[derive(Debug, Clone)]
pub struct Unrecord {
    id: i64,
    test: RecordTest,
}

impl Action for Unrecord {
    fn verb(&self) -> &'static str {
        "backup.untest"
    }
    fn needs(&self) -> Role {
        Role::Operator
    }
    fn apply<'a>(&'a self, cx: &'a mut Apply<'_>) -> BoxFuture<'a, Result<Done, ActionError>> {
        Box::pin(async move {
            let system = &self.test.system;
            if store::drop_check(cx.tx, self.id).await? == 0 {
                return Err(cx.conflict(system, "backup", system).await);
            }
            Ok(Done::new("backup", system, say::test_taken_back(system)).undo(self.test.clone()))
        })
    }
}

/// Asks whoever holds the lease to look at a repository or to verify it now.
#[derive(Debug, Clone)]
pub struct Ask {
    /// The system.
    pub system: String,
    /// Whether its off-site copy.
    pub offsite: bool,
    /// `scan`, `structure` or `data`.
    pub kind: &'static str,
}

impl Action for Ask {
    fn verb(&self) -> &'static str {
        "backup.ask"
    }
    fn needs(&self) -> Role {
        Role::Operator
    }
    fn apply<'a>(&'a self, cx: &'a mut Apply<'_>) -> BoxFuture<'a, Result<Done, ActionError>> {
        Box::pin(async move {
            let repo = store::repo(cx.tx, cx.config, &self.system, self.offsite, None, cx.now).await?;
            let mut own =
                cx.config.backups.system.iter().filter(|s| s.name == self.system && s.offsite == self.offsite);
            if repo.repository.is_empty() && own.all(|s| s.repository.is_empty()) {
                return Err(ActionError::Invalid(say::no_repository(&self.system)));
            }
            let id = store::ask(cx.tx, repo.id, self.kind, &cx.actor.name, cx.now).await?;
            let value = json!({"system": self.system, "offsite": self.offsite, "kind": self.kind, "request": id});
            Ok(Done::new("backup", &self.system, say::asked(&self.system)).value(value.clone()).detail(value))
        })
    }
}

/// Closes a request that could not be answered.
#[derive(Debug, Clone)]
pub struct Dismiss {
    /// The request.
    pub request: i64,
    /// The system it was about.
    pub system: String,
    /// Why.
    pub why: String,
}

impl Action for Dismiss {
    fn verb(&self) -> &'static str {
        "backup.dismiss"
    }
    fn needs(&self) -> Role {
        Role::Operator
    }
    fn apply<'a>(&'a self, cx: &'a mut Apply<'_>) -> BoxFuture<'a, Result<Done, ActionError>> {
        Box::pin(async move {
            store::answered(cx.tx, self.request, cx.now).await?;
            let detail = json!({"request": self.request, "why": self.why});
            Ok(Done::new("backup", &self.system, self.why.clone()).detail(detail))
        })
    }
}
