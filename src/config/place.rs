//! Where in the file something stands, and what its name should have been.

/// Line and column, both from 1, of byte `offset`.
pub(crate) fn line_column(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    (line, column)
}

/// Whether the option `whole` stands in `table`.
fn is_in(whole: &str, table: &str) -> bool {
    whole.strip_prefix(table).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// Line and column where the option `path` is set: its key below its table header, else the header, else the start. The
/// second of `[[desk.reply]]` is `desk.reply.2`; without a number it is the last.
pub(super) fn locate(text: &str, path: &[String]) -> (usize, usize) {
    let mut table = String::new();
    let mut entries: std::collections::BTreeMap<String, usize> = std::collections::BTreeMap::new();
    let mut header = (1, 1);
    let whole = path.join(".");
    for (i, line) in text.lines().enumerate() {
        let bare = line.trim();
        if bare.starts_with('[') {
            bare.trim_matches(['[', ']']).trim().clone_into(&mut table);
            if bare.starts_with("[[") {
                let n = entries.entry(table.clone()).or_default();
                *n += 1;
                let numbered = whole.strip_prefix(&table).and_then(|rest| rest.strip_prefix('.'));
                if numbered.is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit())) {
                    table = format!("{table}.{n}");
                }
            }
            if is_in(&whole, &table) {
                header = (i + 1, 1);
            }
        } else if let Some((key, _)) = bare.split_once('=') {
            let key = key.trim().trim_matches('"');
            let full = if table.is_empty() { key.to_owned() } else { format!("{table}.{key}") };
            let here = (i + 1, line.len() - line.trim_start().len() + 1);
            if full == whole {
                return here;
            }
            // an inline table
            if whole.strip_prefix(&full).is_some_and(|rest| rest.starts_with('.')) {
                header = here;
            }
        }
    }
    header
}

/// Adds "did you mean" to serde's "unknown field `x`, expected one of `a`, `b`".
pub(crate) fn with_suggestion(message: &str) -> String {
    let mut names = message.split('`').skip(1).step_by(2);
    let Some(wrong) = names.next().filter(|_| message.starts_with("unknown")) else { return message.to_owned() };
    match names.map(|n| (distance(wrong, n), n)).min() {
        Some((d, near)) if d <= 1 + wrong.chars().count() / 3 => {
            format!("unknown name `{wrong}`; did you mean `{near}`? ({message})")
        }
        _ => message.to_owned(),
    }
}

/// Edit distance (Levenshtein) in characters.
pub fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, cb) in b.iter().enumerate() {
            let change = diagonal + usize::from(ca != *cb);
            diagonal = row[j + 1];
            row[j + 1] = change.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}
