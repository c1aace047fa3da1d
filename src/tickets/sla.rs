//! SLA clocks as a pure function of (events, policy, now).
//!
//! The response clock never pauses and freezes at the first human public contact. The resolution clock leaves out
//! pauses and resolved..reopened stretches. A clock is breached when more than its budget has been consumed, strictly;
//! a breach latches. A change of level keeps start and pauses and brings new budgets and a new calendar.
//!
//! What a clock came to when it stopped is frozen: a later edit of a calendar, of a budget or of the level counts for
//! running clocks only. The next-response clock (where a level promises one) runs from the first message of the user
//! that nobody has answered, and is never due before the first response is.

use std::collections::BTreeMap;

use crate::calendar::Calendar;
use crate::clock::Millis;

/// What a level promises.
#[derive(Debug, Clone, PartialEq)]
pub struct Target {
    /// Open milliseconds until the first answer.
    pub response: Millis,
    /// Open milliseconds until an answer to a later message of the user; none: no such promise.
    pub next_response: Option<Millis>,
    /// Open milliseconds until the solution.
    pub resolution: Millis,
    /// Name of the calendar that counts.
    pub calendar: String,
}

/// Levels and the calendars they name.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Policy {
    /// By level name.
    pub levels: BTreeMap<String, Target>,
    /// By calendar name.
    pub calendars: BTreeMap<String, Calendar>,
    /// Which version of the calendar it is, for the record.
    pub version: i64,
}

impl Policy {
    /// What a level promises, and the calendar that counts.
    pub fn rule(&self, level: &str) -> Option<(&Target, &Calendar)> {
        let target = self.levels.get(level)?;
        Some((target, self.calendars.get(&target.calendar)?))
    }
}

/// One of the clocks that never forget.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clock {
    /// First answer.
    Response,
    /// Solution.
    Resolution,
}

/// What a clock came to when it was stopped, as it was counted then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frozen {
    /// Open milliseconds allowed.
    pub budget: Millis,
    /// Open milliseconds used.
    pub consumed: Millis,
    /// When the budget ended.
    pub due: Option<Millis>,
    /// Whether it was breached.
    pub breached: bool,
    /// Whether the due instant lay in a year without a holiday list.
    pub provisional: bool,
}

/// Something that moves a clock.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// The user reported it, at `reported_at`.
    Reported {
        /// Level name.
        level: String,
        /// When the user did; the event's own time is when it was entered.
        reported_at: Millis,
    },
    /// A human public contact; the first stops the response clock, with what it came to where that is on record.
    Respond(Option<Frozen>),
    /// The user wrote again.
    Heard,
    /// The clock waits.
    Pause,
    /// It goes on.
    Resume,
    /// Another level.
    Level(String),
    /// Solved; with what the resolution clock came to where that is on record.
    Resolve(Option<Frozen>),
    /// Not solved after all.
    Reopen,
    /// Another ticket turned out to be the same matter.
    Join(Joined),
    /// A breach is on record, whatever calendars say today.
    Breached(Clock),
}

/// What a ticket brings along that is merged into another.
#[derive(Debug, Clone, PartialEq)]
pub struct Joined {
    /// When it was reported.
    pub reported_at: Millis,
    /// Its pauses that have ended.
    pub pauses: Vec<(Millis, Millis)>,
    /// Since when it waits.
    pub waiting: Option<Millis>,
}

/// A [`Step`] and when it was taken.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// When.
    pub at: Millis,
    /// What.
    pub step: Step,
}

/// One clock at an instant.
#[derive(Debug, Clone, PartialEq)]
pub struct ClockState {
    /// Open milliseconds allowed.
    pub budget: Millis,
    /// Open milliseconds used.
    pub consumed: Millis,
    /// When the budget ends; none while paused.
    pub due: Option<Millis>,
    /// The instant after which more than the budget is consumed; none while paused or stopped.
    pub breaches_after: Option<Millis>,
    /// The instant at which three quarters are consumed; none while paused or stopped.
    pub risk_from: Option<Millis>,
    /// When it was stopped.
    pub stopped: Option<Millis>,
    /// Whether it was ever breached.
    pub breached: bool,
    /// The due instant lies in a year without a holiday list.
    pub provisional: bool,
}

