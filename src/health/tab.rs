//! The Health tab: state and keys.

mod ask;

use std::collections::VecDeque;
use std::sync::Arc;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::alert::{self, Problem, Rule, rules, worst};
use super::model::{Sample, Severity};
use super::store::{self, Host, Known, Past, Point};
use super::{view, words};
use crate::clock::{DAY, HOUR, MINUTE, Millis, SECOND};
use crate::config::Config;
use crate::console::tab::{Attention, Effect, Listing, Load, Offers, Rows, Snapshot, Tab, WallFacts, WallProblem};
use crate::locale::health as say;
use crate::tui::command::Command;
use crate::tui::paint::Brush;
use crate::tui::theme::Role;

/// Spans of the charts.
pub(super) const SPANS: [Millis; 7] = [5 * MINUTE, 15 * MINUTE, HOUR, 6 * HOUR, DAY, 7 * DAY, 30 * DAY];
/// Samples of this machine kept at one a second.
const RING: usize = 960;
/// The order of the list changes no more often.
const SORT_EVERY: Millis = 5 * SECOND;
/// A week, for comparing a host with itself.
const WEEK: Millis = 7 * DAY;

const fn key(name: &'static str, keys: &'static [&'static str], doc: fn() -> String, mutates: bool) -> Command {
    Command { name, keys, doc, mutates }
}

const COMMANDS: &[Command] = &[
    key("ticket", &["t"], say::key_ticket, true),
    key("silence", &["s"], say::key_silence, true),
    key("unsilence", &["S"], say::key_unsilence, true),
    key("compare", &["x"], say::key_compare, false),
    key("span_more", &["+", "="], say::key_span_more, false),
    key("span_less", &["-"], say::key_span_less, false),
    key("group_role", &["g r"], say::key_group_role, false),
    key("group_site", &["g s"], say::key_group_site, false),
    key("group_none", &["g n"], say::key_group_none, false),
    key("copy", &["y"], say::key_copy, false),
    key("copy_line", &["Y"], say::key_copy_line, false),
];

/// A host on the screen.
#[derive(Debug, Clone)]
pub(super) struct HostRow {
    pub known: Known,
    pub problems: Vec<Problem>,
}

impl HostRow {
    pub(super) fn sample(&self) -> &Sample {
        &self.known.host.sample
    }
    pub(super) fn name(&self) -> &str {
        &self.known.host.name
    }
    pub(super) fn severity(&self) -> Severity {
        worst(&self.problems)
    }
    pub(super) fn is_silenced(&self, now: Millis) -> bool {
        self.known.silence.as_ref().is_some_and(|s| s.until > now)
    }
}

/// What the list is sorted by, in the order of the choice.
const ORDERS: &[fn() -> String] =
    &[say::by_worst, say::by_cpu, say::by_memory, say::by_disk, say::by_network, say::by_load, say::by_name];

/// What the list is grouped by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Group {
    None,
    Role,
    Site,
}

/// What the charts of a host are compared with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Compare {
    Week,
    Host(String),
}

/// The past of the host under the cursor.
pub(super) struct History {
    pub host: String,
    pub points: Vec<Point>,
    /// The other's, moved to the same time.
    pub other: Option<Vec<Point>>,
    pub parts: Vec<Past>,
}

/// What a load brings; `None`: not asked for.
struct Loaded {
    fleet: Option<Vec<Known>>,
    history: Option<History>,
}

/// The tab.
pub struct HealthTab {
    pub(super) config: Arc<Config>,
    pub(super) rules: Vec<Rule>,
    pub(super) rows: Vec<HostRow>,
    pub(super) place: Rows<String>,
    pub(super) span: usize,
    pub(super) filter: String,
    pub(super) group: Group,
    pub(super) compare: Option<Compare>,
    /// The details fill the tab.
    pub(super) whole: bool,
    /// This machine, a sample a second.
    pub(super) ring: VecDeque<Arc<Sample>>,
    pub(super) history: Option<History>,
    sorted_at: Millis,
    /// Nobody has moved in the list yet: the worst host is under the cursor.
    untouched: bool,
    reload: bool,
    loaded: bool,
}

