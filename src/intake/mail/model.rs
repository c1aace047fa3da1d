//! What a mail says, and which ticket it belongs to. Pure.

use mail_parser::{Address, HeaderValue, Message, MessageParser, MimeHeaders};

use crate::clock::{Millis, SECOND};
use crate::intake::model::{NAME_MAX, TEXT_MAX, TITLE_MAX, digest};
use crate::locale::intake as say;
use crate::notify::model::{REPLY_ABOVE, ticket_of_mail_id, ticket_of_marker};

/// Largest attachment that is kept, in bytes.
pub const ATTACHMENT_MAX: usize = 10 << 20;
/// Most attachments of a mail that are kept.
const ATTACHMENTS: usize = 20;
/// Words before a subject that say it is an answer or a forward, in the languages of mail programs.
const PREFIXES: [&str; 9] = ["re", "fwd", "fw", "aw", "sv", "wg", "回复", "答复", "转发"];

/// A file that came with a mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    /// Its name.
    pub name: String,
    /// Its MIME type.
    pub mime: String,
    /// What it holds.
    pub body: Vec<u8>,
}

/// A mail.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Mail {
    /// Its identity, with angle brackets; made of its content where it has none.
    pub id: String,
    /// Identities of the mails before it, the nearest first.
    pub before: Vec<String>,
    /// The sender's address, in lower case.
    pub from: String,
    /// What the sender is called.
    pub name: String,
    /// Its subject without `Re:` and the like.
    pub subject: String,
    /// Its text, without what it quotes of ours.
    pub text: String,
    /// The whole text.
    pub whole: String,
    /// When it was written.
    pub at: Option<Millis>,
    /// Files; those too large are named in the text instead.
    pub attachments: Vec<Attachment>,
    /// Why nobody wrote it: an automatic answer, a list, a bounce.
    pub automatic: Option<String>,
}

/// A subject without what mail programs put before it, however often.
pub fn plain_subject(subject: &str) -> String {
    let mut rest = subject.trim();
    'again: loop {
        for prefix in PREFIXES {
            let Some(head) = rest.get(..prefix.len()) else { continue };
            if !head.eq_ignore_ascii_case(prefix) {
                continue;
            }
            let mut after = rest[prefix.len()..].trim_start();
            if let Some(count) = after.strip_prefix('[')
                && let Some((number, tail)) = count.split_once(']')
                && number.chars().all(|c| c.is_ascii_digit())
            {
                after = tail.trim_start();
            }
            if let Some(tail) = after.strip_prefix(':').or_else(|| after.strip_prefix('：')) {
                rest = tail.trim_start();
                continue 'again;
            }
        }
        return rest.trim().to_owned();
    }
}

/// The ticket number in a subject: `[OA#1042]`.
pub fn number_in_subject(subject: &str) -> Option<i64> {
    let (_, rest) = subject.split_once("[OA#")?;
    rest.split_once(']')?.0.trim().parse().ok().filter(|n| *n > 0)
}

/// The text above what is quoted of our own mail, else all of it.
fn above_quote(text: &str) -> &str {
    let Some(at) = text.find(REPLY_ABOVE) else { return text };
    // the line of the marker, and the line before it that says who wrote what is quoted
    let line = text[..at].rfind('\n').unwrap_or(0);
    let mut above = text[..line].trim_end();
    let quoting = |l: &str| {
        let l = l.trim_end();
        l.ends_with(':') || l.ends_with('：') || l.starts_with("---") || l.starts_with('>')
    };
    while let Some(last) = above.lines().last()
        && (last.trim().is_empty() || quoting(last))
    {
        above = above[..above.len() - last.len()].trim_end();
    }
    above
}

fn identity(id: &str) -> String {
    format!("<{}>", id.trim().trim_matches(['<', '>']))
}

fn identities(value: &HeaderValue<'_>) -> Vec<String> {
    match value {
        HeaderValue::Text(text) => text.split_whitespace().map(identity).collect(),
        HeaderValue::TextList(list) => list.iter().map(|t| identity(t)).collect(),
        _ => vec![],
    }
}

fn sender(message: &Message<'_>) -> Option<(String, String)> {
    let address = match message.from()? {
        Address::List(list) => list.first()?,
        Address::Group(groups) => groups.first()?.addresses.first()?,
    };
    let from = address.address.as_deref()?.trim().to_lowercase();
    let cut = |text: &str| text.chars().take(NAME_MAX).collect::<String>();
    Some((cut(&from), cut(address.name.as_deref().unwrap_or_default())))
}

fn header<'a>(message: &'a Message<'_>, name: &'a str) -> Option<&'a str> {
    message.header_raw(name).map(str::trim)
}

/// Why nobody wrote a mail (RFC 3834, and what programs did before it).
fn automatic(message: &Message<'_>) -> Option<String> {
    let lower = |name: &str| header(message, name).map(str::to_lowercase);
    if let Some(value) = lower("Auto-Submitted").filter(|v| !v.starts_with("no")) {
        return Some(format!("Auto-Submitted: {value}"));
    }
    if let Some(value) = lower("Precedence").filter(|v| ["bulk", "junk", "list"].contains(&v.as_str())) {
        return Some(format!("Precedence: {value}"));
    }
    if lower("X-Auto-Response-Suppress").is_some_and(|v| !v.is_empty() && v != "none") {
        return Some("X-Auto-Response-Suppress".into());
    }
    if lower("Return-Path").is_some_and(|v| v == "<>") {
        return Some("Return-Path: <>".into());
    }
    None
}

