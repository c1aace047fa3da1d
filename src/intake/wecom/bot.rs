//! The smart robot of WeCom over its outbound long connection: no address of ours need be reachable from outside.
//!
//! The frames follow the platform's own SDK as public code quotes it: `{cmd, headers: {req_id}, body}` both ways, receipts
//! without `cmd` and with `errcode`. It was tried against a stand-in, not on the live service.

use std::collections::HashMap;
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::Message as Frame;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

use super::message::read;
use crate::action::{ActionError, BoxFuture, Door};
use crate::config::NotifyChannel;
use crate::intake::model::Channel;
use crate::intake::quarantine::Hold;
use crate::locale::intake as say;
use crate::notify::channels::{Outgoing, SendError};
use crate::notify::model::{wait_after, within_bytes};
use crate::notify::store as outbox;

/// Where the platform listens.
pub const ADDRESS: &str = "wss://openws.work.weixin.qq.com";
/// How often we say that we are there.
const PING: Duration = Duration::from_secs(25);
/// How long a receipt may take; two pings without one, and the connection is dead.
const RECEIPT: Duration = Duration::from_secs(10);
/// How often the outbox is looked at.
const LOOK: Duration = Duration::from_secs(1);
/// Most bytes of a message.
const BYTES: usize = 20_480;

/// A way to the platform.
pub trait Link: std::fmt::Debug + Send + Sync {
    /// Connects.
    fn connect(&self) -> BoxFuture<'_, Result<Box<dyn Wire>, String>>;
}

/// A connection that carries frames as text.
pub trait Wire: Send {
    /// Sends a frame.
    fn send(&mut self, frame: String) -> BoxFuture<'_, Result<(), String>>;
    /// The next frame; `None` when the other side has closed. Nothing is lost when the future is dropped.
    fn next(&mut self) -> BoxFuture<'_, Result<Option<String>, String>>;
}

/// A WebSocket.
#[derive(Debug, Clone)]
pub struct Socket {
    /// Where to.
    pub url: String,
}

struct Ws(WebSocketStream<MaybeTlsStream<tokio::net::TcpStream>>);

impl Link for Socket {
    fn connect(&self) -> BoxFuture<'_, Result<Box<dyn Wire>, String>> {
        Box::pin(async move {
            crate::net::use_ring();
            let connecting = tokio_tungstenite::connect_async(self.url.as_str());
            match tokio::time::timeout(RECEIPT, connecting).await {
                Ok(Ok((socket, _))) => Ok(Box::new(Ws(socket)) as Box<dyn Wire>),
                Ok(Err(e)) => Err(crate::text::clean(&e.to_string()).into_owned()),
                Err(_) => Err(crate::locale::notify::no_answer(RECEIPT.as_secs())),
            }
        })
    }
}

impl Wire for Ws {
    fn send(&mut self, frame: String) -> BoxFuture<'_, Result<(), String>> {
        Box::pin(async move { self.0.send(Frame::text(frame)).await.map_err(|e| e.to_string()) })
    }

    fn next(&mut self) -> BoxFuture<'_, Result<Option<String>, String>> {
        Box::pin(async move {
            loop {
                match self.0.next().await {
                    None | Some(Ok(Frame::Close(_))) => return Ok(None),
                    Some(Ok(Frame::Text(text))) => return Ok(Some(text.to_string())),
                    // pings of the transport are answered by the library
                    Some(Ok(_)) => {}
                    Some(Err(e)) => return Err(e.to_string()),
                }
            }
        })
    }
}

/// What a session remembers.
struct Session<'a> {
    door: &'a Door,
    config: &'a NotifyChannel,
    wire: Box<dyn Wire>,
    /// Messages sent and not acknowledged: by request, the message and since when.
    sent: HashMap<String, (i64, i64, Instant)>,
    requests: u64,
    /// When the last ping went unanswered.
    waiting: Option<Instant>,
}

/// Speaks with the platform until the connection ends.
///
/// # Errors
/// Why it ended.
pub async fn converse(door: &Door, config: &NotifyChannel, link: &dyn Link) -> Result<(), String> {
    let wire = link.connect().await?;
    let mut s = Session { door, config, wire, sent: HashMap::new(), requests: 0, waiting: None };
    let secret = config.secret.reveal()?;
    let subscribed = s.request("aibot_subscribe", &json!({"bot_id": config.bot_id, "secret": secret})).await?;
    s.until_receipt(&subscribed).await?;
    let mut ping = tokio::time::interval_at(Instant::now() + PING, PING);
    let mut look = tokio::time::interval(LOOK);
    loop {
        tokio::select! {
            frame = s.wire.next() => match frame? {
                Some(text) => s.heard(&text).await?,
                None => return Err(say::bot_closed()),
            },
            _ = ping.tick() => {
                if s.waiting.replace(Instant::now()).is_some() {
                    return Err(say::bot_silent());
                }
                s.request("ping", &Value::Null).await?;
            }
            _ = look.tick() => s.deliver().await?,
        }
    }
}

