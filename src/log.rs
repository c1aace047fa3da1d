//! Log files: daily, rotated, never the screen.

use std::path::PathBuf;

use tracing_appender::non_blocking::WorkerGuard;
use tracing_subscriber::filter::LevelFilter;

use crate::config::{Config, Level, state_folder};

/// The folder of the log files.
pub fn folder(config: &Config) -> Option<PathBuf> {
    if config.log.folder.is_empty() { state_folder() } else { Some(PathBuf::from(&config.log.folder)) }
}

/// Starts logging; keep the guard until the end. Without a writable folder nothing is logged.
pub fn start(config: &Config) -> Option<WorkerGuard> {
    let folder = folder(config)?;
    std::fs::create_dir_all(&folder).ok()?;
    let appender = tracing_appender::rolling::Builder::new()
        .rotation(tracing_appender::rolling::Rotation::DAILY)
        .filename_prefix("zhiban")
        .filename_suffix("log")
        .max_log_files(usize::from(config.log.keep.max(1)))
        .build(&folder)
        .ok()?;
    let (writer, guard) = tracing_appender::non_blocking(appender);
    let level = match config.log.level {
        Level::Error => LevelFilter::ERROR,
        Level::Warn => LevelFilter::WARN,
        Level::Info => LevelFilter::INFO,
        Level::Debug => LevelFilter::DEBUG,
        Level::Trace => LevelFilter::TRACE,
    };
    let subscriber = tracing_subscriber::fmt().with_writer(writer).with_ansi(false).with_max_level(level).finish();
    tracing::subscriber::set_global_default(subscriber).ok()?;
    Some(guard)
}

/// Makes a panic give the terminal back and leave a report beside the log files.
pub fn report_panics(config: &Config) {
    let folder = folder(config);
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        crate::tui::terminal::restore();
        if let Some(folder) = &folder {
            let report = format!("{info}\n{}\n", std::backtrace::Backtrace::force_capture());
            _ = std::fs::write(folder.join(format!("panic-{}.txt", std::process::id())), report);
        }
        usual(info);
    }));
}
