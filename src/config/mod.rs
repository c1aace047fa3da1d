//! The configuration file, checked.
//!
//! Every option has a default, and `config.example.toml` shows them all with those defaults. A name that does not
//! exist, a wrong type, a bad duration: refused with file, line, column, reason and the nearest right name.

mod accounts;
mod backups;
mod desk;
mod dur;
mod health;
mod notify;
mod oncall;
mod place;
mod secret;
mod serve;
mod tickets;
mod ui;
mod workflows;

use std::path::{Path, PathBuf};

use etcetera::BaseStrategy as _;
use serde::{Deserialize, Serialize};

pub use accounts::*;
pub use backups::*;
pub use desk::*;
pub use dur::Dur;
pub use health::*;
pub use notify::*;
pub use oncall::*;
pub(crate) use place::{distance, line_column, with_suggestion};
pub use secret::Secret;
pub use serve::*;
pub use tickets::*;
pub use ui::*;
pub use workflows::*;

use crate::locale::cli as say;
use crate::store::StoreUrl;

/// The whole configuration.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where the data is.
    pub store: StoreConfig,
    /// Look and language.
    pub ui: Ui,
    /// Key bindings by context: `[keys.tickets] "ctrl-t" = "claim"`; an empty command unbinds.
    pub keys: Keys,
    /// Log files.
    pub log: Log,
    /// Tickets and their SLA.
    pub tickets: Tickets,
    /// How the desk works: canned replies, own commands.
    pub desk: Desk,
    /// Hosts.
    pub health: Health,
    /// Workflows.
    pub workflows: Workflows,
    /// Accounts.
    pub accounts: Accounts,
    /// Backups.
    pub backups: Backups,
    /// Messages to people.
    pub notify: Notify,
    /// Who is on duty and who is called.
    pub oncall: Oncall,
    /// What `zhiban serve` listens to.
    pub serve: Serve,
}

/// `[store]`
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StoreConfig {
    /// `sqlite:///path` or `postgres://…`, itself or by reference; empty: a SQLite file in the XDG data folder.
    pub url: Secret,
}

/// `[log]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Log {
    /// Folder of the log files; empty: `zhiban` in the XDG state folder.
    pub folder: String,
    /// `error`, `warn`, `info`, `debug` or `trace`.
    pub level: Level,
    /// Daily files kept.
    pub keep: u16,
}

impl Default for Log {
    fn default() -> Self {
        Self { folder: String::new(), level: Level::Info, keep: 14 }
    }
}

/// How much is logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Failures.
    Error,
    /// And what looks wrong.
    Warn,
    /// And what happened.
    Info,
    /// And how.
    Debug,
    /// Everything.
    Trace,
}

/// What a check found wrong, with the place of each.
#[derive(Debug, Default)]
pub struct Problems(Vec<(Vec<String>, String)>);

impl Problems {
    /// Notes that the option at `path` (`["tickets", "levels"]`, of the second `[[desk.reply]]` `["desk", "reply", "2"]`) is
    /// wrong because of `why`.
    pub fn add(&mut self, path: &[&str], why: impl Into<String>) {
        self.0.push((path.iter().map(|s| (*s).to_owned()).collect(), why.into()));
    }
}

/// The configuration cannot be used; one line for each problem, naming file, line and column.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{}", .0.join("\n"))]
pub struct ConfigError(pub Vec<String>);

impl Config {
    /// Reads and checks `text`; `name` is shown in errors.
    ///
    /// # Errors
    /// With every problem found.
    pub fn parse(name: &str, text: &str) -> Result<Self, ConfigError> {
        let config: Self = toml::from_str(text).map_err(|e| {
            let (line, column) = e.span().map_or((1, 1), |span| place::line_column(text, span.start));
            let what = place::with_suggestion(e.message());
            ConfigError(vec![say::config_problem(&format!("{name}:{line}:{column}"), &what)])
        })?;
        let mut problems = Problems::default();
        config.tickets.check(&mut problems);
        config.desk.check(&mut problems);
        config.health.check(&mut problems);
        config.workflows.check(&mut problems);
        config.accounts.check(&mut problems);
        config.backups.check(&mut problems);
        config.ui.check(&mut problems);
        config.serve.check(&mut problems);
        config.notify.check(&mut problems);
        config.oncall.check(&config.tickets.thresholds, &config.notify, &mut problems);
        if problems.0.is_empty() {
            return Ok(config);
        }
        Err(ConfigError(
            problems
                .0
                .into_iter()
                .map(|(path, why)| {
                    let (line, column) = place::locate(text, &path);
                    say::config_problem(&format!("{name}:{line}:{column}"), &format!("{}: {why}", path.join(".")))
                })
                .collect(),
        ))
    }

