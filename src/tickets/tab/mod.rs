//! The ticket tab: state and keys.

mod compare;
mod forms;
mod help;
mod load;
mod new;
mod presence;
mod reply;
mod split;
mod troubles;

use std::cell::Cell;
use std::sync::{Arc, Mutex};

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::actions::{Change, Pull, What};
use super::explain;
use super::handling::{self, Outlook, Typical};
use super::model::{Doing, SEVERITIES, Ticket, linked_host, policy};
use super::sla::Policy;
use super::store::{Order, Queue};
use super::view;
use super::words::level_word;
use crate::action::{Action, Role as Rank};
use crate::clock::Millis;
use crate::config::Config;
use crate::console::tab::{Attention, Effect, Listing, Load, Offers, Rows, Snapshot, Tab, WallFacts, WallProblem};
use crate::locale::tickets as say;
use crate::text::filter::parse;
use crate::tui::command::Command;
use crate::tui::paint::Brush;
use crate::tui::theme::Role;

pub use help::{Answers, ArticleForm, Articles, Offered};
use help::{Help, Helped};
pub(super) use load::file_line;
pub use load::{Around, Evidence, File, Linkable};
use load::{Jump, Lists, MARGIN, Page, Similar};
use presence::Presence;
use troubles::Watch;
pub use troubles::{FindTroubles, Kind, Trouble, Troubles};

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
    key("offered", &["f"], say::key_offered, false),
    key("next", &["n"], say::key_next, true),
    key("new", &["N"], say::key_new, true),
    key("assign", &["A"], say::key_assign, true),
    key("message", &["R"], say::key_message, true),
    key("link", &["L"], say::key_link, true),
    key("merge", &["m"], say::key_merge, true),
    key("split", &["M"], say::key_split, true),
    key("answer", &["F"], say::key_answer, true),
    key("save", &["s"], say::key_save, false),
    key("troubles", &["t"], say::key_troubles, false),
    key("article", &["K"], say::key_article, true),
    key("excuse", &["z"], say::key_excuse, true),
    // the keys of the kit, but other rows are read
    key("faults", &[], say::key_faults, false),
    key("sort", &[], say::key_order, false),
    key("mark", &[], crate::locale::console::key_mark, false),
    key("copy", &["y"], say::key_copy, false),
    key("copy_line", &["Y"], say::key_copy_line, false),
];

/// The tab.
pub struct TicketsTab {
    pub(super) config: Arc<Config>,
    pub(super) policy: Arc<Policy>,
    me: String,
    role: Rank,
    pub(super) queue: usize,
    pub(super) order: Order,
    pub(super) rows: Vec<Ticket>,
    pub(super) counts: [i64; 5],
    pub(super) detail: Option<load::Detail>,
    /// How long tickets of each kind take.
    pub(super) typical: Vec<Typical>,
    /// What can be done in time by who is on duty.
    pub(super) outlook: Outlook,
    /// How many people are on duty, and when that was asked.
    hands: Option<(Millis, usize)>,
    /// A year whose holiday list should be there by now.
    pub(super) missing_list: Option<i32>,
    whole: (bool, bool),
    jump: Option<Jump>,
    /// The ticket that the next rows are to be shown around.
    go_to: Option<i64>,
    /// The ticket that something was done to: it stays under the cursor until that moves, wherever it belongs now. The
    /// next key must not reach its neighbour.
    acted: Option<i64>,
    /// What is late or soon will be, whichever queue is open: the most urgent of it.
    at_risk: Vec<Ticket>,
    /// The rows are old: the next load reads them, not only the detail.
    stale: bool,
    /// What is held is the first picture, which leaves out what it can.
    sketched: bool,
    pub(super) place: Rows<i64>,
    pub(super) search: String,
    /// The saved queue that is open, by its place in the configuration: its filter is what is searched for.
    pub(super) saved: Option<usize>,
    /// How many each saved queue holds, and whether there may be more.
    pub(super) saved_counts: Vec<(i64, bool)>,
    /// Not every ticket was looked at.
    pub(super) capped: bool,
    /// The ticket takes the whole screen.
    pub(super) full: bool,
    /// First line shown of the ticket.
    pub(super) scroll: Cell<usize>,
    loaded: bool,
    around: Option<Around>,
    help: Help,
    pub(super) watch: Watch,
    /// Files that came with the ticket under the cursor.
    pub(super) files: (i64, Vec<File>),
    lists: Lists,
    listed_at: Millis,
    similar: Option<Similar>,
    wanted_order: Arc<Mutex<Option<Order>>>,
    pulled: Arc<Mutex<Option<i64>>>,
    presence: Presence,
}

