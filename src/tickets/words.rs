//! The words of the room, in the language of the reader, for the screen and the command line.

use chrono::TimeZone as _;
use serde_json::Value;

use super::model::Happening;
use crate::clock::{Millis, SECOND};
use crate::config::{Config, Dur};
use crate::locale::tickets as say;

pub(super) use say::level_name as level_word;

/// A scope.
pub(super) fn scope_word(scope: &str) -> String {
    match scope {
        "individual" => say::individual(),
        "department" => say::department(),
        "company" => say::company(),
        other => other.to_owned(),
    }
}

/// A state.
pub(super) fn state_word(state: &str) -> String {
    match state {
        "new" => say::state_new(),
        "open" => say::state_open(),
        "waiting" => say::waits(),
        "resolved" => say::was_resolved(),
        "merged" => say::label_merged(),
        other => other.to_owned(),
    }
}

/// What a pause waits for.
pub(super) fn reason_word(reason: &str) -> String {
    match reason {
        "waiting_user" => say::waiting_user(),
        "waiting_vendor" => say::waiting_vendor(),
        "approved_window" => say::approved_window(),
        other => other.to_owned(),
    }
}

/// How it came in.
pub(super) fn channel_word(channel: &str) -> String {
    match channel {
        "phone" => say::channel_phone(),
        "mail" => say::channel_mail(),
        "wecom" => say::channel_wecom(),
        "monitor" | "alert" | "alertmanager" => say::channel_monitor(),
        "walk_in" => say::channel_walk_in(),
        "api" => say::channel_api(),
        "webhook" => say::channel_webhook(),
        "dingtalk" => say::channel_dingtalk(),
        "review" => say::channel_review(),
        "web" => say::channel_web(),
        "workflow" => say::link_workflow(),
        "cli" => say::channel_cli(),
        other => other.to_owned(),
    }
}

/// What a ticket is about: a part of the OA, or the way it came.
pub(super) fn category_word(category: &str) -> String {
    crate::text::clean(&channel_word(category)).into_owned()
}

/// A clock.
pub(super) fn clock_word(clock: &str) -> String {
    match clock {
        "response" => say::response(),
        "next_response" => say::next_response(),
        "resolution" => say::resolution(),
        other => other.to_owned(),
    }
}

/// What kind of thing is linked.
pub(super) fn link_word(kind: &str) -> String {
    match kind {
        "host" => say::link_host(),
        "workflow" => say::link_workflow(),
        "backup" => say::link_backup(),
        "account" => say::link_account(),
        "change" => say::link_change(),
        "ticket" => say::link_ticket(),
        other => other.to_owned(),
    }
}

/// What a flag wants of the owner.
pub(super) fn flag_word(flag: &str) -> String {
    match flag {
        "follow_up" => say::follow_up(),
        "user_replied" => say::user_replied(),
        "reported" => say::flag_reported(),
        "recovered" => say::flag_recovered(),
        "flapping" => say::flag_flapping(),
        other => other.to_owned(),
    }
}

/// A kind of happening.
pub(super) fn kind_word(kind: &str) -> String {
    match kind {
        "created" => say::kind_created(),
        "claimed" => say::kind_claimed(),
        "assigned" => say::kind_assigned(),
        "reply" => say::kind_reply(),
        "note" => say::kind_note(),
        "call" => say::kind_call(),
        "paused" => say::kind_paused(),
        "resumed" => say::kind_resumed(),
        "resolved" => say::kind_resolved(),
        "reopened" => say::kind_reopened(),
        "level" => say::kind_level(),
        "merged" => say::kind_merged(),
        "joined" => say::kind_joined(),
        "user_message" => say::kind_user_message(),
        "reported" => say::kind_reported(),
        "linked" => say::kind_linked(),
        "threshold_fired" => say::kind_threshold(),
        "sla_breached" => say::kind_breached(),
        "breach_excused" => say::kind_excused(),
        "calendar_changed" => say::kind_calendar(),
        "undone" => say::kind_undone(),
        "alert" => say::kind_alert(),
        other => other.to_owned(),
    }
}

/// Who did it.
pub(super) fn actor_word(actor: &str) -> String {
    if actor == "system" { say::actor_system() } else { actor.to_owned() }
}

/// An instant in the office's zone.
pub(super) fn local(config: &Config, at: Millis) -> String {
    format(config, at, "%m-%d %H:%M:%S")
}

/// The same, as `format` wants it.
pub(super) fn format(config: &Config, at: Millis, format: &str) -> String {
    let zone: chrono_tz::Tz = config.tickets.office.zone.parse().unwrap_or(chrono_tz::Asia::Shanghai);
    zone.timestamp_millis_opt(at).single().map_or_else(String::new, |t| t.format(format).to_string())
}

/// A span in whole seconds, all of its units: `1h52m03s`.
pub(super) fn span(ms: Millis) -> String {
    Dur(ms / SECOND * SECOND).to_string()
}

