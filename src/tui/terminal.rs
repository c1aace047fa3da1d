//! The terminal, taken and given back whatever happens.

use std::io::{self, Stdout, Write as _};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use crossterm::event::{DisableBracketedPaste, DisableMouseCapture, EnableBracketedPaste, EnableMouseCapture};
use crossterm::terminal::{
    BeginSynchronizedUpdate, EndSynchronizedUpdate, EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode,
    enable_raw_mode, size,
};
use crossterm::{cursor, execute, queue};
use ratatui::buffer::{Buffer, CellDiffOption};
use ratatui::layout::Rect;

use super::wire;
use crate::locale::console as say;

static TAKEN: AtomicBool = AtomicBool::new(false);

/// Largest screen drawn; a terminal that claims to be larger is drawn in its corner.
const MAX: (u16, u16) = (500, 200);

/// The screen: entered on creation, left on drop (a panic drops it too) and by [`restore`].
pub struct Screen {
    frame: Buffer,
    /// What a frame sends, kept to be used again.
    bytes: Vec<u8>,
    out: Stdout,
    mouse: bool,
    /// What stands on the terminal, so that an unchanged frame sends nothing.
    shown: Option<Buffer>,
}

impl std::fmt::Debug for Screen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Screen")
    }
}

/// Gives the terminal back; harmless when it was not taken or was given back before.
pub fn restore() {
    if TAKEN.swap(false, Ordering::SeqCst) {
        let mut out = io::stdout();
        _ = execute!(
            out,
            EndSynchronizedUpdate,
            DisableMouseCapture,
            DisableBracketedPaste,
            LeaveAlternateScreen,
            cursor::Show
        );
        _ = disable_raw_mode();
    }
}

fn clamped() -> io::Result<Rect> {
    let (w, h) = size()?;
    Ok(Rect::new(0, 0, w.clamp(1, MAX.0), h.clamp(1, MAX.1)))
}

fn take(mouse: bool) -> io::Result<()> {
    enable_raw_mode()?;
    let mut out = io::stdout();
    execute!(out, EnterAlternateScreen, EnableBracketedPaste, cursor::Hide)?;
    if mouse {
        execute!(out, EnableMouseCapture)?;
    }
    Ok(())
}

impl Screen {
    /// Takes the terminal.
    ///
    /// # Errors
    /// When standard output is no terminal or refuses raw mode; it has been given back then.
    pub fn enter(mouse: bool) -> io::Result<Self> {
        // armed before the first step, so that a half-finished set-up is undone too
        TAKEN.store(true, Ordering::SeqCst);
        Self::set_up(mouse).inspect_err(|_| restore())
    }

    fn set_up(mouse: bool) -> io::Result<Self> {
        let area = clamped()?;
        take(mouse)?;
        let (frame, out) = (Buffer::empty(area), io::stdout());
        Ok(Self { frame, bytes: Vec::new(), out, mouse, shown: None })
    }

    /// Takes the terminal again after [`restore`], or after somebody else had it: everything is drawn anew, and the
    /// mouse is as it was.
    ///
    /// # Errors
    /// When the terminal has gone.
    pub fn come_back(&mut self) -> io::Result<()> {
        TAKEN.store(true, Ordering::SeqCst);
        // what the terminal was set to in the meantime is what it is to be given back as
        _ = disable_raw_mode();
        take(self.mouse)?;
        self.resized()
    }

    /// Whether the terminal has another size by now than what is drawn.
    pub fn is_stale(&self) -> bool {
        clamped().is_ok_and(|area| area != self.frame.area)
    }

    /// The size now, after the terminal was resized.
    ///
    /// # Errors
    /// When the terminal has gone.
    pub fn resized(&mut self) -> io::Result<()> {
        let area = clamped()?;
        self.shown = None;
        self.frame.resize(area);
        execute!(self.out, crossterm::terminal::Clear(crossterm::terminal::ClearType::All))
    }

    /// Draws one frame in one synchronised update.
    ///
    /// # Errors
    /// When the terminal has gone.
    pub fn draw(&mut self, paint: impl FnOnce(&mut Buffer, Rect)) -> io::Result<()> {
        self.frame.reset();
        let area = self.frame.area;
        paint(&mut self.frame, area);
        if self.shown.as_ref() == Some(&self.frame) {
            return Ok(());
        }
        let before = self.shown.replace(self.frame.clone()).unwrap_or_else(|| Buffer::empty(self.frame.area));
        mend(&before, &mut self.frame);
        self.bytes.clear();
        queue!(self.bytes, BeginSynchronizedUpdate)?;
        wire::put(&mut self.bytes, before.diff_iter(&self.frame));
        queue!(self.bytes, EndSynchronizedUpdate)?;
        self.out.write_all(&self.bytes)?;
        self.out.flush()
    }

