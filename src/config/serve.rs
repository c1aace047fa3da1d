//! `[serve]`

use std::collections::BTreeMap;
use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

use super::{Dur, Problems, Secret};

/// `[serve]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Serve {
    /// Where `zhiban serve` listens: address and port. Also `--listen`.
    pub listen: String,
    /// Certificate chain, PEM; empty: plain HTTP.
    pub tls_certificate: String,
    /// Its key, PEM.
    pub tls_key: String,
    /// Whether plain HTTP is served on other than loopback addresses. Shown as a finding.
    pub plain_http: bool,
    /// Most bytes of a request's body.
    pub body_limit: u64,
    /// Requests a second that one source may keep up.
    pub rate: u32,
    /// Requests that one source may send at once.
    pub burst: u32,
    /// Wrong tokens that one address may send in a minute, for each kind of token.
    pub wrong_tokens: u32,
    /// Most that may wait in quarantine from one source: a sender is asked to send it again later, a mail stays unread.
    pub quarantine_items: u32,
    /// Most bytes of it.
    pub quarantine_bytes: u64,
    /// How long a request's head and body may take to arrive, each.
    pub read_timeout: Dur,
    /// An alert sender that has sent a `Watchdog` before and sends none for so long has fallen silent.
    pub heartbeat: Dur,
    /// Severity of a ticket by the word that an alert carries, in lower case; another word is general.
    pub alert_severities: BTreeMap<String, String>,
    /// Applications of WeCom and DingTalk whose callbacks come to `/api/v1/wecom/NAME/callback`.
    pub apps: Vec<ChatApp>,
    /// Mailboxes that are read.
    pub mailboxes: Vec<Mailbox>,
    /// Mails that one sender may send in ten minutes; more go into quarantine.
    pub mails_per_sender: u32,
    /// How the JSON of other monitoring systems is read.
    pub webhooks: Vec<Webhook>,
    /// A message without a ticket's number joins the open ticket of who sent one so long ago at most.
    pub conversation: Dur,
}

/// `[[serve.apps]]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ChatApp {
    /// Its place in the address.
    pub name: String,
    /// `wecom` or `dingtalk`.
    pub kind: String,
    /// The token of its callback.
    pub token: Secret,
    /// The 43 characters of its key.
    pub aes_key: Secret,
    /// Whom its messages are for: the corp id, or DingTalk's application key.
    pub receiver: String,
    /// A message whose time differs from ours by more is kept in quarantine.
    pub max_age: Dur,
}

impl Default for ChatApp {
    fn default() -> Self {
        Self {
            name: String::new(),
            kind: "wecom".into(),
            token: Secret::default(),
            aes_key: Secret::default(),
            receiver: String::new(),
            max_age: Dur(3_600_000),
        }
    }
}

/// `[[serve.mailboxes]]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Mailbox {
    /// Its name, unique.
    pub name: String,
    /// IMAP server.
    pub host: String,
    /// IMAP port.
    pub port: u16,
    /// `implicit` or `none`.
    pub tls: String,
    /// IMAP user.
    pub username: String,
    /// IMAP password.
    pub password: Secret,
    /// The folder that is read.
    pub folder: String,
    /// The key that signs the identities of our mails: the `secret` of the smtp channel.
    pub secret: Secret,
}

impl Default for Mailbox {
    fn default() -> Self {
        Self {
            name: String::new(),
            host: String::new(),
            port: 993,
            tls: "implicit".into(),
            username: String::new(),
            password: Secret::default(),
            folder: "INBOX".into(),
            secret: Secret::default(),
        }
    }
}

/// `[[serve.webhooks]]`: JSON pointers into what is sent to `/api/v1/alerts/NAME`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Webhook {
    /// Its place in the address.
    pub name: String,
    /// The array of alerts; empty: the whole message is one.
    pub items: String,
    /// Names the alert.
    pub key: String,
    /// Names the matter: alerts with the same text here are one ticket; empty: each alert is one.
    pub group: String,
    /// One line.
    pub title: String,
    /// Everything else.
    pub body: String,
    /// The word of `alert_severities`.
    pub severity: String,
    /// Whether it fires.
    pub status: String,
    /// Words at `status` that say it has ended.
    pub resolved: Vec<String>,
    /// When it began: RFC 3339, seconds or milliseconds since 1970.
    pub starts_at: String,
    /// Where it is; matters of one place are linked.
    pub place: String,
    /// `individual`, `department` or `company`.
    pub scope: String,
}

impl Default for Webhook {
    fn default() -> Self {
        Self {
            name: String::new(),
            items: String::new(),
            key: "/id".into(),
            group: String::new(),
            title: "/title".into(),
            body: "/body".into(),
            severity: "/severity".into(),
            status: "/status".into(),
            resolved: ["resolved", "ok", "recovery", "0"].map(String::from).to_vec(),
            starts_at: "/starts_at".into(),
            place: "/host".into(),
            scope: "department".into(),
        }
    }
}

