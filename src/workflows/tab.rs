//! The Workflows tab: state and keys.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::TimeZone as _;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::actions::WriteReport;
use super::insight::{self, Insight, Node};
use super::log::{Log, NOBODY};
use super::model::Transition;
use super::report::{self, percent, span};
use super::store::{self, Workflow};
use super::view;
use crate::clock::{DAY, MINUTE, Millis};
use crate::config::Config;
use crate::console::tab::{Attention, Effect, Field, Form, Load, Place, Snapshot, Tab, WallFacts, WallProblem};
use crate::locale::workflows as say;
use crate::text::clean;
use crate::tickets::actions::New;
use crate::tickets::model::{SCOPES, SEVERITIES};
use crate::tui::command::Command;
use crate::tui::paint::Brush;
use crate::tui::theme::Role;

/// Windows of the figures; `None`: the whole log.
const WINDOWS: [Option<Millis>; 5] = [Some(7 * DAY), Some(30 * DAY), Some(90 * DAY), Some(365 * DAY), None];
/// Logs up to this many events are kept between loads.
const KEPT: usize = 300_000;
/// Most events of a case that are listed.
const LISTED: usize = 500;

const COMMANDS: &[Command] = &[
    Command { name: "window_more", keys: &["+", "="], doc: say::key_window_more, mutates: false },
    Command { name: "window_less", keys: &["-"], doc: say::key_window_less, mutates: false },
    Command { name: "loops", keys: &["r"], doc: say::key_loops, mutates: false },
    Command { name: "ticket", keys: &["t"], doc: say::key_ticket, mutates: true },
    Command { name: "report", keys: &["w"], doc: say::key_report, mutates: true },
];

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

/// What a load brings.
struct Flows(Vec<Flow>);

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
            loaded: false,
        }
    }

    /// The workflow under the cursor.
    pub(super) fn flow(&self) -> Option<&Flow> {
        self.flows.get(self.place.at)
    }

    /// The node under the cursor.
    pub(super) fn current(&self) -> Option<(&Flow, &Node)> {
        let flow = self.flow()?;
        Some((flow, flow.seen.nodes.get(self.node.at)?))
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
            f.seen.nodes.iter().position(|n| n.name == *name)
        });
        self.node.at = worst.unwrap_or(0);
        self.case.at = 0;
    }

    fn rows(&self, pane: Pane) -> usize {
        match pane {
            Pane::List => self.flows.len(),
            Pane::Nodes => self.flow().map_or(0, |f| f.seen.nodes.len()),
            Pane::Evidence if self.loops => self.flow().map_or(0, |f| f.seen.loops.len()),
            Pane::Evidence => self.current().map_or(0, |(_, n)| n.stuck.len()),
        }
    }

    fn ticket(&self) -> Vec<Effect> {
        let Some((flow, node)) = self.current() else { return vec![] };
        let title = say::ticket_title(&clean(&flow.workflow.name), &clean(&node.name));
        let mut body = vec![view::score_line(node), view::open_line(node)];
        body.extend(report::advice(node));
        for s in node.stuck.iter().filter(|s| s.late).take(5) {
            body.push(format!("{}  {}", clean(&s.case), span((flow.seen.as_of - s.since) as f64)));
        }
        let word = |w: &&str| ((*w).to_owned(), view::word(w));
        let fields = vec![
            Field::text(say::field_title(), title),
            Field::text(say::field_body(), body.join("; ")),
            Field::choice(crate::locale::tickets::field_scope(), "department", SCOPES.iter().map(word).collect()),
            Field::choice(crate::locale::tickets::field_severity(), "general", SEVERITIES.iter().map(word).collect()),
        ];
        let submit = Box::new(|values: &[String]| {
            let [title, body, scope, severity] = values else { return Err(String::new()) };
            if title.trim().is_empty() {
                return Err(crate::locale::tickets::needs_title());
            }
            let new = New {
                title: title.clone(),
                body: body.clone(),
                scope: scope.clone(),
                severity: severity.clone(),
                channel: "workflow".into(),
                reporter: "zhiban".into(),
                reported_at: None,
                late_reason: None,
                intake_key: None,
            };
            Ok(vec![Effect::Act(vec![Arc::new(new)])])
        });
        vec![Effect::Form(Form { title: say::key_ticket(), fields, preview: None, submit })]
    }

    fn report(&self) -> Vec<Effect> {
        let Some(flow) = self.flow() else { return vec![] };
        let name = flow.workflow.name.clone();
        let text = report::to_markdown(&name, &flow.seen);
        let safe: String =
            name.chars().map(|c| if c.is_alphanumeric() || c == '-' { c } else { '_' }).take(60).collect();
        let day = chrono::DateTime::from_timestamp_millis(flow.seen.as_of);
        let day = day.map(|d| d.format("%Y-%m-%d").to_string()).unwrap_or_default();
        let fields = vec![Field::text(say::field_file(), format!("{safe}-{day}.md"))];
        let submit = Box::new(move |values: &[String]| {
            let path = values.first().map(|v| v.trim().to_owned()).unwrap_or_default();
            if path.is_empty() {
                return Err(say::needs_file());
            }
            let report = WriteReport { name: name.clone(), path: path.into(), text: text.clone() };
            Ok(vec![Effect::Act(vec![Arc::new(report)])])
        });
        vec![Effect::Form(Form { title: say::key_report(), fields, preview: None, submit })]
    }

    /// The events of the case under the cursor.
    fn case_lines(&self) -> Vec<Effect> {
        let Some((flow, node)) = self.current() else { return vec![] };
        let (Some(stuck), Some(log)) = (node.stuck.get(self.case.at), &flow.log) else { return vec![] };
        let Some(case) = log.cases.find(stuck.case.as_bytes()) else { return vec![] };
        let mut events: Vec<usize> = (0..log.len()).filter(|i| log.case[*i] == case).collect();
        events.sort_by_key(|i| log.at[*i]);
        let zone = self.config.workflows.tz();
        let lines = events.iter().take(LISTED).map(|i| {
            let at = zone.timestamp_millis_opt(log.at[*i]).single();
            let at = at.map(|t| t.format("%Y-%m-%d %H:%M").to_string()).unwrap_or_default();
            let who = if log.resource[*i] == NOBODY {
                String::new()
            } else {
                log.resources.get(log.resource[*i]).into_owned()
            };
            let what = match log.transition_of(*i) {
                Transition::Schedule => say::event_scheduled(),
                Transition::Start => say::event_started(),
                Transition::Pause => say::event_paused(),
                Transition::Abort => say::event_aborted(),
                Transition::Complete => say::event_completed(),
            };
            let activity = log.activities.get(u32::from(log.activity[*i])).into_owned();
            format!("{at}  {what}  {}  {}", clean(&activity), clean(&who))
        });
        vec![Effect::Text(clean(&stuck.case).into_owned(), lines.collect())]
    }
}

