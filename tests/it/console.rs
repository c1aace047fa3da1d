//! The console without a terminal: keys in, screen out.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use zhiban::action::{Action, ActionError, Apply, BoxFuture, Done, Role as Needs};
use zhiban::clock::{Clock, HOUR, MINUTE, Millis, SECOND};
use zhiban::console::tab::{
    Attention, Confirm, Effect, Field, Form, Listing, Load, Offers, Pick, Rows, Snapshot, Tab, WallFacts, WallProblem,
};
use zhiban::console::testing::Driver;
use zhiban::console::{Mouse, Msg};
use zhiban::locale::{self, Lang};
use zhiban::store::feed::News;
use zhiban::tui::command::Command;
use zhiban::tui::paint::Brush;
use zhiban::tui::theme::{Depth, Role};

use crate::db::{Db, fresh};

/// 2026-11-24 14:30 in Shanghai.
pub const NOW: Millis = 1_795_501_800_000;

const COMMANDS: &[Command] = &[
    Command { name: "reply", keys: &["r"], doc: || "answer it".into(), mutates: true },
    Command { name: "drop", keys: &["D"], doc: || "drop it".into(), mutates: false },
    Command { name: "pick", keys: &["O"], doc: || "sort by".into(), mutates: false },
    Command { name: "all", keys: &["S"], doc: || "say all".into(), mutates: true },
    Command { name: "never", keys: &["z"], doc: || "cannot".into(), mutates: false },
];

/// An action that succeeds or not, as it is told.
#[derive(Debug, Clone)]
struct Reply(String);

impl Action for Reply {
    fn verb(&self) -> &'static str {
        "thing.reply"
    }
    fn needs(&self) -> Needs {
        Needs::Operator
    }
    fn apply<'a>(&'a self, _cx: &'a mut Apply<'_>) -> BoxFuture<'a, Result<Done, ActionError>> {
        Box::pin(async move {
            if self.0.contains("fail") {
                return Err(ActionError::Invalid("the thing refuses".into()));
            }
            Ok(Done::new("thing", 1, format!("said {}", self.0)).undo(Reply("nothing".into())))
        })
    }
}

/// Rows whose order the test sets from outside.
struct Things {
    rows: Vec<&'static str>,
    next: Arc<Mutex<Result<Vec<&'static str>, String>>>,
    loads: Arc<AtomicUsize>,
    place: Rows<&'static str>,
    problems: Arc<Mutex<Vec<WallProblem>>>,
    loaded: bool,
    ran: Arc<Mutex<Vec<String>>>,
}

