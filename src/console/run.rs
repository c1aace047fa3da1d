//! The loop: wait, drain, update, draw once.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use crossterm::event::{Event, EventStream, KeyEventKind, MouseButton, MouseEventKind};
use futures_util::{FutureExt as _, StreamExt as _};
use rustix::process::Signal;
use tokio::runtime::Handle;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{Mutex, mpsc, oneshot, watch};
use tokio::time::Instant;

use super::app::{App, Mouse, Msg, Setup, Work};
use super::aside::{self, Aside, Behind};
use super::background;
use super::duty::{ByRota, Duty as _};
use super::tabs;
use super::undo::{Came, act};
use crate::action::Door;
use crate::clock::Millis;
use crate::demo::Live;
use crate::locale::{cli as say, console as words};
use crate::tui::terminal::{self, Screen};
use crate::tui::theme::{Depth, Theme};
use crate::tui::{job, osc52};

/// How long the first frame waits for data.
const PATIENCE: Duration = Duration::from_millis(120);

/// At most so many keys are taken before what they did is drawn.
const KEYS_A_FRAME: usize = 64;

/// How long after a fault the background work is begun again.
const RESTART: Duration = Duration::from_secs(10);

/// How long the store may take to hear that the console was left.
const FAREWELL: Duration = Duration::from_millis(300);

/// How the console is opened.
#[derive(Debug)]
pub struct Options {
    /// Number of the tab to open first, from 0.
    pub tab: usize,
    /// Full screen for a wall.
    pub wall: bool,
    /// The folder of one's own themes.
    pub themes: Option<std::path::PathBuf>,
    /// Whether this machine is sampled and stored.
    pub sample_here: bool,
    /// The synthetic company that is shown in place of a real one.
    pub demo: Option<Arc<Mutex<Live>>>,
}

/// Runs the console until it is left. The screen and the keys have a thread of their own: whatever the store, the
/// periodic work or the tabs' reading take, a key is answered at once. All that runs on the caller's runtime.
///
/// # Errors
/// When there is no terminal or the theme cannot be read; a sentence.
pub async fn run(door: Door, options: Options) -> Result<(), String> {
    let works = Handle::current();
    let (left, ended) = oneshot::channel();
    let screen = move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|e| e.to_string())?;
        runtime.block_on(show(door, options, works))
    };
    let thread = std::thread::Builder::new().name("screen".into()).spawn(move || {
        let shown = std::panic::catch_unwind(AssertUnwindSafe(screen));
        _ = left.send(shown.unwrap_or_else(|_| Err(crate::log::fault())));
    });
    thread.map_err(|e| e.to_string())?;
    ended.await.unwrap_or_else(|_| Err(crate::log::fault()))
}

