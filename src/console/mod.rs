//! The console: loop, tabs, layers, wall.

mod app;
mod background;
pub mod duty;
mod edit;
mod editor;
mod form;
mod frame;
mod input;
mod keymap;
mod layer;
mod list;
mod plain;
mod rows;
mod run;
mod steady;
pub mod tab;
mod tabs;
pub mod testing;
mod undo;
mod wall;
mod when;

pub use app::{App, Mouse, Msg, Setup};
pub use keymap::WrongKey;
pub use plain::status;
pub use run::{Options, run};
pub use tabs::all as all_tabs;

/// Key bindings of `config` that cannot be.
pub fn wrong_keys(config: &std::sync::Arc<crate::config::Config>) -> Vec<WrongKey> {
    let tabs = all_tabs(config, "");
    keymap::Keymap::new(tabs.iter().map(AsRef::as_ref), &config.keys).1
}
