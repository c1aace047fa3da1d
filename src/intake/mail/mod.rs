//! E-mail: each mailbox is read by IMAP, each mail becomes a ticket or a message on one, once.

pub mod actions;
pub mod imap;
pub mod jobs;
pub mod model;
