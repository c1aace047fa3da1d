//! The backup catalogue: what ran, what should have run, and whether last night is safe.

pub mod actions;
pub mod anomaly;
pub mod jobs;
pub mod model;
pub mod slots;
pub mod sources;
pub mod store;
pub mod tab;
pub mod verdict;
mod view;
pub mod words;
