//! What the Accounts tab asks before it decides.

use std::sync::Arc;

use crate::accounts::actions::{Decide, Verdict};
use crate::accounts::audit::Finding;
use crate::accounts::decisions::Decision;
use crate::accounts::model::day_of;
use crate::accounts::{model, words};
use crate::action::Action;
use crate::clock::Millis;
use crate::config::Accounts;
use crate::console::tab::{Effect, Field, Form};
use crate::locale::accounts as say;

/// Asks why, and until when, and decides on all of `chosen` in one go. `owner`: who would be asked.
/// So many findings of a bulk decision are named.
const LISTED: usize = 6;

pub(super) fn decide(
    word: &'static str,
    chosen: &[(Finding, Option<Decision>)],
    owner: Option<String>,
    rules: &Accounts,
) -> Vec<Effect> {
    let Some((first, _)) = chosen.first() else { return vec![] };
    if word == "freeze" && !chosen.iter().all(|(f, _)| f.is_account) {
        return vec![Effect::Say(say::nothing_to_freeze())];
    }
    let mut fields = vec![Field::text(say::field_reason(), "")];
    match word {
        "keep" => fields.push(Field::time(say::field_review(), "+90d", true)),
        "ask" => fields.push(Field::time(say::field_answer(), format!("+{}", rules.answer_within), true)),
        _ => {}
    }
    let what = words::decision_word(word);
    let title = match chosen.len() {
        1 => format!("{what} {} · {}", first.subject(), words::finding_word(first.rule.finding)),
        n => say::form_many(&what, n),
    };
    let mut notes = vec![];
    if chosen.len() > 1 {
        // a bulk decision says about whom, as far as there is room
        notes.extend(
            chosen
                .iter()
                .take(LISTED)
                .map(|(f, _)| format!("{} · {}", f.subject(), words::finding_word(f.rule.finding))),
        );
        notes.extend((chosen.len() > LISTED).then(|| crate::locale::console::more(chosen.len() - LISTED)));
    }
    match word {
        "freeze" => notes.push(say::form_freeze_note()),
        "ask" if chosen.len() == 1 => notes.push(owner.map_or_else(say::no_owner_known, |o| say::ask_who(&o))),
        _ => {}
    }
    let zone = model::zone(rules);
    let preview = Box::new(move |v: &[String], _: Millis| {
        let mut lines = notes.clone();
        if let Some(at) = v.get(1).and_then(|t| t.parse::<Millis>().ok()) {
            lines.push(say::preview_until(&words::day(day_of(at, zone))));
        }
        lines
    });
    let about: Vec<Decide> = chosen
        .iter()
        .map(|(f, d)| Decide {
            finding: f.id.clone(),
            system: if f.is_account { f.system.clone() } else { String::new() },
            account: f.account.clone(),
            verdict: None,
            seen: Some(d.as_ref().map(|d| d.at)),
        })
        .collect();
    let submit = Box::new(move |v: &[String]| {
        if v[0].trim().is_empty() {
            return Err(say::needs_reason());
        }
        let until = match v.get(1) {
            Some(text) => Some(text.parse::<Millis>().map_err(|_| say::not_a_time())?),
            None => None,
        };
        let verdict = Verdict { decision: word.to_owned(), reason: v[0].clone(), until };
        let actions =
            about.iter().map(|d| Arc::new(Decide { verdict: Some(verdict.clone()), ..d.clone() }) as Arc<dyn Action>);
        Ok(vec![Effect::Act(actions.collect())])
    });
    vec![Effect::Form(Form::new(title, fields, submit).preview(Some(preview)))]
}

/// A ticket from a finding: one finding, one ticket.
pub(super) fn ticket(f: &Finding, rules: &Accounts) -> Vec<Effect> {
    use crate::locale::tickets as t;
    let title = say::ticket_title(&crate::text::clean(&f.account), &words::finding_word(f.rule.finding));
    let body = [words::summary(f, rules), words::definition(f.rule, rules)].join("\n");
    let intake_key = format!("account:{}", f.id);
    let severity = if ["critical", "high"].contains(&f.severity) { "important" } else { "general" };
    let choices = [("general", t::general()), ("important", t::important()), ("urgent", t::urgent())]
        .map(|(v, w)| (v.to_owned(), w));
    let fields = vec![
        Field::text(t::field_title(), title.clone()),
        Field::choice(t::field_severity(), severity, choices.to_vec()),
    ];
    let submit = Box::new(move |v: &[String]| {
        let new = crate::tickets::actions::New {
            title: v[0].clone(),
            body: body.clone(),
            scope: "individual".into(),
            severity: v[1].clone(),
            channel: "alert".into(),
            reporter: "audit".into(),
            intake_key: Some(intake_key.clone()),
            ..Default::default()
        };
        Ok(vec![Effect::Act(vec![Arc::new(new) as Arc<dyn Action>])])
    });
    vec![Effect::Form(Form::new(title, fields, submit))]
}
