//! The wall: one worst-state banner, ten problems, the next breach in big digits, one rotating page.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::tab::{Tab, WallProblem};
use crate::clock::Millis;
use crate::locale::console as say;
use crate::tui::countdown;
use crate::tui::paint::Brush;
use crate::tui::theme::Role;

/// Data older than this is shown as stale.
const STALE: Millis = 60_000;

#[expect(clippy::too_many_arguments, reason = "one picture of everything")]
pub(super) fn draw(
    brush: &Brush<'_>,
    buf: &mut Buffer,
    area: Rect,
    now: Millis,
    tabs: &[(String, &dyn Tab, Millis)],
    rotation: Millis,
    lost: Option<Millis>,
    time: &str,
) {
    let facts: Vec<_> = tabs.iter().map(|(_, tab, _)| tab.wall(now)).collect();
    let mut problems: Vec<&WallProblem> = facts.iter().flat_map(|f| &f.problems).collect();
    problems.sort_by_key(|p| (std::cmp::Reverse(p.weight), p.since));
    let critical = problems.iter().filter(|p| p.role == Role::Critical).count();
    let warn = problems.len() - critical;
    let (banner, role) = if let Some(since) = lost {
        (say::store_lost(&countdown::remaining(now - since)), Role::Stale)
    } else if critical > 0 {
        (format!("✗ {critical}   ▲ {warn}"), Role::Critical)
    } else if warn > 0 {
        (format!("▲ {warn}"), Role::Warn)
    } else {
        (say::all_quiet(), Role::Ok)
    };
    let banner = if brush.ascii { banner.replace('✗', "X").replace('▲', "^") } else { banner };
    brush.text(buf, area.x + 2, area.y, area.width.saturating_sub(20), &banner, role);
    brush.text_right(buf, area.right().saturating_sub(2), area.y, time, Role::Title);
    // the age of the data comes from the data path, so that a frozen picture is seen
    let oldest = tabs.iter().filter(|(_, t, _)| t.is_loaded()).map(|(_, _, at)| now - at).max().unwrap_or(0);
    let (age, role) = if oldest > STALE {
        (say::stale(&countdown::remaining(oldest)), Role::Stale)
    } else {
        (say::data_age(&countdown::age(oldest)), Role::Dim)
    };
    brush.text_right(buf, area.right().saturating_sub(9), area.y, &age, role);

    let big = Rect::new(area.x + 2, area.y + 2, area.width - 4, 5);
    match facts.iter().filter_map(|f| f.next_breach.as_ref()).min_by_key(|(at, _)| *at) {
        Some((at, what)) => {
            let left = countdown::remaining(at - now);
            let role = if at - now < 15 * 60_000 { Role::Critical } else { Role::Warn };
            let end = digits(brush, buf, big, &left, role);
            brush.text(buf, end + 3, big.y + 1, big.right().saturating_sub(end + 3), &say::next_breach(), Role::Dim);
            brush.text(buf, end + 3, big.y + 3, big.right().saturating_sub(end + 3), what, Role::Text);
        }
        None => {
            brush.text(buf, big.x, big.y + 2, big.width, &say::no_breach(), Role::Dim);
        }
    }
    let mut y = big.bottom() + 1;
    for problem in problems.iter().take(10) {
        let age = problem.since.map_or_else(String::new, |s| countdown::age(now - s));
        brush.text(buf, area.x + 2, y, 6, &age, Role::Dim);
        brush.text(buf, area.x + 9, y, area.width.saturating_sub(11), &problem.text, problem.role);
        y += 1;
    }
    if problems.len() > 10 {
        brush.text(buf, area.x + 9, y, area.width.saturating_sub(11), &say::more(problems.len() - 10), Role::Dim);
    }
    // the rotation stops while something critical is open: the worst page stays
    let pages = facts.len().max(1);
    let page = if critical > 0 {
        facts.iter().position(|f| f.problems.iter().any(|p| p.role == Role::Critical)).unwrap_or(0)
    } else {
        usize::try_from(now / rotation.max(1)).unwrap_or(0) % pages
    };
    let top = area.bottom().saturating_sub(9);
    if let (Some((name, _, _)), Some(facts)) = (tabs.get(page), facts.get(page)) {
        let left = countdown::remaining(rotation - now.rem_euclid(rotation.max(1)));
        let title = if critical > 0 { name.clone() } else { format!("{}/{pages} {name} {left}", page + 1) };
        let inside = brush.panel(buf, Rect::new(area.x, top, area.width, 8), &title);
        for (line, y) in facts.lines.iter().zip(inside.top()..inside.bottom()) {
            brush.text(buf, inside.x + 1, y, inside.width.saturating_sub(2), line, Role::Text);
        }
    }
}

/// Draws `text` in digits five rows high; returns the column after it.
fn digits(brush: &Brush<'_>, buf: &mut Buffer, at: Rect, text: &str, role: Role) -> u16 {
    let block = if brush.ascii { "#" } else { "█" };
    let mut x = at.x;
    for c in text.chars() {
        let rows: [u8; 5] = match c {
            '0' => [7, 5, 5, 5, 7],
            '1' => [2, 6, 2, 2, 7],
            '2' => [7, 1, 7, 4, 7],
            '3' => [7, 1, 7, 1, 7],
            '4' => [5, 5, 7, 1, 1],
            '5' => [7, 4, 7, 1, 7],
            '6' => [7, 4, 7, 5, 7],
            '7' => [7, 1, 1, 1, 1],
            '8' => [7, 5, 7, 5, 7],
            '9' => [7, 5, 7, 1, 7],
            ':' => [0, 2, 0, 2, 0],
            'h' => [4, 4, 7, 5, 5],
            'm' => [0, 0, 7, 7, 5],
            'd' => [1, 1, 7, 5, 7],
            _ => [0; 5],
        };
        for (row, bits) in rows.iter().enumerate() {
            for column in 0..3u16 {
                if bits & (4 >> column) != 0 {
                    for half in 0..2u16 {
                        let (px, py) = (x + column * 2 + half, at.y + row as u16);
                        if px < at.right() && py < at.bottom() {
                            buf[(px, py)].set_symbol(block).set_style(brush.style(role));
                        }
                    }
                }
            }
        }
        x += 8;
    }
    x
}
