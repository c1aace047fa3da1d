//! What every command is handed, and how it answers.

use std::io::Write as _;
use std::process::ExitCode;
use std::sync::Arc;

use serde_json::{Value, json};

use super::Global;
use crate::action::{self, ActionError, Actor, Door, Identity, Outcome, Role};
use crate::clock::{Clock, Millis, parse_rfc3339};
use crate::config::{Config, ConfigError};
use crate::demo::{self, Folder};
use crate::locale::{self, cli as say};
use crate::store::{Store, StoreError, StoreUrl};
use crate::text;

/// Why a command did not do what was asked; each kind has its exit code.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// A check failed; what it found has been printed. Exit code 1.
    #[error("")]
    CheckFailed,
    /// Something failed. Exit code 1.
    #[error("{0}")]
    Failed(String),
    /// The arguments or a file make no sense. Exit code 2.
    #[error("{0}")]
    Usage(String),
    /// The configuration is wrong. Exit code 2.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The store. Exit code 3, for wrong addresses 2.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The action door refused. Exit codes 2 to 6.
    #[error(transparent)]
    Action(#[from] ActionError),
    /// There is no such thing. Exit code 6.
    #[error("{}", say::not_found(.0))]
    NotFound(String),
}

impl CliError {
    /// The exit code; stable.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::CheckFailed | Self::Failed(_) => 1,
            Self::Usage(_) | Self::Config(_) | Self::Store(StoreError::Url(_)) => 2,
            Self::Store(_) | Self::Action(ActionError::Store(_)) => 3,
            Self::Action(ActionError::Invalid(_)) => 2,
            Self::Action(ActionError::Conflict { .. } | ActionError::Taken(_) | ActionError::Full(_)) => 4,
            Self::Action(ActionError::Denied { .. } | ActionError::ReadOnly) => 5,
            Self::Action(ActionError::NotFound { .. }) | Self::NotFound(_) => 6,
        }
    }
}

/// Says something beside the output.
pub(super) fn note(what: &str) {
    let mut err = std::io::stderr().lock();
    for line in text::clean_lines(what) {
        _ = writeln!(err, "zhiban: {line}");
    }
}

/// Prints an error and gives its exit code.
pub(super) fn report(error: &CliError, json: bool) -> ExitCode {
    let code = error.exit_code();
    let message = error.to_string();
    if !message.is_empty() {
        let mut err = std::io::stderr().lock();
        if json {
            let mut body = json!({"error": message, "exit_code": code});
            if let CliError::Action(ActionError::Conflict { who, at, .. }) = error {
                body["owner"] = json!(who);
                body["at"] = json!(crate::clock::rfc3339(*at));
            }
            _ = writeln!(err, "{}", text::json_escaped(&body.to_string()));
        } else {
            for line in text::clean_lines(&message) {
                _ = writeln!(err, "zhiban: {line}");
            }
        }
    }
    ExitCode::from(code)
}

/// Tells, on standard error, what is dangerous about a configuration that is otherwise in order.
pub(super) fn warn(config: &Config, file: Option<&std::path::Path>) {
    if let Some(file) = file.filter(|file| config.has_open_secret(file)) {
        let line = say::config_open_secret(&file.display().to_string());
        _ = writeln!(std::io::stderr().lock(), "zhiban: {}", text::clean(&line));
    }
}

/// Prints what is wrong with the arguments, which may hold anything, and gives the exit code.
pub(super) fn report_usage(rendered: &str) -> ExitCode {
    let rendered = rendered.trim_end();
    if std::env::args_os().any(|arg| arg == "--json") {
        return report(&CliError::Usage(rendered.trim_start_matches("error: ").to_owned()), true);
    }
    let mut err = std::io::stderr().lock();
    for line in text::clean_lines(rendered) {
        _ = writeln!(err, "{line}");
    }
    ExitCode::from(2)
}

/// What every command is handed.
#[derive(Debug)]
pub struct Cx {
    global: Global,
    config: Arc<Config>,
    file: Option<std::path::PathBuf>,
    clock: Clock,
    store: tokio::sync::OnceCell<Store>,
}

impl Cx {
    pub(super) fn new(global: &Global) -> Result<Self, CliError> {
        let (config, file) = Config::load(global.config.as_deref())?;
        let wanted = global.lang.clone().or_else(|| (config.ui.lang != "auto").then(|| config.ui.lang.clone()));
        locale::set_lang(locale::choose(wanted.as_deref(), |key| std::env::var(key).ok()));
        warn(&config, file.as_deref());
        Ok(Self {
            global: global.clone(),
            config: Arc::new(config),
            file,
            clock: Clock::System,
            store: tokio::sync::OnceCell::new(),
        })
    }

