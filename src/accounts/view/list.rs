//! The list of findings, and how far their decisions have come.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::{glyph, role_of};
use crate::accounts::audit::Finding;
use crate::accounts::tab::AccountsTab;
use crate::accounts::words;
use crate::clock::Millis;
use crate::locale::accounts as say;
use crate::text::{cell_right, clean, width};
use crate::tui::countdown;
use crate::tui::paint::Brush;
use crate::tui::theme::Role;

/// Cells of mark, sign and rule, with the blanks behind them.
const LEFT: u16 = 9;

pub(super) fn draw(tab: &AccountsTab, brush: &Brush<'_>, buf: &mut Buffer, area: Rect, now: Millis) {
    let (shown, all) = (tab.rows.len(), tab.whole.audit.findings.len());
    let title = if shown == all { say::title(all) } else { say::title_filtered(shown, all) };
    let inside = brush.panel(buf, area, &title);
    if inside.height < 2 {
        return;
    }
    if all == 0 {
        let accounts = tab.whole.book.accounts.len();
        let lines = if accounts == 0 {
            vec![say::empty_title(), String::new(), say::empty_how(), say::empty_hr()]
        } else {
            let checked = tab.whole.audit.coverage.iter().filter(|c| c.missing.is_none()).count();
            vec![say::clean_title(), String::new(), say::clean_how(accounts, checked)]
        };
        for (i, (line, y)) in lines.iter().zip(inside.y + 1..inside.bottom()).enumerate() {
            let role = if i == 0 { Role::Text } else { Role::Dim };
            brush.text(buf, inside.x + 2, y, inside.width.saturating_sub(4), line, role);
        }
        return;
    }
    summary_line(tab, brush, buf, inside, now);
    let body = Rect { y: inside.y + 1, height: inside.height - 1, ..inside };
    let window = tab.place.window(shown, usize::from(body.height.saturating_sub(1)));
    let rows: Vec<Row> = window.clone().filter_map(|row| Row::of(tab, row, now)).collect();
    let c = Columns::of(&rows, inside.width);
    let x = inside.x + LEFT;
    let [finding, since] = [x + c.account + 2, x + c.account + 2 + c.finding + 2];
    let decision = since + c.since + 2;
    let evidence = decision + c.decision + 2;
    let head = |buf: &mut Buffer, x: u16, cells: u16, text: &str| brush.text(buf, x, body.y, cells, text, Role::Header);
    head(buf, inside.x + 3, 5, &say::head_rule());
    head(buf, x, c.account, &say::head_account());
    head(buf, finding, c.finding, &say::head_finding());
    head(buf, since, c.since, &cell_right(&say::head_since(), usize::from(c.since)));
    head(buf, decision, c.decision, &say::head_decision());
    if c.evidence > 0 {
        head(buf, evidence, c.evidence, &say::head_evidence());
    }
    for ((row, y), r) in window.zip(body.y + 1..).zip(&rows) {
        let f = r.finding;
        let role = if r.is_open { role_of(f.severity) } else { Role::Dim };
        if tab.place.is_marked(row) {
            brush.text(buf, inside.x, y, 1, if brush.ascii { "*" } else { "▌" }, Role::Mark);
        }
        brush.text(buf, inside.x + 1, y, 1, glyph(f.severity, brush.ascii), role);
        brush.text(buf, inside.x + 3, y, 5, f.rule.id.trim_start_matches("DQ-"), Role::Dim);
        brush.text(buf, x, y, c.account, &r.account, if r.is_open { Role::Text } else { Role::Dim });
        brush.text(buf, finding, y, c.finding, &r.word, role);
        brush.text(buf, since, y, c.since, &cell_right(&r.since, usize::from(c.since)), Role::Dim);
        let look = match (r.is_open, tab.decision(f)) {
            (true, Some(_)) => Role::Warn,
            (true, None) => Role::Dim,
            (false, _) => Role::Info,
        };
        brush.text(buf, decision, y, c.decision, &r.state, look);
        if c.evidence > 0 {
            brush.text(buf, evidence, y, c.evidence, &words::evidence(f, &tab.config.accounts), Role::Dim);
        }
        if row == tab.place.at {
            brush.select(buf, Rect::new(inside.x, y, inside.width, 1));
        }
    }
}

