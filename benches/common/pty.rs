//! A program in a terminal of 200 × 50, watched from outside: when what stands on it, what it sends, what it costs.

use std::io::{Read as _, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

const COLS: u16 = 200;
const ROWS: u16 = 50;

/// A program in its terminal; ended when dropped.
pub struct Term {
    child: Box<dyn Child + Send + Sync>,
    _master: Box<dyn MasterPty + Send>,
    writer: Box<dyn Write + Send>,
    chunks: Receiver<(Instant, Vec<u8>)>,
    parser: vt100::Parser,
    /// When it was started.
    pub started: Instant,
    /// When it last sent something.
    pub last: Instant,
    /// What it sent, in bytes.
    pub bytes: usize,
    /// Synchronised updates it sent.
    pub frames: usize,
}

/// The peer on the PATH; without it, how to get it.
pub fn peer(name: &str, package: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file());
    if found.is_none() {
        println!("MISS {name} is not on the PATH, so its half is not measured: cargo install {package}");
    }
    found
}

impl Term {
    /// Starts `program`; with `rate`, its terminal takes no more than so many bytes a second.
    pub fn start(program: &Path, args: &[&str], home: &Path, rate: Option<u64>) -> Self {
        let size = PtySize { rows: ROWS, cols: COLS, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size).expect("a pty");
        let mut command = CommandBuilder::new(program);
        command.args(args);
        command.env("TERM", "xterm-256color");
        command.env("COLORTERM", "truecolor");
        for name in ["XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME"] {
            command.env(name, home);
        }
        for name in ["NO_COLOR", "ZHIBAN_STORE", "ZHIBAN_CONFIG", "ZHIBAN_LANG"] {
            command.env_remove(name);
        }
        let mut reader = pair.master.try_clone_reader().expect("a reader");
        let writer = pair.master.take_writer().expect("a writer");
        let started = Instant::now();
        let child = pair.slave.spawn_command(command).expect("started");
        let (tx, chunks) = channel();
        std::thread::spawn(move || {
            let mut buffer = vec![0; if rate.is_some() { 256 } else { 64 * 1024 }];
            while let Ok(n) = reader.read(&mut buffer) {
                if n == 0 || tx.send((Instant::now(), buffer[..n].to_vec())).is_err() {
                    return;
                }
                if let Some(rate) = rate {
                    super::pause(Duration::from_secs_f64(n as f64 / rate as f64));
                }
            }
        });
        let parser = vt100::Parser::new(ROWS, COLS, 0);
        Self { child, _master: pair.master, writer, chunks, parser, started, last: started, bytes: 0, frames: 0 }
    }

    /// Takes the next piece of output; `None` when there is none until `deadline`.
    fn take(&mut self, deadline: Instant) -> Option<Instant> {
        let wait = deadline.saturating_duration_since(Instant::now());
        let (at, chunk) = match self.chunks.recv_timeout(wait) {
            Ok(piece) => piece,
            Err(RecvTimeoutError::Timeout) => return None,
            Err(RecvTimeoutError::Disconnected) => {
                super::pause(wait);
                return None;
            }
        };
        self.bytes += chunk.len();
        self.frames += chunk.windows(8).filter(|w| *w == b"\x1b[?2026l").count();
        self.last = at;
        self.parser.process(&chunk);
        // a program that asks where the cursor stands waits for the answer
        if chunk.windows(4).any(|w| w == b"\x1b[6n") {
            let (row, col) = self.parser.screen().cursor_position();
            self.send(&format!("\x1b[{};{}R", row + 1, col + 1));
        }
        Some(at)
    }

    /// Milliseconds from the start until the screen's text is as `is` wants it.
    pub fn until(&mut self, is: impl Fn(&str) -> bool) -> f64 {
        let deadline = Instant::now() + Duration::from_secs(20);
        while let Some(at) = self.take(deadline) {
            if is(&self.parser.screen().contents()) {
                return at.duration_since(self.started).as_secs_f64() * 1e3;
            }
        }
        println!("{}", self.parser.screen().contents());
        f64::NAN
    }

    /// Watches for `time`.
    pub fn watch(&mut self, time: Duration) {
        let deadline = Instant::now() + time;
        while self.take(deadline).is_some() {}
    }

    /// Waits until nothing has come for `quiet`.
    pub fn settle(&mut self, quiet: Duration) {
        while self.take(Instant::now() + quiet).is_some() {}
    }

    /// When the text of the leftmost `cols` columns last changed, watched until nothing has come for `quiet`.
    pub fn until_still(&mut self, cols: u16, quiet: Duration) -> Option<Instant> {
        let rows = |term: &Self| {
            let all: Vec<_> = term.parser.screen().rows_formatted(0, cols).collect();
            all[..all.len().saturating_sub(2)].to_vec()
        };
        let (mut seen, mut last) = (rows(self), None);
        while let Some(at) = self.take(Instant::now() + quiet) {
            let now = rows(self);
            if now != seen {
                (seen, last) = (now, Some(at));
            }
        }
        last
    }

    /// Presses a key without waiting.
    pub fn send(&mut self, keys: &str) {
        self.writer.write_all(keys.as_bytes()).and_then(|()| self.writer.flush()).expect("a key");
    }

    /// Presses a key: milliseconds until a cell of the screen has changed.
    pub fn press(&mut self, keys: &str) -> f64 {
        while self.take(Instant::now()).is_some() {}
        let before = self.parser.screen().clone();
        let pressed = Instant::now();
        self.send(keys);
        let deadline = pressed + Duration::from_secs(5);
        while let Some(at) = self.take(deadline) {
            if changed(&before, self.parser.screen()) {
                return at.duration_since(pressed).as_secs_f64() * 1e3;
            }
        }
        f64::NAN
    }

    /// Seconds of processor time it has used.
    pub fn cpu(&self) -> f64 {
        let text = self.proc("stat");
        let fields: Vec<&str> = text.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
        let ticks = |i: usize| fields.get(i).and_then(|f| f.parse::<f64>().ok()).unwrap_or(f64::NAN);
        (ticks(11) + ticks(12)) / 100.0
    }

    /// Megabytes resident now, and at most so far.
    pub fn memory(&self) -> (f64, f64) {
        let text = self.proc("status");
        let of = |key: &str| {
            let line = text.lines().find_map(|l| l.strip_prefix(key)).unwrap_or_default();
            line.split_whitespace().next().and_then(|n| n.parse::<f64>().ok()).map_or(f64::NAN, |kib| kib / 1024.0)
        };
        (of("VmRSS:"), of("VmHWM:"))
    }

    fn proc(&self, file: &str) -> String {
        let pid = self.child.process_id().unwrap_or_default();
        std::fs::read_to_string(format!("/proc/{pid}/{file}")).unwrap_or_default()
    }

    /// Asks it to leave by `q`: milliseconds until it has; it is killed after 5 s.
    pub fn quit(mut self) -> f64 {
        let asked = Instant::now();
        self.send("q");
        while asked.elapsed() < Duration::from_secs(5) {
            if matches!(self.child.try_wait(), Ok(Some(_))) {
                return super::ms(asked);
            }
            self.watch(Duration::from_millis(5));
        }
        f64::NAN
    }
}

impl Drop for Term {
    fn drop(&mut self) {
        if !matches!(self.child.try_wait(), Ok(Some(_))) {
            _ = self.child.kill();
            _ = self.child.wait();
        }
    }
}

fn changed(before: &vt100::Screen, after: &vt100::Screen) -> bool {
    (0..ROWS).any(|row| (0..COLS).any(|col| before.cell(row, col) != after.cell(row, col)))
}
