//! The socket that a feature's tab plugs into.
//!
//! A tab holds its screen's state, asks for snapshots ([`Tab::load`], run off the UI task), turns named commands into
//! [`Effect`]s and draws from its state. It never waits, never reads the clock, never touches the store.

use std::any::Any;
use std::sync::Arc;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::action::{Action, BoxFuture, Door};
use crate::clock::Millis;
use crate::tui::command::Command;
use crate::tui::paint::Brush;
use crate::tui::theme::Role;

pub use super::custom::Task;
pub use super::rows::{Listing, Look, Offers, Place, Rows};
pub use super::steady::Steady;

/// A snapshot, made off the UI task; the tab that asked knows its type.
pub type Snapshot = Box<dyn Any + Send>;
/// Makes a snapshot.
pub type Load = Box<dyn FnOnce(Door) -> BoxFuture<'static, Result<Snapshot, String>> + Send>;
/// Work off the UI task that changes nothing in the store; tells what came of it in a sentence.
pub type Errand = Box<dyn FnOnce(Door) -> BoxFuture<'static, Result<String, String>> + Send>;
/// What a form does with its fields when it is sent: effects, or why they are not right yet.
pub type Submit = Box<dyn Fn(&[String]) -> Result<Vec<Effect>, String> + Send>;
/// Lines that a form shows while its fields are typed.
pub type Preview = Box<dyn Fn(&[String], Millis) -> Vec<String> + Send>;

/// What a command asks the console to do.
pub enum Effect {
    /// Run actions through the door, one after the other. Those that cannot be done are told and the others done: what
    /// must happen as a whole is one action. Together they are one step of undo.
    Act(Vec<Arc<dyn Action>>),
    /// Make a new snapshot.
    Reload,
    /// Tell something.
    Say(String),
    /// Do something off the UI task.
    Errand(Errand),
    /// Ask.
    Form(Form),
    /// Show text; any key closes it.
    Text(String, Vec<String>),
    /// Let a longer text be read.
    Read(Reading),
    /// Put text on the clipboard.
    Copy(String),
    /// Ask for a yes, with "no" as the answer of every other key.
    Confirm(Confirm),
    /// Let one of a list be chosen.
    Pick(Pick),
    /// Put the list of the tab with this [`Tab::key`] into this of its orders.
    Order(&'static str, usize),
    /// Have the open tab run a command by its name: what follows from a choice.
    Run(String),
    /// Go to the tab with this [`Tab::key`].
    GoTo(&'static str),
    /// Run a command of the configuration.
    Launch(Task),
    /// Put text at the cursor of the form that is open.
    Insert(String),
    /// Close the form that is open and do these: what was typed is kept until they have succeeded.
    Instead(Vec<Effect>),
}

/// A text to read.
pub struct Reading {
    /// What it is.
    pub title: String,
    /// Markdown.
    pub text: String,
    /// Keys of its own: what each is called and does. It is closed by them.
    pub keys: Vec<(char, String, Vec<Effect>)>,
}

/// A question before something that cannot be taken back.
pub struct Confirm {
    /// What is to be done, naming the object: `Merge #7 into #3?`.
    pub title: String,
    /// What it means.
    pub lines: Vec<String>,
    /// What follows a yes.
    pub yes: Vec<Effect>,
}

/// A list of which one is chosen; typing narrows it.
pub struct Pick {
    /// What is chosen.
    pub title: String,
    /// What there is: value, and how it is shown.
    pub items: Vec<(String, String)>,
    /// What follows, given the value.
    pub then: Box<dyn Fn(&str) -> Vec<Effect> + Send>,
}

/// What may be written into a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Shape {
    /// One line.
    #[default]
    Line,
    /// Several lines.
    Long,
    /// An instant, as people write them (`14:27`, `+4h`, `10m ago`, `明天 9:00`); the form's functions are handed epoch
    /// milliseconds in digits, or an empty text.
    Time {
        /// Whether a bare time lies ahead, else behind.
        ahead: bool,
    },
}

/// A field of a form.
#[derive(Debug, Clone)]
pub struct Field {
    /// What is asked.
    pub label: String,
    /// What is there now.
    pub value: String,
    /// Choices; empty: free text.
    pub choices: Vec<(String, String)>,
    /// What free text may be.
    pub shape: Shape,
}

impl Field {
    /// Free text.
    pub fn text(label: String, value: impl Into<String>) -> Self {
        Self { label, value: value.into(), choices: vec![], shape: Shape::Line }
    }
    /// Free text of several lines.
    pub fn long(label: String, value: impl Into<String>) -> Self {
        Self { shape: Shape::Long, ..Self::text(label, value) }
    }
    /// An instant; a bare time lies `ahead` or behind.
    pub fn time(label: String, value: impl Into<String>, ahead: bool) -> Self {
        Self { shape: Shape::Time { ahead }, ..Self::text(label, value) }
    }
    /// One of `choices` (value, shown), the first unless `value` says otherwise.
    pub fn choice(label: String, value: &str, choices: Vec<(String, String)>) -> Self {
        Self { label, value: value.to_owned(), choices, shape: Shape::Line }
    }
}

/// A question with fields.
pub struct Form {
    /// What it is about, naming the object: what is typed and not sent is kept under it.
    pub title: String,
    /// Its fields.
    pub fields: Vec<Field>,
    /// Live lines below the fields.
    pub preview: Option<Preview>,
    /// What happens on enter in the last field.
    pub submit: Submit,
    /// What can be chosen instead of typed.
    pub offer: Option<Offer>,
    /// Number of what it is about, and in a word what is done to it: for [`Tab::beat`].
    pub about: Option<(i64, &'static str)>,
    /// Where it changes what was seen: what it is asked when somebody else was first.
    pub compare: Option<Compare>,
}

/// What changed since it was last looked at, in lines; from now on that is what was seen.
pub type Compare = Arc<dyn Fn(Door) -> BoxFuture<'static, Result<Vec<String>, String>> + Send + Sync>;

impl Form {
    /// A form that shows and offers nothing beside its fields.
    pub fn new(title: String, fields: Vec<Field>, submit: Submit) -> Self {
        Self { title, fields, preview: None, submit, offer: None, about: None, compare: None }
    }

