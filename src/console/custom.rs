//! Commands of the configuration on the row under the cursor: their own programs, handed the row's values as arguments
//! and variables, never through a shell.

use std::process::Stdio;
use std::time::Duration;

use serde_json::json;
use tokio::io::AsyncReadExt as _;
use tokio::net::unix::pipe::Receiver;

use super::app::{App, Work};
use super::layer::Layer;
use super::tab::{Confirm, Effect};
use crate::action::{Action, ActionError, Apply, BoxFuture, Done, Role as Rank};
use crate::clock::Millis;
use crate::config::DeskCommand;
use crate::locale::console as say;
use crate::text;
use crate::tui::theme::Role;

/// Most bytes of output that are shown.
const MOST: usize = 64 * 1024;
/// How long a command may take in the background.
const LONGEST: Duration = Duration::from_mins(5);
/// How long output is waited for that the command's own children still hold open.
const TAIL: Duration = Duration::from_millis(200);

/// A command, ready to run. As an action it is the note in the journal that it was run, and whether its operator may.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Task {
    /// Its name in the configuration.
    pub name: String,
    /// The tab it was called from.
    pub tab: &'static str,
    /// Program and arguments, filled in.
    pub argv: Vec<String>,
    /// The values of the row: `ZHIBAN_ID`, …
    pub env: Vec<(String, String)>,
    /// Without the terminal; what it says is shown when it has ended.
    pub background: bool,
}

impl Action for Task {
    fn verb(&self) -> &'static str {
        "command.run"
    }
    fn needs(&self) -> Rank {
        Rank::Operator
    }
    fn apply<'a>(&'a self, _cx: &'a mut Apply<'_>) -> BoxFuture<'a, Result<Done, ActionError>> {
        Box::pin(async move {
            let detail = json!({"tab": self.tab, "run": self.argv});
            Ok(Done::new("command", &self.name, say::command_begins(&self.name)).detail(detail))
        })
    }
}

