//! The form of a reply: it says that it is public, and what is often said can be picked.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError};

use super::TicketsTab;
use super::presence::in_words;
use crate::console::tab::{Effect, Field, Offer, Preview};
use crate::locale::tickets as say;
use crate::tickets::actions::What;
use crate::tickets::canned;
use crate::tickets::model::Doing;

/// More reporters than this are counted.
const MOST_NAMES: usize = 4;

impl TicketsTab {
    pub(super) fn ask_reply(&self) -> Vec<Effect> {
        // the two must never be taken for each other: each says who reads it
        let to = self.reporters();
        let fields = vec![Field::long(say::field_reply(), "")];
        let warned = AtomicBool::new(false);
        let (others, id) = (self.presence.others.clone(), self.current().map_or(0, |t| t.id));
        let writing = move || {
            let known = others.lock().unwrap_or_else(PoisonError::into_inner);
            let all = if known.0 == id { known.1.as_slice() } else { &[] };
            all.iter().filter(|o| o.doing != Doing::Viewing).cloned().collect::<Vec<_>>()
        };
        let seen = writing.clone();
        let what = move |v: &[String]| {
            let others = writing();
            // two answers to one question are worse than one that comes a moment later
            if !others.is_empty() && !warned.swap(true, Ordering::Relaxed) {
                return Err(say::others_write(&in_words(&others)));
            }
            Ok(What::Reply(v[0].clone()))
        };
        let public = say::reply_is_public(&to);
        let preview: Preview = Box::new(move |_, _| {
            let others = seen();
            let others = (!others.is_empty()).then(|| in_words(&others));
            std::iter::once(public.clone()).chain(others).collect()
        });
        let mut effects = self.ask(say::form_reply(), fields, Some(preview), what);
        if let Some(Effect::Form(form)) = effects.first_mut() {
            form.offer = self.canned();
            form.about = form.about.map(|(id, _)| (id, Doing::Replying.word()));
        }
        effects
    }

    /// Who reported the chosen tickets: the names, or how many where there are many.
    fn reporters(&self) -> String {
        let mut names: Vec<&str> = self.chosen_rows().iter().map(|t| t.reporter.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        if names.len() > MOST_NAMES { say::users(names.len()) } else { names.join(" · ") }
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
