//! Text from outside, full of everything that could drive a terminal: nothing of it reaches one.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::json;
use zhiban::health::model::{Disk, Process, Sample};
use zhiban::store::Store;

use crate::program::{Home, block_on, eventually};
use crate::pty::Pty;

/// What no text from outside may bring to a terminal: controls, C1, bidi, invisible characters.
fn is_harmful(c: char) -> bool {
    let hidden = ['\u{ad}', '\u{61c}', '\u{180e}', '\u{feff}'];
    (c.is_control() && c != '\n')
        || hidden.contains(&c)
        || ('\u{200b}'..='\u{200f}').contains(&c)
        || ('\u{2028}'..='\u{202e}').contains(&c)
        || ('\u{2060}'..='\u{206f}').contains(&c)
        || ('\u{e0000}'..='\u{e007f}').contains(&c)
}

/// A field named `name`, which is how it is found again, followed by the worst there is; `long` adds 10 000 characters.
fn hostile(name: &str, long: bool) -> String {
    let worst = "\u{1b}]52;c;ZXZpbA==\u{7}\u{1b}]0;owned\u{1b}\\\u{1b}[2J\u{1b}[31m\u{1b}[?1049l\u{1b}P\u{1b}c\u{9b}31m\u{9d}0;x\u{9c}\u{90}\u{202e}txt.exe\
        \u{2066}\u{2069}\u{200b}\u{200f}\u{feff}\u{e0041}\u{ad}\u{7f}\u{8}\r\u{b}\u{c}\u{1b}[5n\u{5}e\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}";
    let tail = if long { "审x".repeat(4_900) } else { String::new() };
    format!("{name}{worst}{tail}")
}

/// As a field of a CSV file.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "\"\""))
}

/// Every sequence that reached the terminal, and every character drawn.
#[derive(Default)]
struct Audit {
    sequences: BTreeSet<String>,
    wrong: BTreeSet<String>,
}

impl vte::Perform for Audit {
    fn print(&mut self, c: char) {
        if is_harmful(c) {
            self.wrong.insert(format!("drawn {c:?}"));
        }
    }
    fn execute(&mut self, byte: u8) {
        if !matches!(byte, b'\r' | b'\n') {
            self.wrong.insert(format!("control {byte:#04x}"));
        }
    }
    fn osc_dispatch(&mut self, parts: &[&[u8]], _bell: bool) {
        self.wrong.insert(format!("OSC {:?}", parts.iter().map(|p| String::from_utf8_lossy(p)).collect::<Vec<_>>()));
    }
    fn hook(&mut self, _: &vte::Params, _: &[u8], _: bool, c: char) {
        self.wrong.insert(format!("DCS {c}"));
    }
    fn esc_dispatch(&mut self, between: &[u8], _: bool, byte: u8) {
        self.wrong.insert(format!("ESC {between:?} {}", char::from(byte)));
    }
    fn csi_dispatch(&mut self, params: &vte::Params, between: &[u8], _: bool, c: char) {
        let params: Vec<String> =
            params.iter().map(|p| p.iter().map(u16::to_string).collect::<Vec<_>>().join(":")).collect();
        let (between, params) = (String::from_utf8_lossy(between), params.join(";"));
        // our own: cursor moves, colours, the modes of the screen
        let ours = match (between.as_ref(), c) {
            ("", 'H' | 'G' | 'C' | 'm') => true,
            ("", 'J') => params == "2",
            ("?", 'h' | 'l') => {
                ["25", "1049", "2004", "2026", "1000", "1002", "1003", "1006", "1015"].contains(&params.as_str())
            }
            _ => false,
        };
        if !ours {
            self.wrong.insert(format!("CSI {between}{params}{c}"));
        }
        self.sequences.insert(format!("{between}{c}"));
    }
}

fn audit(what: &str, raw: &[u8]) {
    let mut audit = Audit::default();
    vte::Parser::new().advance(&mut audit, raw);
    assert!(audit.wrong.is_empty(), "{what}: {:?}", audit.wrong);
    assert!(audit.sequences.contains("m") && audit.sequences.contains("H"), "{what}: something was drawn");
}

async fn samples(url: &str) {
    let store = Store::open(&url.parse().expect("url")).await.expect("open");
    #[expect(clippy::disallowed_methods, reason = "the program under test reads the clock of the machine")]
    let now = chrono::Utc::now().timestamp_millis();
    for long in [false, true] {
        let sample = Sample {
            host: hostile(if long { "zz-host-long" } else { "aa-host" }, long),
            at: now,
            cpu: 99.5,
            cores: vec![99.0, 100.0],
            mem_total: 100,
            mem_used: 97,
            disks: vec![Disk { mount: hostile("/mount", long), total: 100, used: 99, ..Disk::default() }],
            processes: vec![Process { name: hostile("process", long), cpu: 50.0, ..Process::default() }],
            ..Sample::default()
        };
        zhiban::health::store::add(&store, &[sample], 10_000).await.expect("stored");
    }
    store.close().await;
}

