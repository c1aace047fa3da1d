//! The messages of monitoring systems: Alertmanager's webhook (version 4), and any JSON by a mapping.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::clock::{Millis, parse_rfc3339};
use crate::config::{self, Serve};
use crate::intake::alerts::actions::Heard;
use crate::intake::alerts::model::{Alert, Group, rank};
use crate::intake::model::{Fault, NAME_MAX, TEXT_MAX, TITLE_MAX, digest, whole};
use crate::locale::intake as say;

/// The alert whose arrival says only that the sender is alive.
const WATCHDOG: &str = "Watchdog";
/// Labels that say where something is, the first that is there.
const PLACES: [&str; 4] = ["instance", "host", "node", "cluster"];

/// Alertmanager's message.
#[derive(Debug, Clone, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Alertmanager {
    /// Always `4`.
    #[schema(pattern = "^4$")]
    pub version: String,
    /// Names the group.
    #[schema(min_length = 1, pattern = r"\S")]
    pub group_key: String,
    /// Alerts that did not fit.
    #[serde(default, deserialize_with = "whole")]
    #[schema(minimum = 0)]
    pub truncated_alerts: i64,
    /// `firing` or `resolved`.
    pub status: String,
    /// Labels by which the group was made.
    #[serde(default)]
    pub group_labels: BTreeMap<String, String>,
    /// Labels of every alert of it.
    #[serde(default)]
    pub common_labels: BTreeMap<String, String>,
    /// Annotations of every alert of it.
    #[serde(default)]
    pub common_annotations: BTreeMap<String, String>,
    /// Where the sender shows it.
    #[serde(default, rename = "externalURL")]
    pub external_url: String,
    /// The alerts.
    pub alerts: Vec<AlertmanagerAlert>,
}

/// One alert of Alertmanager's.
#[derive(Debug, Clone, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AlertmanagerAlert {
    /// `firing` or `resolved`.
    pub status: String,
    /// What it is about.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// In words.
    #[serde(default)]
    pub annotations: BTreeMap<String, String>,
    /// When it began.
    #[schema(format = DateTime)]
    pub starts_at: String,
    /// When it ended; year 1 while it fires.
    #[serde(default)]
    pub ends_at: String,
    /// Names what is watched; made of the labels where it is missing.
    #[serde(default)]
    pub fingerprint: String,
}

/// Most alerts of one message: they are written in one transaction, for which every other writer waits.
const ITEMS_MAX: usize = 5_000;

fn cut(text: &str, most: usize) -> String {
    text.chars().take(most).collect()
}

/// The severity of a word of the sender's.
fn severity_of(serve: &Serve, word: &str) -> String {
    let word = word.to_ascii_lowercase();
    serve.alert_severities.get(&word).cloned().unwrap_or_else(|| "general".into())
}

impl Alertmanager {
    /// What `source` says by sending this.
    ///
    /// # Errors
    /// Every field that makes no sense.
    pub fn heard(&self, source: &str, serve: &Serve) -> Result<Heard, Vec<Fault>> {
        let mut faults = Vec::new();
        if self.version != "4" {
            faults.push(Fault::new("/version", say::only_version("4")));
        }
        if self.group_key.trim().is_empty() {
            faults.push(Fault::new("/groupKey", say::is_empty()));
        }
        if self.truncated_alerts < 0 {
            faults.push(Fault::new("/truncatedAlerts", say::is_negative()));
        }
        if self.alerts.len() > ITEMS_MAX {
            return Err(vec![Fault::new("/alerts", say::too_many(ITEMS_MAX))]);
        }
        let mut alerts = Vec::with_capacity(self.alerts.len());
        let mut worst = "general".to_owned();
        for (i, a) in self.alerts.iter().enumerate() {
            let Ok(starts_at) = parse_rfc3339(&a.starts_at) else {
                faults.push(Fault::new(&format!("/alerts/{i}/startsAt"), say::not_rfc3339()));
                continue;
            };
            let severity = severity_of(serve, a.labels.get("severity").map_or("", String::as_str));
            if rank(&severity) > rank(&worst) {
                worst = severity;
            }
            let ends_at = (a.status == "resolved").then(|| parse_rfc3339(&a.ends_at).unwrap_or(starts_at));
            let words = ["summary", "description", "message"].iter().find_map(|k| a.annotations.get(*k));
            let name = a.labels.get("alertname").cloned().unwrap_or_default();
            let fingerprint = if a.fingerprint.is_empty() {
                digest(serde_json::to_string(&a.labels).unwrap_or_default().as_bytes())
            } else {
                cut(&a.fingerprint, NAME_MAX)
            };
            let summary = cut(words.unwrap_or(&name), TITLE_MAX);
            alerts.push(Alert { fingerprint, starts_at, ends_at, summary, labels: a.labels.clone() });
        }
        if !faults.is_empty() {
            return Err(faults);
        }
        let heartbeat = self.common_labels.get("alertname").is_some_and(|n| n == WATCHDOG)
            || (!self.alerts.is_empty()
                && self.alerts.iter().all(|a| a.labels.get("alertname").is_some_and(|n| n == WATCHDOG)));
        if heartbeat {
            return Ok(Heard { source: source.into(), groups: vec![], heartbeat });
        }
        let name = self.common_labels.get("alertname").or_else(|| self.group_labels.get("alertname"));
        let words = self.common_annotations.get("summary").or_else(|| self.common_annotations.get("description"));
        let first = alerts.first().map(|a| a.summary.clone()).unwrap_or_default();
        let title = match (name, words) {
            (Some(name), Some(words)) => format!("{name}: {words}"),
            (Some(name), None) if first == *name || first.is_empty() => name.clone(),
            (Some(name), None) => format!("{name}: {first}"),
            (None, Some(words)) => words.clone(),
            (None, None) if first.is_empty() => cut(&self.group_key, TITLE_MAX),
            (None, None) => first,
        };
        let mut body: Vec<String> = alerts.iter().take(50).map(|a| format!("· {}", a.summary)).collect();
        if !self.external_url.is_empty() {
            body.push(self.external_url.clone());
        }
        if self.truncated_alerts > 0 {
            body.push(say::truncated(self.truncated_alerts));
        }
        let place = PLACES.iter().find_map(|k| self.common_labels.get(*k).or_else(|| self.group_labels.get(*k)));
        let group = Group {
            key: cut(&self.group_key, 4 * NAME_MAX),
            title: cut(&title, TITLE_MAX),
            body: cut(&body.join("\n"), TEXT_MAX),
            severity: worst,
            scope: "department".into(),
            place: cut(place.map_or("", String::as_str), NAME_MAX),
            truncated: self.truncated_alerts,
            alerts,
        };
        Ok(Heard { source: source.into(), groups: vec![group], heartbeat: false })
    }
}

