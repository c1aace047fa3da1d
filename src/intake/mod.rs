//! What arrives from outside: who may send (tokens), what came (arrivals), what could not be understood (quarantine).
//!
//! Every channel turns what it hears into the same [`actions::Report`] or [`actions::Said`]; the [`writer::Writer`]
//! makes them durable, many in one commit.

pub mod actions;
pub mod api;
pub mod model;
pub mod quarantine;
pub mod satisfaction;
pub mod store;
pub mod tokens;
pub mod writer;

use std::sync::Arc;

use crate::action::Action;
use crate::config::Config;

/// Reads what is in quarantine once more: the action that it stands for.
///
/// # Errors
/// Why it still cannot be understood.
pub fn understand(held: &store::Held, body: &[u8], _config: &Config) -> Result<Arc<dyn Action>, String> {
    match held.channel.as_str() {
        "api" => {
            let sent: api::NewTicket = serde_json::from_slice(body).map_err(|e| e.to_string())?;
            let report = sent.report(&held.source, None, body).map_err(|faults| {
                faults.iter().map(|f| format!("{}: {}", f.field, f.why)).collect::<Vec<_>>().join("; ")
            })?;
            Ok(Arc::new(report))
        }
        other => Err(crate::locale::intake::not_retried(other)),
    }
}