impl Tab for Things {
    fn name(&self) -> String {
        "Things".into()
    }
    fn key(&self) -> &'static str {
        "things"
    }
    fn commands(&self) -> &'static [Command] {
        COMMANDS
    }
    fn topics(&self) -> &'static [&'static str] {
        &["thing"]
    }
    fn load(&mut self, _now: Millis) -> Load {
        self.loads.fetch_add(1, Ordering::SeqCst);
        let next = self.next.lock().expect("next").clone();
        Box::new(move |_| Box::pin(async move { next.map(|rows| Box::new(rows) as Snapshot) }))
    }
    fn arrived(&mut self, snapshot: Snapshot, now: Millis) {
        let rows = *snapshot.downcast::<Vec<&'static str>>().expect("rows");
        self.rows = self.place.take(rows, |r| *r, now);
        self.loaded = true;
    }
    fn is_loaded(&self) -> bool {
        self.loaded
    }
    fn run(&mut self, command: &str, _now: Millis) -> Vec<Effect> {
        self.ran.lock().expect("ran").push(command.into());
        self.place.go(command, self.rows.len());
        match command {
            "all" => {
                let said = |row: &&str| Arc::new(Reply((*row).to_owned())) as Arc<dyn Action>;
                vec![Effect::Act(self.place.chosen().iter().map(said).collect())]
            }
            "reply" => {
                let fields = vec![Field::long("text".into(), ""), Field::time("until".into(), "", true)];
                let submit = Box::new(|v: &[String]| match v[0].as_str() {
                    "" => Err("say something".into()),
                    text => Ok(vec![Effect::Act(vec![Arc::new(Reply(format!("{text}@{}", v[1]))) as Arc<dyn Action>])]),
                });
                let form = Form::new("Reply #1".into(), fields, submit);
                vec![Effect::Form(form.preview(Some(Box::new(|v, _| vec![format!("preview {}", v[0].len())]))))]
            }
            "drop" => vec![Effect::Confirm(Confirm {
                title: "Drop #1?".into(),
                lines: vec!["it cannot come back".into()],
                yes: vec![Effect::Say("dropped".into())],
            })],
            "pick" => vec![Effect::Pick(Pick {
                title: "Sort by".into(),
                items: vec![("a".into(), "age".into()), ("n".into(), "name".into())],
                then: Box::new(|v| vec![Effect::Copy(v.to_owned())]),
            })],
            _ => vec![],
        }
    }
    fn disabled(&self, command: &str) -> Option<String> {
        (command == "never").then(|| "only on Sundays".into())
    }
    fn search(&mut self, text: &str) -> Vec<Effect> {
        vec![Effect::Say(format!("searched {text}"))]
    }
    fn explain(&self, _now: Millis) -> Option<(String, Vec<String>)> {
        Some(("Why".into(), (0..80).map(|i| format!("because {i}")).collect()))
    }
    fn attention(&self, _now: Millis) -> Option<Attention> {
        Some(Attention { count: 3, role: Role::Warn })
    }
    fn wall(&self, _now: Millis) -> WallFacts {
        WallFacts {
            problems: self.problems.lock().expect("problems").clone(),
            next_breach: Some((NOW + 31 * MINUTE, "#7 general".into())),
            lines: vec!["things 3".into()],
        }
    }
    fn wall_strip(&self, _now: Millis) -> Vec<Role> {
        vec![Role::Critical, Role::Dim, Role::Dim]
    }
    fn wall_line(&self, _now: Millis) -> Option<(String, Role)> {
        Some(("last night is safe".into(), Role::Ok))
    }
    fn list(&mut self) -> Option<&mut dyn Listing> {
        Some(&mut self.place)
    }
    fn offers(&self) -> Offers {
        Offers { marks: true, faults: true, preview: true, orders: &[|| "age".into(), || "name".into()] }
    }
    fn relist(&mut self, now: Millis) {
        self.rows = ["one", "two", "three"].into_iter().filter(|r| !self.place.look.faults || *r == "two").collect();
        if self.place.look.order == 1 {
            self.rows.sort_unstable();
        }
        let rows = std::mem::take(&mut self.rows);
        self.rows = self.place.take(rows, |r| *r, now);
    }
    fn draw(&self, brush: &Brush<'_>, buf: &mut Buffer, area: Rect, _now: Millis) {
        for (row, y) in self.rows.iter().zip(area.top()..area.bottom()) {
            brush.text(buf, area.x + 1, y, area.width, row, Role::Text);
        }
        let at = self.place.at as u16;
        brush.select(buf, Rect::new(area.x, area.y + at, area.width, 1));
    }
    fn wake(&self, _now: Millis) -> Option<Millis> {
        None
    }
}

pub struct Strings {
    next: Arc<Mutex<Result<Vec<&'static str>, String>>>,
    loads: Arc<AtomicUsize>,
    problems: Arc<Mutex<Vec<WallProblem>>>,
    ran: Arc<Mutex<Vec<String>>>,
}

