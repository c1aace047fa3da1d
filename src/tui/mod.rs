//! The kit beneath the console: terminal, keys, themes, widgets.

pub mod chart;
pub mod command;
pub mod countdown;
pub mod digits;
pub mod job;
pub mod markdown;
pub mod osc52;
pub mod paint;
pub mod terminal;
pub mod testing;
pub mod theme;
pub mod wire;
