//! Callbacks of WeCom and DingTalk.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::Desk;
use super::problem::Problem;
use crate::action::ActionError;
use crate::clock::SECOND;
use crate::config::ChatApp;
use crate::intake::model::Channel;
use crate::intake::quarantine::Hold;
use crate::intake::wecom::crypto::{CryptoError, Keys};
use crate::intake::wecom::message::{ciphertext, read};
use crate::intake::writer::{WriteError, actor};
use crate::locale::intake as say;

/// The platform waits five seconds and sends again after that.
const ANSWER_WITHIN: Duration = Duration::from_millis(4_500);

/// Most bytes of a callback: the platforms' texts are of a few kilobytes, and anybody may send before the signature is
/// known to be wrong.
const CALLBACK_BYTES: usize = 256 << 10;

/// What comes in the address of a callback.
#[derive(Debug, Deserialize)]
pub(super) struct Signed {
    #[serde(alias = "signature")]
    msg_signature: String,
    timestamp: String,
    nonce: String,
    #[serde(default)]
    echostr: String,
}

fn refused(e: CryptoError) -> Problem {
    let status = match e {
        CryptoError::BadKey => StatusCode::INTERNAL_SERVER_ERROR,
        CryptoError::SignatureMismatch | CryptoError::ReceiverMismatch => StatusCode::FORBIDDEN,
        _ => StatusCode::BAD_REQUEST,
    };
    Problem::new(status, say::bad_callback(&e.to_string()))
}

impl Desk {
    fn app(&self, name: &str) -> Result<(ChatApp, Keys), Problem> {
        let apps = &self.door.config().serve.apps;
        let app = apps.iter().find(|a| a.name == name).cloned();
        let app = app.ok_or_else(|| Problem::new(StatusCode::NOT_FOUND, say::no_such_app(name)))?;
        let secret = |s: &crate::config::Secret| {
            s.reveal().map_err(|e| {
                tracing::error!(app = name, "{e}");
                Problem::new(StatusCode::SERVICE_UNAVAILABLE, say::bad_callback("secret"))
            })
        };
        let keys = Keys::new(&secret(&app.token)?, &secret(&app.aes_key)?, &app.receiver).map_err(refused)?;
        Ok((app, keys))
    }
}

/// Proves to the platform that this is the place: the plain text of what it sent, and nothing else.
pub(super) async fn verify(
    State(desk): State<Desk>,
    Path(name): Path<String>,
    Query(signed): Query<Signed>,
) -> Result<Response, Problem> {
    let (_, keys) = desk.app(&name)?;
    let plain = keys.open(&signed.msg_signature, &signed.timestamp, &signed.nonce, &signed.echostr).map_err(refused)?;
    Ok(([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], plain.message).into_response())
}

/// Takes in a message. It is durable before it is answered; when that takes too long the platform sends it again, and it
/// is known by its number.
pub(super) async fn callback(
    State(desk): State<Desk>,
    Path(name): Path<String>,
    Query(signed): Query<Signed>,
    body: Body,
) -> Result<Response, Problem> {
    let (app, keys) = desk.app(&name)?;
    desk.gate.take(&format!("app:{name}"), std::time::Instant::now())?;
    let body = desk.body_within(body, CALLBACK_BYTES).await?;
    let bad = |why: String| Problem::new(StatusCode::BAD_REQUEST, say::bad_callback(&why));
    let encrypted = ciphertext(&body).map_err(bad)?;
    let plain = keys.open(&signed.msg_signature, &signed.timestamp, &signed.nonce, &encrypted).map_err(refused)?;
    let channel = if app.kind == "dingtalk" { Channel::Dingtalk } else { Channel::Wecom };
    let writer = actor(channel.word(), &name, "callback");
    let now = desk.door.clock().now();
    let sent = signed.timestamp.parse::<i64>().unwrap_or(0);
    let sent = if sent < 100_000_000_000 { sent.saturating_mul(SECOND) } else { sent };
    let hold = |reason: String| Hold {
        channel: channel.word().into(),
        source: name.clone(),
        reason,
        body: plain.message.clone(),
    };
    let action: Arc<dyn crate::action::Action> = if now.abs_diff(sent) > app.max_age.millis().unsigned_abs() {
        Arc::new(hold(say::too_old()))
    } else {
        match read(&plain.message) {
            Ok(Some(heard)) => Arc::new(heard.wrote(channel, &name, desk.door.config())),
            Ok(None) => return Ok(answer(&app, &keys, now)),
            Err(why) => Arc::new(hold(why)),
        }
    };
    let write = async {
        match desk.writer.write(writer.clone(), action).await {
            // the same number with another text: kept, and no reason to send it for ever
            Err(WriteError::Action(ActionError::Taken(why))) => desk.writer.write(writer, Arc::new(hold(why))).await,
            written => written,
        }
    };
    match tokio::time::timeout(ANSWER_WITHIN, write).await {
        Ok(Ok(_)) => Ok(answer(&app, &keys, now)),
        Ok(Err(e)) => Err(e.into()),
        Err(_) => Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, say::too_busy())),
    }
}

/// WeCom is content with an empty answer; DingTalk wants "success", sealed.
fn answer(app: &ChatApp, keys: &Keys, now: crate::clock::Millis) -> Response {
    if app.kind != "dingtalk" {
        return StatusCode::OK.into_response();
    }
    let mut random = [0; 16];
    if getrandom::fill(&mut random).is_err() {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    let encrypted = keys.seal(b"success", random);
    let (timestamp, nonce) = (now.to_string(), crate::intake::model::digest(&random)[..8].to_owned());
    let signature = keys.signature(&timestamp, &nonce, &encrypted);
    axum::Json(serde_json::json!({"msg_signature": signature, "timeStamp": timestamp, "nonce": nonce,
        "encrypt": encrypted}))
    .into_response()
}
