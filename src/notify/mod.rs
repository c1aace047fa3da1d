//! Outwards: messages to people, over WeCom, mail, SMS and anything that takes HTTP.
//!
//! Whoever has something to say puts it into the [outbox](store) in the transaction of the change it tells of; the
//! [sending job](jobs::Send) of the lease holder delivers it, in order, again and again until it is through or given
//! up. Delivery is at least once: a process that dies between a delivery and its note delivers once more.

pub mod actions;
pub mod channels;
pub mod jobs;
pub mod model;
pub mod store;
pub mod templates;
