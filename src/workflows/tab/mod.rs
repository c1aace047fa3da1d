//! The Workflows tab: state and keys.

mod ask;
mod load;

use std::sync::Arc;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use self::load::Flows;
use super::insight::{Insight, Node};
use super::log::Log;
use super::report::percent;
use super::store::Workflow;
use super::view;
use crate::clock::{DAY, MINUTE, Millis};
use crate::config::Config;
use crate::console::tab::{Attention, Effect, Load, Place, Snapshot, Tab, WallFacts, WallProblem};
use crate::locale::workflows as say;
use crate::text::clean;
use crate::tui::command::Command;
use crate::tui::paint::Brush;
use crate::tui::theme::Role;

/// Windows of the figures; `None`: the whole log.
const WINDOWS: [Option<Millis>; 5] = [Some(7 * DAY), Some(30 * DAY), Some(90 * DAY), Some(365 * DAY), None];

const fn key(name: &'static str, keys: &'static [&'static str], doc: fn() -> String, mutates: bool) -> Command {
    Command { name, keys, doc, mutates }
}

const COMMANDS: &[Command] = &[
    key("window_more", &["+", "="], say::key_window_more, false),
    key("window_less", &["-"], say::key_window_less, false),
    key("loops", &["r"], say::key_loops, false),
    key("ticket", &["t"], say::key_ticket, true),
    key("report", &["w"], say::key_report, true),
    key("sort", &["o"], say::key_sort, false),
    key("faults", &["!"], say::key_faults, false),
    key("preview", &["p"], say::key_preview, false),
    key("copy", &["y"], say::key_copy, false),
    key("copy_line", &["Y"], say::key_copy_line, false),
];

/// In which order the workflows and the nodes stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// What costs most first.
    Lost,
    /// Most late cases first.
    Late,
    /// Workflows by name, nodes as the flow goes.
    Plain,
}

impl Order {
    fn next(self) -> Self {
        match self {
            Self::Lost => Self::Late,
            Self::Late => Self::Plain,
            Self::Plain => Self::Lost,
        }
    }
}

/// Which part of the screen the keys move in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd)]
pub(super) enum Pane {
    /// The workflows.
    List,
    /// The nodes of one.
    Nodes,
    /// The cases at a node.
    Evidence,
}

/// A workflow with what is known of it.
#[derive(Debug, Clone)]
pub(super) struct Flow {
    pub workflow: Workflow,
    pub seen: Arc<Insight>,
    /// Kept for the next window; not for very long logs.
    log: Option<Arc<Log>>,
}

impl Flow {
    /// Cases that are late now; a log that ended long ago has none.
    pub fn late(&self) -> usize {
        if self.seen.past { 0 } else { self.seen.blocked() }
    }
}

/// The tab.
pub struct WorkflowsTab {
    pub(super) config: Arc<Config>,
    pub(super) flows: Vec<Flow>,
    pub(super) place: Place,
    pub(super) node: Place,
    pub(super) case: Place,
    pub(super) pane: Pane,
    pub(super) window: usize,
    /// Ways back instead of waiting cases.
    pub(super) loops: bool,
    /// The evidence stands beside the nodes.
    pub(super) preview: bool,
    /// Only what has late cases.
    pub(super) faults: bool,
    /// The order of the workflows, and that of the nodes.
    pub(super) orders: (Order, Order),
    loaded: bool,
}

impl WorkflowsTab {
    /// An empty tab.
    pub fn new(config: Arc<Config>) -> Self {
        Self {
            config,
            flows: vec![],
            place: Place::default(),
            node: Place::default(),
            case: Place::default(),
            pane: Pane::List,
            window: 1,
            loops: false,
            preview: true,
            faults: false,
            orders: (Order::Lost, Order::Plain),
            loaded: false,
        }
    }

