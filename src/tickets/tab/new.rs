//! The form of a new ticket: what looks like it and is open stands below its title, and can be joined instead.

use std::sync::Arc;

use super::TicketsTab;
use super::forms::{choices, dues};
use crate::action::Door;
use crate::console::tab::{Effect, Field, Form, Found, Offer, Preview, Search};
use crate::locale::tickets as say;
use crate::text::clean;
use crate::tickets::actions::{Change, New, Report, What};
use crate::tickets::model::{SCOPES, SEVERITIES, level_of};
use crate::tickets::store::{self, Among, Similar};
use crate::tickets::words::{channel_word, level_word, scope_word};

/// So many open tickets that look alike are offered.
const OFFERED: u16 = 3;

const TITLE: usize = 0;
const FROM: usize = 1;
const CONTACT: usize = 2;
const CHANNEL: usize = 3;
const SCOPE: usize = 4;
const SEVERITY: usize = 5;
const REPORTED: usize = 6;
const BODY: usize = 7;
const REASON: usize = 8;

fn reason(values: &[String]) -> Option<String> {
    Some(values[REASON].clone()).filter(|r| !r.trim().is_empty())
}

/// What is typed, as a new ticket.
fn ticket(values: &[String]) -> New {
    New {
        title: values[TITLE].clone(),
        reporter: values[FROM].clone(),
        contact: values[CONTACT].clone(),
        channel: values[CHANNEL].clone(),
        scope: values[SCOPE].clone(),
        severity: values[SEVERITY].clone(),
        reported_at: values[REPORTED].parse().ok(),
        body: values[BODY].clone(),
        late_reason: reason(values),
        ..New::default()
    }
}

/// What is typed, as a further report of a ticket that is there. How the caller puts it is what they say of it, too.
fn report(values: &[String]) -> Report {
    let (title, body) = (values[TITLE].trim(), values[BODY].trim());
    Report {
        from: values[FROM].clone(),
        channel: values[CHANNEL].clone(),
        contact: values[CONTACT].clone(),
        text: if body.is_empty() { title.to_owned() } else { format!("{title}\n{body}") },
        reported_at: values[REPORTED].parse().ok(),
        late_reason: reason(values),
    }
}

fn offered(s: &Similar) -> (String, String) {
    let owner = s.owner.clone().unwrap_or_else(say::nobody);
    let mut shown = format!("#{} {} · {}", s.id, clean(&s.title), clean(&owner));
    if s.reports > 1 {
        shown = format!("{shown} · {}", say::reports(s.reports));
    }
    (s.id.to_string(), shown)
}

fn find(door: Door, title: String) -> Found {
    Box::pin(async move {
        let found = store::similar(door.store(), &title, Among::Open, None, OFFERED.into()).await;
        Ok(found.map_err(|e| e.to_string())?.iter().map(offered).collect())
    })
}

fn join(id: &str, values: &[String]) -> Vec<Effect> {
    let Ok(id) = id.parse() else { return vec![] };
    let change = Change::new(id, What::Report(report(values)));
    vec![Effect::Instead(vec![Effect::Act(vec![Arc::new(change)])])]
}

impl TicketsTab {
    pub(super) fn ask_new(&self) -> Vec<Effect> {
        let channels = ["phone", "mail", "wecom"];
        let fields = vec![
            Field::text(say::field_title(), ""),
            Field::text(say::field_from(), ""),
            Field::text(say::field_contact(), ""),
            Field::choice(say::field_channel(), "phone", choices(&channels, channel_word)),
            Field::choice(say::field_scope(), "individual", choices(&SCOPES, scope_word)),
            Field::choice(say::field_severity(), "general", choices(&SEVERITIES, level_word)),
            Field::time(say::field_reported(), "", false),
            Field::long(say::field_body(), ""),
            Field::text(say::field_late_reason(), ""),
        ];
        let (config, policy) = (self.config.clone(), self.policy.clone());
        let preview: Preview = Box::new(move |v, now| {
            let level = level_of(&config.tickets, &v[SCOPE], &v[SEVERITY]);
            dues(&config, &policy, &level, v[REPORTED].parse().unwrap_or(now), now)
        });
        let submit = Box::new(|v: &[String]| {
            if v[TITLE].trim().is_empty() {
                return Err(say::needs_title());
            }
            Ok(vec![Effect::Act(vec![Arc::new(ticket(v))])])
        });
        let offer = Offer {
            title: say::join_which(),
            hint: say::join_hint(),
            items: vec![],
            then: Arc::new(join),
            search: Some(Search { field: TITLE, lines: OFFERED, empty: say::join_empty(), find: Arc::new(find) }),
        };
        vec![Effect::Form(Form::new(say::key_new(), fields, submit).preview(Some(preview)).offer(Some(offer)))]
    }
}
