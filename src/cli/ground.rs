//! Commands of the ground: console, serve, operators, journal, store, configuration.

use std::sync::Arc;

use clap::{CommandFactory as _, Subcommand};
use serde_json::{Value, json};

use super::context::{print, print_json, warn};
use super::{Args, CliError, ConsoleArgs, Cx, Global};
use crate::action::operators::{self, Add, Remove, SetRole};
use crate::action::{Door, Identity, Role};
use crate::clock::rfc3339;
use crate::config::{self, Config};
use crate::demo::{self, Company, Live};
use crate::journal;
use crate::locale::cli as say;
use crate::serve::http::Listener;
use crate::store::{Dialect, StoreUrl, schema};
use crate::text;
use crate::tui::theme::{Depth, Theme};

/// `zhiban operator`
#[derive(Debug, Subcommand)]
pub enum OperatorCmd {
    /// Add an operator
    Add {
        /// Unique name
        name: String,
        /// What they may do
        #[arg(long, value_enum, default_value = "operator")]
        role: Role,
        /// SHA-256 fingerprint of their SSH key (ssh-keygen -lf KEY.pub)
        #[arg(long, value_name = "SHA256:…")]
        key: Option<String>,
    },
    /// List operators
    List,
    /// Change a role
    Role {
        /// Who
        name: String,
        /// The new role
        #[arg(value_enum)]
        role: Role,
    },
    /// Remove an operator; the journal keeps what they did
    Remove {
        /// Who
        name: String,
    },
}

/// `zhiban journal`
#[derive(Debug, Subcommand)]
pub enum JournalCmd {
    /// The newest rows
    List {
        /// How many
        #[arg(long, default_value_t = 50)]
        limit: i64,
        /// Only about one thing, such as ticket:42
        #[arg(long, value_name = "KIND:ID")]
        subject: Option<String>,
    },
    /// Recompute the chain; exit code 1 when it is broken
    Verify,
    /// Every row as one JSON object a line
    Export,
}

/// `zhiban store`
#[derive(Debug, Subcommand)]
pub enum StoreCmd {
    /// Where it is and what it holds
    Info,
    /// Bring the schema up to date (done by every command; this one only does that)
    Migrate,
}

/// `zhiban config`
#[derive(Debug, Subcommand)]
pub enum ConfigCmd {
    /// Check the file; exit code 2 when it is wrong
    Check,
    /// The configuration in force, secrets hidden
    Show,
}

pub(super) async fn operator(cx: &Cx, cmd: OperatorCmd) -> Result<(), CliError> {
    let outcome = match cmd {
        OperatorCmd::List => {
            let all = operators::list(cx.store().await?).await?;
            let value: Vec<Value> = all
                .iter()
                .map(|o| json!({"name": o.name, "role": o.role.word(), "key": o.key, "created_at": rfc3339(o.created_at)}))
                .collect();
            cx.out(&value.into(), || {
                all.iter()
                    .map(|o| format!("{:<20} {:<11} {}\n", o.name, o.role.word(), o.key.as_deref().unwrap_or("-")))
                    .collect()
            });
            return Ok(());
        }
        OperatorCmd::Add { name, role, key } => cx.door().await?.run(&Add { name, role, key }).await?,
        OperatorCmd::Role { name, role } => cx.door().await?.run(&SetRole { name, role }).await?,
        OperatorCmd::Remove { name } => cx.door().await?.run(&Remove { name }).await?,
    };
    cx.done(&outcome);
    Ok(())
}

fn row_json(row: &journal::JournalRow) -> Value {
    let e = &row.entry;
    json!({
        "seq": row.seq, "at": rfc3339(e.at), "actor": e.actor, "origin": e.origin, "subject_kind": e.subject_kind,
        "subject_id": e.subject_id, "verb": e.verb,
        "detail": serde_json::from_str::<Value>(&e.detail).unwrap_or_else(|_| e.detail.clone().into()),
        "prev_hash": row.prev_hash, "hash": row.hash,
    })
}

