//! Commands of the knowledge base and of reviews.

use std::path::PathBuf;

use clap::Subcommand;
use serde_json::{Value, json};

use super::context::{print, time};
use super::{CliError, Cx};
use crate::clock::rfc3339;
use crate::knowledge::actions::{Answered, FromTicket, Import, SetState};
use crate::knowledge::model::Article;
use crate::knowledge::review::{AddAction, Confirm, Draft, Publish, Save, Text, markdown};
use crate::knowledge::store;
use crate::locale::knowledge as say;
use crate::tickets::store as tickets;

/// `zhiban kb`
#[derive(Debug, Subcommand)]
pub enum KbCmd {
    /// Take in a folder of Markdown files; what changed becomes a new version
    Import {
        /// The folder
        folder: PathBuf,
    },
    /// Articles, the last changed first
    List {
        /// Also archived ones
        #[arg(long)]
        all: bool,
        /// How many
        #[arg(long, default_value_t = 100)]
        limit: i64,
    },
    /// An article with its versions
    Show {
        /// Its number
        id: i64,
    },
    /// Find articles that answer a question, best first
    Search {
        /// The question
        text: String,
        /// How many
        #[arg(long, default_value_t = 20)]
        limit: usize,
    },
    /// Published articles and solved tickets that may help with a ticket, best first
    Offered {
        /// The ticket
        ticket: i64,
        /// How many of each
        #[arg(long, default_value_t = 3)]
        limit: usize,
    },
    /// Draft an article of a solved ticket: symptom, cause, solution
    FromTicket {
        /// The ticket
        ticket: i64,
    },
    /// Put an article into another state
    State {
        /// The article
        id: i64,
        /// Which: only published ones are offered on tickets
        #[arg(value_parser = ["draft", "published", "archived"])]
        state: String,
    },
    /// Say that an article answered a ticket
    Answered {
        /// The article
        id: i64,
        /// The ticket
        ticket: i64,
    },
}

/// `zhiban review`
#[derive(Debug, Subcommand)]
pub enum ReviewCmd {
    /// Reviews, and resolved tickets that need one
    List {
        /// How many
        #[arg(long, default_value_t = 100)]
        limit: i64,
    },
    /// A review
    Show {
        /// The ticket it is about
        id: i64,
    },
    /// Draft the review of a resolved ticket from what happened
    Draft {
        /// The ticket
        id: i64,
    },
    /// Write into a review
    Save {
        /// The ticket
        id: i64,
        /// Who and what was affected
        #[arg(long)]
        scope: Option<String>,
        /// Why it happened
        #[arg(long)]
        cause: Option<String>,
        /// What was done
        #[arg(long)]
        handling: Option<String>,
        /// What helped, and what would have
        #[arg(long)]
        helped: Option<String>,
    },
    /// Add an improvement; it becomes a ticket of its owner
    Action {
        /// The ticket
        id: i64,
        /// What is to be done
        #[arg(long)]
        title: String,
        /// Who does it
        #[arg(long)]
        owner: String,
        /// Until when, RFC 3339
        #[arg(long, value_name = "TIME", value_parser = time)]
        due: i64,
    },
    /// Confirm a review that somebody else wrote
    Confirm {
        /// The ticket
        id: i64,
    },
    /// Publish a confirmed review as a case
    Publish {
        /// The ticket
        id: i64,
    },
}

fn article_json(a: &Article) -> Value {
    json!({"id": a.id, "kind": a.kind, "title": a.title, "tags": a.tags, "audience": a.audience, "state": a.state,
        "review_on": a.review_on, "ticket": a.ticket_id, "version": a.version, "author": a.author,
        "updated_at": rfc3339(a.updated_at), "answered": a.answered})
}

fn article_line(a: &Article) -> String {
    format!("{:>6}  {:<9} v{:<3} {:>4}  {}\n", a.id, a.state, a.version, a.answered, a.title)
}

pub(super) async fn kb(cx: &Cx, cmd: KbCmd) -> Result<(), CliError> {
    let outcome = match cmd {
        KbCmd::Import { folder } => {
            let (articles, refused) = crate::knowledge::sources::read_folder(&folder).map_err(CliError::Usage)?;
            let lines: Vec<(String, String)> =
                refused.iter().map(|(file, why)| (file.display().to_string(), why.clone())).collect();
            let import = Import { articles, folder: folder.display().to_string() };
            let outcome = cx.door().await?.run(&import).await?;
            let mut value = outcome.value.clone();
            value["refused"] = lines.iter().map(|(file, why)| json!({"file": file, "why": why})).collect();
            cx.out(&value, || {
                let refused = lines.iter().map(|(file, why)| say::refused(file, why));
                std::iter::once(outcome.message.clone()).chain(refused).collect::<Vec<_>>().join("\n")
            });
            return if lines.is_empty() { Ok(()) } else { Err(CliError::CheckFailed) };
        }
        KbCmd::List { all, limit } => {
            let found = store::list(cx.store().await?, all, limit.clamp(1, 100_000)).await?;
            cx.out(&found.iter().map(article_json).collect(), || found.iter().map(article_line).collect());
            return Ok(());
        }
        KbCmd::Show { id } => {
            let s = cx.store().await?;
            let found = store::get(s, id).await?.ok_or_else(|| CliError::NotFound(say::article_named(id)))?;
            let versions = store::versions(s, id).await?;
            let mut value = article_json(&found);
            value["body"] = found.body.clone().into();
            value["versions"] = versions
                .iter()
                .map(|(version, author, at, title)| {
                    json!({"version": version, "author": author, "at": rfc3339(*at), "title": title})
                })
                .collect();
            cx.out(&value, || format!("{}\n{}", article_line(&found), found.body));
            return Ok(());
        }
        KbCmd::Search { text, limit } => {
            let hits = store::search(cx.store().await?, &text, limit.clamp(1, 1_000)).await?;
            let value = hits
                .iter()
                .map(|h| json!({"id": h.id, "title": h.title, "score": h.score, "snippet": h.snippet}))
                .collect();
            cx.out(&value, || {
                if hits.is_empty() {
                    return say::nothing_found();
                }
                hits.iter().map(|h| format!("{:>6}  {}\n        {}\n", h.id, h.title, h.snippet)).collect()
            });
            return Ok(());
        }
        KbCmd::Offered { ticket, limit } => return offered(cx, ticket, limit.clamp(1, 100)).await,
        KbCmd::FromTicket { ticket } => cx.door().await?.run(&FromTicket { ticket }).await?,
        KbCmd::State { id, state } => cx.door().await?.run(&SetState { id, state }).await?,
        KbCmd::Answered { id, ticket } => cx.door().await?.run(&Answered { article: id, ticket }).await?,
    };
    cx.done(&outcome);
    Ok(())
}

