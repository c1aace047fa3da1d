//! The Accounts tab: findings, worst first, and what was decided.

use std::collections::HashMap;
use std::sync::Arc;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::actions::Decide;
use super::model::{Finding, audit};
use super::store::{self, Decision};
use crate::action::Action;
use crate::clock::{DAY, Millis};
use crate::console::tab::{
    Attention, Effect, Field, Form, Listing, Load, Offers, Rows, Snapshot, Tab, WallFacts, WallProblem,
};
use crate::locale::accounts as say;
use crate::text::cell;
use crate::tui::command::Command;
use crate::tui::countdown;
use crate::tui::paint::Brush;
use crate::tui::theme::Role;

const COMMANDS: &[Command] = &[
    Command { name: "freeze", keys: &["f"], doc: say::key_freeze, mutates: true },
    Command { name: "keep", keys: &["e"], doc: say::key_keep, mutates: true },
    Command { name: "ask", keys: &["A"], doc: say::key_ask, mutates: true },
];

struct Page(Vec<Finding>, HashMap<String, Decision>);

/// The tab.
#[derive(Default)]
pub struct AccountsTab {
    all: Vec<Finding>,
    /// The place of each finding, worst first.
    ranks: HashMap<String, usize>,
    decisions: HashMap<String, Decision>,
    place: Rows<String>,
    filter: String,
    loaded: bool,
}

/// The word of a finding in the language of the console.
pub fn finding_word(finding: &str) -> String {
    match finding {
        "dormant" => say::dormant(),
        "never_used" => say::never_used(),
        "leaver_active" => say::leaver_active(),
        "login_after_leaving" => say::login_after_leaving(),
        "leaver_rights_kept" => say::leaver_rights_kept(),
        "disabled_privileged" => say::disabled_privileged(),
        "orphan" => say::orphan(),
        "duplicate" => say::duplicate(),
        "service_without_owner" => say::service_without_owner(),
        "default_account_enabled" => say::default_account_enabled(),
        "joiner_without_account" => say::joiner_without_account(),
        "leaving_soon" => say::leaving_soon(),
        other => other.to_owned(),
    }
}

fn role_of(severity: &str) -> Role {
    match severity {
        "critical" => Role::Critical,
        "high" => Role::Warn,
        "medium" => Role::Text,
        _ => Role::Dim,
    }
}

impl AccountsTab {
    fn shown(&self) -> Vec<&Finding> {
        let hit = |f: &&Finding| {
            self.filter.is_empty()
                || format!("{} {} {} {}", f.account, f.name, f.finding, finding_word(f.finding))
                    .to_lowercase()
                    .contains(&self.filter)
        };
        self.all.iter().filter(|f| !self.place.look.faults || self.is_open(f)).filter(hit).collect()
    }

    /// Findings are chosen and ordered anew; the model gives them worst first.
    fn arrange(&mut self, now: Millis) {
        let mut all = std::mem::take(&mut self.all);
        match self.place.look.order {
            1 => all.sort_by(|a, b| a.account.cmp(&b.account).then_with(|| a.id.cmp(&b.id))),
            2 => all.sort_by_key(|f| f.since.unwrap_or(Millis::MAX)),
            _ => all.sort_by_key(|f| self.ranks.get(&f.id).copied()),
        }
        self.all = self.place.hold(all, |f| f.id.clone(), now);
        let shown: Vec<String> = self.shown().into_iter().map(|f| f.id.clone()).collect();
        self.place.put(shown);
    }

