//! Event logs of the OA workflows: where the time goes, who waits for whom.
//!
//! A log is read from a file ([`sources`]) into columns ([`log`]), figured out ([`analysis`] for the whole of it,
//! [`insight`] for a window as of an instant), both from executions put together by [`pairing`], kept ([`store`]) and shown ([`tab`]). Definitions stand in [`model`].

pub mod actions;
pub mod analysis;
mod hash;
pub mod insight;
pub mod log;
pub mod model;
pub mod names;
pub mod pairing;
pub mod report;
pub mod sources;
pub mod store;
pub mod tab;
mod view;
