//! Worked SLA cases: reads them, computes, compares.

use std::collections::BTreeMap;

use chrono::{NaiveDate, TimeZone as _};
use chrono_tz::Tz;
use serde_json::{Map, Value, json};

use super::model::seconds;
use super::sla::{Event, Policy, State, Step, Target, evaluate};
use crate::calendar::{Calendar, Hours, Rules, hours};
use crate::clock::{Millis, SECOND, parse_rfc3339, rfc3339};

/// Result of one case.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// The case's id.
    pub id: String,
    /// What came out, in the shape of the case's `expect`.
    pub got: Value,
    /// Whether it equals what was expected.
    pub ok: bool,
    /// Why nothing came out: what is wrong with the case.
    pub error: Option<String>,
}

/// The calendars of a file; one that cannot be read is told by the cases that name it.
type Calendars = BTreeMap<String, Result<Calendar, String>>;

fn named<'a>(calendars: &'a Calendars, name: &str) -> Result<&'a Calendar, String> {
    let found = calendars.get(name).ok_or_else(|| format!("no calendar `{name}`"))?;
    found.as_ref().map_err(Clone::clone)
}

/// Evaluates every case of a file of worked cases. Unknown keys are ignored.
///
/// # Errors
/// When it is no JSON (with the line), or holds no list of cases.
pub fn run(text: &str) -> Result<Vec<Outcome>, String> {
    let file: Value =
        serde_json::from_str(text).map_err(|e| format!("line {}, column {}: {e}", e.line(), e.column()))?;
    let mut calendars = Calendars::new();
    for (name, value) in file["calendars"].as_object().into_iter().flatten() {
        calendars.insert(name.clone(), calendar(value).map_err(|e| format!("calendar {name}: {e}")));
    }
    let cases = file["cases"].as_array().ok_or("`cases` is missing: it holds the list of cases")?;
    let outcome = |(i, case): (usize, &Value)| {
        let id = case["id"].as_str().map_or_else(|| format!("#{}", i + 1), str::to_owned);
        // a case that cannot be read does not keep the others from being computed
        match one(case, &calendars) {
            Ok((got, ok)) => Outcome { id, got, ok, error: None },
            Err(e) => Outcome { id, got: Value::Null, ok: false, error: Some(e) },
        }
    };
    Ok(cases.iter().enumerate().map(outcome).collect())
}

fn calendar(value: &Value) -> Result<Calendar, String> {
    let zone = value["tz"].as_str().unwrap_or("Etc/UTC");
    let mut c = Rules::always(zone.parse::<Tz>().map_err(|_| format!("`{zone}` is no IANA time zone"))?);
    c.always = value["always"].as_bool().unwrap_or(false);
    for (name, list) in value["hours"].as_object().into_iter().flatten() {
        let day = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"].iter().position(|d| d == name);
        c.week[day.ok_or_else(|| format!("`{name}` is no weekday (mon … sun)"))?] = intervals(list)?;
    }
    for day in value["holidays"].as_array().into_iter().flatten() {
        c.holidays.insert(date(day.as_str().unwrap_or_default())?);
    }
    for (day, list) in value["date_overrides"].as_object().into_iter().flatten() {
        c.overrides.insert(date(day)?, intervals(list)?);
    }
    for (day, list) in value["breaks"].as_object().into_iter().flatten() {
        c.breaks.insert(date(day)?, intervals(list)?);
    }
    Ok(Calendar::new(c))
}

fn date(text: &str) -> Result<NaiveDate, String> {
    text.parse().map_err(|_| format!("`{text}` is no date (YYYY-MM-DD)"))
}

fn intervals(list: &Value) -> Result<Vec<Hours>, String> {
    let list = list.as_array().ok_or("a list of [\"HH:MM\", \"HH:MM\"] is expected")?;
    list.iter().map(|pair| hours(pair[0].as_str().unwrap_or_default(), pair[1].as_str().unwrap_or_default())).collect()
}

fn instant(value: &Value, key: &str) -> Result<Millis, String> {
    let text = value[key].as_str().ok_or_else(|| format!("`{key}` is missing"))?;
    parse_rfc3339(text).map_err(|e| format!("`{key}`: {text}: {e}"))
}

