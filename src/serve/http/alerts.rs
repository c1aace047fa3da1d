//! Alerts over HTTP.

use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::Value;

use super::Desk;
use super::auth::Caller;
use super::problem::{BodyRefusals, Problem, Refusals};
use crate::intake::alerts::sources::{Alertmanager, mapped};
use crate::intake::model::{Fault, TokenKind, in_words};
use crate::intake::store::Token;
use crate::locale::intake as say;

impl Desk {
    /// Keeps a message that makes no sense and says so. The sender would not send it again: it is not asked to.
    async fn not_understood(&self, token: &Token, channel: &str, sent: Vec<u8>, faults: Vec<Fault>) -> Problem {
        match self.hold(token, channel, &in_words(&faults), sent).await {
            Ok(()) => Problem::faults(faults),
            Err(problem) => problem,
        }
    }
}

/// Take in what Alertmanager says
#[utoipa::path(post, path = "/api/v1/alerts/alertmanager", tag = "alerts", operation_id = "alertmanager",
    request_body = Alertmanager,
    responses(
        (status = 200, description = "Understood and durable", body = Value),
        (status = 400, description = "Not JSON; kept in quarantine", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "Not understood; kept in quarantine", body = Problem, content_type = "application/problem+json"),
        BodyRefusals, Refusals))]
pub(super) async fn alertmanager(State(desk): State<Desk>, caller: Caller, body: Body) -> Result<Response, Problem> {
    let token = desk.admit(&caller, TokenKind::Alertmanager).await?;
    let (sent, bytes) = desk.json::<Alertmanager>(&token, &caller.headers, body, Some("alertmanager")).await?;
    match sent.heard(&token.source, &desk.door.config().serve) {
        Ok(heard) => {
            let (answer, _) = desk.done(&token, "alert", Arc::new(heard)).await?;
            Ok(Json(answer).into_response())
        }
        Err(faults) => Err(desk.not_understood(&token, "alertmanager", bytes, faults).await),
    }
}

/// Take in what another monitoring system says
///
/// By a mapping of the configuration.
#[utoipa::path(post, path = "/api/v1/alerts/{mapping}", tag = "alerts", operation_id = "webhook",
    params(("mapping" = String, Path, description = "Name of a mapping")),
    request_body = Value,
    responses(
        (status = 200, description = "Understood and durable", body = Value),
        (status = 400, description = "Not JSON; kept in quarantine", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such mapping", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "Not understood; kept in quarantine", body = Problem, content_type = "application/problem+json"),
        BodyRefusals, Refusals))]
pub(super) async fn webhook(
    State(desk): State<Desk>,
    Path(mapping): Path<String>,
    caller: Caller,
    body: Body,
) -> Result<Response, Problem> {
    let token = desk.admit(&caller, TokenKind::Webhook).await?;
    let config = desk.door.config().clone();
    let by = config.serve.webhooks.iter().find(|w| w.name == mapping);
    let by = by.ok_or_else(|| Problem::new(StatusCode::NOT_FOUND, say::no_such_mapping(&mapping)))?;
    let (sent, bytes) = desk.json::<Value>(&token, &caller.headers, body, Some(&mapping)).await?;
    match mapped(&sent, &token.source, by, &config.serve, desk.door.clock().now()) {
        Ok(heard) => {
            let (answer, _) = desk.done(&token, "alert", Arc::new(heard)).await?;
            Ok(Json(answer).into_response())
        }
        Err(faults) => Err(desk.not_understood(&token, &mapping, bytes, faults).await),
    }
}