pub async fn console(wall: bool, read_only: bool) -> (Driver, Strings, crate::db::Fresh) {
    let strings = Strings {
        next: Arc::new(Mutex::new(Ok(vec!["one", "two", "three"]))),
        loads: Arc::default(),
        problems: Arc::default(),
        ran: Arc::default(),
    };
    let thing = || Things {
        rows: vec![],
        next: strings.next.clone(),
        loads: strings.loads.clone(),
        place: Rows::default(),
        problems: strings.problems.clone(),
        loaded: false,
        ran: strings.ran.clone(),
    };
    let store = fresh(Db::Sqlite).await;
    let door = store.door("wang", Needs::Operator, &Clock::manual(NOW));
    let door = if read_only {
        zhiban::action::Door::new(
            door.store().clone(),
            door.clock().clone(),
            door.config().clone(),
            door.actor().clone(),
            true,
        )
    } else {
        door
    };
    let mut driver =
        Driver::new(vec![Box::new(thing()), Box::new(thing())], Some(door), NOW, wall.then_some(20 * SECOND));
    driver.settle().await;
    let now = driver.clock.now();
    driver.app.load_rest(now);
    driver.settle().await;
    (driver, strings, store)
}

/// The screen must show every one of `parts`.
fn shows(driver: &mut Driver, parts: &[&str]) {
    let screen = driver.screen();
    for part in parts {
        assert!(screen.contains(part), "`{part}` is not on the screen:\n{screen}");
    }
}

fn lacks(driver: &mut Driver, part: &str) {
    let screen = driver.screen();
    assert!(!screen.contains(part), "`{part}` is on the screen:\n{screen}");
}

#[tokio::test]
async fn the_header_names_tabs_operator_store_and_time_and_the_digits_switch() {
    let (mut d, _, _s) = console(false, false).await;
    d.update(Msg::Latency(3.4));
    shows(&mut d, &["值班 zhiban", "1 Things", "▲3", "wang", "sqlite 5ms", "● 14:30"]);
    d.keys("2").await;
    assert!(d.is_dirty());
    d.size = (80, 24);
    shows(&mut d, &["1 Things", "2 Things", "14:30"]);
    d.update(Msg::Mouse(Mouse::Click(8, 0)));
    d.update(Msg::Mouse(Mouse::Down));
    shows(&mut d, &["one"]);
}

#[tokio::test]
async fn the_footer_shows_the_keys_that_work_now_and_the_others_say_why_not() {
    let (mut d, _, _s) = console(false, false).await;
    shows(&mut d, &["r answer it", "D drop it", "? all keys", ": commands"]);
    lacks(&mut d, "z cannot");
    d.keys("z").await;
    shows(&mut d, &["only on Sundays"]);
    d.keys("Q").await;
    shows(&mut d, &["Q: no such key here"]);
}

#[tokio::test]
async fn a_sequence_shows_how_it_goes_on() {
    let (mut d, strings, _s) = console(false, false).await;
    d.keys("G g").await;
    shows(&mut d, &["g: g to the top"]);
    d.keys("g").await;
    assert_eq!(strings.ran.lock().expect("ran").as_slice(), ["bottom", "top"]);
}

#[tokio::test]
async fn help_lists_every_command_of_the_tab_and_narrows_while_typing() {
    let (mut d, _, _s) = console(false, false).await;
    d.size = (120, 50);
    d.keys("?").await;
    shows(&mut d, &["Everywhere", "answer it", "drop it", "ctrl-d  pagedown", "quit"]);
    d.keys("\"drop\"").await;
    lacks(&mut d, "to the bottom");
    d.keys("enter").await;
    shows(&mut d, &["Drop #1?"]);
    d.keys("esc ? ?").await;
    lacks(&mut d, "Everywhere");
}

#[tokio::test]
async fn the_palette_finds_a_command_by_any_part_of_it() {
    let (mut d, _, _s) = console(false, false).await;
    d.keys(": \"sess\" enter").await;
    shows(&mut d, &["Done in this session", "nothing yet"]);
}

