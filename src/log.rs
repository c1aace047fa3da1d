//! Log files: daily, rotated, never the screen.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use tracing_appender::non_blocking::WorkerGuard;
use tracing_subscriber::filter::LevelFilter;

use crate::config::{Config, Level, state_folder};
use crate::locale::cli as say;
use crate::text;

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
    let subscriber = tracing_subscriber::fmt()
        .with_writer(move || Clean(writer.clone()))
        .with_ansi(false)
        .with_max_level(level)
        .finish();
    tracing::subscriber::set_global_default(subscriber).ok()?;
    Some(guard)
}

/// Where the report of the newest panic is.
static REPORT: Mutex<Option<PathBuf>> = Mutex::new(None);

/// Makes every panic leave a report beside the log files. Nothing is written to the screen: a panic of a background
/// task is told by the console, any other by [`crate::cli`] once the terminal has been given back.
pub fn report_panics(config: &Config) {
    let folder = folder(config);
    std::panic::set_hook(Box::new(move |info| {
        let report = format!("{info}\n{}\n", std::backtrace::Backtrace::force_capture());
        let path = folder.as_ref().map(|f| f.join(format!("panic-{}.txt", std::process::id())));
        let written = path.filter(|path| append(path, &report).is_ok());
        tracing::error!("{info}");
        if let Ok(mut last) = REPORT.lock() {
            *last = written;
        }
    }));
}

/// What to tell the user of a panic: where its report is.
pub fn fault() -> String {
    let report = REPORT.lock().ok().and_then(|last| last.clone());
    report.map_or_else(say::fault, |path| say::fault_reported(&path.display().to_string()))
}

/// Adds `report`, cleaned, to the file at `path`, which only its owner may read.
fn append(path: &Path, report: &str) -> std::io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt as _;
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let mut file = std::fs::File::options().create(true).append(true).mode(0o600).open(path)?;
    file.write_all(text::clean_lines(report).join("\n").as_bytes())
}

/// A writer of log lines that lets nothing through that could drive the terminal of whoever reads the file.
#[derive(Debug, Clone)]
struct Clean<W>(W);

impl<W: std::io::Write> std::io::Write for Clean<W> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let cleaned = text::clean_lines(&String::from_utf8_lossy(bytes)).join("\n");
        self.0.write_all(cleaned.as_bytes())?;
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        self.0.flush()
    }
}
