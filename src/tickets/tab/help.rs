//! What may help with the ticket under the cursor: articles, and what was solved before. It is looked for once the
//! cursor rests, and kept by the version of the ticket.

use std::collections::HashMap;
use std::sync::Arc;

use super::{TicketsTab, act_on};
use crate::action::{Action, BoxFuture, Door};
use crate::clock::{MINUTE, Millis};
use crate::console::tab::{Effect, Field, Form, Load, Pick, Preview, Reading, Snapshot};
use crate::locale::tickets as say;
use crate::tickets::actions::{Change, What};
use crate::tickets::model::Ticket;
use crate::tickets::store::{self, Among};
use crate::tui::markdown;

/// Most of each that are offered.
const OFFERED: usize = 3;
/// Tickets whose offers are kept.
const KEPT: usize = 64;
/// Offers older than this are looked for again, in milliseconds.
const GOOD_FOR: Millis = 5 * MINUTE;
/// Most characters of an article that are put into an answer.
const EXTRACT: usize = 1_500;

/// A published article that may answer a ticket.
#[derive(Debug, Clone)]
pub struct Offered {
    /// Its number.
    pub article: i64,
    /// One line.
    pub title: String,
    /// Markdown.
    pub text: String,
    /// Tickets that it has answered.
    pub answered: i64,
}

/// Finds articles for a text, the best first, at most so many.
pub type Articles = fn(Door, String, usize) -> BoxFuture<'static, Result<Vec<Offered>, String>>;
/// The action by which an article counts as the answer of a ticket.
pub type Answers = fn(article: i64, ticket: i64) -> Arc<dyn Action>;
/// The form in which a solved ticket becomes an article.
pub type ArticleForm = fn(&Ticket) -> Form;

/// Where an offer comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    Article(i64),
    Ticket(i64),
}

/// Something that may help.
#[derive(Debug, Clone)]
pub(in crate::tickets) struct Offer {
    source: Source,
    title: String,
    /// Markdown.
    text: String,
    /// What is put into an answer.
    extract: String,
    /// In a line.
    pub(in crate::tickets) line: String,
}

/// What was found for a version of a ticket.
pub(super) struct Helped {
    of: (i64, i64),
    found: Option<Vec<Offer>>,
}

/// What was found, and what is being looked for.
#[derive(Debug, Default)]
pub(super) struct Help {
    kept: HashMap<i64, (i64, Millis, Vec<Offer>)>,
    asking: Option<(i64, i64)>,
    /// When a key was last pressed.
    pub(super) since: Millis,
}

fn extract(text: &str) -> String {
    let plain = markdown::plain(text);
    let cut: String = plain.chars().take(EXTRACT).collect();
    if cut.len() < plain.len() { format!("{cut}…") } else { cut }
}

impl Offer {
    fn article(a: Offered) -> Self {
        let line = say::offer_article(a.article, &a.title, a.answered);
        let extract = format!("{}\n\n（KB{} {}）", extract(&a.text), a.article, a.title);
        Self {
            source: Source::Article(a.article),
            title: format!("KB{}  {}", a.article, a.title),
            text: a.text,
            extract,
            line,
        }
    }

    fn solved(s: store::Similar) -> Self {
        let text = format!("# {}\n{}\n\n# {}\n{}", say::field_cause(), s.cause, say::field_solution(), s.solution);
        let line = say::solved_before(s.id, &s.title, &s.solution);
        Self { source: Source::Ticket(s.id), title: format!("#{}  {}", s.id, s.title), text, extract: s.solution, line }
    }
}

impl TicketsTab {
    /// The offers for the ticket under the cursor.
    pub(in crate::tickets) fn offers_here(&self) -> &[Offer] {
        let here = self.current().filter(|t| t.is_open()).and_then(|t| self.help.kept.get(&t.id));
        here.map_or(&[], |(_, _, offers)| offers)
    }

    /// The ticket whose offers are to be looked for at `now`; none while they are known or being looked for.
    fn helpless(&self, now: Millis) -> Option<&Ticket> {
        let (t, _) =
            self.detail.as_ref().filter(|(t, _)| t.is_open() && self.current().is_some_and(|c| c.id == t.id))?;
        let old = |(version, at, _): &(i64, Millis, Vec<Offer>)| *version != t.version || now - at > GOOD_FOR;
        let wanted = self.help.kept.get(&t.id).is_none_or(old) && self.help.asking != Some((t.id, t.version));
        (wanted && self.around.is_some() && (self.full || self.place.look.preview)).then_some(t)
    }

