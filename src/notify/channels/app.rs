//! A self-built application of WeCom: messages to members, by its API.

use serde_json::{Value, json};

use super::robot::understood;
use super::{Outgoing, SendError, TIMEOUT, judge};
use crate::config::NotifyChannel;
use crate::notify::model::within_bytes;

/// Most bytes of a text message.
const TEXT_BYTES: usize = 2_048;

#[derive(Debug)]
pub(super) struct App {
    api: String,
    corp: String,
    agent: i64,
    secret: String,
    client: reqwest::Client,
}

impl App {
    pub(super) fn open(config: &NotifyChannel) -> Result<Self, String> {
        Ok(Self {
            api: config.url.reveal()?.trim_end_matches('/').to_owned(),
            corp: config.corp_id.clone(),
            agent: config.agent_id,
            secret: config.secret.reveal()?,
            client: crate::net::http_client(TIMEOUT)?,
        })
    }

    /// An access token. WeCom gives the same one while it lasts, so it is asked for again instead of kept.
    async fn token(&self) -> Result<String, SendError> {
        let url = format!("{}/cgi-bin/gettoken", self.api);
        let query = [("corpid", self.corp.as_str()), ("corpsecret", self.secret.as_str())];
        let answer = judge(self.client.get(with_query(&url, &query)).send().await).await?;
        let answer: Value = answer.json().await.map_err(|e| SendError::later(e.without_url()))?;
        match answer["access_token"].as_str() {
            Some(token) => Ok(token.to_owned()),
            None => Err(understood(&answer).err().unwrap_or_else(|| SendError::later("access_token"))),
        }
    }

    pub(super) async fn send(&self, m: &Outgoing) -> Result<(), SendError> {
        let token = self.token().await?;
        let url = with_query(&format!("{}/cgi-bin/message/send", self.api), &[("access_token", token.as_str())]);
        let to = if m.recipient.is_empty() { "@all" } else { m.recipient.as_str() };
        let content = within_bytes(&m.text(), TEXT_BYTES);
        let body = json!({"touser": to, "msgtype": "text", "agentid": self.agent, "text": {"content": content},
            "enable_duplicate_check": 1, "duplicate_check_interval": 1_800});
        let answer = judge(self.client.post(url).json(&body).send().await).await?;
        understood(&answer.json().await.map_err(|e| SendError::later(e.without_url()))?)
    }
}

/// An address with a query, its values escaped.
fn with_query(url: &str, query: &[(&str, &str)]) -> String {
    let escape = |text: &str| -> String {
        text.bytes()
            .map(|b| {
                if b.is_ascii_alphanumeric() || b"-_.~".contains(&b) {
                    (b as char).to_string()
                } else {
                    format!("%{b:02X}")
                }
            })
            .collect()
    };
    let pairs: Vec<String> = query.iter().map(|(k, v)| format!("{k}={}", escape(v))).collect();
    format!("{url}?{}", pairs.join("&"))
}