async fn show(door: Door, options: Options, works: Handle) -> Result<(), String> {
    let config = door.config().clone();
    let env = |key: &str| std::env::var(key).ok();
    let depth = Depth::detect(&config.ui.color, env);
    let theme = Theme::load(&config.ui.theme, options.themes.as_deref(), depth)?;
    let ascii = config.ui.glyphs == "ascii";
    let mouse = config.ui.mouse && !options.wall;
    let has_shell = job::can_stop();
    let editor = job::editor(&config.ui.editor, env, has_shell);
    // signals and changes of size are heard before the terminal is taken: one that comes early must not leave it taken,
    // nor be missed
    let mut term = signal(SignalKind::terminate()).map_err(|e| e.to_string())?;
    let mut hup = signal(SignalKind::hangup()).map_err(|e| e.to_string())?;
    let mut int = signal(SignalKind::interrupt()).map_err(|e| e.to_string())?;
    let mut quit = signal(SignalKind::quit()).map_err(|e| e.to_string())?;
    let mut stop = signal(SignalKind::from_raw(Signal::TSTP.as_raw())).map_err(|e| e.to_string())?;
    let mut go_on = signal(SignalKind::from_raw(Signal::CONT.as_raw())).map_err(|e| e.to_string())?;
    _ = crossterm::event::poll(Duration::ZERO);
    let _guard = terminal::guard();
    let mut screen = Screen::enter(mouse).map_err(|e| format!("{} ({e})", say::no_terminal()))?;
    let clock = door.clock().clone();
    let zone = config.ui.zone.parse().unwrap_or(chrono_tz::Asia::Shanghai);
    let mut app = App::new(
        Setup {
            tabs: tabs::all(&config, &door.actor().name),
            active: options.tab,
            actor: door.actor().clone(),
            store_line: match door.store().dialect() {
                _ if options.demo.is_some() => words::demo(&clock.pace().to_string()),
                crate::store::Dialect::Sqlite => "sqlite".into(),
                crate::store::Dialect::Postgres => "postgres".into(),
            },
            read_only: door.is_read_only() || options.wall,
            wall: options.wall.then(|| config.ui.wall_rotation.millis()),
            zone,
            pace: clock.pace(),
            mouse,
            editor: editor.is_some(),
            can_suspend: has_shell,
            confined: job::is_confined(env, has_shell),
            desk: config.desk.command.clone(),
            keys: config.keys.clone(),
        },
        clock.now(),
    );
    let (tx, mut inbox) = mpsc::unbounded_channel::<Msg>();
    spawn_work(&mut app, &door, &works, &tx, &mut screen);
    // the first frame waits for the first snapshot of its tab, but never long
    let patience = tokio::time::sleep(PATIENCE);
    tokio::pin!(patience);
    while !app.is_ready() {
        tokio::select! {
            Some(msg) = inbox.recv() => app.update(msg, clock.now()),
            () = &mut patience => break,
        }
    }
    let paint = |app: &mut App, screen: &mut Screen| {
        let now = clock.now();
        let done = screen.draw(|buf, area| app.draw(&theme, ascii, buf, area, now)).map_err(|e| e.to_string());
        app.drawn(now);
        done
    };
    paint(&mut app, &mut screen)?;
    app.load_rest(clock.now());
    spawn_work(&mut app, &door, &works, &tx, &mut screen);
    let mut behind = tokio::task::JoinSet::new();
    // the tab with this machine's figures is the first
    let (host, host_shown) = watch::channel(app.shows(0));
    background::start(&door, &options, &tx, host_shown.clone(), &works, &mut behind);

    let mut events = EventStream::new();
    let mut aside = None;
    let mut check = tokio::time::interval(Duration::from_secs(1));
    check.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let gap = config.ui.frame_gap.std();
    let mut last_frame = Instant::now();
    let mut by_key = false;
    let mut restart = None;
    while !app.quit {
        let now = clock.now();
        let wake = Instant::now() + Duration::from_millis(clock.wall_until(app.wake(now) - now).max(1) as u64);
        let frame_at = last_frame + gap;
        tokio::select! {
            biased;
            event = events.next() => match event {
                Some(Ok(event)) => {
                    by_key |= take_event(event, &mut app, &mut screen, clock.now())?;
                    // keys that came together share a frame
                    for _ in 0..KEYS_A_FRAME {
                        if app.quit || !crossterm::event::poll(Duration::ZERO).unwrap_or(false) {
                            break;
                        }
                        let Ok(event) = crossterm::event::read() else { break };
                        by_key |= take_event(event, &mut app, &mut screen, clock.now())?;
                    }
                }
                Some(Err(_)) | None => break,
            },
            Some(msg) = inbox.recv() => {
                app.update(msg, clock.now());
                while let Ok(msg) = inbox.try_recv() {
                    app.update(msg, clock.now());
                }
            }
            _ = term.recv() => break,
            _ = hup.recv() => break,
            _ = int.recv() => break,
            _ = quit.recv() => break,
            _ = stop.recv() => if has_shell { aside = Some(Aside::Stop) },
            // stopped from outside, the terminal may have been anybody's since
            _ = go_on.recv() => {
                screen.come_back().map_err(|e| e.to_string())?;
                app.dirty = true;
            }
            _ = check.tick() => {
                if terminal::is_gone() {
                    break;
                }
                // a change of size that was not told
                if screen.is_stale() {
                    screen.resized().map_err(|e| e.to_string())?;
                    app.dirty = true;
                }
                // the clock may have been set, or the machine asleep, while the timer slept
                let now = clock.now();
                if app.wake(now) <= now + 1 {
                    app.update(Msg::Tick, now);
                }
            }
            () = tokio::time::sleep_until(frame_at), if app.dirty => {
                paint(&mut app, &mut screen)?;
                last_frame = Instant::now();
            }
            Some(Err(_)) = behind.join_next(), if !behind.is_empty() => {
                // a background task that panicked is begun again, with all others, when the time comes
                behind.abort_all();
                behind.detach_all();
                app.update(Msg::Fault(crate::log::fault()), clock.now());
                restart = Some(Instant::now() + RESTART);
            }
            () = tokio::time::sleep_until(restart.unwrap_or(last_frame)), if restart.is_some() => {
                restart = None;
                background::start(&door, &options, &tx, host_shown.clone(), &works, &mut behind);
            }
            // what is to be drawn is drawn first: the next look at the clock follows from it
            () = tokio::time::sleep_until(wake), if !app.dirty => app.update(Msg::Tick, clock.now()),
        }
        // what a key changes is on the screen before anything that follows from it is begun
        if std::mem::take(&mut by_key) && app.dirty && !app.quit {
            paint(&mut app, &mut screen)?;
            last_frame = Instant::now();
        }
        host.send_if_modified(|shown| std::mem::replace(shown, app.shows(0)) != app.shows(0));
        aside = spawn_work(&mut app, &door, &works, &tx, &mut screen).or(aside);
        let Some(what) = aside.take() else { continue };
        // whoever has the terminal next must have its keys: a fresh stream reads nothing until it is asked. The old one
        // goes first: it may be waiting for a key, and nobody else can be until one comes
        drop(events);
        events = EventStream::new();
        terminal::restore();
        match what {
            Aside::Stop => job::stop(),
            what => {
                let mut behind = Behind { app: &mut app, inbox: &mut inbox, clock: &clock, stop: &mut stop };
                let came = tokio::select! {
                    came = async {
                        match what {
                            Aside::Edit(text) => Msg::Edited(behind.edit(editor.as_deref().unwrap_or_default(), &text).await),
                            Aside::Run(task) => Msg::Back(behind.run(&task).await),
                            Aside::Stop => Msg::Tick,
                        }
                    } => came,
                    _ = term.recv() => break,
                    _ = hup.recv() => break,
                };
                app.update(came, clock.now());
                aside::forget([&mut int, &mut quit, &mut stop]);
            }
        }
        screen.come_back().map_err(|e| e.to_string())?;
        app.dirty = true;
        by_key = true;
    }
    behind.abort_all();
    drop(screen);
    for load in app.leave(clock.now()) {
        // the others find out by themselves where the store does not answer
        _ = tokio::time::timeout(FAREWELL, works.spawn(load(door.clone()))).await;
    }
    Ok(())
}

