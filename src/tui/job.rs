//! Standing aside for a shell, and for the operator's editor.

use rustix::process::{Pid, Signal, getpgid, getpgrp, getppid, getsid, kill_process_group};

/// Whether a shell above this process would see it stop and could go on with it: there is none under `ForceCommand`, in
/// a terminal that runs the console alone, or under a supervisor, and a stopped console would hang there for ever.
pub fn can_stop() -> bool {
    let (group, session) = (getpgrp(), getsid(None));
    let mut above = getppid();
    // a wrapper that started the console belongs to the same job and stops with it
    for _ in 0..32 {
        let Some(pid) = above else { return false };
        if getsid(Some(pid)) != session {
            return false;
        }
        if getpgid(Some(pid)).is_ok_and(|g| g != group) {
            return true;
        }
        above = parent_of(pid);
    }
    false
}

/// Stops this job; returns when the shell lets it go on.
pub fn stop() {
    _ = kill_process_group(getpgrp(), Signal::STOP);
}

fn parent_of(pid: Pid) -> Option<Pid> {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero())).ok()?;
    // the name in parentheses may hold anything; state and parent follow it
    let (_, rest) = stat.rsplit_once(')')?;
    Pid::from_raw(rest.split_whitespace().nth(1)?.parse().ok()?)
}

/// The editor to write long text with: its program and arguments. `setting` is `ui.editor`: `auto` takes `$VISUAL` or
/// `$EDITOR`, an empty one none. Over SSH without a shell above, the operator was given this console and nothing else:
/// an editor that can start a shell would be a way out, and the variables are the client's to set.
pub fn editor(setting: &str, env: impl Fn(&str) -> Option<String>, has_shell: bool) -> Option<Vec<String>> {
    let line = match setting.trim() {
        "" => return None,
        "auto" if env("SSH_CONNECTION").is_some() && !has_shell => return None,
        "auto" => ["VISUAL", "EDITOR"].iter().find_map(|v| env(v).filter(|v| !v.trim().is_empty()))?,
        own => own.to_owned(),
    };
    let words = words(&line);
    (!words.is_empty()).then_some(words)
}

/// Words of a command line: blanks part them, quotes hold them together; nothing else is special.
fn words(line: &str) -> Vec<String> {
    let (mut out, mut word, mut quote) = (Vec::new(), None::<String>, None);
    for c in line.chars() {
        match (quote, c) {
            (None, '"' | '\'') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (Some(q), c) if q == c => quote = None,
            (None, c) if c.is_whitespace() => out.extend(word.take()),
            (_, c) => word.get_or_insert_default().push(c),
        }
    }
    out.extend(word);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_editor_is_the_setting_or_the_variable_and_none_for_who_was_given_only_the_console() {
        let env = |ssh: bool| {
            move |k: &str| match k {
                "EDITOR" => Some("vi -n".to_owned()),
                "SSH_CONNECTION" if ssh => Some("10.0.0.1 1 10.0.0.2 22".to_owned()),
                _ => None,
            }
        };
        assert_eq!(editor("auto", env(false), false).as_deref(), Some(&["vi".to_owned(), "-n".into()][..]));
        assert!(editor("auto", env(true), true).is_some());
        assert_eq!(editor("auto", env(true), false), None);
        assert_eq!(editor("", env(false), true), None);
        assert_eq!(editor("auto", |_| None, true), None);
        let own = editor("'/opt/my editor/ed' --wait", env(true), false);
        assert_eq!(own.as_deref(), Some(&["/opt/my editor/ed".to_owned(), "--wait".into()][..]));
    }

    #[test]
    fn the_parent_is_read_from_the_system() {
        let own = rustix::process::getpid();
        assert_eq!(parent_of(own), getppid());
    }
}
