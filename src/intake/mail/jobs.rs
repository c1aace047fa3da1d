//! Periodic work: reading the mailboxes.

use std::time::Duration;

use super::actions::{Came, WINDOW, loops};
use super::imap::Inbox;
use super::model::{Mail, read};
use crate::action::{Action, ActionError, BoxFuture, Door, Job};
use crate::config::Mailbox;
use crate::intake::model::Channel;
use crate::intake::quarantine::Hold;
use crate::intake::store;
use crate::locale::intake as say;

/// How long a connection waits for news before it is made anew: short, so that a lost lease is noticed.
const WAIT: Duration = Duration::from_secs(20);
/// The pause after a failure, and between connections.
const PAUSE: Duration = Duration::from_secs(5);

/// Reads every mailbox, waits for news, and begins anew.
#[derive(Debug)]
pub struct Fetch;

impl Job for Fetch {
    fn name(&self) -> &'static str {
        "mail.fetch"
    }
    fn every(&self) -> Duration {
        PAUSE
    }
    fn reaches_out(&self) -> bool {
        true
    }
    fn run<'a>(&'a self, door: &'a Door) -> BoxFuture<'a, Result<(), ActionError>> {
        Box::pin(async move {
            let all = door.config().serve.mailboxes.iter().map(|m| async move {
                if let Err(why) = visit(door, m, WAIT).await {
                    tracing::warn!("{}", say::imap_failed(&m.name, &why));
                }
            });
            futures_util::future::join_all(all).await;
            Ok(())
        })
    }
}

/// Reads what is new in a mailbox, then waits at most `wait` for more and reads that too.
///
/// # Errors
/// When the server does not answer or refuses, or the store fails; what was read until then stays read.
pub async fn visit(door: &Door, config: &Mailbox, wait: Duration) -> Result<(), String> {
    let mut inbox = Inbox::open(config).await?;
    take_all(door, config, &mut inbox).await?;
    if !wait.is_zero() {
        inbox = inbox.wait(wait).await?;
        take_all(door, config, &mut inbox).await?;
    }
    inbox.close().await;
    Ok(())
}

async fn take_all(door: &Door, config: &Mailbox, inbox: &mut Inbox) -> Result<(), String> {
    let text = |e: crate::store::StoreError| e.to_string();
    loop {
        let known = store::mailbox_read(door.store(), &config.name).await.map_err(text)?;
        // other numbers: everything is looked at again, and what was read before is known by its identity
        let after = known.filter(|(validity, _)| *validity == inbox.validity).map_or(0, |(_, uid)| uid);
        let mails = inbox.after(after).await?;
        if mails.is_empty() {
            return Ok(());
        }
        // one that there is no room for stays unread and is looked at again; those behind it are taken all the same
        let mut left = 0;
        for raw in mails {
            if !take(door, config, &raw.bytes).await? {
                left += 1;
                continue;
            }
            let now = door.clock().now();
            if left == 0 {
                store::mailbox_read_to(door.store(), &config.name, inbox.validity, raw.uid, now).await.map_err(text)?;
            }
            inbox.seen(raw.uid).await?;
        }
        if left > 0 {
            return Err(say::quarantine_full(&config.name));
        }
    }
}

/// What is done with a mail: what it says, or quarantine.
async fn action(door: &Door, config: &Mailbox, raw: &[u8], key: &str) -> Result<Box<dyn Action>, String> {
    let hold = |reason: String| -> Box<dyn Action> {
        Box::new(Hold { channel: "mail".into(), source: config.name.clone(), reason, body: raw.to_vec() })
    };
    let mail: Mail = match read(raw) {
        Ok(mail) => mail,
        Err(why) => return Ok(hold(why)),
    };
    if let Some(why) = loops(&mail, key) {
        return Ok(hold(why));
    }
    let most = i64::from(door.config().serve.mails_per_sender);
    let since = door.clock().now() - WINDOW;
    let sent =
        store::arrivals_since(door.store(), Channel::Mail, &mail.from, since).await.map_err(|e| e.to_string())?;
    if sent >= most {
        return Ok(hold(say::mail_bomb(&mail.from, most)));
    }
    Ok(Box::new(Came { mail, key: key.to_owned(), mailbox: config.name.clone() }))
}

/// Takes in a mail as it came: it becomes a ticket, or a message on one, or is kept in quarantine; whether there was room
/// for it there.
///
/// # Errors
/// When the store or the mailbox's secret cannot be read; the mail should be handed in again then.
pub async fn take(door: &Door, config: &Mailbox, raw: &[u8]) -> Result<bool, String> {
    if raw.is_empty() {
        return Ok(true);
    }
    let key = config.secret.reveal()?;
    let action = action(door, config, raw, &key).await?;
    match door.run(action.as_ref()).await {
        Ok(_) => Ok(true),
        // the store is away: the mail stays where it is
        Err(ActionError::Store(e)) => Err(e.to_string()),
        Err(ActionError::Full(_)) => Ok(false),
        // whatever else is wrong with it, it is kept
        Err(e) => {
            let hold =
                Hold { channel: "mail".into(), source: config.name.clone(), reason: e.to_string(), body: raw.to_vec() };
            match door.run(&hold).await {
                Ok(_) => Ok(true),
                Err(ActionError::Full(_)) => Ok(false),
                Err(e) => Err(e.to_string()),
            }
        }
    }
}