#[tokio::test]
async fn a_question_is_answered_no_by_everything_but_y() {
    let (mut d, _, _s) = console(false, false).await;
    for key in ["enter", "n", "esc", "space"] {
        d.keys(&format!("D {key}")).await;
        lacks(&mut d, "dropped");
        lacks(&mut d, "Drop #1?");
    }
    d.keys("D y").await;
    shows(&mut d, &["dropped"]);
}

#[tokio::test]
async fn a_picker_hands_over_the_value_chosen() {
    let (mut d, _, _s) = console(false, false).await;
    d.keys("O \"name\" enter").await;
    assert_eq!(d.copied, ["n"]);
}

#[tokio::test]
async fn a_form_checks_previews_and_sends_and_what_it_did_is_undone_and_redone() {
    let (mut d, _, _s) = console(false, false).await;
    d.keys("r tab enter").await;
    shows(&mut d, &["Reply #1", "say something", "preview 0"]);
    d.keys("backtab \"审批 ok\" alt-enter \"two\" tab \"+4h\"").await;
    shows(&mut d, &["preview 13", "= 2026-11-24 18:30", "审批 ok", "two"]);
    d.keys("enter").await;
    shows(&mut d, &[&format!("@{}", NOW + 4 * HOUR), "u undo: said"]);
    d.keys("u").await;
    shows(&mut d, &["undone"]);
    d.keys("@").await;
    shows(&mut d, &["14:30  said", "14:30  undone"]);
    d.keys("esc U").await;
    shows(&mut d, &["said nothing"]);
}

#[tokio::test]
async fn what_was_typed_survives_leaving_the_form_and_a_failure() {
    let (mut d, _, _s) = console(false, false).await;
    d.keys("r \"half a fail\" esc").await;
    shows(&mut d, &["what you typed is kept"]);
    d.keys("r").await;
    shows(&mut d, &["half a fail"]);
    d.keys("tab enter").await;
    shows(&mut d, &["the thing refuses", "what you typed is kept"]);
    d.keys("r").await;
    shows(&mut d, &["half a fail"]);
    d.keys("ctrl-w \"x\" tab enter r").await;
    lacks(&mut d, "what you typed before");
}

#[tokio::test]
async fn marked_rows_are_acted_on_together_and_taken_back_together() {
    let (mut d, strings, _s) = console(false, false).await;
    d.keys("v j").await;
    shows(&mut d, &["2 marked"]);
    d.keys("v G space").await;
    shows(&mut d, &["3 marked · \\ clear"]);
    // rows that come and go do not move the marks
    *strings.next.lock().expect("next") = Ok(vec!["four", "three", "one", "two"]);
    d.update(Msg::News(News::Everything));
    d.settle().await;
    d.keys("S").await;
    shows(&mut d, &["said one and 2 more", "u undo: said one and 2 more"]);
    d.keys("u").await;
    shows(&mut d, &["undone: said nothing and 2 more"]);
    d.keys("U").await;
    shows(&mut d, &["said nothing and 2 more"]);
    d.keys("u u").await;
    shows(&mut d, &["nothing to undo"]);
    d.keys("\\").await;
    lacks(&mut d, "marked ·");
    d.keys("\\").await;
    shows(&mut d, &["nothing is marked"]);
}

#[tokio::test]
async fn what_of_many_could_not_be_done_is_told_and_the_rest_is_one_step() {
    let (mut d, strings, _s) = console(false, false).await;
    *strings.next.lock().expect("next") = Ok(vec!["one", "fail", "two"]);
    d.update(Msg::News(News::Everything));
    d.settle().await;
    d.keys("g g v G v S").await;
    shows(&mut d, &["2 of 3 done; not done: the thing refuses", "u undo: said one and 1 more"]);
    d.keys("@").await;
    shows(&mut d, &["not done: the thing refuses", "14:30  said two"]);
    d.keys("esc u u").await;
    shows(&mut d, &["nothing to undo"]);
}

