//! The texts of messages: templates in both languages, of which a folder of the configuration may replace any.

use std::collections::BTreeMap;
use std::path::Path;

use minijinja::{Environment, UndefinedBehavior};

use crate::config::Notify;
use crate::locale::{Lang, lang, notify as say};

/// Every template that is there: name, Chinese, English. The first line is the subject, the rest the body.
pub const ALL: &[(&str, &str, &str)] = &[
    ("reply", include_str!("reply.zh.txt"), include_str!("reply.en.txt")),
    ("escalation", include_str!("escalation.zh.txt"), include_str!("escalation.en.txt")),
    ("survey", include_str!("survey.zh.txt"), include_str!("survey.en.txt")),
];

/// What a template may name. Every name is always there; one that does not apply is empty.
pub const NAMES: &[&str] = &[
    "ticket", "title", "level", "scope", "reporter", "owner", "text", "clock", "percent", "due", "late", "link",
    "count", "company",
];

/// The values that a template is filled with.
pub type Values<'a> = BTreeMap<&'a str, String>;

fn environment() -> Environment<'static> {
    let mut env = Environment::new();
    env.set_undefined_behavior(UndefinedBehavior::Strict);
    env.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
    env
}

fn wrong(e: &minijinja::Error) -> String {
    let detail = e.detail().map_or_else(|| e.kind().to_string(), ToOwned::to_owned);
    e.line().map_or_else(|| detail.clone(), |line| say::at_line(line, &detail))
}

/// Fills `template`. Values are text, never templates themselves.
///
/// # Errors
/// When the template is wrong, with its line.
pub fn render(template: &str, values: &Values<'_>) -> Result<String, String> {
    environment().render_str(template, values).map_err(|e| wrong(&e))
}

/// Checks the syntax of `template`.
///
/// # Errors
/// What is wrong with it, with its line.
pub fn check(template: &str) -> Result<(), String> {
    environment().template_from_str(template).map(|_| ()).map_err(|e| wrong(&e))
}

/// The text of a template in the language in force: that of the folder, else the built-in one.
fn text(notify: &Notify, name: &str) -> Result<String, String> {
    let suffix = if lang() == Lang::Zh { "zh" } else { "en" };
    if !notify.templates.is_empty() {
        let file = Path::new(&notify.templates).join(format!("{name}.{suffix}.txt"));
        match std::fs::read_to_string(&file) {
            Ok(text) => return Ok(text),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {}
            Err(e) => return Err(format!("{}: {e}", file.display())),
        }
    }
    let found = ALL.iter().find(|(n, ..)| *n == name);
    let (_, zh, en) = found.ok_or_else(|| say::no_such_template(name))?;
    Ok((if lang() == Lang::Zh { *zh } else { *en }).to_owned())
}

/// Subject and body of the template `name`.
///
/// # Errors
/// When the template cannot be read or is wrong.
pub fn fill(notify: &Notify, name: &str, values: &Values<'_>) -> Result<(String, String), String> {
    let mut whole: Values<'_> = NAMES.iter().map(|n| (*n, String::new())).collect();
    whole.extend(values.iter().map(|(k, v)| (*k, v.clone())));
    let filled = render(&text(notify, name)?, &whole).map_err(|e| format!("{name}: {e}"))?;
    let (subject, body) = filled.split_once('\n').unwrap_or((filled.as_str(), ""));
    Ok((subject.trim().to_owned(), body.trim().to_owned()))
}

/// Checks every template of the folder: each must be known by name and fill with values.
///
/// # Errors
/// One line for each that is wrong, naming file and line.
pub fn check_all(notify: &Notify) -> Result<(), Vec<String>> {
    if notify.templates.is_empty() {
        return Ok(());
    }
    let folder = Path::new(&notify.templates);
    let entries = std::fs::read_dir(folder).map_err(|e| vec![format!("{}: {e}", folder.display())])?;
    let mut problems = Vec::new();
    for path in entries.flatten().map(|e| e.path()) {
        if path.extension().is_none_or(|e| e != "txt") {
            continue;
        }
        let Some(name) = path.file_name().and_then(|n| n.to_str()) else { continue };
        let known = ALL.iter().any(|(n, ..)| *name == format!("{n}.zh.txt") || *name == format!("{n}.en.txt"));
        let shown = path.display();
        if !known {
            let names: Vec<String> = ALL.iter().map(|(n, ..)| format!("{n}.zh.txt")).collect();
            problems.push(format!("{shown}: {}", say::unknown_template(&names.join(", "))));
            continue;
        }
        let values: Values<'_> = NAMES.iter().map(|n| (*n, "1".to_owned())).collect();
        let result = std::fs::read_to_string(&path).map_err(|e| e.to_string()).and_then(|t| render(&t, &values));
        if let Err(e) = result {
            problems.push(format!("{shown}: {e}"));
        }
    }
    if problems.is_empty() { Ok(()) } else { Err(problems) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::locale;

    #[test]
    fn every_template_fills_in_both_languages() {
        for lang in [Lang::Zh, Lang::En] {
            for (name, ..) in ALL {
                let values: Values<'_> = NAMES.iter().map(|n| (*n, format!("<{n}>"))).collect();
                let filled = locale::with(lang, || fill(&Notify::default(), name, &values));
                let (subject, body) = filled.expect("fills");
                assert!(subject.contains("<title>") && !body.is_empty(), "{name}: {subject}");
                // every name is there, so that none can be missing when it matters
                locale::with(lang, || fill(&Notify::default(), name, &Values::new())).expect("fills with nothing");
            }
        }
    }

    #[test]
    fn a_value_is_never_a_template() {
        let values = Values::from([("text", "{{ ticket }}".to_owned()), ("ticket", "7".to_owned())]);
        assert_eq!(render("{{ text }} #{{ ticket }}", &values).as_deref(), Ok("{{ ticket }} #7"));
        assert!(render("{{ nothing }}", &values).is_err());
        let json = render("{\"t\": {{ text|tojson }}}", &Values::from([("text", "a\"\n".to_owned())]));
        assert_eq!(json.as_deref(), Ok("{\"t\": \"a\\\"\\n\"}"));
    }
}
