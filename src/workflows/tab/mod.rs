//! The Workflows tab: state and keys.

mod ask;
mod load;

use std::collections::HashMap;
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
use crate::console::tab::{
    Attention, Effect, Listing, Load, Look, Offers, Place, Rows, Snapshot, Tab, WallFacts, WallProblem,
};
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
    key("copy", &["y"], say::key_copy, false),
    key("copy_line", &["Y"], say::key_copy_line, false),
];

/// Orders of the workflows: what costs most, most late cases, by name.
const FLOW_ORDERS: &[fn() -> String] = &[say::sorted_lost, say::sorted_late, say::sorted_name];
/// Orders of the nodes: as the flow goes, what costs most, most late cases.
const NODE_ORDERS: &[fn() -> String] = &[say::sorted_flow, say::sorted_lost, say::sorted_late];

/// A node's place: its workflow and its name.
pub(super) type NodeId = (i64, String);

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
    /// Nodes from which a ticket is open, with its number.
    pub tickets: HashMap<String, i64>,
    /// Kept for the next window; not for very long logs.
    log: Option<Arc<Log>>,
}

impl Flow {
    /// Whether its name, a node, a case that waits or who has it holds `text` (in lower case).
    fn has(&self, text: &str) -> bool {
        names(&self.workflow.name, text)
            || self.seen.nodes.iter().any(|n| {
                names(&n.name, text) || n.stuck.iter().any(|s| names(&s.case, text) || names(&s.resource, text))
            })
    }

    /// Cases that are late now; a log that ended long ago has none.
    pub fn late(&self) -> usize {
        if self.seen.past { 0 } else { self.seen.blocked() }
    }
}

fn names(name: &str, text: &str) -> bool {
    name.to_lowercase().contains(text)
}

/// The tab.
pub struct WorkflowsTab {
    pub(super) config: Arc<Config>,
    pub(super) flows: Vec<Flow>,
    /// Places in `flows` of those listed, in their order.
    listed: Vec<usize>,
    /// Places of the listed nodes in the workflow under the cursor, in their order.
    nodes: Vec<usize>,
    pub(super) place: Rows<i64>,
    pub(super) node: Rows<NodeId>,
    pub(super) case: Place,
    pub(super) pane: Pane,
    pub(super) window: usize,
    /// Ways back instead of waiting cases.
    pub(super) loops: bool,
    filter: String,
    loaded: bool,
    /// When what is held arrived.
    loaded_at: Millis,
}

impl WorkflowsTab {
    /// An empty tab.
    pub fn new(config: Arc<Config>) -> Self {
        Self {
            config,
            flows: vec![],
            listed: vec![],
            nodes: vec![],
            place: Rows::default(),
            node: Rows::default(),
            case: Place::default(),
            pane: Pane::List,
            window: 1,
            loops: false,
            filter: String::new(),
            loaded: false,
            loaded_at: 0,
        }
    }

    /// How the list that the keys move in is looked at; both lists share it but for their orders.
    pub(super) fn look(&self) -> Look {
        if self.pane == Pane::List { self.place.look } else { self.node.look }
    }

    /// The other list is looked at like the one that the keys move in.
    fn share_look(&mut self) {
        let (look, list) = (self.look(), self.pane == Pane::List);
        let other = if list { &mut self.node.look } else { &mut self.place.look };
        *other = Look { order: other.order, ..look };
    }

    /// The keys move in `pane` from now on.
    fn enter(&mut self, pane: Pane) {
        self.share_look();
        self.pane = pane;
    }

    /// The evidence is shown from now on.
    fn show_evidence(&mut self) {
        self.place.look.preview = true;
        self.node.look.preview = true;
    }

    /// The workflows as they are listed.
    pub(super) fn listed(&self) -> Vec<&Flow> {
        self.listed.iter().filter_map(|i| self.flows.get(*i)).collect()
    }

    /// The nodes of the workflow under the cursor as they are listed.
    pub(super) fn nodes(&self) -> Vec<&Node> {
        let Some(flow) = self.flow() else { return vec![] };
        self.nodes.iter().filter_map(|i| flow.seen.nodes.get(*i)).collect()
    }

    /// The workflow under the cursor.
    pub(super) fn flow(&self) -> Option<&Flow> {
        self.listed.get(self.place.at).and_then(|i| self.flows.get(*i))
    }

    /// The node under the cursor.
    pub(super) fn current(&self) -> Option<(&Flow, &Node)> {
        let flow = self.flow()?;
        Some((flow, self.nodes.get(self.node.at).and_then(|i| flow.seen.nodes.get(*i))?))
    }

