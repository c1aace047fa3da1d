//! Integration tests, linked once.
#![expect(clippy::expect_used, reason = "a test that cannot go on fails right there")]

mod accounts;
mod backups;
mod console;
mod db;
mod demo;
mod desk;
mod fleet;
mod ground;
mod handling;
mod health;
mod house;
mod imports;
mod knowledge;
mod mail;
mod malformed;
mod notify;
mod pgbackrest;
mod program;
mod pty;
mod reports;
mod screens;
mod serve;
mod survive;
mod tickets;
mod troubles;
mod wecom;
mod workflows;
