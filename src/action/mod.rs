//! The one door for change.
//!
//! Keys, palette, command line and scheduled work build the same [`Action`] values; the [`Door`] authorises the actor,
//! applies the change, writes the journal row in the same transaction and commits. Nothing else writes.

mod identity;
mod job;
pub mod operators;

use std::fmt::Debug;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

pub use identity::{Identity, resolve};
pub use job::{Job, go_on};

use crate::clock::{Clock, Millis, rfc3339};
use crate::config::Config;
use crate::journal::{self, Entry};
use crate::locale::cli as say;
use crate::store::{Store, StoreError, Tx};

/// A future that an [`Action`] returns: `Box::pin(async move { … })`.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// What an operator may do; each role may do what the ones before it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Looks.
    Viewer,
    /// Works tickets, records decisions, imports.
    Operator,
    /// Excuses breaches, overrides guards.
    Supervisor,
    /// Manages operators and the store.
    Admin,
}

impl Role {
    /// The word used in the store, in JSON and on the command line.
    pub fn word(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Supervisor => "supervisor",
            Self::Admin => "admin",
        }
    }

    /// The role of a word; an unknown word is the least role.
    pub fn from_word(word: &str) -> Self {
        match word {
            "operator" => Self::Operator,
            "supervisor" => Self::Supervisor,
            "admin" => Self::Admin,
            _ => Self::Viewer,
        }
    }
}

/// Who acts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// The operator's name.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// Where from and how known, for the journal: `console ssh-key SHA256:…`.
    pub origin: String,
    /// Nobody has written to this store yet: the first to do so becomes its admin.
    pub unclaimed: bool,
}

/// What an action is handed while it runs.
#[derive(Debug)]
pub struct Apply<'a> {
    /// The transaction: everything the action changes goes through it.
    pub tx: &'a mut Tx,
    /// Who acts.
    pub actor: &'a Actor,
    /// The present.
    pub now: Millis,
    /// The configuration.
    pub config: &'a Config,
}

impl Apply<'_> {
    /// The error for "someone else changed it", naming who and when from the journal.
    pub async fn conflict(&mut self, what: impl Into<String>, kind: &str, id: &str) -> ActionError {
        match journal::last_change(self.tx, kind, id).await {
            Ok(Some((who, at))) => ActionError::Conflict { what: what.into(), who, at },
            Ok(None) => ActionError::NotFound { what: what.into() },
            Err(e) => ActionError::Store(e),
        }
    }
}

/// A change that can be asked for.
pub trait Action: Debug + Send + Sync {
    /// What it does: `ticket.claim`. Goes into the journal.
    fn verb(&self) -> &'static str;
    /// The least role that may do it.
    fn needs(&self) -> Role;
    /// Makes the change in the transaction it is handed.
    fn apply<'a>(&'a self, cx: &'a mut Apply<'_>) -> BoxFuture<'a, Result<Done, ActionError>>;
}

/// What an action did.
#[derive(Debug)]
pub struct Done {
    kind: &'static str,
    id: String,
    message: String,
    detail: Value,
    undo: Option<Arc<dyn Action>>,
    value: Value,
    unchanged: bool,
}

impl Done {
    /// A change to the thing `subject_id` of `subject_kind` (also the topic of the live feed), said in one sentence.
    pub fn new(subject_kind: &'static str, subject_id: impl ToString, message: String) -> Self {
        Self {
            kind: subject_kind,
            id: subject_id.to_string(),
            message,
            detail: json!({}),
            undo: None,
            value: Value::Null,
            unchanged: false,
        }
    }

    /// The thing that was changed: the id it was made with.
    pub fn subject(&self) -> &str {
        &self.id
    }

    /// The particulars for the journal.
    #[must_use]
    pub fn detail(mut self, detail: Value) -> Self {
        self.detail = detail;
        self
    }

    /// The action that takes it back.
    #[must_use]
    pub fn undo(mut self, action: impl Action + 'static) -> Self {
        self.undo = Some(Arc::new(action));
        self
    }

    /// What `--json` prints.
    #[must_use]
    pub fn value(mut self, value: Value) -> Self {
        self.value = value;
        self
    }