#[tokio::test]
async fn a_list_is_sorted_and_narrowed_to_its_faults_by_the_same_keys_everywhere() {
    let (mut d, _, _s) = console(false, false).await;
    d.keys("o").await;
    shows(&mut d, &["Sort by", "● age"]);
    d.keys("\"name\" enter").await;
    shows(&mut d, &["sorted by name"]);
    let screen = d.screen();
    assert!(screen.find("one") < screen.find("three") && screen.find("three") < screen.find("two"), "{screen}");
    d.keys("!").await;
    shows(&mut d, &["two"]);
    lacks(&mut d, "three");
    d.keys("v esc").await;
    lacks(&mut d, "marked");
}

#[tokio::test]
async fn long_text_goes_to_the_editor_and_comes_back() {
    let (mut d, _, _s) = console(false, false).await;
    d.editor = |text| Ok(format!("{text} edited\nin peace"));
    d.keys("r \"审批\" ctrl-e").await;
    shows(&mut d, &["Reply #1", "审批 edited", "in peace", "ctrl-e editor"]);
    d.editor = |_| Err("the editor changed nothing: ended with code 1".into());
    d.keys("ctrl-e").await;
    shows(&mut d, &["审批 edited", "ended with code 1"]);
    // only long text; in one line the key goes to its end
    d.editor = |_| Ok("wrong".into());
    d.keys("tab ctrl-e").await;
    lacks(&mut d, "wrong");
}

#[tokio::test]
async fn messages_can_be_read_again_and_pasted_text_is_never_taken_for_keys() {
    let (mut d, strings, _s) = console(false, false).await;
    d.keys("S").await;
    d.update(Msg::Paste("G g g q".into()));
    shows(&mut d, &["nothing here takes pasted text"]);
    assert!(strings.ran.lock().expect("ran").iter().all(|c| c == "all"));
    d.pass(9 * SECOND).await;
    lacks(&mut d, "nothing here takes");
    d.keys(";").await;
    shows(&mut d, &["Messages", "14:30  said one"]);
    d.keys("esc ctrl-z").await;
    shows(&mut d, &["no shell to come back from"]);
}

#[tokio::test]
async fn a_wrong_instant_is_refused_in_the_form() {
    let (mut d, _, _s) = console(false, false).await;
    d.keys("r \"x\" tab \"soon\" enter").await;
    shows(&mut d, &["`soon` is no instant"]);
}

#[tokio::test]
async fn the_order_stands_while_keys_are_pressed_and_follows_two_seconds_later() {
    let (mut d, strings, _s) = console(false, false).await;
    d.keys("j").await;
    *strings.next.lock().expect("next") = Ok(vec!["three", "one", "two"]);
    d.update(Msg::News(News::Changed(vec!["thing".into()])));
    d.settle().await;
    let screen = d.screen();
    assert!(screen.contains("⇅ 1 move pending"), "{screen}");
    assert!(screen.find("one") < screen.find("two") && screen.find("two") < screen.find("three"), "{screen}");
    assert!(d.sleeps() <= 2 * SECOND);
    d.pass(2 * SECOND).await;
    let screen = d.screen();
    assert!(!screen.contains("pending"), "{screen}");
    assert!(screen.find("three") < screen.find("one"), "{screen}");
}

#[tokio::test]
async fn a_lost_store_dims_counts_and_comes_back_and_never_spins() {
    let (mut d, strings, _s) = console(false, false).await;
    *strings.next.lock().expect("next") = Err("no answer".into());
    d.update(Msg::News(News::Lost("gone".into())));
    d.pass(42 * SECOND).await;
    shows(&mut d, &["store lost 0:42", "STORE LOST 0:42", "one"]);
    assert!(d.sleeps() > 0);
    d.update(Msg::News(News::Everything));
    d.settle().await;
    let before = strings.loads.load(Ordering::SeqCst);
    for _ in 0..100 {
        d.pass(20).await;
    }
    let tried = strings.loads.load(Ordering::SeqCst) - before;
    assert!((1..=12).contains(&tried), "tried {tried} times in two seconds");
    *strings.next.lock().expect("next") = Ok(vec!["four"]);
    d.update(Msg::News(News::Back));
    d.update(Msg::News(News::Everything));
    d.settle().await;
    shows(&mut d, &["the store is back", "four"]);
}