pub(super) async fn journal(cx: &Cx, cmd: JournalCmd) -> Result<(), CliError> {
    let store = cx.store().await?;
    match cmd {
        JournalCmd::List { limit, subject } => {
            let subject = match &subject {
                None => None,
                Some(s) => Some(s.split_once(':').ok_or_else(|| CliError::Usage(say::subject_form(s)))?),
            };
            let rows = journal::newest(store, subject, limit.clamp(1, 100_000)).await?;
            cx.out(&rows.iter().map(row_json).collect(), || {
                rows.iter()
                    .map(|r| {
                        let e = &r.entry;
                        format!(
                            "{:>7} {} {:<12} {:<20} {}:{} {}\n",
                            r.seq,
                            rfc3339(e.at),
                            e.actor,
                            e.verb,
                            e.subject_kind,
                            e.subject_id,
                            e.detail
                        )
                    })
                    .collect()
            });
        }
        JournalCmd::Verify => {
            let v = journal::verify(store).await?;
            let value = json!({"rows": v.rows, "ok": v.first_broken.is_none(), "first_broken": v.first_broken});
            cx.out(&value, || v.first_broken.map_or_else(|| say::journal_ok(v.rows), say::journal_broken));
            if v.first_broken.is_some() {
                return Err(CliError::CheckFailed);
            }
        }
        JournalCmd::Export => {
            let mut after = 0;
            loop {
                let page = journal::page(store, after, 2_000).await?;
                let Some(last) = page.last() else { break };
                after = last.seq;
                for row in &page {
                    print_json(&row_json(row));
                }
            }
        }
    }
    Ok(())
}

pub(super) async fn store(cx: &Cx, cmd: StoreCmd) -> Result<(), CliError> {
    let store = cx.store().await?;
    let rows =
        store.row("SELECT coalesce(max(seq), 0) FROM journal", vec![], |r| r.get::<i64>(0)).await?.unwrap_or_default();
    let dialect = match store.dialect() {
        Dialect::Sqlite => "sqlite",
        Dialect::Postgres => "postgres",
    };
    let url = store.url().to_string();
    let value = json!({
        "url": url, "dialect": dialect, "schema_version": schema::VERSION, "journal_rows": rows,
        "transport_protected": store.url().is_protected(),
    });
    match cmd {
        StoreCmd::Info | StoreCmd::Migrate => cx.out(&value, || say::store_line(&url, schema::VERSION, rows)),
    }
    Ok(())
}

/// What the configuration itself does not know: key bindings name commands of the tabs, and the theme may be a file.
fn check_face(config: &std::sync::Arc<Config>, file: Option<&std::path::Path>) -> Result<(), config::ConfigError> {
    let themes = config::theme_folder(file);
    if let Err(why) = Theme::load(&config.ui.theme, themes.as_deref(), Depth::TrueColor) {
        let named = why.starts_with("no theme").then(|| config::place_of(file, &["ui".into(), "theme".into()]));
        return Err(config::ConfigError(vec![named.map_or(why.clone(), |place| say::config_problem(&place, &why))]));
    }
    let wrong = crate::console::wrong_keys(config);
    let line = |w: &crate::console::WrongKey| {
        say::config_problem(&config::place_of(file, &w.path), &format!("{}: {}", w.path.join("."), w.why))
    };
    if wrong.is_empty() { Ok(()) } else { Err(config::ConfigError(wrong.iter().map(line).collect())) }
}

pub(super) fn config_check(global: &Global) -> Result<(), CliError> {
    let (config, file) = Config::load(global.config.as_deref())?;
    warn(&config, file.as_deref());
    check_face(&config.into(), file.as_deref())?;
    let value = json!({"file": file, "ok": true});
    let line = file.as_ref().map_or_else(say::config_defaults, |f| say::config_ok(&f.display().to_string()));
    if global.json {
        print_json(&value);
    } else {
        print(&text::clean(&line));
    }
    Ok(())
}

pub(super) fn config(cx: &Cx, _cmd: &ConfigCmd) -> Result<(), CliError> {
    let mut value = serde_json::to_value(cx.config().as_ref()).map_err(|e| CliError::Failed(e.to_string()))?;
    let url = &cx.config().store.url;
    if url.is_plain() {
        value["store"]["url"] = url.reveal().map_err(CliError::Usage)?.parse::<StoreUrl>()?.to_string().into();
    }
    cx.out(&value, || serde_json::to_string_pretty(&value).unwrap_or_default());
    Ok(())
}

