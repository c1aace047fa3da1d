//! The application: one owner of all state. Messages in, work out, drawn when something visible changed.
//!
//! Here: the state, and what it does with what arrives. [`super::input`] has what it does with keys, [`super::frame`]
//! how it looks.

use std::collections::HashMap;

use crossterm::event::KeyEvent;

use super::duty::OnDuty;
use super::form::FormLayer;
use super::keymap::Keymap;
use super::layer::Layer;
use super::offer::{Ask, PAUSE};
use super::tab::{Compare, Errand, Load, Snapshot, Tab, Task};
use super::undo::{Batch, Came};
use crate::action::{Actor, Outcome};
use crate::clock::{MINUTE, Millis, SECOND};
use crate::config::DeskCommand;
use crate::locale::console as say;
use crate::store::feed::News;
use crate::tui::theme::Role;

/// How long a message stands.
const MESSAGE: Millis = 8 * SECOND;
/// Messages kept for looking back.
const TOLD: usize = 200;
/// How long the cursor rests before more is read of what is under it.
const REST: Millis = 250;
/// How often a tab tells other sessions what is open here.
const BEAT: Millis = 5 * SECOND;
/// How often the wall asks who is on duty.
const DUTY: Millis = MINUTE;

/// What reaches the application.
pub enum Msg {
    /// A key.
    Key(KeyEvent),
    /// Pasted text.
    Paste(String),
    /// The mouse: the wheel, or a click at column and row.
    Mouse(Mouse),
    /// A tab's snapshot, or why there is none.
    Loaded(usize, Result<Snapshot, String>),
    /// A value for a tab that comes without being asked for.
    Push(usize, Snapshot),
    /// The live feed.
    News(News),
    /// What came of an errand.
    Told(Result<String, String>),
    /// What came of actions.
    Acted(Batch, Came),
    /// The text that the editor gave back, or why none.
    Edited(Result<String, String>),
    /// The answer to the question of this number that a form asked.
    Offered(u64, Result<Vec<(String, String)>, String>),
    /// What somebody else changed, for the form of this number.
    Compared(u64, Result<Vec<String>, String>),
    /// What a tab heard of other sessions.
    Heard(usize, Result<Snapshot, String>),
    /// A command of the configuration was noted in the journal, or refused.
    Noted(Task, Result<(), String>),
    /// A command in the background ended: its name, how, and what it said; or why it did not begin.
    Ran(String, Result<(String, Vec<String>), String>),
    /// A command has given the terminal back; how it ended, or why it did not begin.
    Back(Result<String, String>),
    /// Who is on duty.
    OnDuty(Result<Vec<OnDuty>, String>),
    /// How long the store took to answer, in milliseconds.
    Latency(f64),
    /// Something of the program itself failed; a sentence.
    Fault(String),
    /// The time has come to look at the clock.
    Tick,
}

/// What the mouse did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mouse {
    /// The wheel, away from the user.
    Up,
    /// The wheel, towards the user.
    Down,
    /// A click at this column and row.
    Click(u16, u16),
}

/// Work for outside the UI task.
pub(super) enum Work {
    Load(usize, Load),
    Errand(Errand),
    /// A load that nobody waits for: what it gives is pushed.
    Beside(usize, Load),
    Act(Batch),
    Copy(String),
    Mouse(bool),
    Bell,
    /// Hand this text to the editor.
    Edit(String),
    /// Stop for the shell.
    Suspend,
    Redraw,
    /// Ask who is on duty.
    Duty,
    /// A form's question, under this number.
    Ask(u64, Ask),
    /// Find out what somebody else changed, for the form of this number.
    Compare(u64, Compare),
    /// What a tab tells other sessions, and hears of them.
    Beat(usize, Load),
    /// Note in the journal that this command runs, if its operator may.
    Note(Task),
    /// Run it without the terminal.
    Background(Task),
    /// Give it the terminal.
    HandOver(Task),
}