impl Task {
    /// The command `wanted` with the values of a row.
    ///
    /// # Errors
    /// When a value is missing or would be taken for an option; a sentence.
    fn new(wanted: &DeskCommand, tab: &'static str, row: &[(&'static str, String)]) -> Result<Self, String> {
        // a program that counts on the variables must not run without them
        if row.is_empty() {
            return Err(say::command_no_row(&wanted.name));
        }
        let row: Vec<_> = row.iter().map(|(name, value)| (*name, text::clean(value).into_owned())).collect();
        let mut argv = Vec::with_capacity(wanted.run.len());
        for part in &wanted.run {
            let filled = crate::config::fill(part, |name| {
                let value = row.iter().find(|(n, _)| *n == name).map(|(_, v)| v.clone());
                value.filter(|v| !v.trim().is_empty()).ok_or_else(|| say::command_no_value(&wanted.name, name))
            })?;
            // a title or a host that begins with a dash was written by somebody else
            if filled.starts_with('-') && !part.starts_with('-') {
                return Err(say::command_option(&wanted.name, &filled));
            }
            argv.push(filled);
        }
        let env = row.into_iter().map(|(name, value)| (format!("ZHIBAN_{}", name.to_uppercase()), value)).collect();
        Ok(Self { name: wanted.name.clone(), tab, argv, env, background: wanted.background })
    }

    /// The program, not begun yet.
    fn command(&self) -> tokio::process::Command {
        let (program, arguments) = self.argv.split_first().map_or(("", &[][..]), |(p, a)| (p.as_str(), a));
        let mut command = tokio::process::Command::new(program);
        command.args(arguments).envs(self.env.iter().map(|(k, v)| (k, v))).kill_on_drop(true);
        command
    }

    /// The program, with the terminal as its own.
    ///
    /// # Errors
    /// When it cannot be started; a sentence.
    pub(super) fn begin(&self) -> Result<tokio::process::Child, String> {
        self.command().spawn().map_err(|e| say::command_not_begun(&self.name, &e.to_string()))
    }

    /// Runs it without the terminal; how it ended, and what it said, cleaned.
    ///
    /// # Errors
    /// When it cannot be started; a sentence.
    pub(super) async fn capture(&self) -> Result<(String, Vec<String>), String> {
        let failed = |e: std::io::Error| say::command_not_begun(&self.name, &e.to_string());
        let (from, to) = std::io::pipe().map_err(failed)?;
        let mut out = Receiver::from_owned_fd(from.into()).map_err(failed)?;
        let mut child = {
            // dropped before the output is read: an end of it in our own hands would never end
            let mut command = self.command();
            command.stdin(Stdio::null()).stdout(to.try_clone().map_err(failed)?).stderr(to).process_group(0);
            command.spawn().map_err(failed)?
        };
        let group = child.id();
        let (mut said, mut cut, mut buffer) = (Vec::new(), false, [0; 4096]);
        let mut take = |bytes: &[u8]| {
            let room = MOST - said.len();
            cut |= bytes.len() > room;
            said.extend_from_slice(&bytes[..bytes.len().min(room)]);
        };
        let whole = async {
            let ended = loop {
                tokio::select! {
                    read = out.read(&mut buffer) => match read {
                        Ok(n) if n > 0 => take(&buffer[..n]),
                        _ => return child.wait().await,
                    },
                    ended = child.wait() => break ended,
                }
            };
            let rest = async {
                while let Ok(n) = out.read(&mut buffer).await
                    && n > 0
                {
                    take(&buffer[..n]);
                }
            };
            _ = tokio::time::timeout(TAIL, rest).await;
            ended
        };
        let ended = tokio::time::timeout(LONGEST, whole).await;
        let how = match ended {
            Ok(Ok(status)) => ending(status),
            Ok(Err(e)) => e.to_string(),
            Err(_) => {
                let group = group.and_then(|id| rustix::process::Pid::from_raw(id.cast_signed()));
                if let Some(group) = group {
                    _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
                }
                say::command_too_long(LONGEST.as_secs())
            }
        };
        let text = String::from_utf8_lossy(&said).replace("\r\n", "\n").replace('\t', "    ");
        let mut lines = text::clean_lines(text.trim_end());
        if lines.iter().all(|l| l.trim().is_empty()) {
            lines = vec![say::command_silent()];
        }
        if cut {
            lines.push(say::command_cut(MOST / 1024));
        }
        Ok((how, lines))
    }
}

/// How a program ended, in a word.
pub(super) fn ending(status: std::process::ExitStatus) -> String {
    use std::os::unix::process::ExitStatusExt as _;
    match (status.code(), status.signal()) {
        (Some(code), _) => say::command_code(code),
        (None, signal) => say::command_signal(signal.unwrap_or_default()),
    }
}

/// `argv` as a person reads it.
fn shown(argv: &[String]) -> String {
    let quoted =
        |a: &String| if a.is_empty() || a.contains(char::is_whitespace) { format!("'{a}'") } else { a.clone() };
    argv.iter().map(quoted).collect::<Vec<_>>().join(" ")
}

impl App {
    /// The command `name` of the configuration in the open tab.
    pub(super) fn custom(&self, name: &str) -> Option<&DeskCommand> {
        let tab = self.seats[self.active].tab.key();
        self.desk.iter().find(|c| c.name == name && c.tab == tab)
    }

    /// Why it cannot run now.
    fn custom_disabled(&self, wanted: &DeskCommand) -> Option<String> {
        let tab = &self.seats[self.active].tab;
        if self.read_only {
            Some(crate::locale::cli::read_only_here())
        } else if self.confined {
            Some(say::command_confined())
        } else {
            Task::new(wanted, tab.key(), &tab.row()).err()
        }
    }

    /// Why the command `name` of the configuration cannot run now; none also where it is not one.
    pub(super) fn custom_refusal(&self, name: &str) -> Option<String> {
        self.custom(name).and_then(|wanted| self.custom_disabled(wanted))
    }

    /// What follows from the key of the command `name`; `None` where it is not one of the configuration.
    pub(super) fn run_custom(&self, name: &str) -> Option<Vec<Effect>> {
        let wanted = self.custom(name)?;
        let tab = &self.seats[self.active].tab;
        Some(match Task::new(wanted, tab.key(), &tab.row()) {
            Err(why) => vec![Effect::Say(why)],
            Ok(task) if wanted.confirm => {
                let lines = vec![shown(&task.argv)];
                let title = say::command_question(&task.name);
                vec![Effect::Confirm(Confirm { title, lines, yes: vec![Effect::Launch(task)] })]
            }
            Ok(task) => vec![Effect::Launch(task)],
        })
    }