    /// What the list's title says of those that are not listed.
    pub(super) fn hidden(&self) -> Option<String> {
        let (listed, all) = (self.listed.len(), self.flows.len());
        let by = if self.filter.is_empty() { String::new() } else { format!(" /{}", self.filter) };
        (listed < all || !by.is_empty()).then(|| format!("{listed}/{all}{by}"))
    }

    /// Chooses and orders the workflows anew. The cursor stays on its workflow; where that is gone, it goes to the
    /// bottleneck of the one that it comes to.
    fn arrange(&mut self, now: Millis) {
        let held = self.place.id().copied();
        let node = self.current().map(|(_, n)| n.name.clone());
        let case = self.current().and_then(|(_, n)| n.stuck.get(self.case.at)).map(|s| s.case.clone());
        let faults = self.look().faults;
        let shown = |i: &usize| {
            let f = &self.flows[*i];
            (!faults || f.late() > 0) && (self.filter.is_empty() || f.has(&self.filter))
        };
        let mut rows: Vec<usize> = (0..self.flows.len()).filter(shown).collect();
        let f = |i: &usize| &self.flows[*i];
        rows.sort_by(|a, b| f(a).workflow.name.cmp(&f(b).workflow.name));
        match self.place.look.order {
            // what ended long ago costs nobody anything now
            0 => rows.sort_by(|a, b| {
                let (a, b) = (&f(a).seen, &f(b).seen);
                a.past.cmp(&b.past).then(b.lost.total_cmp(&a.lost))
            }),
            1 => rows.sort_by_key(|i| std::cmp::Reverse(f(i).late())),
            _ => {}
        }
        self.listed = self.place.take(rows, |i| self.flows[*i].workflow.id, now);
        self.arrange_nodes(now);
        if held.is_none() || self.place.id().copied() != held {
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

    /// Chooses and orders the nodes of the workflow under the cursor.
    fn arrange_nodes(&mut self, now: Millis) {
        let Some((id, seen)) = self.flow().map(|f| (f.workflow.id, f.seen.clone())) else {
            self.nodes.clear();
            return self.node.put([]);
        };
        let faults = self.look().faults;
        let mut rows: Vec<usize> =
            (0..seen.nodes.len()).filter(|i| !faults || seen.nodes[*i].blocked.blocked > 0).collect();
        match self.node.look.order {
            1 => rows.sort_by(|a, b| seen.nodes[*b].score.total_cmp(&seen.nodes[*a].score)),
            2 => rows.sort_by_key(|i| std::cmp::Reverse(seen.nodes[*i].blocked.blocked)),
            _ => {}
        }
        self.nodes = self.node.take(rows, |i| (id, seen.nodes[*i].name.clone()), now);
    }

    /// The workflow and node of an id.
    fn node_of(&self, (id, name): &NodeId) -> Option<(&Flow, &Node)> {
        let flow = self.flows.iter().find(|f| f.workflow.id == *id)?;
        Some((flow, flow.seen.nodes.iter().find(|n| n.name == *name)?))
    }

    /// The marked nodes, the bottlenecks of the marked workflows, or the node under the cursor.
    pub(super) fn chosen_nodes(&self) -> Vec<(&Flow, &Node)> {
        if self.pane == Pane::List && self.place.has_marks() {
            let flows = self.chosen_flows();
            return flows.into_iter().filter_map(|f| Some((f, f.seen.bottleneck()?))).collect();
        }
        if self.node.has_marks() {
            return self.node.chosen().iter().filter_map(|id| self.node_of(id)).collect();
        }
        self.current().into_iter().collect()
    }

    /// The marked workflows, or the one under the cursor.
    pub(super) fn chosen_flows(&self) -> Vec<&Flow> {
        let ids = self.place.chosen();
        ids.iter().filter_map(|id| self.flows.iter().find(|f| f.workflow.id == *id)).collect()
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
            (self.node.at, self.case.at, self.loops) = (at, 0, false);
            self.enter(Pane::Nodes);
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
    fn row(&self) -> Vec<(&'static str, String)> {
        self.flow().map(|flow| ("workflow", flow.workflow.name.clone())).into_iter().collect()
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

    fn arrived(&mut self, snapshot: Snapshot, now: Millis) {
        let Ok(flows) = snapshot.downcast::<Flows>() else { return };
        (self.flows, self.loaded, self.loaded_at) = (flows.0, true, now);
        let flows = &self.flows;
        self.place.keep_marks(|id| flows.iter().any(|f| f.workflow.id == *id));
        let is = |f: &Flow, (id, name): &NodeId| f.workflow.id == *id && f.seen.nodes.iter().any(|n| n.name == *name);
        self.node.keep_marks(|id| flows.iter().any(|f| is(f, id)));
        self.arrange(now);
    }

    fn is_loaded(&self) -> bool {
        self.loaded
    }

    fn list(&mut self) -> Option<&mut dyn Listing> {
        Some(if self.pane == Pane::List { &mut self.place } else { &mut self.node })
    }
    fn offers(&self) -> Offers {
        let orders = if self.pane == Pane::List { FLOW_ORDERS } else { NODE_ORDERS };
        Offers { marks: self.pane != Pane::Evidence, faults: true, preview: true, orders }
    }
    fn relist(&mut self, now: Millis) {
        self.share_look();
        self.arrange(now);
    }

    fn run(&mut self, command: &str, now: Millis) -> Vec<Effect> {
        // put away while the keys moved in it
        if self.pane == Pane::Evidence && !self.look().preview {
            self.enter(Pane::Nodes);
        }
        let rows = self.rows(self.pane);
        match self.pane {
            Pane::List => {
                let before = self.place.at;
                if self.place.go(command, rows) {
                    if self.place.at != before {
                        self.node.start_over();
                        self.arrange_nodes(now);
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
            "left" if self.pane == Pane::Evidence => self.enter(Pane::Nodes),
            "left" => self.enter(Pane::List),
            "right" | "open" if self.pane == Pane::List => self.enter(Pane::Nodes),
            "right" | "open" if self.pane == Pane::Nodes => {
                self.enter(Pane::Evidence);
                self.show_evidence();
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
                self.loops = !self.loops;
                self.show_evidence();
                self.case.at = 0;
            }
            "copy" => return self.copy(|(name, _)| name),
            "copy_line" => return self.copy(|(_, line)| line),
            "ticket" => return self.ticket(),
            "report" => return self.report(),
            "back" => {
                self.loops = false;
                self.enter(Pane::List);
                self.filter.clear();
                self.place.look.faults = false;
                self.relist(now);
            }
            _ => {}
        }
        vec![]
    }

    fn disabled(&self, command: &str) -> Option<String> {
        match command {
            "ticket" if self.current().is_none() => Some(say::no_node()),
            "report" | "loops" | "copy" | "copy_line" if self.flow().is_none() => Some(say::no_workflow()),
            "report" if self.chosen_flows().len() > 1 => Some(say::one_report()),
            "faults" if !self.look().faults && self.flows.iter().all(|f| f.late() == 0) => Some(say::nothing_late()),
            "copy" | "copy_line" if self.copied().is_empty() => Some(say::nothing_here()),
            "window_more" if self.window + 1 == WINDOWS.len() => Some(say::window_longest()),
            "window_less" if self.window == 0 => Some(say::window_shortest()),
            _ => None,
        }
    }

    fn search(&mut self, text: &str) -> Vec<Effect> {
        self.filter = text.trim().to_lowercase();
        self.place.start_over();
        self.node.start_over();
        self.arrange(self.loaded_at);
        if self.filter.is_empty() {
            return vec![];
        }
        let Some(flow) = self.flow() else { return vec![Effect::Say(say::not_found(&self.filter))] };
        if names(&flow.workflow.name, &self.filter) {
            self.enter(Pane::List);
            return vec![];
        }
        // what was looked for is a node or a case in it: the cursor goes there
        let nodes = self.nodes();
        let node = nodes.iter().position(|n| names(&n.name, &self.filter));
        let case = nodes.iter().enumerate().find_map(|(n, node)| {
            Some((n, node.stuck.iter().position(|s| names(&s.case, &self.filter) || names(&s.resource, &self.filter))?))
        });
        match (node, case) {
            (Some(at), _) => {
                (self.node.at, self.case.at) = (at, 0);
                self.enter(Pane::Nodes);
            }
            (None, Some((node, case))) => {
                (self.node.at, self.case.at, self.loops) = (node, case, false);
                self.enter(Pane::Evidence);
                self.show_evidence();
            }
            (None, None) => {}
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
                // the node that the tab calls the bottleneck, while anything waits there too long
                let blocked = |n: &&Node| n.blocked.blocked > 0;
                let most = f.seen.nodes.iter().filter(blocked).max_by_key(|n| n.blocked.blocked);
                let node = f.seen.bottleneck().filter(blocked).or(most)?;
                let since = node.stuck.iter().filter(|s| s.late).map(|s| s.since).min();
                let text = say::wall_problem(&clean(&f.workflow.name), &clean(&node.name), node.blocked.blocked);
                // a ticket from this node is open
                let handled = f.tickets.contains_key(&node.name);
                Some(WallProblem { weight: 1, since, text, role: Role::Warn, handled })
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