/// A store whose every text field is hostile.
fn filled(home: &Home) {
    let h = |name: &str| hostile(name, false);
    for long in [true, false] {
        let f = |name: &str| hostile(name, long);
        home.json(&[
            "ticket",
            "new",
            "--title",
            &f("title"),
            "--body",
            &f("body\nsecond"),
            "--from",
            &f("reporter"),
            "--channel",
            &f("channel"),
            "--intake-key",
            &f("key"),
            "--severity",
            "urgent",
            "--scope",
            "company",
        ]);
    }
    for args in [
        &["ticket", "reply", "2", "--text", &h("reply")][..],
        &["ticket", "note", "2", "--text", &hostile("note", true)],
        &["ticket", "call", "2", "--with", &h("callee")],
        &["ticket", "message", "2", "--from", &h("writer"), "--text", &h("message")],
        &[
            "ticket",
            "link",
            "2",
            "--kind",
            "host",
            "--subject",
            &h("subject"),
            "--snapshot",
            &json!({"x": h("snapshot")}).to_string(),
        ],
        &["ticket", "level", "2", "--scope", "department", "--severity", "important", "--reason", &h("reason")],
        &["ticket", "assign", "2", &h("owner")],
        &["ticket", "resolve", "2", "--cause", &h("cause"), "--solution", &h("solution")],
        &["ticket", "reopen", "2"],
        &["operator", "add", "li", "--key", &h("SHA256:")],
    ] {
        let out = home.run(args);
        assert!([0, 2].contains(&out.code), "{args:?}: {out:?}");
    }
    block_on(samples(&home.store));
    // workflows
    let mut log = String::from("case_id,activity,timestamp,resource\n");
    for case in 0..3 {
        for (i, activity) in ["submit", "approve", "archive"].iter().enumerate() {
            log += &format!(
                "{},{},2026-11-2{case}T0{i}:00:00Z,{}\n",
                quoted(&h(&format!("case{case}"))),
                quoted(&hostile(activity, case == 0 && i == 1)),
                quoted(&h("resource"))
            );
        }
    }
    let csv = home.write("log.csv", &log);
    home.json(&["workflow", "import", &csv, "--name", &h("flow")]);
    // accounts and the roster
    let cell = |name: &str| quoted(&h(name));
    let mut accounts = String::from(
        "account,person,name,department,position,roles,permissions,enabled,created_at,last_login_at,kind,owner\n",
    );
    let mut people = String::from("person,name,department,position,status,hired_on,leaves_on\n");
    for i in 0..4 {
        accounts += &format!(
            "{},{},{},{},{},{},{},true,2020-01-01T09:00:00+08:00,2020-02-01T09:00:00+08:00,person,{}\n",
            cell(&format!("account{i}")),
            cell(&format!("person{}", i / 2)),
            quoted(&hostile("name", i == 0)),
            cell("department"),
            cell("position"),
            cell("admin"),
            cell("permission"),
            cell("owner")
        );
        people += &format!(
            "{},{},{},{},left,2019-01-01,2020-06-01\n",
            cell(&format!("person{i}")),
            cell("name"),
            cell("department"),
            cell("position")
        );
    }
    let (accounts, people) = (home.write("accounts.csv", accounts), home.write("people.csv", people));
    home.json(&["account", "import", &accounts, "--system", &h("directory")]);
    home.json(&["account", "hr", &people]);
    // backups
    let system = "oa-db";
    let add = home.run(&["backup", "system", "add", system, "--tool", "restic", "--repository", "/repo"]);
    assert_eq!(add.code, 0, "{add:?}");
    let snapshots = json!([{
        "time": "2026-11-23T02:00:00Z", "tree": "46879383", "paths": [h("/srv")], "hostname": h("hostname"), "username": h("user"),
        "tags": [h("tag"), "weekly-full"], "program_version": h("restic 0.19.1"), "id": "bb238ca585c75b", "short_id": h("bb238ca5"),
        "summary": {"backup_start": "2026-11-23T02:00:00Z", "backup_end": "2026-11-23T02:05:00Z", "files_new": 1, "data_added": 10,
            "total_files_processed": 1, "total_bytes_processed": 10}
    }]);
    let file = home.write("snapshots.json", snapshots.to_string());
    let out = home.run(&["backup", "import", "restic", &file, "--system", system]);
    assert!([0, 2].contains(&out.code), "{out:?}");
}

