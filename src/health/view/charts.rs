//! Curves of a host: CPU, memory, disks, network over the chosen span, alone or against another.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::clock::Millis;
use crate::health::store::Point;
use crate::health::tab::{Compare, HealthTab, HostRow, SPANS};
use crate::health::words;
use crate::locale::health as say;
use crate::text::{clean, width};
use crate::tui::chart;
use crate::tui::paint::{Brush, bytes};
use crate::tui::theme::Role;

/// Values over the columns of a chart.
type Curve = Vec<Option<f64>>;
/// A figure of a point.
type Figure = fn(&Point) -> f64;

/// `points` in `n` bins that end at `to`: the highest of each. Short gaps are bridged, long ones stay empty.
fn bins(points: &[Point], figure: Figure, from: Millis, to: Millis, n: usize) -> Curve {
    let mut out: Curve = vec![None; n.max(1)];
    let width = ((to - from) / n.max(1) as Millis).max(1);
    // bins are aligned to the clock, two by two: the curve moves by whole cells, half as often as by bins, and the second
    // bin of the last cell may be yet to come
    let last_bin = (to / width) | 1;
    let bin = |at: Millis| at / width - last_bin + n as Millis - 1;
    for p in points {
        if let Some(bin) = usize::try_from(bin(p.at)).ok().and_then(|i| out.get_mut(i)) {
            let value = figure(p);
            *bin = Some(bin.map_or(value, |v: f64| v.max(value)));
        }
    }
    // twice and a half as far apart as points usually are is no gap yet
    let mut apart: Vec<Millis> = points.windows(2).map(|w| w[1].at - w[0].at).collect();
    apart.sort_unstable();
    let usual = apart.get(apart.len() / 2).copied().unwrap_or(0);
    let reach = (usual * 5 / 2 / width + 1).clamp(1, n as Millis) as usize;
    let mut last: Option<(usize, f64)> = None;
    let come = out.len() - usize::from(to / width != last_bin);
    for (i, bin) in out.iter_mut().enumerate().take(come) {
        match (*bin, last) {
            (Some(v), _) => last = Some((i, v)),
            (None, Some((at, v))) if i - at <= reach && points.len() > 1 => *bin = Some(v),
            _ => {}
        }
    }
    out
}

fn point(s: &crate::health::model::Sample) -> Point {
    let (read, write) = s.io_bps();
    let disk = s.fullest().map_or(0.0, |(_, v)| v);
    Point { at: s.at, cpu: s.cpu, mem: s.mem(), load: s.load[0], disk, read, write, rx: s.rx_bps, tx: s.tx_bps }
}

/// The points of the host: what the store has, and of this machine what it said since.
fn points(tab: &HealthTab, row: &HostRow) -> Vec<Point> {
    let stored = tab.history.iter().filter(|h| h.host == row.name()).flat_map(|h| h.points.iter().copied());
    if !tab.is_here(row.name()) || tab.span > 1 {
        return stored.collect();
    }
    let since = tab.ring.front().map_or(Millis::MAX, |s| s.at);
    stored.filter(|p| p.at < since).chain(tab.ring.iter().map(|s| point(s))).collect()
}

/// One chart: a figure, or a pair of them back to back.
struct Chart {
    /// The title, and a shorter one.
    titles: [String; 2],
    figures: [Option<Figure>; 2],
    /// The top; `None`: the highest value.
    max: Option<f64>,
    role: Role,
}

/// Draws the charts: four where there is room, else two.
pub(super) fn draw(tab: &HealthTab, row: &HostRow, brush: &Brush<'_>, buf: &mut Buffer, area: Rect, now: Millis) {
    let s = row.sample();
    let (read, write) = s.io_bps();
    let arrow = |up: bool| match (brush.ascii, up) {
        (true, true) => "out",
        (true, false) => "in",
        (false, true) => "↑",
        (false, false) => "↓",
    };
    let rate = |v: f64| format!("{}/s", bytes(v as u64));
    let charts = [
        Chart {
            titles: [format!("{} {:.0}%", say::cpu(), s.cpu), String::new()],
            figures: [Some(|p| p.cpu), None],
            max: Some(100.0),
            role: Role::ChartCpu,
        },
        Chart {
            titles: [
                format!("{} {:.0}%  {} / {}", say::memory(), s.mem(), bytes(s.mem_used), bytes(s.mem_total)),
                format!("{} {:.0}%", say::memory(), s.mem()),
            ],
            figures: [Some(|p| p.mem), None],
            max: Some(100.0),
            role: Role::ChartMem,
        },
        Chart {
            titles: [format!("{} r {} w {}", say::disk_io(), rate(read), rate(write)), say::disk_io()],
            figures: [Some(|p| p.read), Some(|p| p.write)],
            max: None,
            role: Role::ChartDisk,
        },
        Chart {
            titles: [
                format!("{} {} {} {} {}", say::network(), arrow(false), rate(s.rx_bps), arrow(true), rate(s.tx_bps)),
                say::network(),
            ],
            figures: [Some(|p| p.rx), Some(|p| p.tx)],
            max: None,
            role: Role::ChartNet,
        },
    ];
    // where two do not fit beside each other they stand in one column
    let columns: u16 = if area.width >= 60 { 2 } else { 1 };
    let lines = match columns {
        2 => 1 + u16::from(area.height >= 10),
        _ => (area.height / 4).clamp(1, 4),
    };
    let points = points(tab, row);
    let (w, h) = (area.width / columns, area.height / lines);
    for (i, chart) in charts.iter().take(usize::from(lines * columns)).enumerate() {
        let (column, line) = (i as u16 % columns, i as u16 / columns);
        let width = if column + 1 == columns { area.width - w * column } else { w };
        // lines that are left over make the first chart taller
        let over = area.height - h * lines;
        let (y, height) = if line == 0 { (0, h + over) } else { (h * line + over, h) };
        let place = Rect::new(area.x + column * w, area.y + y, width, height);
        one(tab, row, chart, &points, brush, buf, place, now);
        if i == 0 {
            if !points.iter().any(|p| p.at >= now - SPANS[tab.span]) && height > 2 {
                let y = place.y + height / 2;
                brush.text(buf, place.x + 2, y, width.saturating_sub(4), &say::no_points(), Role::Dim);
            }
            let span = format!(" {} ", say::span(&words::span(SPANS[tab.span])));
            brush.text_right(buf, place.right().saturating_sub(1), place.y, &span, Role::Key);
        }
    }
}

