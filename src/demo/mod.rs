//! A synthetic company: seeded, the same every time.

pub mod backups;
pub mod workflows;
