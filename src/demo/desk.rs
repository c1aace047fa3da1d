//! The desk's tickets: what happened to each, and what is still going to.

use fastrand::Rng;
use serde_json::json;

use super::people::{self, SUPERVISOR};
use super::words::{CHANNELS, EN, HEARD, PAUSES, Theme, ZH};
use crate::calendar::Calendar;
use crate::clock::{DAY, HOUR, MINUTE, Millis, SECOND};
use crate::config::Tickets;
use crate::tickets::actions::{New, What};
use crate::tickets::model::{level_of, office_rules};

/// Who does something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// A colleague, by number.
    Desk(usize),
    /// Whoever looks at the demo.
    Visitor,
    /// The clock, or a message that comes in.
    System,
}

/// What is done.
#[derive(Debug, Clone)]
pub enum Deed {
    /// It is reported.
    New(Box<New>),
    /// It is changed.
    Change(What),
    /// It is the same as another ticket of the plan.
    Into(usize),
}

/// Something that happens to a ticket.
#[derive(Debug, Clone)]
pub struct Step {
    /// When.
    pub at: Millis,
    /// By whom.
    pub who: Who,
    /// The ticket's place in the plan.
    pub ticket: usize,
    /// What.
    pub deed: Deed,
}

/// What becomes of a ticket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// Nobody has touched it.
    Untouched,
    /// Claimed, not answered.
    Claimed,
    /// Claimed and answered.
    Answered,
    /// Answered, then waiting for one of [`PAUSES`].
    Paused(usize),
    /// Answered, and the reporter wrote again.
    Heard,
    /// Resolved and opened again.
    Reopened,
    /// Answered, then found to be worse than thought.
    Raised,
}

/// The tickets of the company, and the chance that makes more of them.
#[derive(Debug)]
pub struct Plan {
    rng: Rng,
    config: Tickets,
    office: Calendar,
    start: Millis,
    /// Tickets so far.
    pub tickets: usize,
    /// Themes that have not come round yet, by language.
    decks: [Vec<usize>; 2],
    steps: Vec<Step>,
}

impl Plan {
    /// The plan of the company that `seed` makes: some 350 tickets up to `start`, and what will become of the open ones.
    pub fn new(config: &Tickets, seed: u64, start: Millis) -> Self {
        let mut plan = Self {
            rng: Rng::with_seed(seed ^ 0x0a5e_7e11),
            config: config.clone(),
            office: Calendar::new(office_rules(config, &[])),
            start,
            tickets: 0,
            decks: [vec![], vec![]],
            steps: vec![],
        };
        plan.past();
        plan.present();
        plan
    }

    /// What happens up to and including `now`, in the order of time; it is no longer part of the plan then.
    pub fn take(&mut self, now: Millis) -> Vec<Step> {
        self.steps.sort_by_key(|s| s.at);
        let due = self.steps.partition_point(|s| s.at <= now);
        self.steps.drain(..due).collect()
    }

    /// The instant `minutes` of the level's own time after `from`.
    fn after(&self, always: bool, from: Millis, minutes: i64) -> Millis {
        let ahead = minutes * MINUTE;
        if always { from + ahead } else { self.office.deadline(from, ahead, &[]).unwrap_or(from + ahead) }
    }

    /// The instant `minutes` of the level's own time before the start.
    fn before(&self, always: bool, minutes: i64) -> Millis {
        let back = minutes * MINUTE;
        if always {
            self.start - back
        } else {
            self.office.offset_before(self.start, back).unwrap_or(self.start - back)
        }
    }

    fn push(&mut self, at: Millis, who: Who, ticket: usize, what: What) {
        self.steps.push(Step { at, who, ticket, deed: Deed::Change(what) });
    }

    /// The next theme of a severity (none: any but urgent), one in five in English; all come round before one comes twice.
    fn theme(&mut self, severity: Option<&str>) -> (&'static Theme, bool) {
        loop {
            let abroad = self.rng.u32(0..5) == 0;
            let (all, deck) = if abroad { (EN, &mut self.decks[1]) } else { (ZH, &mut self.decks[0]) };
            let fits = |n: &usize| severity.map_or(all[*n].severity != "urgent", |s| s == all[*n].severity);
            if deck.iter().filter(|n| fits(n)).count() == 0 {
                let mut fresh: Vec<usize> = (0..all.len()).filter(|n| fits(n)).collect();
                self.rng.shuffle(&mut fresh);
                deck.extend(fresh);
            }
            if let Some(theme) = deck.iter().position(fits).map(|at| deck.remove(at)) {
                return (&all[theme], abroad);
            }
        }
    }

