//! The ticket tab: state and keys.

use std::sync::Arc;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::actions::{Change, New, What};
use super::model::{Happening, SCOPES, SEVERITIES, Ticket, clocks, level_of, policy};
use super::store::{self, Cursor, Queue};
use super::view;
use crate::action::Action;
use crate::clock::{HOUR, MINUTE, Millis};
use crate::config::Config;
use crate::console::tab::{
    Attention, Effect, Field, Form, Listing, Load, Offers, Rows as List, Snapshot, Tab, WallFacts, WallProblem,
};
use crate::locale::tickets as say;
use crate::store::{Store, StoreError};
use crate::tui::command::Command;
use crate::tui::paint::Brush;
use crate::tui::theme::Role;

/// Tickets held before the cursor, and after it.
const HALF: i64 = 200;
/// So close to an end of what is held, more is asked for.
const MARGIN: usize = 80;

const fn key(name: &'static str, keys: &'static [&'static str], doc: fn() -> String, mutates: bool) -> Command {
    Command { name, keys, doc, mutates }
}

const COMMANDS: &[Command] = &[
    key("claim", &["a"], say::key_claim, true),
    key("reply", &["r"], say::key_reply, true),
    key("note", &["i"], say::key_note, true),
    key("call", &["c"], say::key_call, true),
    key("level", &["e"], say::key_level, true),
    key("pause", &["w"], say::key_pause, true),
    key("resume", &["W"], say::key_resume, true),
    key("resolve", &["x"], say::key_resolve, true),
    key("reopen", &["X"], say::key_reopen, true),
    key("next", &["n"], say::key_next, true),
    key("new", &["N"], say::key_new, true),
    key("assign", &["A"], say::key_assign, true),
    key("merge", &["m"], say::key_merge, true),
    key("copy", &["y"], say::key_copy, false),
    key("copy_line", &["Y"], say::key_copy_line, false),
];

/// The ticket under the cursor, whole, with what happened to it.
pub(super) type Detail = (Ticket, Vec<Happening>);

struct Page {
    /// Nothing: the rows held are still good, only the detail was asked for.
    rows: Option<Rows>,
    detail: Option<Detail>,
    query: (usize, String),
}

struct Rows {
    around: Vec<Ticket>,
    counts: [i64; 5],
    /// Whether the first row is the first of the queue, and the last the last.
    whole: (bool, bool),
    jump: Option<Jump>,
}

/// An end of the queue that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Jump {
    Top,
    Bottom,
}

/// The rows of a queue around `at`.
async fn rows_around(
    s: &Store,
    queue: Queue,
    me: &str,
    now: Millis,
    at: Option<(Millis, i64)>,
    jump: Option<Jump>,
) -> Result<(Vec<Ticket>, (bool, bool)), StoreError> {
    let get = |cursor, limit| store::page_at(s, queue, me, now, cursor, limit);
    let full = |rows: &[Ticket], limit: i64| rows.len() as i64 >= limit;
    match (jump, at) {
        (Some(Jump::Bottom), _) => {
            let rows = get(Cursor::End, 2 * HALF).await?;
            let first = !full(&rows, 2 * HALF);
            Ok((rows, (first, true)))
        }
        (None, Some((urgency, id))) => {
            let mut rows = get(Cursor::Before(urgency, id), HALF).await?;
            let after = get(Cursor::From(urgency, id), HALF).await?;
            let whole = (!full(&rows, HALF), !full(&after, HALF));
            rows.extend(after);
            Ok((rows, whole))
        }
        _ => {
            let rows = get(Cursor::Start, 2 * HALF).await?;
            let last = !full(&rows, 2 * HALF);
            Ok((rows, (true, last)))
        }
    }
}

/// The tab.
pub struct TicketsTab {
    pub(super) config: Arc<Config>,
    me: String,
    pub(super) queue: usize,
    pub(super) rows: Vec<Ticket>,
    pub(super) counts: [i64; 5],
    pub(super) detail: Option<Detail>,
    whole: (bool, bool),
    jump: Option<Jump>,
    /// The rows are old: the next load reads them, not only the detail.
    stale: bool,
    pub(super) place: List<i64>,
    pub(super) search: String,
    loaded: bool,
}

