//! Hosts, samples, roll-ups, thresholds.

pub mod jobs;
pub mod model;
pub mod sources;
pub mod store;
pub mod tab;
mod view;
