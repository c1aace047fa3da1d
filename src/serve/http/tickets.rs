//! Tickets over HTTP: what the feedback module of the OA uses.

use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::Desk;
use super::auth::Caller;
use super::problem::{BodyRefusals, Problem, Refusals};
use crate::action::Action;
use crate::clock::rfc3339;
use crate::intake::actions::SKEW;
use crate::intake::api::{MessageView, NewMessage, NewSatisfaction, NewTicket, TicketAnswer, TicketView};
use crate::intake::model::{Channel, Fault, NAME_MAX, TokenKind};
use crate::intake::quarantine::Hold;
use crate::intake::satisfaction::{self, Rate};
use crate::intake::store::{self, Token};
use crate::intake::writer::actor;
use crate::locale::intake as say;
use crate::tickets::actions::OLDEST;
use crate::tickets::store as ticket_store;

/// The key under which a message is known, from its header.
fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let Some(value) = headers.get("idempotency-key") else { return Ok(None) };
    let wrong = || Problem::new(StatusCode::BAD_REQUEST, say::key_shape());
    let key = value.to_str().map_err(|_| wrong())?.trim();
    if key.is_empty() || key.chars().count() > NAME_MAX { Err(wrong()) } else { Ok(Some(key.to_owned())) }
}

/// Whether a body is said to be JSON.
fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    kind == "application/json" || (kind.starts_with("application/") && kind.ends_with("+json"))
}

impl Desk {
    /// Reads a body as JSON. With `keep`, what cannot be read is kept in quarantine as of that channel: the sender
    /// believes that they have reported it.
    pub(super) async fn json<T: DeserializeOwned>(
        &self,
        token: &Token,
        headers: &HeaderMap,
        body: Body,
        keep: Option<&str>,
    ) -> Result<(T, Vec<u8>), Problem> {
        let bytes = self.body(body).await?;
        let (status, why) = if is_json(headers) {
            match serde_json::from_slice(&bytes) {
                Ok(value) => return Ok((value, bytes)),
                Err(e) if e.is_data() => (StatusCode::UNPROCESSABLE_ENTITY, say::not_json(&e.to_string())),
                Err(e) => (StatusCode::BAD_REQUEST, say::not_json(&e.to_string())),
            }
        } else {
            (StatusCode::UNSUPPORTED_MEDIA_TYPE, say::not_json_type())
        };
        if let Some(channel) = keep.filter(|_| !bytes.is_empty()) {
            self.hold(token, channel, &why, bytes).await?;
        }
        Err(Problem::new(status, why))
    }

    /// Keeps what cannot be understood.
    pub(super) async fn hold(&self, token: &Token, channel: &str, why: &str, body: Vec<u8>) -> Result<(), Problem> {
        let hold = Hold { channel: channel.into(), source: token.source.clone(), reason: why.into(), body };
        self.writer.write(actor(channel, &token.source, "http"), Arc::new(hold)).await?;
        self.counts.held();
        Ok(())
    }

    /// Does an action of a source; gives what it is told, and whether it was told before.
    pub(super) async fn done(
        &self,
        token: &Token,
        channel: &str,
        action: Arc<dyn Action>,
    ) -> Result<(Value, bool), Problem> {
        let outcome = self.writer.write(actor(channel, &token.source, "http"), action).await?;
        let again = outcome.value["again"].as_bool().unwrap_or(false);
        Ok((outcome.value["answer"].clone(), again))
    }
}

fn told(answer: (Value, bool)) -> Response {
    let status = if answer.1 { StatusCode::OK } else { StatusCode::CREATED };
    (status, Json(answer.0)).into_response()
}

/// Report something
///
/// Durable when answered. The same `Idempotency-Key` again gives the same answer with status 200; another body under
/// the same key is refused.
#[utoipa::path(post, path = "/api/v1/tickets", tag = "tickets", operation_id = "createTicket",
    params(("Idempotency-Key" = Option<String>, Header, description = "The sender's name of this report",
        min_length = 1, max_length = 256)),
    request_body = NewTicket,
    responses(
        (status = 201, description = "A ticket was made", body = TicketAnswer),
        (status = 200, description = "It was made before", body = TicketAnswer),
        (status = 400, description = "Not JSON", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "Another body under the same key", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "A field is wrong; it is named", body = Problem, content_type = "application/problem+json"),
        BodyRefusals, Refusals))]
pub(super) async fn create(State(desk): State<Desk>, caller: Caller, body: Body) -> Result<Response, Problem> {
    let token = desk.admit(&caller, TokenKind::Api).await?;
    let key = idempotency_key(&caller.headers)?;
    let (sent, bytes) = desk.json::<NewTicket>(&token, &caller.headers, body, Some("api")).await?;
    let report = sent.report(&token.source, key, &bytes).map_err(Problem::faults)?;
    let now = desk.door.clock().now();
    let wrong = match report.reported_at {
        Some(at) if at > now + SKEW => Some(say::in_future()),
        Some(at) if at < now - OLDEST => Some(say::ages_ago()),
        _ => None,
    };
    if let Some(why) = wrong {
        return Err(Problem::faults(vec![Fault::new("/reported_at", why)]));
    }
    desk.done(&token, "api", Arc::new(report)).await.map(told)
}

