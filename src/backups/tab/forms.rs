//! What the tab asks: a verification, what came of a restore test, a ticket.

use std::sync::Arc;

use super::{BackupsTab, Line};
use crate::action::Action;
use crate::backups::actions::{Ask, RecordTest};
use crate::backups::model::level;
use crate::backups::verdict::Verdict;
use crate::backups::words;
use crate::console::tab::{Effect, Field, Form};
use crate::locale::backups as say;

/// A repository of a system that can be asked: its name, and whether it is the off-site copy.
type Reachable = (String, bool);

fn reachable(lines: &[&Line]) -> Vec<Reachable> {
    let of = |l: &&Line| {
        let repos = l.facts.repos.iter().filter(|r| !r.repository.is_empty());
        repos.map(|r| (l.status.system.clone(), r.offsite)).collect::<Vec<_>>()
    };
    lines.iter().flat_map(of).collect()
}

/// The name of the first and how many more there are.
fn title_of(lines: &[&Line]) -> String {
    let first = lines.first().map(|l| crate::text::clean(&l.status.system).into_owned()).unwrap_or_default();
    if lines.len() > 1 { crate::locale::console::and_more(&first, lines.len() - 1) } else { first }
}

fn copy_word(offsite: bool) -> (String, String) {
    if offsite { ("offsite".into(), say::offsite()) } else { ("local".into(), say::local()) }
}

fn act(ask: Ask) -> Arc<dyn Action> {
    Arc::new(ask)
}

impl BackupsTab {
    /// Asks how deep the systems are to be verified, and which of their copies.
    pub(super) fn verify_form(lines: &[&Line]) -> Vec<Effect> {
        let all = reachable(lines);
        let Some((system, offsite)) = all.first().cloned() else {
            return vec![Effect::Say(say::no_repository(&title_of(lines)))];
        };
        let mut copies = vec![copy_word(offsite)];
        if all.iter().any(|(_, far)| *far != offsite) {
            copies.push(copy_word(!offsite));
        }
        let depth = vec![("structure".into(), say::level_structure()), ("data".into(), say::level_data())];
        let first = copies[0].0.clone();
        let fields = vec![
            Field::choice(say::field_depth(), "structure", depth),
            Field::choice(say::field_copy(), &first, copies),
        ];
        let title = say::verify_title(&if lines.len() > 1 { title_of(lines) } else { system });
        let submit = Box::new(move |v: &[String]| {
            let kind = if v[0] == "data" { "data" } else { "structure" };
            let wanted = all.iter().filter(|(_, far)| *far == (v[1] == "offsite"));
            let asks = wanted.map(|(system, offsite)| act(Ask { system: system.clone(), offsite: *offsite, kind }));
            Ok(vec![Effect::Act(asks.collect())])
        });
        vec![Effect::Form(Form::new(title, fields, submit))]
    }

    /// Asks for a look at every repository of the systems.
    pub(super) fn scan(lines: &[&Line]) -> Vec<Effect> {
        let asks: Vec<_> =
            reachable(lines).into_iter().map(|(system, offsite)| act(Ask { system, offsite, kind: "scan" })).collect();
        vec![if asks.is_empty() { Effect::Say(say::no_repository(&title_of(lines))) } else { Effect::Act(asks) }]
    }