impl Webhook {
    fn pointers(&self) -> [(&'static str, &str); 8] {
        [
            ("items", &self.items),
            ("key", &self.key),
            ("group", &self.group),
            ("title", &self.title),
            ("body", &self.body),
            ("severity", &self.severity),
            ("status", &self.status),
            ("place", &self.place),
        ]
    }
}

impl Default for Serve {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:8440".into(),
            tls_certificate: String::new(),
            tls_key: String::new(),
            plain_http: false,
            body_limit: 4 << 20,
            rate: 5_000,
            burst: 10_000,
            wrong_tokens: 20,
            quarantine_items: 1_000,
            quarantine_bytes: 256 << 20,
            read_timeout: Dur(10_000),
            heartbeat: Dur(10 * 60_000),
            alert_severities: [
                ("critical", "urgent"),
                ("disaster", "urgent"),
                ("page", "urgent"),
                ("error", "important"),
                ("high", "important"),
                ("warning", "important"),
            ]
            .map(|(word, severity)| (word.to_owned(), severity.to_owned()))
            .into(),
            apps: vec![],
            mailboxes: vec![],
            mails_per_sender: 20,
            webhooks: vec![],
            conversation: Dur(72 * 3_600_000),
        }
    }
}

impl Serve {
    pub(super) fn check(&self, problems: &mut Problems) {
        if self.listen.parse::<SocketAddr>().is_err() {
            problems.add(&["serve", "listen"], crate::locale::intake::bad_address(&self.listen));
        }
        if self.tls_certificate.is_empty() != self.tls_key.is_empty() {
            problems.add(&["serve", "tls_certificate"], crate::locale::intake::key_for_certificate());
        }
        if !(1_024..=64 << 20).contains(&self.body_limit) {
            problems.add(&["serve", "body_limit"], "is not between 1024 and 67108864");
        }
        if self.rate == 0 || self.burst == 0 {
            problems.add(&["serve", "rate"], "rate and burst are at least 1");
        }
        if self.wrong_tokens == 0 {
            problems.add(&["serve", "wrong_tokens"], "must be at least 1");
        }
        if self.quarantine_items == 0 {
            problems.add(&["serve", "quarantine_items"], "must be at least 1");
        }
        if self.quarantine_bytes < self.body_limit {
            problems.add(&["serve", "quarantine_bytes"], "is less than body_limit: one message would not fit");
        }
        let severities = ["general", "important", "urgent"];
        for (word, severity) in &self.alert_severities {
            if !severities.contains(&severity.as_str()) {
                problems.add(&["serve", "alert_severities", word], "is none of: general, important, urgent");
            }
        }
        for (i, app) in self.apps.iter().enumerate() {
            let mut wrong = |what: &str| problems.add(&["serve", "apps"], format!("entry {}: {what}", i + 1));
            if !crate::intake::tokens::is_source(&app.name) {
                wrong("name must be letters, digits, dots, dashes or underscores");
            }
            if self.apps[..i].iter().any(|a| a.name == app.name) {
                wrong("another entry has this name");
            }
            if !["wecom", "dingtalk"].contains(&app.kind.as_str()) {
                wrong("kind must be wecom or dingtalk");
            }
            if app.token.is_empty() || app.aes_key.is_empty() || app.receiver.is_empty() {
                wrong("token, aes_key and receiver are needed");
            }
            if app.aes_key.is_plain() && app.aes_key.reveal().is_ok_and(|k| k.len() != 43) {
                wrong("aes_key has 43 characters");
            }
        }
        for (i, mailbox) in self.mailboxes.iter().enumerate() {
            let mut wrong = |what: &str| problems.add(&["serve", "mailboxes"], format!("entry {}: {what}", i + 1));
            if mailbox.name.trim().is_empty() || self.mailboxes[..i].iter().any(|m| m.name == mailbox.name) {
                wrong("name must be given, and unlike the others");
            }
            if mailbox.host.is_empty() || mailbox.username.is_empty() || mailbox.secret.is_empty() {
                wrong("host, username and secret are needed");
            }
            if !["implicit", "none"].contains(&mailbox.tls.as_str()) {
                wrong("tls must be implicit or none");
            }
        }
        if self.mails_per_sender == 0 {
            problems.add(&["serve", "mails_per_sender"], "must be at least 1");
        }
        for (i, hook) in self.webhooks.iter().enumerate() {
            let path = ["serve", "webhooks"];
            let named = |what: &str| format!("entry {}: {what}", i + 1);
            if !crate::intake::tokens::is_source(&hook.name) || hook.name == "alertmanager" {
                problems.add(&path, named("name must be letters, digits, dots, dashes or underscores"));
            }
            if self.webhooks[..i].iter().any(|h| h.name == hook.name) {
                problems.add(&path, named("another entry has this name"));
            }
            for (field, pointer) in hook.pointers() {
                if !pointer.is_empty() && !pointer.starts_with('/') {
                    problems.add(&path, named(&format!("{field} must be a JSON pointer, such as /event/id")));
                }
            }
            if hook.key.is_empty() || hook.title.is_empty() {
                problems.add(&path, named("key and title are needed"));
            }
            if !["individual", "department", "company"].contains(&hook.scope.as_str()) {
                problems.add(&path, named("scope is none of: individual, department, company"));
            }
        }
        if !(1_000..=600_000).contains(&self.read_timeout.millis()) {
            problems.add(&["serve", "read_timeout"], "is not between 1s and 10m");
        }
    }
}
