//! Markdown as lines for a screen: headings, lists, quotes, code, rules. What is not known is shown as it is written.

use super::theme::Role;
use crate::text::{clean_lines, width, wrap};

/// Cells of a line that parts.
const RULE: usize = 40;

/// What the beginning of a line says it is.
enum Kind<'a> {
    Heading(&'a str),
    /// Cells of indentation, its mark, and the rest.
    Item(usize, String, &'a str),
    Quote(&'a str),
    Rule,
    Text(&'a str),
}

fn kind(line: &str, ascii: bool) -> Kind<'_> {
    let bare = line.trim_start();
    let indent = (line.len() - bare.len()).min(12);
    let hashes = bare.len() - bare.trim_start_matches('#').len();
    if (1..=6).contains(&hashes) && bare[hashes..].starts_with(' ') {
        return Kind::Heading(bare[hashes..].trim().trim_end_matches('#').trim_end());
    }
    let signs = |sign: char| bare.len() >= 3 && bare.chars().all(|c| c == sign || c == ' ');
    if ['-', '*', '_'].into_iter().any(signs) {
        return Kind::Rule;
    }
    for mark in ["- ", "* ", "+ "] {
        if let Some(rest) = bare.strip_prefix(mark) {
            return Kind::Item(indent, if ascii { "- " } else { "• " }.to_owned(), rest);
        }
    }
    let digits = bare.len() - bare.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    if (1..=4).contains(&digits)
        && let Some(rest) = bare[digits..].strip_prefix(". ").or_else(|| bare[digits..].strip_prefix(") "))
    {
        return Kind::Item(indent, format!("{}. ", &bare[..digits]), rest);
    }
    if let Some(rest) = bare.strip_prefix('>') {
        return Kind::Quote(rest.strip_prefix(' ').unwrap_or(rest));
    }
    Kind::Text(line)
}

/// A line without the signs of emphasis, its links as `text (address)`.
fn inline(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(open) = rest.find('[') {
        let (before, from) = rest.split_at(open);
        let link = from[1..].split_once("](").and_then(|(shown, after)| {
            let (to, after) = after.split_once(')')?;
            (!shown.contains(['[', ']'])).then_some((shown, to, after))
        });
        let Some((shown, to, after)) = link else {
            out.push_str(before);
            out.push('[');
            rest = &from[1..];
            continue;
        };
        out.push_str(before.strip_suffix('!').unwrap_or(before));
        out.push_str(shown);
        if shown != to {
            out.push_str(" (");
            out.push_str(to);
            out.push(')');
        }
        rest = after;
    }
    out.push_str(rest);
    out.replace("**", "").replace("__", "")
}

/// `text` as lines of at most `cells`, each with how it looks. Cleaned: nothing of it drives a terminal.
pub fn lines(text: &str, cells: usize, ascii: bool) -> Vec<(String, Role)> {
    let cells = cells.max(8);
    let mut out: Vec<(String, Role)> = vec![];
    let mut fence: Option<&str> = None;
    let gap = |out: &mut Vec<(String, Role)>| {
        if out.last().is_some_and(|(line, _)| !line.is_empty()) {
            out.push((String::new(), Role::Text));
        }
    };
    let put = |out: &mut Vec<(String, Role)>, lead: &str, text: &str, role: Role| {
        let room = cells.saturating_sub(width(lead)).max(4);
        for (i, line) in wrap(text, room).into_iter().enumerate() {
            let lead = if i == 0 { lead.to_owned() } else { " ".repeat(width(lead)) };
            out.push((format!("{lead}{line}"), role));
        }
    };
    let all = clean_lines(text);
    for line in &all {
        let bare = line.trim();
        if let Some(mark) = ["```", "~~~"].into_iter().find(|m| bare.starts_with(m)) {
            match fence {
                None => fence = Some(mark),
                Some(open) if open == mark => fence = None,
                Some(_) => {}
            }
            gap(&mut out);
            continue;
        }
        if fence.is_some() {
            put(&mut out, if ascii { "| " } else { "│ " }, line, Role::Info);
            continue;
        }
        if bare.is_empty() {
            gap(&mut out);
            continue;
        }
        // what parts the head of a table from its rows, and what is written for nobody
        let between = bare.starts_with('|') && bare.chars().all(|c| matches!(c, '|' | '-' | ':' | ' '));
        if between || (bare.starts_with("<!--") && bare.ends_with("-->")) {
            continue;
        }
        match kind(line, ascii) {
            Kind::Heading(title) => {
                gap(&mut out);
                put(&mut out, "", &inline(title), Role::Title);
            }
            Kind::Item(indent, mark, rest) => {
                put(&mut out, &format!("{}{mark}", " ".repeat(indent)), &inline(rest), Role::Text);
            }
            Kind::Quote(rest) => put(&mut out, if ascii { "| " } else { "▏ " }, &inline(rest), Role::Dim),
            Kind::Rule => out.push(((if ascii { "-" } else { "─" }).repeat(cells.min(RULE)), Role::Dim)),
            Kind::Text(text) => put(&mut out, "", &inline(text), Role::Text),
        }
    }
    while out.last().is_some_and(|(line, _)| line.is_empty()) {
        out.pop();
    }
    out
}

/// `text` without its signs, for a message.
pub fn plain(text: &str) -> String {
    lines(text, 10_000, true).into_iter().map(|(line, _)| line).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn headings_lists_quotes_and_code_look_like_what_they_are() {
        let text = "# 打印机卡纸\n先**断电**。\n\n\n1. 打开[前盖](http://x)\n   - 取出纸 and wait until it is quiet\n> 注意\n```sh\nlpstat -t  # **no**\n```\n| a | b |\n|---|---|\n---\n<!-- x -->\n";
        let got = lines(text, 24, false);
        let shown: Vec<&str> = got.iter().map(|(l, _)| l.as_str()).collect();
        assert_eq!(
            shown,
            [
                "打印机卡纸",
                "先断电。",
                "",
                "1. 打开前盖 (http://x)",
                "   • 取出纸 and wait",
                "     until it is quiet",
                "▏ 注意",
                "",
                "│ lpstat -t  # **no**",
                "",
                "| a | b |",
                "────────────────────────",
            ]
        );
        assert_eq!((got[0].1, got[8].1, got[6].1), (Role::Title, Role::Info, Role::Dim));
    }

    #[test]
    fn a_text_is_cleaned_and_its_brackets_stay() {
        assert_eq!(lines("a\u{1b}[2J [x] [[y](z)", 40, true)[0].0, "a␛[2J [x] [[y](z)".replace("[[y](z)", "[y (z)"));
        assert_eq!(plain("## Cause\n\n- one\n- two"), "Cause\n\n- one\n- two");
    }

    proptest! {
        #[test]
        fn nothing_is_wider_than_asked_and_nothing_drives_a_terminal(text in any::<String>(), cells in 8usize..60) {
            for (line, _) in lines(&text, cells, false) {
                prop_assert!(width(&line) <= cells.max(20), "{line}");
                prop_assert!(!line.chars().any(char::is_control));
            }
        }
    }
}
