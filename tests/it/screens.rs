//! What the console looks like, cell by cell, and what of it reaches a terminal.
//!
//! `ZHIBAN_BLESS=1 cargo test screens` writes anew what is compared: the screens in `tests/screens` and the table of keys
//! in README.md. Look at the difference before it is committed.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use ratatui::buffer::Buffer;
use zhiban::action::Role as Needs;
use zhiban::clock::{Clock, SECOND};
use zhiban::console::testing::Driver;
use zhiban::health::model::Sample;
use zhiban::locale::{self, Lang};
use zhiban::tickets::actions::New;
use zhiban::tui::testing::lines;
use zhiban::tui::theme::Depth;

use crate::console::{NOW, console};
use crate::db::{Db, fresh};

/// Compares `now` with what was kept in `file`, or keeps it.
fn kept(file: &Path, now: &str) {
    if std::env::var_os("ZHIBAN_BLESS").is_some() {
        std::fs::create_dir_all(file.parent().expect("folder")).expect("folder");
        return std::fs::write(file, now).expect("kept");
    }
    let before = std::fs::read_to_string(file).unwrap_or_default();
    for (i, (was, is)) in before.lines().zip(now.lines()).enumerate() {
        assert_eq!(was, is, "{}:{}: ZHIBAN_BLESS=1 keeps the new one", file.display(), i + 1);
    }
    assert_eq!(before.lines().count(), now.lines().count(), "{}: ZHIBAN_BLESS=1 keeps the new one", file.display());
}

/// The look of every cell as a letter, and what the letters mean.
fn looks(buf: &Buffer) -> String {
    let mut letters: BTreeMap<String, char> = BTreeMap::new();
    let mut out = String::new();
    for y in 0..buf.area.height {
        for x in 0..buf.area.width {
            let style = buf[(x, y)].style();
            let colour = |c: Option<_>| c.map_or_else(String::new, |c: ratatui::style::Color| c.to_string());
            let look = format!("{} on {} {:?}", colour(style.fg), colour(style.bg), style.add_modifier);
            let next = char::from(b'a' + letters.len() as u8);
            out.push(*letters.entry(look).or_insert(next));
        }
        out.push('\n');
    }
    let mut legend: Vec<_> = letters.into_iter().map(|(look, letter)| (letter, look)).collect();
    legend.sort_unstable();
    for (letter, look) in legend {
        _ = writeln!(out, "{letter} = {look}");
    }
    out
}

#[tokio::test]
async fn screens_look_as_they_were_looked_at() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/screens");
    for lang in [Lang::En, Lang::Zh] {
        for (w, h) in [(120, 40), (80, 24), (40, 10)] {
            let mut out = String::new();
            // a list with a range begun; a form being typed; the palette
            for script in ["j v j", "esc r \"审批 ok\" tab \"+4h\"", "esc : \"t\""] {
                let (mut d, _, _s) = console(false, false).await;
                d.size = (w, h);
                d.keys(script).await;
                for (i, (name, theme, depth)) in
                    [("rgb", "dark", Depth::TrueColor), ("16", "dark", Depth::Ansi16), ("mono", "mono", Depth::Mono)]
                        .into_iter()
                        .enumerate()
                {
                    d.theme = (theme, depth);
                    let buf = locale::with(lang, || d.buffer());
                    if i == 0 {
                        _ = writeln!(out, "== {script}\n{}", lines(&buf).join("\n"));
                    }
                    _ = writeln!(out, "-- {name}\n{}", looks(&buf));
                }
            }
            let lang = if lang == Lang::En { "en" } else { "zh" };
            kept(&folder.join(format!("{w}x{h}-{lang}.txt")), &out);
        }
    }
}

#[test]
fn the_readme_lists_the_keys_as_they_are_bound() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let readme = std::fs::read_to_string(&file).expect("README.md");
    let (begin, end) = ("<!-- keys -->\n", "<!-- end of keys -->");
    let (head, rest) = readme.split_once(begin).expect("the mark of the keys");
    let (_, tail) = rest.split_once(end).expect("the mark of their end");
    let table = locale::with(Lang::En, || zhiban::console::key_table(&zhiban::config::Config::default().into()));
    let now = format!("{head}{begin}{table}{end}{tail}");
    // the whole check asks for it; while keys are being added in several places at once it would only be in the way
    if std::env::var_os("ZHIBAN_TEST_README").is_some() || std::env::var_os("ZHIBAN_BLESS").is_some() {
        kept(&file, &now);
    }
}

/// Takes what a terminal would: letters, and of sequences only those that place and colour.
#[derive(Default)]
struct Strict {
    printed: usize,
    wrong: Vec<String>,
}

