//! Post-incident reviews: a draft from what happened, made whole by its author, confirmed by somebody else, published as
//! a case that answers the next ticket.

use serde_json::{Value, json};

use crate::action::{Action, ActionError, Apply, BoxFuture, Done, Role};
use crate::clock::{Millis, SECOND, rfc3339};
use crate::knowledge::model::Article;
use crate::knowledge::store::{self, Incident, Review};
use crate::locale::knowledge as say;
use crate::tickets::actions::{Change, New, What};

/// What happened, as the draft begins with it: timeline, intervals, reports.
fn facts(i: &Incident) -> Value {
    let timeline: Vec<Value> = i
        .timeline
        .iter()
        .map(|(at, actor, kind, data)| json!({"at": rfc3339(*at), "actor": actor, "kind": kind, "data": data}))
        .collect();
    let seconds = |from: Millis, to: Option<Millis>| to.map(|to| (to - from) / SECOND);
    json!({
        "ticket": i.id, "title": i.title, "level": i.level, "scope": i.scope, "reports": i.reports,
        "reported_at": rfc3339(i.reported_at), "timeline": timeline,
        "detection_s": seconds(i.reported_at, Some(i.created_at)),
        "response_s": seconds(i.reported_at, i.response_met_at),
        "resolution_s": seconds(i.reported_at, i.resolved_at),
        "response_breached": i.response_breached, "resolution_breached": i.resolution_breached,
    })
}

/// Drafts the review of a resolved ticket.
#[derive(Debug, Clone)]
pub struct Draft {
    /// The ticket.
    pub ticket: i64,
}

impl Action for Draft {
    fn verb(&self) -> &'static str {
        "review.draft"
    }
    fn needs(&self) -> Role {
        Role::Operator
    }
    fn apply<'a>(&'a self, cx: &'a mut Apply<'_>) -> BoxFuture<'a, Result<Done, ActionError>> {
        Box::pin(async move {
            let missing = || ActionError::NotFound { what: format!("#{}", self.ticket) };
            let incident = store::incident(cx.tx, self.ticket).await?.ok_or_else(missing)?;
            if incident.resolved_at.is_none() {
                return Err(ActionError::Invalid(say::review_not_needed(self.ticket)));
            }
            if store::review_in(cx.tx, self.ticket).await?.is_some() {
                return Err(ActionError::Taken(say::review_named(self.ticket)));
            }
            let review = Review {
                ticket: self.ticket,
                state: "draft".into(),
                scope: incident.scope.clone(),
                cause: incident.cause.clone(),
                handling: incident.solution.clone(),
                helped: String::new(),
                facts: facts(&incident),
                author: cx.actor.name.clone(),
                reviewer: None,
                article: None,
                updated_at: cx.now,
                version: 1,
            };
            store::add_review(cx.tx, &review, cx.now).await?;
            Ok(Done::new("review", self.ticket, say::review_drafted(self.ticket))
                .value(json!({"ticket": self.ticket, "state": "draft", "version": 1})))
        })
    }
}

/// What a person writes into a review; `None`: as it is.
#[derive(Debug, Clone, Default)]
pub struct Text {
    /// Who and what was affected.
    pub scope: Option<String>,
    /// Why it happened.
    pub cause: Option<String>,
    /// What was done.
    pub handling: Option<String>,
    /// What helped, and what would have.
    pub helped: Option<String>,
}

/// Writes into a review that is not published.
#[derive(Debug, Clone)]
pub struct Save {
    /// The ticket.
    pub ticket: i64,
    /// What is written.
    pub text: Text,
    /// The version the person looked at.
    pub seen: Option<i64>,
}

async fn unpublished(cx: &mut Apply<'_>, ticket: i64) -> Result<Review, ActionError> {
    let missing = || ActionError::NotFound { what: say::review_named(ticket) };
    let review = store::review_in(cx.tx, ticket).await?.ok_or_else(missing)?;
    if review.state == "published" {
        return Err(ActionError::Taken(say::review_state(&review.state)));
    }
    Ok(review)
}

