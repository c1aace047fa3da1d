//! Drives the application without a terminal: keys in, screen out.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::app::{App, Msg, Setup, Work};
use super::duty::{ByRota, Duty as _};
use super::tab::{Tab, Task};
use super::undo::act;
use crate::action::{Actor, Door, Role};
use crate::clock::{Clock, Millis};
use crate::tui::testing::lines;
use crate::tui::theme::{Depth, Theme};

/// The keys of a script: words separated by blanks, `j`, `ctrl-d`, `enter`, `space`; `"审批 ok"` types its characters.
pub fn keys(script: &str) -> Vec<KeyEvent> {
    let mut out = Vec::new();
    let mut rest = script.trim_start();
    while !rest.is_empty() {
        if let Some(quoted) = rest.strip_prefix('"').filter(|q| q.contains('"')) {
            let (text, after) = quoted.split_once('"').unwrap_or((quoted, ""));
            out.extend(text.chars().map(|c| KeyEvent::new(KeyCode::Char(c), KeyModifiers::NONE)));
            rest = after.trim_start();
            continue;
        }
        let (word, after) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
        rest = after.trim_start();
        let mut name = word;
        let mut modifiers = KeyModifiers::NONE;
        for (prefix, modifier) in
            [("ctrl-", KeyModifiers::CONTROL), ("alt-", KeyModifiers::ALT), ("shift-", KeyModifiers::SHIFT)]
        {
            if let Some(stripped) = name.strip_prefix(prefix).filter(|s| !s.is_empty()) {
                name = stripped;
                modifiers |= modifier;
            }
        }
        let code = match name {
            "enter" => KeyCode::Enter,
            "esc" => KeyCode::Esc,
            "tab" => KeyCode::Tab,
            "backtab" => KeyCode::BackTab,
            "space" => KeyCode::Char(' '),
            "backspace" => KeyCode::Backspace,
            "delete" => KeyCode::Delete,
            "up" => KeyCode::Up,
            "down" => KeyCode::Down,
            "left" => KeyCode::Left,
            "right" => KeyCode::Right,
            "home" => KeyCode::Home,
            "end" => KeyCode::End,
            "pageup" => KeyCode::PageUp,
            "pagedown" => KeyCode::PageDown,
            "f12" => KeyCode::F(12),
            other => KeyCode::Char(other.chars().next().unwrap_or(' ')),
        };
        out.push(KeyEvent::new(code, modifiers));
    }
    out
}

/// An application at a set time, with its work done at once.
pub struct Driver {
    /// The application.
    pub app: App,
    /// Its time.
    pub clock: Clock,
    /// The door its work goes through; without one, loads and actions are left undone.
    pub door: Option<Door>,
    /// What was copied.
    pub copied: Vec<String>,
    /// What the editor makes of the text it is handed.
    pub editor: fn(&str) -> Result<String, String>,
    /// The commands that were given the terminal.
    pub handed: Vec<Task>,
    /// How often other sessions were told what is open here.
    pub beats: usize,
    /// How often the bell rang.
    pub bells: usize,
    /// Columns and rows.
    pub size: (u16, u16),
    /// The theme and its depth.
    pub theme: (&'static str, Depth),
    /// Whether only ASCII characters are drawn.
    pub ascii: bool,
}

impl Driver {
    /// The application over `tabs`; with a door it acts as the door's actor, else as the admin `wang`.
    pub fn new(tabs: Vec<Box<dyn Tab>>, door: Option<Door>, now: Millis, wall: Option<Millis>) -> Self {
        let nobody = Actor { name: "wang".into(), role: Role::Admin, origin: "test".into(), unclaimed: false };
        let setup = Setup {
            tabs,
            active: 0,
            actor: door.as_ref().map_or(nobody, |d| d.actor().clone()),
            store_line: "sqlite".into(),
            pace: 1.0,
            read_only: door.as_ref().is_some_and(Door::is_read_only) || wall.is_some(),
            wall,
            zone: chrono_tz::Asia::Shanghai,
            mouse: false,
            editor: true,
            can_suspend: false,
            confined: false,
            desk: door.as_ref().map(|d| d.config().desk.command.clone()).unwrap_or_default(),
            keys: door.as_ref().map(|d| d.config().keys.clone()).unwrap_or_default(),
        };
        Self {
            app: App::new(setup, now),
            clock: door.as_ref().map_or_else(|| Clock::manual(now), |d| d.clock().clone()),
            door,
            copied: vec![],
            editor: |text| Ok(text.to_owned()),
            handed: vec![],
            beats: 0,
            bells: 0,
            size: (120, 36),
            theme: ("dark", Depth::TrueColor),
            ascii: false,
        }
    }

