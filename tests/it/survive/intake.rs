//! Intake that is killed, doubled, encrypted, and whose store goes away: the real program.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};

use super::postgres::Server;
use crate::program::{Home, block_on, eventually, pause};

const AWHILE: Duration = Duration::from_mins(1);

/// A `serve` that listens; killed when dropped.
struct Serve {
    child: Child,
    url: String,
}

impl Drop for Serve {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

fn serve(home: &Home, listen: &str) -> Serve {
    let mut child = home.command(&["serve", "--listen", listen]).stderr(Stdio::null()).spawn().expect("started");
    let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
    let url = lines.find_map(|line| {
        let line = line.ok()?;
        let from = line.find("http")?;
        Some(line[from..].split_whitespace().next()?.trim_end_matches([',', '.']).to_owned())
    });
    // what else it says must find a reader
    std::thread::spawn(move || lines.for_each(drop));
    Serve { child, url: url.expect("says where it listens") }
}

fn token(home: &Home) -> String {
    let made = home.json(&["token", "create", "--source", "oa", "--kind", "api"]);
    made["token"].as_str().expect("token").to_owned()
}

fn client() -> reqwest::Client {
    zhiban::net::http_client(Duration::from_secs(10)).expect("client")
}

async fn report(client: &reqwest::Client, url: &str, token: &str, key: &str) -> Option<i64> {
    let body = json!({"title": key, "reporter": {"id": "zhangmin"}});
    let sent =
        client.post(format!("{url}/api/v1/tickets")).bearer_auth(token).header("Idempotency-Key", key).json(&body);
    let answer = sent.send().await.ok()?;
    if !answer.status().is_success() {
        return None;
    }
    answer.json::<Value>().await.ok()?["id"].as_i64()
}

crate::both! {
    fn a_report_is_one_ticket_though_the_service_is_killed_again_and_again(home: Home) {
        let token = token(&home);
        let mut running = serve(&home, "127.0.0.1:0");
        let address = running.url.trim_start_matches("http://").to_owned();
        let told = Arc::new(Mutex::new(BTreeMap::<String, BTreeSet<i64>>::new()));
        let all = 120;
        let senders: Vec<_> = (0..4)
            .map(|sender| {
                let (url, token, told) = (running.url.clone(), token.clone(), told.clone());
                std::thread::spawn(move || block_on(async move {
                    let client = client();
                    for i in (sender..all).step_by(4) {
                        let key = format!("report-{i}");
                        // as senders do: again with the same key until it is taken, and once more for good measure
                        let mut answers = 0;
                        while answers < 2 {
                            match report(&client, &url, &token, &key).await {
                                Some(id) => {
                                    answers += 1;
                                    told.lock().expect("lock").entry(key.clone()).or_default().insert(id);
                                }
                                None => pause(Duration::from_millis(20)),
                            }
                        }
                    }
                }))
            })
            .collect();
        let mut random = fastrand::Rng::with_seed(7);
        let mut kills = 0;
        while !senders.iter().all(std::thread::JoinHandle::is_finished) && kills < 12 {
            pause(Duration::from_millis(random.u64(20..250)));
            running.child.kill().expect("killed");
            running.child.wait().expect("waited");
            kills += 1;
            running = serve(&home, &address);
        }
        for sender in senders {
            sender.join().expect("sent");
        }
        let told = told.lock().expect("lock");
        assert_eq!(told.len(), all);
        assert!(told.values().all(|ids| ids.len() == 1), "the same ticket whenever it is asked: {told:?}");
        let stored = home.json(&["ticket", "list", "--limit", "1000"]);
        let titles: Vec<&str> = stored.as_array().expect("array").iter().filter_map(|t| t["title"].as_str()).collect();
        assert_eq!(titles.len(), all, "exactly one each");
        assert_eq!(titles.iter().collect::<BTreeSet<_>>().len(), all);
        assert!(kills >= 3, "{kills} kills");
        println!("killed {kills} times");
        home.journal_rows();
    }
}

/// A stand-in for a messaging service: the texts it was sent.
fn stand_in() -> (String, Arc<Mutex<Vec<String>>>) {
    let got = Arc::new(Mutex::new(Vec::new()));
    let socket = std::net::TcpListener::bind("127.0.0.1:0").expect("bind");
    socket.set_nonblocking(true).expect("nonblocking");
    let url = format!("http://{}/", socket.local_addr().expect("address"));
    let texts = got.clone();
    std::thread::spawn(move || {
        block_on(async move {
            let take = move |body: String| async move {
                texts.lock().expect("lock").push(body);
                "{}"
            };
            let app = axum::Router::new().route("/", axum::routing::post(take));
            let socket = tokio::net::TcpListener::from_std(socket).expect("socket");
            axum::serve(socket, app).await.expect("serve");
        });
    });
    (url, got)
}

#[test]
fn of_two_services_one_is_killed_and_every_escalation_reaches_people_once() {
    let home = Home::postgres();
    let (hook, got) = stand_in();
    home.write(
        "config/zhiban/config.toml",
        format!(
            "[notify]\ndigest_over = 1000\n[[notify.channels]]\nname = \"sms\"\nkind = \"webhook\"\nurl = \"{hook}\"\n\
             per_minute = 0\nbody = '{{{{ text|tojson }}}}'\n\
             [notify.people]\nwang = {{ sms = \"1\" }}\n\
             [[oncall.escalation]]\nclock = \"response\"\npercent = 100\nto = [\"wang\"]\nchannel = \"sms\"\n"
        ),
    );
    home.json(&["store", "migrate"]);
    let mut first = serve(&home, "127.0.0.1:0");
    let second = serve(&home, "127.0.0.1:0");
    // overdue from the start: each calls somebody once
    let overdue = zhiban::clock::rfc3339(zhiban::clock::Clock::System.now() - 20 * zhiban::clock::DAY);
    let new = |n: usize| {
        let title = format!("ticket-{n:03}-");
        home.json(&[
            "ticket",
            "new",
            "--title",
            &title,
            "--scope",
            "company",
            "--severity",
            "urgent",
            "--reported-at",
            &overdue,
            "--late-reason",
            "test",
        ]);
    };
    let half = 12;
    (0..half).for_each(new);
    let tickets = |got: &[String]| -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for text in got {
            if let Some(at) = text.find("ticket-") {
                *counts.entry(text[at..at + 11].to_owned()).or_default() += 1;
            }
        }
        counts
    };
    eventually("the first calls", AWHILE, || (!got.lock().expect("lock").is_empty()).then_some(()));
    // while it works: it may be in the middle of anything
    first.child.kill().expect("killed");
    first.child.wait().expect("waited");
    (half..2 * half).for_each(new);
    eventually("everybody is called", AWHILE, || {
        pause(Duration::from_millis(100));
        (tickets(&got.lock().expect("lock")).len() == 2 * half).then_some(())
    });
    // nothing more comes
    pause(Duration::from_secs(3));
    let counts = tickets(&got.lock().expect("lock"));
    let doubled: usize = counts.values().map(|n| n - 1).sum();
    assert!(doubled <= 1, "only what was on its way when it was killed may come twice: {counts:?}");
    let outbox = home.json(&["outbox", "list", "--limit", "1000"]);
    assert_eq!(outbox.as_array().expect("array").len(), 2 * half, "one message each: {outbox}");
    drop(second);
}

