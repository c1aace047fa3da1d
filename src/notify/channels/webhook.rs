//! Anything that takes HTTP (an SMS gateway, a chat): the body is a template of the configuration.

use std::collections::BTreeMap;
use std::str::FromStr as _;

use super::{Outgoing, SendError, TIMEOUT, judge};
use crate::config::NotifyChannel;
use crate::notify::templates::{check, render};

#[derive(Debug)]
pub(super) struct Webhook {
    url: String,
    headers: reqwest::header::HeaderMap,
    template: String,
    client: reqwest::Client,
}

impl Webhook {
    pub(super) fn open(config: &NotifyChannel) -> Result<Self, String> {
        check(&config.body)?;
        let mut headers = reqwest::header::HeaderMap::new();
        for (name, value) in &config.headers {
            let named = reqwest::header::HeaderName::from_str(name).map_err(|e| format!("{name}: {e}"))?;
            let value = value.reveal()?.parse().map_err(|_| crate::locale::notify::bad_header(name))?;
            headers.insert(named, value);
        }
        Ok(Self {
            url: config.url.reveal()?,
            headers,
            template: config.body.clone(),
            client: crate::net::http_client(TIMEOUT)?,
        })
    }

    pub(super) async fn send(&self, m: &Outgoing) -> Result<(), SendError> {
        let values = BTreeMap::from([
            ("recipient", m.recipient.clone()),
            ("subject", m.subject.clone()),
            ("body", m.body.clone()),
            ("text", m.text()),
            ("ticket", m.ticket_id.map(|id| id.to_string()).unwrap_or_default()),
            ("id", m.id.to_string()),
        ]);
        let body = render(&self.template, &values).map_err(SendError::Never)?;
        let mut request = self.client.post(&self.url);
        if !self.headers.contains_key("content-type") {
            request = request.header("content-type", "application/json");
        }
        judge(request.headers(self.headers.clone()).body(body).send().await).await.map(|_| ())
    }
}
