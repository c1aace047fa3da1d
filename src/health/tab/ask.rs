//! What the tab asks before it acts: forms, choices, what is copied.

use std::sync::Arc;

use super::{Compare, HealthTab, HostRow};
use crate::action::Action;
use crate::clock::{HOUR, Millis, rfc3339};
use crate::console::tab::{Effect, Field, Form, Pick};
use crate::health::actions::{Silence, Ticket};
use crate::health::alert::Problem;
use crate::health::model::Severity;
use crate::health::words;
use crate::locale::health as say;
use crate::locale::tickets as desk;
use crate::text::clean;
use crate::tickets::actions::New;
use crate::tickets::model::SEVERITIES;
use crate::tui::countdown;
use crate::tui::paint::bytes;

fn act<A: Action + 'static>(actions: impl IntoIterator<Item = A>) -> Vec<Effect> {
    vec![Effect::Act(actions.into_iter().map(|a| Arc::new(a) as Arc<dyn Action>).collect())]
}

impl HealthTab {
    pub(super) fn ask(&mut self, command: &str, now: Millis) -> Vec<Effect> {
        if let Some(chosen) = command.strip_prefix("compare:") {
            self.compare = match chosen {
                "" => None,
                "\u{1}week" => Some(Compare::Week),
                host => Some(Compare::Host(host.to_owned())),
            };
            return vec![Effect::Reload];
        }
        let Some(row) = self.current() else { return vec![] };
        match command {
            "silence" => vec![Effect::Form(silence_form(&self.chosen()))],
            "unsilence" => {
                let silenced = self.chosen().into_iter().filter(|r| r.known.silence.is_some());
                act(silenced.map(|r| Silence { host: r.name().to_owned(), until: None }))
            }
            "ticket" => vec![Effect::Form(ticket_form(&self.chosen(), now))],
            "compare" => {
                let mut items =
                    vec![(String::new(), say::compare_none()), ("\u{1}week".to_owned(), say::compare_week())];
                let mut others: Vec<&HostRow> = self.rows.iter().filter(|r| r.name() != row.name()).collect();
                // those of its kind first
                others.sort_by_key(|r| (r.sample().role != row.sample().role, r.name()));
                items.extend(others.iter().map(|r| {
                    let s = r.sample();
                    let label = format!("{}  {} {}", clean(&s.host), clean(&s.role), clean(&s.site));
                    (r.name().to_owned(), label.trim_end().to_owned())
                }));
                let then = Box::new(|host: &str| vec![Effect::Run(format!("compare:{host}"))]);
                vec![Effect::Pick(Pick { title: say::compare_with(&clean(row.name())), items, then })]
            }
            "copy" => vec![Effect::Copy(clean(row.name()).into_owned())],
            "copy_line" => vec![Effect::Copy(summary(row, now))],
            _ => vec![],
        }
    }
}

/// The one host by its name, or how many they are.
fn title(hosts: &[&HostRow], one: fn(&str) -> String, many: fn(usize) -> String) -> String {
    match hosts {
        [row] => one(&clean(row.name())),
        rows => many(rows.len()),
    }
}

fn silence_form(rows: &[&HostRow]) -> Form {
    let hosts: Vec<String> = rows.iter().map(|r| r.name().to_owned()).collect();
    let fields = vec![Field::time(say::field_until(), "+2h", true), Field::text(say::field_reason(), "")];
    let title = title(rows, say::silence_form, say::silence_form_all);
    let submit = Box::new(move |v: &[String]| {
        let until = v[0].parse::<Millis>().map_err(|_| say::silence_past())?;
        if v[1].trim().is_empty() {
            return Err(say::needs_reason());
        }
        Ok(act(hosts.iter().map(|host| Silence { host: host.clone(), until: Some((until, v[1].clone())) })))
    });
    Form::new(title, fields, submit)
}