    /// Sends `text` past the screen, for the clipboard.
    ///
    /// # Errors
    /// When the terminal has gone.
    pub fn send(&mut self, text: &str) -> io::Result<()> {
        self.out.write_all(text.as_bytes())?;
        self.out.flush()
    }

    /// Captures the mouse or lets it go.
    ///
    /// # Errors
    /// When the terminal has gone.
    pub fn mouse(&mut self, on: bool) -> io::Result<()> {
        self.mouse = on;
        if on { execute!(self.out, EnableMouseCapture) } else { execute!(self.out, DisableMouseCapture) }
    }
}

/// Marks for writing what a wide character of the frame `before` takes along: where it is overwritten a terminal blanks
/// its second cell too, which may be the same in both frames. (What ratatui-core 0.1.2 compares misses a wide character
/// that is followed by one a cell to the left.)
fn mend(before: &Buffer, now: &mut Buffer) {
    if before.area != now.area {
        return;
    }
    for i in 0..before.content.len().saturating_sub(1) {
        let was = &before.content[i];
        if was.symbol().len() > 1 && crate::text::width(was.symbol()) > 1 && *was != now.content[i] {
            now.content[i + 1].set_diff_option(CellDiffOption::AlwaysUpdate);
        }
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        restore();
    }
}

/// Why no console can be shown here: a sentence, or `None` where there is a terminal that can show one.
pub fn unfit(env: impl Fn(&str) -> Option<String>) -> Option<String> {
    use std::io::IsTerminal as _;
    if !io::stdout().is_terminal() || !io::stdin().is_terminal() {
        Some(say::not_a_terminal())
    } else if env("TERM").is_none_or(|term| term.is_empty() || term == "dumb") {
        Some(say::dumb_terminal())
    } else if size().is_ok_and(|(w, h)| w == 0 || h == 0) {
        Some(say::no_size())
    } else {
        None
    }
}

/// How long the console may take to leave once it has been asked to.
const GRACE: Duration = Duration::from_millis(1_300);

/// Ends the process when it should leave and does not: the loop may hang in a write to a terminal that takes nothing.
#[derive(Debug)]
pub struct Guard {
    _left: mpsc::Sender<()>,
}

/// Watches for a terminal that has gone and for SIGTERM and SIGHUP, on a thread of its own, until the guard is dropped.
pub fn guard() -> Guard {
    let (left, seen) = mpsc::channel();
    // without the thread the console still leaves by itself wherever it can
    _ = std::thread::Builder::new().name("terminal".into()).spawn(move || {
        let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return };
        if runtime.block_on(asked_to_leave()).is_ok() && seen.recv_timeout(GRACE) == Err(RecvTimeoutError::Timeout) {
            // the modes are set without a byte of output; the rest may hang as the loop does
            _ = disable_raw_mode();
            let (done, restored) = mpsc::channel::<()>();
            _ = std::thread::Builder::new().spawn(move || {
                restore();
                drop(done);
            });
            _ = restored.recv_timeout(Duration::from_millis(100));
            std::process::exit(1);
        }
    });
    Guard { _left: left }
}

async fn asked_to_leave() -> io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut term, mut hup) = (signal(SignalKind::terminate())?, signal(SignalKind::hangup())?);
    let mut check = tokio::time::interval(Duration::from_millis(500));
    check.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = term.recv() => return Ok(()),
            _ = hup.recv() => return Ok(()),
            _ = check.tick() => if is_gone() { return Ok(()) },
        }
    }
}

/// Whether the terminal behind standard input has gone.
pub fn is_gone() -> bool {
    let stdin = rustix::stdio::stdin();
    if rustix::termios::tcgetattr(stdin).is_err() {
        return true;
    }
    let mut fds = [rustix::event::PollFd::new(&stdin, rustix::event::PollFlags::empty())];
    let now = rustix::event::Timespec { tv_sec: 0, tv_nsec: 0 };
    rustix::event::poll(&mut fds, Some(&now)).is_ok() && fds[0].revents().contains(rustix::event::PollFlags::HUP)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_wide_character_takes_along_is_written_again() {
        // 审 stood where 批 has its second cell now: a terminal blanks the cell behind it
        let before = Buffer::with_lines(["ab审c"]);
        let mut now = Buffer::with_lines(["a批 c"]);
        assert!(!before.diff(&now).iter().any(|(x, ..)| *x == 3), "no longer needed");
        mend(&before, &mut now);
        assert_eq!(before.diff(&now).iter().map(|(x, ..)| *x).collect::<Vec<_>>(), [1, 3]);
        let mut same = before.clone();
        mend(&before, &mut same);
        assert_eq!(before.diff(&same), []);
    }
}