impl Action for Save {
    fn verb(&self) -> &'static str {
        "review.save"
    }
    fn needs(&self) -> Role {
        Role::Operator
    }
    fn apply<'a>(&'a self, cx: &'a mut Apply<'_>) -> BoxFuture<'a, Result<Done, ActionError>> {
        Box::pin(async move {
            let before = unpublished(cx, self.ticket).await?;
            if self.seen.is_some_and(|v| v != before.version) {
                let id = self.ticket.to_string();
                return Err(cx.conflict(say::review_named(self.ticket), "review", &id).await);
            }
            let mut next = before.clone();
            for (field, text) in [
                (&mut next.scope, &self.text.scope),
                (&mut next.cause, &self.text.cause),
                (&mut next.handling, &self.text.handling),
                (&mut next.helped, &self.text.helped),
            ] {
                if let Some(text) = text {
                    text.clone_into(field);
                }
            }
            // what was confirmed is not what is written now
            next.state = "draft".into();
            next.author.clone_from(&cx.actor.name);
            next.version += 1;
            store::put_review(cx.tx, &next, cx.now).await?;
            let undo = Text {
                scope: Some(before.scope),
                cause: Some(before.cause),
                handling: Some(before.handling),
                helped: Some(before.helped),
            };
            Ok(Done::new("review", self.ticket, say::review_saved(self.ticket))
                .value(json!({"ticket": self.ticket, "state": "draft", "version": next.version}))
                .undo(Self { ticket: self.ticket, text: undo, seen: Some(next.version) }))
        })
    }
}

/// An improvement: a ticket of its own with an owner and a date.
#[derive(Debug, Clone)]
pub struct AddAction {
    /// The reviewed ticket.
    pub ticket: i64,
    /// What is to be done.
    pub title: String,
    /// Who does it.
    pub owner: String,
    /// Until when.
    pub due: Millis,
}

impl Action for AddAction {
    fn verb(&self) -> &'static str {
        "review.action"
    }
    fn needs(&self) -> Role {
        Role::Operator
    }
    fn apply<'a>(&'a self, cx: &'a mut Apply<'_>) -> BoxFuture<'a, Result<Done, ActionError>> {
        Box::pin(async move {
            unpublished(cx, self.ticket).await?;
            if self.title.trim().is_empty() || self.owner.trim().is_empty() || self.due <= cx.now {
                return Err(ActionError::Invalid(say::review_action_shape()));
            }
            let new = New {
                title: self.title.clone(),
                body: format!("{} · {}", say::review_named(self.ticket), rfc3339(self.due)),
                scope: "individual".into(),
                severity: "general".into(),
                channel: "review".into(),
                reporter: cx.actor.name.clone(),
                ..New::default()
            };
            let made = new.apply(cx).await?;
            let id = made.as_value()["id"].as_i64().unwrap_or_default();
            Change::new(id, What::Assign(Some(self.owner.trim().to_owned()))).apply(cx).await?;
            let snapshot = json!({"relation": "review_of", "due": rfc3339(self.due)});
            let link = What::Link { kind: "ticket".into(), subject: format!("#{}", self.ticket), snapshot };
            Change::new(id, link).apply(cx).await?;
            store::add_action(cx.tx, self.ticket, id, self.owner.trim(), self.due).await?;
            let value =
                json!({"ticket": self.ticket, "action": id, "owner": self.owner.trim(), "due": rfc3339(self.due)});
            Ok(Done::new("review", self.ticket, say::review_saved(self.ticket)).detail(value.clone()).value(value))
        })
    }
}

/// What a review still lacks.
fn lacks(r: &Review, actions: usize) -> Vec<String> {
    [
        (r.scope.trim().is_empty(), say::review_scope()),
        (r.cause.trim().is_empty(), say::review_cause()),
        (r.handling.trim().is_empty(), say::review_handling()),
        (r.helped.trim().is_empty(), say::review_helped()),
        (actions == 0, say::review_actions()),
    ]
    .into_iter()
    .filter(|(lacks, _)| *lacks)
    .map(|(_, what)| what)
    .collect()
}

/// Somebody else than the author says that a review is right.
#[derive(Debug, Clone)]
pub struct Confirm {
    /// The ticket.
    pub ticket: i64,
}

