//! The Accounts tab: findings, worst first, and what was decided. State and keys; the picture is in `view`.

mod forms;

use std::collections::HashMap;
use std::sync::Arc;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::audit::{Audit, Finding, audit};
use super::decisions::{Decision, State, state};
use super::model::{self, Account, Book, Person};
use super::rules::rank;
use super::store::{self, Past};
use super::{view, words};
use crate::clock::{MINUTE, Millis};
use crate::config::Config;
use crate::console::tab::{Attention, Effect, Listing, Load, Offers, Rows, Snapshot, Tab, WallFacts, WallProblem};
use crate::locale::accounts as say;
use crate::text::cell;
use crate::tui::command::Command;
use crate::tui::paint::Brush;
use crate::tui::theme::Role;

const fn key(name: &'static str, keys: &'static [&'static str], doc: fn() -> String, mutates: bool) -> Command {
    Command { name, keys, doc, mutates }
}

const COMMANDS: &[Command] = &[
    key("freeze", &["f"], say::key_freeze, true),
    key("keep", &["e"], say::key_keep, true),
    key("ask", &["A"], say::key_ask, true),
    key("history", &["H"], say::key_history, false),
    key("ticket", &["t"], say::key_ticket, true),
    key("rules", &["C"], say::key_rules, false),
    key("copy", &["y"], say::key_copy, false),
    key("copy_line", &["Y"], say::key_copy_line, false),
];

/// Everything that was read, judged.
#[derive(Default)]
pub(super) struct Whole {
    pub book: Book,
    pub audit: Audit,
    pub decisions: HashMap<String, Decision>,
}

impl Whole {
    /// System and name of every account of a finding's person, and of the one it is about.
    fn accounts_of(&self, f: &Finding) -> Vec<(String, String)> {
        let is = |a: &&Account| {
            (!f.person.is_empty() && a.person == f.person) || (a.account == f.account && a.system == f.system)
        };
        self.book.accounts.iter().filter(is).map(|a| (a.system.clone(), a.account.clone())).collect()
    }
}

/// What is known of the past of the finding's person.
type Known = (String, Vec<(Millis, Past)>);

struct Page {
    /// Nothing: what is held is still good, only the past of one was asked for.
    whole: Option<Arc<Whole>>,
    past: Option<Known>,
}

/// The tab.
pub struct AccountsTab {
    pub(super) config: Arc<Config>,
    pub(super) whole: Arc<Whole>,
    /// Places in the audit's list of the rows shown, in their order.
    pub(super) rows: Vec<usize>,
    pub(super) place: Rows<String>,
    pub(super) past: Option<Known>,
    filter: String,
    stale: bool,
    loaded: bool,
    /// When what is held arrived.
    judged_at: Millis,
}

impl AccountsTab {
    /// An empty tab.
    pub fn new(config: Arc<Config>) -> Self {
        Self {
            config,
            whole: Arc::default(),
            rows: vec![],
            place: Rows::default(),
            past: None,
            filter: String::new(),
            stale: true,
            loaded: false,
            judged_at: 0,
        }
    }

    pub(super) fn finding(&self, row: usize) -> Option<&Finding> {
        self.rows.get(row).and_then(|i| self.whole.audit.findings.get(*i))
    }

    /// The finding under the cursor.
    pub(super) fn current(&self) -> Option<&Finding> {
        self.finding(self.place.at)
    }

    pub(super) fn decision(&self, f: &Finding) -> Option<&Decision> {
        self.whole.decisions.get(&f.id)
    }

    /// How a finding stands.
    pub(super) fn state(&self, f: &Finding, now: Millis) -> State {
        state(self.decision(f), true, now)
    }

    fn is_open(&self, f: &Finding, now: Millis) -> bool {
        f.severity != "info" && self.state(f, now).is_open()
    }

    /// How many findings ask for a decision, and how many of them have one; how many freezes wait, and are done.
    pub(super) fn progress(&self, now: Millis) -> (usize, usize, usize, usize) {
        let asking: Vec<&Finding> = self.whole.audit.findings.iter().filter(|f| f.severity != "info").collect();
        let decided = asking.iter().filter(|f| !self.is_open(f, now)).count();
        let present = |id: &str| self.whole.audit.findings.iter().any(|f| f.id == id);
        let count =
            |is| self.whole.decisions.values().filter(|d| state(Some(d), present(&d.finding), now) == is).count();
        (asking.len(), decided, count(State::Instructed), count(State::Done))
    }

    /// The account a finding is about.
    pub(super) fn account(&self, f: &Finding) -> Option<&Account> {
        let book = &self.whole.book;
        book.accounts.iter().find(|a| f.is_account && a.account == f.account && a.system == f.system)
    }

    /// The person a finding is about.
    pub(super) fn person(&self, f: &Finding) -> Option<&Person> {
        self.whole.book.people.iter().find(|p| !f.person.is_empty() && p.person == f.person)
    }

    /// The rows that are to be shown, in their order.
    fn arrange(&mut self, now: Millis) {
        let whole = self.whole.clone();
        let all = &whole.audit.findings;
        let hit = |f: &Finding| {
            let text = [&f.id, &f.account, &f.name, &f.person, &f.system].map(String::as_str).join(" ");
            let word = words::finding_word(f.rule.finding);
            format!("{text} {} {word}", f.rule.finding).to_lowercase().contains(&self.filter)
        };
        let shown = |i: &usize| {
            let f = &all[*i];
            (self.filter.is_empty() || hit(f)) && (!self.place.look.faults || self.is_open(f, now))
        };
        let mut rows: Vec<usize> = (0..all.len()).filter(shown).collect();
        match self.place.look.order {
            1 => rows.sort_by(|a, b| all[*a].account.cmp(&all[*b].account)),
            2 => rows.sort_by_key(|i| all[*i].since.unwrap_or(Millis::MAX)),
            _ => rows.sort_by_key(|i| self.rank(&all[*i], now)),
        }
        self.rows = self.place.take(rows, |i| all[*i].id.clone(), now);
    }

    fn rank(&self, f: &Finding, now: Millis) -> (u8, bool) {
        (rank(f.severity), !self.is_open(f, now))
    }

    /// The marked findings, or the one under the cursor, with what was decided about each.
    fn chosen(&self) -> Vec<(Finding, Option<Decision>)> {
        let all = &self.whole.audit.findings;
        let chosen = self.place.chosen();
        chosen
            .iter()
            .filter_map(|id| all.iter().find(|f| f.id == *id))
            .map(|f| (f.clone(), self.decision(f).cloned()))
            .collect()
    }

    /// Who answers for the account of a finding: its owner, else the person, unless that one has left.
    fn owner(&self, f: &Finding, now: Millis) -> Option<String> {
        let owner = self.account(f).map(|a| a.owner.clone()).filter(|o| !o.is_empty());
        let is_here = |p: &&model::Person| model::left(p, now, model::zone(&self.config.accounts)).is_none();
        owner.or_else(|| self.person(f).filter(is_here).map(|p| format!("{} {}", p.person, p.name)))
    }

    fn decide(&mut self, word: &'static str, now: Millis) -> Vec<Effect> {
        let owner = self.current().and_then(|f| self.owner(f, now));
        forms::decide(word, &self.chosen(), owner, &self.config.accounts)
    }

    fn copied(&self, text: impl Fn(&Finding) -> String) -> Vec<Effect> {
        let all: Vec<String> = self.chosen().iter().map(|(f, _)| text(f)).collect();
        if all.is_empty() { vec![] } else { vec![Effect::Copy(all.join("\n"))] }
    }
}

impl Tab for AccountsTab {
    fn name(&self) -> String {
        say::name()
    }
    fn key(&self) -> &'static str {
        "accounts"
    }
    fn commands(&self) -> &'static [Command] {
        COMMANDS
    }
    fn topics(&self) -> &'static [&'static str] {
        &["account"]
    }
    fn row(&self) -> Vec<(&'static str, String)> {
        let values = |f: &Finding| {
            [("account", f.account.clone()), ("system", f.system.clone()), ("person", f.person.clone())].into()
        };
        self.current().map(values).unwrap_or_default()
    }
    fn refresh(&self) -> Option<Millis> {
        // findings come and go by the passing of days
        Some(10 * MINUTE)
    }
    fn stale(&mut self) {
        self.stale = true;
    }
    fn list(&mut self) -> Option<&mut dyn Listing> {
        Some(&mut self.place)
    }
    fn offers(&self) -> Offers {
        let orders: &[fn() -> String] = &[say::order_worst, say::order_account, say::order_since];
        Offers { marks: true, faults: true, preview: true, orders }
    }
    fn relist(&mut self, now: Millis) {
        self.arrange(now);
    }

    fn load(&mut self, now: Millis) -> Load {
        let everything = std::mem::take(&mut self.stale) || !self.loaded;
        let current = self.current().map(|f| f.id.clone());
        let held = self.whole.clone();
        Box::new(move |door| {
            Box::pin(async move {
                let text = |e: crate::store::StoreError| e.to_string();
                let s = door.store();
                let whole = if everything {
                    let book = store::book(s, &door.config().accounts).await.map_err(text)?;
                    let decisions = store::decisions(s).await.map_err(text)?;
                    let config = door.config().clone();
                    // a large directory is judged beside the console, not in it
                    let (book, audit) = tokio::task::spawn_blocking(move || {
                        let found = audit(&book, now, now, &config.accounts);
                        (book, found)
                    })
                    .await
                    .map_err(|e| e.to_string())?;
                    let decisions = decisions.into_iter().map(|d| (d.finding.clone(), d)).collect();
                    Arc::new(Whole { book, audit, decisions })
                } else {
                    held
                };
                let all = &whole.audit.findings;
                let about = all.iter().find(|f| Some(&f.id) == current.as_ref()).or(all.first());
                let past = match about {
                    Some(f) => {
                        Some((f.id.clone(), store::past(s, &f.person, &whole.accounts_of(f)).await.map_err(text)?))
                    }
                    None => None,
                };
                Ok(Box::new(Page { whole: everything.then_some(whole), past }) as Snapshot)
            })
        })
    }

    fn arrived(&mut self, snapshot: Snapshot, now: Millis) {
        let Ok(page) = snapshot.downcast::<Page>() else { return };
        if let Some(whole) = page.whole {
            // what was decided is done with; what is gone cannot be decided
            let at = |w: &Whole, id: &str| w.decisions.get(id).map(|d| d.at);
            let old = self.whole.clone();
            self.place
                .keep_marks(|id| at(&old, id) == at(&whole, id) && whole.audit.findings.iter().any(|f| &f.id == id));
            self.whole = whole;
            (self.loaded, self.judged_at) = (true, now);
            self.arrange(now);
        }
        self.past = page.past.or(self.past.take());
    }

    fn is_loaded(&self) -> bool {
        self.loaded
    }

    fn disabled(&self, command: &str) -> Option<String> {
        let on_row = ["freeze", "keep", "ask", "history", "ticket", "copy", "copy_line"].contains(&command);
        if on_row && self.current().is_none() {
            let empty = self.whole.book.accounts.is_empty();
            return Some(if empty { say::empty_title() } else { say::clean_title() });
        }
        let plain = self.current().is_some_and(|f| !f.is_account) && !self.place.has_marks();
        (command == "freeze" && plain).then(say::nothing_to_freeze)
    }

    fn run(&mut self, command: &str, now: Millis) -> Vec<Effect> {
        if self.place.go(command, self.rows.len()) {
            return vec![Effect::Reload];
        }
        match command {
            "freeze" => self.decide("freeze", now),
            "keep" => self.decide("keep", now),
            "ask" => self.decide("ask", now),
            "history" => view::history(self, now).map(|(t, l)| Effect::Text(t, l)).into_iter().collect(),
            "ticket" => self.current().map(|f| forms::ticket(f, &self.config.accounts)).unwrap_or_default(),
            "rules" => {
                let (title, lines) = view::rules(self);
                vec![Effect::Text(title, lines)]
            }
            "copy" => self.copied(|f| f.id.clone()),
            "copy_line" => self.copied(|f| crate::text::clean(&words::summary(f, &self.config.accounts)).into_owned()),
            "open" => self.explain(now).map(|(title, lines)| Effect::Text(title, lines)).into_iter().collect(),
            "back" => {
                self.filter.clear();
                self.place.look.faults = false;
                self.arrange(now);
                vec![]
            }
            _ => vec![],
        }
    }

    fn search(&mut self, text: &str) -> Vec<Effect> {
        self.filter = text.trim().to_lowercase();
        self.place.start_over();
        self.arrange(self.judged_at);
        vec![Effect::Reload]
    }

    fn explain(&self, now: Millis) -> Option<(String, Vec<String>)> {
        view::explain(self, now)
    }

    fn attention(&self, now: Millis) -> Option<Attention> {
        let open: Vec<&Finding> = self.whole.audit.findings.iter().filter(|f| self.is_open(f, now)).collect();
        let critical = open.iter().any(|f| f.severity == "critical");
        (!open.is_empty())
            .then_some(Attention { count: open.len(), role: if critical { Role::Critical } else { Role::Warn } })
    }

    fn wall(&self, now: Millis) -> WallFacts {
        let open: Vec<&Finding> = self.whole.audit.findings.iter().filter(|f| self.is_open(f, now)).collect();
        // a wall shows no names
        let in_hand = |f: &Finding| matches!(self.state(f, now), State::Instructed | State::Asked);
        let critical = self.whole.audit.findings.iter().filter(|f| f.severity == "critical");
        let problems = critical
            .filter(|f| self.is_open(f, now) || in_hand(f))
            .map(|f| WallProblem {
                // told to the directory, or asked of the owner
                handled: in_hand(f),
                weight: 2,
                since: f.since,
                text: format!("{} {}", f.id, words::finding_word(f.rule.finding)),
                role: Role::Critical,
            })
            .collect();
        let mut counts: Vec<(&Finding, usize)> = vec![];
        for f in open {
            match counts.iter_mut().find(|(g, _)| g.rule == f.rule) {
                Some((_, n)) => *n += 1,
                None => counts.push((f, 1)),
            }
        }
        let lines = counts.iter().map(|(f, n)| format!("{} {n}", cell(&words::finding_word(f.rule.finding), 26)));
        WallFacts { problems, next_breach: None, lines: lines.collect() }
    }

    fn draw(&self, brush: &Brush<'_>, buf: &mut Buffer, area: Rect, now: Millis) {
        view::draw(self, brush, buf, area, now);
    }

    fn wake(&self, now: Millis) -> Option<Millis> {
        // a decision whose time is over is open again
        self.whole.decisions.values().filter_map(|d| d.until).filter(|until| *until > now).min()
    }
}
