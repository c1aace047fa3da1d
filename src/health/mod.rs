//! Hosts, samples, roll-ups, thresholds.

pub mod actions;
pub mod alert;
pub mod forecast;
pub mod jobs;
pub mod model;
pub mod sources;
pub mod store;
pub mod tab;
mod view;
pub mod words;
