//! Editing text in a field: the keys of a shell's line, by whole characters as people see them.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use unicode_segmentation::UnicodeSegmentation as _;

/// Most bytes a field takes; what is pasted beyond is cut.
const MOST: usize = 64 * 1024;

/// Does an editing key to `text` with the cursor before byte `at`; whether it was one. `long` text takes new lines.
pub(super) fn key(text: &mut String, at: &mut usize, key: &KeyEvent, long: bool) -> bool {
    *at = floor(text, *at);
    let (ctrl, alt) = (key.modifiers.contains(KeyModifiers::CONTROL), key.modifiers.contains(KeyModifiers::ALT));
    match key.code {
        KeyCode::Enter if long && (alt || key.modifiers.contains(KeyModifiers::SHIFT)) => insert(text, at, "\n", long),
        KeyCode::Char('j') if long && ctrl => insert(text, at, "\n", long),
        KeyCode::Char('w') if ctrl => cut(text, at, word_before),
        KeyCode::Char('u') if ctrl => cut(text, at, line_start),
        KeyCode::Char('k') if ctrl => {
            let end = line_end(text, *at);
            text.replace_range(*at..end, "");
        }
        KeyCode::Char('e') if ctrl => *at = line_end(text, *at),
        KeyCode::Char(c) if !ctrl && !alt => insert(text, at, c.encode_utf8(&mut [0; 4]), long),
        KeyCode::Backspace if ctrl || alt => cut(text, at, word_before),
        KeyCode::Backspace => cut(text, at, before),
        KeyCode::Delete => {
            let end = after(text, *at);
            text.replace_range(*at..end, "");
        }
        KeyCode::Left if ctrl || alt => *at = word_before(text, *at),
        KeyCode::Left => *at = before(text, *at),
        KeyCode::Right if ctrl || alt => *at = word_after(text, *at),
        KeyCode::Right => *at = after(text, *at),
        KeyCode::Home => *at = line_start(text, *at),
        KeyCode::End => *at = line_end(text, *at),
        KeyCode::Up if long && line_start(text, *at) > 0 => {
            let (start, column) = (line_start(text, *at), column(text, *at));
            *at = at_column(text, line_start(text, start - 1), column);
        }
        KeyCode::Down if long && line_end(text, *at) < text.len() => {
            *at = at_column(text, line_end(text, *at) + 1, column(text, *at));
        }
        _ => return false,
    }
    true
}

/// Puts `what` at the cursor; new lines become blanks where there is only one line.
pub(super) fn insert(text: &mut String, at: &mut usize, what: &str, long: bool) {
    *at = floor(text, *at);
    let what = what.replace("\r\n", "\n").replace('\r', "\n");
    let what = if long { what } else { what.replace('\n', " ") };
    let room = MOST.saturating_sub(text.len());
    let what = &what[..floor(&what, room)];
    text.insert_str(*at, what);
    *at += what.len();
}

fn cut(text: &mut String, at: &mut usize, from: fn(&str, usize) -> usize) {
    let start = from(text, *at);
    text.replace_range(start..*at, "");
    *at = start;
}

/// The last place at or before `at` that does not split a character.
fn floor(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

fn before(text: &str, at: usize) -> usize {
    text[..at].grapheme_indices(true).next_back().map_or(0, |(i, _)| i)
}

fn after(text: &str, at: usize) -> usize {
    text[at..].graphemes(true).next().map_or(at, |g| at + g.len())
}

fn word_before(text: &str, at: usize) -> usize {
    let mut words = text[..at].split_word_bound_indices().rev();
    words.find(|(_, w)| !w.trim().is_empty()).map_or(0, |(i, _)| i)
}

fn word_after(text: &str, at: usize) -> usize {
    let mut words = text[at..].split_word_bound_indices();
    words.find(|(_, w)| !w.trim().is_empty()).map_or(text.len(), |(i, w)| at + i + w.len())
}

fn line_start(text: &str, at: usize) -> usize {
    text[..at].rfind('\n').map_or(0, |i| i + 1)
}

fn line_end(text: &str, at: usize) -> usize {
    text[at..].find('\n').map_or(text.len(), |i| at + i)
}

fn column(text: &str, at: usize) -> usize {
    text[line_start(text, at)..at].graphemes(true).count()
}

fn at_column(text: &str, start: usize, column: usize) -> usize {
    let line = &text[start..line_end(text, start)];
    start + line.grapheme_indices(true).nth(column).map_or(line.len(), |(i, _)| i)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::testing::keys;

    fn typed(text: &str, script: &str, long: bool) -> String {
        let (mut text, mut at) = (text.to_owned(), text.len());
        for k in keys(script) {
            key(&mut text, &mut at, &k, long);
        }
        text.insert(at, '|');
        text
    }

    #[test]
    fn a_line_is_edited_by_characters_and_words() {
        assert_eq!(typed("审批e\u{301}", "backspace", false), "审批|");
        assert_eq!(typed("one two", "ctrl-w x", false), "one x|");
        assert_eq!(typed("one two", "ctrl-left left y", false), "oney| two");
        assert_eq!(typed("one", "home delete end Z", false), "neZ|");
        assert_eq!(typed("one two", "ctrl-u", false), "|");
    }

    #[test]
    fn a_long_text_has_lines_and_a_short_one_does_not() {
        assert_eq!(typed("ab", "alt-enter c up home X", true), "X|ab\nc");
        assert_eq!(typed("abc", "ctrl-j d down up", true), "a|bc\nd");
        let (mut text, mut at) = (String::new(), 0);
        insert(&mut text, &mut at, "a\r\nb", false);
        assert_eq!(text, "a b");
    }
}