    fn is_open(&self, f: &Finding) -> bool {
        f.severity != "info" && !self.decisions.contains_key(&f.id)
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
    fn refresh(&self) -> Option<Millis> {
        Some(600_000)
    }

    fn load(&mut self, now: Millis) -> Load {
        Box::new(move |door| {
            Box::pin(async move {
                let text = |e: crate::store::StoreError| e.to_string();
                let accounts = store::accounts(door.store()).await.map_err(text)?;
                let people = store::people(door.store()).await.map_err(text)?;
                let decisions = store::decisions(door.store()).await.map_err(text)?;
                let rules = door.config().accounts.clone();
                let found = tokio::task::spawn_blocking(move || audit(&accounts, &people, now, &rules))
                    .await
                    .map_err(|e| e.to_string())?;
                let holds = |d: &Decision| d.until.is_none_or(|u| u > now);
                let decisions = decisions.into_iter().filter(holds).map(|d| (d.finding.clone(), d)).collect();
                Ok(Box::new(Page(found, decisions)) as Snapshot)
            })
        })
    }

    fn arrived(&mut self, snapshot: Snapshot, now: Millis) {
        if let Ok(page) = snapshot.downcast::<Page>() {
            let Page(all, decisions) = *page;
            self.ranks = all.iter().enumerate().map(|(i, f)| (f.id.clone(), i)).collect();
            self.all = all;
            self.decisions = decisions;
            self.loaded = true;
            self.arrange(now);
        }
    }

    fn is_loaded(&self) -> bool {
        self.loaded
    }

    fn run(&mut self, command: &str, now: Millis) -> Vec<Effect> {
        let len = self.shown().len();
        if self.place.go(command, len) {
            return vec![];
        }
        if command == "back" {
            self.filter.clear();
            self.place.look.faults = false;
            self.arrange(now);
            return vec![];
        }
        let chosen: Vec<(String, String)> = self
            .place
            .chosen()
            .iter()
            .filter_map(|id| self.all.iter().find(|f| f.id == *id))
            .map(|f| (f.id.clone(), f.account.clone()))
            .collect();
        let Some(f) = self.all.iter().find(|f| chosen.first().is_some_and(|(id, _)| f.id == *id)) else {
            return vec![];
        };
        let word = match command {
            "freeze" | "keep" | "ask" => command.to_owned(),
            _ => return vec![],
        };
        let mut fields = vec![Field::text(say::field_reason(), "")];
        if word == "keep" {
            fields.push(Field::text(say::field_days(), "90"));
        }
        let mut title = format!("{word} {} ({})", f.account, f.name);
        if chosen.len() > 1 {
            title = crate::locale::console::and_more(&title, chosen.len() - 1);
        }
        let submit = Box::new(move |v: &[String]| {
            let until = match v.get(1) {
                Some(days) => Some(
                    days.trim()
                        .parse::<i64>()
                        .ok()
                        .filter(|d| (1..=3_650).contains(d))
                        .map(|d| now + d * DAY)
                        .ok_or_else(say::not_a_number)?,
                ),
                None => None,
            };
            if v[0].trim().is_empty() {
                return Err(say::needs_reason());
            }
            let decide = |(finding, account): &(String, String)| {
                let decision = Some((word.clone(), v[0].clone(), until));
                Arc::new(Decide { finding: finding.clone(), account: account.clone(), decision }) as Arc<dyn Action>
            };
            Ok(vec![Effect::Act(chosen.iter().map(decide).collect())])
        });
        vec![Effect::Form(Form { title, fields, preview: None, submit })]
    }

    fn search(&mut self, text: &str) -> Vec<Effect> {
        self.filter = text.trim().to_lowercase();
        self.place.start_over();
        let shown: Vec<String> = self.shown().into_iter().map(|f| f.id.clone()).collect();
        self.place.put(shown);
        vec![]
    }

    fn explain(&self, _now: Millis) -> Option<(String, Vec<String>)> {
        let f = *self.shown().get(self.place.at)?;
        let mut lines = vec![f.evidence.clone(), format!("{} · {} · {}", f.id, f.severity, f.system)];
        if let Some(d) = self.decisions.get(&f.id) {
            lines.push(format!("{}: {} ({})", d.actor, d.decision, d.reason));
        }
        Some((format!("{} {}", f.rule, finding_word(f.finding)), lines))
    }

    fn attention(&self, _now: Millis) -> Option<Attention> {
        let open: Vec<&Finding> = self.all.iter().filter(|f| self.is_open(f)).collect();
        let critical = open.iter().any(|f| f.severity == "critical");
        (!open.is_empty())
            .then_some(Attention { count: open.len(), role: if critical { Role::Critical } else { Role::Warn } })
    }

    fn wall(&self, _now: Millis) -> WallFacts {
        let open = self.all.iter().filter(|f| self.is_open(f));
        // a wall shows no names
        let problems = open
            .clone()
            .filter(|f| f.severity == "critical")
            .map(|f| WallProblem {
                handled: false,
                weight: 2,
                since: f.since,
                text: format!("{} {}", f.id, finding_word(f.finding)),
                role: Role::Critical,
            })
            .collect();
        let mut counts: HashMap<&str, usize> = HashMap::new();
        open.for_each(|f| *counts.entry(f.finding).or_default() += 1);
        let mut lines: Vec<String> =
            counts.iter().map(|(f, n)| format!("{} {n}", cell(&finding_word(f), 24))).collect();
        lines.sort();
        WallFacts { problems, next_breach: None, lines }
    }

    fn list(&mut self) -> Option<&mut dyn Listing> {
        Some(&mut self.place)
    }
    fn offers(&self) -> Offers {
        Offers {
            marks: true,
            faults: true,
            orders: &[say::order_worst, say::order_account, say::order_since],
            ..Offers::default()
        }
    }
    fn relist(&mut self, now: Millis) {
        self.arrange(now);
    }

    fn draw(&self, brush: &Brush<'_>, buf: &mut Buffer, area: Rect, now: Millis) {
        let rows = self.shown();
        let inside = brush.panel(buf, area, &say::title(rows.len()));
        if inside.height < 3 {
            return;
        }
        if rows.is_empty() {
            brush.text(
                buf,
                inside.x + 2,
                inside.y + 1,
                inside.width.saturating_sub(4),
                &say::empty_title(),
                Role::Text,
            );
            brush.text(buf, inside.x + 2, inside.y + 2, inside.width.saturating_sub(4), &say::empty_how(), Role::Dim);
            return;
        }
        let wide = inside.width >= 110;
        let rest = inside.width.saturating_sub(66);
        let head = format!(
            " {} {} {} {} {}",
            cell(&say::head_rule(), 5),
            cell(&say::head_account(), 24),
            cell(&say::head_finding(), 23),
            cell(&say::head_since(), 7),
            say::head_decision()
        );
        brush.text(buf, inside.x, inside.y, inside.width, &head, Role::Header);
        for (i, y) in self.place.window(rows.len(), usize::from(inside.height - 1)).zip(inside.y + 1..) {
            let f = rows[i];
            let role = if self.is_open(f) { role_of(f.severity) } else { Role::Dim };
            brush.text(buf, inside.x + 1, y, 5, f.rule, Role::Dim);
            brush.text(buf, inside.x + 7, y, 24, &format!("{} {}", f.account, f.name), Role::Text);
            brush.text(buf, inside.x + 32, y, 23, &finding_word(f.finding), role);
            let since = f.since.filter(|s| *s > 0).map(|s| countdown::age(now - s)).unwrap_or_default();
            brush.text(buf, inside.x + 56, y, 7, &since, Role::Dim);
            let decision = self.decisions.get(&f.id).map_or("—", |d| d.decision.as_str());
            brush.text(buf, inside.x + 64, y, 8, decision, Role::Info);
            if wide {
                brush.text(buf, inside.x + 73, y, rest.saturating_sub(8), &f.evidence, Role::Dim);
            }
            if self.place.is_marked(i) {
                brush.text(buf, inside.x, y, 1, if brush.ascii { "*" } else { "▌" }, Role::Mark);
            }
            if i == self.place.at {
                brush.select(buf, Rect::new(inside.x, y, inside.width, 1));
            }
        }
    }

    fn wake(&self, _now: Millis) -> Option<Millis> {
        None
    }
}
