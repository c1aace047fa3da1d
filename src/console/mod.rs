//! The console: loop, tabs, layers, wall.

mod app;
mod aside;
mod background;
mod custom;
pub mod duty;
mod edit;
mod editor;
pub(crate) mod evidence;
mod files;
mod form;
mod frame;
mod input;
mod keymap;
mod layer;
mod library;
mod list;
mod offer;
mod plain;
mod reader;
mod rows;
mod run;
mod steady;
pub mod tab;
mod tabs;
pub mod testing;
pub(crate) mod troubles;
mod undo;
mod wall;
pub(crate) mod when;

pub use app::{App, Mouse, Msg, Setup};
pub use keymap::WrongKey;
pub use plain::status;
pub use run::{Options, run};
pub use tabs::all as all_tabs;

/// Key bindings of `config` that cannot be.
pub fn wrong_keys(config: &std::sync::Arc<crate::config::Config>) -> Vec<WrongKey> {
    let tabs = all_tabs(config, "");
    keymap::Keymap::new(tabs.iter().map(AsRef::as_ref), &config.keys, &config.desk.command).1
}

/// Every key, tab by tab, as Markdown in the language in force.
pub fn key_table(config: &std::sync::Arc<crate::config::Config>) -> String {
    use std::fmt::Write as _;
    let tabs = all_tabs(config, "");
    let map = keymap::Keymap::new(tabs.iter().map(AsRef::as_ref), &config.keys, &config.desk.command).0;
    let mut out = String::new();
    let globals = ("global", crate::locale::console::everywhere(), input::GLOBALS);
    let own = tabs.iter().map(|t| (t.key(), t.name(), t.commands()));
    for (context, name, commands) in std::iter::once(globals).chain(own) {
        _ = write!(out, "\n**{name}** (`[keys]` {context})\n\n| key | what it does | command |\n|---|---|---|\n");
        for command in commands {
            let keys = map.keys(context, command.name).iter().map(|k| format!("`{k}`")).collect::<Vec<_>>().join(" ");
            _ = writeln!(out, "| {keys} | {} | `{}` |", (command.doc)(), command.name);
        }
    }
    out.push('\n');
    out
}
