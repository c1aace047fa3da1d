//! What anybody may send, good and damaged: a corpus in `fixtures/fuzz`, cut, flipped and spliced by a seed. The fuzz
//! targets in `fuzz/` begin with the same corpus and call the same functions.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use zhiban::action::Door;
use zhiban::clock::{Clock, Millis, parse_rfc3339};
use zhiban::config::{Config, Mailbox, Secret, Serve, Webhook};
use zhiban::intake::alerts::sources::{Alertmanager, mapped};
use zhiban::intake::mail::jobs::take;
use zhiban::intake::mail::model;
use zhiban::intake::wecom::crypto::Keys;
use zhiban::intake::wecom::message;

use crate::db::Fresh;
use crate::on_both;

const NOW: &str = "2026-11-24T09:00:00+08:00";

/// The corpus of a parser.
fn corpus(of: &str) -> Vec<Vec<u8>> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/fuzz").join(of);
    let mut files: Vec<_> = std::fs::read_dir(&folder).expect("corpus").map(|e| e.expect("entry").path()).collect();
    files.sort();
    assert!(!files.is_empty(), "{}", folder.display());
    files.iter().map(|f| std::fs::read(f).expect("read")).collect()
}

/// One of `good`, damaged: cut off, bits flipped, a piece of another put in, a piece repeated or left out.
fn damaged(random: &mut fastrand::Rng, good: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = good[random.usize(..good.len())].clone();
    for _ in 0..random.usize(1..4) {
        let at = random.usize(..=bytes.len());
        match random.u8(..6) {
            0 => bytes.truncate(at),
            1 => {
                for _ in 0..random.usize(1..20) {
                    if !bytes.is_empty() {
                        let at = random.usize(..bytes.len());
                        bytes[at] ^= 1 << random.u8(..8);
                    }
                }
            }
            // a line of another: headers end up in bodies and the other way round
            2 => {
                let other = &good[random.usize(..good.len())];
                let lines: Vec<&[u8]> = other.split_inclusive(|b| *b == b'\n').collect();
                let line = lines[random.usize(..lines.len())].to_vec();
                let ends: Vec<usize> =
                    bytes.iter().enumerate().filter(|(_, b)| **b == b'\n').map(|(i, _)| i + 1).collect();
                let at = if ends.is_empty() { 0 } else { ends[random.usize(..ends.len())] };
                bytes.splice(at..at, line);
            }
            3 => {
                let end = (at + random.usize(..200)).min(bytes.len());
                bytes.drain(at..end);
            }
            4 => {
                let end = (at + random.usize(..200)).min(bytes.len());
                let piece = bytes[at..end].repeat(random.usize(1..8));
                bytes.splice(at..at, piece);
            }
            _ => {
                let rubbish: Vec<u8> = (0..random.usize(1..40)).map(|_| random.u8(..)).collect();
                bytes.splice(at..at, rubbish);
            }
        }
    }
    bytes
}

/// Calls `read` with the corpus and `n` damaged ones; none may take long.
fn each(of: &str, n: usize, mut read: impl FnMut(&[u8])) {
    let good = corpus(of);
    let mut random = fastrand::Rng::with_seed(20_261_124);
    let more: Vec<Vec<u8>> = (0..n).map(|_| damaged(&mut random, &good)).collect();
    for bytes in good.iter().chain(&more) {
        let started = Instant::now();
        read(bytes);
        assert!(started.elapsed() < Duration::from_secs(5), "slow: {}", String::from_utf8_lossy(bytes));
    }
}

fn webhook() -> Webhook {
    Webhook {
        name: "zabbix".into(),
        items: "/items".into(),
        key: "/id".into(),
        title: "/title".into(),
        starts_at: "/starts_at".into(),
        ..Webhook::default()
    }
}

fn now() -> Millis {
    parse_rfc3339(NOW).expect("instant")
}

