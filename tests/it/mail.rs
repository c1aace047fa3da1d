//! Mail in, by a real IMAP server (dovecot) on a loopback port; its Maildir is where mails are put.

use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use zhiban::action::{Door, Role};
use zhiban::clock::{Clock, parse_rfc3339};
use zhiban::config::{Config, Mailbox, Secret};
use zhiban::intake::mail::jobs::visit;
use zhiban::intake::store as intake;
use zhiban::notify::model::{mail_id, marker};
use zhiban::tickets::store as tickets;

use crate::db::Fresh;
use crate::on_both;

/// The user whom mails belong to: dovecot serves none of the system's own.
const NOBODY: u32 = 65_534;

struct Dovecot {
    server: std::process::Child,
    folder: tempfile::TempDir,
    port: u16,
}

impl Drop for Dovecot {
    fn drop(&mut self) {
        // by its own signal: it ends the processes it started
        let id = rustix::process::Pid::from_child(&self.server);
        _ = rustix::process::kill_process(id, rustix::process::Signal::TERM);
        _ = self.server.wait();
    }
}

impl Dovecot {
    async fn start() -> Self {
        let folder = tempfile::Builder::new().prefix("zbd").tempdir_in("/tmp").expect("folder");
        let root = folder.path().display().to_string();
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).expect("mode");
        let port = std::net::TcpListener::bind("127.0.0.1:0").expect("bind").local_addr().expect("address").port();
        let config = format!(
            "base_dir = {root}/run\nlog_path = {root}/log\nprotocols = imap\nlisten = 127.0.0.1\nssl = no\n\
             disable_plaintext_auth = no\nmail_location = maildir:{root}/mail\n\
             passdb {{\n driver = static\n args = password=pass\n}}\n\
             userdb {{\n driver = static\n args = uid={NOBODY} gid={NOBODY} home={root}\n}}\n\
             service imap-login {{\n inet_listener imap {{\n port = {port}\n }}\n inet_listener imaps {{\n port = 0\n }}\n}}\n\
             service stats {{\n client_limit = 100\n}}\n"
        );
        let file = folder.path().join("dovecot.conf");
        std::fs::write(&file, config).expect("configuration");
        for part in ["mail", "mail/new", "mail/cur", "mail/tmp"] {
            let path = folder.path().join(part);
            std::fs::create_dir_all(&path).expect("folder");
            chown(&path, Some(NOBODY), Some(NOBODY)).expect("owner (the IMAP tests run as root)");
        }
        let server = std::process::Command::new("/usr/sbin/dovecot")
            .arg("-F")
            .arg("-c")
            .arg(&file)
            .stderr(std::process::Stdio::null())
            .spawn()
            .expect("dovecot-imapd is installed");
        let dovecot = Self { server, folder, port };
        let deadline = Instant::now() + Duration::from_secs(30);
        while tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_err() {
            let log = std::fs::read_to_string(dovecot.folder.path().join("log")).unwrap_or_default();
            assert!(Instant::now() < deadline, "dovecot does not answer: {log}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        dovecot
    }

    fn mailbox(&self) -> Mailbox {
        Mailbox {
            name: "desk".into(),
            host: "127.0.0.1".into(),
            port: self.port,
            tls: "none".into(),
            username: "desk".into(),
            password: Secret::new("pass"),
            secret: Secret::new("key"),
            ..Mailbox::default()
        }
    }

    fn put(&self, name: &str, mail: &[u8]) {
        let file: PathBuf = self.folder.path().join("mail/new").join(name);
        std::fs::write(&file, mail).expect("mail");
        chown(&file, Some(NOBODY), Some(NOBODY)).expect("owner");
    }
}

fn mail(id: &str, from: &str, subject: &str, more: &str, body: &str) -> Vec<u8> {
    format!(
        "From: {from}\r\nTo: desk@oa.example\r\nMessage-ID: {id}\r\nSubject: {subject}\r\nDate: Tue, 24 Nov 2026 08:59:00 \
         +0800\r\nContent-Type: text/plain; charset=utf-8\r\n{more}\r\n{body}\r\n"
    )
    .into_bytes()
}

fn door(fresh: &Fresh) -> Door {
    let clock = Clock::manual(parse_rfc3339("2026-11-24T09:00:00+08:00").expect("instant"));
    let config =
        Config { serve: zhiban::config::Serve { mails_per_sender: 5, ..Default::default() }, ..Config::default() };
    Door::system(fresh.store.clone(), clock, config.into())
}

async fn said(fresh: &Fresh, ticket: i64) -> Vec<String> {
    let past = tickets::happenings(&fresh.store, ticket).await.expect("past");
    let text = |h: &zhiban::tickets::model::Happening| h.data["text"].as_str().unwrap_or_default().to_owned();
    past.iter().filter(|h| h.kind == "user_message").map(text).collect()
}

async fn count(fresh: &Fresh, table: &str) -> i64 {
    let sql = format!("SELECT count(*) FROM {table}");
    fresh.store.row(&sql, vec![], |r| r.get(0)).await.expect("count").expect("row")
}

on_both! {
    async fn a_mail_becomes_a_ticket_and_answers_find_their_way(fresh: Fresh) {
        let server = Dovecot::start().await;
        let (door, mailbox) = (door(&fresh), server.mailbox());
        let zhang = "=?UTF-8?B?5byg5pWP?= <zhangmin@oa.example>";
        server.put("1", &mail("<m1@oa.example>", zhang, "Re: 报销单打不开", "", "打不开"));
        let read = async || visit(&door, &mailbox, Duration::ZERO).await.expect("visit");
        read().await;
        read().await;
        let first = tickets::get(&fresh.store, 1).await.expect("get").expect("ticket");
        assert_eq!((first.title.as_str(), first.reporter.as_str(), first.channel.as_str()), ("报销单打不开", "张敏", "mail"));
        // by our own identity, by theirs, by the marker, by the number in the subject
        let own = format!("In-Reply-To: {}\r\n", mail_id("key", "oa.example", 1, 9));
        server.put("2", &mail("<m2@oa.example>", "other@oa.example", "x", &own, "一"));
        server.put("3", &mail("<m3@oa.example>", zhang, "x", "References: <m0@x> <m1@oa.example>\r\n", "二"));
        server.put("4", &mail("<m4@oa.example>", zhang, "x", "", &format!("三\r\n> {}", marker("key", 1))));
        server.put("5", &mail("<m5@oa.example>", zhang, "答复: [OA#1] x", "", "四"));
        // who has nothing to do with the ticket cannot write to it by its number, nor by an identity made up
        server.put("6", &mail("<m6@oa.example>", "eve@oa.example", "[OA#1] x", "", "五"));
        let made_up = format!("In-Reply-To: {}\r\n", mail_id("guess", "oa.example", 1, 9));
        server.put("7", &mail("<m7@oa.example>", "eve@oa.example", "y", &made_up, "六"));
        // the same mail again
        server.put("8", &mail("<m1@oa.example>", zhang, "Re: 报销单打不开", "", "打不开"));
        read().await;
        let all = said(&fresh, 1).await;
        assert_eq!(all.len(), 4, "{all:?}");
        assert!(all[2].starts_with("三"));
        assert_eq!(count(&fresh, "ticket").await, 3);
        assert_eq!(zhiban::journal::verify(&fresh.store).await.expect("verify").first_broken, None);
    }

    async fn loops_bombs_and_rubbish_are_kept_and_make_no_ticket(fresh: Fresh) {
        let server = Dovecot::start().await;
        let (door, mailbox) = (door(&fresh), server.mailbox());
        server.put("1", &mail("<a1@x>", "a@x.example", "Out of office", "Auto-Submitted: auto-replied\r\n", "away"));
        server.put("2", &mail(&mail_id("key", "oa.example", 1, 1), "desk@oa.example", "ours", "", "x"));
        server.put("3", b"no headers at all");
        for i in 0..9 {
            server.put(&format!("b{i}"), &mail(&format!("<b{i}@x>"), "bomb@x.example", "boom", "", "x"));
        }
        visit(&door, &mailbox, Duration::ZERO).await.expect("visit");
        assert_eq!(count(&fresh, "ticket").await, 5, "as many as one may send");
        let held = intake::quarantine(&fresh.store, false, 99).await.expect("quarantine");
        assert_eq!(held.len(), 3 + 4);
        // one of them was meant after all
        let away = held.iter().find(|h| h.reason.contains("auto-replied")).expect("held");
        let operator = fresh.door("li", Role::Operator, door.clock());
        operator.run(&zhiban::intake::quarantine::Retry { id: away.id }).await.expect("retry");
        assert_eq!(count(&fresh, "ticket").await, 6);
    }
}

#[tokio::test]
async fn files_are_kept_and_new_mail_is_heard_while_waiting() {
    let fresh = crate::db::fresh(crate::db::Db::Sqlite).await;
    let server = Dovecot::start().await;
    let (door, mailbox) = (door(&fresh), server.mailbox());
    let waiting = {
        let (door, mailbox) = (door.clone(), mailbox.clone());
        tokio::spawn(async move { visit(&door, &mailbox, Duration::from_secs(4)).await })
    };
    // it may come before or while the mailbox is waited on: either way it is read
    let parts = "From: a@x.example\r\nMessage-ID: <f1@x>\r\nSubject: with a file\r\nMIME-Version: 1.0\r\n\
        Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nsee there\r\n--b\r\n\
        Content-Type: image/png; name=a.png\r\nContent-Disposition: attachment; filename=\"../a.png\"\r\n\
        Content-Transfer-Encoding: base64\r\n\r\niVBORw0KGgo=\r\n--b--\r\n";
    server.put("1", parts.as_bytes());
    waiting.await.expect("task").expect("visit");
    let name: String = fresh
        .store
        .row("SELECT name FROM attachment WHERE ticket_id = 1", vec![], |r| r.get(0))
        .await
        .expect("attachment")
        .expect("row");
    assert_eq!(name, "../a.png", "kept as it was sent, never used as a path");
    let wrong = Mailbox { password: Secret::new("wrong-secret"), ..mailbox };
    let refused = visit(&door, &wrong, Duration::ZERO).await.expect_err("refused");
    assert!(!refused.contains("wrong-secret"), "{refused}");
}