    /// What `--json` will print, for an action made of this one.
    pub fn as_value(&self) -> &Value {
        &self.value
    }

    /// The particulars for the journal, for an action made of this one.
    pub fn as_detail(&self) -> &Value {
        &self.detail
    }

    /// The action that takes it back, for an action made of this one.
    pub fn as_undo(&self) -> Option<&Arc<dyn Action>> {
        self.undo.as_ref()
    }

    /// Nothing was changed (an import seen before): no journal row is written.
    #[must_use]
    pub fn unchanged(mut self) -> Self {
        self.unchanged = true;
        self
    }
}

/// What came of an action.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// One sentence for the person who asked.
    pub message: String,
    /// The action that takes it back.
    pub undo: Option<Arc<dyn Action>>,
    /// Its place in the journal; none when nothing changed.
    pub seq: Option<i64>,
    /// What `--json` prints.
    pub value: Value,
}

/// Why an action was not done. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum ActionError {
    /// The actor's role does not reach.
    #[error("{}", say::denied(needs.word(), has.word()))]
    Denied {
        /// The least role that may.
        needs: Role,
        /// The actor's role.
        has: Role,
    },
    /// This session may only look.
    #[error("{}", say::read_only_here())]
    ReadOnly,
    /// Somebody else was first.
    #[error("{}", say::conflict(what, who, &rfc3339(*at)))]
    Conflict {
        /// What was to be changed.
        what: String,
        /// Who changed it.
        who: String,
        /// When.
        at: Millis,
    },
    /// What is asked for is spoken for already; the sentence says by what.
    #[error("{0}")]
    Taken(String),
    /// There is no room for more; the sentence says what to do. Nothing is lost: it may be asked for again.
    #[error("{0}")]
    Full(String),
    /// There is no such thing.
    #[error("{}", say::not_found(what))]
    NotFound {
        /// What was asked for.
        what: String,
    },
    /// What was asked for makes no sense; the sentence says why and what to do.
    #[error("{0}")]
    Invalid(String),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The door: everything that changes the store goes through one of these.
#[derive(Debug, Clone)]
pub struct Door {
    store: Store,
    clock: Clock,
    config: Arc<Config>,
    actor: Arc<Actor>,
    read_only: bool,
    live_role: bool,
}

impl Door {
    /// A door for `actor`; with `read_only` it refuses every action.
    pub fn new(store: Store, clock: Clock, config: Arc<Config>, actor: Actor, read_only: bool) -> Self {
        Self { store, clock, config, actor: Arc::new(actor), read_only, live_role: false }
    }

    /// The same door asking the store for the actor's role with every action: whoever was lowered or removed while
    /// their console stood open can do no more than the store says.
    #[must_use]
    pub fn with_live_role(mut self) -> Self {
        self.live_role = true;
        self
    }

    /// The same door refusing every action.
    #[must_use]
    pub fn closed(mut self) -> Self {
        self.read_only = true;
        self
    }

    /// The door for scheduled work.
    pub fn system(store: Store, clock: Clock, config: Arc<Config>) -> Self {
        let actor = Actor { name: "system".into(), role: Role::Admin, origin: "serve".into(), unclaimed: false };
        Self::new(store, clock, config, actor, false)
    }

    /// Who acts through this door.
    pub fn actor(&self) -> &Actor {
        &self.actor
    }

    /// Whether it refuses every action.
    pub fn is_read_only(&self) -> bool {
        self.read_only
    }

    /// The store behind it.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// The clock by which it acts.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// The configuration it acts by.
    pub fn config(&self) -> &Arc<Config> {
        &self.config
    }

    /// Why this door would refuse an action that needs `role`; `None` when it would not.
    pub fn refuses(&self, needs: Role) -> Option<ActionError> {
        if self.read_only {
            Some(ActionError::ReadOnly)
        } else if self.actor.role < needs && !self.actor.unclaimed {
            Some(ActionError::Denied { needs, has: self.actor.role })
        } else {
            None
        }
    }