    /// The level's budgets in minutes, and whether its clock never stands.
    fn budgets(&self, theme: &Theme) -> (i64, i64, bool) {
        let level = level_of(&self.config, theme.scope, theme.severity);
        self.config.levels.get(&level).map_or((120, 480, false), |l| {
            (l.response.millis() / MINUTE, l.resolution.millis() / MINUTE, l.calendar == "always")
        })
    }

    /// Texts of one report, with the same number and colleague in all of them.
    fn filled(&mut self, texts: [&str; 2]) -> [String; 2] {
        let number = format!("{}{:06}", ["BX", "CG", "HT", "GW", "YY"][self.rng.usize(..5)], self.rng.u32(1..9_000));
        let who = people::name(self.rng.usize(..640));
        texts.map(|text| text.replace("{n}", &number).replace("{who}", &who))
    }

    /// A report at `at`; its place in the plan.
    fn report(&mut self, theme: &Theme, abroad: bool, at: Millis, reported_at: Option<Millis>) -> usize {
        let ticket = self.tickets;
        self.tickets += 1;
        let channel = CHANNELS[if theme.severity == "urgent" { 5 } else { self.rng.usize(..5) }];
        let [title, body] = self.filled([theme.title, theme.body]);
        let new = New {
            title,
            body,
            scope: theme.scope.into(),
            severity: theme.severity.into(),
            channel: channel.into(),
            reporter: people::reporter(&mut self.rng, abroad),
            late_reason: reported_at.map(|_| "电话登记，系统当时不可用".to_owned()),
            reported_at: Some(reported_at.unwrap_or(at - self.rng.i64(0..4) * MINUTE)),
            ..New::default()
        };
        let who = if channel == "phone" || channel == "walk_in" { Who::Desk(self.rng.usize(..5)) } else { Who::System };
        self.steps.push(Step { at, who, ticket, deed: Deed::New(Box::new(new)) });
        // the desk's own clock looks in where something passes
        let (response, resolution, always) = self.budgets(theme);
        let from = reported_at.unwrap_or(at);
        for minutes in [response, resolution].into_iter().flat_map(|all| [all * 3 / 4, all, all * 3 / 2]) {
            let mark = self.after(always, from, minutes).max(at) + 5 * SECOND;
            if mark <= self.start {
                self.push(mark, Who::System, ticket, What::Tick);
            }
        }
        ticket
    }

    /// A share of `minutes`.
    fn share(&mut self, minutes: i64, from: f64, to: f64) -> i64 {
        ((minutes as f64 * (from + (to - from) * self.rng.f64())) as i64).max(1)
    }

    fn resolve(theme: &Theme) -> What {
        What::Resolve { cause: theme.cause.into(), solution: theme.solution.into() }
    }

    /// What lies behind the desk: 230 tickets of a month, resolved in time or not.
    fn past(&mut self) {
        for n in 0..230 {
            let urgent = n % 23 == 4;
            let (theme, abroad) = self.theme(urgent.then_some("urgent"));
            let (response, resolution, always) = self.budgets(theme);
            let recent = n % 5 == 0;
            let (late_answer, late_end) = (!recent && n % 9 == 3, !recent && n % 8 == 5);
            let whole = if recent { self.rng.i64(90..500) } else { self.rng.i64(19 * 60..21 * 8 * 60) };
            let created = self.before(false, whole);
            let most = if recent { whole - 20 } else { i64::MAX };
            let answer = if late_answer { self.share(response, 1.1, 1.9) } else { self.share(response, 0.05, 0.7) }
                .min(most / 3);
            let end = if late_end { self.share(resolution, 1.1, 1.7) } else { self.share(resolution, 0.3, 0.9) }
                .min(most)
                .max(answer + 2);
            let ticket = self.report(theme, abroad, created, None);
            let who = Who::Desk(self.rng.usize(..6));
            let at = |plan: &Self, minutes: i64| plan.after(always, created, minutes);
            self.push(at(self, answer) - 30 * SECOND, who, ticket, What::Claim);
            if n % 6 == 0 {
                self.push(at(self, answer), who, ticket, What::Call(people::name(n * 3)));
            } else {
                self.push(at(self, answer), who, ticket, What::Reply(theme.reply.into()));
            }
            if n % 2 == 0 {
                self.push(at(self, i64::midpoint(answer, end)), who, ticket, What::Note(theme.note.into()));
            }
            let ended = at(self, end);
            self.push(ended, who, ticket, Self::resolve(theme));
            if n % 19 == 7 && !recent && !always {
                let again = self.after(false, ended, 95);
                self.push(again, who, ticket, What::Reopen);
                self.push(again + MINUTE, who, ticket, What::Reply("抱歉，我们重新检查。".into()));
                let done = self.after(false, again, 70);
                self.push(done, who, ticket, Self::resolve(theme));
            }
            if (late_answer || late_end) && n % 3 == 0 {
                let clock = if late_end { "resolution" } else { "response" };
                let reason = "厂商平台故障期间，已在周会确认".to_owned();
                let at = self.after(false, ended, 60);
                self.push(at, Who::Desk(SUPERVISOR), ticket, What::Excuse { clock: clock.into(), reason });
            }
        }
    }

