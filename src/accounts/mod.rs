//! Directory accounts, the HR roster, audits.

pub mod actions;
pub mod audit;
pub mod decisions;
mod imports;
pub mod model;
pub mod rules;
pub mod sources;
pub mod store;
pub mod tab;
mod view;
pub mod words;