    /// The workflows as they are listed.
    pub(super) fn listed(&self) -> Vec<&Flow> {
        let mut flows: Vec<&Flow> = self.flows.iter().filter(|f| !self.faults || f.late() > 0).collect();
        let name = |a: &&Flow, b: &&Flow| a.workflow.name.cmp(&b.workflow.name);
        match self.orders.0 {
            // what ended long ago costs nobody anything now
            Order::Lost => flows.sort_by(|a, b| {
                a.seen.past.cmp(&b.seen.past).then(b.seen.lost.total_cmp(&a.seen.lost)).then_with(|| name(a, b))
            }),
            Order::Late => flows.sort_by(|a, b| b.late().cmp(&a.late()).then_with(|| name(a, b))),
            Order::Plain => flows.sort_by(name),
        }
        flows
    }

    /// The nodes of the workflow under the cursor as they are listed.
    pub(super) fn nodes(&self) -> Vec<&Node> {
        let Some(flow) = self.flow() else { return vec![] };
        let mut nodes: Vec<&Node> = flow.seen.nodes.iter().filter(|n| !self.faults || n.blocked.blocked > 0).collect();
        match self.orders.1 {
            Order::Lost => nodes.sort_by(|a, b| b.score.total_cmp(&a.score)),
            Order::Late => nodes.sort_by_key(|n| std::cmp::Reverse(n.blocked.blocked)),
            Order::Plain => {}
        }
        nodes
    }

    /// The workflow under the cursor.
    pub(super) fn flow(&self) -> Option<&Flow> {
        self.listed().get(self.place.at).copied()
    }

    /// The node under the cursor.
    pub(super) fn current(&self) -> Option<(&Flow, &Node)> {
        let flow = self.flow()?;
        Some((flow, self.nodes().get(self.node.at).copied()?))
    }

    /// Runs `change`, and brings the cursor back to the workflow, the node and the case that it was on.
    fn holding(&mut self, change: impl FnOnce(&mut Self)) {
        let held = self.flow().map(|f| f.workflow.id);
        let node = self.current().map(|(_, n)| n.name.clone());
        let case = self.current().and_then(|(_, n)| n.stuck.get(self.case.at)).map(|s| s.case.clone());
        change(self);
        let ids: Vec<i64> = self.listed().iter().map(|f| f.workflow.id).collect();
        self.place.follow(&ids, |id| Some(*id) == held);
        if self.flow().map(|f| f.workflow.id) != held {
            return self.go_to_bottleneck();
        }
        let names: Vec<String> = self.nodes().iter().map(|n| n.name.clone()).collect();
        self.node.follow(&names, |n| Some(n) == node.as_ref());
        let cases: Vec<String> =
            self.current().map(|(_, n)| n.stuck.iter().map(|s| s.case.clone()).collect()).unwrap_or_default();
        if !self.loops {
            self.case.follow(&cases, |c| Some(c) == case.as_ref());
        }
    }

    /// The window, for people.
    pub(super) fn window_text(&self) -> String {
        match WINDOWS[self.window] {
            Some(w) => say::window(w / DAY),
            None => say::window_all(),
        }
    }

    /// Puts the cursor on the bottleneck: that is what one comes for.
    fn go_to_bottleneck(&mut self) {
        let worst = self.flow().and_then(|f| {
            let name = &f.seen.bottleneck()?.name;
            self.nodes().iter().position(|n| n.name == *name)
        });
        self.node.at = worst.unwrap_or(0);
        self.case.at = 0;
    }

    /// Puts the cursor on the node that the way back under the cursor leads to.
    fn go_to_loop(&mut self) {
        let to = self.flow().and_then(|f| f.seen.loops.get(self.case.at)).map(|l| l.to.clone());
        if let Some(at) = to.and_then(|to| self.nodes().iter().position(|n| n.name == to)) {
            (self.node.at, self.case.at, self.pane, self.loops) = (at, 0, Pane::Nodes, false);
        }
    }

    fn rows(&self, pane: Pane) -> usize {
        match pane {
            Pane::List => self.listed().len(),
            Pane::Nodes => self.nodes().len(),
            Pane::Evidence if self.loops => self.flow().map_or(0, |f| f.seen.loops.len()),
            Pane::Evidence => self.current().map_or(0, |(_, n)| n.stuck.len()),
        }
    }
}

