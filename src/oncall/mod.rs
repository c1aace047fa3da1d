//! Who is on duty, and who is called when a clock runs out.

pub mod actions;
pub mod escalation;
pub mod jobs;
pub mod model;
pub mod store;