impl ClockState {
    /// What it came to, to be kept on record when it stops.
    pub fn freeze(&self) -> Frozen {
        let Self { budget, consumed, due, breached, provisional, .. } = *self;
        Frozen { budget, consumed, due, breached, provisional }
    }

    fn stopped(frozen: Frozen, at: Option<Millis>) -> Self {
        let Frozen { budget, consumed, due, breached, provisional } = frozen;
        Self { budget, consumed, due, breaches_after: None, risk_from: None, stopped: at, breached, provisional }
    }
}

/// A ticket's clocks at an instant.
#[derive(Debug, Clone, PartialEq)]
pub struct State {
    /// Level in force.
    pub level: String,
    /// When the clocks started.
    pub reported_at: Millis,
    /// First answer.
    pub response: ClockState,
    /// Answer to the first unanswered message of the user, which came at the instant given; none when all is answered
    /// or the level promises nothing of the kind.
    pub next_response: Option<(Millis, ClockState)>,
    /// Solution.
    pub resolution: ClockState,
    /// Whether the resolution clock waits.
    pub paused: bool,
    /// When it was solved, if it is.
    pub resolved: Option<Millis>,
    /// Stretches left out of the resolution clock; the last may be open until now.
    pub pauses: Vec<(Millis, Millis)>,
    /// The response budget was used up when the ticket was entered.
    pub born_late: bool,
}

/// The clocks after the events up to and including `now`; `events` in order of time.
///
/// # Errors
/// When the first event is no report, or a level or calendar does not exist; a sentence naming it.
pub fn evaluate(policy: &Policy, events: &[Event], now: Millis) -> Result<State, String> {
    let seen = &events[..events.partition_point(|e| e.at <= now)];
    let Some((first, rest)) = seen.split_first() else { return Err("there is no event yet".into()) };
    let Step::Reported { level, reported_at } = &first.step else {
        return Err("the first event must be `reported`".into());
    };
    let (target, calendar) = rule(policy, level)?;
    let mut run = Run {
        policy,
        level,
        target,
        calendar,
        start: *reported_at,
        responded: None,
        unanswered: None,
        pauses: vec![],
        waiting: None,
        resolved: None,
        breached: [false; 2],
    };
    run.latch(first.at);
    let born_late = run.breached[0];
    for event in rest {
        run.step(&event.step, event.at)?;
    }
    run.latch(now);
    Ok(run.state(now, born_late))
}

fn rule<'a>(policy: &'a Policy, level: &str) -> Result<(&'a Target, &'a Calendar), String> {
    let target = policy.levels.get(level).ok_or_else(|| format!("no level `{level}` in the policy"))?;
    let calendar = policy.calendars.get(&target.calendar);
    Ok((target, calendar.ok_or_else(|| format!("no calendar `{}`", target.calendar))?))
}

struct Run<'a> {
    policy: &'a Policy,
    level: &'a str,
    target: &'a Target,
    calendar: &'a Calendar,
    start: Millis,
    /// When the response clock was stopped, and what it came to.
    responded: Option<(Millis, Frozen)>,
    /// The first message of the user that nobody has answered.
    unanswered: Option<Millis>,
    pauses: Vec<(Millis, Millis)>,
    waiting: Option<Millis>,
    /// When it was solved, and what the resolution clock came to where that is on record.
    resolved: Option<(Millis, Option<Frozen>)>,
    /// Response, resolution.
    breached: [bool; 2],
}

impl<'a> Run<'a> {
    /// Open time of the resolution clock by `now`: nothing counts while it waits or after it was solved.
    fn used(&self, now: Millis) -> Millis {
        let until = self.waiting.or(self.resolved.map(|r| r.0)).map_or(now, |since| since.min(now));
        self.calendar.elapsed(self.start, until, &self.pauses)
    }

