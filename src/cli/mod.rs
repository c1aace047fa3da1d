//! The command tree: one file per noun, thin.

mod account;
mod agent;
mod backup;
mod calendar;
mod context;
mod desk;
mod ground;
mod host;
mod intake;
mod kb;
mod sla;
mod ticket;
mod workflow;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand, ValueEnum};

pub use context::{CliError, Cx};

use crate::locale;

/// zhiban (值班): the operations console of a company's office-automation system.
///
/// Without a command it opens the console. Exit codes: 0 done, 1 a check failed, 2 usage or configuration,
/// 3 store unreachable, 4 someone else was first, 5 not permitted, 6 not found.
#[derive(Debug, Parser)]
#[command(name = "zhiban", version, about, long_about, disable_help_subcommand = true)]
pub struct Args {
    #[command(flatten)]
    global: Global,
    #[command(flatten)]
    console: ConsoleArgs,
    #[command(subcommand)]
    command: Option<Command>,
}

/// Options of every command.
#[derive(Debug, Clone, clap::Args)]
pub struct Global {
    /// The store: sqlite:///path/file.db or postgres://user@host/database
    #[arg(long, global = true, env = "ZHIBAN_STORE", value_name = "URL", hide_env_values = true)]
    store: Option<String>,
    /// The configuration file
    #[arg(long, global = true, env = "ZHIBAN_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    /// Language: zh, en or auto
    #[arg(long, global = true, env = "ZHIBAN_LANG", value_name = "LANG")]
    lang: Option<String>,
    /// Act as another operator (admins only)
    #[arg(long = "as", global = true, value_name = "NAME")]
    act_as: Option<String>,
    /// Refuse every change here
    #[arg(long, global = true)]
    read_only: bool,
    /// Print JSON
    #[arg(long, global = true)]
    json: bool,
}

/// Options of the console.
#[derive(Debug, Clone, clap::Args)]
pub struct ConsoleArgs {
    /// The tab to open first
    #[arg(long, value_enum)]
    tab: Option<TabName>,
    #[command(flatten)]
    demo: DemoArgs,
}

/// Options of the console and the wall.
#[derive(Debug, Clone, Copy, clap::Args)]
pub struct DemoArgs {
    /// Show a synthetic company in a temporary store, gone on exit
    #[arg(long)]
    demo: bool,
    /// With --demo: seconds of its time that pass in a second, 1 to 600 [default: 10]
    #[arg(long, value_name = "N", value_parser = speed)]
    speed: Option<f64>,
}

fn speed(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(n) if (1.0..=600.0).contains(&n) => Ok(n),
        _ => Err("write a number from 1 (real time) to 600".into()),
    }
}

impl DemoArgs {
    /// The speed of the demo that these and `others` ask for; `None` when no demo is asked for.
    fn speed(self, others: Option<Self>) -> Result<Option<f64>, CliError> {
        let speed = self.speed.or(others.and_then(|o| o.speed));
        match self.demo || others.is_some_and(|o| o.demo) {
            true => Ok(Some(speed.unwrap_or(10.0))),
            false if speed.is_some() => Err(CliError::Usage(locale::cli::speed_without_demo())),
            false => Ok(None),
        }
    }
}

/// A tab of the console.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum TabName {
    /// Hosts
    Health,
    /// The ticket queue
    Tickets,
    /// Bottlenecks
    Workflows,
    /// Audits
    Accounts,
    /// Adherence
    Backups,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// The console full screen for a wall display: read-only, rotating
    Wall(DemoArgs),
    /// Periodic work, and intake over HTTP
    Serve(ground::ServeArgs),
    /// Who is on duty, and who was called
    #[command(subcommand)]
    Oncall(desk::OncallCmd),
    /// The knowledge base
    #[command(subcommand)]
    Kb(kb::KbCmd),
    /// Post-incident reviews
    #[command(subcommand)]
    Review(kb::ReviewCmd),
    /// Messages to people
    #[command(subcommand)]
    Outbox(desk::OutboxCmd),
    /// Files that came with tickets
    #[command(subcommand)]
    Attachment(intake::AttachmentCmd),
    /// How content reporters were, and how many said so
    Satisfaction(intake::SatisfactionArgs),
    /// Who may send: tokens for intake over HTTP
    #[command(subcommand)]
    Token(intake::TokenCmd),
    /// What arrived and could not be understood
    #[command(subcommand)]
    Quarantine(intake::QuarantineCmd),
    /// Tickets
    #[command(subcommand)]
    Ticket(ticket::Cmd),
    /// Event logs and bottlenecks
    #[command(subcommand)]
    Workflow(workflow::Cmd),
    /// Accounts, the HR roster, audits
    #[command(subcommand)]
    Account(account::Cmd),
    /// The backup catalogue
    #[command(subcommand)]
    Backup(backup::Cmd),
    /// SLA arithmetic
    #[command(subcommand)]
    Sla(sla::Cmd),
    /// Holiday lists and versions of the office calendar
    #[command(subcommand)]
    Calendar(calendar::Cmd),
    /// Sample this host into the store
    Agent(agent::Args),
    /// Hosts and their newest figures
    #[command(subcommand)]
    Host(host::Cmd),
    /// Operators and their roles
    #[command(subcommand)]
    Operator(ground::OperatorCmd),
    /// The record of every decision
    #[command(subcommand)]
    Journal(ground::JournalCmd),
    /// The store itself
    #[command(subcommand)]
    Store(ground::StoreCmd),
    /// The configuration
    #[command(subcommand)]
    Config(ground::ConfigCmd),
    /// Where the log files are
    Logs,
    /// Shell completions
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// The manual page
    Man,
}

