//! A message of the ticket becomes a ticket of its own.

use std::sync::Arc;

use super::TicketsTab;
use super::forms::dues;
use crate::config::Config;
use crate::console::tab::{Effect, Field, Form, Pick, Preview};
use crate::locale::tickets as say;
use crate::text::{clean, fit};
use crate::tickets::actions::{Part, Split, part};
use crate::tickets::model::messages;
use crate::tickets::sla::Policy;
use crate::tickets::words::local;

/// Cells of a title that is taken from the first line of a message.
const TITLE: usize = 80;

/// The form of the new ticket, which has the level of the old one.
fn form(
    config: &Arc<Config>,
    policy: &Arc<Policy>,
    (id, level): (i64, &str),
    message: Option<usize>,
    p: &Part,
) -> Form {
    let first = p.text.lines().map(str::trim).find(|l| !l.is_empty()).unwrap_or_default();
    let fields = vec![Field::text(say::field_title(), fit(&clean(first), TITLE))];
    let (config, policy, level, at) = (config.clone(), policy.clone(), level.to_owned(), p.at);
    let told = format!("{} · {}", local(&config, at), p.from);
    let preview: Preview = Box::new(move |_, now| {
        let due = dues(&config, &policy, &level, at, now).into_iter().take(2);
        std::iter::once(told.clone()).chain(due).chain([say::split_means()]).collect()
    });
    let submit = Box::new(move |v: &[String]| {
        if v[0].trim().is_empty() {
            return Err(say::needs_title());
        }
        Ok(vec![Effect::Act(vec![Arc::new(Split { id, title: v[0].clone(), message })])])
    });
    Form::new(say::form_split(id), fields, submit).preview(Some(preview))
}

impl TicketsTab {
    pub(super) fn pick_split(&self) -> Vec<Effect> {
        let Some((t, past)) = self.detail.as_ref().filter(|(t, _)| self.current().is_some_and(|c| c.id == t.id)) else {
            return vec![Effect::Say(say::split_loading())];
        };
        let all = std::iter::once(None).chain((1..=messages(past).len()).map(Some));
        let parts: Vec<_> = all.filter_map(|n| Some((n, part(t, past, n)?))).collect();
        let shown = |(i, (n, p)): (usize, &(Option<usize>, Part))| {
            let what = if n.is_none() { format!("{}  {}", say::split_all(), p.text) } else { p.text.clone() };
            (i.to_string(), format!("{}  {}  {what}", local(&self.config, p.at), p.from))
        };
        let items = parts.iter().enumerate().map(shown).collect();
        let (config, policy, level, id) = (self.config.clone(), self.policy.clone(), t.level.clone(), t.id);
        let then = Box::new(move |i: &str| {
            let chosen = i.parse::<usize>().ok().and_then(|i| parts.get(i));
            let form = |(n, p): &(Option<usize>, Part)| Effect::Form(form(&config, &policy, (id, &level), *n, p));
            chosen.map(form).into_iter().collect()
        });
        vec![Effect::Pick(Pick { title: say::split_what(id), items, then })]
    }
}
