//! The ticket queue and its SLA clocks.

pub mod actions;
pub mod eval;
pub mod jobs;
pub mod model;
pub mod sla;
pub mod store;
pub mod tab;
mod view;

pub use view::{explain, list_line, show_lines};
