//! What a ticket is. Pure.

use serde_json::Value;

use super::sla::{Event, Joined, Policy, State, Step, Target, evaluate};
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
    /// The running clock is breached after this instant, by the passing of time alone; none when it does not run.
    pub response_breach_at: Option<Millis>,
    pub response_met_at: Option<Millis>,
    /// Latched: it stays whatever happens; see [`Ticket::response_is_breached`].
    pub response_breached: bool,
    /// A supervisor excused the breach.
    pub response_excused: bool,
    pub resolution_due: Option<Millis>,
    /// As `response_breach_at`.
    pub resolution_breach_at: Option<Millis>,
    pub resolved_at: Option<Millis>,
    pub resolution_breached: bool,
    pub resolution_excused: bool,
    pub born_late: bool,
    /// The earliest due of a running clock: what queues sort by.
    pub urgency: Millis,
    /// When the first running clock has used three quarters.
    pub risk_at: Millis,
    /// When a tick has something to do next.
    pub next_at: Millis,
    pub merged_into: Option<i64>,
    /// The ticket whose matter came back after its reopen window.
    pub continues: Option<i64>,
    pub reports: i64,
    pub cause: Option<String>,
    pub solution: Option<String>,
    pub version: i64,
}

impl Ticket {
    /// Neither resolved nor merged.
    pub fn is_open(&self) -> bool {
        !matches!(self.state.as_str(), "resolved" | "merged")
    }

    /// Whether more than the response budget is consumed at `now`; true without waiting for a tick to latch it.
    pub fn response_is_breached(&self, now: Millis) -> bool {
        self.response_breached || self.response_breach_at.is_some_and(|at| now > at)
    }

    /// The same of the resolution budget.
    pub fn resolution_is_breached(&self, now: Millis) -> bool {
        self.resolution_breached || self.resolution_breach_at.is_some_and(|at| now > at)
    }
}

/// Something that happened to a ticket.
#[derive(Debug, Clone, PartialEq)]
pub struct Happening {
    /// When.
    pub at: Millis,
    /// Who.
    pub actor: String,
    /// `created`, `claimed`, `assigned`, `reply`, `note`, `call`, `paused`, `resumed`, `resolved`, `reopened`, `level`,
    /// `merged`, `joined`, `user_message`, `linked`, `threshold_fired`, `sla_breached`, `breach_excused`
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
            "user_message" if self.data["resumes"] == true => Step::Resume,
            "level" => Step::Level(self.data["level"].as_str()?.to_owned()),
            "resolved" | "merged" => Step::Resolve,
            "reopened" => Step::Reopen,
            "joined" => Step::Join(Joined {
                reported_at: self.data["reported_at"].as_i64()?,
                pauses: serde_json::from_value(self.data["pauses"].clone()).unwrap_or_default(),
                waiting: self.data["waiting"].as_i64(),
            }),
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

/// When the running clocks of `state` pass each of `percents` and 100: clock, percent, instant.
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
        let whole = (!percents.contains(&100)).then_some(&100);
        for percent in percents.iter().chain(whole) {
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