impl HealthTab {
    /// An empty tab.
    pub fn new(config: Arc<Config>) -> Self {
        Self {
            rules: rules(&config.health),
            config,
            rows: vec![],
            place: Rows::default(),
            span: 0,
            filter: String::new(),
            group: Group::None,
            compare: None,
            whole: false,
            ring: VecDeque::with_capacity(RING),
            history: None,
            sorted_at: 0,
            untouched: true,
            reload: true,
            loaded: false,
        }
    }

    /// The rows that are shown.
    pub(super) fn shown(&self) -> Vec<&HostRow> {
        self.rows
            .iter()
            .filter(|r| !self.place.look.faults || r.severity() > Severity::Ok)
            .filter(|r| {
                let s = r.sample();
                self.filter.is_empty()
                    || [&s.host, &s.role, &s.site].into_iter().any(|t| t.to_lowercase().contains(&self.filter))
            })
            .collect()
    }

    /// The host under the cursor.
    pub(super) fn current(&self) -> Option<&HostRow> {
        self.shown().get(self.place.at).copied()
    }

    /// Whether `host` is this machine.
    pub(super) fn is_here(&self, host: &str) -> bool {
        self.ring.back().is_some_and(|s| s.host == host)
    }

    /// What the host belongs to by the grouping in force.
    pub(super) fn group_of<'a>(&self, row: &'a HostRow) -> &'a str {
        match self.group {
            Group::None => "",
            Group::Role => &row.sample().role,
            Group::Site => &row.sample().site,
        }
    }

    fn judge(&mut self, now: Millis) {
        for row in &mut self.rows {
            row.problems = row.known.problems(&self.rules, now);
        }
    }

    /// This machine's newest look.
    fn put_here(&mut self, sample: &Sample, now: Millis) {
        let interval = self.config.health.interval.millis();
        match self.rows.iter_mut().find(|r| r.known.host.name == sample.host) {
            Some(row) => {
                row.known.host.sample = sample.clone();
                row.problems = row.known.problems(&self.rules, now);
            }
            None => {
                let host = Host { id: 0, name: sample.host.clone(), interval, sample: sample.clone() };
                let known = Known { host, tracks: vec![], forecasts: vec![], silence: None, tickets: vec![] };
                let problems = known.problems(&self.rules, now);
                self.rows.push(HostRow { known, problems });
                self.arrange(now, true);
            }
        }
    }

    /// Takes the fleet of the store; this machine's own looks are newer.
    fn put_fleet(&mut self, fleet: Vec<Known>, now: Millis) {
        let here = self.ring.back().cloned();
        let mut rows: Vec<HostRow> = Vec::with_capacity(fleet.len());
        for mut known in fleet {
            if let Some(own) = here.as_ref().filter(|s| s.host == known.host.name && s.at >= known.host.sample.at) {
                known.host.sample = own.as_ref().clone();
            }
            rows.push(HostRow { problems: vec![], known });
        }
        if let Some(own) = here.filter(|own| !rows.iter().any(|r| r.known.host.name == own.host)) {
            rows.extend(self.rows.iter().find(|r| r.known.host.name == own.host).cloned());
        }
        // in their old order first: it stands until it is time to change it
        let places: std::collections::HashMap<&str, usize> =
            self.rows.iter().enumerate().map(|(i, r)| (r.known.host.name.as_str(), i)).collect();
        rows.sort_by_key(|r| places.get(r.known.host.name.as_str()).copied().unwrap_or(usize::MAX));
        let new = rows.len() != self.rows.len();
        self.place.keep_marks(|name| rows.iter().any(|r| r.name() == name));
        self.rows = rows;
        self.judge(now);
        self.arrange(now, new);
    }

    /// Sorts the list, by classes rather than figures and not more often than every five seconds, so that rows do not
    /// change places at every breath of a figure.
    fn arrange(&mut self, now: Millis, must: bool) {
        if must || !(0..SORT_EVERY).contains(&(now - self.sorted_at)) {
            self.sorted_at = now;
            let mut rows = std::mem::take(&mut self.rows);
            rows.sort_by(|a, b| {
                let by_group = self.group_of(a).cmp(self.group_of(b));
                by_group.then(self.rank(b, now).cmp(&self.rank(a, now))).then_with(|| a.name().cmp(b.name()))
            });
            self.rows = self.place.hold(rows, |r| r.name().to_owned(), now);
        }
        let shown: Vec<String> = self.shown().into_iter().map(|r| r.name().to_owned()).collect();
        if self.untouched && !self.place.has_marks() {
            self.place.start_over();
        }
        self.place.put(shown);
    }

    /// What a command acts on: the marked hosts, or the one under the cursor.
    fn chosen(&self) -> Vec<&HostRow> {
        let names = self.place.chosen();
        self.rows.iter().filter(|r| names.iter().any(|n| n == r.name())).collect()
    }

    /// The class of a row by the order in force: larger comes first.
    fn rank(&self, row: &HostRow, now: Millis) -> (u8, i64) {
        let s = row.sample();
        let tenth = |percent: f64| (0, (percent / 10.0) as i64);
        match self.place.look.order {
            1 => tenth(s.cpu),
            2 => tenth(s.mem()),
            3 => tenth(s.fullest().map_or(0.0, |(_, v)| v)),
            4 => (0, (s.rx_bps + s.tx_bps).max(1.0).log2() as i64),
            5 => (0, (s.load_per_core() * 4.0) as i64),
            6 => (0, 0),
            _ => {
                let severity = row.severity();
                let awake = u8::from(!row.is_silenced(now) || severity == Severity::Ok);
                let open = row.problems.iter().any(Problem::is_open);
                (if open { 1 + awake } else { 0 }, severity as i64)
            }
        }
    }

    fn set_order(&mut self, now: Millis) {
        self.place.steady.reset();
        self.arrange(now, true);
    }
}