impl Tab for WorkflowsTab {
    fn name(&self) -> String {
        say::name()
    }
    fn key(&self) -> &'static str {
        "workflows"
    }
    fn commands(&self) -> &'static [Command] {
        COMMANDS
    }
    fn topics(&self) -> &'static [&'static str] {
        &["workflow"]
    }
    fn refresh(&self) -> Option<Millis> {
        // waiting grows with the time alone
        Some(5 * MINUTE)
    }

    fn load(&mut self, _now: Millis) -> Load {
        let known =
            self.flows.iter().filter_map(|f| Some((f.workflow.id, (f.workflow.version, f.log.clone()?)))).collect();
        let window = WINDOWS[self.window];
        Box::new(move |door| Box::pin(async move { Ok(Box::new(load::load(door, known, window).await?) as Snapshot) }))
    }

    fn arrived(&mut self, snapshot: Snapshot, _now: Millis) {
        let Ok(flows) = snapshot.downcast::<Flows>() else { return };
        let first = self.flows.is_empty();
        self.loaded = true;
        if first {
            self.flows = flows.0;
            self.go_to_bottleneck();
        } else {
            self.holding(|tab| tab.flows = flows.0);
        }
    }

    fn is_loaded(&self) -> bool {
        self.loaded
    }

    fn run(&mut self, command: &str, _now: Millis) -> Vec<Effect> {
        let rows = self.rows(self.pane);
        match self.pane {
            Pane::List => {
                let before = self.place.at;
                if self.place.go(command, rows) {
                    if self.place.at != before {
                        self.go_to_bottleneck();
                    }
                    return vec![];
                }
            }
            Pane::Nodes => {
                if self.node.go(command, rows) {
                    self.case.at = 0;
                    return vec![];
                }
            }
            Pane::Evidence => {
                if self.case.go(command, rows) {
                    return vec![];
                }
            }
        }
        match command {
            "left" => self.pane = if self.pane == Pane::Evidence { Pane::Nodes } else { Pane::List },
            "right" | "open" if self.pane == Pane::List => self.pane = Pane::Nodes,
            "right" | "open" if self.pane == Pane::Nodes => {
                (self.pane, self.preview) = (Pane::Evidence, true);
                self.case.at = 0;
            }
            "open" if self.loops => self.go_to_loop(),
            "open" => return self.case_lines(),
            "window_more" => {
                self.window = (self.window + 1).min(WINDOWS.len() - 1);
                return vec![Effect::Reload];
            }
            "window_less" => {
                self.window = self.window.saturating_sub(1);
                return vec![Effect::Reload];
            }
            "loops" => {
                (self.loops, self.preview) = (!self.loops, true);
                self.case.at = 0;
            }
            "preview" => {
                self.preview = !self.preview;
                if !self.preview && self.pane == Pane::Evidence {
                    self.pane = Pane::Nodes;
                }
            }
            "sort" => {
                let list = self.pane == Pane::List;
                self.holding(|tab| {
                    let order = if list { &mut tab.orders.0 } else { &mut tab.orders.1 };
                    *order = order.next();
                });
                let order = if list { self.orders.0 } else { self.orders.1 };
                return vec![Effect::Say(match (order, list) {
                    (Order::Lost, _) => say::sorted_lost(),
                    (Order::Late, _) => say::sorted_late(),
                    (Order::Plain, true) => say::sorted_name(),
                    (Order::Plain, false) => say::sorted_flow(),
                })];
            }
            "faults" => {
                self.holding(|tab| tab.faults = !tab.faults);
                return vec![Effect::Say(if self.faults { say::faults_only() } else { say::faults_all() })];
            }
            "copy" => return self.copied().map(|(name, _)| Effect::Copy(name)).into_iter().collect(),
            "copy_line" => return self.copied().map(|(_, line)| Effect::Copy(line)).into_iter().collect(),
            "ticket" => return self.ticket(),
            "report" => return self.report(),
            "back" => {
                (self.loops, self.pane) = (false, Pane::List);
                self.holding(|tab| tab.faults = false);
            }
            _ => {}
        }
        vec![]
    }

    fn disabled(&self, command: &str) -> Option<String> {
        match command {
            "ticket" if self.current().is_none() => Some(say::no_node()),
            "report" | "loops" | "copy" | "copy_line" if self.flow().is_none() => Some(say::no_workflow()),
            "faults" if !self.faults && self.flows.iter().all(|f| f.late() == 0) => Some(say::nothing_late()),
            "copy" | "copy_line" if self.copied().is_none() => Some(say::nothing_here()),
            "window_more" if self.window + 1 == WINDOWS.len() => Some(say::window_longest()),
            "window_less" if self.window == 0 => Some(say::window_shortest()),
            _ => None,
        }
    }

    fn search(&mut self, text: &str) -> Vec<Effect> {
        let text = text.to_lowercase();
        let is = |name: &str| name.to_lowercase().contains(&text);
        // in the workflows, then in the nodes, then in the cases of the one under the cursor
        let flows = self.listed().iter().position(|f| is(&f.workflow.name));
        let nodes = self.nodes();
        let at = nodes.iter().position(|n| is(&n.name));
        let cases = nodes
            .iter()
            .enumerate()
            .find_map(|(n, node)| Some((n, node.stuck.iter().position(|s| is(&s.case) || is(&s.resource))?)));
        match (flows, at, cases) {
            (Some(at), ..) => {
                (self.place.at, self.pane) = (at, Pane::List);
                self.go_to_bottleneck();
            }
            (None, Some(at), _) => (self.node.at, self.case.at, self.pane) = (at, 0, Pane::Nodes),
            (None, None, Some((node, case))) => {
                (self.node.at, self.case.at, self.pane) = (node, case, Pane::Evidence);
                (self.loops, self.preview) = (false, true);
            }
            (None, None, None) => return vec![Effect::Say(say::not_found(&text))],
        }
        vec![]
    }

    fn explain(&self, _now: Millis) -> Option<(String, Vec<String>)> {
        self.why()
    }

    fn attention(&self, _now: Millis) -> Option<Attention> {
        let count = self.flows.iter().filter(|f| f.late() > 0).count();
        (count > 0).then_some(Attention { count, role: Role::Warn })
    }

    fn wall(&self, _now: Millis) -> WallFacts {
        let live = self.flows.iter().filter(|f| !f.seen.past);
        let problems = live
            .filter_map(|f| {
                let node = f.seen.nodes.iter().filter(|n| n.blocked.blocked > 0).max_by_key(|n| n.blocked.blocked)?;
                let since = node.stuck.iter().filter(|s| s.late).map(|s| s.since).min();
                let text = say::wall_problem(&clean(&f.workflow.name), &clean(&node.name), node.blocked.blocked);
                Some(WallProblem { weight: 1, since, text, role: Role::Warn, handled: false })
            })
            .collect();
        let lines = self
            .flows
            .iter()
            .take(6)
            .map(|f| {
                let worst = f.seen.bottleneck();
                let worst = worst.map_or_else(String::new, |n| format!("{} {}", clean(&n.name), percent(n.score)));
                let name = crate::text::cell(&clean(&f.workflow.name), 20);
                format!("{name} {}  {worst}", say::wall_running(f.seen.running, f.seen.blocked()))
            })
            .collect();
        WallFacts { problems, next_breach: None, lines }
    }

    fn draw(&self, brush: &Brush<'_>, buf: &mut Buffer, area: Rect, now: Millis) {
        view::draw(self, brush, buf, area, now);
    }

    fn wake(&self, now: Millis) -> Option<Millis> {
        // ages are shown to the minute at best
        let live = self.flows.iter().any(|f| !f.seen.past && f.seen.running > 0);
        live.then(|| now / MINUTE * MINUTE + MINUTE)
    }
}