/// What stands in a line of the list.
struct Row<'a> {
    finding: &'a Finding,
    account: String,
    word: String,
    since: String,
    state: String,
    is_open: bool,
}

impl<'a> Row<'a> {
    fn of(tab: &'a AccountsTab, row: usize, now: Millis) -> Option<Self> {
        let f = tab.finding(row)?;
        let stands = tab.state(f, now);
        // one person has an account in many systems: which one it is about is part of its name
        let account = if f.is_account && !f.system.is_empty() {
            format!("{}/{}", f.system, f.account)
        } else {
            f.account.clone()
        };
        Some(Self {
            finding: f,
            account: format!("{account} {}", f.name).trim_end().to_owned(),
            word: words::finding_word(f.rule.finding),
            since: f.since.filter(|s| *s <= now).map(|s| countdown::age(now - s)).unwrap_or_default(),
            state: words::state_word(stands, tab.decision(f), &tab.config.accounts),
            is_open: stands.is_open(),
        })
    }
}

/// The cells of the columns that give way to each other; 0: not shown.
struct Columns {
    account: u16,
    finding: u16,
    since: u16,
    decision: u16,
    evidence: u16,
}

impl Columns {
    /// As wide as what is in sight, in steps, so that little moves when it is scrolled.
    fn of(rows: &[Row<'_>], total: u16) -> Self {
        let cells = |text: for<'r> fn(&'r Row<'_>) -> &'r str, head: &str| {
            let longest = rows.iter().map(|r| width(&clean(text(r)))).max().unwrap_or(0).max(width(head)) as u16;
            longest.next_multiple_of(4)
        };
        let decision = cells(|r| &r.state, &say::head_decision()).min(20);
        let since = (width(&say::head_since()) as u16).max(5);
        let left = total.saturating_sub(LEFT + 2 + 2 + since + 2 + decision + 1);
        let finding = cells(|r| &r.word, &say::head_finding()).min(24).min(left / 2);
        let account = cells(|r| &r.account, &say::head_account()).clamp(12, 36).min(left - finding);
        let evidence = left.saturating_sub(finding + account + 2);
        Self { account, finding, since, decision, evidence: if evidence >= 20 { evidence } else { 0 } }
    }
}

/// Counts by severity, then the progress of the decisions.
fn summary_line(tab: &AccountsTab, brush: &Brush<'_>, buf: &mut Buffer, at: Rect, now: Millis) {
    let mut x = at.x + 1;
    for severity in ["critical", "high", "medium", "low", "info"] {
        let n = tab.whole.audit.findings.iter().filter(|f| f.severity == severity).count();
        if n > 0 {
            let text = format!("{} {} {n}", glyph(severity, brush.ascii), words::severity_word(severity));
            x = brush.text(buf, x, at.y, at.right().saturating_sub(x), &text, role_of(severity)) + 2;
        }
    }
    let (all, decided, instructed, done) = tab.progress(now);
    let mut text = say::progress(decided, all);
    for (n, word) in [(instructed, say::instructed_n(instructed)), (done, say::done_n(done))] {
        if n > 0 {
            text = format!("{text} · {word}");
        }
    }
    let room = usize::from(at.right().saturating_sub(x + 1));
    if width(&text) > room {
        return;
    }
    let left = brush.text_right(buf, at.right() - 1, at.y, &text, Role::Dim);
    if left > x + 14 && all > 0 {
        brush.gauge(buf, left - 12, at.y, 10, decided as f64 / all as f64, Role::Ok);
    }
}