    /// What lies before the desk now.
    fn present(&mut self) {
        // minutes of age, or of what is left (negative: over) of the clock that counts
        for age in [1, 2, 3, 5, 7, 8, 11, 14, 17, 19, 22, 26] {
            self.open(None, |_, _| age, Fate::Untouched, None);
        }
        for left in [2, 3, 5, 8, 12, 18, 25] {
            let fate = if left % 2 == 0 { Fate::Untouched } else { Fate::Claimed };
            self.open(Some("general"), |response, _| response - left, fate, None);
        }
        for over in [4, 11, 23, 48] {
            self.open(Some("general"), |response, _| response + over, Fate::Untouched, None);
        }
        for (i, left) in [3, 6, 10, 14, 21, 29, 37, 44, 52, 57].into_iter().enumerate() {
            let mine = (i % 4 == 1).then_some(Who::Visitor);
            let severity = if i % 3 == 0 { "important" } else { "general" };
            self.open(Some(severity), |_, resolution| resolution - left, Fate::Answered, mine);
        }
        for (i, over) in [7, 25, 64, 130, 210, 390].into_iter().enumerate() {
            self.open(
                Some("general"),
                |_, resolution| resolution + over,
                Fate::Answered,
                (i == 2).then_some(Who::Visitor),
            );
        }
        for i in 0..30 {
            let part = 0.08 + 0.02 * f64::from(i);
            let mine = (i % 8 == 5).then_some(Who::Visitor);
            let severity = if i % 4 == 0 { "important" } else { "general" };
            self.open(Some(severity), |_, resolution| (resolution as f64 * part) as i64, Fate::Answered, mine);
        }
        for i in 0..18 {
            let age = 200 + 37 * i as i64;
            self.open(Some("general"), |_, _| age, Fate::Paused(i % PAUSES.len()), (i == 4).then_some(Who::Visitor));
        }
        for i in 0..5 {
            self.open(None, |_, resolution| resolution / 2 + 20 * i, Fate::Heard, (i == 1).then_some(Who::Visitor));
        }
        for i in 0..5 {
            self.open(Some("general"), |_, resolution| resolution / 2 + 15 * i, Fate::Reopened, None);
        }
        for i in 0..4 {
            self.open(Some("general"), |_, _| 90 + 30 * i, Fate::Raised, None);
        }
        for age in [4, 12, 24, 58, 97] {
            let fate = if age > 30 { Fate::Answered } else { Fate::Untouched };
            self.open(Some("urgent"), |_, _| age, fate, None);
        }
        for late in [20, 45, 90, 150] {
            self.born_late(late);
        }
        self.storm();
    }

    /// An open ticket of an age, given the budgets of its level in minutes.
    fn open(&mut self, severity: Option<&str>, age: impl Fn(i64, i64) -> i64, fate: Fate, mine: Option<Who>) -> usize {
        let (theme, abroad) = self.theme(severity);
        let (response, resolution, always) = self.budgets(theme);
        let age = age(response, resolution);
        let created = self.before(always, age);
        let ticket = self.report(theme, abroad, created, None);
        self.live(theme, ticket, created, fate, mine);
        ticket
    }

