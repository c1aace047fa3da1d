//! `[notify]`

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Dur, Problems, Secret};

/// `[notify]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Notify {
    /// Folder with templates that replace the built-in ones; empty: none.
    pub templates: String,
    /// More messages than this to one recipient leave as one.
    pub digest_over: usize,
    /// How long a message is tried before it is given up.
    pub give_up: Dur,
    /// Where people's browsers reach `zhiban serve`, for links in messages; empty: no links.
    pub public_url: String,
    /// The key that signs those links; empty: no links.
    pub link_key: Secret,
    /// The channel that answers reporters of a way in: `wecom`, `dingtalk`, `mail`.
    pub answer_by: BTreeMap<String, String>,
    /// Ways out.
    pub channels: Vec<NotifyChannel>,
    /// How operators are reached: name, then address by channel.
    pub people: BTreeMap<String, BTreeMap<String, String>>,
}

impl Default for Notify {
    fn default() -> Self {
        Self {
            templates: String::new(),
            digest_over: 5,
            give_up: Dur(24 * 3_600_000),
            public_url: String::new(),
            link_key: Secret::default(),
            answer_by: BTreeMap::new(),
            channels: vec![],
            people: BTreeMap::new(),
        }
    }
}

/// `[[notify.channels]]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NotifyChannel {
    /// Its name, unique.
    pub name: String,
    /// `wecom_robot`, `wecom_app`, `wecom_bot`, `smtp` or `webhook`. A `wecom_bot` also hears what people write to it.
    pub kind: String,
    /// Robot and webhook: where to send, with its key. Application: where WeCom's API is.
    pub url: Secret,
    /// Messages that may leave in a sliding minute; 0: as many as there are.
    pub per_minute: usize,
    /// Application: the company.
    pub corp_id: String,
    /// Application: its number.
    pub agent_id: i64,
    /// Smart robot: its identity.
    pub bot_id: String,
    /// Application, smart robot: its secret. SMTP: the key that signs the identities of mails.
    pub secret: Secret,
    /// SMTP server.
    pub host: String,
    /// SMTP port.
    pub port: u16,
    /// `starttls`, `implicit` or `none`.
    pub tls: String,
    /// SMTP user; empty: nobody is asked.
    pub username: String,
    /// SMTP password.
    pub password: Secret,
    /// SMTP sender: `OA desk <desk@example.com>`.
    pub from: String,
    /// Webhook: the body, a template of `recipient`, `subject`, `body`, `text`, `ticket`, `id`.
    pub body: String,
    /// Webhook: headers.
    pub headers: BTreeMap<String, Secret>,
}

impl Default for NotifyChannel {
    fn default() -> Self {
        Self {
            name: String::new(),
            kind: String::new(),
            url: Secret::default(),
            per_minute: 0,
            corp_id: String::new(),
            agent_id: 0,
            bot_id: String::new(),
            secret: Secret::default(),
            host: String::new(),
            port: 587,
            tls: "starttls".into(),
            username: String::new(),
            password: Secret::default(),
            from: String::new(),
            body: "{\"to\": {{ recipient|tojson }}, \"text\": {{ text|tojson }}}".into(),
            headers: BTreeMap::new(),
        }
    }
}

impl NotifyChannel {
    /// What is missing or wrong.
    fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        let mut need = |empty: bool, what: &str| {
            if empty {
                faults.push(format!("{} needs {what}", self.kind));
            }
        };
        match self.kind.as_str() {
            "wecom_robot" => need(self.url.is_empty(), "url"),
            "wecom_app" => {
                need(self.url.is_empty(), "url");
                need(self.corp_id.is_empty(), "corp_id");
                need(self.secret.is_empty(), "secret");
            }
            "wecom_bot" => {
                need(self.bot_id.is_empty(), "bot_id");
                need(self.secret.is_empty(), "secret");
            }
            "smtp" => {
                need(self.host.is_empty(), "host");
                need(self.from.is_empty(), "from");
                need(self.secret.is_empty(), "secret (it signs the identities of mails)");
                if !["starttls", "implicit", "none"].contains(&self.tls.as_str()) {
                    faults.push("tls must be starttls, implicit or none".into());
                }
            }
            "webhook" => {
                need(self.url.is_empty(), "url");
                if let Err(e) = crate::notify::templates::check(&self.body) {
                    faults.push(format!("body: {e}"));
                }
            }
            _ => faults.push("kind must be wecom_robot, wecom_app, wecom_bot, smtp or webhook".into()),
        }
        faults
    }
}

impl Notify {
    /// Whether there is a channel of this name.
    pub fn has(&self, channel: &str) -> bool {
        self.channels.iter().any(|c| c.name == channel)
    }

    pub(super) fn check(&self, problems: &mut Problems) {
        for (i, channel) in self.channels.iter().enumerate() {
            let mut wrong = |what: &str| {
                problems.add(&["notify", "channels"], format!("entry {} ({}): {what}", i + 1, channel.name));
            };
            if channel.name.trim().is_empty() {
                wrong("name is missing");
            }
            if self.channels[..i].iter().any(|c| c.name == channel.name) {
                wrong("another entry has this name");
            }
            for fault in channel.faults() {
                wrong(&fault);
            }
        }
        if self.digest_over == 0 {
            problems.add(&["notify", "digest_over"], "must be at least 1");
        }
        for (way, channel) in &self.answer_by {
            if !self.has(channel) {
                problems.add(&["notify", "answer_by", way], format!("there is no channel `{channel}`"));
            }
        }
        for (person, addresses) in &self.people {
            for channel in addresses.keys().filter(|c| !self.has(c)) {
                problems.add(&["notify", "people", person], format!("there is no channel `{channel}`"));
            }
        }
        if !self.public_url.is_empty() && !self.public_url.starts_with("http") {
            problems.add(&["notify", "public_url"], "must begin with https:// or http://");
        }
        for problem in crate::notify::templates::check_all(self).err().unwrap_or_default() {
            problems.add(&["notify", "templates"], problem);
        }
    }
}