    /// Whether `file`, from which this was read, holds a secret itself and others than its owner may read it.
    pub fn has_open_secret(&self, file: &Path) -> bool {
        use std::os::unix::fs::PermissionsExt as _;
        let open = || std::fs::metadata(file).is_ok_and(|m| m.permissions().mode() & 0o044 != 0);
        let url = self.store.url.is_plain()
            && self.store.url.reveal().is_ok_and(|url| url.parse::<StoreUrl>().is_ok_and(|url| url.has_password()));
        // written out, a plain secret is dots
        let mut rest = self.clone();
        rest.store = StoreConfig::default();
        let others = || serde_json::to_string(&rest).is_ok_and(|text| text.contains(secret::HIDDEN));
        (url || others()) && open()
    }

    /// Reads the file `path`, or the default file when `path` is `None`; no default file means the defaults. Returns
    /// the file that was read.
    ///
    /// # Errors
    /// When the file cannot be read or is wrong.
    pub fn load(path: Option<&Path>) -> Result<(Self, Option<PathBuf>), ConfigError> {
        let file = match path {
            Some(path) => path.to_owned(),
            None => match default_file() {
                Some(file) if file.exists() => file,
                _ => return Ok((Self::default(), None)),
            },
        };
        let shown = file.display().to_string();
        let bytes = std::fs::read(&file).map_err(|e| ConfigError(vec![say::config_problem(&shown, &e.to_string())]))?;
        let text = String::from_utf8(bytes).map_err(|e| {
            let line = memchr::memchr_iter(b'\n', &e.as_bytes()[..e.utf8_error().valid_up_to()]).count() + 1;
            ConfigError(vec![say::config_problem(&format!("{shown}:{line}:1"), &say::config_not_utf8())])
        })?;
        Ok((Self::parse(&shown, &text)?, Some(file)))
    }
}

/// Where the option at `path` (`["keys", "global", "j"]`) stands in `file`: `FILE:LINE:COLUMN`; without a file, the option.
pub fn place_of(file: Option<&Path>, path: &[String]) -> String {
    let Some(file) = file else { return path.join(".") };
    let (line, column) = place::locate(&std::fs::read_to_string(file).unwrap_or_default(), path);
    format!("{}:{line}:{column}", file.display())
}

/// The folder of one's own themes: `themes` beside the configuration file.
pub fn theme_folder(file: Option<&Path>) -> Option<PathBuf> {
    let file = file.map(Path::to_owned).or_else(default_file)?;
    file.parent().map(|folder| folder.join("themes"))
}

/// `zhiban/config.toml` in the XDG configuration folder.
pub fn default_file() -> Option<PathBuf> {
    etcetera::choose_base_strategy().ok().map(|b| b.config_dir().join("zhiban/config.toml"))
}

/// `zhiban` in the XDG data folder.
pub fn data_folder() -> Option<PathBuf> {
    etcetera::choose_base_strategy().ok().map(|b| b.data_dir().join("zhiban"))
}

/// `zhiban` in the XDG state folder (the data folder where there is none).
pub fn state_folder() -> Option<PathBuf> {
    etcetera::choose_base_strategy().ok().map(|b| b.state_dir().unwrap_or_else(|| b.data_dir()).join("zhiban"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_documents_every_option_with_its_default() {
        let text = include_str!("../../config.example.toml");
        assert_eq!(Config::parse("config.example.toml", text), Ok(Config::default()));
        let shown: toml::Table = toml::from_str(text).expect("example");
        let all = toml::Table::try_from(Config::default()).expect("defaults");
        let mut missing = Vec::new();
        fn walk(path: &str, all: &toml::Table, shown: &toml::Table, missing: &mut Vec<String>) {
            for (key, value) in all {
                match (value, shown.get(key)) {
                    (_, None) => missing.push(format!("{path}{key}")),
                    (toml::Value::Table(a), Some(toml::Value::Table(s))) => {
                        walk(&format!("{path}{key}."), a, s, missing);
                    }
                    _ => {}
                }
            }
        }
        walk("", &all, &shown, &mut missing);
        assert!(missing.is_empty(), "not in config.example.toml: {missing:?}");
    }

    #[test]
    fn a_wrong_name_is_refused_with_its_place_and_the_nearest_right_name() {
        let error = Config::parse("c.toml", "[ui]\nthem = \"dark\"\n").expect_err("refused").to_string();
        assert!(error.contains("c.toml:2:1") && error.contains("`theme`"), "{error}");
    }

    #[test]
    fn a_wrong_canned_reply_is_refused_where_it_stands() {
        let text = "[[desk.reply]]\nname = \"a\"\nen = \"#{{ id }}\"\n\n[[desk.reply]]\nname = \"b\"\n  zh = \"{{ nothing }}\"\n\n\
                    [[desk.reply]]\nname = \"a\"\nen = \"{% if %}\"\n";
        let error = Config::parse("c.toml", text).expect_err("refused").to_string();
        for wanted in ["c.toml:7:3", "c.toml:10:1", "c.toml:11:1", "reporter"] {
            assert!(error.contains(wanted), "{wanted}: {error}");
        }
    }

    #[test]
    fn a_bad_duration_is_refused_with_its_place() {
        let error = Config::parse("c.toml", "[ui]\nframe_gap = \"soon\"\n").expect_err("refused").to_string();
        assert!(error.contains("c.toml:2:13"), "{error}");
    }
}
