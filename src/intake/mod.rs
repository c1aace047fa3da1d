//! What arrives from outside: who may send (tokens), what came (arrivals), what could not be understood (quarantine).
//!
//! Every channel turns what it hears into the same [`actions::Report`] or [`actions::Said`]; the [`writer::Writer`]
//! makes them durable, many in one commit.

pub mod actions;
pub mod alerts;
pub mod answers;
pub mod api;
pub mod mail;
pub mod model;
pub mod quarantine;
pub mod satisfaction;
pub mod store;
pub mod tokens;
pub mod wecom;
pub mod writer;

use std::sync::Arc;

use crate::action::Action;
use crate::config::Config;

/// Reads what is in quarantine once more: the action that it stands for.
///
/// # Errors
/// Why it still cannot be understood.
pub fn understand(held: &store::Held, body: &[u8], config: &Config) -> Result<Arc<dyn Action>, String> {
    match held.channel.as_str() {
        "api" => {
            let sent: api::NewTicket = serde_json::from_slice(body).map_err(|e| e.to_string())?;
            let report = sent.report(&held.source, None, body).map_err(|f| model::in_words(&f))?;
            Ok(Arc::new(report))
        }
        "alertmanager" => {
            let sent: alerts::sources::Alertmanager = serde_json::from_slice(body).map_err(|e| e.to_string())?;
            let heard = sent.heard(&held.source, &config.serve).map_err(|f| model::in_words(&f))?;
            Ok(Arc::new(heard))
        }
        "mail" => {
            let mail = mail::model::read(body)?;
            let mailbox = config.serve.mailboxes.iter().find(|m| m.name == held.source);
            let key = mailbox.and_then(|m| m.secret.reveal().ok()).unwrap_or_default();
            Ok(Arc::new(mail::actions::Came { mail, key, mailbox: held.source.clone() }))
        }
        "wecom" | "dingtalk" => {
            let channel = if held.channel == "wecom" { model::Channel::Wecom } else { model::Channel::Dingtalk };
            let heard = wecom::message::read(body)?.ok_or_else(crate::locale::intake::empty_message)?;
            Ok(Arc::new(heard.wrote(channel, &held.source, config)))
        }
        mapping if config.serve.webhooks.iter().any(|w| w.name == mapping) => {
            let sent = serde_json::from_slice(body).map_err(|e| e.to_string())?;
            let by = config.serve.webhooks.iter().find(|w| w.name == mapping).cloned().unwrap_or_default();
            let heard = alerts::sources::mapped(&sent, &held.source, &by, &config.serve, held.at);
            Ok(Arc::new(heard.map_err(|f| model::in_words(&f))?))
        }
        other => Err(crate::locale::intake::not_retried(other)),
    }
}