impl TicketsTab {
    /// An empty tab for the operator `me`.
    pub fn new(config: Arc<Config>, me: &str) -> Self {
        Self {
            config,
            me: me.to_owned(),
            queue: 4,
            rows: vec![],
            counts: [0; 5],
            detail: None,
            whole: (true, true),
            jump: None,
            stale: true,
            place: List::default(),
            search: String::new(),
            loaded: false,
        }
    }

    /// The ticket under the cursor.
    pub(super) fn current(&self) -> Option<&Ticket> {
        self.rows.get(self.place.at)
    }

    /// The marked tickets, or the one under the cursor: number and version seen.
    fn chosen(&self) -> Vec<(i64, Option<i64>)> {
        let version = |id: i64| self.rows.iter().find(|t| t.id == id).map(|t| t.version);
        self.place.chosen().into_iter().map(|id| (id, version(id))).collect()
    }

    /// Other rows are asked for, from their start.
    fn start_over(&mut self) -> Vec<Effect> {
        self.place.start_over();
        self.jump = Some(Jump::Top);
        self.stale = true;
        vec![Effect::Reload]
    }

    fn act(&self, what: &What) -> Vec<Effect> {
        act_on(self.chosen(), what)
    }

    /// A form for the chosen tickets whose fields make the change.
    fn ask(
        &self,
        title: String,
        fields: Vec<Field>,
        make: impl Fn(&[String], Millis) -> Result<What, String> + Send + 'static,
        now: Millis,
    ) -> Vec<Effect> {
        let chosen = self.chosen();
        if chosen.is_empty() {
            return vec![];
        }
        let numbers: Vec<String> = chosen.iter().map(|(id, _)| format!("#{id}")).collect();
        let submit = Box::new(move |values: &[String]| Ok(act_on(chosen.clone(), &make(values, now)?)));
        vec![Effect::Form(Form { title: format!("{title} {}", numbers.join(" ")), fields, preview: None, submit })]
    }
}

fn act_on(chosen: Vec<(i64, Option<i64>)>, what: &What) -> Vec<Effect> {
    let actions: Vec<Arc<dyn Action>> =
        chosen.into_iter().map(|(id, seen)| Arc::new(Change { id, what: what.clone(), seen }) as _).collect();
    if actions.is_empty() { vec![] } else { vec![Effect::Act(actions)] }
}

fn choices(all: &[&str], word: fn(&str) -> String) -> Vec<(String, String)> {
    all.iter().map(|v| ((*v).to_owned(), word(v))).collect()
}

/// What a level would be due, for a ticket reported at `start`.
fn dues(config: &Config, level: &str, start: Millis, now: Millis) -> Vec<String> {
    let created = Happening {
        at: now,
        actor: String::new(),
        kind: "created".into(),
        data: serde_json::json!({"level": level, "reported_at": start}),
    };
    let Ok(state) = clocks(&policy(&config.tickets), &[created], now) else { return vec![] };
    let at = |due: Option<Millis>| due.map(|d| view::local(config, d)).unwrap_or_default();
    let mut lines =
        vec![say::preview_due(&view::level_word(level), &at(state.response.due), &at(state.resolution.due))];
    if state.born_late {
        lines.push(say::preview_late());
    }
    lines
}

