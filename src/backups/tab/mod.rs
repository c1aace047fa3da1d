//! The Backups tab: is last night safe? State and keys; the picture is in `view`.

mod forms;

use std::cell::{Ref, RefCell};
use std::sync::Arc;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::model::{Facts, FullRule, Plan, plan_of};
use super::slots::SlotState;
use super::verdict::{Day, Status, Verdict, Weight, evaluate};
use super::{store, view, words};
use crate::clock::{MINUTE, Millis};
use crate::config::Config;
use crate::console::tab::{Attention, Effect, Listing, Load, Offers, Rows, Snapshot, Tab, WallFacts, WallProblem};
use crate::locale::backups as say;
use crate::tui::command::Command;
use crate::tui::paint::Brush;
use crate::tui::theme::Role;

const fn key(name: &'static str, keys: &'static [&'static str], doc: fn() -> String, mutates: bool) -> Command {
    Command { name, keys, doc, mutates }
}

const COMMANDS: &[Command] = &[
    key("verify", &["v"], say::key_verify, true),
    key("record", &["r"], say::key_record, true),
    key("ticket", &["t"], say::key_ticket, true),
    key("scan", &["R"], say::key_scan, true),
    key("left", &["h", "left"], say::key_earlier, false),
    key("right", &["l", "right"], say::key_later, false),
    // `v` verifies here, so that the range has its capital
    key("range", &["V"], crate::locale::console::key_range, false),
    key("copy", &["y"], say::key_copy, false),
    key("copy_line", &["Y"], say::key_copy_line, false),
];

const ORDERS: &[fn() -> String] = &[say::sort_worst, say::sort_name, say::sort_age];

/// A system as it is shown.
pub(super) struct Line {
    pub facts: Arc<Facts>,
    pub plan: Plan,
    pub status: Status,
}

/// What was judged, and for which minute.
#[derive(Default)]
struct Judged {
    minute: Millis,
    lines: Vec<Line>,
}

/// The tab.
pub struct BackupsTab {
    config: Arc<Config>,
    facts: Vec<Arc<Facts>>,
    // verdicts follow from the passing of time as well: they are made when the minute they were made for is over
    judged: RefCell<Judged>,
    /// Places in `facts` of the systems shown, in their order.
    rows: Vec<usize>,
    pub(super) list: Rows<String>,
    filter: String,
    /// Days back from today under the cursor; `None`: the last one that is decided.
    back: Option<usize>,
    /// The minute for which the rows were chosen and ordered.
    arranged: Millis,
    loaded: bool,
}

impl BackupsTab {
    /// An empty tab.
    pub fn new(config: Arc<Config>) -> Self {
        let mut list = Rows::default();
        // a row is a calendar: its detail stands below unless asked beside
        list.look.below = true;
        Self {
            config,
            facts: vec![],
            judged: RefCell::default(),
            rows: vec![],
            list,
            filter: String::new(),
            back: None,
            arranged: Millis::MIN,
            loaded: false,
        }
    }

    /// Whether anything is in the catalogue.
    pub(super) fn is_empty(&self) -> bool {
        self.facts.is_empty()
    }

    /// The systems as they stand now, by name.
    fn every(&self, now: Millis) -> Ref<'_, Vec<Line>> {
        let minute = now.div_euclid(MINUTE);
        if self.judged.borrow().minute != minute {
            let judge = |f: &Arc<Facts>| {
                let plan = plan_of(&self.config, &f.name);
                Line { status: evaluate(f, &plan, now), facts: f.clone(), plan }
            };
            let lines = self.facts.iter().map(judge).collect();
            *self.judged.borrow_mut() = Judged { minute, lines };
        }
        Ref::map(self.judged.borrow(), |j| &j.lines)
    }

    /// The rows that are to be shown, in their order.
    fn arrange(&mut self, now: Millis) {
        let ids: Vec<(usize, String)> = {
            let every = self.every(now);
            let hit = |l: &Line| {
                let word = words::verdict_word(l.status.verdict);
                let text = format!("{} {word} {}", l.status.system, words::reason(&l.status, &l.plan));
                text.to_lowercase().contains(&self.filter)
            };
            let shown = |i: &usize| {
                let l = &every[*i];
                (!self.list.look.faults || l.status.verdict != Verdict::Safe) && (self.filter.is_empty() || hit(l))
            };
            let mut rows: Vec<usize> = (0..every.len()).filter(shown).collect();
            match self.list.look.order {
                0 => rows.sort_by_key(|i| std::cmp::Reverse(every[*i].status.verdict)),
                2 => rows.sort_by_key(|i| std::cmp::Reverse(every[*i].status.rpo.unwrap_or(Millis::MAX))),
                _ => {}
            }
            rows.into_iter().map(|i| (i, every[i].status.system.clone())).collect()
        };
        self.rows = self.list.take(ids, |(_, name)| name.clone(), now).into_iter().map(|(i, _)| i).collect();
        self.arranged = now.div_euclid(MINUTE);
    }

    /// Runs `f` with the shown systems and the place of the cursor among them.
    pub(super) fn with<R>(&self, now: Millis, f: impl FnOnce(&[&Line], usize) -> R) -> R {
        let every = self.every(now);
        let shown: Vec<&Line> = self.rows.iter().filter_map(|i| every.get(*i)).collect();
        let at = self.list.at.min(shown.len().saturating_sub(1));
        f(&shown, at)
    }

    /// All systems, filtered or not.
    pub(super) fn night(&self, now: Millis) -> (Verdict, String) {
        words::night(self.every(now).iter().map(|l| &l.status))
    }

    /// What the list's title says of the systems that are not shown.
    pub(super) fn hidden(&self) -> Option<String> {
        let (shown, all) = (self.rows.len(), self.facts.len());
        let by = if self.filter.is_empty() { String::new() } else { format!(" /{}", self.filter) };
        (shown < all || !by.is_empty()).then(|| format!("{shown}/{all}{by}"))
    }

    fn current<R>(&self, now: Millis, f: impl FnOnce(&Line) -> R) -> Option<R> {
        self.with(now, |shown, at| shown.get(at).map(|l| f(l)))
    }

    /// Runs `f` with the marked systems, or the one under the cursor.
    fn chosen<R>(&self, now: Millis, f: impl FnOnce(&[&Line]) -> R) -> R {
        let every = self.every(now);
        let names = self.list.chosen();
        let lines: Vec<&Line> = names.iter().filter_map(|n| every.iter().find(|l| l.status.system == *n)).collect();
        f(&lines)
    }

    fn copied(&self, now: Millis, text: impl Fn(&Line) -> String) -> Vec<Effect> {
        let all: Vec<String> = self.chosen(now, |lines| lines.iter().map(|l| text(l)).collect());
        if all.is_empty() { vec![] } else { vec![Effect::Copy(all.join("\n"))] }
    }

    /// The day under the cursor, as an index into the calendar of `status`.
    pub(super) fn day_at(&self, status: &Status) -> usize {
        let last = status.days.len().saturating_sub(1);
        let back = self.back.unwrap_or_else(|| {
            // today says nothing before its run is due
            let waits = |d: &Day| matches!(d.state, SlotState::Pending | SlotState::Before);
            usize::from(status.days.last().is_some_and(waits))
        });
        last.saturating_sub(back)
    }

    /// Goes a day back or forward; at an end it says so.
    fn go_day(&mut self, earlier: bool, now: Millis) -> Vec<Effect> {
        let moved = self.current(now, |line| {
            let (day, last) = (self.day_at(&line.status), line.status.days.len().saturating_sub(1));
            let to = if earlier { day.checked_sub(1) } else { Some(day + 1).filter(|d| *d <= last) };
            to.map(|day| last - day)
        });
        match moved {
            Some(Some(back)) => self.back = Some(back),
            Some(None) => return vec![Effect::Say(if earlier { say::first_day() } else { say::last_day() })],
            None => {}
        }
        vec![]
    }
}

