//! What a ticket is. Pure.

use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Value, json};

use super::sla::{Clock, Event, Frozen, Joined, Policy, State, Step, Target, evaluate};
use crate::calendar::{Calendar, HolidayList, Hours, Rules, built_in, hours};
use crate::clock::{Millis, SECOND, parse_rfc3339, rfc3339};
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
    /// When the first unanswered message of the user wants its answer; none: all answered, or no such promise.
    pub next_due: Option<Millis>,
    /// As `response_breach_at`.
    pub next_breach_at: Option<Millis>,
    pub resolved_at: Option<Millis>,
    /// Open milliseconds used when the resolution clock was last stopped or paused; none while it runs.
    pub resolution_used: Option<Millis>,
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
    /// The part of the OA it is about, or the way it came, once that was looked up.
    pub category: Option<String>,
    /// The last instant at which it can be begun and still be solved in time, as far as such tickets tell; `NEVER` while
    /// that is not known. See [`Ticket::last_safe_start`].
    pub safe_start: Millis,
}

impl Ticket {
    /// Neither resolved nor merged.
    pub fn is_open(&self) -> bool {
        !matches!(self.state.as_str(), "resolved" | "merged")
    }

    /// The last instant at which it can be begun and still be solved in time; none where no such clock runs or too few
    /// tickets like it are known.
    pub fn last_safe_start(&self) -> Option<Millis> {
        (self.is_open() && self.state != "waiting" && self.safe_start < NEVER).then_some(self.safe_start)
    }

    /// Whether more than the response budget is consumed at `now`; true without waiting for a tick to latch it.
    pub fn response_is_breached(&self, now: Millis) -> bool {
        self.response_breached || self.response_breach_at.is_some_and(|at| now > at)
    }

    /// The same of the answer to a later message.
    pub fn next_is_breached(&self, now: Millis) -> bool {
        self.next_breach_at.is_some_and(|at| now > at)
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
    /// `merged`, `joined`, `user_message`, `reported`, `linked`, `threshold_fired`, `sla_breached`, `breach_excused`,
    /// `calendar_changed`, `undone`
    pub kind: String,
    /// Particulars.
    pub data: Value,
}

impl Happening {
    /// The steps that the SLA clocks take by it, if any.
    fn steps(&self) -> impl Iterator<Item = Event> {
        // who solves it tells the user: that is an answer too
        let answer = (self.kind == "resolved").then(|| Step::Respond(thaw(&self.data["response"])));
        let resumes = self.kind == "user_message" && self.data["resumes"] == true;
        let then = resumes.then_some(Step::Resume);
        // whoever reports the same may have noticed it before the first did; nobody waits the less for it
        let again = self.data["reported_at"].as_i64().filter(|_| self.kind == "reported");
        let again = again.map(|at| Step::Join(Joined { reported_at: at, pauses: vec![], waiting: Some(Millis::MIN) }));
        answer.into_iter().chain(self.step()).chain(then).chain(again).map(|step| Event { at: self.at, step })
    }