    /// Asks what came of a restore test of a system.
    pub(super) fn record_form(line: &Line) -> Vec<Effect> {
        let system = line.status.system.clone();
        let levels = vec![("4".into(), say::level_files()), ("5".into(), say::level_application())];
        let results = vec![("passed".into(), say::passed()), ("failed".into(), say::failed())];
        let copies: Vec<(String, String)> = line.facts.repos.iter().map(|r| copy_word(r.offsite)).collect();
        let first = copies.first().map_or("local", |c| c.0.as_str()).to_owned();
        let fields = vec![
            Field::choice(say::field_level(), "4", levels),
            Field::choice(say::field_result(), "passed", results),
            Field::choice(say::field_copy(), &first, copies),
            Field::text(say::field_minutes(), ""),
            Field::text(say::field_share(), "100"),
            Field::text(say::field_note(), ""),
        ];
        let title = say::record_title(&system);
        let submit = Box::new(move |v: &[String]| {
            let number = |text: &str, most: f64| -> Result<Option<f64>, String> {
                match text.trim() {
                    "" => Ok(None),
                    text => match text.parse::<f64>() {
                        Ok(n) if n > 0.0 && n <= most => Ok(Some(n)),
                        _ => Err(say::not_percent()),
                    },
                }
            };
            let test = RecordTest {
                system: system.clone(),
                offsite: v[2] == "offsite",
                level: if v[0] == "5" { level::APPLICATION } else { level::FILES },
                ok: v[1] == "passed",
                minutes: number(&v[3], 1e6)?,
                share: number(&v[4], 100.0)?.map(|p| p / 100.0),
                note: v[5].clone(),
                at: None,
            };
            Ok(vec![Effect::Act(vec![Arc::new(test) as Arc<dyn Action>])])
        });
        vec![Effect::Form(Form::new(title, fields, submit))]
    }

    /// Asks for a ticket from the day under the cursor of each system.
    pub(super) fn ticket_form(&self, lines: &[&Line]) -> Vec<Effect> {
        use crate::locale::tickets as words_of;
        let drafts: Vec<Draft> = lines.iter().filter_map(|l| self.draft(l)).collect();
        let Some(first) = drafts.first() else { return vec![] };
        let worst = drafts.iter().any(|d| d.is_unsafe);
        let severities = crate::tickets::model::SEVERITIES
            .iter()
            .map(|s| {
                let word = match *s {
                    "urgent" => words_of::urgent(),
                    "important" => words_of::important(),
                    _ => words_of::general(),
                };
                ((*s).to_owned(), word)
            })
            .collect();
        let severity = if worst { "important" } else { "general" };
        let mut fields = vec![Field::choice(words_of::field_severity(), severity, severities)];
        // several have a title each
        if drafts.len() == 1 {
            fields.insert(0, Field::text(words_of::field_title(), first.title.clone()));
        }
        let title = format!("{} · {}", say::ticket_form(), title_of(lines));
        let submit = Box::new(move |v: &[String]| {
            let new = |d: &Draft| {
                let (title, severity) = match v {
                    [title, severity] => (title, severity),
                    _ => (&d.title, &v[0]),
                };
                let new = crate::tickets::actions::New {
                    title: title.clone(),
                    body: d.body.clone(),
                    scope: "department".into(),
                    severity: severity.clone(),
                    channel: "alert".into(),
                    reporter: "backup".into(),
                    // one gap, one ticket: asked for again it is the same
                    intake_key: Some(d.key.clone()),
                    ..Default::default()
                };
                Arc::new(new) as Arc<dyn Action>
            };
            Ok(vec![Effect::Act(drafts.iter().map(new).collect())])
        });
        vec![Effect::Form(Form::new(title, fields, submit))]
    }

    fn draft(&self, line: &Line) -> Option<Draft> {
        let (status, plan) = (&line.status, &line.plan);
        let day = status.days.get(self.day_at(status))?;
        let mut body = vec![words::summary(status, plan)];
        body.push(format!("{}: {}", day.slot.date, words::slot_word(day.state, &day.slot)));
        body.extend(status.findings.iter().map(|f| format!("{} {}", f.id().0, words::finding(f, plan))));
        Some(Draft {
            title: say::ticket_title(&status.system, &day.slot.date.to_string()),
            body: body.join("\n"),
            key: format!("{}{}:{}", crate::backups::model::TICKET_KEY, status.system, day.slot.date),
            is_unsafe: status.verdict == Verdict::Unsafe,
        })
    }
}

/// A ticket that is to be made.
struct Draft {
    title: String,
    body: String,
    key: String,
    is_unsafe: bool,
}