async fn load(
    door: crate::action::Door,
    known: HashMap<i64, (i64, Arc<Log>)>,
    window: Option<Millis>,
) -> Result<Flows, String> {
    let config = door.config().clone();
    let now = door.clock().now();
    let mut flows = Vec::new();
    for workflow in store::list(door.store()).await.map_err(|e| e.to_string())? {
        let log = match known.get(&workflow.id) {
            Some((version, log)) if *version == workflow.version => log.clone(),
            _ => Arc::new(store::load(door.store(), workflow.id).await.map_err(|e| e.to_string())?),
        };
        let (config, kept) = (config.clone(), log.clone());
        let seen = tokio::task::spawn_blocking(move || {
            let as_of = insight::as_of(&log, now, config.workflows.stale_after.millis());
            insight::look(&log, as_of, window, &config.workflows)
        });
        let seen = Arc::new(seen.await.map_err(|e| e.to_string())?);
        let log = (kept.len() <= KEPT).then_some(kept);
        flows.push(Flow { workflow, seen, log });
    }
    flows.sort_by(|a, b| b.seen.lost.total_cmp(&a.seen.lost).then_with(|| a.workflow.name.cmp(&b.workflow.name)));
    Ok(Flows(flows))
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
        Box::new(move |door| Box::pin(async move { Ok(Box::new(load(door, known, window).await?) as Snapshot) }))
    }

    fn arrived(&mut self, snapshot: Snapshot, _now: Millis) {
        let Ok(flows) = snapshot.downcast::<Flows>() else { return };
        let held = self.flow().map(|f| f.workflow.id);
        let node = self.current().map(|(_, n)| n.name.clone());
        let case = self.current().and_then(|(_, n)| n.stuck.get(self.case.at)).map(|s| s.case.clone());
        self.flows = flows.0;
        self.loaded = true;
        match held {
            Some(id) => {
                self.place.follow(&self.flows, |f| f.workflow.id == id);
                if let (Some(flow), Some(name)) = (self.flows.get(self.place.at), node) {
                    self.node.follow(&flow.seen.nodes, |n| n.name == name);
                    if let (Some(n), Some(case)) = (flow.seen.nodes.get(self.node.at), case) {
                        self.case.follow(&n.stuck, |s| s.case == case);
                    }
                }
            }
            None => self.go_to_bottleneck(),
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
                self.pane = Pane::Evidence;
                self.case.at = 0;
            }
            "open" if !self.loops => return self.case_lines(),
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
                self.case.at = 0;
            }
            "ticket" => return self.ticket(),
            "report" => return self.report(),
            "back" => {
                self.loops = false;
                self.pane = Pane::List;
            }
            _ => {}
        }
        vec![]
    }

    fn disabled(&self, command: &str) -> Option<String> {
        match command {
            "ticket" if self.current().is_none() => Some(say::no_node()),
            "report" | "loops" if self.flow().is_none() => Some(say::no_workflow()),
            "window_more" if self.window + 1 == WINDOWS.len() => Some(say::window_longest()),
            "window_less" if self.window == 0 => Some(say::window_shortest()),
            _ => None,
        }
    }

    fn search(&mut self, text: &str) -> Vec<Effect> {
        let text = text.to_lowercase();
        let is = |name: &str| name.to_lowercase().contains(&text);
        // in the workflows, then in the nodes, then in the cases of the one under the cursor
        if let Some(at) = self.flows.iter().position(|f| is(&f.workflow.name)) {
            self.place.at = at;
            self.pane = Pane::List;
            self.go_to_bottleneck();
        } else if let Some(at) = self.flow().and_then(|f| f.seen.nodes.iter().position(|n| is(&n.name))) {
            self.node.at = at;
            self.case.at = 0;
            self.pane = Pane::Nodes;
        } else {
            let nodes = self.flow().map(|f| f.seen.nodes.as_slice()).unwrap_or_default();
            let found = nodes
                .iter()
                .enumerate()
                .find_map(|(n, node)| Some((n, node.stuck.iter().position(|s| is(&s.case) || is(&s.resource))?)));
            match found {
                Some((node, case)) => {
                    (self.node.at, self.case.at, self.pane, self.loops) = (node, case, Pane::Evidence, false);
                }
                None => return vec![Effect::Say(say::not_found(&text))],
            }
        }
        vec![]
    }

    fn explain(&self, _now: Millis) -> Option<(String, Vec<String>)> {
        let (flow, node) = self.current()?;
        let mut lines = vec![view::score_line(node), view::open_line(node)];
        if let Some(usual) = node.usual {
            lines.push(if self.config.workflows.blocked_after.contains_key(&node.name) {
                say::explain_set(&span(usual))
            } else {
                say::explain_usual(&span(usual))
            });
        }
        lines.push(if node.waiting.is_some() { say::explain_lost() } else { say::explain_lost_whole() });
        if !node.is_work {
            lines.push(say::explain_not_work());
        }
        if flow.seen.past {
            lines.push(say::explain_past());
        }
        if node.stuck.iter().any(|s| s.expected) {
            lines.push(say::explain_expected());
        }
        lines.extend(report::advice(node));
        Some((say::explain_title(&clean(&node.name)), lines))
    }

    fn attention(&self, _now: Millis) -> Option<Attention> {
        let count = self.flows.iter().filter(|f| !f.seen.past && f.seen.blocked() > 0).count();
        (count > 0).then_some(Attention { count, role: Role::Warn })
    }

    fn wall(&self, _now: Millis) -> WallFacts {
        let live = self.flows.iter().filter(|f| !f.seen.past);
        let problems = live
            .filter_map(|f| {
                let node = f.seen.nodes.iter().filter(|n| n.blocked.blocked > 0).max_by_key(|n| n.blocked.blocked)?;
                let since = node.stuck.iter().filter(|s| s.late).map(|s| s.since).min();
                let text = say::wall_problem(&clean(&f.workflow.name), &clean(&node.name), node.blocked.blocked);
                Some(WallProblem { weight: 1, since, text, role: Role::Warn })
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