impl Tab for HealthTab {
    fn name(&self) -> String {
        say::name()
    }
    fn key(&self) -> &'static str {
        "health"
    }
    fn commands(&self) -> &'static [Command] {
        COMMANDS
    }
    fn topics(&self) -> &'static [&'static str] {
        &["host", "ticket"]
    }
    fn row(&self) -> Vec<(&'static str, String)> {
        self.current().map(|row| ("host", row.name().to_owned())).into_iter().collect()
    }
    fn refresh(&self) -> Option<Millis> {
        Some(10 * SECOND)
    }
    fn stale(&mut self) {
        self.reload = true;
    }

    fn load(&mut self, now: Millis) -> Load {
        let all = std::mem::take(&mut self.reload) || !self.loaded;
        let host = self.current().map(|r| (r.known.host.id, r.name().to_owned()));
        let (span, rules) = (SPANS[self.span], self.rules.clone());
        let other = self.compare.clone().and_then(|c| match c {
            Compare::Week => host.as_ref().map(|(id, _)| (*id, WEEK)),
            Compare::Host(name) => self.rows.iter().find(|r| r.name() == name).map(|r| (r.known.host.id, 0)),
        });
        Box::new(move |door| {
            Box::pin(async move {
                let told = |e: crate::store::StoreError| e.to_string();
                let store = door.store();
                let fleet = if all { Some(store::fleet(store, now).await.map_err(told)?) } else { None };
                // at the first load the cursor will stand on the worst
                let first = |k: &&Known| {
                    let severity = worst(&k.problems(&rules, now));
                    let awake = k.silence.is_none();
                    (awake && severity > Severity::Ok, severity, std::cmp::Reverse(k.host.name.clone()))
                };
                let host = host.or_else(|| {
                    let k = fleet.as_ref()?.iter().max_by_key(first)?;
                    Some((k.host.id, k.host.name.clone()))
                });
                let history = match host {
                    Some((id, host)) if id != 0 => {
                        let points = store::history(store, id, now - span, now).await.map_err(told)?;
                        let parts = store::past(store, id, now - span, now).await.map_err(told)?;
                        let other = match other {
                            Some((id, ago)) => {
                                let past = store::history(store, id, now - ago - span, now - ago).await;
                                let past = past.map_err(told)?;
                                Some(past.into_iter().map(|p| Point { at: p.at + ago, ..p }).collect())
                            }
                            None => None,
                        };
                        Some(History { host, points, other, parts })
                    }
                    _ => None,
                };
                Ok(Box::new(Loaded { fleet, history }) as Snapshot)
            })
        })
    }

    fn arrived(&mut self, snapshot: Snapshot, now: Millis) {
        let snapshot = match snapshot.downcast::<Arc<Sample>>() {
            Ok(sample) => {
                // a clock that was set back begins anew
                while self.ring.len() >= RING || self.ring.back().is_some_and(|s| s.at > sample.at) {
                    self.ring.pop_front();
                }
                self.ring.push_back((*sample).clone());
                self.put_here(&sample, now);
                self.loaded = true;
                return;
            }
            Err(other) => other,
        };
        if let Ok(loaded) = snapshot.downcast::<Loaded>() {
            if let Some(fleet) = loaded.fleet {
                self.put_fleet(fleet, now);
            }
            if loaded.history.is_some() {
                self.history = loaded.history;
            }
            self.loaded = true;
        }
    }

    fn is_loaded(&self) -> bool {
        self.loaded
    }

    fn run(&mut self, command: &str, now: Millis) -> Vec<Effect> {
        let len = self.shown().len();
        self.untouched = false;
        if self.place.go(command, len) {
            return vec![Effect::Reload];
        }
        match command {
            "span_more" => self.span = (self.span + 1).min(SPANS.len() - 1),
            "span_less" => self.span = self.span.saturating_sub(1),
            "group_role" | "group_site" | "group_none" => {
                self.group = match command {
                    "group_role" => Group::Role,
                    "group_site" => Group::Site,
                    _ => Group::None,
                };
                self.set_order(now);
                return vec![];
            }
            "open" => self.whole = !self.whole,
            // one step at a time: the details, the comparison, what narrows the list
            "back" if self.whole => self.whole = false,
            "back" if self.compare.is_some() => self.compare = None,
            "back" => {
                self.filter.clear();
                self.place.look.faults = false;
                self.set_order(now);
            }
            _ => return self.ask(command, now),
        }
        vec![Effect::Reload]
    }

    fn disabled(&self, command: &str) -> Option<String> {
        let one = ["compare", "copy", "copy_line", "open"].contains(&command);
        if ["ticket", "silence", "unsilence"].contains(&command) {
            let chosen = self.chosen();
            return match () {
                () if chosen.is_empty() => Some(say::no_host()),
                () if chosen.iter().any(|r| r.known.host.id == 0) => Some(say::not_stored()),
                () if command == "unsilence" && chosen.iter().all(|r| r.known.silence.is_none()) => {
                    Some(say::not_silenced())
                }
                () => None,
            };
        }
        (one && self.current().is_none()).then(say::no_host)
    }

    fn search(&mut self, text: &str) -> Vec<Effect> {
        self.filter = text.to_lowercase();
        self.place.start_over();
        let shown: Vec<String> = self.shown().into_iter().map(|r| r.name().to_owned()).collect();
        self.place.put(shown);
        vec![Effect::Reload]
    }

    fn explain(&self, now: Millis) -> Option<(String, Vec<String>)> {
        let row = self.current()?;
        let host = crate::text::clean(row.name()).into_owned();
        let mut lines: Vec<String> = Vec::new();
        if let Some(s) = row.known.silence.as_ref().filter(|s| s.until > now) {
            lines.push(say::explain_silenced(&words::about(s.until - now), &s.actor, &s.reason));
            lines.push(String::new());
        }
        for p in &row.problems {
            lines.extend(words::explain(p, now, row.known.host.interval));
        }
        if row.problems.is_empty() {
            lines.push(say::explain_fine());
        } else {
            lines.push(say::explain_gap());
        }
        lines.push(String::new());
        for (mount, f) in &row.known.forecasts {
            lines.extend(words::explain_forecast(mount, f, now));
        }
        if row.known.forecasts.is_empty() {
            lines.push(say::explain_no_forecast());
        }
        Some((say::explain_title(&host), lines))
    }

    fn attention(&self, now: Millis) -> Option<Attention> {
        let awake = self.rows.iter().filter(|r| !r.is_silenced(now));
        let bad: Vec<Severity> = awake.map(HostRow::severity).filter(|s| *s > Severity::Ok).collect();
        bad.iter().max().map(|s| Attention { count: bad.len(), role: view::severity_role(*s) })
    }

    fn wall(&self, now: Millis) -> WallFacts {
        let awake = self.rows.iter().filter(|r| !r.is_silenced(now));
        let problems = awake
            .flat_map(|r| r.problems.iter().filter(|p| p.is_open()).map(move |p| (r, p)))
            .map(|(r, p)| {
                let mut text = format!("{}  {}", crate::text::clean(r.name()), words::short(p, now));
                // whose it is stands in the ticket
                let ticket = r.known.tickets.iter().find(|(_, _, state)| is_open(state));
                if let Some((id, ..)) = ticket {
                    text = format!("{text}  #{id}");
                }
                let weight = match p.severity {
                    Severity::Critical => 3,
                    Severity::Stale => 2,
                    _ => 1,
                };
                WallProblem {
                    handled: ticket.is_some(),
                    weight,
                    since: Some(p.since),
                    text,
                    role: view::severity_role(p.severity),
                }
            })
            .collect();
        let lines = self.rows.iter().take(6).map(|r| view::wall_line(r, now)).collect();
        WallFacts { problems, next_breach: None, lines }
    }

    fn wall_strip(&self, now: Millis) -> Vec<Role> {
        let mut strip: Vec<(u8, Role)> = self
            .rows
            .iter()
            .map(|r| match r.severity() {
                Severity::Ok => (4, Role::Ok),
                _ if r.is_silenced(now) => (3, Role::Paused),
                severity => (2 - (severity as u8).min(3) / 2, view::severity_role(severity)),
            })
            .collect();
        strip.sort_by_key(|(rank, _)| *rank);
        strip.into_iter().map(|(_, role)| role).collect()
    }

    fn wall_line(&self, now: Millis) -> Option<(String, Role)> {
        if self.rows.is_empty() {
            return None;
        }
        let bad: Vec<&HostRow> = self.rows.iter().filter(|r| r.severity() > Severity::Ok).collect();
        let silenced = bad.iter().filter(|r| r.is_silenced(now)).count();
        let awake = bad.len() - silenced;
        let (mut line, role) = match bad.iter().filter(|r| !r.is_silenced(now)).map(|r| r.severity()).max() {
            Some(worst) => (say::some_wrong(awake, self.rows.len()), view::severity_role(worst)),
            None => (say::all_fine(self.rows.len()), Role::Ok),
        };
        if silenced > 0 {
            line = format!("{line} · {}", say::silenced_count(silenced));
        }
        Some((line, role))
    }

    fn list(&mut self) -> Option<&mut dyn Listing> {
        Some(&mut self.place)
    }
    fn offers(&self) -> Offers {
        Offers { marks: true, faults: true, preview: true, orders: ORDERS }
    }
    fn relist(&mut self, now: Millis) {
        self.set_order(now);
    }

    fn draw(&self, brush: &Brush<'_>, buf: &mut Buffer, area: Rect, now: Millis) {
        view::draw(self, brush, buf, area, now);
    }

    fn wake(&self, now: Millis) -> Option<Millis> {
        // ages of other hosts count on; this machine's samples bring their own frames
        let step = alert::AGE_STEP;
        let others = self.rows.iter().any(|r| !self.is_here(r.name()));
        others.then(|| now / step * step + step)
    }
}

/// Whether a ticket in this state is still to be solved.
pub(super) fn is_open(state: &str) -> bool {
    !matches!(state, "resolved" | "merged" | "closed")
}
