//! Killed at any moment: nothing that was acknowledged is lost, and somebody else takes over.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::program::{Home, PROGRAM, eventually, pause};

/// Starts `ticket new` a thousand times and kills one in three at a random moment.
fn a_thousand_tickets_with_kills(home: &Home) {
    home.json(&["store", "migrate"]);
    // how long one takes here and now, alone: the kills fall anywhere within what it takes beside five others
    let alone = (0..5).map(|_| {
        let started = Instant::now();
        home.json(&["ticket", "new", "--title", "first"]);
        started.elapsed().as_micros() as u64
    });
    let alone = alone.min().expect("five");
    let next = AtomicUsize::new(0);
    let acknowledged = Mutex::new(BTreeSet::new());
    let killed = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for worker in 0..6 {
            let (next, acknowledged, killed) = (&next, &acknowledged, &killed);
            scope.spawn(move || {
                let mut random = fastrand::Rng::with_seed(worker);
                loop {
                    let i = next.fetch_add(1, Ordering::SeqCst);
                    if i >= 1_000 {
                        return;
                    }
                    let title = format!("ticket {i}");
                    let mut command = home.command(&["ticket", "new", "--title", &title, "--json"]);
                    let mut child = command.spawn().expect("started");
                    let mut out = child.stdout.take().expect("piped");
                    if i % 3 == 0 {
                        pause(Duration::from_micros(random.u64(0..alone * 2)));
                        _ = child.kill();
                    }
                    let code = child.wait().expect("waited").code();
                    let mut text = String::new();
                    _ = std::io::Read::read_to_string(&mut out, &mut text);
                    match serde_json::from_str::<Value>(&text) {
                        Ok(value) => {
                            assert!(
                                acknowledged.lock().expect("set").insert((value["id"].as_i64().expect("id"), title))
                            );
                        }
                        Err(_) => {
                            assert_eq!(code, None, "{text}");
                            killed.fetch_add(1, Ordering::SeqCst);
                        }
                    }
                }
            });
        }
    });
    let acknowledged = acknowledged.into_inner().expect("set");
    let killed = killed.into_inner();
    assert!(acknowledged.len() > 600 && killed > 50, "{} acknowledged, {killed} killed before", acknowledged.len());
    let all = home.json(&["ticket", "list", "--limit", "10000"]);
    let stored: BTreeSet<(i64, String)> = all
        .as_array()
        .expect("array")
        .iter()
        .map(|t| (t["id"].as_i64().expect("id"), t["title"].as_str().expect("title").to_owned()))
        .collect();
    let lost: Vec<_> = acknowledged.difference(&stored).collect();
    assert!(lost.is_empty(), "acknowledged and lost: {lost:?}");
    assert!(home.journal_rows() > stored.len() as i64, "a row a ticket and the claim of the store");
}

crate::both! {
    fn nothing_acknowledged_is_lost(home: Home) {
        a_thousand_tickets_with_kills(&home);
    }

    fn fifty_processes_claim_and_each_ticket_has_one_owner(home: Home) {
        let me = home.json(&["ticket", "new", "--title", "the first"]);
        assert_eq!(me["id"], 1);
        let names: Vec<String> = (0..8).map(|i| format!("op{i}")).collect();
        for name in &names {
            home.json(&["operator", "add", name, "--role", "operator"]);
        }
        for i in 0..5 {
            home.json(&["ticket", "new", "--title", &format!("wanted {i}")]);
        }
        // everybody wants each of them, at once
        for id in 2..=6 {
            let id = format!("{id}");
            let children: Vec<_> = names
                .iter()
                .map(|name| home.command(&["ticket", "claim", &id, "--as", name, "--json"]).spawn().expect("started"))
                .collect();
            let mut codes: Vec<i32> =
                children.into_iter().map(|c| c.wait_with_output().expect("out").status.code().unwrap_or(-1)).collect();
            codes.sort_unstable();
            assert_eq!(codes, [vec![0], vec![4; names.len() - 1]].concat(), "ticket {id}");
        }
        home.journal_rows();
    }

    fn another_process_takes_over_within_fifteen_seconds(home: Home) {
        home.json(&["store", "migrate"]);
        let serve = || {
            let mut child = home.command(&["serve", "--listen", "127.0.0.1:0"]).stderr(Stdio::null()).spawn().expect("started");
            let mut line = String::new();
            BufReader::new(child.stdout.as_mut().expect("piped")).read_line(&mut line).expect("says that it serves");
            child
        };
        let holder = || crate::program::block_on(async {
            let store = zhiban::store::Store::open(&home.store.parse().expect("url")).await.expect("open");
            let holder = store.row("SELECT holder FROM lease", vec![], |r| r.get::<String>(0)).await.expect("lease");
            store.close().await;
            holder
        });
        let mut first = serve();
        let of = |pid: u32| move |h: String| h.starts_with(&format!("{pid}-")).then_some(());
        eventually("the first holds it", Duration::from_secs(20), || holder().and_then(of(first.id())));
        let mut second = serve();
        first.kill().expect("killed");
        first.wait().expect("waited");
        let killed = Instant::now();
        eventually("the second holds it", Duration::from_secs(16), || {
            pause(Duration::from_millis(100));
            holder().and_then(of(second.id()))
        });
        println!("taken over after {:?}", killed.elapsed());
        assert!(killed.elapsed() < Duration::from_secs(15), "{:?}", killed.elapsed());
        // one that ends properly leaves it at once
        rustix::process::kill_process(rustix::process::Pid::from_child(&second), rustix::process::Signal::TERM).expect("signal");
        assert_eq!(crate::program::ended(&mut second, Duration::from_secs(5)), 0);
        assert_eq!(holder(), None);
    }

    fn six_processes_start_at_once_on_an_empty_store(home: Home) {
        let children: Vec<_> = (0..6)
            .map(|i| home.command(&["ticket", "new", "--title", &format!("t{i}"), "--json"]).spawn().expect("started"))
            .collect();
        for child in children {
            let out = child.wait_with_output().expect("out");
            assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
        }
        assert_eq!(home.json(&["ticket", "list"]).as_array().expect("array").len(), 6);
        assert_eq!(home.json(&["operator", "list"]).as_array().expect("array").len(), 1);
        home.journal_rows();
    }
}

#[test]
fn a_console_that_is_killed_leaves_a_store_that_opens() {
    let home = Home::sqlite();
    for _ in 0..3 {
        let mut pty = crate::pty::Pty::open(&home, (100, 30), &[]);
        pty.wait_for("sqlite");
        pty.child.kill().expect("killed");
        pty.child.wait().expect("waited");
    }
    assert_eq!(home.journal_rows(), 0);
    assert!(Command::new(PROGRAM).arg("--version").output().expect("runs").status.success());
}
