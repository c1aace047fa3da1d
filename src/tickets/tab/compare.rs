//! What somebody else did to a ticket while it was being written about: before → now.

use std::sync::{Arc, Mutex, PoisonError};

use crate::action::{ActionError, Door};
use crate::clock::Millis;
use crate::config::Config;
use crate::console::tab::Compare;
use crate::locale::tickets as say;
use crate::text::clean;
use crate::tickets::model::{Happening, Ticket, taken_back};
use crate::tickets::store;
use crate::tickets::words::{flag_word, happening_line, level_word, local, reason_word, scope_word, state_word};

/// Most happenings told; the newest are.
const MOST: usize = 6;

/// A ticket as it was when it was last looked at, and how much of what happened to it was known.
#[derive(Debug, Clone)]
pub(super) struct Seen {
    pub(super) ticket: Ticket,
    pub(super) known: Option<usize>,
}

/// Things that nobody does: they follow by themselves.
fn follows(h: &Happening) -> bool {
    matches!(h.kind.as_str(), "threshold_fired" | "sla_breached" | "calendar_changed")
}

/// The place (from 0) of the first happening that was not seen.
fn first_new(before: &Seen, now: &Ticket, past: &[Happening]) -> usize {
    if let Some(known) = before.known {
        return known.min(past.len());
    }
    // every version is at least one thing that somebody did
    let mut left = now.version - before.ticket.version;
    let mut at = past.len();
    while left > 0 && at > 0 {
        at -= 1;
        left -= i64::from(!follows(&past[at]));
    }
    at
}

/// Who changed it last and when, then field by field what is another now, then what was said and done since.
pub(super) fn lines(config: &Config, before: &Seen, now: &Ticket, past: &[Happening]) -> Vec<String> {
    let new = first_new(before, now, past);
    let done: Vec<(usize, &Happening)> = past.iter().enumerate().skip(new).filter(|(_, h)| !follows(h)).collect();
    let head = done.last().map(|(_, h)| say::changed_by(now.id, &clean(&h.actor), &local(config, h.at)));
    let was = &before.ticket;
    let or = |text: Option<String>| text.filter(|t| !t.is_empty()).unwrap_or_else(|| "—".into());
    let at = |at: Option<Millis>| or(at.map(|at| local(config, at)));
    let owner = |t: &Ticket| or(t.owner.as_deref().map(|o| clean(o).into_owned()));
    let reason = |t: &Ticket| or(t.pause_reason.as_deref().map(reason_word));
    let flag = |t: &Ticket| or(t.flag.as_deref().map(flag_word));
    let fields = [
        (say::label_owner(), owner(was), owner(now)),
        (say::label_level(), level_word(&was.level), level_word(&now.level)),
        (say::field_scope(), scope_word(&was.scope), scope_word(&now.scope)),
        (say::field_severity(), level_word(&was.severity), level_word(&now.severity)),
        (say::label_state(), state_word(&was.state), state_word(&now.state)),
        (say::label_waiting(), reason(was), reason(now)),
        (say::field_follow_up(), at(was.follow_up_at), at(now.follow_up_at)),
        (say::label_flag(), flag(was), flag(now)),
        (say::label_reports(), was.reports.to_string(), now.reports.to_string()),
        (say::response(), at(was.response_due), at(now.response_due)),
        (say::resolution(), at(was.resolution_due), at(now.resolution_due)),
    ];
    let changed = fields.into_iter().filter(|(_, was, now)| was != now);
    let changed = changed.map(|(name, was, now)| format!("{name}: {was} → {now}"));
    let void = taken_back(past);
    let more = done.len().saturating_sub(MOST);
    let said = done
        .iter()
        .skip(more)
        .map(|(i, h)| format!("{}  {}", local(config, h.at), happening_line(config, h, void.contains(i))));
    let more = (more > 0).then(|| say::more_happened(more));
    head.into_iter().chain(changed).chain(more).chain(said).collect()
}

/// Finds out what changed since `before`, which from then on is what is there.
pub(super) fn compare(config: Arc<Config>, before: Arc<Mutex<Seen>>) -> Compare {
    Arc::new(move |door: Door| {
        let (config, before) = (config.clone(), before.clone());
        Box::pin(async move {
            let id = before.lock().unwrap_or_else(PoisonError::into_inner).ticket.id;
            let (now, past) = whole(&door, id).await.map_err(|e| e.to_string())?;
            let mut before = before.lock().unwrap_or_else(PoisonError::into_inner);
            let lines = lines(&config, &before, &now, &past);
            *before = Seen { known: Some(past.len()), ticket: now };
            Ok(lines)
        })
    })
}

/// A ticket and what happened to it, as of one version of it.
async fn whole(door: &Door, id: i64) -> Result<(Ticket, Vec<Happening>), ActionError> {
    let missing = || ActionError::NotFound { what: format!("#{id}") };
    store::get_with_past(door.store(), id).await?.ok_or_else(missing)
}