    /// What happens to a ticket of a fate, past and to come.
    fn live(&mut self, theme: &Theme, ticket: usize, created: Millis, fate: Fate, mine: Option<Who>) {
        let (response, resolution, always) = self.budgets(theme);
        let who = mine.unwrap_or(Who::Desk(self.rng.usize(..5)));
        let age = if always {
            (self.start - created) / MINUTE
        } else {
            self.office.elapsed(created, self.start, &[]) / MINUTE
        };
        let answer = self.share(response, 0.1, 0.7).min(age * 2 / 3);
        let middle = i64::midpoint(answer, age);
        let at = |plan: &Self, minutes: i64| plan.after(always, created, minutes);
        let soon = |plan: &mut Self, from: i64, to: i64| {
            let minutes = plan.rng.i64(from..to);
            plan.after(always, plan.start, minutes)
        };
        if fate != Fate::Untouched {
            if ticket.is_multiple_of(5) && mine.is_none() {
                let Who::Desk(n) = who else { return };
                let to = Some(people::DESK[n].0.to_owned());
                self.push(at(self, answer / 2), Who::Desk(SUPERVISOR), ticket, What::Assign(to));
            } else {
                self.push(at(self, answer / 2), who, ticket, What::Claim);
            }
        }
        if !matches!(fate, Fate::Untouched | Fate::Claimed) {
            self.push(at(self, answer), who, ticket, What::Reply(theme.reply.into()));
            if ticket.is_multiple_of(3) {
                self.push(at(self, middle), who, ticket, What::Note(theme.note.into()));
            }
        }
        match fate {
            Fate::Untouched | Fate::Claimed => {
                // one in five is forgotten, so that clocks are breached while one looks
                if ticket % 5 != 1 {
                    let at = soon(self, 1, 60);
                    if fate == Fate::Untouched {
                        self.push(at, who, ticket, What::Claim);
                    }
                    self.push(at + 2 * MINUTE, who, ticket, What::Reply(theme.reply.into()));
                    let end = soon(self, 62, 62 + resolution / 2);
                    self.push(end, who, ticket, Self::resolve(theme));
                }
            }
            Fate::Paused(n) => {
                let (reason, note) = PAUSES[n];
                let until = if n == 0 { soon(self, 3, 30) } else { self.start + DAY + self.rng.i64(0..20) * HOUR };
                let what = What::Pause { reason: reason.into(), until, note: note.into() };
                self.push(at(self, middle) + MINUTE, who, ticket, what);
                if reason == "waiting_user" && ticket.is_multiple_of(2) {
                    let (at, message) = (soon(self, 5, 90), self.message());
                    self.push(at, Who::System, ticket, message);
                }
            }
            Fate::Heard => {
                let message = self.message();
                self.push(at(self, middle) + 2 * MINUTE, Who::System, ticket, message);
            }
            Fate::Reopened => {
                self.push(at(self, age * 2 / 3), who, ticket, Self::resolve(theme));
                self.push(at(self, age * 5 / 6), who, ticket, What::Reopen);
            }
            Fate::Raised => {
                let reason = "波及整个部门，且月底结账".to_owned();
                let what = What::Level { scope: "department".into(), severity: "important".into(), reason };
                self.push(at(self, middle) + 2 * MINUTE, Who::Desk(SUPERVISOR), ticket, what);
            }
            Fate::Answered => {}
        }
        let goes_on = matches!(fate, Fate::Answered | Fate::Heard | Fate::Reopened | Fate::Raised);
        if goes_on && mine.is_none() && ticket % 4 != 2 {
            let end = soon(self, 4, 240);
            self.push(end, who, ticket, Self::resolve(theme));
        }
        if ticket % 11 == 3 && fate == Fate::Answered {
            let snapshot = json!({"cpu": 95.4, "memory": 61.0, "load1": 12.2});
            let what = What::Link { kind: "host".into(), subject: "oa-flow-02.sh".into(), snapshot };
            self.push(at(self, middle) + 3 * MINUTE, who, ticket, what);
        }
    }

    fn message(&mut self) -> What {
        let text = HEARD[self.rng.usize(..HEARD.len())].to_owned();
        let from = people::reporter(&mut self.rng, false);
        What::UserMessage { from, text }
    }

    /// A report that was entered when its answer was overdue by `late` minutes already.
    fn born_late(&mut self, late: i64) {
        let (theme, abroad) = self.theme(Some("general"));
        let (response, _, always) = self.budgets(theme);
        let created = self.before(always, 12 + late / 10);
        let reported = self.before(always, 12 + late / 10 + response + late);
        let ticket = self.report(theme, abroad, created, Some(reported));
        self.live(theme, ticket, created, Fate::Untouched, None);
    }

    /// One outage, reported by many: the desk merges them.
    fn storm(&mut self) {
        let theme = &ZH[6];
        let created = self.start - 41 * MINUTE;
        let first = self.report(theme, false, created, None);
        let who = Who::Desk(0);
        self.push(created + 2 * MINUTE, who, first, What::Claim);
        self.push(created + 3 * MINUTE, who, first, What::Reply(theme.reply.into()));
        self.push(created + 9 * MINUTE, Who::Desk(3), first, What::Note(theme.note.into()));
        for n in 0..9 {
            let at = created + (4 + n) * MINUTE;
            let ticket = self.report(theme, false, at, None);
            let merge = Step { at: at + 3 * MINUTE, who, ticket, deed: Deed::Into(first) };
            self.steps.push(merge);
        }
    }

    /// A report that comes in while one looks, with what will become of it.
    pub fn arrival(&mut self, at: Millis) {
        let urgent = self.rng.u32(0..40) == 0;
        let (theme, abroad) = self.theme(urgent.then_some("urgent"));
        let ticket = self.report(theme, abroad, at, None);
        // what becomes of it is told from now on
        let start = std::mem::replace(&mut self.start, at);
        self.live(theme, ticket, at, Fate::Untouched, None);
        self.start = start;
    }
}