    fn step(&self) -> Option<Step> {
        Some(match self.kind.as_str() {
            "created" => Step::Reported {
                level: self.data["level"].as_str()?.to_owned(),
                reported_at: self.data["reported_at"].as_i64()?,
            },
            "reply" | "call" => Step::Respond(thaw(&self.data["response"])),
            "paused" => Step::Pause,
            "resumed" => Step::Resume,
            "user_message" | "reported" => Step::Heard,
            "level" => Step::Level(self.data["level"].as_str()?.to_owned()),
            "resolved" | "merged" => Step::Resolve(thaw(&self.data["resolution"])),
            "reopened" => Step::Reopen,
            "joined" => Step::Join(Joined {
                reported_at: self.data["reported_at"].as_i64()?,
                pauses: serde_json::from_value(self.data["pauses"].clone()).unwrap_or_default(),
                waiting: self.data["waiting"].as_i64(),
            }),
            "sla_breached" => Step::Breached(match self.data["clock"].as_str()? {
                "response" => Clock::Response,
                "resolution" => Clock::Resolution,
                _ => return None,
            }),
            _ => return None,
        })
    }
}

/// Seconds for JSON: whole ones as an integer, others as a fraction.
pub(super) fn seconds(ms: Millis) -> Value {
    if ms % SECOND == 0 { json!(ms / SECOND) } else { json!(ms as f64 / 1000.0) }
}

/// What a clock came to, as it is kept with the happening that stopped it; `version` is that of the calendar.
pub(super) fn on_record(frozen: &Frozen, version: i64) -> Value {
    json!({"budget_s": seconds(frozen.budget), "consumed_s": seconds(frozen.consumed),
        "late_s": seconds((frozen.consumed - frozen.budget).max(0)), "due": frozen.due.map(rfc3339),
        "breached": frozen.breached, "provisional": frozen.provisional, "calendar_version": version})
}

/// Reads what [`on_record`] wrote.
fn thaw(value: &Value) -> Option<Frozen> {
    let ms = |key: &str| value[key].as_f64().map(|s| (s * SECOND as f64).round() as Millis);
    Some(Frozen {
        budget: ms("budget_s")?,
        consumed: ms("consumed_s")?,
        due: value["due"].as_str().and_then(|t| parse_rfc3339(t).ok()),
        breached: value["breached"].as_bool()?,
        provisional: value["provisional"] == true,
    })
}

/// The places (from 0) of happenings that were taken back.
pub fn taken_back(past: &[Happening]) -> Vec<usize> {
    let undone = past.iter().filter(|h| h.kind == "undone");
    undone.filter_map(|h| usize::try_from(h.data["n"].as_u64()?).ok()?.checked_sub(1)).collect()
}

/// What somebody does with a ticket that is open on their screen; the later ones weigh more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Doing {
    /// Looks at it.
    Viewing,
    /// Writes a note, a solution, another level.
    Working,
    /// Writes to the reporter.
    Replying,
}

impl Doing {
    /// The word used in the store.
    pub fn word(self) -> &'static str {
        match self {
            Self::Viewing => "viewing",
            Self::Working => "working",
            Self::Replying => "replying",
        }
    }

    /// The meaning of a word; an unknown one looks.
    pub fn from_word(word: &str) -> Self {
        [Self::Working, Self::Replying].into_iter().find(|d| d.word() == word).unwrap_or(Self::Viewing)
    }
}

/// Somebody else who has a ticket open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Other {
    /// Their name.
    pub operator: String,
    /// What they do with it.
    pub doing: Doing,
}

/// The places (from 0) of what the user's side wrote and what still stands: messages, and further reports that say
/// something. People count them from 1.
pub fn messages(past: &[Happening]) -> Vec<usize> {
    let void = taken_back(past);
    let says = |h: &Happening| h.data["text"].as_str().is_some_and(|t| !t.trim().is_empty());
    let all = past.iter().enumerate().filter(|(_, h)| matches!(h.kind.as_str(), "user_message" | "reported"));
    all.filter(|(i, h)| says(h) && !void.contains(i)).map(|(i, _)| i).collect()
}

/// The host that was linked last and still is; empty when there is none.
pub fn linked_host(past: &[Happening]) -> String {
    let void = taken_back(past);
    let mut hosts =
        past.iter().enumerate().filter(|(i, h)| h.kind == "linked" && h.data["kind"] == "host" && !void.contains(i));
    hosts.next_back().and_then(|(_, h)| h.data["subject"].as_str()).unwrap_or_default().to_owned()
}

fn office_hours(config: &Tickets) -> Vec<Hours> {
    config.office.hours.iter().filter_map(|[a, b]| hours(a, b).ok()).collect()
}

/// The rules of the office calendar: the configuration's hours, the lists that are built in, and `imported` ones, which
/// take the place of a built-in list of the same year.
pub fn office_rules(config: &Tickets, imported: &[HolidayList]) -> Rules {
    let mut office = Rules::closed(config.office.zone.parse().unwrap_or(chrono_tz::Asia::Shanghai));
    // a make-up day has the hours of a working day, whatever weekday it falls on
    let open = office_hours(config);
    for (i, day) in ["mon", "tue", "wed", "thu", "fri", "sat", "sun"].iter().enumerate() {
        if config.office.days.iter().any(|d| d == day) {
            office.week[i].clone_from(&open);
        }
    }
    if config.office.chinese_holidays {
        let built_in = built_in().into_iter().filter(|list| imported.iter().all(|own| own.year != list.year));
        let mut lists: Vec<HolidayList> = built_in.chain(imported.iter().cloned()).collect();
        // the last days of a year may be ruled by the list of the next
        lists.sort_by_key(|list| list.year);
        for list in &lists {
            office.add_list(list, &open);
        }
    }
    office
}