impl Action for Confirm {
    fn verb(&self) -> &'static str {
        "review.confirm"
    }
    fn needs(&self) -> Role {
        Role::Operator
    }
    fn apply<'a>(&'a self, cx: &'a mut Apply<'_>) -> BoxFuture<'a, Result<Done, ActionError>> {
        Box::pin(async move {
            let mut review = unpublished(cx, self.ticket).await?;
            let lacks = lacks(&review, store::actions_in(cx.tx, self.ticket).await?.len());
            if !lacks.is_empty() {
                return Err(ActionError::Invalid(say::review_incomplete(&lacks.join(", "))));
            }
            if review.author == cx.actor.name {
                return Err(ActionError::Invalid(say::review_second_person()));
            }
            review.state = "reviewed".into();
            review.reviewer = Some(cx.actor.name.clone());
            review.version += 1;
            store::put_review(cx.tx, &review, cx.now).await?;
            Ok(Done::new("review", self.ticket, say::review_reviewed(self.ticket))
                .value(json!({"ticket": self.ticket, "state": "reviewed", "version": review.version})))
        })
    }
}

/// Publishes a confirmed review as a case of the library.
#[derive(Debug, Clone)]
pub struct Publish {
    /// The ticket.
    pub ticket: i64,
}

/// The Markdown of a case.
pub fn markdown(r: &Review, actions: &[(i64, String, Millis)]) -> String {
    let mut out = String::new();
    let mut part = |title: String, text: &str| {
        if !text.trim().is_empty() {
            out.push_str(&format!("## {title}\n\n{}\n\n", text.trim()));
        }
    };
    part(say::review_scope(), &r.scope);
    part(say::review_cause(), &r.cause);
    part(say::review_handling(), &r.handling);
    part(say::review_helped(), &r.helped);
    let actions: Vec<String> =
        actions.iter().map(|(id, owner, due)| format!("- #{id} {owner} {}", rfc3339(*due))).collect();
    part(say::review_actions(), &actions.join("\n"));
    let interval = |name: String, key: &str| r.facts[key].as_i64().map(|s| format!("- {name}: {s} s"));
    let intervals: Vec<String> = [
        interval(say::detection(), "detection_s"),
        interval(say::response(), "response_s"),
        interval(say::resolution(), "resolution_s"),
    ]
    .into_iter()
    .flatten()
    .collect();
    part(say::review_intervals(), &intervals.join("\n"));
    let empty = vec![];
    let timeline: Vec<String> = r.facts["timeline"]
        .as_array()
        .unwrap_or(&empty)
        .iter()
        .map(|e| {
            let get = |key: &str| e[key].as_str().unwrap_or_default();
            let text = e["data"]["text"].as_str().or(e["data"]["solution"].as_str()).unwrap_or_default();
            format!("- {} {} {} {text}", get("at"), get("actor"), get("kind")).trim_end().to_owned()
        })
        .collect();
    part(say::review_timeline(), &timeline.join("\n"));
    out.trim_end().to_owned()
}

impl Action for Publish {
    fn verb(&self) -> &'static str {
        "review.publish"
    }
    fn needs(&self) -> Role {
        Role::Supervisor
    }
    fn apply<'a>(&'a self, cx: &'a mut Apply<'_>) -> BoxFuture<'a, Result<Done, ActionError>> {
        Box::pin(async move {
            let mut review = unpublished(cx, self.ticket).await?;
            if review.state != "reviewed" {
                return Err(ActionError::Invalid(say::review_state(&review.state)));
            }
            let actions = store::actions_in(cx.tx, self.ticket).await?;
            let case = Article {
                kind: "case".into(),
                title: review.facts["title"].as_str().unwrap_or_default().to_owned(),
                body: markdown(&review, &actions),
                audience: "operators".into(),
                state: "published".into(),
                ticket_id: Some(self.ticket),
                version: 1,
                author: review.author.clone(),
                ..Article::default()
            };
            let article = store::put(cx.tx, &case, cx.now).await?;
            review.state = "published".into();
            review.article = Some(article);
            review.version += 1;
            store::put_review(cx.tx, &review, cx.now).await?;
            let value = json!({"ticket": self.ticket, "state": "published", "article": article});
            Ok(Done::new("review", self.ticket, say::review_published(self.ticket, article))
                .detail(value.clone())
                .value(value))
        })
    }
}