    pub(super) fn rests(&self, now: Millis) -> Option<Millis> {
        self.helpless(now).map(|_| self.help.since)
    }

    pub(super) fn look_for_help(&mut self, now: Millis) -> Option<Load> {
        let t = self.helpless(now)?;
        let (of, title) = ((t.id, t.version), t.title.clone());
        let articles = self.around.as_ref()?.articles;
        self.help.asking = Some(of);
        Some(Box::new(move |door| {
            Box::pin(async move {
                let solved = store::similar(door.store(), &title, Among::Solved, Some(of.0), OFFERED).await;
                let found = articles(door.clone(), title, OFFERED).await;
                // what cannot be looked for now is looked for when the cursor comes again
                let found = found.ok().zip(solved.ok()).map(|(articles, solved)| {
                    articles.into_iter().map(Offer::article).chain(solved.into_iter().map(Offer::solved)).collect()
                });
                Ok(Box::new(Helped { of, found }) as Snapshot)
            })
        }))
    }

    pub(super) fn helped(&mut self, helped: Helped, now: Millis) {
        let Helped { of, found } = helped;
        let Some(found) = found else { return };
        if self.help.asking == Some(of) {
            self.help.asking = None;
        }
        if self.help.kept.len() >= KEPT {
            self.help.kept.clear();
        }
        self.help.kept.insert(of.0, (of.1, now, found));
    }

    /// A list of what is offered, and what follows the choice of one.
    fn pick_offer(&self, title: String, then: impl Fn(&Offer) -> Vec<Effect> + Send + 'static) -> Vec<Effect> {
        let offers = self.offers_here().to_vec();
        let items = offers.iter().enumerate().map(|(i, o)| (i.to_string(), o.line.clone())).collect();
        let then =
            Box::new(move |i: &str| i.parse().ok().and_then(|i: usize| offers.get(i)).map(&then).unwrap_or_default());
        vec![Effect::Pick(Pick { title, items, then })]
    }

    /// Reads one of what is offered.
    pub(super) fn read_offer(&self) -> Vec<Effect> {
        let Some(t) = self.current() else { return vec![] };
        let (ticket, answers) = (t.id, self.around.map(|a| a.answers));
        let title = say::offers_for(ticket);
        self.pick_offer(title, move |o| {
            let keys = vec![('r', say::key_answer_with(), answer(ticket, o, answers))];
            vec![Effect::Read(Reading { title: o.title.clone(), text: o.text.clone(), keys })]
        })
    }

    /// Answers with one of what is offered.
    pub(super) fn answer_offer(&self) -> Vec<Effect> {
        let Some(t) = self.current() else { return vec![] };
        let (ticket, answers) = (t.id, self.around.map(|a| a.answers));
        self.pick_offer(say::answer_for(ticket), move |o| answer(ticket, o, answers))
    }

    /// The solved ticket under the cursor becomes an article.
    pub(super) fn write_article(&self) -> Vec<Effect> {
        let whole = self.detail.as_ref().filter(|(t, _)| self.current().is_some_and(|c| c.id == t.id));
        match (whole, self.around) {
            (Some((t, _)), Some(around)) => vec![Effect::Form((around.article)(t))],
            _ => vec![],
        }
    }
}

/// An answer to `ticket` that begins with what the offer says; sent, the offer counts as its answer.
fn answer(ticket: i64, o: &Offer, answers: Option<Answers>) -> Vec<Effect> {
    let source = o.source;
    let submit = Box::new(move |v: &[String]| {
        let reply = What::Reply(v[0].clone());
        let counted: Option<Arc<dyn Action>> = match (source, answers) {
            (Source::Article(article), Some(answers)) => Some(answers(article, ticket)),
            (Source::Article(_), None) => None,
            (Source::Ticket(like), _) => {
                let snapshot = serde_json::json!({"relation": "answered_by"});
                let link = What::Link { kind: "ticket".into(), subject: format!("#{like}"), snapshot };
                Some(Arc::new(Change::new(ticket, link)))
            }
        };
        let mut effects = act_on(vec![(ticket, None)], &reply);
        if let Some(Effect::Act(actions)) = effects.first_mut() {
            actions.extend(counted);
        }
        Ok(effects)
    });
    let note = say::answer_is_public();
    let fields = vec![Field::long(say::field_reply(), o.extract.clone())];
    let preview: Preview = Box::new(move |_, _| vec![note.clone()]);
    vec![Effect::Form(Form::new(say::answer_with(ticket, &o.title), fields, submit).preview(Some(preview)))]
}
