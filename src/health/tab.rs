//! The Health tab: state and keys.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::model::{Problem, Sample, Severity, full_in, judge, worst};
use super::store::{self, Point};
use super::view;
use crate::clock::{DAY, HOUR, MINUTE, Millis, SECOND};
use crate::config::Config;
use crate::console::tab::{Attention, Effect, Listing, Load, Offers, Rows, Snapshot, Tab, WallFacts, WallProblem};
use crate::locale::health as say;
use crate::tui::command::Command;
use crate::tui::countdown;
use crate::tui::paint::Brush;
use crate::tui::theme::Role;

/// Spans of the charts.
pub(super) const SPANS: [Millis; 6] = [5 * MINUTE, HOUR, 6 * HOUR, DAY, 7 * DAY, 30 * DAY];
/// Samples of this machine kept at one a second.
const RING: usize = 900;

const COMMANDS: &[Command] = &[
    Command { name: "span_more", keys: &["+", "="], doc: say::key_span_more, mutates: false },
    Command { name: "span_less", keys: &["-"], doc: say::key_span_less, mutates: false },
];

/// A host on the screen.
#[derive(Debug, Clone)]
pub(super) struct HostRow {
    pub id: i64,
    pub interval: Millis,
    pub sample: Arc<Sample>,
    pub problems: Vec<Problem>,
}

impl HostRow {
    pub(super) fn severity(&self) -> Severity {
        worst(&self.problems)
    }
}

/// What a load brings.
struct Fleet {
    hosts: Vec<store::Host>,
    history: Option<(String, Vec<Point>)>,
}

/// The tab.
pub struct HealthTab {
    config: Arc<Config>,
    pub(super) rows: Vec<HostRow>,
    pub(super) place: Rows<String>,
    pub(super) span: usize,
    pub(super) filter: String,
    /// This machine, a sample a second.
    pub(super) ring: VecDeque<Arc<Sample>>,
    pub(super) history: Option<(String, Vec<Point>)>,
    before: HashMap<String, Vec<Problem>>,
    loaded: bool,
}

impl HealthTab {
    /// An empty tab.
    pub fn new(config: Arc<Config>) -> Self {
        Self {
            config,
            rows: vec![],
            place: Rows::default(),
            span: 0,
            filter: String::new(),
            ring: VecDeque::with_capacity(RING),
            history: None,
            before: HashMap::new(),
            loaded: false,
        }
    }

    /// The rows that are shown.
    pub(super) fn shown(&self) -> Vec<&HostRow> {
        self.rows
            .iter()
            .filter(|r| !self.place.look.faults || r.severity() > Severity::Ok)
            .filter(|r| self.filter.is_empty() || r.sample.host.to_lowercase().contains(&self.filter))
            .collect()
    }

    /// The host under the cursor.
    pub(super) fn current(&self) -> Option<&HostRow> {
        self.shown().get(self.place.at).copied()
    }

    /// The newest sample of the ring, when `host` is this machine.
    pub(super) fn is_here(&self, host: &str) -> bool {
        self.ring.back().is_some_and(|s| s.host == host)
    }

    fn put(&mut self, id: i64, interval: Millis, sample: Arc<Sample>, now: Millis) {
        let before = self.before.get(&sample.host).map_or(&[][..], Vec::as_slice);
        let problems = judge(&sample, interval, now, &self.config.health, before);
        self.before.insert(sample.host.clone(), problems.clone());
        match self.rows.iter_mut().find(|r| r.sample.host == sample.host) {
            Some(row) => {
                if id != 0 {
                    row.id = id;
                }
                // an older look from the store does not replace a newer one of this machine
                if sample.at >= row.sample.at {
                    row.sample = sample;
                    row.interval = interval;
                }
                row.problems = problems;
            }
            None => self.rows.push(HostRow { id, interval, sample, problems }),
        }
    }

    fn sort(&mut self, now: Millis) {
        let mut rows = std::mem::take(&mut self.rows);
        let name = |r: &HostRow| r.sample.host.clone();
        match self.place.look.order {
            1 => rows.sort_by_cached_key(name),
            2 => rows.sort_by(|a, b| b.sample.cpu.total_cmp(&a.sample.cpu)),
            3 => rows.sort_by(|a, b| b.sample.mem().total_cmp(&a.sample.mem())),
            _ => rows.sort_by(|a, b| b.severity().cmp(&a.severity()).then_with(|| a.sample.host.cmp(&b.sample.host))),
        }
        self.rows = self.place.hold(rows, name, now);
        let shown: Vec<String> = self.shown().into_iter().map(name).collect();
        self.place.put(shown);
    }

    /// When the fullest file system of the host under the cursor will be full.
    pub(super) fn full_in(&self, row: &HostRow, now: Millis) -> Option<Millis> {
        let (host, points) = self.history.as_ref()?;
        let points: Vec<_> = points.iter().map(|p| (p.at, p.disk)).collect();
        (*host == row.sample.host).then(|| full_in(&points, now)).flatten()
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
        &["host"]
    }
    fn refresh(&self) -> Option<Millis> {
        Some(10 * SECOND)
    }

