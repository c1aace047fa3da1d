//! It survives: the real program, from outside, in trouble.

#![expect(clippy::print_stdout, reason = "figures are shown")]

mod clock;
mod commands;
mod config;
mod damage;
mod files;
mod hostile;
mod intake;
mod killed;
mod live;
mod postgres;
mod terminal;
