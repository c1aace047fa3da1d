//! Lines that end where a reader expects it, in English and in Chinese.

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthChar;

use super::{clean_lines, width};

/// What no line begins with: it belongs to what stands before it.
const NO_BEGIN: &str = "：；，。！？、．）》〉」』】〕］｝”’…—～·％℃々ー:;,.!?)]}%»";
/// What no line ends with: it belongs to what follows.
const NO_END: &str = "（《〈「『【〔［｛“‘￥([{«";

/// Breaks cleaned text into lines of at most `cells`: at blanks, and on either side of a Chinese character, but never
/// before closing punctuation, after opening punctuation, or within a time, a date, a path or a number.
pub fn wrap(text: &str, cells: usize) -> Vec<String> {
    let cells = cells.max(2);
    let mut lines = Vec::new();
    for para in clean_lines(text) {
        let mut line = String::new();
        let mut used = 0;
        for unit in units(&para) {
            let w = width(unit.trim_end());
            if used + w > cells && used > 0 {
                if !line.trim().is_empty() {
                    lines.push(line.trim_end().to_owned());
                }
                line.clear();
                used = 0;
            }
            if w > cells {
                used = split(unit, cells, &mut line, &mut lines);
            } else {
                line.push_str(unit);
                used += width(unit);
            }
        }
        lines.push(line.trim_end().to_owned());
    }
    lines
}

/// A unit wider than a line, broken anywhere but before closing punctuation; the cells of what is left in `line`.
fn split(unit: &str, cells: usize, line: &mut String, lines: &mut Vec<String>) -> usize {
    let mut used = 0;
    // where the last grapheme of `line` begins
    let mut last = 0;
    for g in unit.graphemes(true) {
        let w = width(g);
        if used + w > cells {
            // one that may begin no line takes the one before it along
            let carried = if begins_no_line(g) && last > 0 { line.split_off(last) } else { String::new() };
            lines.push(std::mem::replace(line, carried));
            used = width(line);
        }
        last = line.len();
        line.push_str(g);
        used += w;
    }
    used
}

fn begins_no_line(word: &str) -> bool {
    word.chars().next().is_some_and(|c| NO_BEGIN.contains(c))
}

/// The pieces of a paragraph that stay on one line, each with the blanks behind it.
fn units(para: &str) -> impl Iterator<Item = &str> {
    let mut cuts = vec![0];
    let mut before = "";
    for (at, word) in para.split_word_bound_indices() {
        if at > 0 && may_break(before, word) {
            cuts.push(at);
        }
        before = word;
    }
    cuts.push(para.len());
    (0..cuts.len() - 1).map(move |i| &para[cuts[i]..cuts[i + 1]])
}

fn may_break(before: &str, word: &str) -> bool {
    let (Some(last), Some(first)) = (before.chars().next_back(), word.chars().next()) else { return false };
    if first.is_whitespace() {
        return false;
    }
    if last.is_whitespace() {
        // a dot between two things is no bullet
        return first != '·';
    }
    let is_wide = |c: char| c.width() == Some(2);
    (is_wide(last) || is_wide(first)) && !NO_BEGIN.contains(first) && !NO_END.contains(last)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn lines_break_at_blanks_and_between_chinese_characters() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("审批提交后", 4), ["审批", "提交", "后"]);
        assert_eq!(wrap("  indented text", 10), ["  indented", "text"]);
        assert_eq!(wrap("a\n\nb", 10), ["a", "", "b"]);
    }

    #[test]
    fn no_line_begins_with_closing_or_ends_with_opening_punctuation() {
        assert_eq!(wrap("系统记录：第一次", 8), ["系统记", "录：第一", "次"]);
        assert_eq!(wrap("流程（合同）已停", 6), ["流程", "（合", "同）已", "停"]);
        assert_eq!(wrap("参见《手册》。", 6), ["参见", "《手", "册》。"]);
        assert_eq!(wrap("等待 · 用户", 7), ["等待 ·", "用户"]);
    }

    #[test]
    fn times_dates_and_paths_stay_whole() {
        assert_eq!(wrap("截止11-20 14:27:55前", 11), ["截止11-20", "14:27:55前"]);
        assert_eq!(wrap("主机oa-app-01.sh已恢复", 13), ["主机", "oa-app-01.sh", "已恢复"]);
        assert_eq!(wrap("见https://oa.example/a。", 12), ["见", "https://oa.e", "xample/a。"]);
        assert_eq!(wrap("abcdef。", 6), ["abcde", "f。"]);
    }

    proptest! {
        #[test]
        fn nothing_is_wider_than_asked_and_nothing_is_lost(text in "[a-z0-9:，。（）审批 -]{0,60}", cells in 4usize..30) {
            let lines = wrap(&text, cells);
            prop_assert!(lines.iter().all(|l| width(l) <= cells), "{lines:?}");
            let solid = |t: &str| t.chars().filter(|c| !c.is_whitespace()).collect::<String>();
            prop_assert_eq!(solid(&lines.concat()), solid(&text));
        }
    }
}