impl Session<'_> {
    /// Sends a request; gives its identity.
    async fn request(&mut self, cmd: &str, body: &Value) -> Result<String, String> {
        self.requests += 1;
        let id = format!("{cmd}_{}_{}", self.door.clock().now(), self.requests);
        let mut frame = json!({"cmd": cmd, "headers": {"req_id": id}});
        if !body.is_null() {
            frame["body"] = body.clone();
        }
        self.wire.send(frame.to_string()).await?;
        Ok(id)
    }

    /// Waits until a request is acknowledged; what else comes meanwhile is dealt with.
    async fn until_receipt(&mut self, id: &str) -> Result<(), String> {
        let deadline = Instant::now() + RECEIPT;
        loop {
            let next = tokio::time::timeout_at(deadline, self.wire.next()).await;
            let text = next.map_err(|_| say::bot_silent())??.ok_or_else(say::bot_closed)?;
            let frame: Value = serde_json::from_str(&text).unwrap_or(Value::Null);
            if frame["headers"]["req_id"] == id && frame.get("cmd").is_none() {
                let code = frame["errcode"].as_i64().unwrap_or(-1);
                let why = frame["errmsg"].as_str().unwrap_or_default();
                return if code == 0 { Ok(()) } else { Err(crate::locale::notify::wecom_error(code, why)) };
            }
            self.heard(&text).await?;
        }
    }

    async fn heard(&mut self, text: &str) -> Result<(), String> {
        let frame: Value = serde_json::from_str(text).map_err(|e| e.to_string())?;
        match frame["cmd"].as_str() {
            None => self.receipt(&frame).await,
            Some("aibot_msg_callback") => self.message(&frame["body"]).await,
            Some("aibot_event_callback") if frame["body"]["event"]["eventtype"] == "disconnected_event" => {
                Err(say::bot_elsewhere())
            }
            Some(_) => Ok(()),
        }
    }

    /// What a person wrote. It is durable before anything else is read; the platform sends it again otherwise.
    async fn message(&mut self, body: &Value) -> Result<(), String> {
        let source = self.config.name.as_str();
        let plain = body.to_string();
        let result = match read(plain.as_bytes()) {
            Ok(Some(heard)) => self.door.run(&heard.wrote(Channel::Wecom, source, self.door.config())).await,
            Ok(None) => return Ok(()),
            Err(reason) => {
                let hold = Hold { channel: "wecom".into(), source: source.into(), reason, body: plain.into_bytes() };
                self.door.run(&hold).await
            }
        };
        match result {
            Ok(_) | Err(ActionError::Taken(_)) => Ok(()),
            Err(e) => Err(e.to_string()),
        }
    }

    async fn receipt(&mut self, frame: &Value) -> Result<(), String> {
        let id = frame["headers"]["req_id"].as_str().unwrap_or_default();
        if id.starts_with("ping_") {
            self.waiting = None;
        }
        let Some((message, tries, _)) = self.sent.remove(id) else { return Ok(()) };
        let (store, now) = (self.door.store(), self.door.clock().now());
        let done = match crate::notify::channels::understood(frame) {
            Ok(()) => outbox::sent(store, &[message], now).await,
            Err(SendError::Later { why, rest }) => {
                outbox::failed(store, &[message], &why, Some(now + wait_after(tries).max(rest.unwrap_or(0)))).await
            }
            Err(SendError::Never(why)) => outbox::failed(store, &[message], &why, None).await,
        };
        done.map_err(|e| e.to_string())
    }

    /// Sends what waits in the outbox, a message a person at a time.
    async fn deliver(&mut self) -> Result<(), String> {
        let late = self.sent.iter().find(|(_, (.., since))| since.elapsed() > RECEIPT);
        if late.is_some() {
            return Err(say::bot_silent());
        }
        let (store, now) = (self.door.store(), self.door.clock().now());
        let text = |e: crate::store::StoreError| e.to_string();
        for recipient in outbox::recipients(store, &self.config.name, now).await.map_err(text)? {
            let waiting = outbox::waiting(store, &self.config.name, &recipient, now).await.map_err(text)?;
            let Some(first) = waiting.first() else { continue };
            // in order: the next one leaves when this one is acknowledged
            if self.sent.values().any(|(id, ..)| *id == first.id) {
                continue;
            }
            let content = within_bytes(&Outgoing::of(first).text(), BYTES);
            let body = json!({"chatid": recipient, "msgtype": "markdown", "markdown": {"content": content}});
            let id = self.request("aibot_send_msg", &body).await?;
            self.sent.insert(id, (first.id, first.tries, Instant::now()));
        }
        Ok(())
    }
}
