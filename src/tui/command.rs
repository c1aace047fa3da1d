//! Keys become named commands first; one table feeds keymap, help, hints and palette.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// Something a key can ask for.
#[derive(Debug, Clone, Copy)]
pub struct Command {
    /// Its name in the configuration: `claim`.
    pub name: &'static str,
    /// Its keys or sequences, `"j"`, `"ctrl-d"`, `"g g"`.
    pub keys: &'static [&'static str],
    /// What it does, in the language of the console.
    pub doc: fn() -> String,
    /// Whether it changes the store: a read-only session lacks it.
    pub mutates: bool,
}

/// `name` for as long as the program runs: names of commands that the configuration brings. Each is kept once.
pub fn intern(name: &str) -> &'static str {
    static KEPT: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());
    let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = kept.get(name) {
        return known;
    }
    let name: &'static str = Box::leak(name.into());
    kept.insert(name);
    name
}

/// The text of a key, as the configuration writes it.
pub fn key_text(key: &KeyEvent) -> String {
    let mut out = String::new();
    if key.modifiers.contains(KeyModifiers::CONTROL) {
        out.push_str("ctrl-");
    }
    if key.modifiers.contains(KeyModifiers::ALT) {
        out.push_str("alt-");
    }
    match key.code {
        KeyCode::Char(' ') => out.push_str("space"),
        KeyCode::Char(c) => out.push(c),
        KeyCode::Enter => out.push_str("enter"),
        KeyCode::Esc => out.push_str("esc"),
        KeyCode::Tab => out.push_str("tab"),
        KeyCode::BackTab => out.push_str("backtab"),
        KeyCode::Up => out.push_str("up"),
        KeyCode::Down => out.push_str("down"),
        KeyCode::Left => out.push_str("left"),
        KeyCode::Right => out.push_str("right"),
        KeyCode::Home => out.push_str("home"),
        KeyCode::End => out.push_str("end"),
        KeyCode::PageUp => out.push_str("pageup"),
        KeyCode::PageDown => out.push_str("pagedown"),
        KeyCode::Backspace => out.push_str("backspace"),
        KeyCode::Delete => out.push_str("delete"),
        KeyCode::F(n) => out.push_str(&format!("f{n}")),
        _ => out.push_str("other"),
    }
    out
}

/// What a key, after the keys before it, leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lookup {
    /// This command.
    Matched(&'static str),
    /// A sequence has begun; it goes on with these keys and commands.
    Pending(Vec<(String, &'static str)>),
    /// Nothing.
    None,
}

/// Looks `typed` (keys separated by blanks) up in `tables`, the first table that knows it wins.
pub fn lookup(typed: &str, tables: &[&[Command]]) -> Lookup {
    let mut pending = Vec::new();
    for table in tables {
        for command in *table {
            for keys in command.keys {
                if *keys == typed {
                    return Lookup::Matched(command.name);
                }
                if let Some(rest) = keys.strip_prefix(typed).and_then(|r| r.strip_prefix(' ')) {
                    pending.push((rest.to_owned(), command.name));
                }
            }
        }
    }
    if pending.is_empty() { Lookup::None } else { Lookup::Pending(pending) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &[Command] = &[
        Command { name: "down", keys: &["j", "down"], doc: String::new, mutates: false },
        Command { name: "top", keys: &["g g"], doc: String::new, mutates: false },
    ];

    #[test]
    fn a_sequence_waits_for_its_next_key_and_shows_it() {
        assert_eq!(lookup("g", &[TABLE]), Lookup::Pending(vec![("g".into(), "top")]));
        assert_eq!(lookup("g g", &[TABLE]), Lookup::Matched("top"));
        assert_eq!(lookup("g x", &[TABLE]), Lookup::None);
        assert_eq!(lookup("down", &[TABLE]), Lookup::Matched("down"));
    }
}
