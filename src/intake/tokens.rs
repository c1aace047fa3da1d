//! Tokens: who may send. Shown once, kept as a hash.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;

use crate::action::{Action, ActionError, Apply, BoxFuture, Done, Role};
use crate::intake::model::{TokenKind, digest};
use crate::intake::store;
use crate::locale::intake as say;

/// What every token begins with, so that one found in a file is known for what it is.
const PREFIX: &str = "zhb_";

/// A new token, 256 random bits.
///
/// # Errors
/// When the machine gives no random bytes.
pub fn random() -> Result<String, String> {
    let mut bytes = [0_u8; 32];
    getrandom::fill(&mut bytes).map_err(|e| e.to_string())?;
    Ok(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes)))
}

/// Makes a token.
#[derive(Clone)]
pub struct Create {
    /// Who will send with it.
    pub source: String,
    /// What it lets them do.
    pub kind: TokenKind,
    /// The token; only its hash is kept.
    pub token: String,
}

impl std::fmt::Debug for Create {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Create").field("source", &self.source).field("kind", &self.kind).finish_non_exhaustive()
    }
}

/// Whether `name` can name a source: letters, digits, `. - _`, 1 to 64 of them.
pub fn is_source(name: &str) -> bool {
    (1..=64).contains(&name.chars().count()) && name.chars().all(|c| c.is_alphanumeric() || ".-_".contains(c))
}

impl Action for Create {
    fn verb(&self) -> &'static str {
        "token.create"
    }
    fn needs(&self) -> Role {
        Role::Admin
    }
    fn apply<'a>(&'a self, cx: &'a mut Apply<'_>) -> BoxFuture<'a, Result<Done, ActionError>> {
        Box::pin(async move {
            if !is_source(&self.source) {
                return Err(ActionError::Invalid(say::source_name()));
            }
            let by = cx.actor.name.clone();
            let hash = digest(self.token.as_bytes());
            let id = store::add_token(cx.tx, &self.source, self.kind, &hash, &by, cx.now).await?;
            let detail = json!({"source": self.source, "kind": self.kind.word()});
            let value = json!({"id": id, "source": self.source, "kind": self.kind.word(), "token": self.token});
            let message = say::token_created(id, &self.source, &self.token);
            Ok(Done::new("token", id, message).detail(detail).value(value).undo(Revoke { id }))
        })
    }
}

/// Revokes a token; it cannot be brought back.
#[derive(Debug, Clone)]
pub struct Revoke {
    /// Which.
    pub id: i64,
}

impl Action for Revoke {
    fn verb(&self) -> &'static str {
        "token.revoke"
    }
    fn needs(&self) -> Role {
        Role::Admin
    }
    fn apply<'a>(&'a self, cx: &'a mut Apply<'_>) -> BoxFuture<'a, Result<Done, ActionError>> {
        Box::pin(async move {
            if !store::revoke_token(cx.tx, self.id, cx.now).await? {
                return Err(ActionError::NotFound { what: say::token_named(self.id) });
            }
            Ok(Done::new("token", self.id, say::token_revoked(self.id)).value(json!({"id": self.id})))
        })
    }
}
