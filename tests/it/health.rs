//! Hosts and samples, on both databases.

use std::sync::Arc;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use zhiban::action::{ActionError, Role};
use zhiban::clock::{Clock, HOUR, SECOND};
use zhiban::clock::{DAY, MINUTE, Millis};
use zhiban::config::Dur;
use zhiban::config::{Config, Health};
use zhiban::console::tab::Tab as _;
use zhiban::console::testing::Driver;
use zhiban::health::actions::{Remove, Silence, Ticket};
use zhiban::health::alert::{Phase, Problem, rules, worst};
use zhiban::health::model::{Disk, Nic, Sample, Severity};
use zhiban::health::store;
use zhiban::health::tab::HealthTab;
use zhiban::locale::{self, Lang};
use zhiban::store::Store;
use zhiban::tickets::actions::New;
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
        assert_eq!(count(&fresh.store, "SELECT count(*) FROM sample_raw").await, 0);
        assert_eq!(count(&fresh.store, "SELECT count(*) FROM sample_bucket WHERE level = 60000").await, 10);
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

/// Thresholds that need a minute each way.
fn quick() -> Config {
    let mut config = Config::default();
    for t in [&mut config.health.cpu_warn, &mut config.health.cpu_critical, &mut config.health.disk_warn] {
        (t.lasts, t.keep) = (Dur(MINUTE), Dur(MINUTE));
    }
    config
}

/// Adds a sample of `host` every ten seconds from `from`, one for each CPU value, and judges after each.
async fn live(store: &Store, host: &str, from: Millis, values: &[f64]) -> Millis {
    let mut at = from;
    for (i, cpu) in values.iter().enumerate() {
        at = from + i as Millis * 10 * SECOND;
        store::add(store, &[sample(host, at, *cpu)], 10_000).await.expect("added");
        store::judge(store, &quick(), at).await.expect("judged");
    }
    at
}

/// What is wrong with the only host.
async fn wrong(store: &Store, now: Millis) -> Vec<Problem> {
    let fleet = store::fleet(store, now).await.expect("fleet");
    fleet[0].problems(&rules(&quick().health), now)
}

async fn count(store: &Store, sql: &str) -> i64 {
    store.row(sql, vec![], |r| r.get::<i64>(0)).await.expect("count").unwrap_or(-1)
}