#[tokio::test]
async fn nothing_moves_until_the_minute_changes() {
    let (mut d, _, _s) = console(false, false).await;
    d.clock.set(NOW + 10 * SECOND);
    d.screen();
    assert!(!d.is_dirty());
    assert_eq!(d.sleeps(), 50 * SECOND);
    d.pass(49 * SECOND).await;
    assert!(!d.is_dirty());
    d.pass(SECOND).await;
    assert!(d.is_dirty());
    shows(&mut d, &["14:31"]);
}

#[tokio::test]
async fn a_clock_set_back_an_hour_is_shown_and_does_not_stall() {
    let (mut d, _, _s) = console(false, false).await;
    d.screen();
    d.clock.set(NOW - HOUR);
    assert!(d.sleeps() <= MINUTE);
    d.pass(MINUTE).await;
    shows(&mut d, &["13:31"]);
}

#[tokio::test]
async fn a_read_only_session_has_no_key_that_changes_anything() {
    let (mut d, _, _s) = console(false, true).await;
    shows(&mut d, &["read-only"]);
    lacks(&mut d, "answer it");
    d.keys("r").await;
    lacks(&mut d, "Reply #1");
    d.keys("?").await;
    lacks(&mut d, "undo");
}

#[tokio::test]
async fn no_size_theme_or_language_breaks_the_picture() {
    for wall in [false, true] {
        let (mut d, strings, _s) = console(wall, false).await;
        strings.problems.lock().expect("problems").extend((0..14).map(|i| WallProblem {
            handled: false,
            weight: 1 + i % 3,
            since: Some(NOW - HOUR),
            text: format!("#{i} 审批提交后一直转圈,全公司无法提交 \u{1b}[2J"),
            role: [Role::Warn, Role::Critical, Role::Stale][usize::from(i) % 3],
        }));
        let all = [
            ("dark", Depth::TrueColor),
            ("light", Depth::Ansi256),
            ("ansi16", Depth::Ansi16),
            ("high-contrast", Depth::TrueColor),
            ("colour-blind", Depth::TrueColor),
            ("mono", Depth::Mono),
        ];
        for (script, lang) in [
            ("", Lang::En),
            ("?", Lang::Zh),
            ("esc :", Lang::En),
            ("esc r", Lang::Zh),
            ("esc E", Lang::En),
            ("esc D", Lang::Zh),
        ] {
            d.keys(script).await;
            for size in [(200, 50), (120, 36), (80, 24), (60, 15), (40, 10), (10, 3), (1, 1), (500, 200)] {
                for theme in all {
                    for ascii in [false, true] {
                        (d.size, d.theme, d.ascii) = (size, theme, ascii);
                        let screen = locale::with(lang, || d.screen());
                        assert!(!screen.contains('\u{1b}'));
                        assert!(!ascii || !screen.contains('✗'), "{screen}");
                    }
                }
            }
        }
    }
}

#[tokio::test]
async fn a_window_too_small_says_the_one_number_and_how_to_enlarge() {
    let (mut d, _, _s) = console(false, false).await;
    d.size = (40, 10);
    shows(&mut d, &["██████", "need attention: 6", "60×15"]);
    d.size = (10, 3);
    assert_eq!(d.screen().lines().next(), Some("6"));
}