fn healthz(url: &str) -> u16 {
    block_on(async { client().get(format!("{url}/healthz")).send().await.map_or(0, |a| a.status().as_u16()) })
}

#[test]
fn healthz_follows_the_store() {
    let server = Server::new();
    server.start();
    let home = Home::with(&server.url());
    let token = token(&home);
    let serve = serve(&home, "127.0.0.1:0");
    assert_eq!(healthz(&serve.url), 200);
    server.stop();
    eventually("it is told that the store is away", AWHILE, || (healthz(&serve.url) == 503).then_some(()));
    let sent = |key: &str| block_on(report(&client(), &serve.url, &token, key));
    assert_eq!(sent("while away"), None, "not taken, and said so");
    server.start();
    eventually("it is told that the store is back", AWHILE, || (healthz(&serve.url) == 200).then_some(()));
    eventually("reports are taken again", AWHILE, || sent("while away"));
    assert_eq!(home.json(&["ticket", "list"]).as_array().expect("array").len(), 1);
}

fn openssl(folder: &std::path::Path, args: &[&str]) {
    let out = Command::new("openssl").args(args).current_dir(folder).output().expect("openssl is installed");
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
}

#[test]
fn a_listener_with_a_certificate_and_what_is_wrong_with_one_is_named() {
    let home = Home::sqlite();
    home.write("tls/empty.pem", "");
    let folder = home.path("tls");
    let names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"];
    let make = |key: &str, certificate: &str| {
        let curve =
            ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"];
        openssl(&folder, &[&curve[..], &["-keyout", key, "-out", certificate], &names[..]].concat());
    };
    make("key.pem", "cert.pem");
    make("other.pem", "other-cert.pem");
    let at = |name: &str| folder.join(name).display().to_string();
    let configure = |certificate: &str, key: &str| {
        let text = format!("[serve]\ntls_certificate = \"{}\"\ntls_key = \"{}\"\n", at(certificate), at(key));
        home.write("config/zhiban/config.toml", text);
    };
    for (certificate, key, named) in [
        ("missing.pem", "key.pem", "missing.pem"),
        ("cert.pem", "missing.pem", "missing.pem"),
        ("empty.pem", "key.pem", "empty.pem"),
        ("key.pem", "key.pem", "key.pem"),
        ("cert.pem", "empty.pem", "empty.pem"),
        ("cert.pem", "other.pem", "other.pem"),
    ] {
        configure(certificate, key);
        let out = home.run(&["serve", "--listen", "127.0.0.1:0"]);
        assert_ne!(out.code, 0, "{certificate} {key}");
        assert!(out.stderr.contains(named), "{certificate} with {key}: {}", out.stderr);
    }
    configure("cert.pem", "key.pem");
    let serve = serve(&home, "127.0.0.1:0");
    assert!(serve.url.starts_with("https://"), "{}", serve.url);
    let curl = |ca: &str, url: &str| {
        let args = ["-sS", "-m", "20", "--noproxy", "*", "--cacert"];
        let out = Command::new("curl").args(args).args([&at(ca), &format!("{url}/healthz")]).output().expect("curl");
        String::from_utf8_lossy(&out.stdout).into_owned()
    };
    assert_eq!(curl("cert.pem", &serve.url), "ok\n");
    assert_eq!(curl("other-cert.pem", &serve.url), "", "a stranger's certificate is not it");
    assert_eq!(curl("cert.pem", &serve.url.replace("https", "http")), "", "nothing is said in the clear");
    // one who speaks no TLS and one who says nothing keep nobody waiting
    let address = serve.url.trim_start_matches("https://");
    let _silent: Vec<_> = (0..50).map(|_| std::net::TcpStream::connect(address).expect("connected")).collect();
    assert_eq!(curl("cert.pem", &serve.url), "ok\n");
}
