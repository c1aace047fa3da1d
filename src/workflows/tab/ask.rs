//! What the tab asks, explains, copies and hands to other rooms.

use std::sync::Arc;

use chrono::TimeZone as _;

use super::{Flow, Pane, WorkflowsTab};
use crate::clock::rfc3339;
use crate::console::tab::{Effect, Field, Form};
use crate::locale::workflows as say;
use crate::text::clean;
use crate::tickets::actions::New;
use crate::tickets::model::{SCOPES, SEVERITIES};
use crate::workflows::actions::WriteReport;
use crate::workflows::insight::Node;
use crate::workflows::log::NOBODY;
use crate::workflows::model::Transition;
use crate::workflows::report::{self, percent, span};
use crate::workflows::view::words;

/// Most events of a case that are listed.
const LISTED: usize = 500;
/// Most late cases named in a ticket.
const TICKET_CASES: usize = 10;

impl WorkflowsTab {
    /// Asks for a ticket from each chosen node, with its evidence in the body.
    pub(super) fn ticket(&self) -> Vec<Effect> {
        let drafts: Vec<Draft> = self.chosen_nodes().into_iter().map(|(flow, node)| self.draft(flow, node)).collect();
        let Some(first) = drafts.first() else { return vec![] };
        let word = |w: &&str| ((*w).to_owned(), words::word(w));
        let mut fields = vec![
            Field::choice(crate::locale::tickets::field_scope(), "department", SCOPES.iter().map(word).collect()),
            Field::choice(crate::locale::tickets::field_severity(), "general", SEVERITIES.iter().map(word).collect()),
        ];
        let mut title = say::key_ticket();
        if drafts.len() == 1 {
            fields.insert(0, Field::long(say::field_body(), first.body.clone()));
            fields.insert(0, Field::text(say::field_title(), first.title.clone()));
        } else {
            // each has its own title and evidence
            title = format!("{title} · {}", crate::locale::console::and_more(&first.title, drafts.len() - 1));
        }
        let submit = Box::new(move |values: &[String]| {
            let (own, rest) = values.split_at(values.len().saturating_sub(2));
            let [scope, severity] = rest else { return Err(String::new()) };
            if own.first().is_some_and(|title| title.trim().is_empty()) {
                return Err(crate::locale::tickets::needs_title());
            }
            let new = |d: &Draft| {
                let new = New {
                    title: own.first().unwrap_or(&d.title).clone(),
                    body: own.get(1).unwrap_or(&d.body).clone(),
                    scope: scope.clone(),
                    severity: severity.clone(),
                    channel: "workflow".into(),
                    reporter: "zhiban".into(),
                    // one node, one ticket a day
                    intake_key: Some(d.key.clone()),
                    ..New::default()
                };
                Arc::new(new) as Arc<dyn crate::action::Action>
            };
            Ok(vec![Effect::Act(drafts.iter().map(new).collect())])
        });
        vec![Effect::Form(Form::new(title, fields, submit))]
    }

    fn draft(&self, flow: &Flow, node: &Node) -> Draft {
        let mut body = vec![say::ticket_as_of(&rfc3339(flow.seen.as_of), &self.window_text())];
        body.extend(Self::evidence(node));
        body.extend(report::advice(node));
        let late: Vec<_> = node.stuck.iter().filter(|s| s.late).collect();
        for s in late.iter().take(TICKET_CASES) {
            let who = if s.resource.is_empty() { "—".into() } else { clean(&s.resource) };
            body.push(format!("{} · {who} · {}", clean(&s.case), span((flow.seen.as_of - s.since) as f64)));
        }
        if late.len() > TICKET_CASES {
            body.push(say::and_more(late.len() - TICKET_CASES));
        }
        let at = rfc3339(flow.seen.as_of);
        Draft {
            title: say::ticket_title(&clean(&flow.workflow.name), &clean(&node.name)),
            body: body.join("\n"),
            key: super::load::key_of_node(&flow.workflow.name, &node.name, at.get(..10).unwrap_or(&at)),
        }
    }

    /// Asks where the report of the workflow is to be written.
    pub(super) fn report(&self) -> Vec<Effect> {
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
        vec![Effect::Form(Form::new(say::key_report(), fields, submit))]
    }