/// One ticket for all of `rows`, with what is known of each.
fn ticket_form(rows: &[&HostRow], now: Millis) -> Form {
    let hosts: Vec<String> = rows.iter().map(|r| r.name().to_owned()).collect();
    let worst = rows.iter().max_by_key(|r| r.severity());
    let problem: Option<&Problem> = worst.and_then(|r| r.problems.iter().find(|p| p.is_open()));
    let what = problem.map_or_else(say::ticket_fine, |p| words::short(p, now));
    let is_critical = worst.is_some_and(|r| r.severity() == Severity::Critical);
    let severity = if is_critical { "important" } else { "general" };
    let first = worst.map(|r| clean(r.name()).into_owned()).unwrap_or_default();
    let named = if rows.len() > 1 { say::hosts_named(&first, rows.len() - 1) } else { first };
    let severities = SEVERITIES
        .iter()
        .map(|s| {
            let word = match *s {
                "urgent" => desk::urgent(),
                "important" => desk::important(),
                _ => desk::general(),
            };
            ((*s).to_owned(), word)
        })
        .collect();
    let fields = vec![
        Field::text(desk::field_title(), say::ticket_title(&named, &what)),
        Field::choice(desk::field_severity(), severity, severities),
    ];
    let body = rows.iter().map(|r| evidence(r, now)).collect::<Vec<_>>().join("\n\n");
    // one trouble, one ticket: asked for again while it lasts it is the same
    let intake_key = match (problem, hosts.as_slice()) {
        (Some(p), [host]) => Some(format!("host:{host}:{}:{}:{}", p.metric.word(), p.part, p.since)),
        _ => None,
    };
    let title = title(rows, say::ticket_form, say::ticket_form_all);
    let preview = body.clone();
    let submit = Box::new(move |v: &[String]| {
        let new = New {
            title: v[0].clone(),
            body: body.clone(),
            scope: "department".into(),
            severity: v[1].clone(),
            channel: "alert".into(),
            reporter: hosts.first().cloned().unwrap_or_default(),
            intake_key: intake_key.clone(),
            ..Default::default()
        };
        Ok(act([Ticket { hosts: hosts.clone(), new }]))
    });
    let preview = Box::new(move |_: &[String], _: Millis| preview.lines().map(str::to_owned).collect());
    Form::new(title, fields, submit).preview(Some(preview))
}

/// A host in one line.
fn summary(row: &HostRow, now: Millis) -> String {
    let s = row.sample();
    let mut line = format!(
        "{} [{}] CPU {:.0}% · {} {:.0}% · {} {:.2} {:.2} {:.2}",
        clean(row.name()),
        words::severity(row.severity()),
        s.cpu,
        say::memory(),
        s.mem(),
        say::load(),
        s.load[0],
        s.load[1],
        s.load[2]
    );
    for p in row.problems.iter().filter(|p| p.is_open()) {
        line = format!("{line} · {}", words::line(p, now));
    }
    clean(&line).into_owned()
}

/// What is known of a host, as it is now: the body of a ticket.
fn evidence(row: &HostRow, now: Millis) -> String {
    let s = row.sample();
    let mut lines = vec![format!("{}  ({})", summary(row, now), rfc3339(s.at))];
    for d in &s.disks {
        let mut line = format!("{}: {} / {}", d.mount, bytes(d.used), bytes(d.total));
        if let Some((_, f)) = row.known.forecasts.iter().find(|(m, _)| *m == d.mount) {
            line = format!("{line} · {}", words::forecast(f, now));
        }
        if d.stuck {
            line = format!("{line} · {}", say::stuck());
        }
        lines.push(line);
    }
    for p in s.processes.iter().take(3) {
        lines.push(format!("{} {}: CPU {:.0}% · {}", p.pid, p.name, p.cpu, bytes(p.memory)));
    }
    if let Some(q) = row.known.silence.as_ref().filter(|q| q.until > now) {
        lines.push(say::is_silenced(&countdown::remaining(q.until - now)));
    }
    let age = now - s.at;
    if age > HOUR / 60 {
        lines.push(say::sampled(&words::about(age)));
    }
    lines.iter().map(|l| clean(l).into_owned()).collect::<Vec<_>>().join("\n")
}