impl Tab for TicketsTab {
    fn name(&self) -> String {
        say::name()
    }
    fn key(&self) -> &'static str {
        "tickets"
    }
    fn commands(&self) -> &'static [Command] {
        COMMANDS
    }
    fn topics(&self) -> &'static [&'static str] {
        &["ticket"]
    }
    fn refresh(&self) -> Option<Millis> {
        // membership of the first queue changes by the passing of time
        Some(30_000)
    }

    fn load(&mut self, now: Millis) -> Load {
        let (queue, search, me) = (self.queue, self.search.clone(), self.me.clone());
        let current = self.current().map(|t| t.id);
        let only_detail = !std::mem::take(&mut self.stale);
        let jump = self.jump;
        // near the start the start is kept in sight; elsewhere the rows are those around the cursor
        let near_start = self.whole.0 && self.place.at < MARGIN;
        let at = self.current().filter(|_| !near_start).map(|t| (t.urgency, t.id));
        Box::new(move |door| {
            Box::pin(async move {
                let s = door.store();
                let text = |e: StoreError| e.to_string();
                let rows = if only_detail {
                    None
                } else {
                    let (rows, whole) = if search.is_empty() {
                        rows_around(s, Queue::ORDER[queue], &me, now, at, jump).await.map_err(text)?
                    } else {
                        (store::find(s, &search, 2 * HALF).await.map_err(text)?, (true, true))
                    };
                    let counts = store::counts(s, &me, now).await.map_err(text)?;
                    Some(Rows { around: rows, counts, whole, jump })
                };
                let id = match &rows {
                    None => current,
                    Some(Rows { around, jump: Some(Jump::Bottom), .. }) => around.last().map(|t| t.id),
                    Some(Rows { around, jump, .. }) => current
                        .filter(|id| jump.is_none() && around.iter().any(|t| t.id == *id))
                        .or(around.first().map(|t| t.id)),
                };
                let detail = match id {
                    Some(id) => match store::get(s, id).await.map_err(text)? {
                        Some(t) => Some((t, store::happenings(s, id).await.map_err(text)?)),
                        None => None,
                    },
                    None => None,
                };
                Ok(Box::new(Page { rows, detail, query: (queue, search) }) as Snapshot)
            })
        })
    }

    fn arrived(&mut self, snapshot: Snapshot, now: Millis) {
        let Ok(page) = snapshot.downcast::<Page>() else { return };
        let page = *page;
        self.loaded = true;
        // an answer to a question that is no longer asked
        if page.query != (self.queue, self.search.clone()) {
            return;
        }
        self.detail = page.detail;
        let Some(fresh) = page.rows else { return };
        // the order is held where the rows begin with the first; elsewhere they are cut anew around the cursor
        let from_the_first = self.whole.0 && fresh.whole.0 && fresh.jump.is_none();
        if from_the_first {
            self.rows = self.place.take(fresh.around, |t| t.id, now);
        } else {
            self.rows = fresh.around;
            self.place.put(self.rows.iter().map(|t| t.id));
        }
        self.counts = fresh.counts;
        self.whole = fresh.whole;
        match fresh.jump {
            Some(Jump::Bottom) => self.place.at = self.rows.len().saturating_sub(1),
            Some(Jump::Top) => self.place.at = 0,
            None => {}
        }
        if self.jump == fresh.jump {
            self.jump = None;
        }
    }

    fn stale(&mut self) {
        self.stale = true;
    }

    fn is_loaded(&self) -> bool {
        self.loaded
    }

    fn disabled(&self, command: &str) -> Option<String> {
        let t = self.current()?;
        match command {
            "resume" if t.state != "waiting" && !self.place.has_marks() => Some(say::is_not_paused(t.id)),
            "reopen" if t.state != "resolved" && !self.place.has_marks() => Some(say::is_not_resolved(t.id)),
            _ => None,
        }
    }

    fn run(&mut self, command: &str, now: Millis) -> Vec<Effect> {
        if self.place.go(command, self.rows.len()) {
            self.jump = match command {
                "top" if !self.whole.0 => Some(Jump::Top),
                "bottom" if !self.whole.1 => Some(Jump::Bottom),
                _ => None,
            };
            let more = (!self.whole.0 && self.place.at < MARGIN)
                || (!self.whole.1 && self.place.at + MARGIN > self.rows.len());
            self.stale |= more || self.jump.is_some();
            return vec![Effect::Reload];
        }
        match command {
            "left" | "right" => {
                let n = Queue::ORDER.len();
                self.queue = (self.queue + if command == "left" { n - 1 } else { 1 }) % n;
                self.search.clear();
                self.start_over()
            }
            "back" => {
                self.search.clear();
                self.place.unmark();
                self.start_over()
            }
            "claim" => self.act(&What::Claim),
            "resume" => self.act(&What::Resume),
            "reopen" => self.act(&What::Reopen),
            "next" => match self.rows.iter().find(|t| t.owner.is_none()) {
                Some(t) => act_on(vec![(t.id, Some(t.version))], &What::Claim),
                None => vec![Effect::Say(say::nothing_unowned())],
            },
            "assign" => self.ask(
                say::key_assign(),
                vec![Field::text(say::field_owner(), "")],
                |v, _| {
                    let to = v[0].trim();
                    Ok(What::Assign((!to.is_empty()).then(|| to.to_owned())))
                },
                now,
            ),
            "reply" => self.ask(
                say::key_reply(),
                vec![Field::long(say::field_body(), "")],
                |v, _| Ok(What::Reply(v[0].clone())),
                now,
            ),
            "note" => self.ask(
                say::key_note(),
                vec![Field::long(say::field_body(), "")],
                |v, _| Ok(What::Note(v[0].clone())),
                now,
            ),
            "call" => {
                let with = self.current().map(|t| t.reporter.clone()).unwrap_or_default();
                self.ask(
                    say::key_call(),
                    vec![Field::text(say::field_with(), with)],
                    |v, _| Ok(What::Call(v[0].clone())),
                    now,
                )
            }
            "pause" => {
                let reasons = vec![
                    ("waiting_user".to_owned(), say::waiting_user()),
                    ("waiting_vendor".to_owned(), say::waiting_vendor()),
                    ("approved_window".to_owned(), say::approved_window()),
                ];
                let fields = vec![
                    Field::choice(say::field_reason(), "waiting_user", reasons),
                    Field::text(say::field_hours(), "4"),
                    Field::text(say::field_note(), ""),
                ];
                self.ask(
                    say::key_pause(),
                    fields,
                    |v, now| {
                        let hours: f64 = v[1].trim().parse().map_err(|_| say::not_a_number())?;
                        if !(0.01..=2_400.0).contains(&hours) {
                            return Err(say::not_a_number());
                        }
                        let until = now + (hours * HOUR as f64) as Millis;
                        Ok(What::Pause { reason: v[0].clone(), until, note: v[2].clone() })
                    },
                    now,
                )
            }
            "resolve" => {
                let fields = vec![Field::text(say::field_cause(), ""), Field::text(say::field_solution(), "")];
                self.ask(
                    say::key_resolve(),
                    fields,
                    |v, _| Ok(What::Resolve { cause: v[0].clone(), solution: v[1].clone() }),
                    now,
                )
            }
            "level" => {
                let Some(t) = self.current() else { return vec![] };
                let fields = vec![
                    Field::choice(say::field_scope(), &t.scope, choices(&SCOPES, view::scope_word)),
                    Field::choice(say::field_severity(), &t.severity, choices(&SEVERITIES, view::level_word)),
                    Field::text(say::field_reason(), ""),
                ];
                let (config, start) = (self.config.clone(), t.reported_at);
                let mut effects = self.ask(
                    say::key_level(),
                    fields,
                    |v, _| Ok(What::Level { scope: v[0].clone(), severity: v[1].clone(), reason: v[2].clone() }),
                    now,
                );
                if let Some(Effect::Form(form)) = effects.first_mut() {
                    form.preview = Some(Box::new(move |v, now| {
                        dues(&config, &level_of(&config.tickets, &v[0], &v[1]), start, now)
                    }));
                }
                effects
            }
            "new" => {
                let fields = vec![
                    Field::text(say::field_title(), ""),
                    Field::text(say::field_from(), ""),
                    Field::choice(say::field_scope(), "individual", choices(&SCOPES, view::scope_word)),
                    Field::choice(say::field_severity(), "general", choices(&SEVERITIES, view::level_word)),
                    Field::text(say::field_minutes(), "0"),
                    Field::long(say::field_body(), ""),
                ];
                let config = self.config.clone();
                let preview = Box::new(move |v: &[String], now: Millis| {
                    let ago: i64 = v[4].trim().parse().unwrap_or(0);
                    dues(&config, &level_of(&config.tickets, &v[2], &v[3]), now - ago * MINUTE, now)
                });
                let submit = Box::new(move |v: &[String]| {
                    let ago: i64 = v[4]
                        .trim()
                        .parse()
                        .ok()
                        .filter(|n| (0..=1_000_000).contains(n))
                        .ok_or_else(say::not_a_number)?;
                    if v[0].trim().is_empty() {
                        return Err(say::needs_title());
                    }
                    let new = New {
                        title: v[0].clone(),
                        body: v[5].clone(),
                        scope: v[2].clone(),
                        severity: v[3].clone(),
                        channel: "phone".into(),
                        reporter: v[1].clone(),
                        reported_at: (ago > 0).then(|| now - ago * MINUTE),
                        ..New::default()
                    };
                    Ok(vec![Effect::Act(vec![Arc::new(new)])])
                });
                vec![Effect::Form(Form { title: say::key_new(), fields, preview: Some(preview), submit })]
            }
            "merge" => {
                let Some(into) = self.current().map(|t| t.id) else { return vec![] };
                let children: Vec<_> = self.chosen().into_iter().filter(|(id, _)| *id != into).collect();
                self.place.unmark();
                if children.is_empty() {
                    vec![Effect::Say(say::mark_two())]
                } else {
                    act_on(children, &What::Merge(into))
                }
            }
            "copy" => self.current().map(|t| Effect::Copy(format!("#{}", t.id))).into_iter().collect(),
            "copy_line" => self.current().map(|t| Effect::Copy(view::summary(t, now))).into_iter().collect(),
            "open" => {
                self.place.look.preview = true;
                vec![]
            }
            _ => vec![],
        }
    }

    fn search(&mut self, text: &str) -> Vec<Effect> {
        text.trim().clone_into(&mut self.search);
        self.start_over()
    }

    fn explain(&self, now: Millis) -> Option<(String, Vec<String>)> {
        let t = self.current()?;
        let (whole, past) = self.detail.as_ref()?;
        (whole.id == t.id).then(|| {
            let mut lines = view::explain(&self.config, t.id, past, now);
            (lines.remove(0), lines)
        })
    }

    fn attention(&self, now: Millis) -> Option<Attention> {
        let count = usize::try_from(self.counts[0]).unwrap_or(0);
        let over = self.rows.iter().any(|t| view::clock_text(t, now, false).1 == Role::Critical);
        (count > 0).then_some(Attention { count, role: if over { Role::Critical } else { Role::Warn } })
    }

    fn wall(&self, now: Millis) -> WallFacts {
        let mut facts = WallFacts::default();
        for t in &self.rows {
            let (clock, role) = view::clock_text(t, now, false);
            if matches!(role, Role::Critical | Role::Warn) {
                // a wall shows no names and no subjects
                let text = format!(
                    "#{}  {}  {}  {}",
                    t.id,
                    view::level_word(&t.level),
                    clock.trim(),
                    t.owner.as_deref().unwrap_or("—")
                );
                facts.problems.push(WallProblem {
                    handled: t.owner.is_some(),
                    weight: if role == Role::Critical { 4 } else { 1 },
                    since: Some(t.reported_at),
                    text,
                    role,
                });
            }
            let due = t
                .response_due
                .filter(|_| t.response_met_at.is_none())
                .into_iter()
                .chain(t.resolution_due)
                .filter(|d| *d > now)
                .min();
            if let Some(due) = due.filter(|_| t.state != "waiting")
                && facts.next_breach.as_ref().is_none_or(|(at, _)| due < *at)
            {
                facts.next_breach = Some((due, format!("#{} {}", t.id, view::level_word(&t.level))));
            }
        }
        let names = [
            say::queue_breaching(),
            say::queue_mine(),
            say::queue_unassigned(),
            say::queue_waiting(),
            say::queue_all(),
        ];
        facts.lines =
            names.iter().zip(self.counts).map(|(name, n)| format!("{} {n}", crate::text::cell(name, 14))).collect();
        facts
    }

    fn list(&mut self) -> Option<&mut dyn Listing> {
        Some(&mut self.place)
    }
    fn offers(&self) -> Offers {
        Offers { marks: true, preview: true, ..Offers::default() }
    }

    fn draw(&self, brush: &Brush<'_>, buf: &mut Buffer, area: Rect, now: Millis) {
        view::draw(self, brush, buf, area, now);
    }

    fn wake(&self, now: Millis) -> Option<Millis> {
        view::next_change(&self.rows[self.place.in_sight(self.rows.len())], now)
    }
}
