//! Integration tests, linked once.
#![expect(clippy::expect_used, reason = "a test that cannot go on fails right there")]

mod backups;
mod console;
mod db;
mod ground;
mod health;
mod house;
mod imports;
mod knowledge;
mod mail;
mod notify;
mod screens;
mod serve;
mod tickets;
mod wecom;
mod workflows;
