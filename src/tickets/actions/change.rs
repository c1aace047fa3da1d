//! The changes themselves: what each checks, what it does to the row, what is noted, how it is taken back.

use serde_json::{Value, json};

use super::new::{New, create};
use super::undo::{Standing, TakeBack};
use super::{Change, What, json_of};
use crate::action::{ActionError, Apply, Done};
use crate::clock::rfc3339;
use crate::locale::tickets as say;
use crate::notify::model::TAKE_BACK;
use crate::tickets::model::{Happening, Ticket, level_of};
use crate::tickets::sla::Policy;
use crate::tickets::store;
use crate::tickets::words::level_word;

/// What a change comes to, once checked and made in the row.
struct Made {
    kind: &'static str,
    data: Value,
    message: String,
}

fn made(kind: &'static str, data: Value, message: String) -> Made {
    Made { kind, data, message }
}

/// Most characters of a title, and of everything else that is written.
const LONGEST_TITLE: usize = 10_000;
const LONGEST_TEXT: usize = 1_000_000;

fn required(text: &str, what: String) -> Result<String, ActionError> {
    let text = text.trim();
    if text.is_empty() {
        return Err(ActionError::Invalid(what));
    }
    bounded(text, LONGEST_TEXT)?;
    Ok(text.to_owned())
}

/// Refuses a text of more than `most` characters, so that nothing is cut silently.
fn bounded(text: &str, most: usize) -> Result<(), ActionError> {
    // bytes first: counting the characters of a short text is not needed
    let length = if text.len() <= most { 0 } else { text.chars().count() };
    if length > most { Err(ActionError::Invalid(say::too_long(length, most))) } else { Ok(()) }
}

/// The limits of a title and of a text.
pub(super) fn within_limits(title: &str, body: &str) -> Result<(), ActionError> {
    bounded(title, LONGEST_TITLE)?;
    bounded(body, LONGEST_TEXT)
}

impl Change {
    pub(super) async fn make(&self, cx: &mut Apply<'_>) -> Result<Done, ActionError> {
        let missing = || ActionError::NotFound { what: format!("#{}", self.id) };
        let policy = store::terms(cx.tx, &cx.config.tickets, cx.now).await?;
        let (mut t, mut past) = store::load(cx.tx, self.id).await?.ok_or_else(missing)?;
        if matches!(self.what, What::Tick) {
            return if t.is_open() {
                self.tick(cx, t, past, &policy).await
            } else {
                Ok(Done::new("ticket", self.id, say::ticked(self.id)).unchanged())
            };
        }
        if let What::TakeBack(back) = &self.what {
            return self.take_back(cx, back, t, past, &policy).await;
        }
        if let (What::Claim, Some(owner)) = (&self.what, &t.owner) {
            let given = |h: &&Happening| ["claimed", "assigned"].contains(&h.kind.as_str());
            let at = past.iter().rev().find(given).map_or(t.created_at, |h| h.at);
            return Err(ActionError::Conflict { what: format!("#{}", self.id), who: owner.clone(), at });
        }
        if self.seen.is_some_and(|v| v != t.version) {
            return Err(cx.conflict(format!("#{}", self.id), "ticket", &self.id.to_string()).await);
        }
        let stays = matches!(
            self.what,
            What::Reopen
                | What::Note(_)
                | What::UserMessage { .. }
                | What::Excuse { .. }
                | What::Link { .. }
                | What::Alert { .. }
        );
        if !t.is_open() && !stays {
            return Err(ActionError::Invalid(say::is_closed(self.id)));
        }
        if matches!(self.what, What::Reopen)
            && let Some(done) = self.continue_anew(cx, &mut t, &mut past, &policy).await?
        {
            return Ok(done);
        }
        let known = past.len();
        self.catch_up(cx, &mut t, &mut past, &policy).await?;
        let before = Standing::of(&t);
        let mut survivor = None;
        if let What::Merge(into) = self.what {
            if into == self.id {
                return Err(ActionError::Invalid(say::merge_self()));
            }
            survivor = Some(self.take_in(cx, into, &t, &past, &policy).await?);
        }
        let Made { kind, mut data, message } = self.change(cx, &mut t)?;
        let by_the_way = matches!(
            self.what,
            What::Note(_) | What::Link { .. } | What::UserMessage { .. } | What::Report(_) | What::Alert { .. }
        );
        if t.state == "new" && !by_the_way {
            t.state = "open".into();
        }
        t.version += 1;
        past.push(Happening { at: cx.now, actor: cx.actor.name.clone(), kind: kind.into(), data: data.clone() });
        let n = past.len();
        // what follows from it elsewhere is found again by its place
        data["n"] = json!(n);
        self.write(cx, &mut t, &mut past, known, &policy).await?;
        let back = TakeBack {
            places: vec![n],
            before,
            after: Standing::of(&t),
            until: matches!(self.what, What::Reply(_)).then(|| cx.now + TAKE_BACK),
            again: self.what.clone(),
            survivor,
        };
        let done = Done::new("ticket", self.id, message).detail(data).value(json_of(&t, cx.now));
        Ok(done.undo(Self::new(self.id, What::TakeBack(Box::new(back)))))
    }