fn millis(value: &Value, key: &str) -> Result<Millis, String> {
    let seconds = value[key].as_f64().filter(|s| s.is_finite() && *s >= 0.0 && *s < 1e12);
    Ok((seconds.ok_or_else(|| format!("`{key}` must be seconds, 0 or more"))? * 1000.0).round() as Millis)
}

fn pauses(case: &Value) -> Result<Vec<(Millis, Millis)>, String> {
    let list = case["pauses_utc"].as_array().into_iter().flatten();
    list.map(|p| Ok((instant(&json!({"from": p[0]}), "from")?, instant(&json!({"to": p[1]}), "to")?))).collect()
}

fn local(zone: Tz, at: Millis) -> String {
    zone.timestamp_millis_opt(at).single().map_or_else(String::new, |t| t.format("%Y-%m-%dT%H:%M:%S").to_string())
}

fn one(case: &Value, calendars: &Calendars) -> Result<(Value, bool), String> {
    let op = case["op"].as_str().ok_or("`op` is missing")?;
    if op == "ticket" {
        return ticket(case, calendars);
    }
    let name = case["calendar"].as_str().ok_or("`calendar` is missing")?;
    let c = named(calendars, name)?;
    let expect = case["expect"].as_object().ok_or("`expect` is missing")?;
    let never = || "the calendar never opens that long".to_owned();
    let all = match op {
        "deadline" => {
            let due =
                c.deadline(instant(case, "start_utc")?, millis(case, "budget_s")?, &pauses(case)?).ok_or_else(never)?;
            json!({"due_utc": rfc3339(due), "due_local": local(c.zone, due), "due_epoch": due.div_euclid(SECOND)})
        }
        "elapsed" => {
            json!({"seconds": seconds(c.elapsed(instant(case, "from_utc")?, instant(case, "to_utc")?, &pauses(case)?))})
        }
        "offset_before" => {
            let at = c.offset_before(instant(case, "at_utc")?, millis(case, "offset_s")?).ok_or_else(never)?;
            json!({"at_utc": rfc3339(at), "at_local": local(c.zone, at), "at_epoch": at.div_euclid(SECOND)})
        }
        "is_open" => json!({"open": c.is_open(instant(case, "at_utc")?)}),
        other => return Err(format!("unknown op `{other}`; one of deadline, elapsed, offset_before, is_open, ticket")),
    };
    Ok(compare(&all, expect))
}

/// The keys of `expect` out of `all`, and whether they are equal. Instants are compared as instants.
fn compare(all: &Value, expect: &Map<String, Value>) -> (Value, bool) {
    let got: Map<String, Value> = expect.keys().map(|k| (k.clone(), all[k].clone())).collect();
    let same = |a: &Value, b: &Value| {
        a == b
            || matches!((a.as_f64(), b.as_f64()), (Some(x), Some(y)) if (x - y).abs() < 1e-9)
            || matches!((a.as_str().map(parse_rfc3339), b.as_str().map(parse_rfc3339)), (Some(Ok(x)), Some(Ok(y))) if x == y)
    };
    let ok = expect.iter().all(|(k, v)| same(&got[k], v));
    (Value::Object(got), ok)
}

fn ticket(case: &Value, calendars: &Calendars) -> Result<(Value, bool), String> {
    let mut policy = Policy::default();
    for (name, level) in case["policy"]["levels"].as_object().ok_or("`policy.levels` is missing")? {
        let calendar = level["calendar"].as_str().ok_or_else(|| format!("level {name}: `calendar` is missing"))?;
        let target = Target {
            response: millis(level, "response_s").map_err(|e| format!("level {name}: {e}"))?,
            next_response: None,
            resolution: millis(level, "resolution_s").map_err(|e| format!("level {name}: {e}"))?,
            calendar: calendar.to_owned(),
        };
        policy.calendars.insert(target.calendar.clone(), named(calendars, calendar)?.clone());
        policy.levels.insert(name.clone(), target);
    }
    let events = case["events"].as_array().ok_or("`events` is missing")?;
    let mut events = events.iter().map(event).collect::<Result<Vec<Event>, String>>()?;
    events.sort_by_key(|e| e.at);
    let mut checks = Vec::new();
    let mut all_ok = true;
    for check in case["checks"].as_array().ok_or("`checks` is missing")? {
        let state = evaluate(&policy, &events, instant(check, "at")?)?;
        let (got, ok) = compare(&facts(&state), check["expect"].as_object().ok_or("a check's `expect` is missing")?);
        all_ok &= ok;
        checks.push(got);
    }
    Ok((json!({"checks": checks}), all_ok))
}