/// The text at a JSON pointer; numbers and booleans as they are written.
fn text_at(value: &Value, pointer: &str) -> Option<String> {
    if pointer.is_empty() {
        return None;
    }
    match value.pointer(pointer)? {
        Value::String(s) => Some(s.clone()),
        Value::Number(n) => Some(n.to_string()),
        Value::Bool(b) => Some(b.to_string()),
        _ => None,
    }
}

/// An instant as monitoring systems write it: RFC 3339, or seconds or milliseconds since 1970.
fn instant_of(text: &str) -> Option<Millis> {
    if let Ok(at) = parse_rfc3339(text) {
        return Some(at);
    }
    let number: f64 = text.trim().parse().ok()?;
    // seconds pass this line in the year 5138, milliseconds passed it in 1973
    let at = if number.abs() < 1e11 { number * 1_000.0 } else { number };
    (0.0..1e14).contains(&at).then_some(at as Millis)
}

/// What `source` says by sending `sent`, read by the mapping `by`.
///
/// # Errors
/// Every field that makes no sense.
pub fn mapped(
    sent: &Value,
    source: &str,
    by: &config::Webhook,
    serve: &Serve,
    now: Millis,
) -> Result<Heard, Vec<Fault>> {
    let one = [sent.clone()];
    let items: &[Value] = if by.items.is_empty() {
        &one
    } else {
        let missing = || vec![Fault::new(&by.items, say::no_array())];
        sent.pointer(&by.items).and_then(Value::as_array).ok_or_else(missing)?
    };
    if items.len() > ITEMS_MAX {
        return Err(vec![Fault::new(&by.items, say::too_many(ITEMS_MAX))]);
    }
    let (mut groups, mut faults): (Vec<Group>, _) = (Vec::new(), Vec::new());
    let mut places: HashMap<String, usize> = HashMap::new();
    for item in items {
        let (Some(key), Some(title)) = (text_at(item, &by.key), text_at(item, &by.title)) else {
            for (pointer, found) in [(&by.key, text_at(item, &by.key)), (&by.title, text_at(item, &by.title))] {
                if found.is_none() {
                    faults.push(Fault::new(pointer, say::nothing_there()));
                }
            }
            continue;
        };
        let status = text_at(item, &by.status).unwrap_or_default();
        let starts_at = text_at(item, &by.starts_at).as_deref().and_then(instant_of);
        let ended = by.resolved.iter().any(|word| word.eq_ignore_ascii_case(&status));
        let group = cut(&text_at(item, &by.group).unwrap_or_else(|| key.clone()), 4 * NAME_MAX);
        let alert = Alert {
            fingerprint: cut(&key, NAME_MAX),
            // without an instant of its own an occurrence lasts until its end is told
            starts_at: starts_at.unwrap_or(0),
            ends_at: ended.then_some(now),
            summary: cut(&title, TITLE_MAX),
            labels: BTreeMap::new(),
        };
        let severity = severity_of(serve, &text_at(item, &by.severity).unwrap_or_default());
        match places.get(&group).and_then(|i| groups.get_mut(*i)) {
            Some(known) => {
                if rank(&severity) > rank(&known.severity) {
                    known.severity = severity;
                }
                known.alerts.push(alert);
            }
            None => {
                places.insert(group.clone(), groups.len());
                groups.push(Group {
                    key: group,
                    title: cut(&title, TITLE_MAX),
                    body: cut(&text_at(item, &by.body).unwrap_or_default(), TEXT_MAX),
                    severity,
                    scope: by.scope.clone(),
                    place: cut(&text_at(item, &by.place).unwrap_or_default(), NAME_MAX),
                    truncated: 0,
                    alerts: vec![alert],
                });
            }
        }
    }
    if faults.is_empty() { Ok(Heard { source: source.into(), groups, heartbeat: false }) } else { Err(faults) }
}
