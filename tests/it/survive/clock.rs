//! The clock is set back an hour: nothing stops, nothing is out of order, nothing lies.

use zhiban::action::Role;
use zhiban::clock::{Clock, HOUR, MINUTE, Millis, SECOND};
use zhiban::health::model::Sample;
use zhiban::journal;
use zhiban::tickets::actions::{Change, New, What};
use zhiban::tickets::{self, store as queue};

use crate::on_both;

/// 2026-11-24 14:30 in Shanghai.
const NOW: Millis = 1_795_501_800_000;

fn new(title: &str) -> New {
    New {
        title: title.into(),
        channel: "phone".into(),
        scope: "individual".into(),
        severity: "important".into(),
        reporter: "zhao".into(),
        ..New::default()
    }
}

on_both! {
    async fn work_goes_on_and_the_journal_stays_in_order(fresh: Fresh) {
        let clock = Clock::manual(NOW);
        let door = fresh.door("wang", Role::Admin, &clock);
        door.run(&new("before")).await.expect("made");
        door.run(&Change::new(1, What::Claim)).await.expect("claimed");
        clock.set(NOW - HOUR);
        door.run(&Change::new(1, What::Reply("we look".into()))).await.expect("answered, an hour before it came in");
        door.run(&new("after")).await.expect("made");
        clock.set(NOW - HOUR + 5 * MINUTE);
        door.run(&Change::new(1, What::Resolve { cause: "c".into(), solution: "s".into() })).await.expect("resolved");
        let verified = journal::verify(&fresh.store).await.expect("verify");
        assert_eq!((verified.rows, verified.first_broken), (5, None));
        // the order is that of the deeds, not of the clock
        let rows = journal::newest(&fresh.store, None, 10).await.expect("rows");
        let verbs: Vec<&str> = rows.iter().rev().map(|r| r.entry.verb.as_str()).collect();
        assert_eq!(verbs, ["ticket.new", "ticket.claim", "ticket.reply", "ticket.new", "ticket.resolve"]);
        // every clock is explained at any instant, and nothing that remains is more than was promised
        let config = zhiban::config::Config::default();
        let policy = queue::policy(&fresh.store, &config.tickets).await.expect("policy");
        for id in [1, 2] {
            let ticket = queue::get(&fresh.store, id).await.expect("read").expect("there");
            let past = queue::happenings(&fresh.store, id).await.expect("read");
            for now in [NOW - HOUR, NOW - HOUR + 5 * MINUTE, NOW, NOW + HOUR] {
                assert!(!tickets::explain(&config, &policy, id, &past, now).is_empty());
                assert!(!tickets::show_lines(&config, &policy, (&ticket, &past), &[], now).is_empty());
                let clocks = tickets::actions::clocks_json(&policy, &past, now).expect("clocks");
                let text = clocks.to_string();
                assert!(!text.contains("null,null") && text.len() > 2, "{text}");
            }
        }
    }

    async fn a_host_is_shown_as_it_is_now_not_as_it_was_in_the_future(fresh: Fresh) {
        let sample = |at, cpu| Sample { host: "oa".into(), at, cpu, ..Sample::default() };
        let current = async || zhiban::health::store::hosts(&fresh.store).await.expect("hosts")[0].sample.clone();
        let add = async |samples: &[Sample]| zhiban::health::store::add(&fresh.store, samples, 10 * SECOND).await.expect("kept");
        add(&[sample(NOW, 90.0)]).await;
        // a little late, out of a spool: it does not replace what is newer
        add(&[sample(NOW - 20 * SECOND, 50.0)]).await;
        assert_eq!(current().await.cpu, 90.0);
        // the clock was set back an hour: what was measured now counts
        add(&[sample(NOW - HOUR, 10.0)]).await;
        add(&[sample(NOW - HOUR + 10 * SECOND, 11.0)]).await;
        assert_eq!(current().await.cpu, 11.0);
        // and forward again
        add(&[sample(NOW + 10 * SECOND, 12.0)]).await;
        assert_eq!(current().await.cpu, 12.0);
    }
}

#[test]
fn what_is_left_and_what_is_over_is_never_negative() {
    for ms in [-HOUR, -1, 0, 1, HOUR] {
        for text in [
            zhiban::tui::countdown::remaining(ms),
            zhiban::tui::countdown::age(ms),
            zhiban::tui::countdown::overdue(ms),
        ] {
            assert!(!text.contains('-'), "{text}");
        }
    }
}
