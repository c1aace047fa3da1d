//! A synthetic company: seeded, the same every time relative to the instant at which it begins, and alive.

pub mod accounts;
pub mod backups;
pub mod desk;
mod doer;
pub mod fleet;
mod folder;
pub mod hosts;
mod live;
pub mod people;
mod words;
pub mod workflows;

use std::sync::Arc;

use crate::action::operators::Add;
use crate::action::{ActionError, Actor, Door, Role};
use crate::calendar::Calendar;
use crate::clock::{Clock, DAY, HOUR, MINUTE, Millis};
use crate::config::{Config, Tickets};
use crate::knowledge::model::Article;
use crate::store::Store;
use crate::tickets::actions::{Change, What};
use crate::tickets::model::office_rules;
use crate::workflows::actions::Import;

pub use folder::Folder;
pub use live::Live;

/// The seed of the company that `--demo` shows.
pub const SEED: u64 = 20_261_124;
/// Days of workflow history.
const FLOW_DAYS: i64 = 120;

/// The configuration of the demo: the look and the keys are the visitor's own, everything else the defaults, so that no
/// threshold, tool or address of the real company takes part.
pub fn config(own: &Config, folder: &Folder) -> Config {
    let mut log = own.log.clone();
    log.folder = folder.path().join("log").display().to_string();
    Config { ui: own.ui.clone(), keys: own.keys.clone(), log, accounts: accounts::rules(), ..Config::default() }
}

/// When the demo begins: now while the office is open and has hours ahead of it, else in the early afternoon of the last
/// working day, because a night has no clocks that run.
pub fn beginning(now: Millis, config: &Tickets) -> Millis {
    let office = Calendar::new(office_rules(config, &[]));
    let open = |at: Millis| office.is_open(at) && office.elapsed(at - HOUR, at + 3 * HOUR, &[]) >= 3 * HOUR;
    if open(now) {
        return now;
    }
    let midnight = (now + 8 * HOUR).div_euclid(DAY) * DAY - 8 * HOUR;
    let afternoon = (0..14).map(|days| midnight - days * DAY + 14 * HOUR + 20 * MINUTE);
    afternoon.into_iter().find(|at| *at <= now && open(*at)).unwrap_or(now)
}

/// What the desk has written down: every third kind of trouble.
fn library() -> crate::knowledge::actions::Import {
    let plain = |text: &str| text.replace(" {n} ", "").replace("{n}", "").replace("{who}", "…").trim().to_owned();
    let written = words::ZH.iter().chain(words::EN).enumerate().filter(|(i, _)| i % 3 == 0);
    let articles = written.map(|(i, theme)| Article {
        kind: "article".into(),
        title: plain(theme.title),
        body: crate::locale::knowledge::demo_article(
            &plain(theme.body),
            theme.cause,
            &plain(theme.note),
            &plain(theme.solution),
        ),
        audience: "operators".into(),
        state: "published".into(),
        source_key: Some(format!("desk/{i:02}.md")),
        version: 1,
        ..Article::default()
    });
    crate::knowledge::actions::Import { articles: articles.collect(), folder: "desk".into() }
}

/// The company, before anybody looks at it.
#[derive(Debug)]
pub struct Company {
    store: Store,
    clock: Clock,
    config: Arc<Config>,
    visitor: Actor,
    times: hosts::Times,
}

impl Company {
    /// The company that `seed` makes, in an empty store, as it stands when `clock` says what it says now. `visitor` is the
    /// name of whoever looks at it: an admin.
    pub fn new(store: Store, clock: Clock, config: Arc<Config>, visitor: &str, seed: u64) -> Self {
        let times = hosts::Times { seed, start: clock.now(), pace: clock.pace() };
        let visitor =
            Actor { name: visitor.into(), role: Role::Admin, origin: "console os-user".into(), unclaimed: false };
        Self { store, clock, config, visitor, times }
    }

    fn door(&self, clock: Clock) -> Door {
        Door::system(self.store.clone(), clock, self.config.clone())
    }

    /// Fills the store with everything but the older samples (see [`Live::remember`]).
    ///
    /// # Errors
    /// When the store does not take it.
    pub async fn settle(self) -> Result<Live, ActionError> {
        let (start, seed) = (self.times.start, self.times.seed);
        fleet::recent(&self.store, &self.config, self.times).await?;
        let system = self.door(Clock::manual(start));
        let chief = system.actor().clone();
        let mut history = system.history().await?;
        let long_ago = start - 200 * DAY;
        let staff = people::DESK.map(|(name, role)| (name.to_owned(), role));
        for (name, role) in [(self.visitor.name.clone(), Role::Admin)].into_iter().chain(staff) {
            history.run(&chief, long_ago, &Add { name, role, key: None }).await?;
        }
        let mut plan = desk::Plan::new(&self.config.tickets, seed, start);
        let mut doer = doer::Doer::new(self.visitor.clone());
        doer.tell(&mut history, &plan.take(start)).await?;
        // last month's files, then this morning's: who has moved since is seen from both
        let clerk = people::colleague(0);
        for (at, before) in [(start - 30 * DAY, true), (start - 2 * HOUR, false)] {
            history.run(&clerk, at, &accounts::roster_import(seed, start, before)?).await?;
            for import in accounts::imports(&self.config.accounts, seed, start)? {
                history.run(&clerk, at + MINUTE, import.as_ref()).await?;
            }
        }
        history.run(&clerk, long_ago, &library()).await?;
        for flow in &workflows::FLOWS {
            let import = Import {
                name: flow.name.into(),
                source: "oa-flow".into(),
                log: Arc::new(workflows::log(flow, seed, start, FLOW_DAYS as u32)),
            };
            history.run(&chief, start - MINUTE, &import).await?;
        }
        history.commit().await?;
        let mut history = system.history().await?;
        for id in crate::tickets::store::overdue_marks(&self.store, start).await? {
            history.run(&chief, start, &Change::new(id, What::Tick)).await?;
        }
        history.commit().await?;
        backups::fill(&system, start, seed).await?;
        Ok(Live::new(self, plan, doer))
    }
}