    /// As [`Cx::new`], over a temporary store whose clock runs at `speed`; with the folder that is to be dropped last.
    pub(super) async fn demo(global: &Global, speed: f64) -> Result<(Self, Folder), CliError> {
        let mut cx = Self::new(global)?;
        // what went wrong must outlive the demo
        crate::log::report_panics(&cx.config);
        let shown = std::env::temp_dir();
        let folder = Folder::new(&shown).map_err(|e| CliError::Failed(format!("{}: {e}", shown.display())))?;
        cx.config = demo::config(&cx.config, &folder).into();
        cx.clock = Clock::scaled(demo::beginning(cx.clock.now(), &cx.config.tickets), speed);
        let store = Store::open(&StoreUrl::sqlite(folder.path().join("demo.db"))).await?;
        cx.store = tokio::sync::OnceCell::new_with(Some(store));
        Ok((cx, folder))
    }

    /// The configuration file, where there is one.
    pub(super) fn file(&self) -> Option<&std::path::Path> {
        self.file.as_deref()
    }

    /// The configuration in force.
    pub fn config(&self) -> &Arc<Config> {
        &self.config
    }

    /// The clock.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Whether `--json` was given.
    pub fn json(&self) -> bool {
        self.global.json
    }

    /// Whether `--read-only` was given.
    pub fn read_only(&self) -> bool {
        self.global.read_only
    }

    /// Where the store is: `--store`, the configuration, or the XDG data folder.
    ///
    /// # Errors
    /// When the address makes no sense or a reference in the configuration leads nowhere.
    pub fn store_url(&self) -> Result<StoreUrl, CliError> {
        if let Some(url) = &self.global.store {
            return Ok(url.parse()?);
        }
        if !self.config.store.url.is_empty() {
            return Ok(self.config.store.url.reveal().map_err(CliError::Usage)?.parse()?);
        }
        let folder = crate::config::data_folder().ok_or_else(|| CliError::Usage(say::no_home()))?;
        Ok(StoreUrl::sqlite(folder.join("zhiban.db")))
    }

    /// The store, opened on first use.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub async fn store(&self) -> Result<&Store, CliError> {
        self.store.get_or_try_init(|| async { Ok(Store::open(&self.store_url()?).await?) }).await
    }

    /// The door for whoever sits at this terminal (or `--as`), in the name of the face `origin`.
    ///
    /// # Errors
    /// When the store does not answer, or `--as` is not permitted or names nobody.
    pub async fn door_as(&self, origin: &str) -> Result<Door, CliError> {
        let store = self.store().await?.clone();
        let mut actor = action::resolve(&store, &Identity::here(), origin).await?;
        if let Some(name) = &self.global.act_as {
            if actor.role < Role::Admin {
                return Err(ActionError::Denied { needs: Role::Admin, has: actor.role }.into());
            }
            let operators = action::operators::list(&store).await?;
            let found = operators.into_iter().find(|o| &o.name == name);
            let found = found.ok_or_else(|| CliError::NotFound(name.clone()))?;
            let origin = format!("{} by {}", actor.origin, actor.name);
            actor = Actor { name: found.name, role: found.role, origin, unclaimed: false };
        }
        Ok(Door::new(store, self.clock.clone(), self.config.clone(), actor, self.global.read_only).with_live_role())
    }

    /// The door of a command.
    ///
    /// # Errors
    /// As [`Cx::door_as`].
    pub async fn door(&self) -> Result<Door, CliError> {
        self.door_as("cli").await
    }

    /// Prints `value` with `--json`, else what `human` makes of it, cleaned of anything that could drive a terminal.
    pub fn out(&self, value: &Value, human: impl FnOnce() -> String) {
        if self.global.json {
            print_json(value);
        } else {
            print(&text::clean_lines(human().trim_end_matches('\n')).join("\n"));
        }
    }

    /// Prints what came of an action: its value with `--json`, else its sentence.
    pub fn done(&self, outcome: &Outcome) {
        self.out(&outcome.value, || outcome.message.clone());
    }
}

/// Reads an instant given on the command line.
pub(super) fn time(text: &str) -> Result<Millis, String> {
    parse_rfc3339(text).map_err(|e| format!("{e}; write RFC 3339, such as 2026-11-24T09:30:00+08:00"))
}

/// Writes a line to standard output; a reader that has gone is no error.
pub(super) fn print(line: &str) {
    let mut out = std::io::stdout().lock();
    _ = writeln!(out, "{line}");
}

/// Writes a JSON value to standard output.
pub(super) fn print_json(value: &Value) {
    print(&text::json_escaped(&value.to_string()));
}
