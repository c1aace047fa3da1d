//! Directory accounts, the HR roster, audits.

pub mod actions;
pub mod model;
pub mod sources;
pub mod store;
pub mod tab;