/// What was written or set, without who and what kind.
pub(super) fn particulars(config: &Config, h: &Happening) -> String {
    let text = |key: &str| h.data[key].as_str().unwrap_or_default().to_owned();
    let joined =
        |parts: [String; 2], by: &str| parts.into_iter().filter(|p| !p.is_empty()).collect::<Vec<_>>().join(by);
    let instant = |value: &Value| value.as_str().and_then(|t| crate::clock::parse_rfc3339(t).ok());
    match h.kind.as_str() {
        "created" => {
            let at = h.data["reported_at"].as_i64().filter(|at| *at < h.at);
            let reported = at.map(|at| say::reported_at(&local(config, at))).unwrap_or_default();
            joined([reported, text("late_reason")], " · ")
        }
        "reply" | "note" | "alert" => text("text"),
        "user_message" => joined([text("from"), text("text")], ": "),
        "reported" => {
            let at = h.data["reported_at"].as_i64().filter(|at| *at < h.at);
            let at = at.map(|at| say::reported_at(&local(config, at))).unwrap_or_default();
            let who = joined([text("from"), channel_word(&text("channel"))], " · ");
            joined([joined([joined([who, text("contact")], " "), at], " · "), text("text")], ": ")
        }
        "linked" => joined([link_word(&text("kind")), evidence(&h.data)], " "),
        "breach_excused" => joined([clock_word(&text("clock")), text("reason")], ": "),
        "joined" => format!("#{}", h.data["child"]),
        "merged" if h.data["void"] == true => say::split_void(&h.data["into"].to_string()),
        "merged" => format!("#{}", h.data["into"]),
        "call" => text("with"),
        "level" => joined([level_word(&text("level")), text("reason")], ": "),
        "resolved" => joined([text("cause"), text("solution")], " → "),
        "paused" => {
            let until = instant(&h.data["until"]).map(|at| say::until(&local(config, at))).unwrap_or_default();
            joined([joined([reason_word(&text("reason")), until], " · "), text("note")], " · ")
        }
        "resumed" if text("by") == "follow_up" => say::by_follow_up(),
        "assigned" => text("owner"),
        "threshold_fired" => match h.data["percent"].as_i64() {
            Some(percent) => say::used_percent(&clock_word(&text("clock")), percent),
            None => {
                let left = h.data["before_due_s"].as_f64().unwrap_or(0.0) * SECOND as f64;
                say::left_before(&clock_word(&text("clock")), &span(left as Millis))
            }
        },
        "sla_breached" => {
            let raised = if h.data["on_raise"] == true { say::on_raise() } else { String::new() };
            joined([clock_word(&text("clock")), raised], " · ")
        }
        "calendar_changed" => {
            let due = |key: &str| instant(&h.data[key][2]).map(|at| local(config, at)).unwrap_or_default();
            say::calendar_moved(h.data["version"].as_i64().unwrap_or(0), &due("from"), &due("to"))
        }
        "undone" => kind_word(&text("kind")),
        _ => String::new(),
    }
}

/// What one ticket is to another.
fn relation_word(relation: &str) -> String {
    match relation {
        "split_from" => say::relation_split_from(),
        "split_into" => say::relation_split_into(),
        "continued_by" => say::relation_continued_by(),
        other => other.to_owned(),
    }
}

/// A linked thing with the figures of its snapshot.
fn evidence(data: &Value) -> String {
    let mut out = data["subject"].as_str().unwrap_or_default().to_owned();
    let relation = data["snapshot"]["relation"].as_str().or(data["relation"].as_str());
    if let Some(relation) = relation.filter(|_| data["kind"] == "ticket") {
        return format!("{out} · {}", relation_word(relation));
    }
    if let Some(said) = data["snapshot"]["said"].as_str() {
        out = format!("{out} · {said}");
    } else if let Some(fields) = data["snapshot"].as_object() {
        for (key, value) in fields.iter().take(6) {
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            out = format!("{out} · {key} {value}");
        }
    }
    out
}

/// One line of a timeline, without its time.
pub(super) fn happening_line(config: &Config, h: &Happening, void: bool) -> String {
    let what = particulars(config, h);
    let mut out = format!("{} {}", actor_word(&h.actor), kind_word(&h.kind));
    if !what.is_empty() {
        out = format!("{out}: {what}");
    }
    if void { format!("{out} ({})", say::taken_back()) } else { out }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_its_word_in_both_languages() {
        const KINDS: [&str; 22] = [
            "created",
            "claimed",
            "assigned",
            "reply",
            "note",
            "call",
            "paused",
            "resumed",
            "resolved",
            "reopened",
            "level",
            "merged",
            "joined",
            "user_message",
            "reported",
            "linked",
            "threshold_fired",
            "sla_breached",
            "breach_excused",
            "calendar_changed",
            "undone",
            "alert",
        ];
        for kind in KINDS {
            let word = crate::locale::with(crate::locale::Lang::Zh, || kind_word(kind));
            assert!(!word.is_ascii(), "{kind}: {word}");
        }
    }
}
