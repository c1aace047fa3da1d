//! The terminal: closed under the console, stalled, of any size, given back after a fault.

use std::process::Command;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::program::{Home, PROGRAM, pause};
use crate::pty::Pty;

const AT_ONCE: Duration = Duration::from_secs(2);
/// For the machine to notice what the program did at once.
const SLACK: Duration = Duration::from_secs(1);

/// What the terminal has to be told when it is given back.
fn given_back(raw: &[u8]) -> bool {
    let text = String::from_utf8_lossy(raw);
    let last = |what: &str| text.rfind(what);
    last("\x1b[?1049l") > last("\x1b[?1049h") && last("\x1b[?25h") > last("\x1b[?25l")
}

#[test]
fn the_first_start_shows_this_machine_and_q_leaves_at_once() {
    let home = Home::with("");
    let mut pty = Pty::open(&home, (120, 36), &[]);
    pty.wait_for("Health");
    pty.wait_for("sqlite");
    assert_eq!(pty.quit(), 0);
    assert!(given_back(&pty.raw()));
    assert!(home.path("data/zhiban/zhiban.db").exists());
}

#[test]
fn in_a_container_whose_session_was_begun_outside_it_starts_as_anywhere() {
    let home = Home::sqlite();
    let mut command = Command::new("setsid");
    home.settle(&mut command);
    command.args(["--ctty", "unshare", "--fork", "--pid", "--mount-proc", PROGRAM]);
    let mut pty = Pty::start(command, (100, 30));
    pty.wait_for("sqlite");
    assert_eq!(pty.quit(), 0);
}

#[test]
fn a_closed_terminal_ends_the_console() {
    for ignoring_hangup in [false, true] {
        let home = Home::sqlite();
        let mut pty = if ignoring_hangup {
            let mut command = Command::new("setsid");
            home.settle(&mut command);
            command.args(["--ctty", "sh", "-c", &format!("trap '' HUP; exec {PROGRAM}")]);
            Pty::start(command, (100, 30))
        } else {
            Pty::open(&home, (100, 30), &[])
        };
        pty.wait_for("sqlite");
        let closed = Instant::now();
        pty.hang_up();
        pty.ended(AT_ONCE + SLACK);
        assert!(closed.elapsed() < AT_ONCE + SLACK, "{ignoring_hangup}: {:?}", closed.elapsed());
    }
}

#[test]
fn a_signal_ends_it_and_the_terminal_is_given_back() {
    for signal in [Signal::TERM, Signal::HUP, Signal::INT] {
        let home = Home::sqlite();
        let mut pty = Pty::open(&home, (100, 30), &[]);
        pty.wait_for("sqlite");
        pty.signal(signal);
        assert_eq!(pty.ended(AT_ONCE + SLACK), 0);
        crate::program::eventually("the terminal given back", AT_ONCE, || given_back(&pty.raw()).then_some(()));
    }
}

#[test]
fn a_terminal_that_takes_nothing_does_not_hold_it() {
    let home = Home::sqlite();
    let mut pty = Pty::open(&home, (200, 50), &[]);
    pty.wait_for("sqlite");
    pty.stalled.store(true, Ordering::SeqCst);
    // full pictures until the terminal's buffer is full and the program hangs in its write
    for i in 0..40 {
        pty.resize(200 - i % 2, 50);
        pause(Duration::from_millis(20));
    }
    pty.signal(Signal::TERM);
    pty.ended(AT_ONCE + SLACK);
}

#[test]
fn any_size_and_any_number_of_changes() {
    let home = Home::sqlite();
    home.json(&["ticket", "new", "--title", "打印机无法打印"]);
    let mut pty = Pty::open(&home, (120, 36), &["--tab", "tickets"]);
    pty.wait_for("打印机");
    let mut random = fastrand::Rng::with_seed(7);
    for _ in 0..200 {
        pty.resize(random.u16(1..300), random.u16(1..100));
        if random.u8(..) < 40 {
            pty.keys(random.choice(["j", "k", "2", "1", "?", "\x1b", "/"]).expect("one"));
        }
    }
    for size in [(10, 3), (1, 1), (2, 40), (500, 1), (500, 200)] {
        pty.resize(size.0, size.1);
    }
    pty.resize(10, 3);
    pty.wait("the count of a small screen", |s| s.trim().chars().any(|c| c.is_ascii_digit()));
    pty.resize(500, 200);
    assert_eq!(pty.leave(), 0);
    let mut pty = Pty::open(&home, (10, 3), &["--tab", "tickets"]);
    pty.wait("the count of a small screen", |s| s.trim().chars().any(|c| c.is_ascii_digit()));
    for size in [(500, 200), (80, 24)] {
        pty.resize(size.0, size.1);
        pty.wait_for("打印机");
    }
    // a key that comes with a change of size may be read only with the next one
    assert_eq!(pty.leave(), 0);
}

