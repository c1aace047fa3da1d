//! A real terminal for the program: what it shows, every byte that reached it, keys, sizes, hanging up.

use std::os::fd::OwnedFd;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::termios::{Winsize, tcsetwinsize};

use crate::program::{Home, PROGRAM, ended, eventually, pause};

/// How long a condition may take on a loaded machine.
const PATIENCE: Duration = Duration::from_mins(1);

/// The parser cannot hold a wide character in one column, nor wrap a line in one row; a real terminal leaves it out.
const SMALLEST: u16 = 2;

struct Seen {
    parser: vt100::Parser,
    raw: Vec<u8>,
}

/// The program in a terminal.
pub struct Pty {
    master: Option<Arc<OwnedFd>>,
    pub child: Child,
    seen: Arc<Mutex<Seen>>,
    stop: Arc<AtomicBool>,
    /// While set, nothing is read from the terminal: it stalls.
    pub stalled: Arc<AtomicBool>,
    reader: Option<JoinHandle<()>>,
}

fn winsize(cols: u16, rows: u16) -> Winsize {
    Winsize { ws_row: rows, ws_col: cols, ws_xpixel: 0, ws_ypixel: 0 }
}

impl Pty {
    /// The console with `args` in a terminal of `cols` by `rows`.
    pub fn open(home: &Home, (cols, rows): (u16, u16), args: &[&str]) -> Self {
        let mut command = Command::new("setsid");
        home.settle(&mut command);
        command.arg("--ctty").arg(PROGRAM).args(args);
        Self::start(command, (cols, rows))
    }

    /// `command` (which takes the terminal as its own: `setsid --ctty …`) in a terminal.
    pub fn start(mut command: Command, (cols, rows): (u16, u16)) -> Self {
        use rustix::pty::{OpenptFlags, grantpt, openpt, unlockpt};
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).expect("pty");
        grantpt(&master).expect("pty");
        unlockpt(&master).expect("pty");
        let peer = || rustix::pty::ioctl_tiocgptpeer(&master, OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("pty");
        tcsetwinsize(&master, winsize(cols, rows)).expect("size");
        command.stdin(Stdio::from(peer())).stdout(Stdio::from(peer())).stderr(Stdio::from(peer()));
        let child = command.spawn().expect("started");
        drop(command);
        rustix::io::ioctl_fionbio(&master, true).expect("not blocking");
        let master = Arc::new(master);
        let seen = Seen { parser: vt100::Parser::new(rows.max(SMALLEST), cols.max(SMALLEST), 0), raw: Vec::new() };
        let seen = Arc::new(Mutex::new(seen));
        let (stop, stalled) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
        let reader = std::thread::spawn({
            let (master, seen, stop, stalled) = (master.clone(), seen.clone(), stop.clone(), stalled.clone());
            move || {
                let mut buffer = vec![0; 65_536];
                while !stop.load(Ordering::SeqCst) {
                    let mut fds = [PollFd::new(&*master, PollFlags::IN)];
                    _ = poll(&mut fds, Some(&Timespec { tv_sec: 0, tv_nsec: 20_000_000 }));
                    if stalled.load(Ordering::SeqCst) || fds[0].revents().is_empty() {
                        pause(Duration::from_millis(1));
                        continue;
                    }
                    match rustix::io::read(&*master, &mut buffer[..]) {
                        Ok(n) if n > 0 => {
                            let mut seen = seen.lock().expect("seen");
                            seen.parser.process(&buffer[..n]);
                            seen.raw.extend_from_slice(&buffer[..n]);
                        }
                        // nobody holds the other side any more, or nothing to read after all
                        _ => pause(Duration::from_millis(2)),
                    }
                }
            }
        });
        Self { master: Some(master), child, seen, stop, stalled, reader: Some(reader) }
    }

    fn master(&self) -> &OwnedFd {
        self.master.as_ref().expect("not hung up")
    }

    /// What the screen shows, a line a row.
    pub fn screen(&self) -> String {
        self.seen.lock().expect("seen").parser.screen().contents()
    }

    /// What `look` finds on the screen.
    pub fn look<T>(&self, look: impl FnOnce(&vt100::Screen) -> T) -> T {
        look(self.seen.lock().expect("seen").parser.screen())
    }

    /// Every byte that reached the terminal.
    pub fn raw(&self) -> Vec<u8> {
        self.seen.lock().expect("seen").raw.clone()
    }

    /// Waits until `done` holds of the screen; says how long it took.
    pub fn wait(&mut self, what: &str, done: impl Fn(&str) -> bool) -> Duration {
        let started = Instant::now();
        loop {
            let screen = self.screen();
            if done(&screen) {
                return started.elapsed();
            }
            let gone = self.child.try_wait().expect("waited");
            assert!(started.elapsed() < PATIENCE && gone.is_none(), "never came: {what} (ended: {gone:?})\n{screen}");
            pause(Duration::from_millis(2));
        }
    }

    /// Waits until the screen shows `text`.
    pub fn wait_for(&mut self, text: &str) -> Duration {
        self.wait(text, |screen| screen.contains(text))
    }

    /// Types `keys`.
    pub fn keys(&self, keys: &str) {
        let mut rest = keys.as_bytes();
        let end = Instant::now() + PATIENCE;
        while !rest.is_empty() {
            match rustix::io::write(self.master(), rest) {
                Ok(n) => rest = &rest[n..],
                Err(_) => {
                    assert!(Instant::now() < end, "keys are not taken");
                    pause(Duration::from_millis(2));
                }
            }
        }
    }

    /// Gives the terminal another size.
    pub fn resize(&self, cols: u16, rows: u16) {
        self.seen.lock().expect("seen").parser.screen_mut().set_size(rows.max(SMALLEST), cols.max(SMALLEST));
        tcsetwinsize(self.master(), winsize(cols, rows)).expect("size");
    }

    /// Sends a signal.
    pub fn signal(&self, signal: rustix::process::Signal) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, signal).expect("signalled");
    }

    /// Closes the terminal under the program.
    pub fn hang_up(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        if let Some(reader) = self.reader.take() {
            reader.join().expect("reader");
        }
        self.master = None;
    }

    /// Waits for the end of the program; its exit code.
    pub fn ended(&mut self, limit: Duration) -> i32 {
        ended(&mut self.child, limit)
    }

    /// Closes whatever is open and leaves; the exit code.
    pub fn leave(&mut self) -> i32 {
        let code = eventually("the way out", PATIENCE, || {
            for key in ["\x1b", "q"] {
                _ = rustix::io::write(self.master(), key.as_bytes());
                // an escape that another byte follows at once would be read as alt
                pause(Duration::from_millis(100));
            }
            self.child.try_wait().expect("waited")
        });
        code.code().unwrap_or(-1)
    }

    /// Leaves with `q` and waits for the end.
    pub fn quit(&mut self) -> i32 {
        self.keys("q");
        self.ended(PATIENCE)
    }
}

impl Drop for Pty {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
        self.stop.store(true, Ordering::SeqCst);
        if let Some(reader) = self.reader.take() {
            _ = reader.join();
        }
    }
}