on_both! {
    async fn a_threshold_remembers_through_restarts_and_its_changes_are_kept(fresh: Fresh) {
        let store = &fresh.store;
        // half a minute, another process, half a minute: it fires once, in the time of samples
        let at = live(store, "a", START, &[95.0; 4]).await;
        assert_eq!(wrong(store, at).await[0].phase, Phase::Pending);
        assert_eq!(worst(&wrong(store, at).await), Severity::Ok);
        let again = Store::open(&fresh.url.parse().expect("url")).await.expect("opened again");
        let at = live(&again, "a", at + 10 * SECOND, &[95.0; 3]).await;
        let open = wrong(store, at).await;
        assert_eq!((open[0].phase, open[0].severity, open[0].since), (Phase::Firing, Severity::Warn, at));
        // it hovers between the lines, then is over
        let at = live(store, "a", at + 10 * SECOND, &[85.0, 91.0, 85.0, 70.0, 70.0, 70.0, 70.0, 70.0, 70.0, 70.0]).await;
        assert!(wrong(store, at).await.is_empty());
        let host = store::hosts(store).await.expect("hosts")[0].id;
        let events = store::events(store, host, 50).await.expect("events");
        let told: Vec<_> = events.iter().rev().map(|e| (e.was.as_str(), e.phase.as_str())).collect();
        assert_eq!(told, [("pending", "firing"), ("firing", "clearing"), ("clearing", "ok")]);
    }

    async fn a_host_that_vanishes_keeps_its_trouble_and_is_stale_besides(fresh: Fresh) {
        let store = &fresh.store;
        let at = live(store, "a", START, &[95.0; 8]).await;
        let now = at + 31 * SECOND;
        store::judge(store, &quick(), now).await.expect("judged");
        store::judge(store, &quick(), now + DAY).await.expect("judged a day later");
        let open = wrong(store, now + DAY).await;
        assert_eq!(open.iter().map(|p| p.severity).collect::<Vec<_>>(), [Severity::Stale, Severity::Warn]);
        assert_eq!(open[0].since, at + 30 * SECOND);
        // it comes back after the gap: the old problem is neither new nor over
        let back = live(store, "a", now + 2 * DAY, &[95.0]).await;
        let open = wrong(store, back).await;
        assert_eq!((open.len(), open[0].phase), (1, Phase::Firing));
        let host = store::hosts(store).await.expect("hosts")[0].id;
        let events = store::events(store, host, 50).await.expect("events");
        let told: Vec<_> = events.iter().rev().map(|e| (e.metric.as_str(), e.phase.as_str())).collect();
        assert_eq!(told, [("cpu", "firing"), ("age", "firing"), ("age", "ok")], "told once each");
    }

    async fn a_batch_sent_again_is_stored_once_and_a_late_one_is_rolled_up_again(fresh: Fresh) {
        let store = &fresh.store;
        let batch: Vec<_> = (0..90).map(|i| sample("a", START + i * 10_000, 10.0)).collect();
        let live: Vec<_> = batch.iter().filter(|s| s.at < START + MINUTE || s.at >= START + 14 * MINUTE).cloned().collect();
        store::add(store, &live, 10_000).await.expect("added");
        let now = START + 2 * HOUR;
        store::roll_up(store, now).await.expect("rolled up");
        assert_eq!(count(store, "SELECT count(*) FROM sample_bucket WHERE level = 60000").await, 2);
        // the spool of the agent comes hours later, and its answer is lost: it comes twice
        let peak = sample("a", START + 5 * MINUTE, 99.0);
        let late: Vec<_> = batch.into_iter().map(|s| if s.at == peak.at { peak.clone() } else { s }).collect();
        store::add(store, &late, 10_000).await.expect("added");
        store::add(store, &late, 10_000).await.expect("added again");
        assert_eq!(count(store, "SELECT count(*) FROM sample_raw").await, 90);
        store::roll_up(store, now + MINUTE).await.expect("rolled up");
        assert_eq!(count(store, "SELECT count(*) FROM rollup_late").await, 0);
        assert_eq!(count(store, "SELECT count(*) FROM sample_bucket WHERE level = 60000").await, 15);
        let quarter = store
            .row(
                "SELECT n, cpu_min, cpu_max, cpu_avg, cpu_last FROM sample_bucket WHERE level = 900000",
                vec![],
                |r| Ok((r.get::<i64>(0)?, r.get::<f64>(1)?, r.get::<f64>(2)?, r.get::<f64>(3)?, r.get::<f64>(4)?)),
            )
            .await
            .expect("quarter")
            .expect("there");
        assert_eq!((quarter.0, quarter.1, quarter.2, quarter.4), (90, 10.0, 99.0, 10.0));
        assert!((quarter.3 - (89.0 * 10.0 + 99.0) / 90.0).abs() < 1e-6, "{quarter:?}");
    }

    async fn a_clock_set_back_an_hour_does_not_silence_its_host(fresh: Fresh) {
        let store = &fresh.store;
        store::add(store, &[sample("a", START + HOUR, 1.0)], 10_000).await.expect("added");
        store::set_back(store, "a", START).await.expect("told");
        store::add(store, &[sample("a", START, 2.0)], 10_000).await.expect("added");
        let hosts = store::hosts(store).await.expect("hosts");
        assert_eq!((hosts[0].sample.at, hosts[0].sample.cpu), (START, 2.0));
    }

    async fn a_disk_that_fills_is_forecast_from_its_own_history(fresh: Fresh) {
        let store = &fresh.store;
        let at = |i: i64| START + i * 5 * MINUTE;
        let full = |i: i64| Sample {
            disks: vec![
                Disk { mount: "/data".into(), total: 1_000_000, used: 700_000 + i as u64 * 100, ..Disk::default() },
                Disk { mount: "/cd".into(), total: 10, used: 10, read_only: true, ..Disk::default() },
            ],
            nics: vec![Nic { name: "eth0".into(), rx_bps: 5.0, tx_bps: 7.0 }],
            ..sample("a", at(i), 1.0)
        };
        // two days, a sample every five minutes, the last six hours by the minute
        let mut samples: Vec<Sample> = (0..576).map(full).collect();
        samples.extend((0..360).map(|m| Sample { at: at(576) - (359 - m) * MINUTE + 1, ..full(576 - (359 - m) / 5) }));
        store::add(store, &samples, MINUTE).await.expect("added");
        let now = at(576) + SECOND;
        store::roll_up(store, now).await.expect("rolled up");
        store::look_ahead(store, now).await.expect("looked ahead");
        let known = &store::fleet(store, now).await.expect("fleet")[0];
        assert_eq!(known.forecasts.iter().map(|(m, _)| m.as_str()).collect::<Vec<_>>(), ["/data"]);
        // 2.88 % a day, 24 % left: about eight days
        let f = known.forecasts[0].1;
        let days = (f.full_at - now) as f64 / DAY as f64;
        assert!((7.5..9.5).contains(&days) && f.early_at <= f.full_at && f.full_at <= f.late_at, "{days} {f:?}");
        let past = store::past(store, known.host.id, now - DAY, now).await.expect("past");
        assert_eq!(past.iter().map(|p| p.name.as_str()).collect::<Vec<_>>(), ["/cd", "/data", "eth0"]);
        assert_eq!(past[2].points[0].1, [0.0, 5.0, 7.0]);
    }

    async fn a_host_is_silenced_ticketed_and_forgotten_through_the_door(fresh: Fresh) {
        let store = &fresh.store;
        let at = live(store, "a", START, &[95.0; 8]).await;
        store::roll_up(store, at + HOUR).await.expect("rolled up");
        let clock = Clock::manual(at);
        let door = fresh.door("wang", Role::Operator, &clock);
        let silence = |until| Silence { host: "a".into(), until: Some((until, "new memory".to_owned())) };
        assert!(matches!(door.run(&silence(at - 1)).await, Err(ActionError::Invalid(_))));
        let done = door.run(&silence(at + HOUR)).await.expect("silenced");
        let known = &store::fleet(store, at).await.expect("fleet")[0];
        assert_eq!(known.silence.as_ref().map(|s| (s.until, s.actor.as_str())), Some((at + HOUR, "wang")));
        assert!(store::fleet(store, at + HOUR).await.expect("fleet")[0].silence.is_none(), "it ends by itself");
        door.run(done.undo.expect("undo").as_ref()).await.expect("undone");
        assert!(store::fleet(store, at).await.expect("fleet")[0].silence.is_none());
        let new = New { title: "a: CPU".into(), scope: "department".into(), severity: "general".into(),
            intake_key: Some("host:a:cpu::1".into()), ..New::default() };
        let ticket = Ticket { hosts: vec!["a".into()], new };
        door.run(&ticket).await.expect("ticket");
        door.run(&ticket).await.expect("the same ticket");
        assert_eq!(store::fleet(store, at).await.expect("fleet")[0].tickets.len(), 1);
        let gone = Silence { host: "b".into(), until: None };
        assert!(matches!(door.run(&gone).await, Err(ActionError::NotFound { .. })));
        let remove = Remove { host: "a".into() };
        assert!(matches!(door.run(&remove).await, Err(ActionError::Denied { .. })));
        fresh.door("li", Role::Supervisor, &clock).run(&remove).await.expect("removed");
        for table in ["host", "sample_raw", "sample_bucket", "part", "part_sample", "host_threshold", "host_event"] {
            assert_eq!(count(store, &format!("SELECT count(*) FROM {table}")).await, 0, "{table}");
        }
    }

    async fn what_is_asked_of_marked_hosts_is_done_to_all_of_them_in_one_go(fresh: Fresh) {
        let store = &fresh.store;
        for host in ["a", "b", "c"] {
            live(store, host, START, &[20.0; 3]).await;
        }
        // one that is silent is the worst
        live(store, "d", START - HOUR, &[20.0; 3]).await;
        let clock = Clock::manual(START + 20 * SECOND);
        let door = fresh.door("wang", Role::Operator, &clock);
        let tab = HealthTab::new(Config::default().into());
        let mut d = Driver::new(vec![Box::new(tab)], Some(door), clock.now(), None);
        d.settle().await;
        let screen = locale::with(Lang::En, || d.screen());
        assert!(screen.contains("? 1 silent  3 fine"), "{screen}");
        // d is under the cursor, the others follow by name
        d.keys("j space space").await;
        let silenced = async || {
            let fleet = store::fleet(store, START + MINUTE).await.expect("fleet");
            fleet.iter().filter(|k| k.silence.is_some()).map(|k| k.host.name.clone()).collect::<Vec<_>>()
        };
        d.keys("s tab \"patch night\" enter").await;
        assert_eq!(silenced().await, ["a", "b"], "{}", d.screen());
        d.keys("u").await;
        assert_eq!(silenced().await, [""; 0], "one step takes both back");
        d.keys("t enter enter").await;
        assert_eq!(count(store, "SELECT count(*) FROM ticket").await, 1);
        let named = "SELECT count(*) FROM host_ticket t JOIN host h ON h.id = t.host_id WHERE h.name IN ('a', 'b')";
        assert_eq!(count(store, named).await, 2);
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
    assert_eq!(tab.attention(START).map(|a| a.count), None, "beyond the line, but not for long enough");
}