/// A ticket number in an address; anything else names no ticket.
fn number(id: &str) -> Result<i64, Problem> {
    id.parse().map_err(|_| Problem::new(StatusCode::NOT_FOUND, say::no_such_ticket(id)))
}

/// Look at a ticket as its reporter
#[utoipa::path(get, path = "/api/v1/tickets/{id}", tag = "tickets", operation_id = "showTicket",
    params(("id" = i64, Path, description = "Its number")),
    responses(
        (status = 200, description = "The ticket", body = TicketView),
        (status = 404, description = "This source reported no such ticket", body = Problem, content_type = "application/problem+json"),
        Refusals))]
pub(super) async fn show(
    State(desk): State<Desk>,
    Path(id): Path<String>,
    caller: Caller,
) -> Result<Response, Problem> {
    let token = desk.admit(&caller, TokenKind::Api).await?;
    let number = number(&id)?;
    let store = desk.door.store();
    let missing = || Problem::new(StatusCode::NOT_FOUND, say::no_such_ticket(&id));
    let contacts = store::contacts(store, number).await?;
    if !contacts.iter().any(|c| c.channel == Channel::Api.word() && c.source == token.source) {
        return Err(missing());
    }
    let (t, happenings) = ticket_store::get_with_past(store, number).await?.ok_or_else(missing)?;
    let messages = happenings.iter().filter_map(|h| {
        let from = match h.kind.as_str() {
            "reply" => "desk",
            "user_message" => "reporter",
            _ => return None,
        };
        Some(MessageView {
            at: rfc3339(h.at),
            from: from.into(),
            text: h.data["text"].as_str().unwrap_or_default().to_owned(),
        })
    });
    let view = TicketView {
        ticket: TicketAnswer {
            id: t.id,
            level: t.level.clone(),
            state: t.state.clone(),
            reported_at: rfc3339(t.reported_at),
            response_due: t.response_due.map(rfc3339),
            resolution_due: t.resolution_due.map(rfc3339),
        },
        title: t.title.clone(),
        responded_at: t.response_met_at.map(rfc3339),
        resolved_at: t.resolved_at.map(rfc3339),
        solution: t.solution.clone().filter(|_| !t.is_open()),
        merged_into: t.merged_into,
        messages: messages.collect(),
        satisfaction: satisfaction::score(store, number).await?,
    };
    Ok(Json(view).into_response())
}

/// Write to the desk
#[utoipa::path(post, path = "/api/v1/tickets/{id}/messages", tag = "tickets", operation_id = "addMessage",
    params(("id" = i64, Path, description = "Its number"),
        ("Idempotency-Key" = Option<String>, Header, description = "The sender's name of this message",
            min_length = 1, max_length = 256)),
    request_body = NewMessage,
    responses(
        (status = 201, description = "The message was added", body = TicketAnswer),
        (status = 200, description = "It was added before", body = TicketAnswer),
        (status = 400, description = "Not JSON", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "This source reported no such ticket", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "Another body under the same key", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "A field is wrong; it is named", body = Problem, content_type = "application/problem+json"),
        BodyRefusals, Refusals))]
pub(super) async fn message(
    State(desk): State<Desk>,
    Path(id): Path<String>,
    caller: Caller,
    body: Body,
) -> Result<Response, Problem> {
    let token = desk.admit(&caller, TokenKind::Api).await?;
    let number = number(&id)?;
    let key = idempotency_key(&caller.headers)?;
    let (sent, bytes) = desk.json::<NewMessage>(&token, &caller.headers, body, None).await?;
    let said = sent.said(&token.source, number, key, &bytes).map_err(Problem::faults)?;
    desk.done(&token, "api", Arc::new(said)).await.map(told)
}

/// Say how content the reporter is
///
/// Once, when the ticket is resolved.
#[utoipa::path(post, path = "/api/v1/tickets/{id}/satisfaction", tag = "tickets", operation_id = "rateTicket",
    params(("id" = i64, Path, description = "Its number")),
    request_body = NewSatisfaction,
    responses(
        (status = 201, description = "Noted", body = Value),
        (status = 400, description = "Not JSON", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "This source reported no such ticket", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "It was said before, or the ticket is not resolved", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "A field is wrong; it is named", body = Problem, content_type = "application/problem+json"),
        BodyRefusals, Refusals))]
pub(super) async fn satisfaction(
    State(desk): State<Desk>,
    Path(id): Path<String>,
    caller: Caller,
    body: Body,
) -> Result<Response, Problem> {
    let token = desk.admit(&caller, TokenKind::Api).await?;
    let ticket = number(&id)?;
    let (sent, _) = desk.json::<NewSatisfaction>(&token, &caller.headers, body, None).await?;
    sent.check().map_err(Problem::faults)?;
    let comment = sent.comment.unwrap_or_default();
    let source = Some(token.source.clone());
    let rate = Rate { ticket, score: sent.score, comment, channel: Channel::Api, source };
    desk.done(&token, "api", Arc::new(rate)).await.map(told)
}