pub(super) fn logs(cx: &Cx) -> Result<(), CliError> {
    let folder = crate::log::folder(cx.config()).ok_or_else(|| CliError::Usage(say::no_home()))?;
    let shown = folder.display().to_string();
    cx.out(&json!({"folder": shown}), || shown.clone());
    Ok(())
}

pub(super) fn completions(shell: clap_complete::Shell) -> Result<(), CliError> {
    let mut buffer = Vec::new();
    clap_complete::generate(shell, &mut Args::command(), "zhiban", &mut buffer);
    print(String::from_utf8_lossy(&buffer).trim_end());
    Ok(())
}

pub(super) fn man() -> Result<(), CliError> {
    let mut buffer = Vec::new();
    clap_mangen::Man::new(Args::command()).render(&mut buffer).map_err(|e| CliError::Failed(e.to_string()))?;
    print(String::from_utf8_lossy(&buffer).trim_end());
    Ok(())
}

/// `zhiban serve`
#[derive(Debug, clap::Args)]
pub struct ServeArgs {
    /// Where to listen: address and port; port 0 takes a free one
    #[arg(long, value_name = "ADDR")]
    listen: Option<String>,
}

pub(super) async fn serve(cx: &Cx, args: ServeArgs) -> Result<(), CliError> {
    let _log = crate::log::start(cx.config());
    let store = cx.store().await?.clone();
    let url = store.url().to_string();
    let wanted = args.listen.as_deref().unwrap_or(&cx.config().serve.listen);
    let listener = Listener::bind(wanted, &cx.config().serve).await.map_err(CliError::Usage)?;
    let address = listener.url();
    if !listener.finding().is_empty() {
        tracing::warn!("{}", listener.finding());
    }
    cx.out(&json!({"address": address, "store": url}), || {
        format!("{}\n{}", say::serve_started(&url), crate::locale::intake::listening(&address))
    });
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let door = Door::system(store, cx.clock().clone(), cx.config().clone());
    let work = tokio::spawn(crate::serve::run(door.clone(), crate::serve::jobs(), stopped.clone()));
    let mut listening = tokio::spawn(listener.serve(door, stopped));
    let mut term = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())
        .map_err(|e| CliError::Failed(e.to_string()))?;
    let failed = tokio::select! {
        _ = tokio::signal::ctrl_c() => None,
        _ = term.recv() => None,
        ended = &mut listening => Some(ended.map_or_else(|e| e.to_string(), |r| r.err().map(|e| e.to_string()).unwrap_or_default())),
    };
    _ = stop.send(true);
    if failed.is_none() {
        _ = listening.await;
    }
    _ = work.await;
    failed.map_or(Ok(()), |why| Err(CliError::Failed(why)))
}

/// The console over a synthetic company; its folder goes when this returns.
pub(super) async fn demo(global: &Global, args: &ConsoleArgs, wall: bool, speed: f64) -> Result<(), CliError> {
    let (cx, _folder) = Cx::demo(global, speed).await?;
    let (store, clock, config) = (cx.store().await?.clone(), cx.clock().clone(), cx.config().clone());
    let company = Company::new(store.clone(), clock, config, &Identity::here().user, demo::SEED);
    let live = company.settle().await?;
    // what settling took is no part of the company's time: the first picture is of the present
    cx.clock().begin();
    let result = console(&cx, args, wall, Some(live)).await;
    store.close().await;
    result
}

pub(super) async fn console(cx: &Cx, args: &ConsoleArgs, wall: bool, demo: Option<Live>) -> Result<(), CliError> {
    check_face(cx.config(), cx.file())?;
    let _log = crate::log::start(cx.config());
    let mut door = cx.door_as(if wall { "wall" } else { "console" }).await?;
    if wall {
        door = door.closed();
    }
    if let Some(why) = crate::tui::terminal::unfit(|key| std::env::var(key).ok()) {
        super::context::note(&why);
        let (json, lines) = crate::console::status(&door).await;
        cx.out(&json, || lines.join("\n"));
        return Ok(());
    }
    let options = crate::console::Options {
        tab: args.tab.map_or(0, |t| t as usize),
        themes: config::theme_folder(cx.file()),
        wall,
        sample_here: demo.is_none(),
        demo: demo.map(|live| Arc::new(tokio::sync::Mutex::new(live))),
    };
    crate::console::run(door, options).await.map_err(CliError::Failed)
}
