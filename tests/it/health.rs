//! Hosts and samples, on both databases.

use std::sync::Arc;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use zhiban::clock::{DAY, MINUTE, Millis};
use zhiban::config::{Config, Health};
use zhiban::console::tab::Tab as _;
use zhiban::health::model::{Disk, Sample};
use zhiban::health::store;
use zhiban::health::tab::HealthTab;
use zhiban::locale::{self, Lang};
use zhiban::tui::paint::Brush;
use zhiban::tui::theme::{Depth, Theme};

use crate::on_both;

const START: Millis = 1_790_000_040_000 / (15 * MINUTE) * (15 * MINUTE);

fn sample(host: &str, at: Millis, cpu: f64) -> Sample {
    Sample {
        host: host.into(),
        at,
        cpu,
        cores: vec![cpu],
        mem_total: 100,
        mem_used: 40,
        disks: vec![Disk { mount: "/".into(), total: 1_000, used: 250, ..Disk::default() }],
        ..Sample::default()
    }
}

on_both! {
    async fn the_newest_sample_of_a_host_is_its_current_one(fresh: Fresh) {
        let both = [sample("a", START + 20_000, 2.0), sample("a", START + 10_000, 1.0), sample("b", START, 9.0)];
        store::add(&fresh.store, &both, 10_000).await.expect("added");
        // out of a spool: older than what is known
        store::add(&fresh.store, &[sample("a", START, 77.0)], 10_000).await.expect("added");
        let hosts = store::hosts(&fresh.store).await.expect("hosts");
        let cpu: Vec<_> = hosts.iter().map(|h| (h.name.as_str(), h.sample.cpu)).collect();
        assert_eq!(cpu, [("a", 2.0), ("b", 9.0)]);
        let points = store::history(&fresh.store, hosts[0].id, START, START + MINUTE).await.expect("history");
        assert_eq!(points.iter().map(|p| p.cpu as i64).collect::<Vec<_>>(), [77, 1, 2]);
        assert!((points[0].disk - 25.0).abs() < 0.01 && (points[0].mem - 40.0).abs() < 0.01);
    }

    async fn a_peak_survives_every_roll_up(fresh: Fresh) {
        let samples: Vec<_> =
            (0..180).map(|i| sample("a", START + i * 10_000, if i == 33 { 99.0 } else { 10.0 })).collect();
        store::add(&fresh.store, &samples, 10_000).await.expect("added");
        let now = START + 30 * MINUTE;
        store::roll_up(&fresh.store, now).await.expect("rolled up");
        // once more changes nothing
        store::roll_up(&fresh.store, now).await.expect("rolled up");
        let host = store::hosts(&fresh.store).await.expect("hosts")[0].id;
        let minutes = store::history(&fresh.store, host, now - 6 * 60 * MINUTE, now).await.expect("minutes");
        assert_eq!(minutes.len(), 30);
        let quarters = store::history(&fresh.store, host, now - 7 * DAY, now).await.expect("quarters");
        assert_eq!(quarters.len(), 2);
        for points in [minutes, quarters] {
            assert!(points.iter().any(|p| (p.cpu - 99.0).abs() < 0.01), "{points:?}");
        }
    }

    async fn old_samples_are_retired_and_their_roll_ups_stay(fresh: Fresh) {
        let samples: Vec<_> = (0..60).map(|i| sample("a", START + i * 10_000, 10.0)).collect();
        store::add(&fresh.store, &samples, 10_000).await.expect("added");
        let now = START + 3 * DAY;
        store::roll_up(&fresh.store, now).await.expect("rolled up");
        store::retire(&fresh.store, now, &Health::default()).await.expect("retired");
        let count = |sql: &'static str| {
            let store = fresh.store.clone();
            async move { store.row(sql, vec![], |r| r.get::<i64>(0)).await.expect("count").unwrap_or(-1) }
        };
        assert_eq!(count("SELECT count(*) FROM sample_raw").await, 0);
        assert_eq!(count("SELECT count(*) FROM sample_rollup WHERE level = 60000").await, 10);
    }

    async fn a_host_may_be_called_anything(fresh: Fresh) {
        let name = "a\u{1b}[2J\u{0}\u{202e}b'; DROP TABLE host;--";
        store::add(&fresh.store, &[sample(name, START, 1.0)], 10_000).await.expect("added");
        let hosts = store::hosts(&fresh.store).await.expect("hosts");
        assert_eq!(hosts.len(), 1);
        assert!(!zhiban::text::clean(&hosts[0].name).contains('\u{1b}'));
        let points = store::history(&fresh.store, hosts[0].id, START, START + 1).await.expect("history");
        assert_eq!(points.len(), 1, "its sample was kept");
    }
}

/// Every character on the screen, at a size and in a language.
fn screen(tab: &HealthTab, width: u16, height: u16, lang: Lang, now: Millis) -> String {
    let theme = Theme::load("dark", None, Depth::TrueColor).expect("theme");
    let mut buf = Buffer::empty(Rect::new(0, 0, width, height));
    let area = buf.area;
    locale::with(lang, || tab.draw(&Brush { theme: &theme, ascii: false }, &mut buf, area, now));
    buf.content.iter().map(|cell| cell.symbol()).collect()
}

#[test]
fn the_tab_draws_any_host_at_any_size_in_both_languages() {
    let mut tab = HealthTab::new(Config::default().into());
    let hostile = "a\u{1b}]52;c;eA==\u{7}\u{202e}审批".repeat(400);
    for name in ["oa-app-1", hostile.as_str()] {
        let mut s = sample(name, START, 99.0);
        s.disks.push(Disk { mount: "\u{1b}[2J/mnt".into(), total: 10, used: 10, stuck: true, ..Disk::default() });
        tab.arrived(Box::new(Arc::new(s)), START);
        for lang in [Lang::En, Lang::Zh] {
            for (width, height) in [(200, 50), (120, 40), (80, 24), (40, 10), (10, 3), (1, 1)] {
                let shown = screen(&tab, width, height, lang, START + 1_000);
                assert!(!shown.chars().any(|c| c.is_control() || c == '\u{202e}'), "{width}×{height}");
            }
        }
    }
    assert!(screen(&tab, 200, 50, Lang::En, START).contains("oa-app-1"));
    assert_eq!(tab.attention(START).map(|a| a.count), Some(2), "both are above the critical threshold");
}
