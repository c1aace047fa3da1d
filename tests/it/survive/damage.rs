//! A SQLite file in trouble: one sentence with the cure, the right exit code, nothing lost, no panic.

use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use rusqlite::Connection;

use crate::program::{Home, Out, PROGRAM, block_on, eventually, finish};
use crate::pty::Pty;

/// One sentence on standard error that says `what`, in JSON too.
fn one_sentence(out: &Out, code: i32, what: &str) {
    assert_eq!(out.code, code, "{out:?}");
    assert_eq!(out.stderr.lines().count(), 1, "{out:?}");
    assert!(out.stderr.contains(what), "{what}: {out:?}");
    assert!(!out.stderr.contains("panicked") && out.stdout.is_empty(), "{out:?}");
}

fn filled() -> Home {
    let home = Home::sqlite();
    for i in 0..60 {
        home.json(&["ticket", "new", "--title", &format!("before {i}"), "--body", &"x".repeat(2_000)]);
    }
    home
}

fn connect(home: &Home) -> Connection {
    Connection::open(home.path("z.db")).expect("opens")
}

#[test]
fn a_file_locked_by_another_writer() {
    let home = Home::sqlite();
    home.json(&["ticket", "new", "--title", "before"]);
    let mut pty = Pty::open(&home, (120, 30), &["--tab", "tickets"]);
    pty.wait_for("before");
    {
        let other = connect(&home);
        other.execute_batch("BEGIN IMMEDIATE").expect("locked");
        pty.keys("a");
        let started = Instant::now();
        let out = home.run(&["ticket", "new", "--title", "after"]);
        one_sentence(&out, 3, "locked by another process; nothing was changed, try again");
        assert!(started.elapsed() < Duration::from_secs(12), "{:?}", started.elapsed());
        // reading goes on, and the console says the same as the command
        assert_eq!(home.json(&["ticket", "list"]).as_array().map(Vec::len), Some(1));
        pty.wait_for("locked by another process");
        other.execute_batch("ROLLBACK").expect("released");
    }
    pty.keys("a");
    pty.wait_for("root");
    home.json(&["ticket", "new", "--title", "after"]);
    home.journal_rows();
    assert_eq!(pty.quit(), 0);
}

/// The program as somebody who owns nothing here; as itself where the tests do not run as root.
fn as_nobody(home: &Home, args: &[&str]) -> Out {
    if !rustix::process::getuid().is_root() {
        return home.run(args);
    }
    let program = home.path("zhiban");
    if !program.exists() {
        std::fs::copy(PROGRAM, &program).expect("copied");
    }
    let mut command = Command::new("setpriv");
    home.settle(&mut command);
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(program).args(args);
    finish(command)
}

#[test]
fn a_file_or_folder_that_may_only_be_read() {
    let home = Home::sqlite();
    let mode = |path: &Path, mode| std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("mode");
    std::fs::create_dir(home.path("in")).expect("folder");
    let file = home.path("in/z.db");
    let store = format!("sqlite://{}", file.display());
    assert_eq!(home.run(&["ticket", "new", "--title", "before", "--store", &store]).code, 0);
    let add = ["operator", "add", "nobody", "--role", "admin", "--store", &store];
    assert_eq!(home.run(&add).code, 0);
    mode(&file, 0o444);
    mode(&home.path("in"), 0o555);
    let new = as_nobody(&home, &["ticket", "new", "--title", "after", "--store", &store]);
    one_sentence(&new, 3, "may only be read: check the permissions of the file and its folder");
    // a folder in which no store can be made
    let nowhere = format!("sqlite://{}", home.path("in/deeper/z.db").display());
    let out = as_nobody(&home, &["ticket", "list", "--store", &nowhere]);
    one_sentence(&out, 3, "cannot be reached");
    assert!(out.stderr.contains("deeper"), "{out:?}");
    mode(&home.path("in"), 0o755);
    mode(&file, 0o644);
    let list = home.run(&["ticket", "list", "--json", "--store", &store]).json();
    assert_eq!(list.as_array().map(Vec::len), Some(1));
}

/// A file system of sixteen megabytes; gone when dropped.
struct Small<'a>(&'a Path);

impl Drop for Small<'_> {
    fn drop(&mut self) {
        _ = Command::new("umount").arg(self.0).status();
    }
}

/// Fills the disk with ballast, however it counts, but for half a megabyte.
fn leave_half_a_megabyte(disk: &Path) {
    let mut ballast = std::fs::File::create(disk.join("ballast")).expect("ballast");
    let block = [1u8; 4096];
    let mut written = 0;
    while ballast.write_all(&block).is_ok() {
        written += block.len() as u64;
    }
    ballast.set_len(written - 500_000).expect("shortened");
}