    fn change(&self, cx: &Apply<'_>, t: &mut Ticket) -> Result<Made, ActionError> {
        let id = self.id;
        let invalid = |why: String| Err(ActionError::Invalid(why));
        Ok(match &self.what {
            What::Claim => {
                let me = Some(cx.actor.name.clone());
                t.owner.clone_from(&me);
                made("claimed", json!({"owner": me}), say::claimed(id))
            }
            What::Assign(to) => {
                let before = std::mem::replace(&mut t.owner, to.clone());
                let message = to.as_ref().map_or_else(|| say::unassigned(id), |to| say::assigned(id, to));
                made("assigned", json!({"owner": to, "from": before}), message)
            }
            What::Reply(text) => {
                t.flag = None;
                made("reply", json!({"text": required(text, say::needs_text())?}), say::replied(id))
            }
            What::UserMessage { from, text } => {
                let text = required(text, say::needs_text())?;
                let resumes = t.state == "waiting" && t.pause_reason.as_deref() == Some("waiting_user");
                if resumes {
                    resume(t);
                }
                t.flag = Some("user_replied".into());
                made("user_message", json!({"from": from, "text": text, "resumes": resumes}), say::heard(id))
            }
            What::Report(report) => made("reported", report.add(cx, t)?, say::joined(id, t.reports)),
            What::Note(text) => made("note", json!({"text": required(text, say::needs_text())?}), say::noted(id)),
            What::Call(with) => {
                t.flag = None;
                made("call", json!({"with": required(with, say::needs_person())?}), say::called(id))
            }
            What::Pause { .. } => self.pause(cx, t)?,
            What::Resume => {
                if t.state != "waiting" {
                    return invalid(say::is_not_paused(id));
                }
                resume(t);
                made("resumed", json!({"by": cx.actor.name}), say::resumed(id))
            }
            What::Resolve { cause, solution } => {
                let cause = required(cause, say::needs_cause())?;
                let solution = required(solution, say::needs_solution())?;
                resume(t);
                t.state = "resolved".into();
                t.owner.get_or_insert_with(|| cx.actor.name.clone());
                t.cause = Some(cause.clone());
                t.solution = Some(solution.clone());
                made("resolved", json!({"cause": cause, "solution": solution}), say::resolved(id))
            }
            What::Reopen => {
                t.state = "open".into();
                made("reopened", json!({}), say::reopened(id))
            }
            What::Level { scope, severity, reason } => {
                let reason = required(reason, say::needs_reason())?;
                let level = level_of(&cx.config.tickets, scope, severity);
                let data =
                    json!({"from": t.level, "level": level, "scope": scope, "severity": severity, "reason": reason});
                t.scope.clone_from(scope);
                t.severity.clone_from(severity);
                let message = say::levelled(id, &level_word(&level));
                t.level = level;
                made("level", data, message)
            }
            What::Merge(into) => {
                resume(t);
                t.state = "merged".into();
                t.merged_into = Some(*into);
                made("merged", json!({"into": into}), say::merged(id, *into))
            }
            What::Excuse { clock, reason } => {
                let reason = required(reason, say::needs_reason())?;
                let (breached, excused) = match clock.as_str() {
                    "response" => (t.response_is_breached(cx.now), &mut t.response_excused),
                    "resolution" => (t.resolution_is_breached(cx.now), &mut t.resolution_excused),
                    _ => return invalid(say::clock_names()),
                };
                if !breached {
                    return invalid(say::not_breached(id));
                }
                *excused = true;
                made("breach_excused", json!({"clock": clock, "reason": reason}), say::excused(id))
            }
            What::Link { kind, subject, snapshot } => {
                let subject = required(subject, say::needs_subject())?;
                made(
                    "linked",
                    json!({"kind": kind, "subject": subject, "snapshot": snapshot}),
                    say::linked(id, &subject),
                )
            }
            What::Alert { state, text } => {
                t.flag = (state != "firing").then(|| state.clone());
                made("alert", json!({"state": state, "text": text}), text.clone())
            }
            What::TakeBack(_) | What::Tick => return Err(ActionError::NotFound { what: format!("#{id}") }),
        })
    }

