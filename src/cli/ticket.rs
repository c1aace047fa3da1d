//! `zhiban ticket`

use std::sync::Arc;

use clap::{Subcommand, ValueEnum};
use serde_json::{Value, json};

use super::{CliError, Cx};
use crate::clock::{Millis, rfc3339};
use crate::console::when;
use crate::text::filter::parse;
use crate::tickets;
use crate::tickets::actions::{Change, New, Pull, Report, Split, What, clocks_json, json_of};
use crate::tickets::handling::{self, Typical};
use crate::tickets::model::{Happening, Ticket, clocks, messages, taken_back};
use crate::tickets::sla::Policy;
use crate::tickets::store::{self, Cursor, Order, Queue};

/// How many people it hits.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum Scope {
    Individual,
    Department,
    Company,
}

/// How bad it is.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum Severity {
    General,
    Important,
    Urgent,
}

/// One of the two clocks.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum ClockName {
    Response,
    Resolution,
}

/// What a pause waits for.
#[derive(Debug, Clone, Copy, ValueEnum)]
#[value(rename_all = "snake_case")]
pub enum PauseReason {
    /// The user has to answer
    WaitingUser,
    /// A vendor has to deliver
    WaitingVendor,
    /// The fix is agreed for a maintenance window
    ApprovedWindow,
}

fn word(value: &impl ValueEnum) -> String {
    value.to_possible_value().map(|v| v.get_name().to_owned()).unwrap_or_default()
}

