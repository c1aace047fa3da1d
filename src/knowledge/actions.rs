//! What can be done to articles.

use std::sync::Arc;

use serde_json::json;

use crate::action::{Action, ActionError, Apply, BoxFuture, Done, Role};
use crate::knowledge::model::{Article, Lesson, TITLE_MAX};
use crate::knowledge::store;
use crate::locale::knowledge as say;

fn check(a: &Article) -> Result<(), ActionError> {
    if a.title.trim().is_empty() || a.title.chars().count() > TITLE_MAX {
        return Err(ActionError::Invalid(say::title_shape(TITLE_MAX)));
    }
    if a.body.trim().is_empty() {
        return Err(ActionError::Invalid(say::file_empty()));
    }
    if !["draft", "published", "archived"].contains(&a.state.as_str()) {
        return Err(ActionError::Invalid(say::state_names()));
    }
    if a.tags.iter().any(|t| t.contains(',')) {
        return Err(ActionError::Invalid(say::tag_shape()));
    }
    Ok(())
}

/// Takes in a folder of articles: new ones, and new versions of those that changed. What is gone from the folder stays.
#[derive(Debug, Clone)]
pub struct Import {
    /// What was read.
    pub articles: Vec<Article>,
    /// Where.
    pub folder: String,
}

impl Action for Import {
    fn verb(&self) -> &'static str {
        "kb.import"
    }
    fn needs(&self) -> Role {
        Role::Operator
    }
    fn apply<'a>(&'a self, cx: &'a mut Apply<'_>) -> BoxFuture<'a, Result<Done, ActionError>> {
        Box::pin(async move {
            let (mut added, mut changed, mut same) = (0, 0, 0);
            for article in &self.articles {
                check(article)?;
                let key = article.source_key.as_deref().unwrap_or_default();
                let before = store::by_source(cx.tx, key).await?;
                let mut next = Article { author: cx.actor.name.clone(), ..article.clone() };
                if let Some(before) = before {
                    let alike = before.title == next.title
                        && before.body == next.body
                        && before.tags == next.tags
                        && before.audience == next.audience
                        && before.state == next.state
                        && before.review_on == next.review_on;
                    if alike {
                        same += 1;
                        continue;
                    }
                    next.id = before.id;
                    next.version = before.version + 1;
                    changed += 1;
                } else {
                    added += 1;
                }
                store::put(cx.tx, &next, cx.now).await?;
            }
            let value = json!({"added": added, "changed": changed, "unchanged": same});
            let done = Done::new("article", &self.folder, say::imported(added, changed, same))
                .detail(json!({"folder": self.folder, "added": added, "changed": changed}))
                .value(value);
            Ok(if added + changed == 0 { done.unchanged() } else { done })
        })
    }
}

/// Writes an article: a new one for the number 0, else a new version, if nobody wrote another since `seen`.
#[derive(Debug, Clone)]
pub struct Write {
    /// What it is to be.
    pub article: Article,
    /// The version the person looked at.
    pub seen: Option<i64>,
}

impl Action for Write {
    fn verb(&self) -> &'static str {
        "kb.write"
    }
    fn needs(&self) -> Role {
        Role::Operator
    }
    fn apply<'a>(&'a self, cx: &'a mut Apply<'_>) -> BoxFuture<'a, Result<Done, ActionError>> {
        Box::pin(async move {
            check(&self.article)?;
            let mut next = Article { author: cx.actor.name.clone(), version: 1, ..self.article.clone() };
            let mut before = None;
            if let Some(ticket) = next.ticket_id.filter(|_| next.id == 0)
                && let Some(there) = store::of_ticket(cx.tx, ticket).await?
            {
                return Err(ActionError::Taken(say::article_of_ticket(ticket, there)));
            }
            if next.id != 0 {
                let missing = || ActionError::NotFound { what: say::article_named(next.id) };
                let found = store::get_in(cx.tx, next.id).await?.ok_or_else(missing)?;
                if self.seen.is_some_and(|v| v != found.version) {
                    let id = next.id.to_string();
                    return Err(cx.conflict(say::article_named(next.id), "article", &id).await);
                }
                next.version = found.version + 1;
                before = Some(found);
            }
            let id = store::put(cx.tx, &next, cx.now).await?;
            let value = json!({"id": id, "title": next.title, "version": next.version, "state": next.state});
            let done = Done::new("article", id, say::written(id, &next.title)).detail(value.clone()).value(value);
            let undo = before.unwrap_or_else(|| Article { id, state: "archived".into(), ..next.clone() });
            Ok(done.undo(Self { article: undo, seen: Some(next.version) }))
        })
    }
}

