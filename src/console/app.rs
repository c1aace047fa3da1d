//! The application: one owner of all state. Messages in, work out, drawn when something visible changed.

use std::sync::Arc;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::layer::{Layer, Reply};
use super::tab::{Effect, Load, Snapshot, Tab};
use super::wall;
use crate::action::{Action, Actor, Outcome};
use crate::clock::{MINUTE, Millis, SECOND};
use crate::locale::console as say;
use crate::store::feed::News;
use crate::text;
use crate::tui::command::{Command, Lookup, key_text, lookup};
use crate::tui::countdown;
use crate::tui::paint::Brush;
use crate::tui::theme::{Role, Theme};

/// What reaches the application.
pub enum Msg {
    /// A key.
    Key(KeyEvent),
    /// Pasted text.
    Paste(String),
    /// A tab's snapshot, or why there is none.
    Loaded(usize, Result<Snapshot, String>),
    /// A value for a tab that comes without being asked for.
    Push(usize, Snapshot),
    /// The live feed.
    News(News),
    /// What came of actions: those done, and why the next was not.
    Acted(Vec<Outcome>, Option<String>, Kind),
    /// The time has come to look at the clock.
    Tick,
}

/// Which way an action goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Asked for by a key.
    Do,
    /// Takes one back.
    Undo,
    /// Does one again.
    Redo,
}

/// Work for outside the UI task.
pub(super) enum Work {
    Load(usize, Load),
    Act(Vec<Arc<dyn Action>>, Kind),
    Copy(String),
    Mouse(bool),
}

const GLOBALS: &[Command] = &[
    Command { name: "down", keys: &["j", "down"], doc: say::key_down, mutates: false },
    Command { name: "up", keys: &["k", "up"], doc: say::key_up, mutates: false },
    Command { name: "page_down", keys: &["ctrl-d", "pagedown"], doc: say::key_page_down, mutates: false },
    Command { name: "page_up", keys: &["ctrl-u", "pageup"], doc: say::key_page_up, mutates: false },
    Command { name: "top", keys: &["g g", "home"], doc: say::key_top, mutates: false },
    Command { name: "bottom", keys: &["G", "end"], doc: say::key_bottom, mutates: false },
    Command { name: "left", keys: &["h", "left"], doc: say::key_left, mutates: false },
    Command { name: "right", keys: &["l", "right"], doc: say::key_right, mutates: false },
    Command { name: "open", keys: &["enter"], doc: say::key_open, mutates: false },
    Command { name: "search", keys: &["/"], doc: say::key_search, mutates: false },
    Command { name: "explain", keys: &["E"], doc: say::key_explain, mutates: false },
    Command { name: "undo", keys: &["u"], doc: say::key_undo, mutates: true },
    Command { name: "redo", keys: &["U"], doc: say::key_redo, mutates: true },
    Command { name: "session", keys: &["@"], doc: say::key_session, mutates: false },
    Command { name: "help", keys: &["?"], doc: say::key_help, mutates: false },
    Command { name: "palette", keys: &[":"], doc: say::key_palette, mutates: false },
    Command { name: "next_tab", keys: &["tab"], doc: say::key_next_tab, mutates: false },
    Command { name: "prev_tab", keys: &["backtab"], doc: say::key_prev_tab, mutates: false },
    Command { name: "mouse", keys: &["f12"], doc: say::key_mouse, mutates: false },
    Command { name: "back", keys: &["esc"], doc: say::key_back, mutates: false },
    Command { name: "quit", keys: &["q", "ctrl-c"], doc: say::key_quit, mutates: false },
];

struct Seat {
    tab: Box<dyn Tab>,
    loading: bool,
    again: bool,
    loaded_at: Millis,
}

/// The application.
pub struct App {
    seats: Vec<Seat>,
    active: usize,
    layers: Vec<Layer>,
    actor: Actor,
    store_line: String,
    read_only: bool,
    wall: Option<Millis>,
    zone: chrono_tz::Tz,
    message: Option<(String, Role, Millis)>,
    typed: String,
    undo: Vec<Outcome>,
    redo: Vec<Outcome>,
    session: Vec<(Millis, String)>,
    lost: Option<Millis>,
    mouse: bool,
    keys: crate::config::Keys,
    work: Vec<Work>,
    /// Whether something visible changed since the last frame.
    pub(super) dirty: bool,
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
    /// Whether the mouse is captured.
    pub mouse: bool,
    /// Key bindings of the configuration.
    pub keys: crate::config::Keys,
}