impl TicketsTab {
    /// An empty tab for the operator `me`; `around` tells what other rooms know.
    pub fn new(config: Arc<Config>, me: &str, around: Option<Around>) -> Self {
        Self {
            policy: policy(&config.tickets, &[], 0),
            config,
            me: me.to_owned(),
            role: Rank::Operator,
            queue: 4,
            order: Order::default(),
            rows: vec![],
            counts: [0; 5],
            detail: None,
            typical: vec![],
            outlook: Outlook::default(),
            hands: None,
            missing_list: None,
            whole: (true, true),
            jump: None,
            go_to: None,
            acted: None,
            at_risk: vec![],
            stale: true,
            sketched: false,
            place: Rows::default(),
            search: String::new(),
            saved: None,
            saved_counts: vec![],
            capped: false,
            full: false,
            scroll: Cell::new(0),
            loaded: false,
            around,
            help: Help::default(),
            watch: Watch::default(),
            files: (0, vec![]),
            lists: Lists::default(),
            listed_at: Millis::MIN / 2,
            similar: None,
            wanted_order: Arc::default(),
            pulled: Arc::default(),
            presence: Presence::new(),
        }
    }

    /// The ticket under the cursor.
    pub(super) fn current(&self) -> Option<&Ticket> {
        self.rows.get(self.place.at)
    }

    /// The marked tickets, or the one under the cursor: number and version seen.
    fn chosen(&self) -> Vec<(i64, Option<i64>)> {
        let version = |id: i64| self.rows.iter().find(|t| t.id == id).map(|t| t.version);
        let ids = if self.full { self.place.id().copied().into_iter().collect() } else { self.place.chosen() };
        ids.into_iter().map(|id| (id, version(id))).collect()
    }

    /// The chosen tickets as far as their rows are held.
    fn chosen_rows(&self) -> Vec<&Ticket> {
        self.chosen().iter().filter_map(|(id, _)| self.rows.iter().find(|t| t.id == *id)).collect()
    }

    /// Other rows are asked for, from their start.
    fn start_over(&mut self) -> Vec<Effect> {
        self.acted = None;
        self.place.start_over();
        self.scroll.set(0);
        self.jump = Some(Jump::Top);
        self.stale = true;
        vec![Effect::Reload]
    }

    fn act(&self, what: &What) -> Vec<Effect> {
        act_on(self.chosen(), what)
    }

    fn moved(&mut self, command: &str) -> Vec<Effect> {
        self.scroll.set(0);
        // what no longer belongs here goes with the next rows
        self.stale |= self.acted.take().is_some();
        self.jump = match command {
            "top" if !self.whole.0 => Some(Jump::Top),
            "bottom" if !self.whole.1 => Some(Jump::Bottom),
            _ => None,
        };
        let more =
            (!self.whole.0 && self.place.at < MARGIN) || (!self.whole.1 && self.place.at + MARGIN > self.rows.len());
        self.stale |= more || self.jump.is_some();
        vec![Effect::Reload]
    }

