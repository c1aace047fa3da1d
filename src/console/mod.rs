//! The console: loop, tabs, layers, wall.

mod app;
mod layer;
mod run;
pub mod tab;
mod tabs;
mod wall;

pub use app::{App, Msg};
pub use run::{Options, run};