#[expect(clippy::too_many_arguments, reason = "a chart: what and where")]
fn one(
    tab: &HealthTab,
    row: &HostRow,
    chart: &Chart,
    points: &[Point],
    brush: &Brush<'_>,
    buf: &mut Buffer,
    place: Rect,
    now: Millis,
) {
    // the scale or the span stands at the right
    let fits = |title: &&String| width(title) + 14 <= usize::from(place.width);
    let [long, short] = &chart.titles;
    let inside =
        brush.panel(buf, place, Some(long).filter(fits).unwrap_or(if short.is_empty() { long } else { short }));
    if inside.height == 0 || inside.width == 0 {
        return;
    }
    let (n, from) = (usize::from(inside.width) * 2, now - SPANS[tab.span]);
    let other = tab.history.as_ref().filter(|h| h.host == row.name()).and_then(|h| h.other.as_ref());
    let [first, second] = chart.figures;
    let Some(first) = first else { return };
    let half = Rect { height: inside.height - inside.height / 2, ..inside };
    let low = Rect { y: inside.y + half.height, height: inside.height / 2, ..inside };
    let top = |curves: &[&Curve]| {
        let highest = curves.iter().flat_map(|c| c.iter().flatten()).copied().fold(1024.0, f64::max);
        chart.max.unwrap_or(highest)
    };
    let scale = |buf: &mut Buffer, max: f64| {
        if chart.max.is_none() && !points.is_empty() {
            let text = format!(" {}/s ", bytes(max as u64));
            brush.text_right(buf, place.right().saturating_sub(1), place.y, &text, Role::Dim);
        }
    };
    if let (Some(other), Some(against)) = (other, &tab.compare) {
        // this host above, the other below it, on one scale: both figures of a pair summed
        let sum = |points: &[Point]| {
            let mut curve = bins(points, first, from, now, n);
            if let Some(second) = second {
                for (a, b) in curve.iter_mut().zip(bins(points, second, from, now, n)) {
                    *a = a.map(|v| v + b.unwrap_or(0.0)).or(b);
                }
            }
            curve
        };
        let (mine, theirs) = (sum(points), sum(other));
        let max = top(&[&mine, &theirs]);
        scale(buf, max);
        chart::area(brush, buf, half, &mine, max, chart.role);
        chart::hanging(brush, buf, low, &theirs, max, Role::Mark);
        let who = match against {
            Compare::Week => say::compare_week(),
            Compare::Host(name) => clean(name).into_owned(),
        };
        let text = format!(" {} ", say::against(&who));
        brush.text(buf, place.x + 2, place.bottom() - 1, place.width.saturating_sub(4), &text, Role::Mark);
        return;
    }
    let upper = bins(points, first, from, now, n);
    match second.filter(|_| inside.height >= 2) {
        Some(second) => {
            let lower = bins(points, second, from, now, n);
            let max = top(&[&upper, &lower]);
            scale(buf, max);
            chart::area(brush, buf, half, &upper, max, chart.role);
            chart::hanging(brush, buf, low, &lower, max, chart.role);
        }
        None => {
            let max = top(&[&upper]);
            scale(buf, max);
            chart::area(brush, buf, inside, &upper, max, chart.role);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(at: Millis, cpu: f64) -> Point {
        Point { at, cpu, ..Point::default() }
    }

    #[test]
    fn a_peak_is_seen_in_its_bin_and_a_gap_stays_a_gap() {
        let points = [at(10, 1.0), at(15, 9.0), at(20, 2.0), at(30, 3.0), at(90, 4.0), at(100, 5.0)];
        let curve = bins(&points, |p| p.cpu, 0, 100, 10);
        assert_eq!(curve[0], Some(2.0), "the bin of 20 to 29: what was before is not in the picture");
        assert_eq!(curve[8..], [Some(5.0), None], "the last bin is yet to come");
        assert!(curve[..8].contains(&None), "{curve:?}");
        let curve = bins(&points, |p| p.cpu, 10, 110, 10);
        assert_eq!((curve[0], curve[8]), (Some(2.0), Some(5.0)), "half a cell later nothing has moved");
        let points = [at(15, 9.0), at(10, 1.0)];
        assert_eq!(bins(&points, |p| p.cpu, 10, 110, 10)[..1], [None]);
        assert_eq!(bins(&points, |p| p.cpu, 0, 90, 9).first(), Some(&Some(9.0)), "the peak of a bin");
    }
}
