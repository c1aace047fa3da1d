//! Errors as problem documents (RFC 9457), naming the field.

use std::collections::BTreeMap;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::openapi::{ContentBuilder, RefOr, Response as ApiResponse, ResponseBuilder};
use utoipa::{IntoResponses, ToSchema};

use crate::action::ActionError;
use crate::intake::model::{Fault, in_words};
use crate::intake::writer::WriteError;
use crate::store::StoreError;

/// What is wrong with a request.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(super) struct Problem {
    /// Always `about:blank`: the status says what kind it is.
    #[serde(rename = "type")]
    kind: &'static str,
    /// The status in words.
    title: String,
    /// The status.
    status: u16,
    /// What is wrong and what to do.
    detail: String,
    /// The fields that are wrong.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<FieldProblem>,
    /// Seconds to wait before the next try.
    #[serde(skip)]
    wait: Option<u64>,
}

/// A status, and what it means.
type Said = (StatusCode, &'static str);

fn problems(all: &[Said]) -> BTreeMap<String, RefOr<ApiResponse>> {
    let content = || ContentBuilder::new().schema(Some(utoipa::openapi::Ref::from_schema_name("Problem"))).build();
    let response = |what: &str| ResponseBuilder::new().description(what).content("application/problem+json", content());
    all.iter().map(|(status, what)| (status.as_u16().to_string(), response(what).build().into())).collect()
}

/// What every address may answer that asks for a token.
pub(super) struct Refusals;

impl IntoResponses for Refusals {
    fn responses() -> BTreeMap<String, RefOr<ApiResponse>> {
        problems(&[
            (StatusCode::UNAUTHORIZED, "No token, or not one in force"),
            (StatusCode::FORBIDDEN, "A token for something else"),
            (StatusCode::TOO_MANY_REQUESTS, "Too fast, or too many wrong tokens: wait as long as Retry-After says"),
            (
                StatusCode::SERVICE_UNAVAILABLE,
                "The store does not answer, or the quarantine of the source is full: send it again",
            ),
        ])
    }
}

/// What every address may answer that takes a body.
pub(super) struct BodyRefusals;

impl IntoResponses for BodyRefusals {
    fn responses() -> BTreeMap<String, RefOr<ApiResponse>> {
        problems(&[
            (StatusCode::REQUEST_TIMEOUT, "The body came too slowly"),
            (StatusCode::PAYLOAD_TOO_LARGE, "Too large"),
            (StatusCode::UNSUPPORTED_MEDIA_TYPE, "Not sent as JSON"),
        ])
    }
}

/// What is wrong with one field.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(super) struct FieldProblem {
    /// JSON pointer to the field.
    pointer: String,
    /// What is wrong with it.
    detail: String,
}

impl Problem {
    pub(super) fn new(status: StatusCode, detail: String) -> Self {
        Self {
            kind: "about:blank",
            title: status.canonical_reason().unwrap_or_default().to_owned(),
            status: status.as_u16(),
            detail,
            errors: vec![],
            wait: None,
        }
    }

    /// The sender may come again after `seconds`.
    pub(super) fn wait(mut self, seconds: u64) -> Self {
        self.wait = Some(seconds);
        self
    }

    /// Fields that are wrong.
    pub(super) fn faults(faults: Vec<Fault>) -> Self {
        let mut problem = Self::new(StatusCode::UNPROCESSABLE_ENTITY, in_words(&faults));
        problem.errors = faults.into_iter().map(|f| FieldProblem { pointer: f.field, detail: f.why }).collect();
        problem
    }
}

impl From<WriteError> for Problem {
    fn from(error: WriteError) -> Self {
        match error {
            WriteError::Busy => Self::new(StatusCode::SERVICE_UNAVAILABLE, error.to_string()).wait(1),
            WriteError::Action(e) => e.into(),
        }
    }
}

impl From<ActionError> for Problem {
    fn from(error: ActionError) -> Self {
        let status = match &error {
            ActionError::Denied { .. } | ActionError::ReadOnly => StatusCode::FORBIDDEN,
            ActionError::Conflict { .. } | ActionError::Taken(_) => StatusCode::CONFLICT,
            ActionError::NotFound { .. } => StatusCode::NOT_FOUND,
            ActionError::Invalid(_) => StatusCode::UNPROCESSABLE_ENTITY,
            ActionError::Store(_) | ActionError::Full(_) => StatusCode::SERVICE_UNAVAILABLE,
        };
        let problem = Self::new(status, error.to_string());
        match &error {
            // a person has to make room
            ActionError::Full(_) => problem.wait(60),
            ActionError::Store(_) => problem.wait(5),
            _ => problem,
        }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        ActionError::Store(error).into()
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let wait = self.wait;
        let mut response = (status, axum::Json(self)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(seconds) = wait {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}