#[test]
fn nothing_harmful_reaches_a_terminal_a_pipe_or_a_log() {
    let home = Home::sqlite();
    home.write("config/zhiban/config.toml", "[log]\nlevel = \"trace\"\n");
    filled(&home);
    let flow = hostile("flow", false);
    let host = hostile("aa-host", false);
    let commands: &[&[&str]] = &[
        &["ticket", "list"],
        &["ticket", "list", "--search", "title"],
        &["ticket", "show", "1"],
        &["ticket", "show", "2"],
        &["ticket", "explain", "2"],
        &["ticket", "claim", "1", "--as", "li"],
        &["host", "list"],
        &["host", "show", &host],
        &["host", "show", "\u{1b}[2Jnobody\u{202e}"],
        &["workflow", "list"],
        &["workflow", "stats", &flow],
        &["workflow", "stats", "\u{9b}2J"],
        &["workflow", "analyze", "/no\u{1b}[2J/where.csv"],
        &["account", "audit"],
        &["account", "instructions"],
        &["backup", "status"],
        &["operator", "list"],
        &["journal", "list"],
        &["journal", "export"],
        &["journal", "verify"],
        &["store", "info"],
        &["ticket", "new", "--title", "x", "--scope", "\u{1b}[2J\u{202e}"],
        &["\u{1b}]52;c;ZXZpbA==\u{7}"],
        &["ticket", "list", "--store", "mysql://\u{1b}[2J\u{202e}"],
        &["ticket", "list", "--store", "sqlite:///proc/\u{1b}[2J\u{202e}/x"],
        &["config", "show"],
    ];
    std::thread::scope(|scope| {
        for args in commands {
            let home = &home;
            scope.spawn(move || {
                for json in [false, true] {
                    for lang in ["zh", "en"] {
                        let mut all = args.to_vec();
                        all.extend(["--lang", lang]);
                        if json {
                            all.push("--json");
                        }
                        let out = home.run(&all);
                        for text in [&out.stdout, &out.stderr] {
                            let found: BTreeSet<char> = text.chars().filter(|c| is_harmful(*c)).collect();
                            assert!(found.is_empty(), "{args:?} json {json}: {found:?}");
                        }
                    }
                }
            });
        }
    });
    // every tab, every detail, in both languages, wide and narrow
    for (lang, size) in [("zh", (200, 50)), ("en", (80, 24))] {
        for (tab, shown) in [
            ("health", "aa-host"),
            ("tickets", "title"),
            ("workflows", "flow"),
            ("accounts", "account"),
            ("backups", "oa-db"),
        ] {
            let mut pty = Pty::open(&home, size, &["--tab", tab, "--lang", lang]);
            pty.wait_for(shown);
            for key in ["\r", "l", "E", "j", "\r", "E", "l", "j", "p", "?", "@", "/", "o", "i", "e"] {
                pty.keys(key);
                crate::program::pause(Duration::from_millis(40));
                if matches!(key, "E" | "?" | "@" | "/" | "o" | "i" | "e") {
                    pty.keys("\u{1b}");
                    crate::program::pause(Duration::from_millis(40));
                }
            }
            pty.leave();
            audit(&format!("{tab} {lang}"), &pty.raw());
        }
        let mut pty = Pty::open(&home, size, &["wall", "--lang", lang]);
        pty.wait("the wall", |screen| screen.contains("██"));
        eventually("the end", Duration::from_secs(10), || {
            pty.keys("q");
            crate::program::pause(Duration::from_millis(30));
            pty.child.try_wait().expect("waited")
        });
        audit(&format!("wall {lang}"), &pty.raw());
    }
    let log = home.texts("state");
    let found: BTreeSet<char> = log.chars().filter(|c| is_harmful(*c)).collect();
    assert!(!log.is_empty() && found.is_empty(), "in the log: {found:?}");
}

#[test]
fn what_is_pasted_is_cleaned_and_what_is_copied_travels_encoded() {
    let home = Home::sqlite();
    home.json(&["ticket", "new", "--title", &hostile("title", false)]);
    let mut pty = Pty::open(&home, (120, 36), &["--tab", "tickets"]);
    pty.wait_for("title");
    pty.keys("i");
    pty.wait_for("enter send");
    pty.keys("\u{1b}[200~pasted \u{9b}31m\u{202e}gpj.exe\u{7}\u{1b}[201~");
    pty.wait_for("pasted");
    pty.keys("\r");
    pty.wait("sent", |s| !s.contains("enter send"));
    pty.leave();
    audit("pasted", &pty.raw());
    let shown = home.run(&["ticket", "show", "1"]).stdout;
    assert!(shown.contains("pasted") && !shown.chars().any(is_harmful), "{shown}");
    // copying sends one sequence, ours, with everything encoded
    let mut pty = Pty::open(&home, (120, 36), &["--tab", "tickets"]);
    pty.wait_for("title");
    pty.keys("Y");
    pty.wait_for("copied");
    pty.leave();
    let raw = String::from_utf8_lossy(&pty.raw()).into_owned();
    let sent: Vec<&str> = raw.split("\u{1b}]").skip(1).collect();
    assert_eq!(sent.len(), 1, "{sent:?}");
    let payload = sent[0].strip_prefix("52;c;").and_then(|s| s.split('\u{7}').next()).expect("OSC 52");
    use base64::Engine as _;
    let copied = base64::engine::general_purpose::STANDARD.decode(payload).expect("base64");
    assert!(String::from_utf8_lossy(&copied).contains("title"));
}
