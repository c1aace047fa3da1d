//! The form of a reply: it says that it is public, and what is often said can be picked.

use std::sync::Arc;

use super::TicketsTab;
use crate::console::tab::{Effect, Field, Offer};
use crate::locale::tickets as say;
use crate::tickets::actions::What;
use crate::tickets::canned;

impl TicketsTab {
    pub(super) fn ask_reply(&self) -> Vec<Effect> {
        // the two must never be taken for each other: each says who reads it
        let to = self.current().map(|t| t.reporter.clone()).unwrap_or_default();
        let fields = vec![Field::long(say::field_reply(), "")];
        let what = |v: &[String]| Ok(What::Reply(v[0].clone()));
        let mut effects = self.ask(say::form_reply(), fields, Self::note_line(say::reply_is_public(&to)), what);
        if let Some(Effect::Form(form)) = effects.first_mut() {
            form.offer = self.canned();
        }
        effects
    }

    /// What the configuration has to say to the chosen tickets.
    fn canned(&self) -> Option<Offer> {
        if self.config.desk.reply.is_empty() {
            return None;
        }
        let all = canned::for_all(&self.config, &self.chosen_rows(), &self.me);
        let shown = |(name, text): (String, String)| {
            let line = text.lines().map(str::trim).filter(|l| !l.is_empty()).collect::<Vec<_>>().join(" ");
            (text, format!("{name}  {line}"))
        };
        Some(Offer {
            title: say::canned_which(),
            hint: say::canned_hint(),
            items: all.into_iter().map(shown).collect(),
            then: Arc::new(|text, _| vec![Effect::Insert(text.to_owned())]),
            search: None,
        })
    }
}