    /// Does the work that has come up, and what follows from it.
    pub async fn settle(&mut self) {
        loop {
            let work = self.app.take_work();
            if work.is_empty() {
                return;
            }
            for work in work {
                match (work, &self.door) {
                    (Work::Load(i, load), Some(door)) => {
                        let result = load(door.clone()).await;
                        self.update(Msg::Loaded(i, result));
                    }
                    (Work::Beside(i, load), Some(door)) => {
                        if let Ok(found) = load(door.clone()).await {
                            self.update(Msg::Push(i, found));
                        }
                    }
                    (Work::Errand(errand), Some(door)) => {
                        let told = errand(door.clone()).await;
                        self.update(Msg::Told(told));
                    }
                    (Work::Act(batch), Some(door)) => {
                        let came = act(door, &batch).await;
                        self.update(Msg::Acted(batch, came));
                    }
                    (Work::Compare(number, compare), Some(door)) => {
                        let lines = compare(door.clone()).await;
                        self.update(Msg::Compared(number, lines));
                    }
                    (Work::Beat(i, load), Some(door)) => {
                        self.beats += 1;
                        let heard = load(door.clone()).await;
                        self.update(Msg::Heard(i, heard));
                    }
                    (Work::Ask(number, ask), Some(door)) => {
                        let found = ask(door.clone()).await;
                        self.update(Msg::Offered(number, found));
                    }
                    (Work::Note(task), Some(door)) => {
                        let noted = door.run(&task).await.map(|_| ()).map_err(|e| e.to_string());
                        self.update(Msg::Noted(task, noted));
                    }
                    (Work::Background(task), _) => {
                        let came = task.capture().await;
                        self.update(Msg::Ran(task.name, came));
                    }
                    (Work::HandOver(task), _) => self.handed.push(task),
                    (Work::Copy(text), _) => self.copied.push(text),
                    (Work::Bell, _) => self.bells += 1,
                    (Work::Edit(text), _) => {
                        let text = (self.editor)(&text);
                        self.update(Msg::Edited(text));
                    }
                    (Work::Duty, Some(door)) => {
                        let who = ByRota.at(door.clone(), self.clock.now()).await;
                        self.update(Msg::OnDuty(who));
                    }
                    _ => {}
                }
            }
        }
    }

    /// Takes a message at the present of its clock.
    pub fn update(&mut self, msg: Msg) {
        let now = self.clock.now();
        self.app.update(msg, now);
    }

    /// Presses the keys of a script one after the other, doing the work that follows from each.
    pub async fn keys(&mut self, script: &str) {
        for key in keys(script) {
            self.update(Msg::Key(key));
            self.settle().await;
        }
    }

    /// Lets `ms` pass.
    pub async fn pass(&mut self, ms: Millis) {
        self.clock.set(self.clock.now() + ms);
        self.update(Msg::Tick);
        self.settle().await;
    }

    /// The screen as text, drawn as the terminal would show it.
    pub fn screen(&mut self) -> String {
        lines(&self.buffer()).join("\n")
    }

    /// The screen with its styles.
    pub fn buffer(&mut self) -> Buffer {
        let area = Rect::new(0, 0, self.size.0, self.size.1);
        let mut buf = Buffer::empty(area);
        if let Ok(theme) = Theme::load(self.theme.0, None, self.theme.1) {
            let now = self.clock.now();
            self.app.draw(&theme, self.ascii, &mut buf, area, now);
            self.app.drawn(now);
        }
        buf
    }

    /// Whether something visible changed since the last screen.
    pub fn is_dirty(&self) -> bool {
        self.app.dirty
    }

    /// Whether the application wants to leave.
    pub fn has_quit(&self) -> bool {
        self.app.quit
    }

    /// Milliseconds until the application wants to be woken.
    pub fn sleeps(&self) -> Millis {
        let now = self.clock.now();
        self.app.wake(now) - now
    }
}
