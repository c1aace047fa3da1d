//! What every command promises: exit codes, errors as JSON, who may do what.

use std::process::{Command, Stdio};

use crate::program::{Home, finish};
use crate::pty::Pty;

/// Every command that changes something, on a store with ticket 1.
const CHANGES: &[&[&str]] = &[
    &["ticket", "new", "--title", "x"],
    &["ticket", "claim", "1"],
    &["ticket", "assign", "1", "root"],
    &["ticket", "reply", "1", "--text", "x"],
    &["ticket", "note", "1", "--text", "x"],
    &["ticket", "call", "1", "--with", "x"],
    &["ticket", "pause", "1", "--reason", "waiting_user", "--until", "2099-01-01T00:00:00Z"],
    &["ticket", "resume", "1"],
    &["ticket", "resolve", "1", "--cause", "x", "--solution", "x"],
    &["ticket", "reopen", "1"],
    &["ticket", "level", "1", "--scope", "company", "--severity", "urgent", "--reason", "x"],
    &["ticket", "merge", "1", "2"],
    &["ticket", "message", "1", "--from", "x", "--text", "x"],
    &["ticket", "excuse", "1", "--clock", "response", "--reason", "x"],
    &["ticket", "link", "1", "--kind", "host", "--subject", "x"],
    &["operator", "add", "x"],
    &["operator", "role", "root", "viewer"],
    &["operator", "remove", "root"],
    &["account", "decide", "A01:x", "freeze", "--reason", "x"],
    &["backup", "system", "add", "x", "--tool", "restic"],
];

