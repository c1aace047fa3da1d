//! `[desk]`

use serde::{Deserialize, Serialize};

use super::Problems;
use crate::notify::templates::{Values, render};

/// What a canned reply may name. Every name is always there; one that does not apply is empty.
pub const REPLY_NAMES: &[&str] = &[
    "id",
    "title",
    "reporter",
    "owner",
    "level",
    "scope",
    "severity",
    "state",
    "channel",
    "reported_at",
    "response_due",
    "due",
    "me",
];

/// `[desk]`
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Desk {
    /// Replies to pick from.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub reply: Vec<CannedReply>,
    /// Programs to run on the row under the cursor.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub command: Vec<DeskCommand>,
}

/// `[[desk.command]]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DeskCommand {
    /// Its name in the list of commands and in `[keys]`, unique.
    pub name: String,
    /// Its key or sequence; empty: only by its name.
    pub key: String,
    /// Program and arguments; `{title}` stands for that value of the row, within one argument.
    pub run: Vec<String>,
    /// Whether it is asked before it runs.
    pub confirm: bool,
    /// Whether it runs without the terminal; what it says is shown when it has ended.
    pub background: bool,
    /// The tab that it belongs to.
    pub tab: String,
}

impl Default for DeskCommand {
    fn default() -> Self {
        Self {
            name: String::new(),
            key: String::new(),
            run: vec![],
            confirm: false,
            background: false,
            tab: "tickets".into(),
        }
    }
}

/// What a row of each tab knows, for the commands of that tab.
pub const ROW_NAMES: &[(&str, &[&str])] = &[
    ("health", &["host"]),
    ("tickets", &["id", "title", "reporter", "owner", "level", "state", "channel", "host"]),
    ("workflows", &["workflow"]),
    ("accounts", &["account", "system", "person"]),
    ("backups", &["system"]),
];

/// `part` of a command with `{name}` replaced by what `value` gives for it; `{{` is a brace.
///
/// # Errors
/// The first that `value` gives.
pub fn fill(part: &str, value: impl Fn(&str) -> Result<String, String>) -> Result<String, String> {
    let mut out = String::with_capacity(part.len());
    let mut rest = part;
    while let Some((before, after)) = rest.split_once('{') {
        out.push_str(before);
        if let Some(after) = after.strip_prefix('{') {
            out.push('{');
            rest = after;
            continue;
        }
        match after.split_once('}').filter(|(name, _)| is_name(name)) {
            Some((name, after)) => {
                out.push_str(&value(name)?);
                rest = after;
            }
            None => {
                out.push('{');
                rest = after;
            }
        }
    }
    out.push_str(rest);
    Ok(out)
}

/// A word of small letters: braces around anything else are the command's own.
fn is_name(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_ascii_lowercase() || c == '_')
}

/// The names in `part`.
fn names(part: &str) -> Vec<String> {
    let found = std::cell::RefCell::new(vec![]);
    let note = |name: &str| {
        found.borrow_mut().push(name.to_owned());
        Ok(String::new())
    };
    _ = fill(part, note);
    found.into_inner()
}

/// Whether argument `i` of `run` is read by a shell as a line of its own.
fn is_shell_line(run: &[String], i: usize) -> bool {
    const SHELLS: [&str; 8] = ["sh", "bash", "dash", "zsh", "ksh", "ash", "fish", "busybox"];
    let shell = |a: &String| SHELLS.contains(&a.rsplit('/').next().unwrap_or_default());
    let line = |a: &String| a.starts_with('-') && !a.starts_with("--") && a.contains('c');
    i > 0 && line(&run[i - 1]) && run[..i].iter().any(shell)
}

