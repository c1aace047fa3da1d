//! What a sender may say. Pure.

use serde::{Deserialize, Serialize};

use crate::clock::Millis;
pub use crate::digest::sha256 as digest;
use crate::locale::intake as say;

/// Most characters of a title.
pub const TITLE_MAX: usize = 1_000;
/// Most characters of a body or a message.
pub const TEXT_MAX: usize = 100_000;
/// Most characters of a name, an address, a key.
pub const NAME_MAX: usize = 256;

/// What a token lets its holder do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum TokenKind {
    /// The feedback module: tickets, messages, satisfaction.
    Api,
    /// Alertmanager's webhook.
    Alertmanager,
    /// Any other webhook, by a mapping of the configuration.
    Webhook,
}

impl TokenKind {
    /// The word used in the store and on the command line.
    pub fn word(self) -> &'static str {
        match self {
            Self::Api => "api",
            Self::Alertmanager => "alertmanager",
            Self::Webhook => "webhook",
        }
    }

    /// The kind of a word; an unknown word is none.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Api, Self::Alertmanager, Self::Webhook].into_iter().find(|k| k.word() == word)
    }
}

/// A way in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Channel {
    /// The HTTP interface.
    Api,
    /// Enterprise WeChat.
    Wecom,
    /// DingTalk.
    Dingtalk,
    /// E-mail.
    Mail,
    /// Monitoring.
    Alert,
}

impl Channel {
    /// The word used in the store; a ticket's `channel`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Api => "api",
            Self::Wecom => "wecom",
            Self::Dingtalk => "dingtalk",
            Self::Mail => "mail",
            Self::Alert => "alert",
        }
    }
}

/// A person at the other end of a channel.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Sender {
    /// Who they are in that channel: an account, a mail address.
    pub address: String,
    /// What they are called.
    pub name: String,
    /// How else to reach them.
    pub contact: String,
}

impl Sender {
    /// How a ticket names them.
    pub fn shown(&self) -> &str {
        if self.name.trim().is_empty() { &self.address } else { &self.name }
    }
}

/// Something wrong with what was sent: which field (a JSON pointer), and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The field, as a JSON pointer: `/reporter/id`.
    pub field: String,
    /// Why, and what to send instead.
    pub why: String,
}

impl Fault {
    /// A fault of `field`.
    pub fn new(field: &str, why: String) -> Self {
        Self { field: field.into(), why }
    }
}

/// Faults in one sentence.
pub fn in_words(faults: &[Fault]) -> String {
    faults.iter().map(|f| format!("{}: {}", f.field, f.why)).collect::<Vec<_>>().join("; ")
}

/// Text of 1 to `most` characters, not all blank.
///
/// # Errors
/// Names `field`.
pub fn required(field: &str, text: &str, most: usize) -> Result<(), Fault> {
    if text.trim().is_empty() {
        return Err(Fault::new(field, say::is_empty()));
    }
    at_most(field, text, most)
}

/// Text of at most `most` characters.
///
/// # Errors
/// Names `field`.
pub fn at_most(field: &str, text: &str, most: usize) -> Result<(), Fault> {
    if text.chars().count() > most { Err(Fault::new(field, say::too_long(most))) } else { Ok(()) }
}

/// One of `words`.
///
/// # Errors
/// Names `field`.
pub fn one_of(field: &str, text: &str, words: &[&str]) -> Result<(), Fault> {
    if words.contains(&text) { Ok(()) } else { Err(Fault::new(field, say::one_of(&words.join(", ")))) }
}

/// An instant as senders write it.
///
/// # Errors
/// Names `field`.
pub fn instant(field: &str, text: &str) -> Result<Millis, Fault> {
    crate::clock::parse_rfc3339(text).map_err(|_| Fault::new(field, say::not_rfc3339()))
}

/// A whole number, also written `5.0`: JSON knows no other kind of number, and JSON Schema calls both an integer.
///
/// # Errors
/// When it has a fraction, is no number, or does not fit.
pub fn whole<'de, D: serde::Deserializer<'de>>(from: D) -> Result<i64, D::Error> {
    const MOST: f64 = 9_223_372_036_854_775_808.0;
    let number = serde_json::Number::deserialize(from)?;
    let rounded = || number.as_f64().filter(|n| n.fract() == 0.0 && n.abs() < MOST).map(|n| n as i64);
    number.as_i64().or_else(rounded).ok_or_else(|| serde::de::Error::custom(say::not_whole()))
}
