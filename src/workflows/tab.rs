//! The Workflows tab: which node holds everybody up.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::model::{Stats, analyse};
use super::store;
use crate::clock::Millis;
use crate::console::tab::{Attention, Effect, Load, Place, Snapshot, Tab, WallFacts};
use crate::locale::workflows as say;
use crate::text::cell_right;
use crate::tui::command::Command;
use crate::tui::countdown;
use crate::tui::paint::Brush;
use crate::tui::theme::Role;

/// The tab.
#[derive(Default)]
pub struct WorkflowsTab {
    all: Vec<(String, Stats)>,
    place: Place,
    loaded: bool,
}

fn span(seconds: f64) -> String {
    countdown::age((seconds * 1000.0) as Millis)
}

impl Tab for WorkflowsTab {
    fn name(&self) -> String {
        say::name()
    }
    fn key(&self) -> &'static str {
        "workflows"
    }
    fn commands(&self) -> &'static [Command] {
        &[]
    }
    fn topics(&self) -> &'static [&'static str] {
        &["workflow"]
    }

    fn load(&mut self, _now: Millis) -> Load {
        Box::new(|door| {
            Box::pin(async move {
                let text = |e: crate::store::StoreError| e.to_string();
                let mut all = Vec::new();
                for name in store::names(door.store()).await.map_err(text)? {
                    if let Some(log) = store::log(door.store(), &name).await.map_err(text)? {
                        let stats =
                            tokio::task::spawn_blocking(move || analyse(&log)).await.map_err(|e| e.to_string())?;
                        all.push((name, stats));
                    }
                }
                // most time lost first
                all.sort_by(|a: &(String, Stats), b| {
                    let lost = |s: &Stats| s.activities.iter().map(|a| a.total).sum::<f64>();
                    lost(&b.1).total_cmp(&lost(&a.1))
                });
                Ok(Box::new(all) as Snapshot)
            })
        })
    }

    fn arrived(&mut self, snapshot: Snapshot, _now: Millis) {
        if let Ok(all) = snapshot.downcast::<Vec<(String, Stats)>>() {
            let held = self.all.get(self.place.at).map(|w| w.0.clone());
            self.all = *all;
            self.loaded = true;
            if let Some(name) = held {
                self.place.follow(&self.all, |w| w.0 == name);
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
        self.place.follow(&self.all, |w| w.0.to_lowercase().contains(&text));
        vec![]
    }

    fn explain(&self, _now: Millis) -> Option<(String, Vec<String>)> {
        let (name, stats) = self.all.get(self.place.at)?;
        let lines = stats.bottlenecks().into_iter().take(3).map(|(a, share)| {
            let s = a.sojourn.unwrap_or_default();
            say::why(&a.name, &format!("{:.0}%", share * 100.0), &span(s.median), &span(s.p95), a.count)
        });
        Some((say::explain_title(name), std::iter::once(say::definition()).chain(lines).collect()))
    }

    fn attention(&self, _now: Millis) -> Option<Attention> {
        None
    }

    fn wall(&self, _now: Millis) -> WallFacts {
        let line = |(name, s): &(String, Stats)| {
            let worst = s.bottlenecks();
            let worst = worst.first().map(|(a, share)| format!("{} {:.0}%", a.name, share * 100.0)).unwrap_or_default();
            format!("{}  {} {}  {worst}", crate::text::cell(name, 20), say::cases(), s.cases)
        };
        WallFacts { lines: self.all.iter().take(6).map(line).collect(), ..WallFacts::default() }
    }

    fn draw(&self, brush: &Brush<'_>, buf: &mut Buffer, area: Rect, _now: Millis) {
        if self.all.is_empty() {
            for (i, line) in [say::empty_title(), say::empty_how()].iter().enumerate() {
                brush.text(
                    buf,
                    area.x + 2,
                    area.y + 1 + i as u16,
                    area.width.saturating_sub(4),
                    line,
                    if i == 0 { Role::Text } else { Role::Dim },
                );
            }
            return;
        }
        let w = (area.width / 3).max(30).min(area.width);
        let list = brush.panel(buf, Rect::new(area.x, area.y, w, area.height), &say::name());
        for (i, y) in self.place.window(self.all.len(), list.height.into()).zip(list.top()..) {
            let (name, s) = &self.all[i];
            brush.text(buf, list.x + 1, y, list.width.saturating_sub(18), name, Role::Text);
            let median = s.duration.map(|d| span(d.median)).unwrap_or_default();
            brush.text_right(
                buf,
                list.right().saturating_sub(1),
                y,
                &format!("{}  {}", s.cases, cell_right(&median, 5)),
                Role::Dim,
            );
            if i == self.place.at {
                brush.select(buf, Rect::new(list.x, y, list.width, 1));
            }
        }
        let right = Rect::new(area.x + w, area.y, area.width - w, area.height);
        let Some((name, s)) = self.all.get(self.place.at) else { return };
        let inside = brush.panel(buf, right, name);
        if inside.height < 4 || inside.width < 30 {
            return;
        }
        let d = s.duration.unwrap_or_default();
        let line = say::figures(s.cases, s.variants, &span(d.mean), &span(d.median), &span(d.p95));
        brush.text(buf, inside.x + 1, inside.y, inside.width.saturating_sub(2), &line, Role::Title);
        let label = (inside.width / 3).clamp(10, 34);
        let bar = inside.width.saturating_sub(label + 34).clamp(4, 40);
        brush.text(buf, inside.x + label + bar + 3, inside.y + 2, 32, &say::head(), Role::Header);
        let top = s.bottlenecks();
        let longest = top.first().map_or(1.0, |(_, share)| share.max(0.001));
        for ((i, (a, share)), y) in top.iter().enumerate().zip(inside.y + 3..inside.bottom()) {
            let role = if i == 0 { Role::Warn } else { Role::Text };
            brush.text(buf, inside.x + 1, y, label, &a.name, role);
            brush.gauge(
                buf,
                inside.x + label + 2,
                y,
                bar,
                share / longest,
                if i == 0 { Role::Warn } else { Role::ChartCpu },
            );
            let sojourn = a.sojourn.unwrap_or_default();
            let figures = format!(
                "{:>4.0}% {:>6} {:>6} {:>7} {:>5}",
                share * 100.0,
                span(sojourn.median),
                span(sojourn.p95),
                a.count,
                a.rework_cases
            );
            brush.text(buf, inside.x + label + bar + 3, y, 32, &figures, role);
        }
    }

    fn wake(&self, _now: Millis) -> Option<Millis> {
        None
    }
}
