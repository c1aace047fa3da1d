//! SLA clocks as a pure function of (events, policy, now).
//!
//! The response clock never pauses and freezes at the first human public contact. The resolution clock leaves out
//! pauses and resolved..reopened stretches. A clock is breached when more than its budget has been consumed, strictly;
//! a breach latches. A change of level keeps start and pauses and brings new budgets and a new calendar.

use std::collections::BTreeMap;

use crate::calendar::Calendar;
use crate::clock::Millis;

/// What a level promises.
#[derive(Debug, Clone, PartialEq)]
pub struct Target {
    /// Open milliseconds until the first answer.
    pub response: Millis,
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
    /// First human public contact.
    Respond,
    /// The clock waits.
    Pause,
    /// It goes on.
    Resume,
    /// Another level.
    Level(String),
    /// Solved.
    Resolve,
    /// Not solved after all.
    Reopen,
    /// Another ticket turned out to be the same matter.
    Join(Joined),
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

/// A ticket's clocks at an instant.
#[derive(Debug, Clone, PartialEq)]
pub struct State {
    /// Level in force.
    pub level: String,
    /// When the clocks started.
    pub reported_at: Millis,
    /// First answer.
    pub response: ClockState,
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

/// The clocks after the events up to and including `now`.
///
/// # Errors
/// When the first event is no report, or a level or calendar does not exist; a sentence naming it.
pub fn evaluate(policy: &Policy, events: &[Event], now: Millis) -> Result<State, String> {
    let seen: Vec<&Event> = events.iter().filter(|e| e.at <= now).collect();
    let Some((first, rest)) = seen.split_first() else { return Err("there is no event yet".into()) };
    let Step::Reported { level, reported_at } = &first.step else {
        return Err("the first event must be `reported`".into());
    };
    let mut run = Run {
        policy,
        level: level.clone(),
        start: *reported_at,
        responded: None,
        frozen: None,
        pauses: vec![],
        waiting: None,
        resolved: None,
        breached: [false; 2],
    };
    run.latch(first.at)?;
    let born_late = run.breached[0];
    for event in rest {
        run.latch(event.at)?;
        run.step(&event.step, event.at)?;
        run.latch(event.at)?;
    }
    run.latch(now)?;
    run.state(now, born_late)
}

struct Run<'a> {
    policy: &'a Policy,
    level: String,
    start: Millis,
    responded: Option<Millis>,
    /// Outcome of the response clock: budget and consumption when it was stopped.
    frozen: Option<(Millis, Millis, Option<Millis>)>,
    pauses: Vec<(Millis, Millis)>,
    waiting: Option<Millis>,
    resolved: Option<Millis>,
    /// Response, resolution.
    breached: [bool; 2],
}

impl Run<'_> {
    fn target(&self) -> Result<(&Target, &Calendar), String> {
        let target =
            self.policy.levels.get(&self.level).ok_or_else(|| format!("no level `{}` in the policy", self.level))?;
        let calendar = self.policy.calendars.get(&target.calendar);
        Ok((target, calendar.ok_or_else(|| format!("no calendar `{}`", target.calendar))?))
    }

    fn pauses_until(&self, now: Millis) -> Vec<(Millis, Millis)> {
        let mut all = self.pauses.clone();
        all.extend(self.waiting.into_iter().chain(self.resolved).map(|from| (from, now.max(from))));
        all
    }

    fn latch(&mut self, now: Millis) -> Result<(), String> {
        let (target, calendar) = self.target()?;
        let response = self.responded.is_none() && calendar.elapsed(self.start, now, &[]) > target.response;
        let resolution = calendar.elapsed(self.start, now, &self.pauses_until(now)) > target.resolution;
        self.breached[0] |= response;
        self.breached[1] |= resolution;
        Ok(())
    }

    fn respond(&mut self, at: Millis) -> Result<(), String> {
        if self.responded.is_none() {
            let (target, calendar) = self.target()?;
            let used = calendar.elapsed(self.start, at, &[]);
            self.frozen = Some((target.response, used, calendar.deadline(self.start, target.response, &[])));
            self.responded = Some(at);
        }
        Ok(())
    }

    fn step(&mut self, step: &Step, at: Millis) -> Result<(), String> {
        match step {
            Step::Reported { .. } => return Err("`reported` may come only once".into()),
            Step::Respond => self.respond(at)?,
            Step::Pause if self.resolved.is_none() => _ = self.waiting.get_or_insert(at),
            Step::Resume => self.pauses.extend(self.waiting.take().map(|from| (from, at))),
            Step::Level(level) => {
                self.level.clone_from(level);
                self.target()?;
            }
            Step::Resolve => {
                // solved straight from a pause: the pause is deducted all the same
                self.pauses.extend(self.waiting.take().map(|from| (from, at)));
                self.resolved.get_or_insert(at);
            }
            Step::Reopen => self.pauses.extend(self.resolved.take().map(|from| (from, at))),
            Step::Join(other) => self.join(other, at),
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

    fn state(&self, now: Millis, born_late: bool) -> Result<State, String> {
        let (target, calendar) = self.target()?;
        let instants = |budget: Millis, pauses: &[(Millis, Millis)], runs: bool| {
            let after = |b| calendar.deadline(self.start, b, pauses);
            let due = after(budget);
            let breaches = runs.then(|| after(budget + 1).map(|t| t - 1)).flatten();
            (due, breaches, runs.then(|| after(budget * 3 / 4)).flatten())
        };
        let provisional = |due: Option<Millis>| due.is_some_and(|d| calendar.is_provisional(self.start, d));
        let response = match self.frozen {
            Some((budget, consumed, due)) => ClockState {
                budget,
                consumed,
                due,
                breaches_after: None,
                risk_from: None,
                stopped: self.responded,
                breached: self.breached[0],
                provisional: provisional(due),
            },
            None => {
                let (due, breaches_after, risk_from) = instants(target.response, &[], true);
                let consumed = calendar.elapsed(self.start, now, &[]);
                ClockState {
                    budget: target.response,
                    consumed,
                    due,
                    breaches_after,
                    risk_from,
                    stopped: None,
                    breached: self.breached[0],
                    provisional: provisional(due),
                }
            }
        };
        let pauses = self.pauses_until(now);
        let runs = self.waiting.is_none() && self.resolved.is_none();
        let (due, breaches_after, risk_from) = instants(target.resolution, &self.pauses, runs);
        let due = if self.waiting.is_some() { None } else { due };
        let resolution = ClockState {
            budget: target.resolution,
            consumed: calendar.elapsed(self.start, now, &pauses),
            due,
            breaches_after,
            risk_from,
            stopped: self.resolved,
            breached: self.breached[1],
            provisional: provisional(due),
        };
        Ok(State {
            level: self.level.clone(),
            reported_at: self.start,
            response,
            resolution,
            paused: self.waiting.is_some(),
            resolved: self.resolved,
            pauses,
            born_late,
        })
    }
}