    fn pauses_until(&self, now: Millis) -> Vec<(Millis, Millis)> {
        let open = self.waiting.or(self.resolved.map(|r| r.0)).map(|from| (from, now.max(from)));
        self.pauses.iter().copied().chain(open).collect()
    }

    /// Consumption only grows between changes of level, so it is enough to look before each, at stops and at the end.
    fn latch(&mut self, now: Millis) {
        if !self.breached[0] && self.responded.is_none() {
            self.breached[0] = self.calendar.elapsed(self.start, now, &[]) > self.target.response;
        }
        if !self.breached[1] && !matches!(self.resolved, Some((_, Some(_)))) {
            self.breached[1] = self.used(now) > self.target.resolution;
        }
    }

    fn respond(&mut self, at: Millis, on_record: Option<Frozen>) {
        self.unanswered = None;
        if self.responded.is_some() {
            return;
        }
        let frozen = on_record.unwrap_or_else(|| {
            self.latch(at);
            let due = self.calendar.deadline(self.start, self.target.response, &[]);
            Frozen {
                budget: self.target.response,
                consumed: self.calendar.elapsed(self.start, at, &[]),
                due,
                breached: self.breached[0],
                provisional: self.provisional(due),
            }
        });
        self.breached[0] = frozen.breached;
        self.responded = Some((at, frozen));
    }

    fn step(&mut self, step: &'a Step, at: Millis) -> Result<(), String> {
        match step {
            Step::Reported { .. } => return Err("`reported` may come only once".into()),
            Step::Respond(on_record) => self.respond(at, *on_record),
            Step::Heard => _ = self.unanswered.get_or_insert(at),
            Step::Pause if self.resolved.is_none() => _ = self.waiting.get_or_insert(at),
            Step::Resume => self.pauses.extend(self.waiting.take().map(|from| (from, at))),
            Step::Level(level) => {
                self.latch(at);
                self.level = level;
                (self.target, self.calendar) = rule(self.policy, level)?;
            }
            Step::Resolve(on_record) => {
                self.latch(at);
                // solved straight from a pause: the pause is deducted all the same
                self.pauses.extend(self.waiting.take().map(|from| (from, at)));
                self.unanswered = None;
                if self.resolved.is_none() {
                    self.breached[1] = on_record.map_or(self.breached[1], |r| r.breached);
                    self.resolved = Some((at, *on_record));
                }
            }
            Step::Reopen => self.pauses.extend(self.resolved.take().map(|(from, _)| (from, at))),
            Step::Join(other) => {
                self.latch(at);
                self.join(other, at);
            }
            Step::Breached(Clock::Response) => self.breached[0] = true,
            Step::Breached(Clock::Resolution) => self.breached[1] = true,
            Step::Pause => {}
        }
        Ok(())
    }

    /// The earlier start counts, and a pause only where both were paused.
    fn join(&mut self, other: &Joined, at: Millis) {
        let theirs: Vec<_> = other.pauses.iter().copied().chain(other.waiting.map(|from| (from, at))).collect();
        let waiting = self.waiting.zip(other.waiting).map(|(a, b)| a.max(b));
        let mut both: Vec<_> = self
            .pauses_until(at)
            .into_iter()
            .flat_map(|(a, b)| theirs.iter().map(move |(x, y)| (a.max(*x), b.min(*y))))
            .filter(|(a, b)| a < b && waiting.is_none_or(|from| *a < from))
            .collect();
        both.sort_unstable();
        self.start = self.start.min(other.reported_at);
        self.pauses = both;
        self.waiting = waiting;
    }

    fn provisional(&self, due: Option<Millis>) -> bool {
        due.is_some_and(|d| self.calendar.is_provisional(self.start, d))
    }