crate::both! {
    fn exit_codes_and_errors_as_json(home: Home) {
        home.json(&["ticket", "new", "--title", "one"]);
        home.json(&["ticket", "new", "--title", "two"]);
        home.json(&["operator", "add", "li", "--role", "operator"]);
        home.json(&["operator", "add", "guest", "--role", "viewer"]);
        home.json(&["ticket", "claim", "1"]);
        let wrong = home.write("wrong.csv", "nothing,known\n1,2\n");
        let cases: &[(&[&str], i32, &str)] = &[
            (&["ticket", "claim", "1", "--as", "li"], 4, "root"),
            (&["ticket", "claim", "99"], 6, "99"),
            (&["ticket", "show", "99"], 6, "99"),
            (&["ticket", "explain", "99"], 6, "99"),
            (&["ticket", "merge", "1", "99"], 6, "99"),
            (&["host", "show", "nobody"], 6, "nobody"),
            (&["workflow", "stats", "nothing"], 6, "nothing"),
            (&["operator", "role", "nobody", "viewer"], 6, "nobody"),
            (&["operator", "remove", "nobody"], 6, "nobody"),
            (&["ticket", "new", "--title", "x", "--as", "nobody"], 6, "nobody"),
            (&["ticket", "new", "--title", "x", "--as", "guest"], 5, "operator"),
            (&["operator", "add", "x", "--as", "li"], 5, "admin"),
            (&["ticket", "new", "--title", "x", "--read-only"], 5, "read-only"),
            (&["agent", "--once", "--read-only"], 5, "read-only"),
            (&["operator", "remove", "root"], 2, "last admin"),
            (&["operator", "add", "li"], 2, "exists"),
            (&["operator", "add", "no spaces"], 2, "letters"),
            (&["ticket", "new", "--title", ""], 2, ""),
            (&["ticket", "new"], 2, "--title"),
            (&["ticket", "frobnicate"], 2, "frobnicate"),
            (&["ticket", "claim", "one"], 2, "one"),
            (&["ticket", "new", "--title", "x", "--scope", "galaxy"], 2, "galaxy"),
            (&["ticket", "new", "--title", "x", "--reported-at", "whenever"], 2, "whenever"),
            (&["ticket", "list", "--store", "mysql://x"], 2, "not a store"),
            (&["ticket", "list", "--config", "/nowhere.toml"], 2, "/nowhere.toml"),
            (&["journal", "list", "--subject", "ticket"], 2, "KIND:ID"),
            (&["account", "import", &wrong, "--system", "oa"], 2, "wrong.csv"),
            (&["account", "import", "/nowhere.csv", "--system", "oa"], 2, "/nowhere.csv"),
            (&["workflow", "import", &wrong], 2, "wrong.csv"),
            (&["workflow", "analyze", "/nowhere.xes"], 2, "/nowhere.xes"),
            (&["sla", "eval", "/nowhere.json"], 2, "/nowhere.json"),
            (&["ticket", "list", "--store", "sqlite:///proc/nowhere/z.db"], 3, "/proc/nowhere"),
            (&["ticket", "list", "--store", "postgres://x@127.0.0.1:9/z?sslmode=disable"], 3, "refused"),
        ];
        std::thread::scope(|scope| {
            for (args, code, what) in cases {
                let home = &home;
                scope.spawn(move || {
                    let text = home.run(args);
                    assert!(text.code == *code && text.stderr.contains(what), "{args:?} -> {code} {what}: {text:?}");
                    assert!(text.stdout.is_empty(), "errors go to standard error: {text:?}");
                    let json = home.run(&[args, &["--json"][..]].concat());
                    let error = json.error();
                    assert_eq!((json.code, error["exit_code"].as_i64()), (*code, Some(i64::from(*code))), "{args:?}");
                    assert!(error["error"].as_str().is_some_and(|e| e.contains(what)), "{args:?}: {error}");
                });
            }
        });
        let conflict = home.run(&["ticket", "claim", "1", "--as", "li", "--json"]).error();
        assert_eq!(conflict["owner"], "root");
        // a check that fails is 1, and what it found is on standard output
        let eval = home.write("cases.json", r#"{"cases": []}"#);
        assert!([0, 2].contains(&home.run(&["sla", "eval", &eval]).code));
        assert_eq!(home.run(&["--help"]).code, 0);
        assert_eq!(home.run(&["--version"]).code, 0);
        home.journal_rows();
    }

    fn nothing_changes_where_it_may_not(home: Home) {
        home.json(&["ticket", "new", "--title", "one"]);
        home.json(&["ticket", "new", "--title", "two"]);
        home.json(&["operator", "add", "guest", "--role", "viewer"]);
        let rows = home.journal_rows();
        std::thread::scope(|scope| {
            for args in CHANGES {
                let home = &home;
                scope.spawn(move || {
                    for how in [&["--read-only"][..], &["--as", "guest"]] {
                        let out = home.run(&[args, how].concat());
                        // decide looks its finding up first
                        let right = if args[0] == "account" { [5, 6] } else { [5, 5] };
                        assert!(right.contains(&out.code), "{args:?} {how:?}: {out:?}");
                    }
                });
            }
        });
        assert_eq!(home.journal_rows(), rows);
        // the same in the console and on the wall: no key does it
        for args in [&["--read-only", "--tab", "tickets"][..], &["wall"]] {
            let mut pty = Pty::open(&home, (120, 36), args);
            pty.wait("a screen", |s| s.contains("one") || s.contains("AT RISK") || s.contains("CRITICAL") || s.contains("QUIET"));
            for key in ["a", "r", "x\r", "i", "u", "e", "w", "m", "N"] {
                pty.keys(key);
            }
            pty.leave();
        }
        assert_eq!(home.journal_rows(), rows);
    }
}

/// The program as another user of this machine, where the tests may become one.
fn as_user(home: &Home, uid: u32, args: &[&str]) -> Option<crate::program::Out> {
    if !rustix::process::getuid().is_root() {
        return None;
    }
    let program = home.path("zhiban");
    if !program.exists() {
        std::fs::copy(crate::program::PROGRAM, &program).expect("copied");
    }
    let mut command = Command::new("setpriv");
    home.settle(&mut command);
    let uid = uid.to_string();
    command.args(["--reuid", &uid, "--regid", &uid, "--clear-groups"]).arg(program).args(args);
    command.stdin(Stdio::null());
    Some(finish(command))
}

#[test]
fn whoever_is_unknown_on_a_claimed_store_may_look() {
    let home = Home::postgres();
    home.json(&["ticket", "new", "--title", "one"]);
    let Some(list) = as_user(&home, 65_534, &["ticket", "list", "--json"]) else { return };
    assert_eq!(list.json().as_array().map(Vec::len), Some(1));
    let new = as_user(&home, 65_534, &["ticket", "new", "--title", "two"]).expect("as before");
    assert!(new.code == 5 && new.stderr.contains("you are viewer"), "{new:?}");
    // nor may they act as somebody else
    let new = as_user(&home, 65_534, &["ticket", "new", "--title", "two", "--as", "root"]).expect("as before");
    assert_eq!(new.code, 5, "{new:?}");
    home.json(&["operator", "add", "nobody", "--role", "operator"]);
    let new = as_user(&home, 65_534, &["ticket", "new", "--title", "two"]).expect("as before");
    assert_eq!(new.code, 0, "{new:?}");
}

#[test]
fn the_key_that_sshd_verified_says_who_it_is() {
    let home = Home::sqlite();
    home.json(&["ticket", "new", "--title", "one"]);
    // printed by ssh-keygen -lf for the key below
    let blob = "AAAAC3NzaC1lZDI1NTE5AAAAIGjzX1GnHPSqP0Ltv1qRHVjcrRIWL6DOSXEWUTPGOUXO";
    let print = {
        use base64::Engine as _;
        use sha2::Digest as _;
        let key = base64::engine::general_purpose::STANDARD.decode(blob).expect("base64");
        base64::engine::general_purpose::STANDARD_NO_PAD.encode(sha2::Sha256::digest(key))
    };
    home.json(&["operator", "add", "wang", "--role", "operator", "--key", &format!("SHA256:{print}")]);
    let auth = home.write("auth", format!("publickey ssh-ed25519 {blob}\n"));
    let with_key = |args: &[&str]| {
        let mut command = home.command(args);
        command.env("SSH_USER_AUTH", &auth);
        finish(command)
    };
    assert_eq!(with_key(&["ticket", "claim", "1"]).code, 0);
    let row = &home.json(&["journal", "list", "--limit", "1"])[0];
    assert_eq!(row["actor"], "wang");
    assert!(row["origin"].as_str().is_some_and(|o| o.contains(&format!("ssh-key SHA256:{print}"))), "{row}");
    // the role is the key's, though the OS user is root and an admin
    assert_eq!(with_key(&["operator", "add", "li"]).code, 5);
    // a key that nobody has falls back to the OS user, and the way is on record
    let other = home.write("auth2", "password\npublickey ssh-ed25519 AAAA\n");
    let mut command = home.command(&["ticket", "note", "1", "--text", "x"]);
    command.env("SSH_USER_AUTH", other);
    assert_eq!(finish(command).code, 0);
    let row = &home.json(&["journal", "list", "--limit", "1"])[0];
    assert_eq!((row["actor"].as_str(), row["origin"].as_str()), (Some("root"), Some("cli os-user")));
}

crate::both! {
    fn who_is_lowered_while_their_console_stands_open_can_do_no_more(home: Home) {
        home.json(&["ticket", "new", "--title", "one"]);
        home.json(&["operator", "add", "li", "--role", "operator"]);
        let mut pty = Pty::open(&home, (120, 36), &["--tab", "tickets", "--as", "li"]);
        pty.wait_for("one");
        home.json(&["operator", "role", "li", "viewer"]);
        pty.keys("a");
        pty.wait_for("not permitted");
        home.json(&["operator", "remove", "li"]);
        pty.keys("a");
        pty.wait_for("not permitted");
        assert_eq!(home.json(&["ticket", "show", "1"])["owner"], serde_json::Value::Null);
        assert_eq!(pty.quit(), 0);
    }
}
