//! The group robot of WeCom: outwards only, by a webhook address that is its own secret.

use serde_json::{Value, json};

use super::{Outgoing, SendError, TIMEOUT, judge};
use crate::clock::MINUTE;
use crate::config::NotifyChannel;
use crate::locale::notify as say;
use crate::notify::model::within_bytes;

/// Most bytes of a text message (developer.work.weixin.qq.com, path 91770).
const TEXT_BYTES: usize = 2_048;
/// "API frequency out of limit", of WeCom's table of errors.
const TOO_OFTEN: i64 = 45_009;

#[derive(Debug)]
pub(super) struct Robot {
    url: String,
    client: reqwest::Client,
}

impl Robot {
    pub(super) fn open(config: &NotifyChannel) -> Result<Self, String> {
        Ok(Self { url: config.url.reveal()?, client: crate::net::http_client(TIMEOUT)? })
    }

    pub(super) async fn send(&self, m: &Outgoing) -> Result<(), SendError> {
        let mut text = json!({"content": within_bytes(&m.text(), TEXT_BYTES)});
        // a recipient is mentioned in the group: a number by telephone, anything else by account
        if !m.recipient.is_empty() {
            let phone = m.recipient.chars().all(|c| c.is_ascii_digit() || c == '+');
            text[if phone { "mentioned_mobile_list" } else { "mentioned_list" }] = json!([m.recipient]);
        }
        let body = json!({"msgtype": "text", "text": text});
        let answer = judge(self.client.post(&self.url).json(&body).send().await).await?;
        understood(&answer.json().await.map_err(|e| SendError::later(e.without_url()))?)
    }
}

/// What WeCom's own code says: it answers 200 to everything.
pub(crate) fn understood(answer: &Value) -> Result<(), SendError> {
    let code = answer["errcode"].as_i64().unwrap_or(-1);
    let why = say::wecom_error(code, answer["errmsg"].as_str().unwrap_or_default());
    match code {
        0 => Ok(()),
        TOO_OFTEN => Err(SendError::Later { why, rest: Some(MINUTE) }),
        // -1: "system busy"; access tokens that ran out are fetched anew with the next try
        -1 | 40_014 | 42_001 => Err(SendError::later(why)),
        _ => Err(SendError::Never(why)),
    }
}