    fn pause(&self, cx: &Apply<'_>, t: &mut Ticket) -> Result<Made, ActionError> {
        let What::Pause { reason, until, note } = &self.what else { return Err(ActionError::Invalid(String::new())) };
        let refuse = |why: String| Err(ActionError::Invalid(why));
        if t.state == "waiting" {
            return refuse(say::is_paused(self.id));
        }
        if !["waiting_user", "waiting_vendor", "approved_window"].contains(&reason.as_str()) {
            return refuse(say::pause_reasons());
        }
        if *until <= cx.now {
            return refuse(say::until_past());
        }
        if reason == "waiting_user" && t.response_met_at.is_none() {
            return refuse(say::reply_first());
        }
        // the clock that hurts most is not stopped by a single keypress of the one who is judged by it
        let least = cx.config.tickets.urgent_pause_note;
        let second_person = t.owner.as_ref().is_some_and(|owner| *owner != cx.actor.name);
        let grave = t.level == "urgent" && t.scope == "company";
        if grave && !second_person && (note.trim().chars().count() as u64) < least {
            return refuse(say::pause_guard(least));
        }
        t.state = "waiting".into();
        t.flag = None;
        t.pause_reason = Some(reason.clone());
        t.follow_up_at = Some(*until);
        let data = json!({"reason": reason, "until": rfc3339(*until), "note": note.trim()});
        Ok(made("paused", data, say::paused(self.id)))
    }

    /// A ticket resolved longer ago than the reopen window stays as it is: the matter goes on in a new ticket.
    async fn continue_anew(
        &self,
        cx: &mut Apply<'_>,
        t: &mut Ticket,
        past: &mut Vec<Happening>,
        policy: &Policy,
    ) -> Result<Option<Done>, ActionError> {
        if t.state != "resolved" {
            return Err(ActionError::Invalid(say::is_not_resolved(self.id)));
        }
        let window = cx.config.tickets.reopen_window;
        let since = policy.calendars.get("office").zip(t.resolved_at).map_or(0, |(c, at)| c.elapsed(at, cx.now, &[]));
        if since <= window.millis() {
            return Ok(None);
        }
        let new = New {
            title: t.title.clone(),
            body: t.body.clone(),
            scope: t.scope.clone(),
            severity: t.severity.clone(),
            channel: t.channel.clone(),
            reporter: t.reporter.clone(),
            ..New::default()
        };
        let (fresh, detail) = create(cx, &new, Some(self.id)).await?;
        let data =
            json!({"kind": "ticket", "subject": fresh.id.to_string(), "snapshot": null, "relation": "continued_by"});
        let known = past.len();
        past.push(Happening { at: cx.now, actor: cx.actor.name.clone(), kind: "linked".into(), data });
        t.version += 1;
        self.write(cx, t, past, known, policy).await?;
        let message = say::continued(self.id, &window.to_string(), fresh.id);
        Ok(Some(Done::new("ticket", fresh.id, message).detail(detail).value(json_of(&fresh, cx.now))))
    }
}

/// Ends whatever it waited for.
fn resume(t: &mut Ticket) {
    t.state = "open".into();
    t.pause_reason = None;
    t.follow_up_at = None;
    t.flag = None;
}