/// An article answered a ticket: it is linked there and counted.
#[derive(Debug, Clone)]
pub struct Answered {
    /// Which article.
    pub article: i64,
    /// Which ticket.
    pub ticket: i64,
}

impl Action for Answered {
    fn verb(&self) -> &'static str {
        "kb.answered"
    }
    fn needs(&self) -> Role {
        Role::Operator
    }
    fn apply<'a>(&'a self, cx: &'a mut Apply<'_>) -> BoxFuture<'a, Result<Done, ActionError>> {
        Box::pin(async move {
            let missing = || ActionError::NotFound { what: say::article_named(self.article) };
            let article = store::get_in(cx.tx, self.article).await?.ok_or_else(missing)?;
            store::count_answer(cx.tx, self.article, 1).await?;
            let link = crate::tickets::actions::What::Link {
                kind: "article".into(),
                subject: format!("KB{} {}", self.article, article.title),
                snapshot: json!({"relation": "answered_by", "version": article.version}),
            };
            let linked = crate::tickets::actions::Change::new(self.ticket, link).apply(cx).await?;
            let value = json!({"article": self.article, "ticket": self.ticket});
            let done = Done::new("ticket", self.ticket, say::answered(self.ticket, self.article));
            let done = done.detail(value.clone()).value(value);
            Ok(match linked.as_undo() {
                Some(link) => {
                    let link = link.clone();
                    done.undo(NotAnswered { article: self.article, ticket: self.ticket, link })
                }
                None => done,
            })
        })
    }
}

/// Takes [`Answered`] back.
#[derive(Debug, Clone)]
struct NotAnswered {
    article: i64,
    ticket: i64,
    /// What takes the link back.
    link: Arc<dyn Action>,
}

impl Action for NotAnswered {
    fn verb(&self) -> &'static str {
        "kb.not_answered"
    }
    fn needs(&self) -> Role {
        Role::Operator
    }
    fn apply<'a>(&'a self, cx: &'a mut Apply<'_>) -> BoxFuture<'a, Result<Done, ActionError>> {
        Box::pin(async move {
            self.link.apply(cx).await?;
            store::count_answer(cx.tx, self.article, -1).await?;
            let value = json!({"article": self.article, "ticket": self.ticket});
            Ok(Done::new("ticket", self.ticket, say::not_answered(self.ticket, self.article))
                .detail(value.clone())
                .value(value)
                .undo(Answered { article: self.article, ticket: self.ticket }))
        })
    }
}

/// Drafts an article of a solved ticket.
#[derive(Debug, Clone)]
pub struct FromTicket {
    /// Which.
    pub ticket: i64,
}

impl Action for FromTicket {
    fn verb(&self) -> &'static str {
        "kb.from_ticket"
    }
    fn needs(&self) -> Role {
        Role::Operator
    }
    fn apply<'a>(&'a self, cx: &'a mut Apply<'_>) -> BoxFuture<'a, Result<Done, ActionError>> {
        Box::pin(async move {
            let missing = || ActionError::NotFound { what: format!("#{}", self.ticket) };
            let i = store::incident(cx.tx, self.ticket).await?.ok_or_else(missing)?;
            if i.resolved_at.is_none() {
                return Err(ActionError::Invalid(say::article_not_solved(self.ticket)));
            }
            let lesson = Lesson {
                ticket: i.id,
                title: i.title,
                symptom: i.body,
                cause: i.cause,
                solution: i.solution,
                category: i.category,
            };
            Write { article: lesson.article(), seen: None }.apply(cx).await
        })
    }
}

/// Puts an article into another state: `draft`, `published` or `archived`.
#[derive(Debug, Clone)]
pub struct SetState {
    /// Which.
    pub id: i64,
    /// The state.
    pub state: String,
}

impl Action for SetState {
    fn verb(&self) -> &'static str {
        "kb.state"
    }
    fn needs(&self) -> Role {
        Role::Operator
    }
    fn apply<'a>(&'a self, cx: &'a mut Apply<'_>) -> BoxFuture<'a, Result<Done, ActionError>> {
        Box::pin(async move {
            let missing = || ActionError::NotFound { what: say::article_named(self.id) };
            let article = store::get_in(cx.tx, self.id).await?.ok_or_else(missing)?;
            let seen = Some(article.version);
            Write { article: Article { state: self.state.clone(), ..article }, seen }.apply(cx).await
        })
    }
}
