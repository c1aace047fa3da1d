//! Who sits at this terminal.
//!
//! The key that sshd verified says it best (`ExposeAuthInfo yes` leaves it in the file `$SSH_USER_AUTH` names); without
//! one, the login uid, which survives su and sudo; without that, the OS user. The way is kept with every journal row.

use base64::Engine as _;
use sha2::{Digest, Sha256};

use super::{Actor, Role};
use crate::args;
use crate::store::{Store, StoreError};

/// What the operating system says of this session.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Identity {
    /// Fingerprints (`SHA256:…`) of the keys sshd verified, first used first.
    pub keys: Vec<String>,
    /// The OS user, by the login uid where it is set.
    pub user: String,
}

impl Identity {
    /// Reads it from this process's surroundings.
    pub fn here() -> Self {
        let keys = std::env::var_os("SSH_USER_AUTH")
            .and_then(|path| std::fs::read_to_string(path).ok())
            .map(|text| text.lines().filter_map(fingerprint).collect())
            .unwrap_or_default();
        let uid = std::fs::read_to_string("/proc/self/loginuid")
            .ok()
            .and_then(|t| t.trim().parse::<u32>().ok())
            .filter(|uid| *uid != u32::MAX)
            .unwrap_or_else(|| rustix::process::getuid().as_raw());
        let user = std::fs::read_to_string("/etc/passwd")
            .ok()
            .and_then(|text| name_of(&text, uid))
            .unwrap_or_else(|| format!("uid{uid}"));
        Self { keys, user }
    }
}

fn name_of(passwd: &str, uid: u32) -> Option<String> {
    passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)?.parse::<u32>().ok()? == uid).then(|| name.to_owned())
    })
}

/// The fingerprint of a line `publickey ssh-ed25519 AAAA…`.
fn fingerprint(line: &str) -> Option<String> {
    let mut words = line.split_whitespace();
    if words.next()? != "publickey" {
        return None;
    }
    let key = base64::engine::general_purpose::STANDARD.decode(words.nth(1)?).ok()?;
    let digest = base64::engine::general_purpose::STANDARD_NO_PAD.encode(Sha256::digest(key));
    Some(format!("SHA256:{digest}"))
}

/// The operator that `identity` is in this store; `origin` names the face (`console`, `cli`).
///
/// A store without any operator is unclaimed: whoever writes first becomes its admin. On a claimed store an unknown
/// identity is a viewer.
///
/// # Errors
/// When the store does not answer.
pub async fn resolve(store: &Store, identity: &Identity, origin: &str) -> Result<Actor, StoreError> {
    for key in &identity.keys {
        let found = store
            .row("SELECT name, role FROM operator WHERE key_fingerprint = $1", args![key.as_str()], |r| {
                Ok((r.get::<String>(0)?, r.get::<String>(1)?))
            })
            .await?;
        if let Some((name, role)) = found {
            let origin = format!("{origin} ssh-key {key}");
            return Ok(Actor { name, role: Role::from_word(&role), origin, unclaimed: false });
        }
    }
    let origin = format!("{origin} os-user");
    let name = identity.user.clone();
    let found = store
        .row(
            "SELECT name, role, key_fingerprint FROM operator ORDER BY (name = $1) DESC LIMIT 1",
            args![name.as_str()],
            |r| Ok((r.get::<String>(0)?, r.get::<String>(1)?, r.get::<Option<String>>(2)?)),
        )
        .await?;
    Ok(match found {
        None => Actor { name, role: Role::Admin, origin, unclaimed: true },
        // an operator with a key of their own is that key, not an OS user of the same name who came with another key
        Some((found, role, key)) if found == name && (key.is_none() || identity.keys.is_empty()) => {
            Actor { name, role: Role::from_word(&role), origin, unclaimed: false }
        }
        Some(_) => Actor { name, role: Role::Viewer, origin, unclaimed: false },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fingerprint_is_what_ssh_keygen_prints() {
        let line = "publickey ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGjzX1GnHPSqP0Ltv1qRHVjcrRIWL6DOSXEWUTPGOUXO";
        let print = fingerprint(line).expect("a key line");
        assert!(print.starts_with("SHA256:") && print.len() == 50, "{print}");
        assert_eq!(fingerprint("password"), None);
    }

    #[test]
    fn the_user_name_comes_from_the_uid() {
        assert_eq!(name_of("root:x:0:0::/root:/bin/sh\nwang:x:1000:1000::/:/bin/sh\n", 1000).as_deref(), Some("wang"));
    }
}
