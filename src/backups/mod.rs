//! The backup catalogue, plans, adherence.

pub mod actions;
pub mod model;
pub mod sources;
pub mod store;
pub mod tab;
