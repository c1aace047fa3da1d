//! The loop: wait, drain, update, draw once.

use std::sync::Arc;
use std::time::Duration;

use crossterm::event::{Event, EventStream, KeyEventKind, MouseButton, MouseEventKind};
use futures_util::StreamExt as _;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::app::{App, Mouse, Msg, Setup, Work};
use super::tabs;
use super::undo::act;
use crate::action::Door;
use crate::clock::Millis;
use crate::health::sources::Sampler;
use crate::locale::cli as say;
use crate::tui::osc52;
use crate::tui::terminal::{self, Screen};
use crate::tui::theme::{Depth, Theme};

/// How long the first frame waits for data.
const PATIENCE: Duration = Duration::from_millis(120);
/// How often the store is asked whether it answers, and how fast.
const PING: Duration = Duration::from_secs(15);

/// How the console is opened.
#[derive(Debug, Clone)]
pub struct Options {
    /// Number of the tab to open first, from 0.
    pub tab: usize,
    /// Full screen for a wall.
    pub wall: bool,
    /// Whether this machine is sampled and stored.
    pub sample_here: bool,
}

/// Runs the console until it is left.
///
/// # Errors
/// When there is no terminal or the theme cannot be read; a sentence.
pub async fn run(door: Door, options: Options) -> Result<(), String> {
    let config = door.config().clone();
    let env = |key: &str| std::env::var(key).ok();
    let folder = crate::config::default_file().and_then(|f| f.parent().map(|p| p.join("themes")));
    let depth = Depth::detect(&config.ui.color, env);
    let theme = Theme::load(&config.ui.theme, folder.as_deref(), depth)?;
    let ascii = config.ui.glyphs == "ascii";
    let mouse = config.ui.mouse && !options.wall;
    let mut screen = Screen::enter(mouse).map_err(|e| format!("{} ({e})", say::no_terminal()))?;
    let clock = door.clock().clone();
    let zone = config.ui.zone.parse().unwrap_or(chrono_tz::Asia::Shanghai);
    let mut app = App::new(
        Setup {
            tabs: tabs::all(&config, &door.actor().name),
            active: options.tab,
            actor: door.actor().clone(),
            store_line: match door.store().dialect() {
                crate::store::Dialect::Sqlite => "sqlite".into(),
                crate::store::Dialect::Postgres => "postgres".into(),
            },
            read_only: door.is_read_only() || options.wall,
            wall: options.wall.then(|| config.ui.wall_rotation.millis()),
            zone,
            mouse,
            keys: config.keys.clone(),
        },
        clock.now(),
    );
    let (tx, mut inbox) = mpsc::unbounded_channel::<Msg>();
    spawn_work(&mut app, &door, &tx, &mut screen);
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
    spawn_work(&mut app, &door, &tx, &mut screen);
    let mut background = tokio::task::JoinSet::new();
    start_background(&door, &options, &tx, &mut background);

    let mut events = EventStream::new();
    let mut term = signal(SignalKind::terminate()).map_err(|e| e.to_string())?;
    let mut hup = signal(SignalKind::hangup()).map_err(|e| e.to_string())?;
    let mut int = signal(SignalKind::interrupt()).map_err(|e| e.to_string())?;
    let mut check = tokio::time::interval(Duration::from_secs(1));
    check.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let gap = config.ui.frame_gap.std();
    let mut last_frame = Instant::now();
    let mut by_key = false;
    while !app.quit {
        let now = clock.now();
        let wake = Instant::now() + Duration::from_millis(clock.wall_until(app.wake(now) - now).max(1) as u64);
        let frame_at = if by_key { Instant::now() } else { last_frame + gap };
        tokio::select! {
            biased;
            event = events.next() => match event {
                Some(Ok(event)) => by_key |= take_event(event, &mut app, &mut screen, clock.now())?,
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
            _ = check.tick() => {
                if terminal::is_gone() {
                    break;
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
                by_key = false;
            }
            () = tokio::time::sleep_until(wake) => app.update(Msg::Tick, clock.now()),
        }
        spawn_work(&mut app, &door, &tx, &mut screen);
    }
    background.abort_all();
    drop(screen);
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

fn spawn_work(app: &mut App, door: &Door, tx: &mpsc::UnboundedSender<Msg>, screen: &mut Screen) {
    for work in app.take_work() {
        let (door, tx) = (door.clone(), tx.clone());
        match work {
            Work::Load(i, load) => {
                tokio::spawn(async move { _ = tx.send(Msg::Loaded(i, load(door).await)) });
            }
            Work::Act(batch) => {
                tokio::spawn(async move {
                    let came = act(&door, &batch).await;
                    _ = tx.send(Msg::Acted(batch, came));
                });
            }
            Work::Copy(text) => _ = screen.send(&osc52::copy(&text, std::env::var_os("TMUX").is_some())),
            Work::Mouse(on) => _ = screen.mouse(on),
            Work::Bell => _ = screen.send("\x07"),
        }
    }
}

/// The feed, this machine's samples, and the periodic work.
fn start_background(
    door: &Door,
    options: &Options,
    tx: &mpsc::UnboundedSender<Msg>,
    tasks: &mut tokio::task::JoinSet<()>,
) {
    let (mut feed, news) = (door.store().feed(), tx.clone());
    tasks.spawn(async move {
        while let Some(item) = feed.recv().await {
            if news.send(Msg::News(item)).is_err() {
                return;
            }
        }
    });
    let (store, latency) = (door.store().clone(), tx.clone());
    tasks.spawn(async move {
        let mut every = tokio::time::interval(PING);
        every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            every.tick().await;
            // a failure is the feed's to tell
            if let Ok(ms) = store.ping().await
                && latency.send(Msg::Latency(ms)).is_err()
            {
                return;
            }
        }
    });
    if options.sample_here {
        tasks.spawn(sample_here(door.clone(), tx.clone()));
    }
    if !door.is_read_only() {
        let system = Door::system(door.store().clone(), door.clock().clone(), door.config().clone());
        let (stop, stopped) = tokio::sync::watch::channel(false);
        tasks.spawn(async move {
            let _stop = stop;
            crate::serve::run(system, crate::serve::jobs(), stopped).await;
        });
    }
}

/// Samples this machine every second for the screen, and into the store at the configured interval.
async fn sample_here(door: Door, tx: mpsc::UnboundedSender<Msg>) {
    let Ok(Some(mut sampler)) = tokio::task::spawn_blocking(Sampler::new).await else { return };
    let interval = door.config().health.interval.millis();
    let mut stored = 0;
    let mut tick = tokio::time::interval(Duration::from_secs(1));
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tick.tick().await;
        let at = door.clock().now();
        let Ok((back, sample)) = tokio::task::spawn_blocking(move || {
            let sample = sampler.sample(at, true);
            (sampler, sample)
        })
        .await
        else {
            return;
        };
        sampler = back;
        if !door.is_read_only() && (at - stored).abs() >= interval {
            stored = at;
            let store = door.store().clone();
            let kept = sample.clone();
            tokio::spawn(async move {
                if let Err(e) = crate::health::store::add(&store, &[kept], interval).await {
                    tracing::warn!("sample not stored: {e}");
                }
            });
        }
        if tx.send(Msg::Push(0, Box::new(Arc::new(sample)))).is_err() {
            return;
        }
    }
}
