//! Text from outside made safe to show, and measured in terminal cells.
//!
//! Nothing that came from a file, a database or another person reaches a terminal before [`clean`]: control
//! characters, escape sequences, bidirectional overrides and invisible characters become visible marks.

pub mod encoding;
pub mod filter;
pub mod words;
mod wrap;

use std::borrow::Cow;

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

pub use wrap::wrap;

/// Combining marks kept on one base character; the rest are dropped.
const MARKS_KEPT: usize = 4;

/// One line of text that cannot drive a terminal.
///
/// C0 controls and DEL become their control pictures (`␛`), C1 controls, bidi controls, zero-width and tag characters
/// become `U+FFFD`, variation selectors vanish, and at most four combining marks stay on a base.
pub fn clean(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|b| (0x20..0x7f).contains(&b)) || !needs_cleaning(text) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 8);
    let mut marks = 0;
    for c in text.chars() {
        if is_mark(c) {
            marks += 1;
            if marks > MARKS_KEPT {
                continue;
            }
        } else {
            marks = 0;
        }
        match c {
            '\0'..='\u{1f}' => out.extend(char::from_u32(0x2400 + c as u32)),
            '\u{7f}' => out.push('\u{2421}'),
            '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}' => {}
            c if is_hidden(c) => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    Cow::Owned(out)
}

/// The lines of a longer text, each cleaned; `\r\n` and `\n` end a line, tabs become two blanks.
pub fn clean_lines(text: &str) -> Vec<String> {
    text.split('\n')
        .map(|line| clean(&line.strip_suffix('\r').unwrap_or(line).replace('\t', "  ")).into_owned())
        .collect()
}

/// JSON in which every character that [`clean`] would mark is escaped: the same value, harmless on a terminal.
pub fn json_escaped(json: &str) -> Cow<'_, str> {
    let harmful = |c: char| c == '\u{7f}' || is_hidden(c);
    if !json.chars().any(harmful) {
        return Cow::Borrowed(json);
    }
    let mut out = String::with_capacity(json.len() + 8);
    for c in json.chars() {
        if harmful(c) {
            let mut units = [0; 2];
            out.extend(c.encode_utf16(&mut units).iter().map(|unit| format!("\\u{unit:04x}")));
        } else {
            out.push(c);
        }
    }
    Cow::Owned(out)
}

fn needs_cleaning(text: &str) -> bool {
    let mut marks = 0;
    text.chars().any(|c| {
        marks = if is_mark(c) { marks + 1 } else { 0 };
        c < ' '
            || c == '\u{7f}'
            || is_hidden(c)
            || marks > MARKS_KEPT
            || matches!(c, '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}')
    })
}

fn is_hidden(c: char) -> bool {
    matches!(c,
        '\u{80}'..='\u{9f}' | '\u{ad}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{180e}' | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}'
        | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

fn is_mark(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}' | '\u{483}'..='\u{489}' | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}'
        | '\u{20d0}'..='\u{20ff}' | '\u{fe20}'..='\u{fe2f}')
}

/// Terminal cells that `text` takes (a Chinese character takes two).
pub fn width(text: &str) -> usize {
    text.width()
}

/// `text` cut to at most `cells`, with `…` as its last cell where something was cut.
pub fn fit(text: &str, cells: usize) -> Cow<'_, str> {
    if width(text) <= cells {
        return Cow::Borrowed(text);
    }
    let mut out = String::new();
    let mut used = 0;
    for g in text.graphemes(true) {
        let w = width(g);
        if used + w + 1 > cells {
            break;
        }
        used += w;
        out.push_str(g);
    }
    if cells > 0 {
        out.push('…');
    }
    Cow::Owned(out)
}

/// `text` cut and then padded with blanks on the right to exactly `cells`.
pub fn cell(text: &str, cells: usize) -> String {
    let mut out = fit(text, cells).into_owned();
    out.extend(std::iter::repeat_n(' ', cells.saturating_sub(width(&out))));
    out
}

/// `text` cut and then padded with blanks on the left to exactly `cells`; for numbers.
pub fn cell_right(text: &str, cells: usize) -> String {
    let cut = fit(text, cells);
    let mut out = " ".repeat(cells.saturating_sub(width(&cut)));
    out.push_str(&cut);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn controls_overrides_and_invisibles_become_visible() {
        assert_eq!(clean("a\u{1b}[2Jb\u{7}"), "a␛[2Jb␇");
        assert_eq!(clean("in\u{202e}voice\u{200b}\u{9b}"), "in\u{fffd}voice\u{fffd}\u{fffd}");
        assert_eq!(clean("e\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}"), "e\u{301}\u{301}\u{301}\u{301}");
        assert!(matches!(clean("审批 ok"), Cow::Borrowed(_)));
    }

    #[test]
    fn cutting_counts_cells_not_characters() {
        assert_eq!(fit("审批提交", 5), "审批…");
        assert_eq!(cell("审批", 5), "审批 ");
        assert_eq!(cell("审批提交", 4), "审… ");
        assert_eq!(cell_right("7", 3), "  7");
        assert_eq!(fit("abc", 0), "");
    }

    proptest! {
        #[test]
        fn escaped_json_is_the_same_value_and_harmless(text in any::<String>()) {
            let json = serde_json::to_string(&text).expect("json");
            let out = json_escaped(&json);
            prop_assert_eq!(serde_json::from_str::<String>(&out).expect("json"), text);
            prop_assert!(!out.chars().any(|c| c.is_control() || is_hidden(c)));
        }

        #[test]
        fn nothing_cleaned_holds_a_control_or_a_bidi_override(text in any::<String>()) {
            let out = clean(&text);
            prop_assert!(!out.chars().any(|c| c.is_control() || is_hidden(c)));
        }

        #[test]
        fn a_cell_is_exactly_as_wide_as_asked(text in "\\PC{0,40}", cells in 0usize..30) {
            prop_assert_eq!(width(&cell(&clean(&text), cells)), cells);
        }
    }
}