/// Runs the program.
pub fn main() -> ExitCode {
    let parsed = Args::command().try_get_matches().and_then(|m| {
        let typed = m.value_source("store") == Some(clap::parser::ValueSource::CommandLine);
        Ok((Args::from_arg_matches(&m)?, typed))
    });
    let (args, store_typed) = match parsed {
        Ok(parsed) => parsed,
        Err(e) if !e.use_stderr() => {
            _ = e.print();
            return ExitCode::SUCCESS;
        }
        Err(e) => return context::report_usage(&e.render().to_string()),
    };
    locale::set_lang(locale::choose(args.global.lang.as_deref(), |key| std::env::var(key).ok()));
    let json = args.global.json;
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(e) => return context::report(&CliError::Failed(e.to_string()), json),
    };
    let run = std::panic::AssertUnwindSafe(|| runtime.block_on(run(args, store_typed)));
    let result = std::panic::catch_unwind(run).unwrap_or_else(|_| Err(CliError::Failed(crate::log::fault())));
    // store work that nobody waits for any more must not hold up the way out
    runtime.shutdown_timeout(std::time::Duration::from_millis(200));
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => context::report(&e, json),
    }
}

async fn run(args: Args, store_typed: bool) -> Result<(), CliError> {
    match &args.command {
        Some(Command::Completions { shell }) => return ground::completions(*shell),
        Some(Command::Man) => return ground::man(),
        Some(Command::Config(ground::ConfigCmd::Check)) => return ground::config_check(&args.global),
        _ => {}
    }
    let wall = match &args.command {
        Some(Command::Wall(demo)) => Some(*demo),
        _ => None,
    };
    if let Some(speed) = args.console.demo.speed(wall)? {
        if store_typed {
            return Err(CliError::Usage(locale::cli::demo_has_its_own()));
        }
        if wall.is_none() && args.command.is_some() {
            return Err(CliError::Usage(locale::cli::demo_is_a_console()));
        }
        return ground::demo(&args.global, &args.console, wall.is_some(), speed).await;
    }
    let cx = Cx::new(&args.global)?;
    crate::log::report_panics(cx.config());
    match args.command {
        None => ground::console(&cx, &args.console, false, None).await,
        Some(Command::Wall(_)) => ground::console(&cx, &args.console, true, None).await,
        Some(Command::Serve(args)) => ground::serve(&cx, args).await,
        Some(Command::Oncall(cmd)) => desk::oncall(&cx, cmd).await,
        Some(Command::Outbox(cmd)) => desk::outbox(&cx, cmd).await,
        Some(Command::Kb(cmd)) => kb::kb(&cx, cmd).await,
        Some(Command::Review(cmd)) => kb::review(&cx, cmd).await,
        Some(Command::Attachment(cmd)) => intake::attachment(&cx, cmd).await,
        Some(Command::Satisfaction(args)) => intake::satisfaction(&cx, args).await,
        Some(Command::Token(cmd)) => intake::token(&cx, cmd).await,
        Some(Command::Quarantine(cmd)) => intake::quarantine(&cx, cmd).await,
        Some(Command::Ticket(cmd)) => ticket::run(&cx, cmd).await,
        Some(Command::Workflow(cmd)) => workflow::run(&cx, cmd).await,
        Some(Command::Account(cmd)) => account::run(&cx, cmd).await,
        Some(Command::Backup(cmd)) => backup::run(&cx, cmd).await,
        Some(Command::Sla(cmd)) => sla::run(&cx, cmd).await,
        Some(Command::Calendar(cmd)) => calendar::run(&cx, cmd).await,
        Some(Command::Agent(args)) => agent::run(&cx, args).await,
        Some(Command::Host(cmd)) => host::run(&cx, cmd).await,
        Some(Command::Operator(cmd)) => ground::operator(&cx, cmd).await,
        Some(Command::Journal(cmd)) => ground::journal(&cx, cmd).await,
        Some(Command::Store(cmd)) => ground::store(&cx, cmd).await,
        Some(Command::Config(cmd)) => ground::config(&cx, &cmd),
        Some(Command::Logs) => ground::logs(&cx),
        Some(Command::Completions { .. } | Command::Man) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_tree_is_sound() {
        Args::command().debug_assert();
    }
}
