//! The page behind a survey link: one tap, once.

use std::sync::Arc;

use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};

use super::Desk;
use super::problem::Problem;
use crate::action::ActionError;
use crate::digest::is_same;
use crate::intake::answers::survey_mark;
use crate::intake::model::Channel;
use crate::intake::satisfaction::Rate;
use crate::intake::writer::{WriteError, actor};
use crate::locale::intake as say;

/// A page that loads nothing from elsewhere.
fn page(status: StatusCode, text: &str, buttons: bool) -> Response {
    let faces: String = if buttons {
        (1..=5)
            .map(|n| format!("<form method=post action=\"?score={n}\"><button aria-label=\"{n}\">{n}</button></form>"))
            .collect()
    } else {
        String::new()
    };
    let html = format!(
        "<!doctype html><html><meta charset=utf-8><meta name=viewport content=\"width=device-width\">\
         <title>zhiban</title><style>body{{font:1.2rem sans-serif;text-align:center;padding:3rem}}form{{display:inline}}\
         button{{font:2rem sans-serif;margin:.5rem;padding:.5rem 1rem}}</style><p>{text}</p>{faces}</html>"
    );
    let mut response = (status, Html(html)).into_response();
    let policy = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'";
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

impl Desk {
    /// The ticket of a link that was made here.
    fn linked(&self, ticket: &str, mark: &str) -> Result<i64, Problem> {
        let missing = || Problem::new(StatusCode::NOT_FOUND, say::no_such_path());
        let key = self.door.config().notify.link_key.reveal().ok().filter(|k| !k.is_empty()).ok_or_else(missing)?;
        let number: i64 = ticket.parse().map_err(|_| missing())?;
        if is_same(mark, &survey_mark(&key, number)) { Ok(number) } else { Err(missing()) }
    }
}

/// Asks. Looking is not answering: mail scanners follow links.
pub(super) async fn ask(
    State(desk): State<Desk>,
    Path((ticket, mark)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let number = desk.linked(&ticket, &mark)?;
    Ok(page(StatusCode::OK, &say::survey_question(number), true))
}

/// Takes the answer.
pub(super) async fn answer(
    State(desk): State<Desk>,
    Path((ticket, mark)): Path<(String, String)>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let number = desk.linked(&ticket, &mark)?;
    let score = query.as_deref().and_then(|q| q.strip_prefix("score=")?.parse().ok()).filter(|n| (1..=5).contains(n));
    let Some(score) = score else {
        return Ok(page(StatusCode::BAD_REQUEST, &say::survey_question(number), true));
    };
    let rate = Rate { ticket: number, score, comment: String::new(), channel: Channel::Mail, source: None };
    match desk.writer.write(actor("survey", "link", "http"), Arc::new(rate)).await {
        Ok(_) => Ok(page(StatusCode::OK, &say::survey_thanks(), false)),
        Err(WriteError::Action(ActionError::Taken(why))) => Ok(page(StatusCode::CONFLICT, &why, false)),
        Err(e) => Err(e.into()),
    }
}