/// Reads a mail as it came.
///
/// # Errors
/// When it is none, or nobody sent it.
pub fn read(raw: &[u8]) -> Result<Mail, String> {
    let message = MessageParser::default().parse(raw).ok_or_else(say::no_mail)?;
    let (from, name) = sender(&message).filter(|(from, _)| from.contains('@')).ok_or_else(say::no_sender)?;
    let id = message.message_id().map_or_else(|| format!("<{}@digest>", digest(raw)), identity);
    let mut before = identities(message.in_reply_to());
    let mut references = identities(message.references());
    references.reverse();
    before.extend(references);
    let subject = plain_subject(message.subject().unwrap_or_default());
    let mut texts = Vec::new();
    for i in 0..message.text_body_count() {
        texts.extend(message.body_text(i).map(|t| t.into_owned()));
    }
    let whole = texts.join("\n").replace("\r\n", "\n");
    let mut text: String = above_quote(&whole).trim().chars().take(TEXT_MAX).collect();
    let mut attachments = Vec::new();
    for part in message.attachments() {
        let name = part.attachment_name().map_or_else(say::unnamed, |n| n.chars().take(NAME_MAX).collect());
        let mime = part.content_type().map_or_else(
            || "application/octet-stream".to_owned(),
            |c| format!("{}/{}", c.ctype(), c.subtype().unwrap_or_default()),
        );
        let body = part.contents().to_vec();
        if body.len() > ATTACHMENT_MAX || attachments.len() >= ATTACHMENTS {
            text = format!("{text}\n{}", say::attachment_left_out(&name, body.len()));
        } else {
            attachments.push(Attachment { name, mime, body });
        }
    }
    Ok(Mail {
        id: id.chars().take(NAME_MAX).collect(),
        before,
        from,
        name,
        subject: subject.chars().take(TITLE_MAX).collect(),
        text,
        whole,
        at: message.date().map(|d| d.to_timestamp() * SECOND),
        attachments,
        automatic: automatic(&message),
    })
}

/// The tickets that a mail may belong to, the surest first: what it answers, what it refers to, the marker in what it
/// quotes. `key` signs our identities.
pub fn proven_tickets(mail: &Mail, key: &str) -> Vec<i64> {
    let answered = mail.before.iter().filter_map(|id| ticket_of_mail_id(key, id));
    let mut tickets: Vec<i64> = answered.chain(ticket_of_marker(key, &mail.whole)).collect();
    tickets.dedup();
    tickets
}

/// Whether we sent it ourselves.
pub fn is_ours(mail: &Mail, key: &str) -> bool {
    ticket_of_mail_id(key, &mail.id).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notify::model::{mail_id, marker};

    #[test]
    fn prefixes_of_answers_go_however_many_there_are() {
        assert_eq!(plain_subject("Re: 回复：AW: Re[2]: 转发: 报销单打不开"), "报销单打不开");
        assert_eq!(plain_subject("Report of today"), "Report of today");
        assert_eq!(number_in_subject("答复: [OA#1042] 报销"), Some(1042));
        assert_eq!(number_in_subject("[OA#-1]"), None);
    }

    #[test]
    fn a_mail_in_gb18030_is_read() {
        let mut raw = b"From: =?GB2312?B?1cXD9A==?= <ZhangMin@oa.example>\r\nMessage-ID: <a@b>\r\nSubject: \
            =?gb18030?B?sajP+rWltPKyu7+q?=\r\nContent-Type: text/plain; charset=gb18030\r\n\
            Content-Transfer-Encoding: 8bit\r\nDate: Tue, 24 Nov 2026 09:00:00 +0800\r\n\r\n"
            .to_vec();
        raw.extend(b"\xb4\xf2\xb2\xbb\xbf\xaa\r\n");
        let mail = read(&raw).expect("mail");
        assert_eq!((mail.name.as_str(), mail.from.as_str()), ("张敏", "zhangmin@oa.example"));
        assert_eq!((mail.subject.as_str(), mail.text.as_str()), ("报销单打不开", "打不开"));
        assert_eq!(mail.at, Some(1_795_482_000_000));
    }

    #[test]
    fn what_belongs_to_a_ticket_is_proven() {
        let (own, key) = (mail_id("key", "oa.example", 42, 7), "key");
        let mail = Mail { before: vec!["<x@y>".into(), own.clone()], ..Mail::default() };
        assert_eq!(proven_tickets(&mail, key), [42]);
        assert_eq!(proven_tickets(&mail, "other"), [0_i64; 0]);
        let quoted = Mail { whole: format!("好的\n> {}\n", marker(key, 43)), ..Mail::default() };
        assert_eq!(proven_tickets(&quoted, key), [43]);
        assert!(is_ours(&Mail { id: own, ..Mail::default() }, key));
    }

    #[test]
    fn what_nobody_wrote_is_told_and_quotes_are_cut() {
        let mail = |headers: &str, body: &str| read(format!("From: a@b.example\r\n{headers}\r\n\r\n{body}").as_bytes());
        assert!(mail("Auto-Submitted: auto-replied", "x").expect("mail").automatic.is_some());
        assert!(mail("Precedence: bulk", "x").expect("mail").automatic.is_some());
        assert!(mail("Auto-Submitted: no", "x").expect("mail").automatic.is_none());
        let body = format!("谢谢\r\n\r\n在 2026年11月24日，服务台 写道：\r\n> {REPLY_ABOVE}\r\n> 旧文\r\n");
        assert_eq!(mail("Subject: x", &body).expect("mail").text, "谢谢");
        assert!(mail("Subject: x", "x").expect("mail").id.ends_with("@digest>"));
        assert!(read(b"").is_err());
        assert!(read(b"From: nobody\r\n\r\nx").is_err());
    }
}
