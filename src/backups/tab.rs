//! The Backups tab: is last night safe? State and keys; the picture is in `view`.

use std::cell::{Ref, RefCell};
use std::sync::Arc;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::actions::{Ask, RecordTest};
use super::model::{Facts, FullRule, Plan, level, plan_of};
use super::verdict::{Day, Status, Verdict, Weight, evaluate};
use super::{store, view, words};
use crate::action::Action;
use crate::clock::{MINUTE, Millis};
use crate::config::Config;
use crate::console::tab::{Attention, Effect, Field, Form, Load, Place, Snapshot, Tab, WallFacts, WallProblem};
use crate::locale::backups as say;
use crate::tui::command::Command;
use crate::tui::paint::Brush;
use crate::tui::theme::Role;

const fn key(name: &'static str, keys: &'static [&'static str], doc: fn() -> String, mutates: bool) -> Command {
    Command { name, keys, doc, mutates }
}

const COMMANDS: &[Command] = &[
    key("left", &["h", "left"], say::key_day, false),
    key("verify", &["v"], say::key_verify, true),
    key("record", &["r"], say::key_record, true),
    key("ticket", &["t"], say::key_ticket, true),
    key("scan", &["R"], say::key_scan, true),
    key("faults", &["!"], say::key_faults, false),
    key("sort", &["o"], say::key_sort, false),
    key("copy", &["y"], say::key_copy, false),
];

/// In which order the systems stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    Worst,
    Name,
    Age,
}

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
    selected: String,
    pub(super) place: Place,
    /// Days back from today under the cursor; `None`: the last one that is decided.
    back: Option<usize>,
    faults: bool,
    order: Order,
    loaded: bool,
}

impl BackupsTab {
    /// An empty tab.
    pub fn new(config: Arc<Config>) -> Self {
        Self {
            config,
            facts: vec![],
            judged: RefCell::default(),
            selected: String::new(),
            place: Place::default(),
            back: None,
            faults: false,
            order: Order::Worst,
            loaded: false,
        }
    }

    /// Whether anything is in the catalogue.
    pub(super) fn is_empty(&self) -> bool {
        self.facts.is_empty()
    }

