//! What a ticket is. Pure.

use serde_json::Value;

use super::sla::{Event, Policy, State, Step, Target, evaluate};
use crate::calendar::{Calendar, built_in, hours};
use crate::clock::Millis;
use crate::config::Tickets;

/// "Never", as a stored instant.
pub const NEVER: Millis = 1 << 60;

/// A ticket as its row has it.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "the columns, as the schema names them; instants in milliseconds")]
pub struct Ticket {
    pub id: i64,
    pub title: String,
    pub body: String,
    pub scope: String,
    pub severity: String,
    pub level: String,
    /// `new`, `open`, `waiting`, `resolved`, `merged`
    pub state: String,
    pub channel: String,
    pub reporter: String,
    pub owner: Option<String>,
    pub created_at: Millis,
    pub reported_at: Millis,
    pub follow_up_at: Option<Millis>,
    pub pause_reason: Option<String>,
    pub flag: Option<String>,
    pub response_due: Option<Millis>,
    pub response_met_at: Option<Millis>,
    pub response_breached: bool,
    pub resolution_due: Option<Millis>,
    pub resolved_at: Option<Millis>,
    pub resolution_breached: bool,
    pub born_late: bool,
    pub risk_at: Millis,
    pub merged_into: Option<i64>,
    pub reports: i64,
    pub cause: Option<String>,
    pub solution: Option<String>,
    pub version: i64,
}

/// Something that happened to a ticket.
#[derive(Debug, Clone, PartialEq)]
pub struct Happening {
    /// When.
    pub at: Millis,
    /// Who.
    pub actor: String,
    /// `created`, `claimed`, `assigned`, `reply`, `note`, `call`, `paused`, `resumed`, `resolved`, `reopened`, `level`,
    /// `merged`, `threshold_fired`, `sla_breached`, …
    pub kind: String,
    /// Particulars.
    pub data: Value,
}

impl Happening {
    /// The steps that the SLA clocks take by it, if any.
    fn steps(&self) -> Vec<Event> {
        // who solves it tells the user: that is an answer too
        let answer = (self.kind == "resolved").then_some(Step::Respond);
        answer.into_iter().chain(self.step()).map(|step| Event { at: self.at, step }).collect()
    }

    fn step(&self) -> Option<Step> {
        Some(match self.kind.as_str() {
            "created" => Step::Reported {
                level: self.data["level"].as_str()?.to_owned(),
                reported_at: self.data["reported_at"].as_i64()?,
            },
            "reply" | "call" => Step::Respond,
            "paused" => Step::Pause,
            "resumed" => Step::Resume,
            "level" => Step::Level(self.data["level"].as_str()?.to_owned()),
            "resolved" | "merged" => Step::Resolve,
            "reopened" => Step::Reopen,
            _ => return None,
        })
    }
}

/// The SLA policy of a configuration.
pub fn policy(config: &Tickets) -> Policy {
    let zone = config.office.zone.parse().unwrap_or(chrono_tz::Asia::Shanghai);
    let mut office = Calendar::always(zone);
    office.always = false;
    let open: Vec<_> = config.office.hours.iter().filter_map(|[a, b]| hours(a, b).ok()).collect();
    for (i, day) in ["mon", "tue", "wed", "thu", "fri", "sat", "sun"].iter().enumerate() {
        if config.office.days.iter().any(|d| d == day) {
            office.week[i].clone_from(&open);
        }
    }
    if config.office.chinese_holidays {
        // a make-up day has the hours of a working day, whatever weekday it falls on
        let monday = std::mem::replace(&mut office.week[0], open);
        for list in built_in() {
            office.add_list(&list);
        }
        office.week[0] = monday;
    }
    let level = |rule: &crate::config::LevelRule| Target {
        response: rule.response.millis(),
        resolution: rule.resolution.millis(),
        calendar: rule.calendar.clone(),
    };
    Policy {
        levels: config.levels.iter().map(|(name, rule)| (name.clone(), level(rule))).collect(),
        calendars: [("office".to_owned(), office), ("always".to_owned(), Calendar::always(zone))].into(),
    }
}

/// Scopes, in rising order.
pub const SCOPES: [&str; 3] = ["individual", "department", "company"];
/// Severities, in rising order.
pub const SEVERITIES: [&str; 3] = ["general", "important", "urgent"];

/// The level of a scope and a severity by the matrix.
pub fn level_of(config: &Tickets, scope: &str, severity: &str) -> String {
    let column = SCOPES.iter().position(|s| *s == scope).unwrap_or(0);
    config.matrix.get(severity).map_or_else(|| severity.to_owned(), |row| row[column].clone())
}

/// The clocks of a ticket by what happened to it.
///
/// # Errors
/// When a level of its past is not in the policy any more.
pub fn clocks(policy: &Policy, happenings: &[Happening], now: Millis) -> Result<State, String> {
    let mut events: Vec<Event> = happenings.iter().flat_map(Happening::steps).collect();
    // a clock set back must not put an answer before the report
    for i in 1..events.len() {
        events[i].at = events[i].at.max(events[i - 1].at);
    }
    let now = events.last().map_or(now, |e| e.at.max(now));
    evaluate(policy, &events, now)
}

/// When the running clocks of `state` pass each of `percents`: clock, percent, instant.
pub fn marks(policy: &Policy, state: &State, percents: &[u32]) -> Vec<(&'static str, u32, Millis)> {
    let Some(calendar) = policy.levels.get(&state.level).and_then(|t| policy.calendars.get(&t.calendar)) else {
        return vec![];
    };
    let mut out = Vec::new();
    for (name, clock, pauses) in
        [("response", &state.response, &[][..]), ("resolution", &state.resolution, state.pauses.as_slice())]
    {
        if clock.stopped.is_some() || (name == "resolution" && state.paused) {
            continue;
        }
        for percent in percents {
            // 100 % fires when more than the budget is consumed: exactly the breach
            let budget = clock.budget * i64::from(*percent) / 100 + i64::from(*percent == 100);
            out.extend(calendar.deadline(state.reported_at, budget, pauses).map(|at| (name, *percent, at)));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scope_can_only_raise() {
        let config = Tickets::default();
        assert_eq!(level_of(&config, "individual", "general"), "general");
        assert_eq!(level_of(&config, "company", "general"), "important");
        assert_eq!(level_of(&config, "individual", "urgent"), "urgent");
    }
}