    /// The events of the case under the cursor.
    pub(super) fn case_lines(&self) -> Vec<Effect> {
        let Some((flow, node)) = self.current() else { return vec![] };
        let Some(stuck) = node.stuck.get(self.case.at) else { return vec![Effect::Say(say::nothing_here())] };
        let Some(log) = &flow.log else { return vec![Effect::Say(say::too_long_to_list())] };
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

    /// The figures of a node that say what it costs: score, open ones, p95, trend.
    fn evidence(node: &Node) -> Vec<String> {
        let mut lines = vec![words::score_line(node), words::open_line(node)];
        if let Some(s) = node.losing() {
            lines.push(say::typical(&span(s.median), &span(s.p95), &words::direction(node)));
        }
        if let Some(p) = &node.slowest {
            let others = if p.others > 0.0 { words::short(p.others) } else { "—".into() };
            lines.push(say::slowest(&clean(&p.name), &words::short(p.median), &others, p.executions, p.open));
        }
        lines
    }

    /// What `E` says of the node under the cursor.
    pub(super) fn why(&self) -> Option<(String, Vec<String>)> {
        let (flow, node) = self.current()?;
        let mut lines = Self::evidence(node);
        if node.is_work && flow.seen.lost > 0.0 {
            let (own, all) = (words::short(node.lost), words::short(flow.seen.lost));
            lines.push(say::explain_score(&own, &all, &percent(node.score)));
        }
        lines.push(if node.waiting.is_some() { say::explain_lost() } else { say::explain_lost_whole() });
        if let Some(usual) = node.usual {
            lines.push(if self.config.workflows.blocked_after.contains_key(&node.name) {
                say::explain_set(&span(usual))
            } else {
                say::explain_usual(&span(usual))
            });
        }
        lines.push(say::explain_trend());
        if node.again != (0, 0) {
            lines.push(say::again(node.again.0, node.again.1, node.repeated.0, node.repeated.1));
        }
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

    /// Copies `part` of everything chosen.
    pub(super) fn copy(&self, part: impl Fn((String, String)) -> String) -> Vec<Effect> {
        let all: Vec<String> = self.copied().into_iter().map(part).collect();
        if all.is_empty() { vec![] } else { vec![Effect::Copy(all.join("\n"))] }
    }

    /// Of everything chosen the name, and a line that says what there is to know of it.
    pub(super) fn copied(&self) -> Vec<(String, String)> {
        match self.pane {
            Pane::List => self.chosen_flows().into_iter().map(Self::copied_flow).collect(),
            Pane::Nodes => self.chosen_nodes().into_iter().map(|(f, n)| Self::copied_node(f, n)).collect(),
            Pane::Evidence => self.copied_evidence().into_iter().collect(),
        }
    }

    fn copied_flow(flow: &Flow) -> (String, String) {
        let workflow = clean(&flow.workflow.name).into_owned();
        let seen = &flow.seen;
        let worst = seen.bottleneck().map_or_else(|| "—".into(), |n| clean(&n.name).into_owned());
        let share = seen.bottleneck().map_or_else(|| "—".into(), |n| percent(n.score));
        let line = say::copied_workflow(&workflow, seen.running, flow.late(), &worst, &share);
        (workflow, line)
    }

    fn copied_node(flow: &Flow, node: &Node) -> (String, String) {
        let name = clean(&node.name).into_owned();
        let workflow = clean(&flow.workflow.name);
        let line = format!("{workflow} · {name}: {}; {}", words::score_line(node), words::open_line(node));
        (name, line)
    }

    fn copied_evidence(&self) -> Option<(String, String)> {
        let flow = self.flow()?;
        let workflow = clean(&flow.workflow.name);
        if self.loops {
            let l = flow.seen.loops.get(self.case.at)?;
            let name = format!("{} → {}", clean(&l.from), clean(&l.to));
            let line = format!("{workflow} · {name}: {}", say::loop_count(l.count, l.cases));
            return Some((name, line));
        }
        let (_, node) = self.current()?;
        let s = node.stuck.get(self.case.at)?;
        let who = if s.resource.is_empty() { "—".into() } else { clean(&s.resource) };
        let age = span((flow.seen.as_of - s.since) as f64);
        let line = format!("{workflow} · {} · {} · {who} · {age}", clean(&node.name), clean(&s.case));
        Some((clean(&s.case).into_owned(), line))
    }
}

/// A ticket that is to be made.
struct Draft {
    title: String,
    body: String,
    key: String,
}
