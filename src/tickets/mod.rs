//! The ticket queue and its SLA clocks.

pub mod actions;
pub mod canned;
pub mod eval;
mod explain;
pub mod handling;
pub mod jobs;
pub mod model;
pub mod simulate;
pub mod sla;
pub mod store;
pub mod tab;
mod view;
mod words;

pub use explain::{explain, segments};
pub use view::{list_line, show_lines};
