//! The console: loop, tabs, layers, wall.

mod app;
mod edit;
mod form;
mod frame;
mod input;
mod layer;
mod list;
mod run;
mod steady;
pub mod tab;
mod tabs;
pub mod testing;
mod wall;
mod when;

pub use app::{App, Mouse, Msg, Setup};
pub use run::{Options, run};
pub use tabs::all as all_tabs;