#[test]
fn callbacks_messages_alerts_and_filters_are_read_or_refused() {
    let keys = Keys::new("QDG6eK", "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C", "corp").expect("keys");
    let (mut opened, mut read) = (0, 0);
    each("callback", 2_000, |bytes| {
        if let Ok(sealed) = message::ciphertext(bytes) {
            // signed as it should be, so that what is below the signature meets it too
            let signature = keys.signature("1", "n", &sealed);
            opened += 1;
            assert!(keys.open(&signature, "1", "n", &sealed).is_err(), "nobody sealed it");
        }
    });
    each("message", 2_000, |bytes| {
        let sealed = keys.seal(bytes, [7; 16]);
        let plain = keys.open(&keys.signature("1", "n", &sealed), "1", "n", &sealed).expect("ours");
        assert_eq!(plain.message, bytes);
        read += usize::from(matches!(message::read(bytes), Ok(Some(_))));
    });
    assert!(opened > 20 && read > 50, "{opened} {read}");
    let serve = Serve::default();
    each("alertmanager", 2_000, |bytes| {
        if let Ok(sent) = serde_json::from_slice::<Alertmanager>(bytes) {
            _ = sent.heard("am", &serve);
        }
    });
    each("webhook", 2_000, |bytes| {
        if let Ok(sent) = serde_json::from_slice(bytes) {
            _ = mapped(&sent, "zabbix", &webhook(), &serve, now());
        }
    });
    let mut understood = 0;
    each("filter", 2_000, |bytes| {
        let text = String::from_utf8_lossy(bytes);
        if let Ok(filter) = zhiban::text::filter::parse(&text) {
            understood += 1;
            _ = zhiban::text::words::tsquery(&filter.words());
        }
    });
    assert!(understood > 100, "{understood}");
    each("mail", 3_000, |bytes| _ = model::read(bytes).map(|mail| model::proven_tickets(&mail, "key")));
}

async fn count(fresh: &Fresh, sql: &str) -> i64 {
    fresh.store.row(sql, vec![], |r| r.get(0)).await.expect("count").expect("row")
}

on_both! {
    async fn each_of_a_thousand_damaged_mails_is_a_ticket_or_is_kept(fresh: Fresh) {
        let mut config = Config::default();
        config.serve.mails_per_sender = 1_000_000;
        let door = Door::system(fresh.store.clone(), Clock::manual(now()), config.into());
        let mailbox = Mailbox { name: "desk".into(), secret: Secret::new("key"), ..Mailbox::default() };
        let good = corpus("mail");
        let mut random = fastrand::Rng::with_seed(1);
        for _ in 0..1_000 {
            let mail = damaged(&mut random, &good);
            let before = (count(&fresh, "SELECT count(*) FROM arrival").await, count(&fresh, "SELECT count(*) FROM quarantine").await);
            take(&door, &mailbox, &mail).await.expect("taken");
            let after = (count(&fresh, "SELECT count(*) FROM arrival").await, count(&fresh, "SELECT count(*) FROM quarantine").await);
            let (arrived, held) = (after.0 - before.0, after.1 - before.1);
            // the same one again is where it was; nothing at all is nothing
            let known = mail.is_empty() || known(&fresh, &mail).await;
            assert!(arrived + held == 1 || known, "neither: {}", String::from_utf8_lossy(&mail));
        }
        let (tickets, kept) = (count(&fresh, "SELECT count(*) FROM ticket").await, count(&fresh, "SELECT count(*) FROM quarantine").await);
        assert!(tickets > 100 && kept > 50, "{tickets} tickets, {kept} in quarantine");
        let oldest = count(&fresh, "SELECT min(reported_at) FROM ticket").await;
        assert!(oldest > now() - zhiban::tickets::actions::OLDEST, "a date that nobody can believe is not believed");
        assert_eq!(zhiban::journal::verify(&fresh.store).await.expect("verify").first_broken, None);
    }

    async fn alerts_with_impossible_instants_hold_up_nobody(fresh: Fresh) {
        let door = Door::system(fresh.store.clone(), Clock::manual(now()), Arc::default());
        let started = Instant::now();
        for bytes in corpus("webhook") {
            let sent = serde_json::from_slice(&bytes).expect("JSON");
            let heard = mapped(&sent, "zabbix", &webhook(), &Serve::default(), now()).expect("understood");
            door.run(&heard).await.expect("heard");
        }
        for bytes in corpus("alertmanager") {
            let sent: Alertmanager = serde_json::from_slice(&bytes).expect("JSON");
            door.run(&sent.heard("am", &Serve::default()).expect("understood")).await.expect("heard");
        }
        assert!(started.elapsed() < Duration::from_secs(20), "{:?}", started.elapsed());
        let oldest = count(&fresh, "SELECT min(reported_at) FROM ticket").await;
        assert!(oldest > now() - zhiban::tickets::actions::OLDEST);
    }
}

/// Whether the mail is one that was taken before: its identity with its content, or its bytes in quarantine.
async fn known(fresh: &Fresh, mail: &[u8]) -> bool {
    let held = "SELECT count(*) FROM quarantine WHERE digest = $1";
    let digest = zhiban::intake::model::digest(mail);
    if fresh.store.row(held, zhiban::args![digest], |r| r.get::<i64>(0)).await.expect("count") > Some(0) {
        return true;
    }
    let Ok(read) = model::read(mail) else { return false };
    let arrived = "SELECT count(*) FROM arrival WHERE key = $1 AND digest = $2";
    let digest = zhiban::intake::model::digest(read.whole.as_bytes());
    fresh.store.row(arrived, zhiban::args![read.id, digest], |r| r.get::<i64>(0)).await.expect("count") > Some(0)
}
