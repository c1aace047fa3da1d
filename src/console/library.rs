//! The knowledge base as the ticket desk is handed it: articles that may help, and articles made of what was solved.

use std::sync::Arc;

use super::tab::{Effect, Field, Form, Preview};
use crate::action::{Action, BoxFuture, Door};
use crate::knowledge::actions::{Answered, Write};
use crate::knowledge::model::{Article, Lesson};
use crate::knowledge::store;
use crate::locale::knowledge as say;
use crate::tickets::model::Ticket;
use crate::tickets::tab::Offered;

/// Published articles that may answer `text`.
pub(super) fn offered(door: Door, text: String, limit: usize) -> BoxFuture<'static, Result<Vec<Offered>, String>> {
    Box::pin(async move {
        let found = store::offered(door.store(), &text, limit).await.map_err(|e| e.to_string())?;
        let offer = |a: Article| Offered { article: a.id, title: a.title, text: a.body, answered: a.answered };
        Ok(found.into_iter().map(offer).collect())
    })
}

/// Counts an article as the answer of a ticket.
pub(super) fn answers(article: i64, ticket: i64) -> Arc<dyn Action> {
    Arc::new(Answered { article, ticket })
}

/// A solved ticket, as an article to be finished.
pub(super) fn form(t: &Ticket) -> Form {
    let lesson = Lesson {
        ticket: t.id,
        title: t.title.clone(),
        symptom: t.body.clone(),
        cause: t.cause.clone().unwrap_or_default(),
        solution: t.solution.clone().unwrap_or_default(),
        category: t.category.clone().unwrap_or_default(),
    };
    let draft = lesson.article();
    let choice = |words: [(&str, String); 3]| words.map(|(value, shown)| (value.to_owned(), shown)).to_vec();
    let audiences = choice([("operators", say::operators()), ("staff", say::staff()), ("everybody", say::everybody())]);
    let states = vec![("draft".to_owned(), say::draft()), ("published".to_owned(), say::published())];
    let fields = vec![
        Field::text(say::field_title(), draft.title.clone()),
        Field::long(say::field_text(), draft.body.clone()),
        Field::text(say::field_tags(), draft.tags.join(", ")),
        Field::choice(say::field_audience(), &draft.audience, audiences),
        Field::choice(say::field_state(), &draft.state, states),
    ];
    let note = say::article_note();
    let submit = Box::new(move |v: &[String]| {
        let tags = v[2].split([',', '，']).map(|t| t.trim().to_owned()).filter(|t| !t.is_empty());
        let article = Article {
            title: v[0].trim().to_owned(),
            body: v[1].trim().to_owned(),
            tags: tags.collect(),
            audience: v[3].clone(),
            state: v[4].clone(),
            ..draft.clone()
        };
        Ok(vec![Effect::Act(vec![Arc::new(Write { article, seen: None })])])
    });
    let preview: Preview = Box::new(move |_, _| vec![note.clone()]);
    Form::new(say::article_of(t.id), fields, submit).preview(Some(preview))
}