impl App {
    /// An application that has not drawn yet; the active tab's first snapshot is asked for.
    pub fn new(setup: Setup, now: Millis) -> Self {
        let seat = |tab| Seat { tab, loading: false, again: false, loaded_at: 0 };
        let mut app = Self {
            seats: setup.tabs.into_iter().map(seat).collect(),
            active: 0,
            layers: vec![],
            actor: setup.actor,
            store_line: setup.store_line,
            read_only: setup.read_only,
            wall: setup.wall,
            zone: setup.zone,
            message: None,
            typed: String::new(),
            undo: vec![],
            redo: vec![],
            session: vec![],
            lost: None,
            mouse: setup.mouse,
            keys: setup.keys,
            work: vec![],
            dirty: true,
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

    /// Asks for everything anew.
    fn reload(&mut self, i: usize, now: Millis) {
        self.seats[i].tab.stale();
        self.load(i, now);
    }

    fn load(&mut self, i: usize, now: Millis) {
        let seat = &mut self.seats[i];
        // one running, one pending
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

    fn say(&mut self, text: String, role: Role, now: Millis) {
        self.message = Some((text, role, now));
        self.dirty = true;
    }

    /// Takes a message.
    pub fn update(&mut self, msg: Msg, now: Millis) {
        match msg {
            Msg::Key(key) => self.key(&key, now),
            Msg::Paste(text) => {
                if let Some(layer) = self.layers.last_mut() {
                    layer.paste(&text);
                    self.dirty = true;
                }
            }
            Msg::Loaded(i, result) => {
                let seat = &mut self.seats[i];
                seat.loading = false;
                match result {
                    Ok(snapshot) => {
                        seat.tab.arrived(snapshot, now);
                        seat.loaded_at = now;
                        self.dirty |= true;
                        if self.lost.take().is_some() {
                            self.say(say::store_back(), Role::Ok, now);
                        }
                    }
                    Err(why) => {
                        tracing::warn!(tab = seat.tab.key(), "{why}");
                        // a lost store is told by the feed; anything else here
                        if self.lost.is_none() {
                            self.say(why, Role::Critical, now);
                        }
                    }
                }
                if std::mem::take(&mut self.seats[i].again) {
                    self.load(i, now);
                }
            }
            Msg::Push(i, snapshot) => {
                self.seats[i].tab.arrived(snapshot, now);
                self.dirty |= i == self.active || self.wall.is_some();
            }
            Msg::News(news) => self.news(news, now),
            Msg::Acted(done, why, kind) => self.acted(done, why, kind, now),
            Msg::Tick => {
                self.dirty = true;
                if self.message.as_ref().is_some_and(|(_, _, at)| now - at > 8 * SECOND) {
                    self.message = None;
                }
                for i in 0..self.seats.len() {
                    let seat = &self.seats[i];
                    let seen = i == self.active || self.wall.is_some();
                    if seen && seat.tab.refresh().is_some_and(|every| now - seat.loaded_at >= every) {
                        self.reload(i, now);
                    }
                }
            }
        }
    }

    fn news(&mut self, news: News, now: Millis) {
        match news {
            News::Changed(topics) => {
                for i in 0..self.seats.len() {
                    let seat = &self.seats[i];
                    let old = seat.tab.topics().iter().any(|t| topics.iter().any(|c| c == t));
                    if old && (seat.tab.is_loaded() || seat.loading) {
                        self.reload(i, now);
                    }
                }
            }
            News::Everything => (0..self.seats.len()).for_each(|i| self.reload(i, now)),
            News::Lost(why) => {
                tracing::warn!("store lost: {why}");
                self.lost.get_or_insert(now);
                self.dirty = true;
            }
            News::Back => {
                if self.lost.take().is_some() {
                    self.say(say::store_back(), Role::Ok, now);
                }
            }
        }
    }

    fn acted(&mut self, done: Vec<Outcome>, why: Option<String>, kind: Kind, now: Millis) {
        let count = done.len();
        let last = done.last().map(|o| o.message.clone());
        for outcome in done {
            self.session.push((now, outcome.message.clone()));
            let undone = Outcome { message: outcome.message.clone(), ..outcome };
            match kind {
                Kind::Do | Kind::Redo => self.undo.push(undone),
                Kind::Undo => self.redo.push(undone),
            }
        }
        if kind == Kind::Do {
            self.redo.clear();
        }
        let (text, role) = match (last, why) {
            (_, Some(why)) if count == 0 => (why, Role::Critical),
            (_, Some(why)) => (say::done_in_part(count, count + 1, &why), Role::Critical),
            (Some(last), None) if kind == Kind::Undo => (say::undone(&last), Role::Ok),
            (Some(last), None) if count == 1 => (last, Role::Ok),
            (_, None) => (say::done_many(count), Role::Ok),
        };
        self.say(text, role, now);
        self.reload(self.active, now);
    }

    fn key(&mut self, key: &KeyEvent, now: Millis) {
        self.dirty = true;
        self.message = None;
        if self.wall.is_some() {
            self.quit |= matches!(key.code, KeyCode::Char('q') | KeyCode::Esc)
                || (key.code == KeyCode::Char('c') && key.modifiers.contains(KeyModifiers::CONTROL));
            return;
        }
        if let Some(layer) = self.layers.last_mut() {
            match layer.key(key) {
                Reply::Stay => {}
                Reply::Close => _ = self.layers.pop(),
                Reply::Done(effects) => {
                    self.layers.pop();
                    self.effects(effects, now);
                }
                Reply::Search(text) => {
                    self.layers.pop();
                    let effects = self.seats[self.active].tab.search(&text);
                    self.effects(effects, now);
                }
                Reply::Command(name) => {
                    self.layers.pop();
                    self.command(name, now);
                }
            }
            return;
        }
        let pressed = key_text(key);
        if self.typed.is_empty()
            && let Some(n) = pressed.parse::<usize>().ok().filter(|n| (1..=self.seats.len()).contains(n))
        {
            return self.go_to(n - 1, now);
        }
        let typed = if self.typed.is_empty() { pressed } else { format!("{} {pressed}", self.typed) };
        self.typed.clear();
        match self.bound(&typed) {
            Lookup::Matched(name) => self.command(name, now),
            Lookup::Pending(next) => {
                let next: Vec<String> = next.iter().map(|(key, name)| format!("{key} {}", self.doc(name))).collect();
                self.say(say::pending(&format!("{typed}: {}", next.join(" · "))), Role::Info, now);
                self.typed = typed;
            }
            Lookup::None => self.say(say::unknown_key(&typed), Role::Dim, now),
        }
    }

    /// What a key means: the configuration's bindings of the tab, its global ones, then the built-in ones.
    fn bound(&self, typed: &str) -> Lookup {
        let tab = &self.seats[self.active].tab;
        let known = |name: &str| tab.commands().iter().chain(GLOBALS).find(|c| c.name == name).map(|c| c.name);
        let mut pending = Vec::new();
        for context in [tab.key(), "global"] {
            for (keys, command) in self.keys.get(context).into_iter().flatten() {
                if keys == typed {
                    return known(command).map_or(Lookup::None, Lookup::Matched);
                }
                let rest = keys.strip_prefix(typed).and_then(|r| r.strip_prefix(' '));
                pending.extend(rest.zip(known(command)).map(|(rest, name)| (rest.to_owned(), name)));
            }
        }
        if pending.is_empty() { lookup(typed, &[tab.commands(), GLOBALS]) } else { Lookup::Pending(pending) }
    }

    /// What is wrong with the configuration's key bindings: a context or command that does not exist.
    pub fn wrong_binding(&self) -> Option<String> {
        for (context, bindings) in &self.keys {
            let tab = self.seats.iter().find(|s| s.tab.key() == context);
            if tab.is_none() && context != "global" {
                return Some(say::no_context(context));
            }
            for (keys, command) in bindings.iter().filter(|(_, command)| !command.is_empty()) {
                let own = tab.map_or(&[][..], |s| s.tab.commands());
                if !own.iter().chain(GLOBALS).any(|c| c.name == command) {
                    return Some(say::no_command(context, keys, command));
                }
            }
        }
        None
    }

    fn doc(&self, name: &str) -> String {
        let own = self.seats[self.active].tab.commands().iter().chain(GLOBALS).find(|c| c.name == name);
        own.map_or_else(String::new, |c| (c.doc)())
    }

    fn go_to(&mut self, i: usize, now: Millis) {
        self.active = i;
        self.dirty = true;
        let seat = &self.seats[i];
        if !seat.tab.is_loaded() || seat.tab.refresh().is_some_and(|every| now - seat.loaded_at >= every) {
            self.reload(i, now);
        }
    }

    fn command(&mut self, name: &'static str, now: Millis) {
        let tab = &self.seats[self.active].tab;
        let mutates = tab.commands().iter().chain(GLOBALS).any(|c| c.name == name && c.mutates);
        if mutates && self.read_only {
            return self.say(crate::locale::cli::read_only_here(), Role::Warn, now);
        }
        if let Some(why) = tab.disabled(name) {
            return self.say(why, Role::Warn, now);
        }
        let n = self.seats.len();
        match name {
            "quit" => self.quit = true,
            "next_tab" => self.go_to((self.active + 1) % n, now),
            "prev_tab" => self.go_to((self.active + n - 1) % n, now),
            "search" => self.layers.push(Layer::Line { prompt: "/", value: String::new() }),
            "palette" => {
                let all = tab.commands().iter().chain(GLOBALS).filter(|c| !(c.mutates && self.read_only));
                let all = all.map(|c| (c.keys.join(" "), c.name, (c.doc)())).collect();
                self.layers.push(Layer::Palette { value: String::new(), all, at: 0 });
            }
            "help" => {
                let line = |c: &Command| format!("{}  {}", text::cell(&c.keys.join("  "), 18), (c.doc)());
                let mut lines: Vec<String> = tab.commands().iter().map(line).collect();
                lines.push(String::new());
                lines.extend(GLOBALS.iter().map(line));
                self.layers.push(Layer::Text { title: say::help_title(), lines, top: 0 });
            }
            "explain" => match tab.explain(now) {
                Some((title, lines)) => self.layers.push(Layer::Text { title, lines, top: 0 }),
                None => self.say(say::nothing_to_explain(), Role::Dim, now),
            },
            "session" => {
                let lines = if self.session.is_empty() {
                    vec![say::session_empty()]
                } else {
                    self.session.iter().rev().map(|(at, what)| format!("{}  {what}", self.time(*at))).collect()
                };
                self.layers.push(Layer::Text { title: say::session_title(), lines, top: 0 });
            }
            "undo" => self.take_back(Kind::Undo, now),
            "redo" => self.take_back(Kind::Redo, now),
            "mouse" => {
                self.mouse = !self.mouse;
                self.work.push(Work::Mouse(self.mouse));
            }
            name => {
                let effects = self.seats[self.active].tab.run(name, now);
                self.effects(effects, now);
            }
        }
    }

    fn take_back(&mut self, kind: Kind, now: Millis) {
        let (stack, empty) = match kind {
            Kind::Redo => (&mut self.redo, say::nothing_to_redo()),
            _ => (&mut self.undo, say::nothing_to_undo()),
        };
        while let Some(outcome) = stack.pop() {
            if let Some(action) = outcome.undo {
                self.work.push(Work::Act(vec![action], kind));
                return;
            }
        }
        self.say(empty, Role::Dim, now);
    }

    fn effects(&mut self, effects: Vec<Effect>, now: Millis) {
        for effect in effects {
            match effect {
                Effect::Act(actions) if self.read_only => {
                    drop(actions);
                    self.say(crate::locale::cli::read_only_here(), Role::Warn, now);
                }
                Effect::Act(actions) => self.work.push(Work::Act(actions, Kind::Do)),
                Effect::Reload => self.load(self.active, now),
                Effect::Say(text) => self.say(text, Role::Info, now),
                Effect::Form(form) => self.layers.push(Layer::Form { form, field: 0, error: None }),
                Effect::Text(title, lines) => self.layers.push(Layer::Text { title, lines, top: 0 }),
                Effect::Copy(text) => self.work.push(Work::Copy(text)),
            }
        }
    }

    fn time(&self, at: Millis) -> String {
        use chrono::TimeZone as _;
        self.zone.timestamp_millis_opt(at).single().map_or_else(String::new, |t| t.format("%H:%M").to_string())
    }

    /// The next instant at which the picture changes by the passing of time alone.
    pub(super) fn wake(&self, now: Millis) -> Millis {
        let mut next = now / MINUTE * MINUTE + MINUTE;
        let mut sooner = |at: Millis| next = next.min(at.max(now + 1));
        for (i, seat) in self.seats.iter().enumerate() {
            if i == self.active || self.wall.is_some() {
                seat.tab.wake(now).into_iter().for_each(&mut sooner);
                seat.tab.refresh().map(|every| seat.loaded_at + every).into_iter().for_each(&mut sooner);
            }
        }
        if let Some((_, _, at)) = &self.message {
            sooner(at + 8 * SECOND + 1);
        }
        if self.lost.is_some() || self.wall.is_some() {
            sooner(now / SECOND * SECOND + SECOND);
        }
        next
    }

    /// Draws the whole screen.
    pub fn draw(&self, theme: &Theme, ascii: bool, buf: &mut Buffer, area: Rect, now: Millis) {
        let brush = Brush { theme, ascii };
        if area.width < 60 || area.height < 15 {
            return self.draw_small(&brush, buf, area, now);
        }
        if let Some(rotation) = self.wall {
            let tabs: Vec<(String, &dyn Tab, Millis)> =
                self.seats.iter().map(|s| (s.tab.name(), s.tab.as_ref(), s.loaded_at)).collect();
            return wall::draw(&brush, buf, area, now, &tabs, rotation, self.lost, &self.time(now));
        }
        self.draw_header(&brush, buf, area, now);
        let body = Rect::new(area.x, area.y + 1, area.width, area.height - 3);
        let seat = &self.seats[self.active];
        if seat.tab.is_loaded() {
            seat.tab.draw(&brush, buf, body, now);
        } else {
            brush.text(buf, body.x + 2, body.y + 1, body.width - 4, &say::loading(), Role::Dim);
        }
        if self.lost.is_some() {
            buf.set_style(body, brush.style(Role::Dim));
        }
        self.draw_footer(&brush, buf, area, now);
        if let Some(layer) = self.layers.last() {
            layer.draw(&brush, buf, area, now);
        }
    }

    fn draw_small(&self, brush: &Brush<'_>, buf: &mut Buffer, area: Rect, now: Millis) {
        let count: usize = self.seats.iter().filter_map(|s| s.tab.attention(now)).map(|a| a.count).sum();
        let role = if count > 0 { Role::Critical } else { Role::Ok };
        let lines = [(say::attention(count), role), (say::too_small(), Role::Dim), (say::enlarge(), Role::Dim)];
        for ((line, role), y) in lines.iter().zip(area.top()..area.bottom()) {
            brush.text(buf, area.x, y, area.width, line, *role);
        }
    }

    fn draw_header(&self, brush: &Brush<'_>, buf: &mut Buffer, area: Rect, now: Millis) {
        let y = area.y;
        let mut right = area.right().saturating_sub(1);
        right = brush.text_right(buf, right, y, &self.time(now), Role::Title).saturating_sub(2);
        if area.width >= 100 {
            let mut who = format!("{}  {}", text::clean(&self.actor.name), self.store_line);
            if self.read_only {
                who = format!("{}  {who}", say::read_only());
            }
            right = brush.text_right(buf, right, y, &who, Role::Header).saturating_sub(2);
        }
        let mut x = brush.text(buf, area.x + 1, y, 13, "值班 zhiban", Role::Title) + 2;
        for (i, seat) in self.seats.iter().enumerate() {
            let name = format!(" {} {} ", i + 1, seat.tab.name());
            let role = if i == self.active { Role::TabActive } else { Role::Header };
            x = brush.text(buf, x, y, right.saturating_sub(x), &name, role);
            if let Some(attention) = seat.tab.attention(now).filter(|a| a.count > 0) {
                let sign = match (attention.role, brush.ascii) {
                    (Role::Critical, false) => "✗",
                    (Role::Critical, true) => "X",
                    (_, false) => "▲",
                    (_, true) => "^",
                };
                x = brush.text(
                    buf,
                    x,
                    y,
                    right.saturating_sub(x),
                    &format!("{sign}{} ", attention.count),
                    attention.role,
                );
            }
        }
    }

    fn draw_footer(&self, brush: &Brush<'_>, buf: &mut Buffer, area: Rect, now: Millis) {
        let (hints, line) = (area.bottom() - 2, area.bottom() - 1);
        let tab = &self.seats[self.active].tab;
        let mut x = area.x + 1;
        let shown = tab
            .commands()
            .iter()
            .chain(GLOBALS.iter().filter(|c| ["search", "explain", "undo", "help", "quit"].contains(&c.name)));
        for command in shown {
            if (command.mutates && self.read_only) || tab.disabled(command.name).is_some() {
                continue;
            }
            let (key, doc) = (command.keys.first().copied().unwrap_or_default(), (command.doc)());
            let width = (text::width(key) + text::width(&doc) + 3) as u16;
            if x + width > area.right() {
                break;
            }
            x = brush.text(buf, x, hints, area.right() - x, key, Role::Key) + 1;
            x = brush.text(buf, x, hints, area.right() - x, &doc, Role::Dim) + 2;
        }
        if let Some(since) = self.lost {
            brush.text(
                buf,
                area.x + 1,
                line,
                area.width - 2,
                &say::store_lost(&countdown::remaining(now - since)),
                Role::Stale,
            );
        } else if let Some((text, role, _)) = &self.message {
            brush.text(buf, area.x + 1, line, area.width - 2, text, *role);
        }
    }
}