impl DeskCommand {
    /// What is wrong with it: the option, and why.
    fn faults(&self) -> Vec<(&'static str, String)> {
        let mut faults = Vec::new();
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '-';
        if self.name.is_empty() || !self.name.chars().all(plain) {
            faults.push(("name", "a name of small letters, digits, - and _ is needed".to_owned()));
        }
        if self.run.first().is_none_or(|program| program.trim().is_empty() || !names(program).is_empty()) {
            faults.push((
                "run",
                "a program and its arguments, as [\"ssh\", \"{host}\"]; the program itself is fixed".into(),
            ));
        }
        if self.run.iter().any(|a| a.contains('\0')) {
            faults.push(("run", "an argument cannot hold a NUL character".into()));
        }
        let Some((_, known)) = ROW_NAMES.iter().find(|(tab, _)| *tab == self.tab) else {
            let tabs: Vec<&str> = ROW_NAMES.iter().map(|(tab, _)| *tab).collect();
            faults.push(("tab", format!("`{}`; one of {}", self.tab, tabs.join(", "))));
            return faults;
        };
        let ssh = self.run.first().is_some_and(|p| p.rsplit('/').next() == Some("ssh"));
        for (i, part) in self.run.iter().enumerate() {
            for name in names(part) {
                if !known.contains(&name.as_str()) {
                    faults.push((
                        "run",
                        format!("`{{{name}}}` is not known in {}; there are: {}", self.tab, known.join(", ")),
                    ));
                } else if is_shell_line(&self.run, i) {
                    let variable = format!("$ZHIBAN_{}", name.to_uppercase());
                    faults.push((
                        "run",
                        format!("`{{{name}}}` in a line for a shell could be run as code: write \"{variable}\" there"),
                    ));
                } else if ssh && !["host", "id"].contains(&name.as_str()) {
                    faults.push((
                        "run",
                        format!("ssh makes a line for a shell of its arguments: `{{{name}}}` could be run as code"),
                    ));
                }
            }
        }
        faults
    }
}

/// `[[desk.reply]]`
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CannedReply {
    /// As it is picked, unique.
    pub name: String,
    /// The text in Chinese, a template of [`REPLY_NAMES`]; empty: only the other.
    pub zh: String,
    /// The same in English.
    pub en: String,
}

impl Desk {
    pub(super) fn check(&self, problems: &mut Problems) {
        let values: Values<'_> = REPLY_NAMES.iter().map(|n| (*n, "1".to_owned())).collect();
        for (i, reply) in self.reply.iter().enumerate() {
            let n = (i + 1).to_string();
            let mut wrong = |key: &str, why: String| problems.add(&["desk", "reply", &n, key], why);
            if reply.name.trim().is_empty() {
                wrong("name", "is missing".into());
            }
            if self.reply[..i].iter().any(|r| r.name == reply.name) {
                wrong("name", format!("another reply is called `{}`", reply.name));
            }
            if reply.zh.trim().is_empty() && reply.en.trim().is_empty() {
                wrong("zh", "a reply needs a text: zh, en or both".into());
            }
            for (key, text) in [("zh", &reply.zh), ("en", &reply.en)] {
                if let Err(e) = render(text, &values) {
                    wrong(key, format!("{e} (names: {})", REPLY_NAMES.join(", ")));
                }
            }
        }
        for (i, command) in self.command.iter().enumerate() {
            let n = (i + 1).to_string();
            let mut faults = command.faults();
            if self.command[..i].iter().any(|c| c.name == command.name && c.tab == command.tab) {
                faults.push(("name", format!("another command of this tab is called `{}`", command.name)));
            }
            for (key, why) in faults {
                problems.add(&["desk", "command", &n, key], why);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command(run: &[&str]) -> Vec<String> {
        let run = run.iter().map(|s| (*s).to_owned()).collect();
        let command = DeskCommand { name: "c".into(), run, ..DeskCommand::default() };
        command.faults().into_iter().map(|(key, why)| format!("{key}: {why}")).collect()
    }

    #[test]
    fn a_value_never_becomes_part_of_a_line_that_a_shell_reads() {
        for fine in [
            &["ping", "-c", "1", "{host}"][..],
            &["sh", "-c", "echo \"$ZHIBAN_TITLE\""],
            &["sh", "-c", "echo \"$1\"", "sh", "{title}"],
            &["awk", "{{print}", "{ }"],
            &["ssh", "-t", "{host}", "uptime"],
        ] {
            assert_eq!(command(fine), [""; 0], "{fine:?}");
        }
        for bad in [
            &["sh", "-c", "echo {title}"][..],
            &["sudo", "/bin/bash", "-lc", "echo {title}"],
            &["ssh", "{host}", "echo", "{title}"],
            &["{title}"],
            &[],
            &["x", "{nothing}"],
        ] {
            assert_eq!(command(bad).len(), 1, "{bad:?}");
        }
    }

    #[test]
    fn names_are_filled_within_their_argument() {
        let value = |name: &str| Ok(format!("<{name}>"));
        assert_eq!(fill("a{id}b{title}", value).as_deref(), Ok("a<id>b<title>"));
        assert_eq!(fill("{{id}", value).as_deref(), Ok("{id}"));
        assert_eq!(fill("{ id } {} {Id} {", value).as_deref(), Ok("{ id } {} {Id} {"));
        assert!(fill("{id}", |_| Err("none".into())).is_err());
    }
}
