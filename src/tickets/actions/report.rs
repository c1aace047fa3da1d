//! One matter, reported once more by somebody else.

use serde_json::{Value, json};

use super::change::within_limits;
use super::new::check_reported;
use crate::action::{ActionError, Apply};
use crate::clock::Millis;
use crate::tickets::model::Ticket;

/// A further report of what a ticket is about.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// Who reports; may be empty.
    pub from: String,
    /// How it came in.
    pub channel: String,
    /// Where they are reached by that channel: an account, an address, a number; empty: nowhere.
    pub contact: String,
    /// What they say; may be empty.
    pub text: String,
    /// When they said so; now where it is not given. The clocks of the ticket start at the earliest report.
    pub reported_at: Option<Millis>,
    /// Why it is entered later than the configured limit allows.
    pub late_reason: Option<String>,
}

impl Report {
    /// Adds it to the row; gives its particulars.
    pub(super) fn add(&self, cx: &Apply<'_>, t: &mut Ticket) -> Result<Value, ActionError> {
        within_limits("", &self.text)?;
        let reason = self.late_reason.as_deref().map(str::trim).filter(|r| !r.is_empty());
        let at = check_reported(cx, self.reported_at, reason.is_some())?;
        t.reports += 1;
        // what the first reporter answered is not to be hidden by what somebody else adds
        t.flag.get_or_insert_with(|| "reported".into());
        Ok(json!({"from": self.from.trim(), "channel": self.channel, "contact": self.contact.trim(),
            "text": self.text.trim(), "reported_at": at, "late_reason": reason}))
    }
}