/// `zhiban ticket`
#[derive(Debug, Subcommand)]
pub enum Cmd {
    /// A new ticket
    New {
        /// One line
        #[arg(long)]
        title: String,
        /// Everything else
        #[arg(long, default_value = "")]
        body: String,
        /// How many people it hits
        #[arg(long, value_enum, default_value = "individual")]
        scope: Scope,
        /// How bad it is
        #[arg(long, value_enum, default_value = "general")]
        severity: Severity,
        /// How it came in
        #[arg(long, default_value = "cli")]
        channel: String,
        /// Who reported it
        #[arg(long, default_value = "")]
        from: String,
        /// Where they are reached by that channel: an account, an address, a number
        #[arg(long, default_value = "")]
        contact: String,
        /// When they did: RFC 3339, or as in the console (14:27, "yesterday 17:50", "20m ago"); now where it is not given
        #[arg(long)]
        reported_at: Option<String>,
        /// Why it is entered this late
        #[arg(long)]
        late_reason: Option<String>,
        /// Names the message it comes from: given a second time, the first ticket is printed and none is made
        #[arg(long)]
        intake_key: Option<String>,
    },
    /// Open tickets, most urgent first; with --search all tickets, newest first
    List {
        /// Which of them
        #[arg(long, value_enum, default_value = "all")]
        queue: Queue,
        /// In which order
        #[arg(long, value_enum, default_value = "urgency")]
        order: Order,
        /// Words in title or body, Chinese or English
        #[arg(long)]
        search: Option<String>,
        /// Terms that must all hold: level: state: owner: channel: scope: severity: from: age> age< due< due> breached
        /// paused, words, "quoted words"; - in front means not
        #[arg(long, conflicts_with_all = ["search", "queue"], allow_hyphen_values = true)]
        filter: Option<String>,
        /// How many at most
        #[arg(long, default_value_t = 50)]
        limit: i64,
    },
    /// One ticket with everything that happened to it
    Show {
        /// Its number
        id: i64,
    },
    /// Take it
    Claim {
        /// Its number
        id: i64,
    },
    /// Take the most urgent one that nobody has
    Next,
    /// Give it to somebody
    Assign {
        /// Its number
        id: i64,
        /// To whom
        name: String,
    },
    /// Answer the reporter: stops the response clock
    #[command(group = clap::ArgGroup::new("answer").required(true))]
    Reply {
        /// Its number
        id: i64,
        /// The answer
        #[arg(long, group = "answer")]
        text: Option<String>,
        /// The name of a canned reply of the configuration ([[desk.reply]])
        #[arg(long, value_name = "NAME", group = "answer")]
        canned: Option<String>,
    },
    /// A note for colleagues
    Note {
        /// Its number
        id: i64,
        /// The note
        #[arg(long)]
        text: String,
    },
    /// Log a call-back
    Call {
        /// Its number
        id: i64,
        /// With whom
        #[arg(long)]
        with: String,
    },
    /// Stop the resolution clock for a reason, until a time
    Pause {
        /// Its number
        id: i64,
        /// Why
        #[arg(long, value_enum)]
        reason: PauseReason,
        /// When to follow up: RFC 3339, or as in the console (14:27, +4h, "tomorrow 9:00")
        #[arg(long)]
        until: String,
        /// In words; needed where an owner pauses an urgent ticket of company scope
        #[arg(long, default_value = "")]
        note: String,
    },
    /// Let the clock go on
    Resume {
        /// Its number
        id: i64,
    },
    /// Solved
    Resolve {
        /// Its number
        id: i64,
        /// What it was
        #[arg(long)]
        cause: String,
        /// What helped
        #[arg(long)]
        solution: String,
    },
    /// Not solved after all
    Reopen {
        /// Its number
        id: i64,
    },
    /// Another scope and severity
    Level {
        /// Its number
        id: i64,
        /// How many people it hits
        #[arg(long, value_enum)]
        scope: Scope,
        /// How bad it is
        #[arg(long, value_enum)]
        severity: Severity,
        /// Why
        #[arg(long)]
        reason: String,
    },
    /// It is the same as another
    Merge {
        /// Its number
        id: i64,
        /// The number of the one that stays
        into: i64,
    },
    /// Somebody else reports the same: counted on the ticket, and told of its replies where a contact is given
    Join {
        /// Its number
        id: i64,
        /// Who reports
        #[arg(long, default_value = "")]
        from: String,
        /// What they say
        #[arg(long, default_value = "")]
        text: String,
        /// How it came in
        #[arg(long, default_value = "cli")]
        channel: String,
        /// Where they are reached by that channel: an account, an address, a number
        #[arg(long, default_value = "")]
        contact: String,
        /// When they did: RFC 3339, or as in the console (14:27, "20m ago"); now where it is not given
        #[arg(long)]
        reported_at: Option<String>,
        /// Why it is entered this late
        #[arg(long)]
        late_reason: Option<String>,
    },
    /// A message of it, or all of its text, becomes a ticket of its own, linked both ways; nothing is taken from it
    Split {
        /// Its number
        id: i64,
        /// What the new one is about, in one line
        #[arg(long)]
        title: String,
        /// Which message, as `show` numbers them; the text of the ticket where it is not given
        #[arg(long, value_name = "N")]
        message: Option<usize>,
    },
    /// The reporter wrote: ends a pause that waited for them
    Message {
        /// Its number
        id: i64,
        /// Who wrote
        #[arg(long)]
        from: String,
        /// What
        #[arg(long)]
        text: String,
    },
    /// Excuse a breach: it stays on record, counted apart (supervisors)
    Excuse {
        /// Its number
        id: i64,
        /// Which clock
        #[arg(long, value_enum)]
        clock: ClockName,
        /// Why
        #[arg(long)]
        reason: String,
    },
    /// Evidence: something elsewhere, as it was
    Link {
        /// Its number
        id: i64,
        /// What kind of thing: host, backup, account, url
        #[arg(long)]
        kind: String,
        /// Which one
        #[arg(long)]
        subject: String,
        /// How it was, as JSON
        #[arg(long)]
        snapshot: Option<String>,
    },
    /// Tickets that look like one, or like a text, with a score from 0 to 1
    #[command(group = clap::ArgGroup::new("like").required(true))]
    Similar {
        /// Its number
        #[arg(group = "like")]
        id: Option<i64>,
        /// A title
        #[arg(long, group = "like")]
        text: Option<String>,
        /// How many at most
        #[arg(long, default_value_t = 10)]
        limit: usize,
    },
    /// Whether the open tickets can all be solved in time by who is on duty; exit code 1 where they cannot
    Outlook,
    /// What is wrong with the desk itself: messages given up, arrivals not understood, senders silent, listeners without
    /// encryption; exit code 1 where anything is
    Troubles,
    /// Why it is due when it is
    Explain {
        /// Its number
        id: i64,
    },
}

