//! What is wrong with the desk itself, gathered from the rooms that know.

use std::sync::Arc;

use chrono::TimeZone as _;

use crate::action::{BoxFuture, Door};
use crate::clock::Millis;
use crate::intake::alerts::store as alerts;
use crate::intake::quarantine;
use crate::intake::store as intake;
use crate::locale::console as say;
use crate::notify::{actions as messages, store as outbox};
use crate::serve::http::SILENT_AFTER;
use crate::store::StoreError;
use crate::tickets::tab::{Kind, Trouble, Troubles};

/// Most of each kind that are listed.
const LISTED: i64 = 50;
/// Bytes of an arrival that are shown.
const SHOWN: i64 = 4_000;

/// Everything that is wrong now.
pub(crate) fn find(door: Door) -> BoxFuture<'static, Result<Troubles, String>> {
    Box::pin(async move { gather(&door).await.map_err(|e| e.to_string()) })
}

async fn gather(door: &Door) -> Result<Troubles, StoreError> {
    let (s, now) = (door.store(), door.clock().now());
    let zone: chrono_tz::Tz = door.config().tickets.office.zone.parse().unwrap_or(chrono_tz::Asia::Shanghai);
    let local = |at: Millis| {
        zone.timestamp_millis_opt(at).single().map_or_else(String::new, |t| t.format("%m-%d %H:%M").to_string())
    };
    let mut list = Vec::new();
    for q in outbox::list(s, Some("dead"), LISTED).await? {
        let m = &q.message;
        let to = if m.recipient.is_empty() { &m.channel } else { &m.recipient };
        let text = say::dead_text(&m.channel, to, &local(q.created_at), q.tries, &q.error);
        list.push(Trouble {
            kind: Kind::Dead,
            id: q.id.to_string(),
            at: q.created_at,
            line: say::dead_line(&local(q.created_at), to, &m.subject),
            text: format!("{text}\n\n## {}\n\n{}", m.subject, m.body),
            retry: Some(Arc::new(messages::Retry { id: q.id })),
            discard: Some(Arc::new(messages::Discard { id: q.id })),
        });
    }
    for (h, head) in intake::held_heads(s, LISTED, SHOWN).await? {
        let shown = String::from_utf8_lossy(&head);
        let more = if h.size > SHOWN { format!("\n\n> {}", say::held_more(h.id)) } else { String::new() };
        let text = say::held_text(&h.channel, &h.source, &local(h.at), h.size, &h.reason);
        list.push(Trouble {
            kind: Kind::Held,
            id: h.id.to_string(),
            at: h.at,
            line: say::held_line(&local(h.at), &h.channel, &h.source, &h.reason),
            text: format!("{text}\n\n```\n{shown}\n```{more}"),
            retry: Some(Arc::new(quarantine::Retry { id: h.id })),
            discard: Some(Arc::new(quarantine::Discard { id: h.id })),
        });
    }
    for (source, last) in alerts::silent_now(s).await? {
        list.push(Trouble {
            kind: Kind::Silent,
            line: say::silent_line(&source, &local(last)),
            text: say::silent_text(&source, &local(last)),
            id: source,
            at: last,
            retry: None,
            discard: None,
        });
    }
    for service in intake::services(s, now - SILENT_AFTER).await?.into_iter().filter(|s| !s.finding.is_empty()) {
        list.push(Trouble {
            kind: Kind::Plain,
            line: say::plain_line(&service.name, &service.address),
            text: say::plain_text(&service.name, &service.address),
            id: service.name,
            at: service.at,
            retry: None,
            discard: None,
        });
    }
    let of = |kind: Kind| list.iter().filter(|t| t.kind == kind).count() as i64;
    let mut counts = Kind::ALL.map(of);
    // a list that is full may leave some out
    if counts[0] >= LISTED {
        counts[0] = outbox::counts(s).await?.1;
    }
    if counts[1] >= LISTED {
        counts[1] = intake::held_count(s).await?;
    }
    Ok(Troubles { counts, list })
}
