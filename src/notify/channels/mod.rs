//! Ways out: what each needs, and what it says when something does not get through.

mod app;
mod mail;
mod robot;
mod webhook;

pub(crate) use robot::understood;

use std::time::Duration;

use super::model::Queued;
use crate::clock::{Millis, SECOND};
use crate::config::{Notify, NotifyChannel};
use crate::locale::notify as say;

/// How long a delivery may take.
const TIMEOUT: Duration = Duration::from_secs(10);

/// A message on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// Its number: the same message has the same one however often it is tried.
    pub id: i64,
    /// Who, as the channel knows them; empty: everybody there.
    pub recipient: String,
    /// One line.
    pub subject: String,
    /// Everything else.
    pub body: String,
    /// The ticket it is about.
    pub ticket_id: Option<i64>,
    /// What it answers: the identity of a mail.
    pub thread: String,
}

impl Outgoing {
    /// The message of the outbox.
    pub fn of(q: &Queued) -> Self {
        let m = &q.message;
        Self {
            id: q.id,
            recipient: m.recipient.clone(),
            subject: m.subject.clone(),
            body: m.body.clone(),
            ticket_id: m.ticket_id,
            thread: m.thread.clone(),
        }
    }

    /// Subject and body as one text.
    pub fn text(&self) -> String {
        match (self.subject.is_empty(), self.body.is_empty()) {
            (true, _) => self.body.clone(),
            (_, true) => self.subject.clone(),
            _ => format!("{}\n{}", self.subject, self.body),
        }
    }
}

/// Why a message did not get through.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// It may later; with `rest`, nothing else will before so many milliseconds.
    #[error("{why}")]
    Later {
        /// What happened.
        why: String,
        /// How long the whole channel should rest.
        rest: Option<Millis>,
    },
    /// It never will: given up at once.
    #[error("{0}")]
    Never(String),
}

impl SendError {
    pub(super) fn later(why: impl std::fmt::Display) -> Self {
        Self::Later { why: crate::text::clean(&why.to_string()).into_owned(), rest: None }
    }
}

/// A way out, ready to be used.
#[derive(Debug)]
pub struct Channel {
    config: NotifyChannel,
    over: usize,
    give_up: Millis,
    way: Way,
}

#[derive(Debug)]
enum Way {
    Robot(robot::Robot),
    App(app::App),
    Mail(Box<mail::Mail>),
    Webhook(webhook::Webhook),
}

impl Channel {
    /// Makes a channel of the configuration ready; nothing is connected yet.
    ///
    /// # Errors
    /// When a secret cannot be read or a template is wrong; the sentence says which.
    pub fn open(config: &NotifyChannel, all: &Notify) -> Result<Self, String> {
        let way = match config.kind.as_str() {
            "wecom_robot" => Way::Robot(robot::Robot::open(config)?),
            "wecom_app" => Way::App(app::App::open(config)?),
            "smtp" => Way::Mail(Box::new(mail::Mail::open(config)?)),
            "webhook" => Way::Webhook(webhook::Webhook::open(config)?),
            other => return Err(say::no_such_kind(other)),
        };
        Ok(Self { config: config.clone(), over: all.digest_over, give_up: all.give_up.millis(), way })
    }

    /// Its name in the configuration.
    pub fn name(&self) -> &str {
        &self.config.name
    }

    /// Messages that may leave in a sliding minute; `None`: as many as there are.
    pub fn per_minute(&self) -> Option<usize> {
        (self.config.per_minute > 0).then_some(self.config.per_minute)
    }

    /// More messages than this to one recipient leave as one.
    pub fn digest_over(&self) -> usize {
        self.over
    }

    /// How long a message is tried, in milliseconds.
    pub fn give_up(&self) -> Millis {
        self.give_up
    }

    /// Several messages as one.
    pub fn digest(&self, recipient: &str, parts: &[&Queued]) -> Outgoing {
        let lines: Vec<String> = parts.iter().map(|q| format!("· {}", q.message.subject)).collect();
        Outgoing {
            id: parts.first().map_or(0, |q| q.id),
            recipient: recipient.to_owned(),
            subject: say::digest(parts.len()),
            body: lines.join("\n"),
            ticket_id: None,
            thread: String::new(),
        }
    }

    /// Sends; at most [`TIMEOUT`].
    ///
    /// # Errors
    /// Whether it may get through later.
    pub async fn send(&self, message: &Outgoing) -> Result<(), SendError> {
        let sending = async {
            match &self.way {
                Way::Robot(way) => way.send(message).await,
                Way::App(way) => way.send(message).await,
                Way::Mail(way) => way.send(message).await,
                Way::Webhook(way) => way.send(message).await,
            }
        };
        let late = || SendError::later(say::no_answer(TIMEOUT.as_secs()));
        tokio::time::timeout(TIMEOUT + Duration::from_secs(1), sending).await.unwrap_or_else(|_| Err(late()))
    }
}

/// What an HTTP answer means for a message: 2xx is through, 408, 429 and 5xx may be later, the rest never is.
pub(super) async fn judge(answer: Result<reqwest::Response, reqwest::Error>) -> Result<reqwest::Response, SendError> {
    // the address may hold a key: it is never part of an error
    let answer = answer.map_err(|e| SendError::later(e.without_url()))?;
    let status = answer.status();
    if status.is_success() {
        return Ok(answer);
    }
    let why = say::http_status(status.as_u16());
    if status.as_u16() == 429 {
        let after = answer.headers().get("retry-after").and_then(|v| v.to_str().ok()?.parse::<i64>().ok());
        return Err(SendError::Later { why, rest: Some(after.unwrap_or(60).clamp(1, 3_600) * SECOND) });
    }
    if status.is_server_error() || status.as_u16() == 408 {
        return Err(SendError::later(why));
    }
    Err(SendError::Never(why))
}
