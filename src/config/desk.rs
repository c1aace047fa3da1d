//! `[desk]`

use serde::{Deserialize, Serialize};

use super::Problems;
use crate::notify::templates::{Values, render};

/// What a canned reply may name. Every name is always there; one that does not apply is empty.
pub const REPLY_NAMES: &[&str] = &[
    "id",
    "title",
    "reporter",
    "owner",
    "level",
    "scope",
    "severity",
    "state",
    "channel",
    "reported_at",
    "response_due",
    "due",
    "me",
];

/// `[desk]`
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Desk {
    /// Replies to pick from.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub reply: Vec<CannedReply>,
}

/// `[[desk.reply]]`
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CannedReply {
    /// As it is picked, unique.
    pub name: String,
    /// The text in Chinese, a template of [`REPLY_NAMES`]; empty: only the other.
    pub zh: String,
    /// The same in English.
    pub en: String,
}

impl Desk {
    pub(super) fn check(&self, problems: &mut Problems) {
        let values: Values<'_> = REPLY_NAMES.iter().map(|n| (*n, "1".to_owned())).collect();
        for (i, reply) in self.reply.iter().enumerate() {
            let n = (i + 1).to_string();
            let mut wrong = |key: &str, why: String| problems.add(&["desk", "reply", &n, key], why);
            if reply.name.trim().is_empty() {
                wrong("name", "is missing".into());
            }
            if self.reply[..i].iter().any(|r| r.name == reply.name) {
                wrong("name", format!("another reply is called `{}`", reply.name));
            }
            if reply.zh.trim().is_empty() && reply.en.trim().is_empty() {
                wrong("zh", "a reply needs a text: zh, en or both".into());
            }
            for (key, text) in [("zh", &reply.zh), ("en", &reply.en)] {
                if let Err(e) = render(text, &values) {
                    wrong(key, format!("{e} (names: {})", REPLY_NAMES.join(", ")));
                }
            }
        }
    }
}