/// The SLA policy of a configuration with the imported holiday lists, as `version` of the calendar.
pub fn policy(config: &Tickets, imported: &[HolidayList], version: i64) -> Arc<Policy> {
    type Memo = (Tickets, Vec<HolidayList>, Arc<Policy>);
    // making the tables of a calendar costs more than most questions to it: the last policy is kept
    static LAST: Mutex<Option<Memo>> = Mutex::new(None);
    let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((for_config, for_lists, made)) = &*last
        && made.version == version
        && for_config == config
        && for_lists == imported
    {
        return made.clone();
    }
    let office = office_rules(config, imported);
    let always = Rules::always(office.zone);
    let level = |rule: &crate::config::LevelRule| Target {
        response: rule.response.millis(),
        next_response: rule.next_response.map(crate::config::Dur::millis),
        resolution: rule.resolution.millis(),
        calendar: rule.calendar.clone(),
    };
    let made = Arc::new(Policy {
        levels: config.levels.iter().map(|(name, rule)| (name.clone(), level(rule))).collect(),
        calendars: [("office".to_owned(), Calendar::new(office)), ("always".to_owned(), Calendar::new(always))].into(),
        version,
    });
    *last = Some((config.clone(), imported.to_vec(), made.clone()));
    made
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

/// The clocks of a ticket by what happened to it. What was taken back did not happen.
///
/// # Errors
/// When a level of its past is not in the policy any more.
pub fn clocks(policy: &Policy, happenings: &[Happening], now: Millis) -> Result<State, String> {
    let void = taken_back(happenings);
    let stands = happenings.iter().enumerate().filter(|(i, _)| !void.contains(i));
    let mut events: Vec<Event> = stands.flat_map(|(_, h)| h.steps()).collect();
    // a clock set back must not put an answer before the report
    for i in 1..events.len() {
        events[i].at = events[i].at.max(events[i - 1].at);
    }
    let now = events.last().map_or(now, |e| e.at.max(now));
    evaluate(policy, &events, now)
}

/// What a mark stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Passed {
    /// So much of the budget is used, in percent.
    Percent(u32),
    /// So much open time is left, in milliseconds.
    Before(Millis),
}

/// A threshold of a running clock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// `response`, `next_response` or `resolution`.
    pub clock: &'static str,
    /// What passes.
    pub what: Passed,
    /// When.
    pub at: Millis,
    /// The name under which it fires once: a later message of the user starts a clock of its own.
    pub key: String,
}

/// The thresholds of the running clocks of `state`: the percentages of the configuration and 100, and the times before
/// due, counted back in open time.
pub fn marks(policy: &Policy, state: &State, config: &Tickets) -> Vec<Mark> {
    let Some((_, calendar)) = policy.rule(&state.level) else { return vec![] };
    let mut out = Vec::new();
    let next = state.next_response.as_ref().map(|(since, clock)| ("next_response", *since, clock));
    let both = [("response", state.reported_at, &state.response), ("resolution", state.reported_at, &state.resolution)];
    for (name, start, clock) in both.into_iter().chain(next) {
        if clock.stopped.is_some() || (name == "resolution" && state.paused) {
            continue;
        }
        let pauses = if name == "resolution" { state.pauses.as_slice() } else { &[] };
        let key = if name == "next_response" { format!("{name}@{start}") } else { name.to_owned() };
        let whole = (!config.thresholds.contains(&100)).then_some(&100);
        for percent in config.thresholds.iter().chain(whole) {
            // 100 % fires when more than the budget is consumed: exactly the breach
            let budget = clock.budget * i64::from(*percent) / 100 + i64::from(*percent == 100);
            let at = calendar.deadline(start, budget, pauses);
            out.extend(at.map(|at| Mark { clock: name, what: Passed::Percent(*percent), at, key: key.clone() }));
        }
        for before in config.warn_before.iter().map(|d| d.millis()).filter(|before| *before < clock.budget) {
            let at = calendar.deadline(start, clock.budget - before, pauses);
            let key = format!("{key}-{}", before / SECOND);
            out.extend(at.map(|at| Mark { clock: name, what: Passed::Before(before), at, key }));
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