#[test]
fn a_disk_that_is_full() {
    let home = Home::sqlite();
    let disk = home.path("disk");
    std::fs::create_dir(&disk).expect("folder");
    let store = format!("sqlite://{}", disk.join("z.db").display());
    let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=16m", "tmpfs"]).arg(&disk).output();
    let mounted = mounted.is_ok_and(|out| out.status.success());
    let _small = mounted.then(|| Small(&disk));
    let body = "x".repeat(90_000);
    let new = |i: usize| {
        let title = format!("t{i}");
        let args = ["ticket", "new", "--title", &title, "--body", &body, "--store", &store];
        if mounted {
            return home.run(&args);
        }
        // where nothing may be mounted a limit on the size of files (6 MB: sh counts 512 bytes) stands for the disk
        let mut command = Command::new("sh");
        home.settle(&mut command);
        command.args(["-c", "trap '' XFSZ; ulimit -f 12000; exec \"$0\" \"$@\"", PROGRAM]).args(args);
        finish(command)
    };
    let mut kept = 0;
    let refused = loop {
        let out = new(kept);
        if out.code != 0 {
            break out;
        }
        kept += 1;
        assert!(kept < 200, "the disk never fills");
        if mounted && kept == 2 {
            leave_half_a_megabyte(&disk);
        }
    };
    assert!(kept > 1, "{refused:?}");
    one_sentence(&refused, 3, if mounted { "no space left" } else { "disk" });
    // room again: everything acknowledged is there
    if mounted {
        std::fs::remove_file(disk.join("ballast")).expect("room again");
    }
    let list = home.run(&["ticket", "list", "--json", "--limit", "1000", "--store", &store]).json();
    assert_eq!(list.as_array().map(Vec::len), Some(kept));
    assert_eq!(home.run(&["journal", "verify", "--json", "--store", &store]).json()["ok"], true);
    let again = home.run(&["ticket", "new", "--title", "after", "--store", &store]);
    assert_eq!(again.code, 0, "{again:?}");
}

#[test]
fn a_damaged_file() {
    let flip = |at: usize, len: usize| {
        let home = filled();
        let path = home.path("z.db");
        connect(&home).execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").expect("all in one file");
        let mut bytes = std::fs::read(&path).expect("read");
        assert!(bytes.len() > 100_000);
        let (at, len) = if at == usize::MAX { (bytes.len() / 4, bytes.len() / 2) } else { (at, len) };
        bytes[at..at + len].iter_mut().for_each(|b| *b = !*b);
        std::fs::write(&path, bytes).expect("written");
        home
    };
    // the header
    let home = flip(0, 64);
    for args in
        [&["ticket", "list"][..], &["ticket", "new", "--title", "x"], &["journal", "verify"], &["store", "info"]]
    {
        let out = home.run(args);
        one_sentence(&out, 3, "restore it from a backup or name another with --store");
    }
    let mut pty = Pty::open(&home, (120, 30), &[]);
    assert_eq!(pty.ended(Duration::from_secs(20)), 3);
    eventually("the sentence", Duration::from_secs(2), || pty.screen().contains("restore it from").then_some(()));
    // the middle: whatever still can be read may be; what cannot is told, never a panic
    let home = flip(usize::MAX, 0);
    let mut told = 0;
    for args in [
        &["ticket", "list", "--limit", "1000"][..],
        &["ticket", "list", "--search", "before"],
        &["ticket", "new", "--title", "x"],
        &["journal", "verify"],
        &["journal", "export"],
        &["host", "list"],
    ] {
        let out = home.run(args);
        assert!([0, 1, 3].contains(&out.code) && !out.stderr.contains("panicked"), "{out:?}");
        if out.code == 3 {
            one_sentence(&Out { stdout: String::new(), ..out }, 3, "");
            told += 1;
        }
    }
    assert!(told > 0, "damage in the middle of the file was seen");
    // the console opens and says so, or says so and ends
    let mut pty = Pty::open(&home, (200, 30), &["--tab", "tickets"]);
    eventually("the console or its sentence", Duration::from_secs(20), || {
        let screen = pty.screen();
        (screen.contains("Health") || screen.contains("restore it from")).then_some(())
    });
    assert!([0, 3].contains(&pty.leave()), "{}", pty.screen());
    // something else altogether
    let home = Home::sqlite();
    home.write("z.db", "this is no database, it is a letter to my aunt\n".repeat(100));
    one_sentence(&home.run(&["ticket", "list"]), 3, "not a zhiban store");
    let home = Home::sqlite();
    connect(&home).execute_batch("CREATE TABLE aunts(name TEXT)").expect("a table");
    one_sentence(&home.run(&["ticket", "list"]), 3, "other tables");
}

crate::both! {
    fn a_store_from_a_newer_version(home: Home) {
        home.json(&["store", "migrate"]);
        block_on(async {
            let store = zhiban::store::Store::open(&home.store.parse().expect("url")).await.expect("open");
            let mut tx = store.begin().await.expect("begin");
            let sql = tx.pick(
                "INSERT INTO _sqlx_migrations(version, description, success, checksum, execution_time) VALUES (9999, 'x', 1, x'00', 0)",
                "INSERT INTO _sqlx_migrations(version, description, success, checksum, execution_time) VALUES (9999, 'x', true, '\\x00', 0)",
            ).to_owned();
            tx.exec(&sql, vec![]).await.expect("from the future");
            tx.commit().await.expect("commit");
            store.close().await;
        });
        for args in [&["ticket", "list"][..], &["ticket", "new", "--title", "x"], &["serve"], &["agent", "--once"]] {
            one_sentence(&home.run(args), 3, "install the newer zhiban");
        }
        let mut pty = Pty::open(&home, (100, 30), &[]);
        assert_eq!(pty.ended(Duration::from_secs(20)), 3);
    }
}
