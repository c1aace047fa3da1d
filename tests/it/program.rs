//! The real program, in a home of its own: nothing of the user's configuration, store or language takes part.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

/// The program under test.
pub const PROGRAM: &str = env!("CARGO_BIN_EXE_zhiban");

/// A throw-away home with a store; gone when dropped.
pub struct Home {
    folder: tempfile::TempDir,
    pub store: String,
}

/// What a command left behind.
#[derive(Debug)]
pub struct Out {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Out {
    /// The JSON on standard output.
    pub fn json(&self) -> Value {
        assert_eq!(self.code, 0, "{self:?}");
        let value = serde_json::from_str(&self.stdout);
        assert!(value.is_ok(), "{value:?}: {self:?}");
        value.unwrap_or_default()
    }

    /// The JSON of an error on standard error.
    pub fn error(&self) -> Value {
        let value = serde_json::from_str(self.stderr.trim());
        assert!(value.is_ok(), "{value:?}: {self:?}");
        value.unwrap_or_default()
    }
}

/// Lets another process go on: a test outside it can only look again and again.
#[expect(clippy::disallowed_methods, reason = "nothing here that could be waited on belongs to this process")]
pub fn pause(time: Duration) {
    std::thread::sleep(time);
}

/// Waits until `done` gives something, looking often; panics with `what` when it never does.
pub fn eventually<T>(what: &str, limit: Duration, mut done: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + limit;
    loop {
        if let Some(value) = done() {
            return value;
        }
        assert!(Instant::now() < end, "never came: {what}");
        pause(Duration::from_millis(5));
    }
}

/// Waits for the end of `child` and gives its exit code; -1 when a signal ended it.
pub fn ended(child: &mut Child, limit: Duration) -> i32 {
    eventually("the end of the program", limit, || child.try_wait().expect("waited")).code().unwrap_or(-1)
}

/// Runs `work` to its end, from a test that is no task.
pub fn block_on<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("runtime").block_on(work)
}

impl Home {
    /// With the store `url`; empty: the default one.
    pub fn with(url: &str) -> Self {
        let folder = tempfile::tempdir().expect("folder");
        // other users may enter: some tests run the program as one
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).expect("permissions");
        Self { folder, store: url.to_owned() }
    }

    /// With a SQLite file that is not there yet.
    pub fn sqlite() -> Self {
        let mut home = Self::with("");
        home.store = format!("sqlite://{}", home.path("z.db").display());
        home
    }

    /// With an empty Postgres database.
    pub fn postgres() -> Self {
        Self::with(&block_on(crate::db::fresh_postgres()))
    }

    /// A path in the home.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file in the home.
    pub fn write(&self, name: &str, text: impl AsRef<[u8]>) -> String {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().expect("folder")).expect("folder");
        std::fs::write(&path, text).expect("written");
        path.display().to_string()
    }

    /// Makes `command` live here.
    pub fn settle(&self, command: &mut Command) {
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("HOME", self.folder.path());
        for (key, folder) in [
            ("XDG_CONFIG_HOME", "config"),
            ("XDG_DATA_HOME", "data"),
            ("XDG_STATE_HOME", "state"),
            ("XDG_CACHE_HOME", "cache"),
        ] {
            command.env(key, self.path(folder));
        }
        command
            .env("LANG", "C.UTF-8")
            .env("ZHIBAN_LANG", "en")
            .env("TERM", "xterm-256color")
            .env("COLORTERM", "truecolor");
        if !self.store.is_empty() {
            command.env("ZHIBAN_STORE", &self.store);
        }
    }

    /// The program with `args`.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(PROGRAM);
        self.settle(&mut command);
        command.args(args).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Runs the program with `args` to its end.
    pub fn run(&self, args: &[&str]) -> Out {
        finish(self.command(args))
    }

    /// Runs a command that has to succeed, with `--json`.
    pub fn json(&self, args: &[&str]) -> Value {
        self.run(&[args, &["--json"]].concat()).json()
    }

    /// The journal, verified.
    pub fn journal_rows(&self) -> i64 {
        let verified = self.json(&["journal", "verify"]);
        assert_eq!(verified["ok"], true, "{verified}");
        verified["rows"].as_i64().expect("rows")
    }

    /// The text of every file below `folder` of the home: logs, reports.
    pub fn texts(&self, folder: &str) -> String {
        fn walk(folder: &Path, out: &mut String) {
            for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
                if entry.path().is_dir() {
                    walk(&entry.path(), out);
                } else {
                    out.push_str(&String::from_utf8_lossy(&std::fs::read(entry.path()).unwrap_or_default()));
                }
            }
        }
        let mut out = String::new();
        walk(&self.path(folder), &mut out);
        out
    }
}

/// Runs a command to its end.
pub fn finish(mut command: Command) -> Out {
    let out = command.output().expect("started");
    Out {
        code: out.status.code().unwrap_or(-1),
        stdout: String::from_utf8(out.stdout).expect("UTF-8"),
        stderr: String::from_utf8(out.stderr).expect("UTF-8"),
    }
}

/// Declares a test of the program that runs on both databases: `both! { fn name(home: Home) { … } }`
#[macro_export]
macro_rules! both {
    ($( $(#[$meta:meta])* fn $name:ident($home:ident : Home) $body:block )*) => {
        $(
            $(#[$meta])*
            fn $name($home: $crate::program::Home) $body

            mod $name {
                #[test]
                fn sqlite() { super::$name($crate::program::Home::sqlite()) }
                #[test]
                fn postgres() { super::$name($crate::program::Home::postgres()) }
            }
        )*
    };
}