/// A tab and how its data stand.
pub(super) struct Seat {
    pub(super) tab: Box<dyn Tab>,
    loading: bool,
    again: bool,
    pub(super) loaded_at: Millis,
    /// Loads that failed since the last good one, and when the next is tried.
    failed: u32,
    retry_at: Millis,
}

impl Seat {
    /// How old its data are beyond what is normal: `None` while they are as fresh as they should be.
    pub(super) fn stale(&self, now: Millis, least: Millis) -> Option<Millis> {
        let every = self.tab.refresh()?.max(least);
        let age = now - self.loaded_at;
        (self.tab.is_loaded() && self.loaded_at > 0 && age > 2 * every + 2 * least.max(SECOND)).then_some(age)
    }

    /// The next instant at which a load is due by time, `least` after the one before.
    fn due(&self, least: Millis) -> Option<Millis> {
        if self.loading {
            return None;
        }
        if self.failed > 0 {
            return Some(self.retry_at);
        }
        self.tab.refresh().map(|every| self.loaded_at + every.max(least))
    }
}

/// The application.
pub struct App {
    pub(super) seats: Vec<Seat>,
    pub(super) active: usize,
    pub(super) layers: Vec<Layer>,
    pub(super) actor: Actor,
    pub(super) store_line: String,
    pub(super) latency: Option<u32>,
    pub(super) read_only: bool,
    pub(super) wall: Option<Millis>,
    pub(super) zone: chrono_tz::Tz,
    /// Seconds of shown time that a second at the keyboard lasts.
    pub(super) pace: f64,
    pub(super) message: Option<(String, Role, Millis)>,
    /// Messages that have stood there, the last last.
    pub(super) told: std::collections::VecDeque<(Millis, String)>,
    /// Whether long text can be handed to an editor.
    pub(super) editor: bool,
    /// Whether a shell waits to which the terminal can be given for a while.
    pub(super) can_suspend: bool,
    /// Whether no other program may be started from here.
    pub(super) confined: bool,
    /// Commands of the configuration.
    pub(super) desk: Vec<DeskCommand>,
    pub(super) on_duty: Vec<OnDuty>,
    duty_at: Option<Millis>,
    pub(super) typed: String,
    /// Steps that can be taken back, and those that can be done again; each is what one key did.
    pub(super) undo: Vec<Vec<Outcome>>,
    pub(super) redo: Vec<Vec<Outcome>>,
    pub(super) session: Vec<(Millis, String)>,
    pub(super) lost: Option<Millis>,
    /// When the store last answered anything.
    pub(super) contact: Millis,
    /// Answers counted: the wall shows with it that it is alive.
    pub(super) beats: usize,
    /// What was typed and not sent, by the title of its form.
    pub(super) drafts: HashMap<String, Vec<String>>,
    /// Forms that were sent and may come back, by their numbers.
    pub(super) outgoing: HashMap<u64, Box<FormLayer>>,
    /// Questions that forms have asked, and forms that were sent: their numbers.
    pub(super) questions: u64,
    /// When the wall first saw a problem.
    pub(super) seen: HashMap<String, Millis>,
    /// Tabs whose problems the wall has looked at.
    pub(super) noticed: std::collections::HashSet<usize>,
    /// Where the tabs stand in the header, for the mouse.
    pub(super) header_tabs: Vec<(std::ops::Range<u16>, usize)>,
    /// When a held order is due to change.
    held_until: Option<Millis>,
    pub(super) mouse: bool,
    pub(super) keymap: Keymap,
    pub(super) work: Vec<Work>,
    drawn: Millis,
    /// Whether something visible changed since the last frame.
    pub(super) dirty: bool,
    /// Whether the last frame had no room for rows.
    pub(super) too_small: bool,
    /// Whether it is time to leave.
    pub(super) quit: bool,
}