    /// The systems as they stand now, in the order of the screen.
    fn every(&self, now: Millis) -> Ref<'_, Vec<Line>> {
        let minute = now.div_euclid(MINUTE);
        if self.judged.borrow().minute != minute {
            let mut lines: Vec<Line> = self
                .facts
                .iter()
                .map(|f| {
                    let plan = plan_of(&self.config, &f.name);
                    Line { status: evaluate(f, &plan, now), facts: f.clone(), plan }
                })
                .collect();
            match self.order {
                Order::Worst => lines.sort_by_key(|l| std::cmp::Reverse(l.status.verdict)),
                Order::Name => {}
                Order::Age => lines.sort_by_key(|l| std::cmp::Reverse(l.status.rpo.unwrap_or(Millis::MAX))),
            }
            *self.judged.borrow_mut() = Judged { minute, lines };
        }
        Ref::map(self.judged.borrow(), |j| &j.lines)
    }

    /// What has to be judged again.
    fn judge_again(&mut self) {
        self.judged.get_mut().minute = Millis::MIN;
    }

    /// Runs `f` with the shown systems and the place of the cursor among them.
    pub(super) fn with<R>(&self, now: Millis, f: impl FnOnce(&[&Line], usize) -> R) -> R {
        let every = self.every(now);
        let shown: Vec<&Line> = every.iter().filter(|l| !self.faults || l.status.verdict != Verdict::Safe).collect();
        let at = shown.iter().position(|l| l.status.system == self.selected);
        let at = at.unwrap_or(self.place.at).min(shown.len().saturating_sub(1));
        f(&shown, at)
    }

    /// All systems, filtered or not.
    pub(super) fn night(&self, now: Millis) -> (Verdict, String) {
        words::night(self.every(now).iter().map(|l| &l.status))
    }

    fn current<R>(&self, now: Millis, f: impl FnOnce(&Line) -> R) -> Option<R> {
        self.with(now, |shown, at| shown.get(at).map(|l| f(l)))
    }

    /// The day under the cursor, as an index into the calendar of `status`.
    pub(super) fn day_at(&self, status: &Status) -> usize {
        let last = status.days.len().saturating_sub(1);
        let back = self.back.unwrap_or_else(|| {
            usize::from(status.days.last().is_some_and(|d| d.runs.is_empty() && !d.state.is_missed()))
        });
        last.saturating_sub(back)
    }

    fn choose(&mut self, at: usize, now: Millis) {
        self.place.at = at;
        let name = self.with(now, |shown, _| shown.get(at).map(|l| l.status.system.clone()));
        self.selected = name.unwrap_or_default();
    }

    fn verify_form(line: &Line) -> Vec<Effect> {
        let system = line.status.system.clone();
        let reachable: Vec<bool> =
            line.facts.repos.iter().filter(|r| !r.repository.is_empty()).map(|r| r.offsite).collect();
        if reachable.is_empty() {
            return vec![Effect::Say(say::no_repository(&system))];
        }
        let copies = reachable
            .iter()
            .map(|far| if *far { ("offsite".into(), say::offsite()) } else { ("local".into(), say::local()) })
            .collect();
        let depth = vec![("structure".into(), say::level_structure()), ("data".into(), say::level_data())];
        let first = if reachable[0] { "offsite" } else { "local" };
        let fields = vec![
            Field::choice(say::field_depth(), "structure", depth),
            Field::choice(say::field_copy(), first, copies),
        ];
        let title = say::verify_title(&system);
        let submit = Box::new(move |v: &[String]| {
            let kind = if v[0] == "data" { "data" } else { "structure" };
            let ask = Ask { system: system.clone(), offsite: v[1] == "offsite", kind };
            Ok(vec![Effect::Act(vec![Arc::new(ask) as Arc<dyn Action>])])
        });
        vec![Effect::Form(Form { title, fields, preview: None, submit })]
    }

    fn record_form(line: &Line) -> Vec<Effect> {
        let system = line.status.system.clone();
        let levels = vec![("4".into(), say::level_files()), ("5".into(), say::level_application())];
        let results = vec![("passed".into(), say::passed()), ("failed".into(), say::failed())];
        let copies: Vec<(String, String)> = line
            .facts
            .repos
            .iter()
            .map(|r| if r.offsite { ("offsite".into(), say::offsite()) } else { ("local".into(), say::local()) })
            .collect();
        let first = copies.first().map_or("local", |c| c.0.as_str()).to_owned();
        let fields = vec![
            Field::choice(say::field_level(), "4", levels),
            Field::choice(say::field_result(), "passed", results),
            Field::choice(say::field_copy(), &first, copies),
            Field::text(say::field_minutes(), ""),
            Field::text(say::field_share(), "100"),
            Field::text(say::field_note(), ""),
        ];
        let title = say::record_title(&system);
        let submit = Box::new(move |v: &[String]| {
            let number = |text: &str, most: f64| -> Result<Option<f64>, String> {
                match text.trim() {
                    "" => Ok(None),
                    text => match text.parse::<f64>() {
                        Ok(n) if n > 0.0 && n <= most => Ok(Some(n)),
                        _ => Err(say::not_percent()),
                    },
                }
            };
            let test = RecordTest {
                system: system.clone(),
                offsite: v[2] == "offsite",
                level: if v[0] == "5" { level::APPLICATION } else { level::FILES },
                ok: v[1] == "passed",
                minutes: number(&v[3], 1e6)?,
                share: number(&v[4], 100.0)?.map(|p| p / 100.0),
                note: v[5].clone(),
                at: None,
            };
            Ok(vec![Effect::Act(vec![Arc::new(test) as Arc<dyn Action>])])
        });
        vec![Effect::Form(Form { title, fields, preview: None, submit })]
    }

    fn ticket_form(&self, line: &Line) -> Vec<Effect> {
        let (status, plan) = (&line.status, &line.plan);
        let Some(day) = status.days.get(self.day_at(status)) else { return vec![] };
        let title = say::ticket_title(&status.system, &day.slot.date.to_string());
        let mut body = vec![words::summary(status, plan)];
        body.push(format!("{}: {}", day.slot.date, words::slot_word(day.state, &day.slot)));
        body.extend(status.findings.iter().map(|f| format!("{} {}", f.id().0, words::finding(f, plan))));
        let body = body.join("\n");
        let intake_key = format!("backup:{}:{}", status.system, day.slot.date);
        let severity = if status.verdict == Verdict::Unsafe { "important" } else { "general" };
        let severities = crate::tickets::model::SEVERITIES
            .iter()
            .map(|s| {
                let word = match *s {
                    "urgent" => crate::locale::tickets::urgent(),
                    "important" => crate::locale::tickets::important(),
                    _ => crate::locale::tickets::general(),
                };
                ((*s).to_owned(), word)
            })
            .collect();
        let fields = vec![
            Field::text(crate::locale::tickets::field_title(), title),
            Field::choice(crate::locale::tickets::field_severity(), severity, severities),
        ];
        let submit = Box::new(move |v: &[String]| {
            let new = crate::tickets::actions::New {
                title: v[0].clone(),
                body: body.clone(),
                scope: "department".into(),
                severity: v[1].clone(),
                channel: "alert".into(),
                reporter: "backup".into(),
                // one gap, one ticket: asked for again it is the same
                intake_key: Some(intake_key.clone()),
                ..Default::default()
            };
            Ok(vec![Effect::Act(vec![Arc::new(new) as Arc<dyn Action>])])
        });
        let name = format!("{} · {}", say::ticket_form(), crate::text::clean(&status.system));
        vec![Effect::Form(Form { title: name, fields, preview: None, submit })]
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
            self.judge_again();
            if self.selected.is_empty() {
                self.choose(self.place.at, now);
            }
            self.loaded = true;
        }
    }

    fn is_loaded(&self) -> bool {
        self.loaded
    }

    fn run(&mut self, command: &str, now: Millis) -> Vec<Effect> {
        let (len, at) = self.with(now, |shown, at| (shown.len(), at));
        self.place.at = at;
        if self.place.go(command, len) {
            self.choose(self.place.at, now);
            return vec![];
        }
        match command {
            "left" | "right" => {
                let moved = self.current(now, |line| {
                    let (day, last) = (self.day_at(&line.status), line.status.days.len().saturating_sub(1));
                    let day = if command == "left" { day.saturating_sub(1) } else { (day + 1).min(last) };
                    last - day
                });
                self.back = moved;
                vec![]
            }
            "verify" => self.current(now, Self::verify_form).unwrap_or_default(),
            "record" => self.current(now, Self::record_form).unwrap_or_default(),
            "ticket" => self.current(now, |line| self.ticket_form(line)).unwrap_or_default(),
            "scan" => {
                let asks = self.current(now, |line| {
                    let reachable = line.facts.repos.iter().filter(|r| !r.repository.is_empty());
                    let system = &line.status.system;
                    let asks: Vec<Arc<dyn Action>> = reachable
                        .map(|r| Arc::new(Ask { system: system.clone(), offsite: r.offsite, kind: "scan" }) as _)
                        .collect();
                    if asks.is_empty() { Effect::Say(say::no_repository(system)) } else { Effect::Act(asks) }
                });
                asks.into_iter().collect()
            }
            "faults" => {
                self.faults = !self.faults;
                self.place.at = 0;
                let none = self.with(now, |shown, _| shown.is_empty());
                if none && self.faults {
                    self.faults = false;
                    return vec![Effect::Say(say::no_faults())];
                }
                vec![]
            }
            "sort" => {
                let (order, what) = match self.order {
                    Order::Worst => (Order::Name, say::sort_name()),
                    Order::Name => (Order::Age, say::sort_age()),
                    Order::Age => (Order::Worst, say::sort_worst()),
                };
                self.order = order;
                self.judge_again();
                vec![Effect::Say(say::sorted_by(&what))]
            }
            "copy" => self.current(now, |l| Effect::Copy(words::summary(&l.status, &l.plan))).into_iter().collect(),
            "open" => self.explain(now).map(|(title, lines)| Effect::Text(title, lines)).into_iter().collect(),
            "back" => {
                self.faults = false;
                self.back = None;
                vec![]
            }
            _ => vec![],
        }
    }

    fn disabled(&self, command: &str) -> Option<String> {
        let acts = ["verify", "record", "ticket", "scan", "copy"].contains(&command);
        (acts && self.facts.is_empty()).then(say::empty_title)
    }

    fn search(&mut self, text: &str) -> Vec<Effect> {
        let text = text.trim().to_lowercase();
        let found = self.facts.iter().find(|f| f.name.to_lowercase().contains(&text)).map(|f| f.name.clone());
        match found {
            Some(name) => {
                self.faults = false;
                self.selected = name;
                vec![]
            }
            None => vec![Effect::Say(crate::locale::cli::not_found(&text))],
        }
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
                handled: false,
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
        let mut lines = vec![format!("{} {}", say::night_question(), self.night(now).1)];
        lines.extend(every.iter().take(5).map(|l| {
            let s = &l.status;
            let week: String = s.days.iter().rev().take(14).rev().map(|d| view::glyph(d, false).0).collect();
            let age = s.rpo.map(words::span).unwrap_or_else(|| "—".into());
            let name = crate::text::cell(&crate::text::clean(&s.system), 16);
            format!("{name}  {week}  {}  {}", crate::text::cell_right(&age, 6), words::verdict_word(s.verdict))
        }));
        WallFacts { problems, next_breach: None, lines }
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