/// Run by the next test in a terminal of its own, not by itself.
#[test]
#[ignore = "the child of the next test"]
fn child_that_panics() {
    zhiban::log::report_panics(&zhiban::config::Config::default());
    let fallen = std::panic::catch_unwind(|| {
        let mut screen = zhiban::tui::terminal::Screen::enter(true).expect("a terminal");
        screen
            .draw(|buffer, area| buffer.set_string(0, 0, format!("drawn {area}"), ratatui::style::Style::new()))
            .expect("drawn");
        panic!("hostile \x1b]52;c;AAAA\x07 name");
    });
    assert!(fallen.is_err());
    println!("told afterwards: {}", zhiban::log::fault());
}

#[test]
fn a_panic_gives_the_terminal_back_and_leaves_a_report() {
    let home = Home::sqlite();
    let mut command = Command::new("setsid");
    home.settle(&mut command);
    command.arg("--ctty").arg(std::env::current_exe().expect("this test"));
    command.args(["--exact", "survive::terminal::child_that_panics", "--ignored", "--nocapture"]);
    let mut pty = Pty::start(command, (100, 30));
    assert_eq!(pty.ended(Duration::from_secs(30)), 0, "{}", pty.screen());
    crate::program::eventually("what is told", AT_ONCE, || pty.screen().contains("told afterwards").then_some(()));
    assert!(given_back(&pty.raw()), "{}", pty.screen());
    assert!(!String::from_utf8_lossy(&pty.raw()).contains("52;c;AAAA"));
    let report = home.texts("state/zhiban");
    assert!(report.contains("hostile ␛]52") && report.contains("terminal.rs"), "{report}");
}

/// Commands of the configuration that are given the terminal.
const COMMANDS: &str = r#"
[[desk.command]]
name = "patient"
key = "b"
run = ["sh", "-c", "echo ticket $ZHIBAN_ID is waited for; exec sleep 600"]
"#;

#[test]
fn a_command_has_the_terminal_and_its_signals_and_gives_it_back() {
    let home = Home::sqlite();
    home.write("config/zhiban/config.toml", COMMANDS);
    _ = home.json(&["ticket", "new", "--title", "t"]);
    let mut pty = Pty::open(&home, (100, 30), &["--tab", "tickets", "--lang", "en"]);
    pty.wait_for("b patient");
    pty.keys("b");
    pty.wait_for("ticket 1 is waited for");
    // ctrl-z would leave a program behind that nobody could go on with
    pty.keys("\x1a");
    pause(Duration::from_millis(300));
    pty.keys("\x03");
    pty.wait_for("any key leads back");
    assert!(pty.screen().contains("ended by signal 2"), "{}", pty.screen());
    pty.keys("x");
    // the key that led back is no command, and what stopped the other program does not stop this one
    pty.wait("the console", |screen| screen.contains("b patient") && screen.contains("patient: ended by signal 2"));
    assert!(!pty.screen().contains("Solution"), "{}", pty.screen());
    assert_eq!(pty.quit(), 0);
    assert!(given_back(&pty.raw()));
}

#[test]
fn who_was_given_the_console_and_nothing_else_starts_no_other_program() {
    let home = Home::sqlite();
    home.write("config/zhiban/config.toml", COMMANDS);
    _ = home.json(&["ticket", "new", "--title", "t"]);
    let mut command = Command::new("setsid");
    home.settle(&mut command);
    command.env("SSH_CONNECTION", "192.0.2.1 1 192.0.2.2 22");
    command.args(["--ctty", PROGRAM, "--tab", "tickets", "--lang", "en"]);
    let mut pty = Pty::start(command, (100, 30));
    pty.wait_for("claim");
    pty.keys("b");
    pty.wait_for("no other programs are started from here");
    assert_eq!(pty.quit(), 0);
}