/// What [`App::new`] is told.
pub struct Setup {
    /// The tabs.
    pub tabs: Vec<Box<dyn Tab>>,
    /// The tab to open first.
    pub active: usize,
    /// Who sits here.
    pub actor: Actor,
    /// The store, as the header shows it.
    pub store_line: String,
    /// Whether every change is refused here.
    pub read_only: bool,
    /// Wall mode, with how long a page of its rotating part stays.
    pub wall: Option<Millis>,
    /// The zone of shown times.
    pub zone: chrono_tz::Tz,
    /// Seconds of shown time that a second at the keyboard lasts: 1, but for the demo.
    pub pace: f64,
    /// Whether the mouse is captured.
    pub mouse: bool,
    /// Whether there is an editor for long text.
    pub editor: bool,
    /// Whether a shell waits behind the console.
    pub can_suspend: bool,
    /// Whether the operator was given this console and nothing else: no other program is started.
    pub confined: bool,
    /// Commands of the configuration.
    pub desk: Vec<DeskCommand>,
    /// Key bindings of the configuration; those that cannot be are left out (see [`super::wrong_keys`]).
    pub keys: crate::config::Keys,
}

impl App {
    /// An application that has not drawn yet; the active tab's first snapshot is asked for.
    pub fn new(setup: Setup, now: Millis) -> Self {
        let (keymap, _) = Keymap::new(setup.tabs.iter().map(AsRef::as_ref), &setup.keys, &setup.desk);
        let seat = |tab| Seat { tab, loading: false, again: false, loaded_at: 0, failed: 0, retry_at: 0 };
        let mut app = Self {
            seats: setup.tabs.into_iter().map(seat).collect(),
            active: 0,
            layers: vec![],
            actor: setup.actor,
            store_line: setup.store_line,
            latency: None,
            read_only: setup.read_only,
            wall: setup.wall,
            zone: setup.zone,
            pace: setup.pace,
            message: None,
            told: std::collections::VecDeque::new(),
            editor: setup.editor && !setup.read_only,
            can_suspend: setup.can_suspend,
            confined: setup.confined,
            desk: setup.desk,
            on_duty: vec![],
            duty_at: None,
            typed: String::new(),
            undo: vec![],
            redo: vec![],
            session: vec![],
            lost: None,
            contact: now,
            beats: 0,
            drafts: HashMap::new(),
            outgoing: HashMap::new(),
            questions: 0,
            seen: HashMap::new(),
            noticed: std::collections::HashSet::new(),
            header_tabs: vec![],
            held_until: None,
            mouse: setup.mouse,
            keymap,
            work: vec![],
            drawn: now,
            dirty: true,
            too_small: false,
            quit: false,
        };
        app.active = setup.active.min(app.seats.len().saturating_sub(1));
        app.load(app.active, now);
        app
    }

    /// Asks for the snapshots of the tabs that were not asked yet (their counts stand in the header).
    pub fn load_rest(&mut self, now: Millis) {
        for i in 0..self.seats.len() {
            if !self.seats[i].tab.is_loaded() {
                self.load(i, now);
            }
        }
    }

    /// Whether the first snapshot of the open tab is there.
    pub(super) fn is_ready(&self) -> bool {
        self.seats.get(self.active).is_none_or(|s| s.tab.is_loaded())
    }

    /// The shown time that passes while `ms` pass at the keyboard.
    pub(super) fn shown(&self, ms: Millis) -> Millis {
        (ms as f64 * self.pace) as Millis
    }

    /// Whether tab `i` is on the screen.
    pub(super) fn shows(&self, i: usize) -> bool {
        i == self.active || self.wall.is_some()
    }

    /// Asks for everything anew.
    pub(super) fn reload(&mut self, i: usize, now: Millis) {
        if let Some(seat) = self.seats.get_mut(i) {
            seat.tab.stale();
        }
        self.load(i, now);
    }

