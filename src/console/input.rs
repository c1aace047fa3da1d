//! What the application does with keys, and with the effects that follow from them.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::app::{App, Kind, Mouse, Work};
use super::form::FormLayer;
use super::layer::{Layer, Reply};
use super::list::{Item, List};
use super::tab::Effect;
use crate::clock::Millis;
use crate::locale::console as say;
use crate::tui::command::{Command, Lookup, key_text};
use crate::tui::theme::Role;

const fn global(name: &'static str, keys: &'static [&'static str], doc: fn() -> String) -> Command {
    Command { name, keys, doc, mutates: false }
}

/// What every tab understands. Their meaning never changes between tabs.
pub(super) const GLOBALS: &[Command] = &[
    global("down", &["j", "down"], say::key_down),
    global("up", &["k", "up"], say::key_up),
    global("page_down", &["ctrl-d", "pagedown"], say::key_page_down),
    global("page_up", &["ctrl-u", "pageup"], say::key_page_up),
    global("top", &["g g", "home"], say::key_top),
    global("bottom", &["G", "end"], say::key_bottom),
    global("left", &["h", "left"], say::key_left),
    global("right", &["l", "right"], say::key_right),
    global("open", &["enter"], say::key_open),
    global("search", &["/"], say::key_search),
    global("explain", &["E"], say::key_explain),
    Command { name: "undo", keys: &["u"], doc: say::key_undo, mutates: true },
    Command { name: "redo", keys: &["U"], doc: say::key_redo, mutates: true },
    global("session", &["@"], say::key_session),
    global("help", &["?"], say::key_help),
    global("palette", &[":"], say::key_palette),
    global("next_tab", &["tab"], say::key_next_tab),
    global("prev_tab", &["backtab"], say::key_prev_tab),
    global("mouse", &["f12"], say::key_mouse),
    global("back", &["esc"], say::key_back),
    global("quit", &["q", "ctrl-c"], say::key_quit),
];

impl App {
    pub(super) fn key(&mut self, key: &KeyEvent, now: Millis) {
        self.dirty = true;
        self.message = None;
        if self.wall.is_some() {
            self.quit |= matches!(key.code, KeyCode::Char('q') | KeyCode::Esc)
                || (key.code == KeyCode::Char('c') && key.modifiers.contains(KeyModifiers::CONTROL));
            return;
        }
        let Some(seat) = self.seats.get_mut(self.active) else {
            self.quit = true;
            return;
        };
        if let Some(steady) = seat.tab.steady() {
            steady.touch(now);
        }
        if let Some(layer) = self.layers.last_mut() {
            let reply = layer.key(key, now);
            return self.replied(reply, now);
        }
        let pressed = key_text(key);
        if self.typed.is_empty()
            && let Some(n) = pressed.parse::<usize>().ok().filter(|n| (1..=self.seats.len()).contains(n))
        {
            return self.go_to(n - 1, now);
        }
        let typed = if self.typed.is_empty() { pressed } else { format!("{} {pressed}", self.typed) };
        self.typed.clear();
        match self.keymap.lookup(self.seats[self.active].tab.key(), &typed) {
            Lookup::Matched(name) => self.command(name, now),
            Lookup::Pending(next) => {
                let next: Vec<String> = next.iter().map(|(key, name)| format!("{key} {}", self.doc(name))).collect();
                self.say(say::pending(&format!("{typed}: {}", next.join(" · "))), Role::Info, now);
                self.typed = typed;
            }
            Lookup::None => self.say(say::unknown_key(&typed), Role::Dim, now),
        }
    }

    fn replied(&mut self, reply: Reply, now: Millis) {
        if !matches!(reply, Reply::Stay) {
            self.layers.pop();
        }
        match reply {
            Reply::Stay | Reply::Close => {}
            Reply::Done(effects) => self.effects(effects, now),
            Reply::Sent(effects, title, values) => {
                self.drafts.remove(&title);
                self.sent = Some((title, values));
                self.effects(effects, now);
            }
            Reply::Draft(title, values) => {
                self.drafts.insert(title, values);
                self.say(say::draft_kept(), Role::Info, now);
            }
            Reply::Search(text) => {
                let effects = self.seats[self.active].tab.search(&text);
                self.effects(effects, now);
            }
            Reply::Command(name) => self.command(name, now),
        }
    }

    pub(super) fn moused(&mut self, mouse: Mouse, now: Millis) {
        if self.wall.is_some() {
            return;
        }
        match mouse {
            Mouse::Click(x, y) => {
                if y == 0
                    && self.layers.is_empty()
                    && let Some(i) = self.tab_at(x)
                {
                    self.go_to(i, now);
                }
            }
            Mouse::Up | Mouse::Down => {
                let up = mouse == Mouse::Up;
                if let Some(layer) = self.layers.last_mut() {
                    let code = if up { KeyCode::Up } else { KeyCode::Down };
                    let reply = layer.key(&KeyEvent::new(code, KeyModifiers::NONE), now);
                    self.replied(reply, now);
                } else {
                    (0..3).for_each(|_| self.command(if up { "up" } else { "down" }, now));
                }
                self.dirty = true;
            }
        }
    }

    fn doc(&self, name: &str) -> String {
        let own = self.seats[self.active].tab.commands().iter().chain(GLOBALS).find(|c| c.name == name);
        own.map_or_else(String::new, |c| (c.doc)())
    }

    pub(super) fn go_to(&mut self, i: usize, now: Millis) {
        self.active = i;
        self.dirty = true;
        let seat = &self.seats[i];
        if !seat.tab.is_loaded() || seat.tab.refresh().is_some_and(|every| now - seat.loaded_at >= every) {
            self.reload(i, now);
        }
    }

    /// The commands of the tab and the globals, as a list shows them.
    fn items(&self) -> Vec<Item> {
        let tab = &self.seats[self.active].tab;
        let own = tab.commands().iter().map(|c| (c, tab.name()));
        let all = own.chain(GLOBALS.iter().map(|c| (c, say::everywhere())));
        all.filter(|(c, _)| !(c.mutates && self.read_only))
            .map(|(c, group)| Item {
                keys: self.keymap.keys(tab.key(), c.name).join("  "),
                text: (c.doc)(),
                name: c.name,
                group,
                disabled: tab.disabled(c.name).is_some(),
            })
            .collect()
    }

    pub(super) fn command(&mut self, name: &'static str, now: Millis) {
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
            "search" => self.layers.push(Layer::Search { value: String::new(), at: 0 }),
            "palette" => self.layers.push(Layer::List(List::commands(say::palette(), self.items(), false))),
            "help" => self.layers.push(Layer::List(List::commands(say::help_title(), self.items(), true))),
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
                self.say(if self.mouse { say::mouse_on() } else { say::mouse_off() }, Role::Info, now);
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
                Effect::Form(form) => {
                    let draft = self.drafts.get(&form.title);
                    let back = draft.is_some();
                    self.layers.push(Layer::Form(FormLayer::new(form, draft, self.zone)));
                    if back {
                        self.say(say::draft_back(), Role::Info, now);
                    }
                }
                Effect::Text(title, lines) => self.layers.push(Layer::Text { title, lines, top: 0 }),
                Effect::Copy(text) => {
                    self.say(say::copied(&text), Role::Info, now);
                    self.work.push(Work::Copy(text));
                }
                Effect::Confirm(confirm) => self.layers.push(Layer::Confirm(confirm)),
                Effect::Pick(pick) => self.layers.push(Layer::List(List::pick(pick))),
                Effect::GoTo(key) => {
                    if let Some(i) = self.seats.iter().position(|s| s.tab.key() == key) {
                        self.go_to(i, now);
                    }
                }
            }
        }
    }
}
