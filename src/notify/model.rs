//! What a message is. Pure.

use crate::clock::{MINUTE, Millis, SECOND};
use crate::digest::{hex, is_same};

/// How long an answer can be taken back.
pub const TAKE_BACK: Millis = 10 * SECOND;
/// How long an answer is held: a second more, for a taking back that is under way when its time ends.
pub const HOLD: Millis = TAKE_BACK + SECOND;

/// How the `dedupe` of every message begins that follows from the `n`th happening of a ticket.
pub fn dedupe_prefix(template: &str, ticket: i64, n: usize) -> String {
    format!("{template}:{ticket}.{n}:")
}

/// A message for the outbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Name of a channel of the configuration.
    pub channel: String,
    /// Who, as the channel knows them; empty: everybody there.
    pub recipient: String,
    /// One line.
    pub subject: String,
    /// Everything else.
    pub body: String,
    /// What it is for: `reply`, `escalation`, `survey`, `handover`.
    pub cause: String,
    /// The ticket it is about.
    pub ticket_id: Option<i64>,
    /// What it answers: the identity of a mail.
    pub thread: String,
    /// The same key is sent once, whoever asks for it.
    pub dedupe: String,
    /// Not before this instant.
    pub not_before: Millis,
}

/// A message in the outbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Queued {
    /// Its number: messages to one recipient leave in this order.
    pub id: i64,
    /// What it says.
    pub message: Message,
    /// When it was put there.
    pub created_at: Millis,
    /// When it is tried next.
    pub next_at: Millis,
    /// `queued`, `sent`, `dead` or `discarded`.
    pub state: String,
    /// How often it was tried.
    pub tries: i64,
    /// Why it did not get through.
    pub error: String,
    /// When it got through.
    pub sent_at: Option<Millis>,
}

/// How long to wait after `tries` failures: 5 s, doubling, at most 15 minutes.
pub fn wait_after(tries: i64) -> Millis {
    ((5 * SECOND) << tries.clamp(0, 10)).min(15 * MINUTE)
}

/// `text` within `most` bytes of UTF-8, cut between characters; `…` says that it was cut.
pub fn within_bytes(text: &str, most: usize) -> String {
    if text.len() <= most {
        return text.to_owned();
    }
    let mut end = most.saturating_sub('…'.len_utf8());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}…", &text[..end])
}

/// The messages for a recipient that leave as one: everything that waits, when it is more than `over` or than may
/// leave now. Replies to people leave by themselves.
pub fn together(waiting: &[Queued], over: usize, allowance: usize) -> Vec<&Queued> {
    let merge: Vec<&Queued> = waiting.iter().filter(|q| q.message.cause != "reply").collect();
    if merge.len() > over.min(allowance.max(1)) { merge } else { vec![] }
}

/// The identity of a mail about `ticket`, the message `id`: `<oa-TICKET-ID-MAC@DOMAIN>`. Only who knows `key` can
/// make one, so an answer that names it belongs to the ticket.
pub fn mail_id(key: &str, domain: &str, ticket: i64, id: i64) -> String {
    format!("<oa-{ticket}-{id}-{}@{domain}>", mail_mac(key, ticket, id))
}

/// The ticket of a mail identity that [`mail_id`] made with `key`, whatever its domain; `None` for any other.
pub fn ticket_of_mail_id(key: &str, identity: &str) -> Option<i64> {
    let local = identity.trim().trim_matches(['<', '>']).split('@').next()?;
    let mut parts = local.strip_prefix("oa-")?.split('-');
    let (ticket, id) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    let mac = parts.next().filter(|_| parts.next().is_none())?;
    (is_same(mac, &mail_mac(key, ticket, id)) && ticket > 0).then_some(ticket)
}

/// The line above which people answer, so that what they quote can be told from what they write.
pub const REPLY_ABOVE: &str = "-- OA # --";

/// What stands in the text of a mail about `ticket`, for mail programs that drop the headers of answers.
pub fn marker(key: &str, ticket: i64) -> String {
    format!("ref:oa-{ticket}-{}", sign(key, &format!("marker {ticket}")))
}

/// The ticket of a [`marker`] somewhere in `text`.
pub fn ticket_of_marker(key: &str, text: &str) -> Option<i64> {
    text.match_indices("ref:oa-").find_map(|(at, found)| {
        let ticket: String = text[at + found.len()..].chars().take_while(char::is_ascii_digit).collect();
        let ticket = ticket.parse().ok()?;
        text[at..].starts_with(&marker(key, ticket)).then_some(ticket)
    })
}

fn mail_mac(key: &str, ticket: i64, id: i64) -> String {
    sign(key, &format!("mail {ticket} {id}"))
}

/// The first 80 bits of HMAC-SHA-256 over `text`, in hex: short enough for an address, too long to guess over a network.
pub fn sign(key: &str, text: &str) -> String {
    use hmac::{KeyInit as _, Mac as _};
    let Ok(mut mac) = hmac::Hmac::<sha2::Sha256>::new_from_slice(key.as_bytes()) else { return String::new() };
    mac.update(text.as_bytes());
    hex(&mac.finalize().into_bytes()[..10])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_between_characters() {
        assert_eq!(within_bytes("审批", 6), "审批");
        assert_eq!(within_bytes("审批中", 8), "审…");
        assert_eq!(within_bytes("审批中", 8).len(), 6);
    }

    #[test]
    fn only_our_own_mails_name_a_ticket() {
        let id = mail_id("key", "oa.example", 42, 7);
        assert_eq!(ticket_of_mail_id("key", &id), Some(42));
        assert_eq!(ticket_of_mail_id("other", &id), None);
        assert_eq!(ticket_of_mail_id("key", &id.replace("oa-42", "oa-43")), None);
        assert_eq!(ticket_of_mail_id("key", "<oa-42-7@x>"), None);
    }

    #[test]
    fn waiting_grows_and_is_capped() {
        assert_eq!((wait_after(0), wait_after(1), wait_after(99)), (5_000, 10_000, 15 * MINUTE));
    }
}