pub(super) async fn run(cx: &Cx, cmd: Cmd) -> Result<(), CliError> {
    let change = |id, what| Change::new(id, what);
    let change = match cmd {
        Cmd::New { title, body, scope, severity, channel, from, contact, reported_at, late_reason, intake_key } => {
            let new = New {
                title,
                body,
                channel,
                late_reason,
                intake_key,
                reported_at: reported_at.map(|text| instant(cx, "--reported-at", &text, false)).transpose()?,
                scope: word(&scope),
                severity: word(&severity),
                reporter: from,
                contact,
            };
            cx.done(&cx.door().await?.run(&new).await?);
            return Ok(());
        }
        Cmd::List { queue, order, search, filter, limit } => {
            return list(cx, (queue, order), search, filter, limit).await;
        }
        Cmd::Outlook => return outlook(cx).await,
        Cmd::Troubles => return troubles(cx).await,
        Cmd::Show { id } => return show(cx, id).await,
        Cmd::Similar { id, text, limit } => return similar(cx, id, text, limit).await,
        Cmd::Explain { id } => return explain(cx, id).await,
        Cmd::Split { id, title, message } => {
            cx.done(&cx.door().await?.run(&Split { id, title, message }).await?);
            return Ok(());
        }
        Cmd::Next => {
            cx.done(&cx.door().await?.run(&Pull::default()).await?);
            return Ok(());
        }
        Cmd::Claim { id } => change(id, What::Claim),
        Cmd::Assign { id, name } => change(id, What::Assign(Some(name))),
        Cmd::Reply { id, text, canned } => {
            let text = match canned {
                Some(name) => canned_text(cx, id, &name).await?,
                None => text.unwrap_or_default(),
            };
            change(id, What::Reply(text))
        }
        Cmd::Note { id, text } => change(id, What::Note(text)),
        Cmd::Call { id, with } => change(id, What::Call(with)),
        Cmd::Pause { id, reason, until, note } => {
            let until = instant(cx, "--until", &until, true)?;
            change(id, What::Pause { reason: word(&reason), until, note })
        }
        Cmd::Resume { id } => change(id, What::Resume),
        Cmd::Resolve { id, cause, solution } => change(id, What::Resolve { cause, solution }),
        Cmd::Reopen { id } => change(id, What::Reopen),
        Cmd::Level { id, scope, severity, reason } => {
            change(id, What::Level { scope: word(&scope), severity: word(&severity), reason })
        }
        Cmd::Join { id, from, text, channel, contact, reported_at, late_reason } => {
            let reported_at = reported_at.map(|text| instant(cx, "--reported-at", &text, false)).transpose()?;
            change(id, What::Report(Report { from, channel, contact, text, reported_at, late_reason }))
        }
        Cmd::Message { id, from, text } => change(id, What::UserMessage { from, text }),
        Cmd::Excuse { id, clock, reason } => change(id, What::Excuse { clock: word(&clock), reason }),
        Cmd::Link { id, kind, subject, snapshot } => {
            let snapshot = match snapshot {
                Some(text) => serde_json::from_str(&text).map_err(|e| CliError::Usage(format!("--snapshot: {e}")))?,
                None => Value::Null,
            };
            change(id, What::Link { kind, subject, snapshot })
        }
        Cmd::Merge { id, into } => change(id, What::Merge(into)),
    };
    cx.done(&cx.door().await?.run(&change).await?);
    Ok(())
}

/// What the canned reply `name` says to ticket `id`.
async fn canned_text(cx: &Cx, id: i64, name: &str) -> Result<String, CliError> {
    let reply = tickets::canned::named(cx.config(), name).map_err(|e| CliError::Usage(format!("--canned: {e}")))?;
    let t = store::get(cx.store().await?, id).await?.ok_or_else(|| CliError::NotFound(format!("#{id}")))?;
    let me = cx.door().await?.actor().name.clone();
    tickets::canned::fill(cx.config(), reply, &t, &me).map_err(CliError::Failed)
}

/// Reads an instant as the console does, in the office's zone.
fn instant(cx: &Cx, option: &str, text: &str, ahead: bool) -> Result<Millis, CliError> {
    let zone = cx.config().tickets.office.zone.parse().unwrap_or(chrono_tz::Asia::Shanghai);
    when::parse(text, cx.clock().now(), zone, ahead)
        .ok_or_else(|| CliError::Usage(format!("{option}: {}", crate::locale::console::no_instant(text))))
}

async fn list(
    cx: &Cx,
    queue: (Queue, Order),
    search: Option<String>,
    filter: Option<String>,
    limit: i64,
) -> Result<(), CliError> {
    let limit = limit.clamp(1, 10_000);
    let filter = filter.map(|f| parse(&f)).transpose().map_err(|e| CliError::Usage(format!("--filter: {e}")))?;
    let store = cx.store().await?;
    let rows = match (&search, filter) {
        (_, Some(filter)) => {
            let me = cx.door().await?.actor().name.clone();
            let found = store::filtered(store, &filter, &me, cx.clock().now(), limit).await?;
            if found.capped {
                super::context::note(&crate::locale::tickets::filter_capped(store::LOOKED_AT));
            }
            found.tickets
        }
        (Some(words), None) => store::find(store, words, limit).await?,
        (None, None) => {
            let me = cx.door().await?.actor().name.clone();
            store::page_in(store, queue, &me, cx.clock().now(), Cursor::Start, limit).await?
        }
    };
    let (config, now) = (cx.config(), cx.clock().now());
    let policy = store::policy(store, &config.tickets).await?;
    let value = rows.iter().map(|t| {
        let mut value = json_of(t, now);
        // a list does not read them: `show` does
        if let Some(fields) = value.as_object_mut() {
            for absent in ["body", "cause", "solution"] {
                fields.remove(absent);
            }
        }
        value
    });
    cx.out(&value.collect(), || rows.iter().map(|t| tickets::list_line(config, &policy, t, now) + "\n").collect());
    Ok(())
}