    /// A command was noted in the journal, or refused there.
    pub(super) fn noted(&mut self, task: Task, noted: Result<(), String>, now: Millis) {
        match noted {
            Err(why) => self.say(why, Role::Critical, now),
            Ok(()) if task.background => {
                self.session.push((now, say::command_begins(&task.name)));
                self.say(say::command_begins(&task.name), Role::Info, now);
                self.work.push(Work::Background(task));
            }
            Ok(()) => {
                self.session.push((now, say::command_begins(&task.name)));
                self.work.push(Work::HandOver(task));
            }
        }
    }

    /// A command in the background has ended.
    pub(super) fn ran(&mut self, name: &str, came: Result<(String, Vec<String>), String>, now: Millis) {
        match came {
            Err(why) => self.say(why, Role::Critical, now),
            Ok((how, lines)) => {
                let title = say::command_ended(name, &how);
                self.session.push((now, title.clone()));
                self.say(title.clone(), Role::Info, now);
                // beneath whatever is being typed: it waits there
                self.layers.insert(0, Layer::Text { title, lines, top: 0.into() });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task(run: &[&str], row: &[(&'static str, &str)]) -> Result<Task, String> {
        let run = run.iter().map(|s| (*s).to_owned()).collect();
        let wanted = DeskCommand { name: "t".into(), run, background: true, ..DeskCommand::default() };
        // a program that counts on the variables must not run without them
        if row.is_empty() {
            return Err(say::command_no_row(&wanted.name));
        }
        let row: Vec<_> = row.iter().map(|(n, v)| (*n, (*v).to_owned())).collect();
        Task::new(&wanted, "tickets", &row)
    }

    const ROW: &[(&str, &str)] = &[("title", "t")];

    #[test]
    fn a_value_is_one_argument_and_never_an_option() {
        let hostile = "a; rm -rf / $(x) \u{1b}[2J";
        let made = task(&["x", "--t={title}", "{title}"], &[("title", hostile)]).expect("task");
        assert_eq!(made.argv.len(), 3);
        assert!(made.argv[2].starts_with("a; rm -rf / $(x) ") && !made.argv[2].contains('\u{1b}'), "{made:?}");
        assert_eq!(made.env[0].0, "ZHIBAN_TITLE");
        assert!(task(&["ssh", "{host}"], &[("host", "-oProxyCommand=x")]).is_err());
        assert!(task(&["ssh", "{host}"], &[("host", "")]).is_err());
        assert!(task(&["ssh"], &[]).is_err(), "there is no row");
    }

    #[tokio::test]
    async fn what_it_says_cannot_drive_the_terminal() {
        let script = "printf '\\033[2Jone\\n'; printf 'two\\007\\n' >&2; printf '%s' \"$ZHIBAN_TITLE\"; exit 3";
        let made = task(&["sh", "-c", script], &[("title", "审批")]).expect("task");
        let (how, lines) = made.capture().await.expect("ran");
        assert!(how.contains('3'), "{how}");
        assert_eq!(lines.len(), 3, "{lines:?}");
        assert!(lines[0].ends_with("[2Jone") && lines[2] == "审批", "{lines:?}");
        assert!(lines.iter().all(|l| !l.chars().any(char::is_control)));
        assert!(task(&["/nonexistent"], ROW).expect("task").capture().await.is_err());
        let (_, lines) = task(&["sh", "-c", "sleep 60 & echo done"], ROW).expect("task").capture().await.expect("ran");
        assert_eq!(lines, ["done"], "a child that stays does not hold it up");
        let many = task(&["sh", "-c", "head -c 200000 /dev/zero | tr '\\0' x"], ROW).expect("task");
        let (_, lines) = many.capture().await.expect("ran");
        assert_eq!((lines[0].len(), lines.len()), (MOST, 2));
    }
}