    /// A running clock of `budget` that began at `start`.
    fn running(&self, start: Millis, budget: Millis, pauses: &[(Millis, Millis)], consumed: Millis) -> ClockState {
        let after = |b| self.calendar.deadline(start, b, pauses);
        let due = after(budget);
        ClockState {
            budget,
            consumed,
            due,
            // one more open millisecond is in the same stretch, unless the budget ends with it
            breaches_after: after(budget + 1).map(|t| t - 1),
            risk_from: after(budget * 3 / 4),
            stopped: None,
            breached: false,
            provisional: self.provisional(due),
        }
    }

    fn next_response(&self, now: Millis, first_due: Option<Millis>) -> Option<(Millis, ClockState)> {
        let (since, budget) = self.unanswered.zip(self.target.next_response)?;
        // never due before the first response is
        let budget = budget.max(first_due.map_or(0, |due| self.calendar.elapsed(since, due, &[])));
        let consumed = self.calendar.elapsed(since, now, &[]);
        let clock = self.running(since, budget, &[], consumed);
        Some((since, ClockState { breached: consumed > budget, ..clock }))
    }

    fn state(self, now: Millis, born_late: bool) -> State {
        let target = self.target;
        let response = match self.responded {
            Some((at, frozen)) => ClockState::stopped(frozen, Some(at)),
            None => {
                let consumed = self.calendar.elapsed(self.start, now, &[]);
                let clock = self.running(self.start, target.response, &[], consumed);
                ClockState { breached: self.breached[0], ..clock }
            }
        };
        let resolution = match self.resolved {
            Some((at, Some(frozen))) => ClockState::stopped(frozen, Some(at)),
            _ => {
                let stopped = self.resolved.map(|r| r.0);
                let clock = self.running(self.start, target.resolution, &self.pauses, self.used(now));
                let runs = self.waiting.is_none() && stopped.is_none();
                ClockState {
                    due: clock.due.filter(|_| self.waiting.is_none()),
                    breaches_after: clock.breaches_after.filter(|_| runs),
                    risk_from: clock.risk_from.filter(|_| runs),
                    stopped,
                    breached: self.breached[1],
                    provisional: clock.provisional && self.waiting.is_none(),
                    ..clock
                }
            }
        };
        State {
            level: self.level.to_owned(),
            reported_at: self.start,
            next_response: self.next_response(now, response.due),
            response,
            resolution,
            paused: self.waiting.is_some(),
            resolved: self.resolved.map(|r| r.0),
            pauses: self.pauses_until(now),
            born_late,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calendar::{Rules, built_in};
    use crate::clock::{HOUR, MINUTE, parse_rfc3339};
    use proptest::prelude::*;

    fn office(extra_holiday: Option<&str>) -> Calendar {
        let day = vec![(540, 720), (780, 1080)];
        let mut rules = Rules::closed(chrono_tz::Asia::Shanghai);
        rules.week = [day.clone(), day.clone(), day.clone(), day.clone(), day.clone(), vec![], vec![]];
        for list in built_in() {
            rules.add_list(&list, &day);
        }
        rules.holidays.extend(extra_holiday.map(|d| d.parse::<chrono::NaiveDate>().expect("day")));
        Calendar::new(rules)
    }

    fn policy(calendar: Calendar) -> Policy {
        let level = |response, resolution| Target {
            response: response * MINUTE,
            next_response: Some(30 * MINUTE),
            resolution: resolution * MINUTE,
            calendar: "office".into(),
        };
        let levels = [("general", level(120, 480)), ("urgent", level(30, 120))];
        Policy {
            levels: levels.into_iter().map(|(name, target)| (name.to_owned(), target)).collect(),
            calendars: [("office".to_owned(), calendar)].into(),
            version: 1,
        }
    }

    fn at(text: &str) -> Millis {
        parse_rfc3339(text).expect("time")
    }

    fn reported(at: Millis) -> Event {
        Event { at, step: Step::Reported { level: "general".into(), reported_at: at } }
    }

    #[test]
    fn a_stopped_clock_keeps_what_it_came_to_whatever_calendars_say_later() {
        let start = at("2026-11-24T10:00:00+08:00");
        let then = policy(office(None));
        let mut events = vec![reported(start)];
        let answered = start + HOUR;
        let state = evaluate(&then, &events, answered).expect("state");
        events.push(Event { at: answered, step: Step::Respond(Some(state.response.freeze())) });
        let solved = at("2026-11-25T11:00:00+08:00"); // 7 h of Tuesday, 2 h of Wednesday
        let state = evaluate(&then, &events, solved).expect("state");
        events.push(Event { at: solved, step: Step::Resolve(Some(state.resolution.freeze())) });
        let was = evaluate(&then, &events, solved).expect("state");
        assert_eq!((was.resolution.breached, was.resolution.consumed), (true, 9 * HOUR));
        // a holiday is declared after the fact, and the level promises less
        let mut now = policy(office(Some("2026-11-24")));
        now.levels.get_mut("general").expect("level").response = MINUTE;
        let is = evaluate(&now, &events, solved + 100 * HOUR).expect("state");
        assert_eq!((is.response.freeze(), is.resolution.freeze()), (was.response.freeze(), was.resolution.freeze()));
        // reopened, it is an open clock again and counts by the calendar of today
        events.push(Event { at: solved + MINUTE, step: Step::Reopen });
        let open = evaluate(&now, &events, solved + MINUTE).expect("state");
        assert_eq!((open.resolution.consumed, open.response.freeze()), (2 * HOUR, was.response.freeze()));
    }

    #[test]
    fn a_breach_on_record_stays_though_the_calendar_would_not_have_it_today() {
        let start = at("2026-11-24T10:00:00+08:00");
        let events = [reported(start), Event { at: start + 5 * HOUR, step: Step::Breached(Clock::Response) }];
        let state = evaluate(&policy(office(Some("2026-11-24"))), &events, start + 5 * HOUR).expect("state");
        assert!(state.response.breached && state.response.consumed == 0);
        assert!(!state.resolution.breached);
    }

    #[test]
    fn a_due_instant_beyond_the_lists_is_provisional_until_it_is_not() {
        let start = at("2026-12-31T16:00:00+08:00");
        let state = evaluate(&policy(office(None)), &[reported(start)], start).expect("state");
        assert!(!state.response.provisional && state.resolution.provisional);
    }

    proptest! {
        #[test]
        fn consumption_only_grows_and_due_is_where_the_budget_ends(
            start in 1_767_000_000_000i64..1_780_000_000_000,
            steps in proptest::collection::vec((1i64..30 * HOUR, 0u8..8), 0..8),
            looks in proptest::collection::vec(0i64..60 * HOUR, 2..6),
        ) {
            let policy = policy(office(None));
            let (mut events, mut now) = (vec![reported(start)], start);
            for (wait, kind) in steps {
                now += wait;
                let step = match kind {
                    0 => Step::Respond(None),
                    1 => Step::Pause,
                    2 => Step::Resume,
                    3 => Step::Resolve(None),
                    4 => Step::Reopen,
                    5 => Step::Heard,
                    6 => Step::Level("urgent".into()),
                    _ => Step::Level("general".into()),
                };
                events.push(Event { at: now, step });
            }
            let mut looks: Vec<Millis> = looks.into_iter().map(|after| start + after).chain([now]).collect();
            looks.sort_unstable();
            let mut before: Option<State> = None;
            for look in looks {
                let state = evaluate(&policy, &events, look).expect("state");
                if let Some(before) = &before {
                    prop_assert!(state.response.consumed >= before.response.consumed);
                    prop_assert!(state.resolution.consumed >= before.resolution.consumed);
                    prop_assert!(state.response.breached >= before.response.breached);
                    prop_assert!(state.resolution.breached >= before.resolution.breached);
                }
                let (_, calendar) = policy.rule(&state.level).expect("rule");
                if let Some(due) = state.resolution.due.filter(|_| state.resolved.is_none()) {
                    let used = |t| calendar.elapsed(start, t, &state.pauses);
                    prop_assert_eq!(used(due), state.resolution.budget);
                    prop_assert!(used(due - 1) < state.resolution.budget);
                }
                before = Some(state);
            }
        }
    }
}