    /// Opens a history: see [`History`].
    ///
    /// # Errors
    /// When this door is not an admin's, or the store does not answer.
    pub async fn history(&self) -> Result<History, ActionError> {
        match self.refuses(Role::Admin) {
            Some(refusal) => Err(refusal),
            None => {
                let door = Self { clock: Clock::manual(self.clock.now()), ..self.clone() };
                Ok(History { tx: self.store.begin().await?, door })
            }
        }
    }

    /// Authorises, applies, journals and commits `action`.
    ///
    /// # Errors
    /// See [`ActionError`]; nothing was changed then, but for [`StoreError::Unsure`].
    pub async fn run(&self, action: &dyn Action) -> Result<Outcome, ActionError> {
        if let Some(refusal) = self.refuses(action.needs()) {
            return Err(refusal);
        }
        let mut tx = self.store.begin().await?;
        let outcome = self.apply(&mut tx, &self.actor, action).await?;
        tx.commit().await?;
        Ok(outcome)
    }

    /// Runs the actions of several actors in one transaction: each is done or refused by itself, and what was done
    /// becomes durable at once. For intake, where a commit for each would be the limit.
    ///
    /// # Errors
    /// When the store fails; nothing was changed then.
    pub async fn run_all(
        &self,
        wanted: &[(Arc<Actor>, Arc<dyn Action>)],
    ) -> Result<Vec<Result<Outcome, ActionError>>, StoreError> {
        let mut tx = self.store.begin().await?;
        let mut out = Vec::with_capacity(wanted.len());
        for (actor, action) in wanted {
            let refusal = Self { actor: actor.clone(), ..self.clone() }.refuses(action.needs());
            if let Some(refusal) = refusal {
                out.push(Err(refusal));
                continue;
            }
            let mark = tx.mark().await?;
            let mut result = self.apply(&mut tx, actor, action.as_ref()).await;
            if result.is_ok()
                && let Err(e) = tx.keep(&mark).await
            {
                result = Err(e.into());
            }
            if result.is_err() {
                tx.back(&mark).await?;
            }
            out.push(result);
        }
        tx.commit().await?;
        Ok(out)
    }

    async fn apply(&self, tx: &mut Tx, actor: &Actor, action: &dyn Action) -> Result<Outcome, ActionError> {
        let now = self.clock.now();
        let mut actor = actor.clone();
        if actor.unclaimed {
            actor.role = operators::claim_store(tx, &actor, now).await?;
        } else if self.live_role {
            actor.role = operators::role_now(tx, &actor.name).await?;
        }
        if actor.role < action.needs() {
            return Err(ActionError::Denied { needs: action.needs(), has: actor.role });
        }
        let done = action.apply(&mut Apply { tx, actor: &actor, now, config: &self.config }).await?;
        let seq = if done.unchanged {
            None
        } else {
            let entry = Entry {
                at: now,
                actor: actor.name,
                origin: actor.origin,
                subject_kind: done.kind.into(),
                subject_id: done.id,
                verb: action.verb().into(),
                detail: done.detail.to_string(),
            };
            Some(journal::append(tx, entry).await?)
        };
        Ok(Outcome { message: done.message, undo: done.undo, seq, value: done.value })
    }
}

/// What several people did at several instants, told in one transaction: for the past that the demo begins with. Each
/// action is authorised, applied and journalled as if it had come through the door of its actor at that instant.
#[derive(Debug)]
pub struct History {
    door: Door,
    tx: Tx,
}

impl History {
    /// `actor` does `action` at `at`. After an error nothing of the history is to be committed.
    ///
    /// # Errors
    /// As [`Door::run`].
    pub async fn run(&mut self, actor: &Actor, at: Millis, action: &dyn Action) -> Result<Outcome, ActionError> {
        if actor.role < action.needs() {
            return Err(ActionError::Denied { needs: action.needs(), has: actor.role });
        }
        self.door.clock.set(at);
        self.door.apply(&mut self.tx, actor, action).await
    }

    /// Makes it so.
    ///
    /// # Errors
    /// When the store does not answer; nothing happened then.
    pub async fn commit(self) -> Result<(), StoreError> {
        self.tx.commit().await
    }
}