    /// Asks for a snapshot of tab `i`: one running, one pending.
    pub(super) fn load(&mut self, i: usize, now: Millis) {
        let Some(seat) = self.seats.get_mut(i) else { return };
        if seat.loading {
            seat.again = true;
            return;
        }
        seat.loading = true;
        self.work.push(Work::Load(i, seat.tab.load(now)));
    }

    /// The work that has come up since the last call.
    pub(super) fn take_work(&mut self) -> Vec<Work> {
        std::mem::take(&mut self.work)
    }

    pub(super) fn say(&mut self, text: String, role: Role, now: Millis) {
        if role != Role::Dim && self.told.back().is_none_or(|(_, last)| *last != text) {
            if self.told.len() == TOLD {
                self.told.pop_front();
            }
            self.told.push_back((now, text.clone()));
        }
        self.message = Some((text, role, now));
        self.dirty = true;
    }

    /// Takes a message.
    pub fn update(&mut self, msg: Msg, now: Millis) {
        match msg {
            Msg::Key(key) => self.key(&key, now),
            Msg::Paste(text) => {
                // without a field it is not taken for keys
                match self.layers.last_mut() {
                    Some(layer) => layer.paste(&text),
                    None => self.say(say::paste_nowhere(), Role::Dim, now),
                }
                self.dirty = true;
            }
            Msg::Mouse(mouse) => self.moused(mouse, now),
            Msg::Loaded(i, result) => self.loaded(i, result, now),
            Msg::Push(i, snapshot) => {
                if let Some(seat) = self.seats.get_mut(i) {
                    seat.tab.arrived(snapshot, now);
                    self.dirty |= i == self.active || self.wall.is_some();
                    self.note_hold();
                }
            }
            Msg::News(news) => self.news(news, now),
            Msg::Told(Ok(text)) => self.say(crate::text::clean(&text).into_owned(), Role::Ok, now),
            Msg::Told(Err(why)) => self.say(crate::text::clean(&why).into_owned(), Role::Critical, now),
            Msg::Acted(batch, came) => self.acted(batch, came, now),
            Msg::Edited(text) => self.edited(text, now),
            Msg::Offered(number, Ok(items)) => {
                let form =
                    self.layers.iter_mut().find_map(|l| if let Layer::Form(form) = l { Some(form) } else { None });
                self.dirty |= form.is_some_and(|form| form.found(number, items));
            }
            // the form works without
            Msg::Offered(_, Err(why)) => tracing::warn!("not found for a form: {why}"),
            Msg::Compared(number, lines) => self.compared(number, lines, now),
            Msg::Heard(i, Ok(snapshot)) => {
                let changed = self.seats.get_mut(i).is_some_and(|seat| seat.tab.heard(snapshot, now));
                self.dirty |= changed && i == self.active;
            }
            // it is tried again with the next
            Msg::Heard(_, Err(why)) => tracing::warn!("presence: {why}"),
            Msg::Noted(task, noted) => self.noted(task, noted, now),
            Msg::Ran(name, came) => self.ran(&name, came, now),
            Msg::Back(Ok(how)) => self.say(how, Role::Info, now),
            Msg::Back(Err(why)) => self.say(why, Role::Critical, now),
            Msg::OnDuty(who) => {
                // who was on duty before is as likely as anybody while the store is away
                if let Ok(who) = who {
                    self.on_duty = who;
                    self.dirty = true;
                }
            }
            Msg::Latency(ms) => {
                // shown with the next frame: a figure that trembles is not worth one of its own
                self.latency = Some(rough(ms));
                self.touch_store(now);
            }
            Msg::Fault(why) => self.say(why, Role::Critical, now),
            Msg::Tick => self.tick(now),
        }
        if let Some(Layer::Form(form)) = self.layers.last_mut() {
            form.heed(now);
        }
        if self.wall.is_none() {
            self.beat(now);
        }
    }

