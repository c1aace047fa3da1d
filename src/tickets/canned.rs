//! Replies that are written once and picked often.

use super::model::Ticket;
use super::words::{channel_word, format, level_word, scope_word, state_word};
use crate::clock::Millis;
use crate::config::{CannedReply, Config, REPLY_NAMES, distance};
use crate::locale::{Lang, lang, tickets as say};
use crate::notify::templates::{Values, render};
use crate::text::clean;

/// The text of a canned reply for a ticket, from the operator `me`: in the language in force where it has that.
///
/// # Errors
/// When its template is wrong, with the line of the template.
pub fn fill(config: &Config, reply: &CannedReply, t: &Ticket, me: &str) -> Result<String, String> {
    let at = |at: Option<Millis>| at.map_or_else(String::new, |at| format(config, at, "%m-%d %H:%M"));
    let mut values: Values<'_> = REPLY_NAMES.iter().map(|n| (*n, String::new())).collect();
    values.extend([
        ("id", t.id.to_string()),
        ("title", clean(&t.title).into_owned()),
        ("reporter", clean(&t.reporter).into_owned()),
        ("owner", clean(t.owner.as_deref().unwrap_or_default()).into_owned()),
        ("level", level_word(&t.level)),
        ("scope", scope_word(&t.scope)),
        ("severity", level_word(&t.severity)),
        ("state", state_word(&t.state)),
        ("channel", channel_word(&t.channel)),
        ("reported_at", at(Some(t.reported_at))),
        ("response_due", at(t.response_due)),
        ("due", at(t.resolution_due)),
        ("me", clean(me).into_owned()),
    ]);
    let (own, other) = if lang() == Lang::Zh { (&reply.zh, &reply.en) } else { (&reply.en, &reply.zh) };
    let text = if own.trim().is_empty() { other } else { own };
    Ok(render(text, &values).map_err(|e| format!("{}: {e}", reply.name))?.trim().to_owned())
}

/// The canned reply of this name.
///
/// # Errors
/// When there is none: a sentence with those that there are.
pub fn named<'a>(config: &'a Config, name: &str) -> Result<&'a CannedReply, String> {
    let all = &config.desk.reply;
    if let Some(reply) = all.iter().find(|r| r.name == name) {
        return Ok(reply);
    }
    let near = all.iter().map(|r| (distance(name, &r.name), &r.name)).min().filter(|(d, _)| *d <= 1 + name.len() / 3);
    Err(match near {
        _ if all.is_empty() => say::no_canned(),
        Some((_, near)) => say::filter_meant(name, near),
        None => say::filter_names(name, &all.iter().map(|r| r.name.as_str()).collect::<Vec<_>>().join(", ")),
    })
}

/// The canned replies for `tickets`: name and text. One that would say something else to each of them is left out, as
/// is one that cannot be filled.
pub(super) fn for_all(config: &Config, tickets: &[&Ticket], me: &str) -> Vec<(String, String)> {
    let same = |reply: &CannedReply| {
        let mut texts = tickets.iter().map(|t| fill(config, reply, t, me).ok());
        let first = texts.next()??;
        texts.all(|t| t.as_ref() == Some(&first)).then(|| (reply.name.clone(), first))
    };
    config.desk.reply.iter().filter_map(same).collect()
}
