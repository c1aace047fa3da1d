//! What the application does with keys, and with the effects that follow from them.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::app::{App, Mouse, Work};
use super::form::FormLayer;
use super::layer::{Layer, Reply};
use super::list::{Item, List};
use super::reader::Reader;
use super::tab::{Effect, Pick};
use super::undo::{Batch, Kind, Sent};
use crate::clock::Millis;
use crate::locale::console as say;
use crate::tui::command::{Command, Lookup, intern, key_text};
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
    global("mark", &["space"], say::key_mark),
    global("range", &["v"], say::key_range),
    global("unmark", &["\\"], say::key_unmark),
    global("faults", &["!"], say::key_faults),
    global("sort", &["o"], say::key_sort),
    global("preview", &["p"], say::key_preview),
    global("preview_below", &["P"], say::key_preview_below),
    Command { name: "undo", keys: &["u"], doc: say::key_undo, mutates: true },
    Command { name: "redo", keys: &["U"], doc: say::key_redo, mutates: true },
    global("session", &["@"], say::key_session),
    global("help", &["?"], say::key_help),
    global("palette", &[":"], say::key_palette),
    global("next_tab", &["tab"], say::key_next_tab),
    global("prev_tab", &["backtab"], say::key_prev_tab),
    global("messages", &[";"], say::key_messages),
    global("redraw", &["ctrl-l"], say::key_redraw),
    global("suspend", &["ctrl-z"], say::key_suspend),
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
        if let Some(list) = seat.tab.list() {
            list.steady().touch(now, self.pace);
        }
        if self.too_small {
            return self.key_unseen(key, now);
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

    /// A key on a screen too small to show what it would act on: it can be left, and nothing else.
    fn key_unseen(&mut self, key: &KeyEvent, now: Millis) {
        // a letter may be meant for the text that was being typed
        let is_typed = !self.layers.is_empty() && key.modifiers.is_empty();
        if !is_typed
            && let Lookup::Matched(name @ ("quit" | "redraw" | "suspend")) =
                self.keymap.lookup(self.seats[self.active].tab.key(), &key_text(key))
        {
            self.command(name, now);
        }
    }

    fn replied(&mut self, reply: Reply, now: Millis) {
        let left =
            if matches!(reply, Reply::Stay | Reply::Edit(_) | Reply::Open(_)) { None } else { self.layers.pop() };
        match reply {
            Reply::Stay | Reply::Close => {}
            Reply::Done(effects) => self.effects(effects, now),
            Reply::Sent(effects, title, values) => {
                self.drafts.remove(&title);
                let form = match left {
                    Some(Layer::Form(form)) if form.compare().is_some() => {
                        self.questions += 1;
                        self.outgoing.insert(self.questions, form);
                        Some(self.questions)
                    }
                    _ => None,
                };
                self.follow(effects, Some(Sent { title, values, form }), now);
            }
            Reply::Edit(text) => self.work.push(Work::Edit(text)),
            Reply::Open(pick) => self.layers.push(Layer::List(List::pick(pick))),
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

    pub(super) fn edited(&mut self, text: Result<String, String>, now: Millis) {
        self.dirty = true;
        match (text, self.layers.last_mut()) {
            (Ok(text), Some(Layer::Form(form))) => form.edited(&text),
            (Ok(_), _) => {}
            (Err(why), _) => self.say(why, Role::Critical, now),
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
        own.map_or_else(|| name.to_owned(), |c| (c.doc)())
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
        let is_own = |c: &&Command| tab.commands().iter().any(|own| own.name == c.name);
        let mine = self.desk.iter().filter(|c| c.tab == tab.key() && !self.read_only);
        let custom = mine.map(|c| (intern(&c.name), c.run.join(" "), say::commands_own()));
        let all = own.chain(GLOBALS.iter().filter(|c| !is_own(c)).map(|c| (c, say::everywhere())));
        all.filter(|(c, _)| !(c.mutates && self.read_only))
            .map(|(c, group)| (c.name, (c.doc)(), group))
            .chain(custom)
            .map(|(name, text, group)| Item {
                keys: self.keymap.keys(tab.key(), name).join("  "),
                text,
                name,
                group,
                disabled: self.disabled(name).is_some(),
            })
            .collect()
    }

    /// Whether the open tab has a command `name` of its own.
    fn is_own(&self, name: &str) -> bool {
        self.seats[self.active].tab.commands().iter().any(|c| c.name == name)
    }

    /// Why a command cannot act now.
    pub(super) fn disabled(&self, name: &str) -> Option<String> {
        let tab = &self.seats[self.active].tab;
        let offers = tab.offers();
        let missing = match name {
            _ if self.is_own(name) => false,
            "suspend" if !self.can_suspend => return Some(say::cannot_suspend()),
            "mark" | "range" | "unmark" => !offers.marks,
            "faults" => !offers.faults,
            "sort" => offers.orders.is_empty(),
            "preview" | "preview_below" => !offers.preview,
            _ => false,
        };
        if missing { Some(say::not_in_this_list()) } else { tab.disabled(name).or_else(|| self.custom_refusal(name)) }
    }

    /// Does a command of the kit's list to the list of the open tab; whether it was one.
    fn of_the_list(&mut self, name: &str, now: Millis) -> bool {
        if self.is_own(name) {
            return false;
        }
        let seat = &mut self.seats[self.active];
        let orders = seat.tab.offers().orders;
        let tab_key = seat.tab.key();
        let Some(list) = seat.tab.list() else { return false };
        let mut told = None;
        match name {
            "mark" => list.mark(),
            "range" => told = list.range().then(say::range_begun),
            "unmark" => told = (!list.unmark()).then(say::nothing_marked),
            // the first esc gives up the range, the next what the tab makes of it
            "back" => return list.give_up_range(),
            "preview" => list.look().preview ^= true,
            "preview_below" => {
                let look = list.look();
                look.below ^= true;
                look.preview = true;
            }
            "faults" => {
                list.look().faults ^= true;
                told = Some(if list.look().faults { say::faults_only() } else { say::all_rows() });
                list.steady().reset();
                seat.tab.relist(now);
            }
            "sort" => {
                let at = list.look().order;
                let shown = |(i, name): (usize, &fn() -> String)| {
                    let sign = if i == at { "● " } else { "  " };
                    (i.to_string(), format!("{sign}{}", name()))
                };
                let items = orders.iter().enumerate().map(shown).collect();
                let then = Box::new(move |order: &str| vec![Effect::Order(tab_key, order.parse().unwrap_or(0))]);
                self.layers.push(Layer::List(List::pick(Pick { title: say::sort_by(), items, then })));
            }
            _ => return false,
        }
        if let Some(told) = told {
            self.say(told, Role::Info, now);
        }
        true
    }

    pub(super) fn command(&mut self, name: &'static str, now: Millis) {
        let tab = &self.seats[self.active].tab;
        let mutates = tab.commands().iter().chain(GLOBALS).any(|c| c.name == name && c.mutates);
        if mutates && self.read_only {
            return self.say(crate::locale::cli::read_only_here(), Role::Warn, now);
        }
        if let Some(why) = self.disabled(name) {
            return self.say(why, Role::Warn, now);
        }
        if self.of_the_list(name, now) {
            return;
        }
        let (n, tab) = (self.seats.len(), &self.seats[self.active].tab);
        match name {
            "quit" => self.quit = true,
            "next_tab" => self.go_to((self.active + 1) % n, now),
            "prev_tab" => self.go_to((self.active + n - 1) % n, now),
            "search" => self.layers.push(Layer::Search { value: String::new(), at: 0 }),
            "palette" => self.layers.push(Layer::List(List::commands(say::palette(), self.items(), false))),
            "help" => self.layers.push(Layer::List(List::commands(say::help_title(), self.items(), true))),
            "explain" => match tab.explain(now) {
                Some((title, lines)) => self.layers.push(Layer::Text { title, lines, top: 0.into() }),
                None => self.say(say::nothing_to_explain(), Role::Dim, now),
            },
            "session" => {
                let lines = if self.session.is_empty() {
                    vec![say::session_empty()]
                } else {
                    self.session.iter().rev().map(|(at, what)| format!("{}  {what}", self.time(*at))).collect()
                };
                self.layers.push(Layer::Text { title: say::session_title(), lines, top: 0.into() });
            }
            "messages" => {
                let told = self.told.iter().rev().map(|(at, what)| format!("{}  {what}", self.time(*at)));
                let lines: Vec<String> = told.collect();
                let lines = if lines.is_empty() { vec![say::session_empty()] } else { lines };
                self.layers.push(Layer::Text { title: say::messages_title(), lines, top: 0.into() });
            }
            "redraw" => self.work.push(Work::Redraw),
            "suspend" => self.work.push(Work::Suspend),
            "undo" => self.take_back(Kind::Undo, now),
            "redo" => self.take_back(Kind::Redo, now),
            "mouse" => {
                self.mouse = !self.mouse;
                self.work.push(Work::Mouse(self.mouse));
                self.say(if self.mouse { say::mouse_on() } else { say::mouse_off() }, Role::Info, now);
            }
            name => {
                let custom = self.run_custom(name);
                let effects = custom.unwrap_or_else(|| self.seats[self.active].tab.run(name, now));
                self.effects(effects, now);
            }
        }
    }

    fn effects(&mut self, effects: Vec<Effect>, now: Millis) {
        self.follow(effects, None, now);
    }

    /// Does `effects`, which follow from what was `sent` with a form.
    fn follow(&mut self, effects: Vec<Effect>, mut sent: Option<Sent>, now: Millis) {
        for effect in effects {
            match effect {
                Effect::Act(actions) if self.read_only => {
                    drop(actions);
                    self.say(crate::locale::cli::read_only_here(), Role::Warn, now);
                }
                Effect::Act(actions) => self.work.push(Work::Act(Batch { sent: sent.take(), ..Batch::new(actions) })),
                Effect::Reload => self.load(self.active, now),
                Effect::Errand(errand) => self.work.push(Work::Errand(errand)),
                Effect::Say(text) => self.say(text, Role::Info, now),
                Effect::Form(form) => {
                    let draft = self.drafts.get(&form.title);
                    let back = draft.is_some();
                    let form = FormLayer::new(form, draft, self.zone, self.editor);
                    self.layers.push(Layer::Form(form.into()));
                    if back {
                        self.say(say::draft_back(), Role::Info, now);
                    }
                }
                Effect::Text(title, lines) => self.layers.push(Layer::Text { title, lines, top: 0.into() }),
                Effect::Read(reading) => self.layers.push(Layer::Reader(Reader::new(reading))),
                Effect::Copy(text) => {
                    self.say(say::copied(&text), Role::Info, now);
                    self.work.push(Work::Copy(text));
                }
                Effect::Confirm(confirm) => self.layers.push(Layer::Confirm(confirm)),
                Effect::Pick(pick) => self.layers.push(Layer::List(List::pick(pick))),
                Effect::Order(key, order) => {
                    if let Some(i) = self.seats.iter().position(|s| s.tab.key() == key) {
                        let tab = &mut self.seats[i].tab;
                        let name = tab.offers().orders.get(order).map(|name| name());
                        if let (Some(list), Some(name)) = (tab.list(), name) {
                            list.look().order = order;
                            list.steady().reset();
                            tab.relist(now);
                            self.say(say::sorted_by(&name), Role::Info, now);
                        }
                    }
                }
                Effect::Run(command) => {
                    let effects = self.seats[self.active].tab.run(&command, now);
                    self.effects(effects, now);
                }
                Effect::Launch(task) => self.work.push(Work::Note(task)),
                Effect::Insert(text) => self.layers.last_mut().into_iter().for_each(|layer| layer.paste(&text)),
                Effect::Instead(effects) => {
                    let kept = match self.layers.pop_if(|layer| matches!(layer, Layer::Form(_))) {
                        Some(Layer::Form(form)) => {
                            let (title, values) = form.kept();
                            self.drafts.remove(&title);
                            Some(Sent { title, values, form: None })
                        }
                        _ => None,
                    };
                    self.follow(effects, kept, now);
                }
                Effect::GoTo(key) => {
                    if let Some(i) = self.seats.iter().position(|s| s.tab.key() == key) {
                        self.go_to(i, now);
                    }
                }
            }
        }
        // nothing came of it that could fail
        if let Some(form) = sent.and_then(|s| s.form) {
            self.outgoing.remove(&form);
        }
    }
}
