//! The Backups tab: is last night safe?

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::model::{Cell, Status, status};
use super::store;
use crate::clock::Millis;
use crate::console::tab::{Attention, Effect, Load, Place, Snapshot, Tab, WallFacts, WallProblem};
use crate::locale::backups as say;
use crate::tui::command::Command;
use crate::tui::countdown;
use crate::tui::paint::Brush;
use crate::tui::theme::Role;

/// The tab.
#[derive(Default)]
pub struct BackupsTab {
    all: Vec<Status>,
    place: Place,
    loaded: bool,
}

/// The words of a verdict.
pub fn verdict_word(verdict: &str) -> String {
    match verdict {
        "safe" => say::safe(),
        "never" => say::never(),
        "rpo_breach" => say::rpo_breach(),
        "full_overdue" => say::full_overdue(),
        "missed" => say::missed(),
        "failed" => say::failed(),
        "offsite_lag" => say::offsite_lag(),
        other => other.to_owned(),
    }
}

fn role_of(s: &Status) -> Role {
    match s.verdict {
        "safe" => Role::Ok,
        "full_overdue" | "offsite_lag" => Role::Warn,
        _ => Role::Critical,
    }
}

impl BackupsTab {
    fn answer(&self) -> (String, Role) {
        let bad = self.all.iter().filter(|s| s.verdict != "safe").count();
        if bad == 0 {
            (say::night_safe(self.all.len()), Role::Ok)
        } else {
            (say::night_unsafe(bad, self.all.len()), Role::Critical)
        }
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
        &[]
    }
    fn topics(&self) -> &'static [&'static str] {
        &["backup"]
    }
    fn refresh(&self) -> Option<Millis> {
        Some(300_000)
    }

    fn load(&mut self, now: Millis) -> Load {
        Box::new(move |door| {
            Box::pin(async move {
                let text = |e: crate::store::StoreError| e.to_string();
                let zone = door.config().accounts.zone.parse().unwrap_or(chrono_tz::Asia::Shanghai);
                let mut all = Vec::new();
                for s in store::systems(door.store()).await.map_err(text)? {
                    let backups = store::backups(door.store(), &s.name).await.map_err(text)?;
                    all.push(status(&s.name, s.offsite_repository.is_some(), &backups, now, zone));
                }
                all.sort_by(|a: &Status, b| {
                    (a.verdict == "safe").cmp(&(b.verdict == "safe")).then_with(|| a.system.cmp(&b.system))
                });
                Ok(Box::new(all) as Snapshot)
            })
        })
    }

    fn arrived(&mut self, snapshot: Snapshot, _now: Millis) {
        if let Ok(all) = snapshot.downcast::<Vec<Status>>() {
            let held = self.all.get(self.place.at).map(|s| s.system.clone());
            self.all = *all;
            self.loaded = true;
            if let Some(name) = held {
                self.place.follow(&self.all, |s| s.system == name);
            }
        }
    }

    fn is_loaded(&self) -> bool {
        self.loaded
    }

    fn run(&mut self, command: &str, _now: Millis) -> Vec<Effect> {
        self.place.go(command, self.all.len());
        vec![]
    }

    fn search(&mut self, text: &str) -> Vec<Effect> {
        let text = text.to_lowercase();
        self.place.follow(&self.all, |s| s.system.to_lowercase().contains(&text));
        vec![]
    }

    fn explain(&self, _now: Millis) -> Option<(String, Vec<String>)> {
        let s = self.all.get(self.place.at)?;
        let mut lines = vec![verdict_word(s.verdict)];
        lines.extend(s.rpo.map(|age| say::rpo(&countdown::age(age))));
        lines.extend(s.offsite_age.map(|age| say::offsite(&countdown::age(age))));
        if !s.missed.is_empty() {
            lines.push(say::missing_days(&s.missed.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")));
        }
        Some((s.system.clone(), lines))
    }

    fn attention(&self, _now: Millis) -> Option<Attention> {
        let bad: Vec<Role> = self.all.iter().filter(|s| s.verdict != "safe").map(role_of).collect();
        let role = if bad.contains(&Role::Critical) { Role::Critical } else { Role::Warn };
        (!bad.is_empty()).then_some(Attention { count: bad.len(), role })
    }

    fn wall(&self, _now: Millis) -> WallFacts {
        let bad = self.all.iter().filter(|s| s.verdict != "safe");
        let problem = |s: &Status| WallProblem {
            weight: 3,
            since: None,
            text: format!("{}  {}", s.system, verdict_word(s.verdict)),
            role: role_of(s),
        };
        let lines = if self.all.is_empty() { vec![] } else { vec![self.answer().0] };
        WallFacts { problems: bad.map(problem).collect(), next_breach: None, lines }
    }

    fn draw(&self, brush: &Brush<'_>, buf: &mut Buffer, area: Rect, _now: Millis) {
        if self.all.is_empty() {
            brush.text(buf, area.x + 2, area.y + 1, area.width.saturating_sub(4), &say::empty_title(), Role::Text);
            brush.text(buf, area.x + 2, area.y + 2, area.width.saturating_sub(4), &say::empty_how(), Role::Dim);
            return;
        }
        let (answer, role) = self.answer();
        brush.text(buf, area.x + 1, area.y, area.width.saturating_sub(2), &answer, role);
        let inside = brush.panel(buf, Rect::new(area.x, area.y + 1, area.width, area.height - 1), &say::name());
        for (i, y) in self.place.window(self.all.len(), inside.height.into()).zip(inside.top()..) {
            let s = &self.all[i];
            brush.text(buf, inside.x + 1, y, 18, &s.system, Role::Text);
            let skip = if inside.width >= 90 { 0 } else { 21 };
            let mut x = inside.x + 20;
            for cell in &s.cells[skip..] {
                let (uni, plain, role) = match cell {
                    Cell::Full => ("■", "#", Role::ChartMem),
                    Cell::Incremental => ("▪", "+", Role::ChartMem),
                    Cell::Missed => ("✗", "X", Role::Critical),
                    Cell::Blank => ("·", ".", Role::GaugeEmpty),
                };
                brush.text(buf, x, y, 1, if brush.ascii { plain } else { uni }, role);
                x += 1;
            }
            x = brush.text(buf, x + 2, y, 24, &verdict_word(s.verdict), role_of(s)) + 2;
            let mut facts: Vec<String> = s.rpo.map(|age| say::rpo(&countdown::age(age))).into_iter().collect();
            facts.extend(s.offsite_age.map(|age| say::offsite(&countdown::age(age))));
            brush.text(buf, x, y, inside.right().saturating_sub(x), &facts.join("  "), Role::Dim);
            if i == self.place.at {
                brush.select(buf, Rect::new(inside.x, y, inside.width, 1));
            }
        }
    }

    fn wake(&self, _now: Millis) -> Option<Millis> {
        None
    }
}