/// Takes what the terminal reports; whether its frame is to be drawn at once.
fn take_event(event: Event, app: &mut App, screen: &mut Screen, now: Millis) -> Result<bool, String> {
    match event {
        Event::Key(key) if key.kind != KeyEventKind::Release => app.update(Msg::Key(key), now),
        Event::Paste(text) => app.update(Msg::Paste(text), now),
        Event::Mouse(event) => {
            let mouse = match event.kind {
                MouseEventKind::ScrollUp => Mouse::Up,
                MouseEventKind::ScrollDown => Mouse::Down,
                MouseEventKind::Down(MouseButton::Left) => Mouse::Click(event.column, event.row),
                _ => return Ok(false),
            };
            app.update(Msg::Mouse(mouse), now);
        }
        Event::Resize(..) => {
            screen.resized().map_err(|e| e.to_string())?;
            app.dirty = true;
        }
        _ => return Ok(false),
    }
    Ok(true)
}

/// Begins the work that has come up; what needs the terminal to itself is handed back.
fn spawn_work(
    app: &mut App,
    door: &Door,
    works: &Handle,
    tx: &mpsc::UnboundedSender<Msg>,
    screen: &mut Screen,
) -> Option<Aside> {
    let mut aside = None;
    for work in app.take_work() {
        let (door, tx) = (door.clone(), tx.clone());
        match work {
            Work::Load(i, load) => {
                works.spawn(async move {
                    let loaded = AssertUnwindSafe(load(door)).catch_unwind().await;
                    let loaded = loaded.unwrap_or_else(|_| Err(crate::log::fault()));
                    _ = tx.send(Msg::Loaded(i, loaded));
                });
            }
            Work::Beside(i, load) => {
                works.spawn(async move {
                    match AssertUnwindSafe(load(door)).catch_unwind().await {
                        Ok(Ok(found)) => _ = tx.send(Msg::Push(i, found)),
                        Ok(Err(why)) => tracing::warn!("{why}"),
                        Err(_) => _ = tx.send(Msg::Fault(crate::log::fault())),
                    }
                });
            }
            Work::Errand(errand) => {
                works.spawn(async move {
                    let told = AssertUnwindSafe(errand(door)).catch_unwind().await;
                    _ = tx.send(Msg::Told(told.unwrap_or_else(|_| Err(crate::log::fault()))));
                });
            }
            Work::Act(batch) => {
                works.spawn(async move {
                    let came = AssertUnwindSafe(act(&door, &batch)).catch_unwind().await;
                    _ = tx.send(Msg::Acted(batch, came.unwrap_or_else(|_| Came::fault(crate::log::fault()))));
                });
            }
            Work::Compare(number, compare) => {
                works.spawn(async move {
                    let lines = AssertUnwindSafe(compare(door)).catch_unwind().await;
                    let lines = lines.unwrap_or_else(|_| Err(crate::log::fault()));
                    _ = tx.send(Msg::Compared(number, lines));
                });
            }
            Work::Beat(i, load) => {
                works.spawn(async move {
                    let heard = AssertUnwindSafe(load(door)).catch_unwind().await;
                    let heard = heard.unwrap_or_else(|_| Err(crate::log::fault()));
                    _ = tx.send(Msg::Heard(i, heard));
                });
            }
            Work::Ask(number, ask) => {
                works.spawn(async move {
                    let found = AssertUnwindSafe(ask(door)).catch_unwind().await;
                    let found = found.unwrap_or_else(|_| Err(crate::log::fault()));
                    _ = tx.send(Msg::Offered(number, found));
                });
            }
            Work::Copy(text) => _ = screen.send(&osc52::copy(&text, std::env::var_os("TMUX").is_some())),
            Work::Mouse(on) => _ = screen.mouse(on),
            Work::Bell => _ = screen.send("\x07"),
            Work::Edit(text) => aside = Some(Aside::Edit(text)),
            Work::HandOver(task) => aside = Some(Aside::Run(task)),
            Work::Note(task) => {
                works.spawn(async move {
                    let noted = door.run(&task).await.map(|_| ()).map_err(|e| e.to_string());
                    _ = tx.send(Msg::Noted(task, noted));
                });
            }
            Work::Background(task) => {
                works.spawn(async move {
                    let came = task.capture().await;
                    _ = tx.send(Msg::Ran(task.name, came));
                });
            }
            Work::Suspend => aside = Some(Aside::Stop),
            Work::Redraw => {
                _ = screen.come_back();
                app.dirty = true;
            }
            Work::Duty => {
                let now = door.clock().now();
                works.spawn(async move { _ = tx.send(Msg::OnDuty(ByRota.at(door, now).await)) });
            }
        }
    }
    aside
}
