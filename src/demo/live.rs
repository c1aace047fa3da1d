//! The company while somebody looks at it: samples flow, reports come in, colleagues work, a backup fails.

use std::sync::Arc;
use std::time::Duration;

use fastrand::Rng;

use super::desk::{Deed, Plan, Step, Who};
use super::doer::Doer;
use super::{Company, FLOW_DAYS, accounts, backups, fleet, hosts, workflows};
use crate::action::{ActionError, Door};
use crate::clock::{DAY, HOUR, MINUTE, Millis, SECOND};
use crate::store::StoreError;
use crate::tickets;
use crate::tickets::actions::What;
use crate::workflows::actions::Import;

/// How often the company moves, at the keyboard.
const BEAT: Duration = Duration::from_millis(500);
/// Reports in the busiest hour of an office day.
const BUSIEST: f64 = 16.0;
/// Reports in the quietest.
const QUIETEST: f64 = 5.0;
/// Most reports that one move brings: what a long sleep of the machine left out stays out.
const MOST: usize = 20;
/// How often HR sends its roster: one older than a day judges nobody.
const ROSTER: Millis = 12 * HOUR;

/// The company, alive. It moves when [`Live::advance`] is called.
#[derive(Debug)]
pub struct Live {
    company: Company,
    plan: Plan,
    doer: Doer,
    rng: Rng,
    /// Up to when it has moved, and its workflows.
    upto: Millis,
    flows_upto: Millis,
    next_report: Millis,
    next_roster: Millis,
    backup_fails: Option<Millis>,
}

impl Live {
    pub(super) fn new(company: Company, plan: Plan, doer: Doer) -> Self {
        let hosts::Times { seed, start, .. } = company.times;
        let mut live = Self {
            plan,
            doer,
            rng: Rng::with_seed(seed ^ 0x11fe),
            upto: start,
            flows_upto: start,
            next_report: start,
            next_roster: start + ROSTER,
            backup_fails: Some(start + company.typed(60 * SECOND)),
            company,
        };
        live.next_report = live.report_after(start);
        live
    }

    /// The door for the company's own periodic work.
    pub fn door(&self) -> Door {
        self.company.door(self.company.clock.clone())
    }

    /// Puts the samples of the month before into the store; the charts grow back in time meanwhile.
    pub fn remember(&self) -> impl Future<Output = Result<(), StoreError>> + Send + use<> {
        let (store, clock, times) = (self.company.store.clone(), self.company.clock.clone(), self.company.times);
        async move { fleet::past(&store, &clock, times).await }
    }

    /// Moves twice a second for as long as it is polled.
    pub async fn run(&mut self) {
        let mut beat = tokio::time::interval(BEAT);
        beat.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            beat.tick().await;
            if let Err(e) = self.advance(self.company.clock.now()).await {
                tracing::warn!("demo: {e}");
            }
        }
    }

    /// Lets everything happen that happens up to `now`, which is what the company's clock says.
    ///
    /// # Errors
    /// When the store does not take it.
    pub async fn advance(&mut self, now: Millis) -> Result<(), ActionError> {
        let from = self.upto;
        if now <= from {
            return Ok(());
        }
        self.upto = now;
        fleet::advance(&self.company.store, self.company.times, from, now).await?;
        let mut reports = 0;
        while self.next_report <= now {
            if reports < MOST {
                self.plan.arrival(self.next_report);
            }
            reports += 1;
            self.next_report = self.report_after(self.next_report);
        }
        for step in self.plan.take(now) {
            self.step(&step).await?;
        }
        let door = self.door();
        if self.backup_fails.take_if(|at| *at <= now).is_some() {
            backups::fail(&door, now).await?;
        }
        backups::advance(&door, from, now, self.company.times.seed).await?;
        backups::answer(&door, now).await?;
        if now - self.flows_upto >= self.company.typed(20 * SECOND).max(MINUTE) {
            self.flows(&door, now).await?;
        }
        if self.next_roster <= now {
            self.next_roster = now + ROSTER;
            let hosts::Times { seed, start, .. } = self.company.times;
            door.run(&accounts::roster_import(seed, start, false)?).await?;
        }
        Ok(())
    }

    /// When the next report comes in after one at `at`: by chance, more often in the hours of the office.
    fn report_after(&mut self, at: Millis) -> Millis {
        let an_hour = (BUSIEST * hosts::activity(at)).max(QUIETEST);
        let hours = -(1.0 - self.rng.f64()).ln() / an_hour;
        at + ((hours * HOUR as f64) as Millis).max(SECOND)
    }

    async fn step(&mut self, step: &Step) -> Result<(), ActionError> {
        if let (Deed::Change(what), Some(id)) = (&step.deed, self.doer.id(step.ticket)) {
            // what the visitor has taken, or anybody has closed, is left alone
            let Some(t) = tickets::store::get(&self.company.store, id).await? else { return Ok(()) };
            let theirs = t.owner.as_ref() == Some(&self.doer.visitor.name) && step.who != Who::System;
            if theirs || !t.is_open() || (matches!(what, What::Claim) && t.owner.is_some()) {
                return Ok(());
            }
        }
        let Some((actor, action)) = self.doer.action(step) else { return Ok(()) };
        let (store, config) = (self.company.store.clone(), self.company.config.clone());
        let door = Door::new(store, self.company.clock.clone(), config, actor, false);
        match door.run(action.as_ref()).await {
            Ok(outcome) => self.doer.note(step, &outcome.value),
            // the visitor was first
            Err(ActionError::Conflict { .. } | ActionError::Invalid(_) | ActionError::NotFound { .. }) => {}
            Err(e) => return Err(e),
        }
        Ok(())
    }

    async fn flows(&mut self, door: &Door, now: Millis) -> Result<(), ActionError> {
        let from = std::mem::replace(&mut self.flows_upto, now);
        let hosts::Times { seed, start, .. } = self.company.times;
        for flow in &workflows::FLOWS {
            let log = workflows::between(flow, seed, start - FLOW_DAYS * DAY, (from, now));
            if !log.is_empty() {
                let import = Import { name: flow.name.into(), source: "oa-flow".into(), log: Arc::new(log) };
                door.run(&import).await?;
            }
        }
        Ok(())
    }
}

impl Company {
    /// The shown time that passes while `ms` pass at the keyboard.
    fn typed(&self, ms: Millis) -> Millis {
        (ms as f64 * self.times.pace) as Millis
    }
}