    /// Lets the tabs tell what is open here.
    fn beat(&mut self, now: Millis) {
        let every = self.shown(BEAT);
        let writes = self.layers.iter().find_map(|l| if let Layer::Form(form) = l { form.about() } else { None });
        for (i, seat) in self.seats.iter_mut().enumerate() {
            let load = seat.tab.beat(i == self.active, writes, every, now);
            self.work.extend(load.map(|load| Work::Beat(i, load)));
        }
    }

    /// What is to be told when the console is left.
    pub(super) fn leave(&mut self, now: Millis) -> Vec<Load> {
        self.seats.iter_mut().filter_map(|seat| seat.tab.beat(false, None, 0, now)).collect()
    }

    fn touch_store(&mut self, now: Millis) {
        self.contact = now;
        self.beats = self.beats.wrapping_add(1);
        self.dirty |= self.wall.is_some();
    }

    fn loaded(&mut self, i: usize, result: Result<Snapshot, String>, now: Millis) {
        let Some(seat) = self.seats.get_mut(i) else { return };
        seat.loading = false;
        match result {
            Ok(snapshot) => {
                seat.tab.arrived(snapshot, now);
                seat.loaded_at = now;
                seat.failed = 0;
                self.dirty = true;
                self.note_hold();
                self.touch_store(now);
                if self.lost.take().is_some() {
                    self.say(say::store_back(), Role::Ok, now);
                }
                if self.wall.is_some() {
                    self.notice_problems(now);
                }
            }
            Err(why) => {
                // each failure waits longer than the one before, at most ten seconds, and not all tabs at once
                let wait = (250_i64 << seat.failed.min(6)).min(10 * SECOND) as f64 * self.pace;
                let wait = wait as Millis;
                seat.failed += 1;
                seat.retry_at = now + wait + fastrand::i64(0..=wait / 4);
                tracing::warn!(tab = seat.tab.key(), "{why}");
                // a lost store is told by the feed; anything else here, once
                if self.lost.is_none() && seat.failed == 1 {
                    self.say(why, Role::Critical, now);
                }
            }
        }
        let seat = &mut self.seats[i];
        let again = std::mem::take(&mut seat.again);
        if seat.failed > 0 {
            return;
        }
        if seat.tab.is_unfinished() {
            self.reload(i, now);
        } else if again {
            self.load(i, now);
        }
    }

    fn note_hold(&mut self) {
        self.held_until = self.seats.iter_mut().filter_map(|s| s.tab.list()?.steady().until()).min();
    }

    fn tick(&mut self, now: Millis) {
        if self.looks_different_at(self.drawn.min(now)) <= now {
            self.dirty = true;
        }
        if self.message.as_ref().is_some_and(|(_, _, at)| now - at > (MESSAGE as f64 * self.pace) as Millis) {
            self.message = None;
            self.dirty = true;
        }
        if self.wall.is_some() && self.duty_at.is_none_or(|at| !(0..DUTY).contains(&(now - at))) {
            self.duty_at = Some(now);
            self.work.push(Work::Duty);
        }
        let pause = self.shown(PAUSE);
        if let Some(Layer::Form(form)) = self.layers.last_mut()
            && form.asks_at(pause).is_some_and(|at| at <= now)
        {
            self.questions += 1;
            self.work.extend(form.ask(self.questions).map(|ask| Work::Ask(self.questions, ask)));
        }
        let rest = self.shown(REST);
        if self.wall.is_none()
            && let Some(seat) = self.seats.get_mut(self.active)
            && seat.tab.rests(now).is_some_and(|since| !(0..rest).contains(&(now - since)))
            && let Some(load) = seat.tab.beside(now)
        {
            self.work.push(Work::Beside(self.active, load));
        }
        // asked for once; the list that comes sets it anew
        let released = self.held_until.take_if(|at| *at <= now).is_some();
        for i in 0..self.seats.len() {
            let held = released && self.seats[i].tab.list().is_some_and(|l| l.steady().moves() > 0);
            let due = self.seats[i].due(self.shown(SECOND)).filter(|_| i == self.active || self.wall.is_some());
            if held || due.is_some_and(|at| at <= now) {
                self.reload(i, now);
            }
        }
    }

