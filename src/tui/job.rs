//! Standing aside for a shell, and for the operator's editor.

use std::fs::read_to_string;

use rustix::process::{Signal, kill_current_process_group};

/// Where a process stands among others, as the system tells it. The numbers are those of the mounted `/proc`: a session
/// or group whose leader lives outside a container is 0 there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place {
    parent: i32,
    group: i32,
    session: i32,
}

/// Whether a shell above this process would see it stop and could go on with it: there is none under `ForceCommand`, in
/// a terminal that runs the console alone, or under a supervisor, and a stopped console would hang there for ever.
pub fn can_stop() -> bool {
    let Some(own) = place("self") else { return false };
    let mut above = own.parent;
    // a wrapper that started the console belongs to the same job and stops with it
    for _ in 0..32 {
        match place(&above.to_string()) {
            Some(place) if place.session == own.session => {
                if place.group != own.group {
                    return true;
                }
                above = place.parent;
            }
            _ => return false,
        }
    }
    false
}

/// Stops this job; returns when the shell lets it go on.
pub fn stop() {
    _ = kill_current_process_group(Signal::STOP);
}

fn place(process: &str) -> Option<Place> {
    parse(&read_to_string(format!("/proc/{process}/stat")).ok()?)
}

fn parse(stat: &str) -> Option<Place> {
    // the name in parentheses may hold anything; state, parent, group and session follow it
    let (_, rest) = stat.rsplit_once(')')?;
    let mut numbers = rest.split_whitespace().skip(1).map(str::parse);
    let mut next = || numbers.next()?.ok();
    Some(Place { parent: next()?, group: next()?, session: next()? })
}

/// Whether the operator was given this console and nothing else: over SSH without a shell above. Another program could
/// start a shell and would be a way out.
pub fn is_confined(env: impl Fn(&str) -> Option<String>, has_shell: bool) -> bool {
    env("SSH_CONNECTION").is_some() && !has_shell
}

/// The editor to write long text with: its program and arguments. `setting` is `ui.editor`: `auto` takes `$VISUAL` or
/// `$EDITOR`, an empty one none, and so does whoever [`is_confined`]: the variables are the client's to set.
pub fn editor(setting: &str, env: impl Fn(&str) -> Option<String>, has_shell: bool) -> Option<Vec<String>> {
    let line = match setting.trim() {
        "" => return None,
        "auto" if is_confined(&env, has_shell) => return None,
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
    fn the_place_is_read_from_the_system_whatever_a_process_is_called() {
        let own = place("self").expect("own place");
        assert_eq!(own.parent, std::os::unix::process::parent_id() as i32);
        let named = parse("4711 (a) (b 9 9)) S 42 7 0 34816 4711 0").expect("read");
        assert_eq!(named, Place { parent: 42, group: 7, session: 0 });
        assert_eq!(parse("4711 (x) S 42"), None);
    }
}