fn role_of(verdict: Verdict) -> Role {
    match verdict {
        Verdict::Safe => Role::Ok,
        Verdict::AtRisk => Role::Warn,
        Verdict::Unknown => Role::Stale,
        Verdict::Never | Verdict::Unsafe => Role::Critical,
    }
}

impl Tab for BackupsTab {
    fn name(&self) -> String {
        say::name()
    }
    fn key(&self) -> &'static str {
        "backups"
    }
    fn commands(&self) -> &'static [Command] {
        COMMANDS
    }
    fn topics(&self) -> &'static [&'static str] {
        &["backup"]
    }
    fn row(&self) -> Vec<(&'static str, String)> {
        self.list.id().map(|system| ("system", system.clone())).into_iter().collect()
    }
    fn refresh(&self) -> Option<Millis> {
        // the order follows the verdicts, and those the time
        Some(5 * MINUTE)
    }

    fn load(&mut self, now: Millis) -> Load {
        Box::new(move |door| {
            Box::pin(async move {
                let all = store::facts(door.store(), door.config(), now).await.map_err(|e| e.to_string())?;
                Ok(Box::new(all) as Snapshot)
            })
        })
    }

    fn arrived(&mut self, snapshot: Snapshot, now: Millis) {
        if let Ok(all) = snapshot.downcast::<Vec<Facts>>() {
            self.facts = all.into_iter().map(Arc::new).collect();
            self.judged.get_mut().minute = Millis::MIN;
            let facts = &self.facts;
            self.list.keep_marks(|name| facts.iter().any(|f| f.name == *name));
            self.loaded = true;
            self.arrange(now);
        }
    }

    fn is_loaded(&self) -> bool {
        self.loaded
    }

    fn list(&mut self) -> Option<&mut dyn Listing> {
        Some(&mut self.list)
    }
    fn offers(&self) -> Offers {
        Offers { marks: true, faults: true, preview: true, orders: ORDERS }
    }
    fn relist(&mut self, now: Millis) {
        self.arrange(now);
    }

    fn run(&mut self, command: &str, now: Millis) -> Vec<Effect> {
        if self.arranged != now.div_euclid(MINUTE) {
            self.arrange(now);
        }
        if self.list.go(command, self.rows.len()) {
            return vec![];
        }
        match command {
            "left" => self.go_day(true, now),
            "right" => self.go_day(false, now),
            "verify" => self.chosen(now, Self::verify_form),
            "record" => self.current(now, Self::record_form).unwrap_or_default(),
            "ticket" => self.chosen(now, |lines| self.ticket_form(lines)),
            "scan" => self.chosen(now, Self::scan),
            "range" => {
                self.list.range().then(crate::locale::console::range_begun).map(Effect::Say).into_iter().collect()
            }
            "copy" => self.copied(now, |l| crate::text::clean(&l.status.system).into_owned()),
            "copy_line" => self.copied(now, |l| words::summary(&l.status, &l.plan)),
            "open" => self.explain(now).map(|(title, lines)| Effect::Text(title, lines)).into_iter().collect(),
            "back" => {
                self.list.look.faults = false;
                self.filter.clear();
                self.back = None;
                self.arrange(now);
                vec![]
            }
            _ => vec![],
        }
    }

    fn disabled(&self, command: &str) -> Option<String> {
        let acts = ["verify", "record", "ticket", "scan", "copy", "copy_line"].contains(&command);
        if acts && self.list.id().is_none() {
            return Some(if self.facts.is_empty() { say::empty_title() } else { say::no_faults() });
        }
        if ["faults", "mark", "range", "sort"].contains(&command) && self.facts.is_empty() {
            return Some(say::empty_title());
        }
        (command == "record" && self.list.chosen().len() > 1).then(say::one_test)
    }

    fn search(&mut self, text: &str) -> Vec<Effect> {
        self.filter = text.trim().to_lowercase();
        self.list.start_over();
        self.arrange(self.arranged.saturating_mul(MINUTE));
        vec![]
    }

    fn explain(&self, now: Millis) -> Option<(String, Vec<String>)> {
        self.current(now, |line| {
            let (s, plan) = (&line.status, &line.plan);
            let mut lines: Vec<String> = s
                .findings
                .iter()
                .map(|f| {
                    let sign = match f.weight {
                        Weight::Critical => "✗",
                        Weight::Warn => "▲",
                        Weight::Info => "·",
                    };
                    format!("{sign} {}  {}", f.id().0, words::finding(f, plan))
                })
                .collect();
            if !s.findings.iter().any(|f| f.weight > Weight::Info) {
                lines.insert(0, say::explain_none());
            }
            lines.push(String::new());
            if let Some(day) = s.days.get(self.day_at(s)) {
                lines.push(day_line(day, plan));
            }
            lines.push(words::plan_line(plan));
            lines.push(say::explain_copies(&words::copies(&s.copies)));
            lines.push(say::explain_keep(plan.keep_full, &words::span(plan.keep_for)));
            let tool = line.facts.repos.first().map(|r| r.tool);
            lines.push(match &plan.full {
                _ if tool.is_some_and(super::model::Tool::has_chain) => say::explain_full_tool(),
                FullRule::Verified => say::explain_full_verified(),
                FullRule::Marked { tag, .. } if tool == Some(super::model::Tool::Restic) => say::explain_full_tag(tag),
                FullRule::Marked { names, .. } => say::explain_full_name(&names.join(" ")),
            });
            let span = words::span;
            lines.push(say::explain_limits(&span(plan.rpo), &span(plan.grace), &span(plan.offsite)));
            lines.push(say::explain_tests(&span(plan.verify), &span(plan.restore_test)));
            lines.push(say::explain_age());
            (say::explain_title(&s.system, &words::verdict_word(s.verdict)), lines)
        })
    }

    fn attention(&self, now: Millis) -> Option<Attention> {
        let every = self.every(now);
        let bad: Vec<Role> =
            every.iter().filter(|l| l.status.verdict != Verdict::Safe).map(|l| role_of(l.status.verdict)).collect();
        let role = if bad.contains(&Role::Critical) { Role::Critical } else { Role::Warn };
        (!bad.is_empty()).then_some(Attention { count: bad.len(), role })
    }

    fn wall(&self, now: Millis) -> WallFacts {
        if self.is_empty() {
            return WallFacts::default();
        }
        let every = self.every(now);
        let problem = |l: &Line| {
            let s = &l.status;
            WallProblem {
                // a ticket is open, or somebody has asked for a verification
                handled: l.facts.ticket.is_some() || l.facts.repos.iter().any(|r| r.asked),
                weight: match s.verdict {
                    Verdict::Unsafe | Verdict::Never => 3,
                    Verdict::Unknown => 2,
                    _ => 1,
                },
                since: s.findings.first().and_then(|f| f.since),
                text: format!("{}  {}", s.system, words::reason(s, &l.plan)),
                role: role_of(s.verdict),
            }
        };
        let problems = every.iter().filter(|l| l.status.verdict != Verdict::Safe).map(problem).collect();
        let lines = every.iter().take(6).map(|l| {
            let s = &l.status;
            let week: String = s.days.iter().rev().take(14).rev().map(|d| view::glyph(d, false).0).collect();
            let age = s.rpo.map(words::span).unwrap_or_else(|| "—".into());
            let name = crate::text::cell(&crate::text::clean(&s.system), 16);
            format!("{name}  {week}  {}  {}", crate::text::cell_right(&age, 6), words::verdict_word(s.verdict))
        });
        WallFacts { problems, next_breach: None, lines: lines.collect() }
    }

    fn wall_line(&self, now: Millis) -> Option<(String, Role)> {
        let (verdict, answer) = self.night(now);
        (!self.is_empty()).then(|| (answer, role_of(verdict)))
    }

    fn draw(&self, brush: &Brush<'_>, buf: &mut Buffer, area: Rect, now: Millis) {
        view::draw(self, brush, buf, area, now);
    }

    fn wake(&self, now: Millis) -> Option<Millis> {
        // ages and verdicts change by the minute
        (!self.is_empty()).then(|| (now.div_euclid(MINUTE) + 1) * MINUTE)
    }
}

/// A day of the calendar in words.
pub(super) fn day_line(day: &Day, plan: &Plan) -> String {
    let kind = if day.slot.full { say::full() } else { say::incremental() };
    let due = super::slots::local_text(plan.zone, day.slot.due);
    format!("{}: {}", say::day_due(&due, &kind), words::slot_word(day.state, &day.slot))
}
