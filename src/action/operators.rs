//! Operators and their roles.

use serde_json::json;

use super::{Action, ActionError, Actor, Apply, BoxFuture, Done, Role};
use crate::args;
use crate::clock::Millis;
use crate::journal::{self, Entry};
use crate::locale::cli as say;
use crate::store::{Row, Store, StoreError, Tx};

/// An operator as the store knows them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operator {
    /// Unique name.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// SHA-256 fingerprint of their SSH key, `SHA256:…`.
    pub key: Option<String>,
    /// When they were added.
    pub created_at: Millis,
}

const ALL: &str = "SELECT name, role, key_fingerprint, created_at FROM operator ORDER BY name";

fn read(r: &Row<'_>) -> Result<Operator, StoreError> {
    Ok(Operator { name: r.get(0)?, role: Role::from_word(&r.get::<String>(1)?), key: r.get(2)?, created_at: r.get(3)? })
}

/// All operators by name.
///
/// # Errors
/// When the store does not answer.
pub async fn list(store: &Store) -> Result<Vec<Operator>, StoreError> {
    store.rows(ALL, vec![], read).await
}

/// As [`list`], inside an action.
///
/// # Errors
/// When the store does not answer.
pub async fn list_in(tx: &mut Tx) -> Result<Vec<Operator>, StoreError> {
    tx.rows(ALL, vec![], read).await
}

/// The first identity to write to a store becomes its admin; whoever comes second in that race is a viewer.
pub(super) async fn claim_store(tx: &mut Tx, actor: &Actor, now: Millis) -> Result<Role, StoreError> {
    let known = tx
        .row("SELECT name, role FROM operator ORDER BY (name = $1) DESC LIMIT 1", args![actor.name.as_str()], |r| {
            Ok((r.get::<String>(0)?, r.get::<String>(1)?))
        })
        .await?;
    match known {
        Some((name, role)) if name == actor.name => Ok(Role::from_word(&role)),
        Some(_) => Ok(Role::Viewer),
        None => {
            tx.exec(
                "INSERT INTO operator(name, role, created_at) VALUES ($1, 'admin', $2)",
                args![actor.name.as_str(), now],
            )
            .await?;
            journal::append(
                tx,
                Entry {
                    at: now,
                    actor: actor.name.clone(),
                    origin: actor.origin.clone(),
                    subject_kind: "operator".into(),
                    subject_id: actor.name.clone(),
                    verb: "operator.claim_store".into(),
                    detail: json!({"role": "admin"}).to_string(),
                },
            )
            .await?;
            Ok(Role::Admin)
        }
    }
}

/// The role that `name` has by now; nobody's is the least.
pub(super) async fn role_now(tx: &mut Tx, name: &str) -> Result<Role, StoreError> {
    let role = tx.row("SELECT role FROM operator WHERE name = $1", args![name], |r| r.get::<String>(0)).await?;
    Ok(role.map_or(Role::Viewer, |word| Role::from_word(&word)))
}

fn check_name(name: &str) -> Result<(), ActionError> {
    let fine = (1..=64).contains(&name.chars().count())
        && name.chars().all(|c| c.is_alphanumeric() || ".-_@".contains(c))
        && name != "system";
    if fine { Ok(()) } else { Err(ActionError::Invalid(say::operator_name())) }
}

async fn role_of(tx: &mut Tx, name: &str) -> Result<(Role, Option<String>), ActionError> {
    tx.row("SELECT role, key_fingerprint FROM operator WHERE name = $1", args![name], |r| {
        Ok((Role::from_word(&r.get::<String>(0)?), r.get(1)?))
    })
    .await?
    .ok_or_else(|| ActionError::NotFound { what: name.to_owned() })
}

/// Refuses to leave the store without an admin.
async fn keep_an_admin(tx: &mut Tx, name: &str) -> Result<(), ActionError> {
    let others = tx
        .row("SELECT count(*) FROM operator WHERE role = 'admin' AND name <> $1", args![name], |r| r.get::<i64>(0))
        .await?;
    if others == Some(0) { Err(ActionError::Invalid(say::operator_last_admin())) } else { Ok(()) }
}

/// Adds an operator.
#[derive(Debug, Clone)]
pub struct Add {
    /// Unique name.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// SHA-256 fingerprint of their SSH key.
    pub key: Option<String>,
}

impl Action for Add {
    fn verb(&self) -> &'static str {
        "operator.add"
    }
    fn needs(&self) -> Role {
        Role::Admin
    }
    fn apply<'a>(&'a self, cx: &'a mut Apply<'_>) -> BoxFuture<'a, Result<Done, ActionError>> {
        Box::pin(async move {
            check_name(&self.name)?;
            let added = cx
                .tx
                .exec(
                    "INSERT INTO operator(name, role, key_fingerprint, created_at) VALUES ($1, $2, $3, $4) \
                     ON CONFLICT DO NOTHING",
                    args![self.name.as_str(), self.role.word(), self.key.clone(), cx.now],
                )
                .await?;
            if added == 0 {
                return Err(ActionError::Invalid(say::operator_exists(&self.name)));
            }
            let detail = json!({"name": self.name, "role": self.role.word(), "key": self.key});
            Ok(Done::new("operator", &self.name, say::operator_added(&self.name, self.role.word()))
                .undo(Remove { name: self.name.clone() })
                .value(detail.clone())
                .detail(detail))
        })
    }
}

/// Changes an operator's role.
#[derive(Debug, Clone)]
pub struct SetRole {
    /// Who.
    pub name: String,
    /// The new role.
    pub role: Role,
}

impl Action for SetRole {
    fn verb(&self) -> &'static str {
        "operator.role"
    }
    fn needs(&self) -> Role {
        Role::Admin
    }
    fn apply<'a>(&'a self, cx: &'a mut Apply<'_>) -> BoxFuture<'a, Result<Done, ActionError>> {
        Box::pin(async move {
            let (before, _) = role_of(cx.tx, &self.name).await?;
            if before == Role::Admin && self.role != Role::Admin {
                keep_an_admin(cx.tx, &self.name).await?;
            }
            cx.tx
                .exec(
                    "UPDATE operator SET role = $2, version = version + 1 WHERE name = $1",
                    args![self.name.as_str(), self.role.word()],
                )
                .await?;
            Ok(Done::new("operator", &self.name, say::operator_role(&self.name, self.role.word()))
                .undo(Self { name: self.name.clone(), role: before })
                .value(json!({"name": self.name, "role": self.role.word()}))
                .detail(json!({"from": before.word(), "to": self.role.word()})))
        })
    }
}

/// Removes an operator; what they did stays in the journal.
#[derive(Debug, Clone)]
pub struct Remove {
    /// Who.
    pub name: String,
}

impl Action for Remove {
    fn verb(&self) -> &'static str {
        "operator.remove"
    }
    fn needs(&self) -> Role {
        Role::Admin
    }
    fn apply<'a>(&'a self, cx: &'a mut Apply<'_>) -> BoxFuture<'a, Result<Done, ActionError>> {
        Box::pin(async move {
            let (role, key) = role_of(cx.tx, &self.name).await?;
            if role == Role::Admin {
                keep_an_admin(cx.tx, &self.name).await?;
            }
            cx.tx.exec("DELETE FROM operator WHERE name = $1", args![self.name.as_str()]).await?;
            Ok(Done::new("operator", &self.name, say::operator_removed(&self.name))
                .undo(Add { name: self.name.clone(), role, key })
                .value(json!({"name": self.name, "role": role.word()}))
                .detail(json!({"role": role.word()})))
        })
    }
}