#[tokio::test]
async fn the_wall_shows_the_worst_first_and_rings_once_for_a_new_breach() {
    let (mut d, strings, _s) = console(true, false).await;
    d.size = (100, 30);
    shows(&mut d, &["ALL QUIET", "next breach", "#7 general", "hosts", "last night is safe", "14:30"]);
    let problem =
        |text: &str, role, weight| WallProblem { handled: false, weight, since: Some(NOW), text: text.into(), role };
    strings.problems.lock().expect("problems").push(problem("#7 general +0:01", Role::Critical, 3));
    strings.problems.lock().expect("problems").push(problem("#9 general 5:00", Role::Warn, 1));
    d.update(Msg::News(News::Changed(vec!["thing".into()])));
    d.settle().await;
    assert_eq!(d.bells, 1);
    shows(&mut d, &["CRITICAL", "AT RISK"]);
    let screen = d.screen();
    assert!(screen.find("#7") < screen.find("#9"), "{screen}");
    // the same problem with another figure is not new
    strings.problems.lock().expect("problems")[0].text = "#7 general +1:02".into();
    d.pass(61 * SECOND).await;
    d.update(Msg::News(News::Changed(vec!["thing".into()])));
    d.settle().await;
    assert_eq!(d.bells, 1);
    shows(&mut d, &["next breach"]);
    d.keys("r a j").await;
    assert!(!d.has_quit());
    d.keys("q").await;
    assert!(d.has_quit());
}

#[tokio::test]
async fn a_wall_without_news_says_how_old_it_is_and_then_shows_no_numbers() {
    let (mut d, _, _s) = console(true, false).await;
    d.size = (100, 30);
    d.pass(50 * SECOND).await;
    shows(&mut d, &["STALE 0:50", "things 3"]);
    d.pass(60 * SECOND).await;
    shows(&mut d, &["STALE 1:50"]);
    lacks(&mut d, "things 3");
    shows(&mut d, &["Things: no data for 1m"]);
}

#[tokio::test]
async fn the_wall_names_who_is_on_duty_and_counts_what_is_in_hand_apart() {
    let (mut d, strings, s) = console(true, false).await;
    d.size = (100, 30);
    d.pass(SECOND).await;
    shows(&mut d, &["on duty  nobody has acted lately"]);
    for (name, origin) in [("li", "console os-user"), ("monitor", "http")] {
        let door = s.door(name, Needs::Operator, &Clock::manual(NOW));
        let actor = zhiban::action::Actor { origin: origin.into(), ..door.actor().clone() };
        let door =
            zhiban::action::Door::new(door.store().clone(), door.clock().clone(), door.config().clone(), actor, false);
        door.run(&Reply("hello".into())).await.expect("said");
    }
    let problem = |text: &str, handled| WallProblem {
        handled,
        weight: 3,
        since: Some(NOW),
        text: text.into(),
        role: Role::Critical,
    };
    *strings.problems.lock().expect("problems") = vec![problem("#7 owned", true), problem("#8 not", false)];
    d.pass(61 * SECOND).await;
    shows(&mut d, &["on duty  li 1m", "CRITICAL (2 handled)"]);
    lacks(&mut d, "monitor");
}

#[tokio::test]
async fn the_real_tabs_are_drawn_at_every_size_over_an_empty_store() {
    let store = fresh(Db::Sqlite).await;
    let door = store.door("wang", Needs::Operator, &Clock::manual(NOW));
    for wall in [None, Some(20 * SECOND)] {
        let tabs = zhiban::console::all_tabs(door.config(), "wang");
        let count = tabs.len();
        let mut d = Driver::new(tabs, Some(door.clone()), NOW, wall);
        d.settle().await;
        d.app.load_rest(NOW);
        d.settle().await;
        for tab in 1..=count {
            for script in [tab.to_string(), "j k G g g l h E".into(), "esc ? esc".into()] {
                d.keys(&script).await;
                for size in [(200, 50), (120, 36), (80, 24), (60, 15), (10, 3)] {
                    d.size = size;
                    for lang in [Lang::En, Lang::Zh] {
                        assert!(!locale::with(lang, || d.screen()).is_empty());
                    }
                }
            }
        }
    }
}