async fn offered(cx: &Cx, ticket: i64, limit: usize) -> Result<(), CliError> {
    let s = cx.store().await?;
    let t = tickets::get(s, ticket).await?.ok_or_else(|| CliError::NotFound(format!("#{ticket}")))?;
    let articles = store::offered(s, &t.title, limit).await?;
    let solved = tickets::similar(s, &t.title, tickets::Among::Solved, Some(ticket), limit).await?;
    let value = json!({
        "articles": articles.iter().map(article_json).collect::<Vec<_>>(),
        "solved": solved.iter().map(|s| json!({"id": s.id, "title": s.title, "cause": s.cause, "solution": s.solution}))
            .collect::<Vec<_>>(),
    });
    cx.out(&value, || {
        if articles.is_empty() && solved.is_empty() {
            return say::nothing_found();
        }
        let line = |s: &tickets::Similar| format!("#{:<8} {} → {}\n", s.id, s.title, s.solution);
        articles.iter().map(article_line).chain(solved.iter().map(line)).collect()
    });
    Ok(())
}

pub(super) async fn review(cx: &Cx, cmd: ReviewCmd) -> Result<(), CliError> {
    let door = match &cmd {
        ReviewCmd::List { limit } => return list(cx, (*limit).clamp(1, 100_000)).await,
        ReviewCmd::Show { id } => return show(cx, *id).await,
        _ => cx.door().await?,
    };
    let outcome = match cmd {
        ReviewCmd::List { .. } | ReviewCmd::Show { .. } => return Ok(()),
        ReviewCmd::Draft { id } => door.run(&Draft { ticket: id }).await?,
        ReviewCmd::Save { id, scope, cause, handling, helped } => {
            let text = Text { scope, cause, handling, helped };
            door.run(&Save { ticket: id, text, seen: None }).await?
        }
        ReviewCmd::Action { id, title, owner, due } => door.run(&AddAction { ticket: id, title, owner, due }).await?,
        ReviewCmd::Confirm { id } => door.run(&Confirm { ticket: id }).await?,
        ReviewCmd::Publish { id } => door.run(&Publish { ticket: id }).await?,
    };
    cx.done(&outcome);
    Ok(())
}

async fn list(cx: &Cx, limit: i64) -> Result<(), CliError> {
    let s = cx.store().await?;
    let needed = store::unreviewed(s, &cx.config().tickets.review_levels, limit).await?;
    let begun = store::reviews(s, limit).await?;
    let mut value: Vec<Value> = needed
        .iter()
        .map(|(id, title, level, at)| {
            json!({"ticket": id, "title": title, "level": level, "state": "needed", "resolved_at": rfc3339(*at)})
        })
        .collect();
    value.extend(begun.iter().map(|r| {
        json!({"ticket": r.ticket, "title": r.facts["title"], "level": r.facts["level"], "state": r.state,
            "author": r.author, "reviewer": r.reviewer, "article": r.article, "updated_at": rfc3339(r.updated_at)})
    }));
    cx.out(&value.clone().into(), || {
        value
            .iter()
            .map(|v| {
                let get = |key: &str| v[key].as_str().unwrap_or_default();
                format!("#{:<8} {:<10} {:<10} {}\n", v["ticket"], get("state"), get("level"), get("title"))
            })
            .collect()
    });
    Ok(())
}

async fn show(cx: &Cx, id: i64) -> Result<(), CliError> {
    let s = cx.store().await?;
    let r = store::review(s, id).await?.ok_or_else(|| CliError::NotFound(say::review_named(id)))?;
    let actions = store::actions(s, id).await?;
    let value = json!({
        "ticket": r.ticket, "state": r.state, "scope": r.scope, "cause": r.cause, "handling": r.handling,
        "helped": r.helped, "facts": r.facts, "author": r.author, "reviewer": r.reviewer, "article": r.article,
        "version": r.version,
        "actions": actions.iter().map(|(t, owner, due)| json!({"ticket": t, "owner": owner, "due": rfc3339(*due)}))
            .collect::<Vec<_>>(),
    });
    if cx.json() {
        print(&value.to_string());
    } else {
        cx.out(&value, || format!("# #{} {}\n\n{}", r.ticket, r.state, markdown(&r, &actions)));
    }
    Ok(())
}
