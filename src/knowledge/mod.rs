//! What was learnt: articles, cases, and the reviews of incidents that cases come from.

pub mod actions;
pub mod model;
pub mod review;
pub mod sources;
pub mod store;