    /// Movements of the ticket on the whole screen: its text scrolls, left and right are its neighbours.
    fn turn_page(&mut self, command: &str) -> Option<Vec<Effect>> {
        let by = match command {
            "down" => 1,
            "page_down" => 15,
            "up" => -1,
            "page_up" => -15,
            "top" => isize::MIN,
            "bottom" => isize::MAX,
            "left" | "right" => {
                self.place.go(if command == "left" { "up" } else { "down" }, self.rows.len());
                return Some(self.moved(command));
            }
            "back" | "open" => {
                self.full = false;
                self.scroll.set(0);
                return Some(vec![]);
            }
            _ => return None,
        };
        // the picture knows how far it goes
        self.scroll.set(self.scroll.get().saturating_add_signed(by));
        Some(vec![])
    }
}

/// How grave a level is, from 0.
fn rank(level: &str) -> u8 {
    SEVERITIES.iter().zip(0..).find(|(l, _)| **l == level).map_or(0, |(_, rank)| rank)
}

fn act_on(chosen: Vec<(i64, Option<i64>)>, what: &What) -> Vec<Effect> {
    let actions: Vec<Arc<dyn Action>> =
        chosen.into_iter().map(|(id, seen)| Arc::new(Change { id, what: what.clone(), seen }) as _).collect();
    if actions.is_empty() { vec![] } else { vec![Effect::Act(actions)] }
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
        &["ticket", "calendar", "quarantine", "trouble"]
    }
    fn beat(&mut self, seen: bool, writes: Option<(i64, &'static str)>, every: Millis, now: Millis) -> Option<Load> {
        self.make_beat(seen, writes.map(|(id, word)| (id, Doing::from_word(word))), every, now)
    }
    fn beats_at(&self) -> Option<Millis> {
        self.presence.due()
    }
    fn heard(&mut self, snapshot: Snapshot, now: Millis) -> bool {
        self.take_beat(snapshot, now)
    }
    fn row(&self) -> Vec<(&'static str, String)> {
        let Some(t) = self.current() else { return vec![] };
        let past = self.detail.as_ref().filter(|(whole, _)| whole.id == t.id).map(|(_, past)| past.as_slice());
        vec![
            ("id", t.id.to_string()),
            ("title", t.title.clone()),
            ("reporter", t.reporter.clone()),
            ("owner", t.owner.clone().unwrap_or_default()),
            ("level", t.level.clone()),
            ("state", t.state.clone()),
            ("channel", t.channel.clone()),
            ("host", linked_host(past.unwrap_or_default())),
        ]
    }
    fn refresh(&self) -> Option<Millis> {
        // membership of the first queue changes by the passing of time
        Some(30_000)
    }

    fn load(&mut self, now: Millis) -> Load {
        self.make_load(now)
    }

    fn arrived(&mut self, snapshot: Snapshot, now: Millis) {
        match snapshot.downcast::<Page>() {
            Ok(page) => self.take(*page, now),
            Err(other) => {
                if let Ok(helped) = other.downcast::<Helped>() {
                    self.helped(*helped, now);
                }
            }
        }
    }

    fn rests(&self, now: Millis) -> Option<Millis> {
        TicketsTab::rests(self, now)
    }

    fn beside(&mut self, now: Millis) -> Option<Load> {
        self.look_for_help(now)
    }

    fn stale(&mut self) {
        self.stale = true;
    }

    fn list(&mut self) -> Option<&mut dyn Listing> {
        Some(&mut self.place)
    }

    fn offers(&self) -> Offers {
        // faults and order are commands of its own: they read other rows
        Offers { marks: true, preview: true, ..Offers::default() }
    }

    fn is_loaded(&self) -> bool {
        self.loaded
    }

    fn is_unfinished(&self) -> bool {
        self.sketched
    }

    fn disabled(&self, command: &str) -> Option<String> {
        let mutates = COMMANDS.iter().any(|c| c.name == command && c.mutates);
        let needs = if command == "excuse" { Rank::Supervisor } else { Rank::Operator };
        if mutates && self.role < needs {
            return Some(crate::locale::cli::denied(needs.word(), self.role.word()));
        }
        if command == "troubles" {
            return (self.watch.found.total() == 0).then(say::no_troubles);
        }
        if command == "save" && self.files_here().is_empty() {
            return Some(say::no_files());
        }
        if command == "offered" && self.offers_here().is_empty() {
            return Some(say::nothing_offered());
        }
        if ["new", "next"].contains(&command) || !mutates {
            let one = ["copy", "copy_line"].contains(&command);
            return (one && self.current().is_none()).then(say::no_ticket);
        }
        let rows = self.chosen_rows();
        let Some(t) = rows.first() else { return Some(say::no_ticket()) };
        // of several, one that can is enough: the others say why not
        let none = |can: fn(&Ticket) -> bool| !rows.iter().any(|t| can(t));
        match command {
            "answer" if self.offers_here().is_empty() => Some(say::nothing_offered()),
            "article" if self.current().is_none_or(|t| t.state != "resolved") => Some(say::article_when_solved(t.id)),
            "claim" if none(|t| t.owner.is_none()) => Some(say::is_owned(t.id, t.owner.as_deref().unwrap_or_default())),
            "resume" if none(|t| t.state == "waiting") => Some(say::is_not_paused(t.id)),
            "reopen" if none(|t| t.state == "resolved") => Some(say::is_not_resolved(t.id)),
            "pause" if none(|t| t.is_open() && t.state != "waiting") && t.is_open() => Some(say::is_paused(t.id)),
            "claim" | "assign" | "reply" | "call" | "pause" | "resolve" | "level" if none(Ticket::is_open) => {
                Some(say::is_closed(t.id))
            }
            "merge" if self.full || self.chosen().iter().all(|(id, _)| self.current().is_some_and(|t| t.id == *id)) => {
                Some(say::mark_two())
            }
            "excuse" if !t.response_breached && !t.resolution_breached => {
                let late = [t.response_breach_at, t.resolution_breach_at].iter().any(Option::is_some);
                (!late).then(|| say::nothing_to_excuse(t.id))
            }
            _ => None,
        }
    }

    fn run(&mut self, command: &str, now: Millis) -> Vec<Effect> {
        self.help.since = now;
        if self.full
            && let Some(effects) = self.turn_page(command)
        {
            return effects;
        }
        if self.place.go(command, self.rows.len()) {
            return self.moved(command);
        }
        if COMMANDS.iter().any(|c| c.name == command && c.mutates) && !self.place.has_marks() {
            self.acted = self.current().map(|t| t.id);
        }
        match command {
            "left" | "right" => {
                let built_in = Queue::ORDER.len();
                let n = built_in + self.config.tickets.queues.len();
                let at = self.saved.map_or(self.queue, |i| built_in + i);
                let to = (at + if command == "left" { n - 1 } else { 1 }) % n;
                self.saved = to.checked_sub(built_in);
                self.search.clear();
                match self.saved.and_then(|i| self.config.tickets.queues.get(i)) {
                    Some(queue) => self.search.clone_from(&queue.filter),
                    None => self.queue = to,
                }
                self.start_over()
            }
            "back" => {
                self.search.clear();
                self.saved = None;
                self.place.unmark();
                self.start_over()
            }
            "claim" => self.act(&What::Claim),
            "resume" => self.act(&What::Resume),
            "reopen" => self.act(&What::Reopen),
            "next" => vec![Effect::Act(vec![Arc::new(Pull { took: self.pulled.clone() })])],
            "assign" => self.pick_owner(),
            "reply" => self.ask_reply(),
            "note" => self.ask_note(),
            "message" => self.ask_message(),
            "call" => self.ask_call(),
            "pause" => self.ask_pause(),
            "resolve" => self.ask_resolve(),
            "level" => self.ask_level(),
            "new" => self.ask_new(),
            "link" => self.pick_link(),
            "merge" => self.ask_merge(),
            "split" => self.pick_split(),
            "excuse" => self.ask_excuse(now),
            "save" => self.save_file(),
            "troubles" => self.show_troubles(),
            "offered" => self.read_offer(),
            "answer" => self.answer_offer(),
            "article" => self.write_article(),
            "sort" => self.pick_order(),
            "mark" => {
                self.place.mark();
                // the cursor went on: the ticket under it is read
                self.moved("down")
            }
            "faults" => {
                // another ticket must not take the place of the one that is read
                self.full = false;
                // the queue of what is breached or soon will be, and back
                self.queue = if Queue::ORDER[self.queue] == Queue::Breaching { Queue::ORDER.len() - 1 } else { 0 };
                self.search.clear();
                self.saved = None;
                self.start_over()
            }
            "copy" => self.current().map(|t| Effect::Copy(format!("#{}", t.id))).into_iter().collect(),
            "copy_line" => {
                let line = self.current().map(|t| view::summary(&self.config, &self.policy, t, now));
                line.map(Effect::Copy).into_iter().collect()
            }
            "open" => {
                self.full = self.current().is_some();
                self.scroll.set(0);
                vec![]
            }
            _ => vec![],
        }
    }

    fn search(&mut self, text: &str) -> Vec<Effect> {
        if let Err(e) = parse(text) {
            return vec![Effect::Say(e.to_string())];
        }
        text.trim().clone_into(&mut self.search);
        self.saved = None;
        self.full = false;
        self.start_over()
    }

    fn explain(&self, now: Millis) -> Option<(String, Vec<String>)> {
        let t = self.current()?;
        let (whole, past) = self.detail.as_ref()?;
        (whole.id == t.id).then(|| {
            let mut lines = explain::explain(&self.config, &self.policy, t.id, past, now);
            let start = handling::explain(&self.config, whole, &self.typical);
            if !start.is_empty() {
                lines.push(String::new());
                lines.extend(start);
            }
            (lines.remove(0), lines)
        })
    }

    fn attention(&self, now: Millis) -> Option<Attention> {
        let troubles = self.watch.found.total();
        let count = usize::try_from(self.counts[0] + troubles).unwrap_or(0);
        let over = self.at_risk.iter().chain(&self.rows).any(|t| self.clock_of(t, now).1 == Role::Critical);
        (count > 0).then_some(Attention { count, role: if over { Role::Critical } else { Role::Warn } })
    }

    fn wall(&self, now: Millis) -> WallFacts {
        let mut facts = WallFacts::default();
        for t in &self.rows {
            let (clock, role) = self.clock_of(t, now);
            if matches!(role, Role::Critical | Role::Warn) {
                // a wall shows no names and no subjects
                let text = format!(
                    "#{}  {}  {}  {}",
                    t.id,
                    level_word(&t.level),
                    clock.trim(),
                    t.owner.clone().unwrap_or_else(say::nobody)
                );
                facts.problems.push(WallProblem {
                    handled: t.owner.is_some(),
                    weight: if role == Role::Critical { 4 + rank(&t.level) } else { 1 },
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
                facts.next_breach = Some((due, format!("#{} {}", t.id, level_word(&t.level))));
            }
        }
        // nobody's are a wall's own
        let queues = view::queue_names().into_iter().zip(self.counts).zip(Queue::ORDER);
        facts.lines = queues
            .filter(|(_, queue)| *queue != Queue::Mine)
            .map(|((name, n), _)| format!("{} {n}", crate::text::cell(&name, 14)))
            .collect();
        facts.lines.extend(handling::warning(&self.outlook));
        facts.lines.extend(self.watch.found.line());
        facts
    }

    fn draw(&self, brush: &Brush<'_>, buf: &mut Buffer, area: Rect, now: Millis) {
        view::draw(self, brush, buf, area, now);
    }

    fn wake(&self, now: Millis) -> Option<Millis> {
        let shown = self.place.in_sight(self.rows.len());
        view::next_change(&self.policy, &self.rows[shown], now)
    }
}