    fn news(&mut self, news: News, now: Millis) {
        match news {
            News::Changed(topics) => {
                self.touch_store(now);
                for i in 0..self.seats.len() {
                    let seat = &self.seats[i];
                    let old = seat.tab.topics().iter().any(|t| topics.iter().any(|c| c == t));
                    if old && (seat.tab.is_loaded() || seat.loading) {
                        self.reload(i, now);
                    }
                }
            }
            News::Everything => {
                self.touch_store(now);
                (0..self.seats.len()).for_each(|i| self.reload(i, now));
            }
            News::Lost(why) => {
                tracing::warn!("store lost: {why}");
                self.lost.get_or_insert(now);
                self.dirty = true;
            }
            News::Back => {
                self.touch_store(now);
                if self.lost.take().is_some() {
                    self.say(say::store_back(), Role::Ok, now);
                }
            }
        }
    }

    /// The next instant at which something is to be done because of the time.
    pub(super) fn wake(&self, now: Millis) -> Millis {
        let mut next = self.looks_different_at(self.drawn.min(now));
        let mut sooner = |at: Millis| next = next.min(at);
        for (i, seat) in self.seats.iter().enumerate() {
            if i == self.active || self.wall.is_some() {
                seat.due(self.shown(SECOND)).into_iter().for_each(&mut sooner);
            }
        }
        if self.wall.is_none()
            && let Some(since) = self.seats.get(self.active).and_then(|s| s.tab.rests(now))
        {
            sooner(since + self.shown(REST));
        }
        if let Some(at) = self.held_until {
            sooner(at);
        }
        self.seats.iter().filter_map(|seat| seat.tab.beats_at()).for_each(&mut sooner);
        if let Some(Layer::Form(form)) = self.layers.last() {
            form.asks_at(self.shown(PAUSE)).into_iter().for_each(&mut sooner);
        }
        if let Some((_, _, at)) = &self.message {
            sooner(at + self.shown(MESSAGE) + 1);
        }
        // a clock that runs fast must not make the console run: ten looks a second are enough
        next.max(now + if self.pace > 1.0 { self.shown(100) } else { 1 })
    }

    /// The next instant after `from` at which the picture changes by the passing of time alone.
    fn looks_different_at(&self, from: Millis) -> Millis {
        let mut next = from / MINUTE * MINUTE + MINUTE;
        let second = from / SECOND * SECOND + SECOND;
        let mut sooner = |at: Millis| next = next.min(at.max(from + 1));
        for (i, seat) in self.seats.iter().enumerate() {
            if i == self.active || self.wall.is_some() {
                seat.tab.wake(from).into_iter().for_each(&mut sooner);
                let least = self.shown(SECOND);
                if seat.stale(from, least).is_some() {
                    sooner(second);
                } else if let Some(every) = seat.tab.refresh().filter(|_| seat.loaded_at > 0) {
                    sooner(seat.loaded_at + 2 * every.max(least) + 2 * least.max(SECOND) + 1);
                }
            }
        }
        self.layers.last().and_then(|l| l.wake(from)).into_iter().for_each(&mut sooner);
        if self.lost.is_some() || self.wall.is_some() {
            sooner(second);
        }
        next
    }

    /// A frame was drawn at `now`.
    pub(super) fn drawn(&mut self, now: Millis) {
        self.drawn = now;
        self.dirty = false;
    }
}

/// A latency to one meaningful digit, so that the header stands still: 1, 2, 5, 10, 20, 50 …
fn rough(ms: f64) -> u32 {
    let steps = [1, 2, 3, 5, 10, 20, 30, 50, 100, 200, 300, 500, 1_000, 2_000, 5_000, 10_000];
    steps.into_iter().find(|s| f64::from(*s) >= ms).unwrap_or(10_000)
}