/// A ticket with everything that is known of it.
struct Whole {
    t: Ticket,
    past: Vec<Happening>,
    policy: Arc<Policy>,
    typical: Vec<Typical>,
    value: Value,
}

async fn whole(cx: &Cx, id: i64, now: Millis) -> Result<Whole, CliError> {
    let store = cx.store().await?;
    let found = store::get_with_past(store, id).await?;
    let (t, past) = found.ok_or_else(|| CliError::NotFound(format!("#{id}")))?;
    let policy = store::policy(store, &cx.config().tickets).await?;
    let typical = store::typical(store).await?;
    let mut value = json_of(&t, now);
    value["handling"] = handling::json_of(&t, &typical);
    value["clocks"] = clocks_json(&policy, &past, now).map_err(CliError::Failed)?;
    Ok(Whole { t, past, policy, typical, value })
}

async fn show(cx: &Cx, id: i64) -> Result<(), CliError> {
    let now = cx.clock().now();
    let Whole { t, past, policy, typical, mut value } = whole(cx, id, now).await?;
    let (void, said) = (taken_back(&past), messages(&past));
    let timeline = past.iter().enumerate().map(|(i, h)| {
        let message = said.iter().position(|at| *at == i).map(|n| n + 1);
        json!({"at": rfc3339(h.at), "by": h.actor, "kind": h.kind, "data": h.data, "taken_back": void.contains(&i),
            "message": message})
    });
    value["timeline"] = timeline.collect();
    cx.out(&value, || tickets::show_lines(cx.config(), &policy, (&t, &past), &typical, now).join("\n"));
    Ok(())
}

async fn similar(cx: &Cx, id: Option<i64>, text: Option<String>, limit: usize) -> Result<(), CliError> {
    let store = cx.store().await?;
    let title = match id {
        Some(id) => store::get(store, id).await?.ok_or_else(|| CliError::NotFound(format!("#{id}")))?.title,
        None => text.unwrap_or_default(),
    };
    let found = store::similar(store, &title, store::Among::All, id, limit.clamp(1, 100)).await?;
    let value =
        found.iter().map(|s| json!({"id": s.id, "title": s.title, "score": (s.score * 1000.0).round() / 1000.0}));
    cx.out(&value.collect(), || {
        let line =
            |s: &store::Similar| format!("{:>4.0} %  #{}  {}\n", s.score * 100.0, s.id, crate::text::clean(&s.title));
        found.iter().map(line).collect()
    });
    Ok(())
}

async fn outlook(cx: &Cx) -> Result<(), CliError> {
    let (store, now) = (cx.store().await?, cx.clock().now());
    let hands = crate::console::evidence::hands(cx.door().await?).await;
    let typical = store::typical(store).await?;
    let o = store::outlook(store, &cx.config().tickets, &typical, hands, now).await?;
    let value = json!({"on_duty": o.hands, "tickets": o.tickets, "fall_out": o.fall_out});
    cx.out(&value, || handling::warning(&o).unwrap_or_else(|| crate::locale::tickets::all_make_it(o.tickets, o.hands)));
    if o.fall_out.is_empty() { Ok(()) } else { Err(CliError::CheckFailed) }
}

async fn troubles(cx: &Cx) -> Result<(), CliError> {
    let found = crate::console::troubles::find(cx.door().await?).await.map_err(CliError::Failed)?;
    let all =
        found.list.iter().map(|t| json!({"kind": t.kind.word(), "id": t.id, "at": rfc3339(t.at), "text": t.line}));
    cx.out(&all.collect(), || {
        let lines = found.list.iter().map(|t| t.line.clone() + "\n").collect::<String>();
        if lines.is_empty() { crate::locale::tickets::no_troubles() } else { lines }
    });
    if found.total() == 0 { Ok(()) } else { Err(CliError::CheckFailed) }
}

async fn explain(cx: &Cx, id: i64) -> Result<(), CliError> {
    let now = cx.clock().now();
    let Whole { t, past, policy, typical, value } = whole(cx, id, now).await?;
    let mut lines = tickets::explain(cx.config(), &policy, t.id, &past, now);
    lines.extend(handling::explain(cx.config(), &t, &typical));
    let state = clocks(&policy, &past, now).map_err(CliError::Failed)?;
    let segments: Vec<Value> = tickets::segments(&policy, &past, &state, now)
        .iter()
        .map(|s| {
            let (from, to) = (rfc3339(s.from), rfc3339(s.to));
            json!({"from": from, "to": to, "counted": s.reason.is_none(), "reason": s.reason})
        })
        .collect();
    let clocks = value["clocks"].clone();
    let all = json!({"id": t.id, "lines": lines, "clocks": clocks, "segments": segments, "ticket": value});
    cx.out(&all, || lines.join("\n"));
    Ok(())
}
