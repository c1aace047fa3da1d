//! zhiban (值班, "on duty"): the terminal operations console for a company's office-automation system.
//!
//! The house, from the street down: **faces** (`cli`, `console`, `serve`) use **features** (`health`, `tickets`,
//! `workflows`, `accounts`, `backups`, `intake`), which stand on the **ground**
//! (`action`, `journal`, `store`, `calendar`, `tui`, `config`, `locale`, `clock`, `text`,
//! `digest`).
//! An import goes down or sideways within a feature, never up; `tests/it/house.rs` holds the code to it.

pub mod accounts;
pub mod action;
pub mod backups;
pub mod calendar;
pub mod cli;
pub mod clock;
pub mod config;
pub mod console;
pub mod demo;
pub mod digest;
pub mod health;
pub mod intake;
pub mod journal;
pub mod knowledge;
pub mod locale;
pub mod log;
pub mod net;
pub mod notify;
pub mod oncall;
pub mod serve;
pub mod store;
pub mod text;
pub mod tickets;
pub mod tui;
pub mod workflows;