    fn load(&mut self, now: Millis) -> Load {
        let host = self.current().map(|r| (r.id, r.sample.host.clone()));
        let from = now - SPANS[self.span];
        Box::new(move |door| {
            Box::pin(async move {
                let hosts = store::hosts(door.store()).await.map_err(|e| e.to_string())?;
                let history = match host {
                    Some((id, name)) if id != 0 => {
                        let points = store::history(door.store(), id, from, now).await.map_err(|e| e.to_string())?;
                        Some((name, points))
                    }
                    _ => None,
                };
                Ok(Box::new(Fleet { hosts, history }) as Snapshot)
            })
        })
    }

    fn arrived(&mut self, snapshot: Snapshot, now: Millis) {
        let snapshot = match snapshot.downcast::<Arc<Sample>>() {
            Ok(sample) => {
                let sample = *sample;
                if self.ring.len() == RING {
                    self.ring.pop_front();
                }
                self.ring.push_back(sample.clone());
                self.put(0, self.config.health.interval.millis(), sample, now);
                self.loaded = true;
                return self.sort(now);
            }
            Err(other) => other,
        };
        if let Ok(fleet) = snapshot.downcast::<Fleet>() {
            for host in fleet.hosts {
                self.put(host.id, host.interval, Arc::new(host.sample), now);
            }
            if fleet.history.is_some() {
                self.history = fleet.history;
            }
            self.loaded = true;
            self.sort(now);
        }
    }

    fn is_loaded(&self) -> bool {
        self.loaded
    }

    fn run(&mut self, command: &str, now: Millis) -> Vec<Effect> {
        let len = self.shown().len();
        if self.place.go(command, len) {
            return vec![Effect::Reload];
        }
        match command {
            "span_more" => self.span = (self.span + 1).min(SPANS.len() - 1),
            "span_less" => self.span = self.span.saturating_sub(1),
            "back" => {
                self.filter.clear();
                self.place.look.faults = false;
                self.sort(now);
            }
            _ => return vec![],
        }
        vec![Effect::Reload]
    }

    fn search(&mut self, text: &str) -> Vec<Effect> {
        self.filter = text.to_lowercase();
        self.place.start_over();
        let shown: Vec<String> = self.shown().into_iter().map(|r| r.sample.host.clone()).collect();
        self.place.put(shown);
        vec![]
    }

    fn explain(&self, now: Millis) -> Option<(String, Vec<String>)> {
        let row = self.current()?;
        let mut lines: Vec<String> = row.problems.iter().map(|p| view::problem_line(p, now)).collect();
        if lines.is_empty() {
            lines.push(say::explain_fine());
        }
        Some((say::explain_title(&row.sample.host), lines))
    }

    fn attention(&self, _now: Millis) -> Option<Attention> {
        let bad: Vec<Severity> = self.rows.iter().map(HostRow::severity).filter(|s| *s > Severity::Ok).collect();
        bad.iter().max().map(|s| Attention { count: bad.len(), role: view::severity_role(*s) })
    }

    fn wall(&self, now: Millis) -> WallFacts {
        let problems = self
            .rows
            .iter()
            .flat_map(|r| r.problems.iter().map(move |p| (r, p)))
            .map(|(r, p)| WallProblem {
                handled: false,
                weight: match p.severity {
                    Severity::Critical => 3,
                    Severity::Stale => 2,
                    _ => 1,
                },
                since: None,
                text: format!("{}  {}", r.sample.host, view::problem_line(p, now)),
                role: view::severity_role(p.severity),
            })
            .collect();
        let lines = self
            .rows
            .iter()
            .take(6)
            .map(|r| {
                let s = &r.sample;
                let disk = s.fullest().map_or(0.0, |(_, v)| v);
                format!(
                    "{}  CPU {:>3.0}%  {} {:>3.0}%  {} {disk:>3.0}%  {}",
                    crate::text::cell(&crate::text::clean(&s.host), 24),
                    s.cpu,
                    say::memory(),
                    s.mem(),
                    say::head_disk(),
                    countdown::age(now - s.at)
                )
            })
            .collect();
        WallFacts { problems, next_breach: None, lines }
    }

    fn list(&mut self) -> Option<&mut dyn Listing> {
        Some(&mut self.place)
    }
    fn offers(&self) -> Offers {
        Offers {
            faults: true,
            orders: &[say::order_worst, say::order_name, say::cpu, say::memory],
            ..Offers::default()
        }
    }
    fn relist(&mut self, now: Millis) {
        self.sort(now);
    }

    fn draw(&self, brush: &Brush<'_>, buf: &mut Buffer, area: Rect, now: Millis) {
        view::draw(self, brush, buf, area, now);
    }

    fn wake(&self, now: Millis) -> Option<Millis> {
        // ages of other hosts count on; this machine's samples bring their own frames
        let others = self.rows.iter().any(|r| !self.is_here(&r.sample.host));
        others.then(|| now / (10 * SECOND) * (10 * SECOND) + 10 * SECOND)
    }
}

/// Role of the severity sign of a row, for the header and the list.
pub(super) fn sign(severity: Severity, ascii: bool) -> (&'static str, Role) {
    let (uni, plain) = match severity {
        Severity::Ok => ("·", "."),
        Severity::Warn => ("▲", "^"),
        Severity::Stale => ("?", "?"),
        Severity::Critical => ("✗", "X"),
    };
    (if ascii { plain } else { uni }, view::severity_role(severity))
}