impl vte::Perform for Strict {
    fn print(&mut self, c: char) {
        self.printed += 1;
        let hidden = matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}');
        if hidden || c.is_control() {
            self.wrong.push(format!("printed {c:?}"));
        }
    }
    fn execute(&mut self, byte: u8) {
        self.wrong.push(format!("control {byte:#x}"));
    }
    fn csi_dispatch(&mut self, _: &vte::Params, intermediates: &[u8], _: bool, action: char) {
        if !intermediates.is_empty() || !['H', 'G', 'C', 'm'].contains(&action) {
            self.wrong.push(format!("CSI {intermediates:?} {action}"));
        }
    }
    fn osc_dispatch(&mut self, parts: &[&[u8]], _: bool) {
        self.wrong.push(format!("OSC {parts:?}"));
    }
    fn esc_dispatch(&mut self, _: &[u8], _: bool, byte: u8) {
        self.wrong.push(format!("ESC {byte:#x}"));
    }
    fn hook(&mut self, _: &vte::Params, _: &[u8], _: bool, action: char) {
        self.wrong.push(format!("DCS {action}"));
    }
}

/// The bytes with which `buf` is drawn on an empty screen.
fn bytes(buf: &Buffer) -> Vec<u8> {
    let mut out = Vec::new();
    zhiban::tui::wire::put(&mut out, Buffer::empty(buf.area).diff_iter(buf));
    out
}

fn hostile(random: &mut fastrand::Rng) -> String {
    const PIECES: [&str; 22] = [
        "\u{1b}[2J",
        "\u{1b}]52;c;eA==\u{7}",
        "\u{1b}P1$r\u{1b}\\",
        "\u{9b}31m",
        "\u{9d}0;x\u{9c}",
        "\r",
        "\n",
        "\t",
        "\u{8}",
        "\u{7f}",
        "\u{0}",
        "\u{202e}",
        "\u{2066}",
        "\u{200b}",
        "\u{feff}",
        "\u{e0041}",
        "审批",
        "👩‍👩‍👧",
        "e\u{301}\u{301}\u{301}",
        "a",
        "…",
        "x y",
    ];
    (0..random.usize(1..40)).map(|_| PIECES[random.usize(..PIECES.len())]).collect()
}

#[tokio::test]
async fn whatever_a_text_holds_only_our_own_sequences_reach_the_terminal() {
    let mut random = fastrand::Rng::with_seed(7);
    for round in 0..4 {
        let store = fresh(Db::Sqlite).await;
        let clock = Clock::manual(NOW);
        let door = store.door("wang", Needs::Admin, &clock);
        let mut text = || hostile(&mut random).replace('\0', "");
        for i in 0..4 {
            let new = New {
                title: format!("t{}", text()),
                body: text(),
                scope: "company".into(),
                severity: ["urgent", "general"][i % 2].into(),
                channel: "phone".into(),
                reporter: text(),
                ..New::default()
            };
            // what is refused cannot be shown
            _ = door.run(&new).await;
            let sample = Sample { host: format!("h{}", text()), at: NOW - SECOND, cpu: 99.0, ..Sample::default() };
            _ = zhiban::health::store::add(&store.store, &[sample], 10 * SECOND).await;
        }
        for wall in [None, Some(20 * SECOND)] {
            let mut d = Driver::new(zhiban::console::all_tabs(door.config(), "wang"), Some(door.clone()), NOW, wall);
            d.settle().await;
            d.app.load_rest(NOW);
            d.settle().await;
            let mut scripts: Vec<String> = vec![String::new()];
            for tab in 1..=5 {
                scripts.push(tab.to_string());
                scripts.extend(
                    ["j k space v", "E", "esc enter", "esc ?", "esc :", "esc r", "esc ;", "esc @", "esc /"]
                        .map(String::from),
                );
            }
            for script in scripts {
                d.keys(&script).await;
                if ["esc r", "esc /", "esc :"].contains(&script.as_str()) {
                    d.update(zhiban::console::Msg::Paste(text()));
                }
                for (size, ascii) in [((120, 36), false), ((80, 24), true), ((30, 8), false)] {
                    (d.size, d.ascii) = (size, ascii);
                    let mut strict = Strict::default();
                    vte::Parser::new().advance(&mut strict, &bytes(&d.buffer()));
                    assert!(strict.wrong.is_empty(), "round {round}, `{script}`: {:?}\n{}", strict.wrong, d.screen());
                    assert!(strict.printed > 0);
                }
            }
        }
    }
}