fn event(value: &Value) -> Result<Event, String> {
    let at = instant(value, "at")?;
    let level = || {
        let name = value["level"].as_str().or(value["to"].as_str());
        name.map(str::to_owned).ok_or_else(|| "an event lacks its `level`".to_owned())
    };
    let step = match value["type"].as_str().unwrap_or_default() {
        "reported" => {
            let reported_at = if value["reported_at"].is_null() { at } else { instant(value, "reported_at")? };
            Step::Reported { level: level()?, reported_at }
        }
        "respond" => Step::Respond(None),
        "pause" => Step::Pause,
        "resume" => Step::Resume,
        "level" => Step::Level(level()?),
        "resolve" => Step::Resolve(None),
        "reopen" => Step::Reopen,
        other => return Err(format!("unknown event `{other}`")),
    };
    Ok(Event { at, step })
}

/// Everything a check may ask for.
fn facts(s: &State) -> Value {
    let breached: Vec<&str> = [("response", s.response.breached), ("resolution", s.resolution.breached)]
        .into_iter()
        .filter_map(|(name, breached)| breached.then_some(name))
        .collect();
    json!({
        "level": s.level,
        "paused": s.paused,
        "resolved": s.resolved.is_some(),
        "born_late": s.born_late,
        "response_due": s.response.due.map(rfc3339),
        "resolution_due": s.resolution.due.map(rfc3339),
        "response_elapsed_s": seconds(s.response.consumed),
        "resolution_elapsed_s": seconds(s.resolution.consumed),
        "response_met": s.response.stopped.is_some() && !s.response.breached,
        "resolution_met": s.resolution.stopped.is_some() && !s.resolution.breached,
        "breached": breached,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_worked_case_comes_out() {
        let outcomes = run(include_str!("../../tests/fixtures/sla_cases.json")).expect("cases");
        assert_eq!(outcomes.len(), 40);
        let wrong: Vec<_> = outcomes.iter().filter(|o| !o.ok).map(|o| format!("{} {}", o.id, o.got)).collect();
        assert!(wrong.is_empty(), "{wrong:#?}");
    }

    #[test]
    fn a_wrong_case_is_named_and_the_others_come_out() {
        let file = r#"{"calendars": {"bad": {"tz": "Mars/Olympus"}, "c": {"tz": "Etc/UTC", "always": true}}, "cases": [
            {"id": "x", "op": "dance", "calendar": "none", "expect": {}},
            {"id": "y", "op": "is_open", "calendar": "c", "at_utc": "2026-01-01T00:00:00Z", "expect": {"open": true}},
            {"id": "z", "op": "is_open", "calendar": "bad", "at_utc": "2026-01-01T00:00:00Z", "expect": {"open": true}},
            7]}"#;
        let outcomes = run(file).expect("cases");
        let told: Vec<_> = outcomes.iter().map(|o| (o.id.as_str(), o.ok, o.error.as_deref().unwrap_or(""))).collect();
        assert_eq!(told[0], ("x", false, "no calendar `none`"));
        assert_eq!(told[1], ("y", true, ""));
        assert!(told[2].2.contains("Mars/Olympus"), "{told:?}");
        assert_eq!(told[3], ("#4", false, "`op` is missing"));
    }

    #[test]
    fn a_file_without_cases_is_refused_with_its_line() {
        assert!(run("{\n  oops").expect_err("refused").starts_with("line 2"));
        assert!(run("{}").expect_err("refused").contains("`cases`"));
    }
}
