//! Somebody else has the terminal for a while: the editor, or a command of the configuration. What arrives meanwhile is
//! taken and not drawn.

use std::io::Write as _;

use crossterm::event::EventStream;
use crossterm::terminal::{disable_raw_mode, enable_raw_mode};
use futures_util::{FutureExt as _, StreamExt as _};
use rustix::process::{Pid, Signal, kill_process};
use tokio::process::Child;
use tokio::signal::unix::Signal as Heard;
use tokio::sync::mpsc::UnboundedReceiver;

use super::app::{App, Msg};
use super::custom::{Task, ending};
use super::editor::{self, Sheet};
use crate::clock::Clock;
use crate::locale::console as say;
use crate::text;

/// Who gets the terminal.
pub(super) enum Aside {
    /// The shell.
    Stop,
    /// The editor, with this text.
    Edit(String),
    /// A command of the configuration.
    Run(Task),
}

/// The console, as far as it goes on meanwhile.
pub(super) struct Behind<'a> {
    pub(super) app: &'a mut App,
    pub(super) inbox: &'a mut UnboundedReceiver<Msg>,
    pub(super) clock: &'a Clock,
    /// Told of ctrl-z, as the other program is.
    pub(super) stop: &'a mut Heard,
}

impl Behind<'_> {
    /// Waits for `child` to end.
    async fn attend(&mut self, child: &mut Child) -> std::io::Result<std::process::ExitStatus> {
        loop {
            tokio::select! {
                ended = child.wait() => return ended,
                // nobody would ever let it go on
                _ = self.stop.recv() => {
                    if let Some(pid) = child.id().and_then(|id| Pid::from_raw(id.cast_signed())) {
                        _ = kill_process(pid, Signal::CONT);
                    }
                }
                Some(msg) = self.inbox.recv() => self.app.update(msg, self.clock.now()),
            }
        }
    }

    /// Lets the editor work on `text`.
    pub(super) async fn edit(&mut self, command: &[String], text: &str) -> Result<String, String> {
        let sheet = Sheet::new(text).map_err(|e| say::editor_failed(&e.to_string()))?;
        let mut child = editor::start(command, &sheet)?;
        let ended = self.attend(&mut child).await.map_err(|e| say::editor_failed(&e.to_string()))?;
        if ended.success() {
            sheet.read()
        } else {
            Err(say::editor_failed(&say::editor_code(ended.code().unwrap_or(-1))))
        }
    }

    /// Runs `task`; what it left on the terminal stands until a key is pressed. How it ended, in a sentence.
    pub(super) async fn run(&mut self, task: &Task) -> Result<String, String> {
        let mut child = task.begin()?;
        let how = self.attend(&mut child).await.map_or_else(|e| e.to_string(), ending);
        let how = say::command_ended(&task.name, &how);
        let line = format!("\r\n{}", text::clean(&say::command_any_key(&how)));
        let mut out = std::io::stdout();
        _ = out.write_all(line.as_bytes()).and_then(|()| out.flush());
        // one key, not a line: nobody knows what enter would do
        if enable_raw_mode().is_ok() {
            let mut keys = EventStream::new();
            loop {
                tokio::select! {
                    event = keys.next() => if !matches!(event, Some(Ok(ref e)) if !e.is_key_press()) { break },
                    Some(msg) = self.inbox.recv() => self.app.update(msg, self.clock.now()),
                }
            }
            _ = disable_raw_mode();
        }
        Ok(how)
    }
}

/// Forgets what the terminal told both of us and was meant for the other program.
pub(super) fn forget<const N: usize>(signals: [&mut Heard; N]) {
    for signal in signals {
        _ = signal.recv().now_or_never();
    }
}
