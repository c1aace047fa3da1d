//! Alerts of monitoring systems: many of them are one matter, told again is nothing new, and what has recovered is not
//! closed behind anybody's back.

pub mod actions;
pub mod jobs;
pub mod model;
pub mod sources;
pub mod store;