    /// With live lines below the fields.
    #[must_use]
    pub fn preview(mut self, preview: Option<Preview>) -> Self {
        self.preview = preview;
        self
    }

    /// With something to choose.
    #[must_use]
    pub fn offer(mut self, offer: Option<Offer>) -> Self {
        self.offer = offer;
        self
    }
}

/// What a form offers to be chosen: a list that a key opens over it.
pub struct Offer {
    /// What is chosen: the title of the list.
    pub title: String,
    /// What the key does, as it stands among the keys of the form.
    pub hint: String,
    /// What there is: value, and how it is shown.
    pub items: Vec<(String, String)>,
    /// What follows, given the value and what the fields hold.
    pub then: Chosen,
    /// Where what there is follows from what is typed.
    pub search: Option<Search>,
}

/// What follows from a choice, given its value and what the fields of the form hold.
pub type Chosen = Arc<dyn Fn(&str, &[String]) -> Vec<Effect> + Send + Sync>;
/// Finds what can be chosen for a text, off the UI task.
pub type Find = Arc<dyn Fn(Door, String) -> Found + Send + Sync>;
/// What a [`Find`] comes to.
pub type Found = BoxFuture<'static, Result<Vec<(String, String)>, String>>;

/// How a form finds what it offers while a field is typed.
pub struct Search {
    /// Number of the field, from 0; what is found stands below it.
    pub field: usize,
    /// So many lines are kept free for it.
    pub lines: u16,
    /// What stands there while there is nothing.
    pub empty: String,
    /// Finds it.
    pub find: Find,
}

/// What wants attention, for the header and the wall.
#[derive(Debug, Clone, PartialEq)]
pub struct Attention {
    /// How many things.
    pub count: usize,
    /// The worst of them.
    pub role: Role,
}

/// One open problem, for the wall.
#[derive(Debug, Clone)]
pub struct WallProblem {
    /// How bad: larger is worse.
    pub weight: u8,
    /// Since when.
    pub since: Option<Millis>,
    /// In words.
    pub text: String,
    /// How it looks.
    pub role: Role,
    /// Somebody has it in hand (it is owned, acknowledged, or in maintenance): counted apart, and it does not blink.
    pub handled: bool,
}

/// What a tab gives the wall.
#[derive(Debug, Clone, Default)]
pub struct WallFacts {
    /// Open problems.
    pub problems: Vec<WallProblem>,
    /// The next instant at which something breaches.
    pub next_breach: Option<(Millis, String)>,
    /// Lines of its page in the rotating part.
    pub lines: Vec<String>,
}

/// A tab of the console.
pub trait Tab {
    /// Its name in the header.
    fn name(&self) -> String;
    /// Its name in the configuration, and the context of its keys.
    fn key(&self) -> &'static str;
    /// Its own commands; the globals come on top.
    fn commands(&self) -> &'static [Command];
    /// Topics of the live feed after which its snapshot is old.
    fn topics(&self) -> &'static [&'static str];
    /// How long a snapshot is good without news, for data that come without any; `None`: until the feed says so.
    fn refresh(&self) -> Option<Millis> {
        None
    }
    /// What is held may be old: the next [`Tab::load`] is to read all of it. Not called before the loads that the tab
    /// asks for by [`Effect::Reload`], so that a tab can read only what a movement needs.
    fn stale(&mut self) {}
    /// The work that makes the next snapshot.
    fn load(&mut self, now: Millis) -> Load;
    /// Since when nothing has been pressed, while more of what is under the cursor is to be read than a snapshot holds.
    fn rests(&self, _now: Millis) -> Option<Millis> {
        None
    }
    /// The work that reads it, asked for once the cursor has rested for a while: what it gives arrives like a snapshot.
    fn beside(&mut self, _now: Millis) -> Option<Load> {
        None
    }
    /// Takes a snapshot; a value of another type is ignored.
    fn arrived(&mut self, snapshot: Snapshot, now: Millis);
    /// Whether a first snapshot is there.
    fn is_loaded(&self) -> bool;
    /// Whether the snapshot left something out to be there soon, so that the next is to be read at once.
    fn is_unfinished(&self) -> bool {
        false
    }
    /// Does a command of [`Tab::commands`] or a movement (`down up top bottom page_down page_up left right open`).
    fn run(&mut self, command: &str, now: Millis) -> Vec<Effect>;
    /// Why a command cannot act now; shown when its key is pressed, and its hint is hidden.
    fn disabled(&self, _command: &str) -> Option<String> {
        None
    }
    /// Takes the text of `/`.
    fn search(&mut self, text: &str) -> Vec<Effect>;
    /// What the row under the cursor knows, by the names of [`crate::config::ROW_NAMES`]: for commands of the configuration.
    fn row(&self) -> Vec<(&'static str, String)> {
        vec![]
    }
    /// Tells other sessions what is open here and hears what is open there, at most once in `every`: `seen` is whether the
    /// tab is on the screen, `writes` what the form over it is about ([`Form::about`]). Asked after every message.
    fn beat(
        &mut self,
        _seen: bool,
        _writes: Option<(i64, &'static str)>,
        _every: Millis,
        _now: Millis,
    ) -> Option<Load> {
        None
    }
    /// When it is to be asked next at the latest.
    fn beats_at(&self) -> Option<Millis> {
        None
    }
    /// Takes what came of [`Tab::beat`]; whether the picture changes by it.
    fn heard(&mut self, _snapshot: Snapshot, _now: Millis) -> bool {
        false
    }
    /// What explains the thing under the cursor, a title and lines.
    fn explain(&self, now: Millis) -> Option<(String, Vec<String>)>;
    /// What wants attention.
    fn attention(&self, now: Millis) -> Option<Attention>;
    /// What it gives the wall.
    fn wall(&self, now: Millis) -> WallFacts;
    /// One cell for each thing it watches (a host), worst first, for the strip of the wall.
    fn wall_strip(&self, _now: Millis) -> Vec<Role> {
        vec![]
    }
    /// One line that always stands on the wall (was last night safe?).
    fn wall_line(&self, _now: Millis) -> Option<(String, Role)> {
        None
    }
    /// Its list, where it has one: cursor, marks, held order and look are the console's to change.
    fn list(&mut self) -> Option<&mut dyn Listing> {
        None
    }
    /// What that list can do.
    fn offers(&self) -> Offers {
        Offers::default()
    }
    /// The look of the list was changed: rows are chosen and ordered anew.
    fn relist(&mut self, _now: Millis) {}
    /// Draws it.
    fn draw(&self, brush: &Brush<'_>, buf: &mut Buffer, area: Rect, now: Millis);
    /// The next instant at which its picture changes by the passing of time alone.
    fn wake(&self, now: Millis) -> Option<Millis>;
}
