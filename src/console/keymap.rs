//! Which key means which command: the built-in bindings with the configuration's over them.

use super::input::GLOBALS;
use super::tab::Tab;
use crate::config::{DeskCommand, Keys, distance};
use crate::locale::console as say;
use crate::tui::command::{Command, Lookup, intern};

/// Keys and key sequences in use, by context.
pub(super) struct Keymap(Vec<(&'static str, Vec<(String, &'static str)>)>);

/// A binding of the configuration that cannot be: its path in the file and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrongKey {
    /// `keys`, context, key; or `desk`, `command`, its number, `key`.
    pub path: Vec<String>,
    /// A sentence.
    pub why: String,
}

impl Keymap {
    /// The bindings in force, and what is wrong with the configuration's `own`.
    pub(super) fn new<'a>(
        tabs: impl Iterator<Item = &'a dyn Tab>,
        own: &Keys,
        desk: &[DeskCommand],
    ) -> (Self, Vec<WrongKey>) {
        let mut tables: Vec<(&'static str, &'static [Command])> = tabs.map(|t| (t.key(), t.commands())).collect();
        tables.push(("global", GLOBALS));
        let mut wrong = Vec::new();
        let path = |parts: &[&str]| std::iter::once("keys").chain(parts.iter().copied()).map(str::to_owned).collect();
        for context in own.keys().filter(|c| !tables.iter().any(|(name, _)| name == c)) {
            wrong.push(WrongKey { path: path(&[context]), why: say::no_context(context) });
        }
        let mut map = Vec::new();
        for (context, table) in tables {
            let mine = own.get(context);
            let is_own = |keys: &str| mine.is_some_and(|m| m.contains_key(keys));
            let mut bound: Vec<(String, &'static str)> = table
                .iter()
                .flat_map(|c| c.keys.iter().map(|k| ((*k).to_owned(), c.name)))
                .filter(|(keys, _)| !is_own(keys))
                .collect();
            let brought = || desk.iter().filter(move |c| c.tab == context).map(|c| intern(&c.name));
            let names = || table.iter().chain(GLOBALS).map(|c| c.name).chain(brought());
            for (keys, command) in mine.into_iter().flatten() {
                let at = path(&[context, keys]);
                if let Some(bad) = keys.split(' ').find(|k| !is_key(k)) {
                    wrong.push(WrongKey { path: at, why: say::no_key(bad) });
                } else if keys.split(' ').next().is_some_and(|k| k.len() == 1 && ("1"..="9").contains(&k)) {
                    wrong.push(WrongKey { path: at, why: say::key_of_tabs() });
                } else if command.is_empty() {
                    // unbound
                } else if let Some(name) = names().find(|n| n == command) {
                    bound.insert(0, (keys.clone(), name));
                } else {
                    let near = names().map(|n| (distance(command, n), n)).min().filter(|(d, _)| *d <= 3);
                    let near = near.map(|(_, n)| n).unwrap_or_default();
                    wrong.push(WrongKey { path: at, why: say::no_command(command, near) });
                }
            }
            // a key that is also the beginning of a sequence would never let the sequence come about
            for (keys, _) in bound.iter().filter(|(k, _)| is_own(k)) {
                let clash = bound.iter().find(|(other, _)| begins(other, keys) || begins(keys, other));
                if let Some((other, name)) = clash {
                    wrong.push(WrongKey { path: path(&[context, keys]), why: say::keys_clash(other, name) });
                }
            }
            map.push((context, bound));
        }
        let mut map = Self(map);
        map.bring(desk, &mut wrong);
        // nor may a tab's own key be the beginning of a sequence that works everywhere, or the other way round
        for (context, mine) in own.iter().filter(|(context, _)| *context != "global") {
            for keys in mine.iter().filter(|(_, command)| !command.is_empty()).map(|(keys, _)| keys) {
                let clash = map.context("global").iter().find(|(other, _)| begins(other, keys) || begins(keys, other));
                let hidden = |other: &str| mine.contains_key(other);
                if let Some((other, name)) = clash.filter(|(other, _)| !hidden(other)) {
                    wrong.push(WrongKey { path: path(&[context, keys]), why: say::keys_clash(other, name) });
                }
            }
        }
        (map, wrong)
    }

    /// Adds the keys of the configuration's own commands: they take none that means something already.
    fn bring(&mut self, desk: &[DeskCommand], wrong: &mut Vec<WrongKey>) {
        for (i, command) in desk.iter().enumerate().filter(|(_, c)| !c.key.is_empty()) {
            let (key, name) = (command.key.as_str(), intern(&command.name));
            let in_the_way = |(other, bound): &&(String, &'static str)| {
                *bound != name && (other == key || begins(other, key) || begins(key, other))
            };
            let why = if let Some(bad) = key.split(' ').find(|k| !is_key(k)) {
                Some(say::no_key(bad))
            } else if key.split(' ').next().is_some_and(|k| k.len() == 1 && ("1"..="9").contains(&k)) {
                Some(say::key_of_tabs())
            } else {
                let mut taken = self.context(&command.tab).iter().chain(self.context("global"));
                taken.find(in_the_way).map(|(other, bound)| say::keys_clash(other, bound))
            };
            if let Some(why) = why {
                let path = ["desk", "command", &(i + 1).to_string(), "key"].map(str::to_owned).to_vec();
                wrong.push(WrongKey { path, why });
            } else if let Some((_, bound)) = self.0.iter_mut().find(|(context, _)| *context == command.tab) {
                bound.push((command.key.clone(), name));
            }
        }
    }

    fn context(&self, name: &str) -> &[(String, &'static str)] {
        self.0.iter().find(|(context, _)| *context == name).map_or(&[], |(_, bound)| bound.as_slice())
    }

    /// What `typed` (keys separated by blanks) leads to in the tab `context`; the tab's own keys win.
    pub(super) fn lookup(&self, context: &str, typed: &str) -> Lookup {
        let mut pending: Vec<(String, &'static str)> = Vec::new();
        for bound in [self.context(context), self.context("global")] {
            if let Some((_, name)) = bound.iter().find(|(keys, _)| keys == typed) {
                return if pending.is_empty() { Lookup::Matched(name) } else { Lookup::Pending(pending) };
            }
            let longer = bound.iter().filter(|(keys, _)| begins(typed, keys));
            pending.extend(longer.map(|(keys, name)| (keys[typed.len() + 1..].to_owned(), *name)));
        }
        if pending.is_empty() { Lookup::None } else { Lookup::Pending(pending) }
    }

    /// The keys that lead to `command` in the tab `context`, the one to show first.
    pub(super) fn keys(&self, context: &str, command: &str) -> Vec<&str> {
        let own = self.context(context);
        // one that the tab binds itself, to this command or another, is no second one
        let hidden = |keys: &str| own.iter().any(|(k, _)| k == keys);
        let global = self.context("global").iter().filter(|(keys, _)| !hidden(keys));
        own.iter().chain(global).filter(|(_, name)| *name == command).map(|(keys, _)| keys.as_str()).collect()
    }
}

/// Whether the sequence `long` begins with `short` and goes on.
fn begins(short: &str, long: &str) -> bool {
    long.strip_prefix(short).is_some_and(|rest| rest.starts_with(' '))
}

/// Whether `key` is written as keys are: a character or a name, with `ctrl-` or `alt-` before it.
fn is_key(key: &str) -> bool {
    const NAMES: [&str; 15] = [
        "space",
        "enter",
        "esc",
        "tab",
        "backtab",
        "up",
        "down",
        "left",
        "right",
        "home",
        "end",
        "pageup",
        "pagedown",
        "backspace",
        "delete",
    ];
    let mut bare = key;
    for prefix in ["ctrl-", "alt-"] {
        bare = bare.strip_prefix(prefix).filter(|rest| !rest.is_empty()).unwrap_or(bare);
    }
    let function = bare.strip_prefix('f').and_then(|n| n.parse::<u8>().ok()).is_some_and(|n| (1..=24).contains(&n));
    bare.chars().count() == 1 || NAMES.contains(&bare) || function
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keymap(own: &str) -> (Keymap, Vec<String>) {
        let own: Keys = toml::from_str(own).expect("toml");
        let (map, wrong) = Keymap::new(std::iter::empty(), &own, &[]);
        (map, wrong.into_iter().map(|w| format!("{}: {}", w.path.join("."), w.why)).collect())
    }

    #[test]
    fn the_configuration_binds_moves_and_unbinds_keys() {
        let (map, wrong) = keymap("global = { \"ctrl-k\" = \"palette\", \":\" = \"\", \"x y\" = \"help\" }");
        assert_eq!(wrong, [""; 0]);
        assert_eq!(map.lookup("tickets", "ctrl-k"), Lookup::Matched("palette"));
        assert_eq!(map.lookup("tickets", ":"), Lookup::None);
        assert_eq!(map.lookup("tickets", "x"), Lookup::Pending(vec![("y".into(), "help")]));
        assert_eq!(map.keys("tickets", "palette"), ["ctrl-k"]);
        assert_eq!(map.keys("tickets", "help"), ["x y", "?"]);
    }

    #[test]
    fn a_binding_that_cannot_be_is_refused_with_its_reason() {
        for (own, wanted) in [
            ("nowhere = { j = \"down\" }", "keys.nowhere"),
            ("global = { j = \"dwon\" }", "down"),
            ("global = { \"hyper-j\" = \"down\" }", "hyper-j"),
            ("global = { g = \"down\" }", "g g"),
            ("global = { \"j x\" = \"down\" }", "keys.global.j x"),
            ("global = { \"3\" = \"down\" }", "keys.global.3"),
        ] {
            let (_, wrong) = keymap(own);
            assert!(wrong.len() == 1 && wrong[0].contains(wanted), "{own}: {wrong:?}");
        }
    }
}
