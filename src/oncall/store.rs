//! Rota and escalations in the store: the room's only SQL.

use chrono::{NaiveDate, NaiveTime};

use crate::args;
use crate::calendar::built_in;
use crate::clock::Millis;
use crate::config::Config;
use crate::oncall::model::{Override, Plan, Rota};
use crate::store::{Row, Store, StoreError, Tx};

const ROTA: &str = "SELECT people, holiday_people, starts_at, hand_over, days FROM rota WHERE id = 1";
const OVERRIDES: &str = "SELECT id, person, from_at, until_at, reason FROM rota_override \
                         WHERE removed_at IS NULL AND until_at > $1 ORDER BY id";

fn names(text: &str) -> Vec<String> {
    text.split(',').map(str::trim).filter(|s| !s.is_empty()).map(String::from).collect()
}

fn read_rota(r: &Row<'_>) -> Result<Rota, StoreError> {
    let hand_over: String = r.get(3)?;
    let wrong = || StoreError::Value(format!("rota.hand_over: {hand_over}"));
    let starts: i64 = r.get(2)?;
    let starts_on = i32::try_from(starts).ok().and_then(NaiveDate::from_num_days_from_ce_opt);
    Ok(Rota {
        people: names(&r.get::<String>(0)?),
        holiday_people: names(&r.get::<String>(1)?),
        starts_on: starts_on.ok_or_else(|| StoreError::Value(format!("rota.starts_at: {starts}")))?,
        hand_over: NaiveTime::parse_from_str(&hand_over, "%H:%M").map_err(|_| wrong())?,
        days: r.get(4)?,
    })
}

fn read_override(r: &Row<'_>) -> Result<Override, StoreError> {
    Ok(Override { id: r.get(0)?, person: r.get(1)?, from: r.get(2)?, until: r.get(3)?, reason: r.get(4)? })
}

fn plan_of(config: &Config, rota: Option<Rota>, overrides: Vec<Override>) -> Plan {
    let lists = if config.tickets.office.chinese_holidays { built_in() } else { vec![] };
    Plan {
        rota,
        overrides,
        holidays: lists.iter().flat_map(|l| &l.days).filter(|(_, off)| *off).map(|(day, _)| *day).collect(),
        zone: config.tickets.office.zone.parse().unwrap_or(chrono_tz::UTC),
    }
}

/// Everything that says who is on duty from `from` on.
///
/// # Errors
/// When the store does not answer.
pub async fn plan(store: &Store, config: &Config, from: Millis) -> Result<Plan, StoreError> {
    let rota = store.row(ROTA, vec![], read_rota).await?;
    let overrides = store.rows(OVERRIDES, args![from], read_override).await?;
    Ok(plan_of(config, rota, overrides))
}

/// As [`plan`], inside an action.
pub(super) async fn plan_in(tx: &mut Tx, config: &Config, from: Millis) -> Result<Plan, StoreError> {
    let rota = tx.row(ROTA, vec![], read_rota).await?;
    let overrides = tx.rows(OVERRIDES, args![from], read_override).await?;
    Ok(plan_of(config, rota, overrides))
}

/// Sets the rota, or takes it away; gives the one before.
pub(super) async fn set_rota(tx: &mut Tx, rota: Option<&Rota>) -> Result<Option<Rota>, StoreError> {
    use chrono::Datelike as _;
    let before = tx.row(ROTA, vec![], read_rota).await?;
    match rota {
        None => _ = tx.exec("DELETE FROM rota WHERE id = 1", vec![]).await?,
        Some(r) => {
            tx.exec(
                "INSERT INTO rota(id, people, holiday_people, starts_at, hand_over, days) VALUES (1, $1, $2, $3, $4, $5) \
                 ON CONFLICT (id) DO UPDATE SET people = excluded.people, holiday_people = excluded.holiday_people, \
                 starts_at = excluded.starts_at, hand_over = excluded.hand_over, days = excluded.days, \
                 version = rota.version + 1",
                args![
                    r.people.join(","),
                    r.holiday_people.join(","),
                    i64::from(r.starts_on.num_days_from_ce()),
                    r.hand_over.format("%H:%M").to_string(),
                    r.days
                ],
            )
            .await?;
        }
    }
    Ok(before)
}

pub(super) async fn add_override(tx: &mut Tx, o: &Override) -> Result<i64, StoreError> {
    let sql = "INSERT INTO rota_override(person, from_at, until_at, reason) VALUES ($1, $2, $3, $4) RETURNING id";
    let args = args![o.person.as_str(), o.from, o.until, o.reason.as_str()];
    Ok(tx.row(sql, args, |r| r.get(0)).await?.unwrap_or_default())
}

/// Removes an override; whether it was there.
pub(super) async fn remove_override(tx: &mut Tx, id: i64, now: Millis) -> Result<bool, StoreError> {
    let sql = "UPDATE rota_override SET removed_at = $2 WHERE id = $1 AND removed_at IS NULL";
    Ok(tx.exec(sql, args![id, now]).await? == 1)
}

/// A threshold that was passed and that nobody was told of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fired {
    /// The ticket.
    pub ticket: i64,
    /// `response` or `resolution`.
    pub clock: String,
    /// The highest of those passed.
    pub percent: i64,
}

/// So many thresholds are looked at for each clock that is asked for: after a long absence the rest waits its turn.
const EACH: i64 = 8;

/// Thresholds that nobody was told of, the highest of each clock, those passed first first.
///
/// # Errors
/// When the store does not answer.
pub async fn fired(store: &Store, limit: i64) -> Result<Vec<Fired>, StoreError> {
    let sql = "SELECT ticket_id, clock, max(percent) FROM (SELECT ticket_id, clock, percent, at FROM ticket_fired \
               WHERE NOT escalated ORDER BY at LIMIT $2) q GROUP BY ticket_id, clock ORDER BY min(at), ticket_id LIMIT $1";
    store
        .rows(sql, args![limit, EACH * limit], |r| {
            Ok(Fired { ticket: r.get(0)?, clock: r.get(1)?, percent: r.get(2)? })
        })
        .await
}

/// Notes that thresholds of a clock up to `percent` are dealt with; gives those that were not.
pub(super) async fn deal_with(tx: &mut Tx, f: &Fired) -> Result<Vec<i64>, StoreError> {
    let those = "WHERE ticket_id = $1 AND clock = $2 AND percent <= $3 AND NOT escalated";
    let args = args![f.ticket, f.clock.as_str(), f.percent];
    let percents = tx.rows(&format!("SELECT percent FROM ticket_fired {those}"), args.clone(), |r| r.get(0)).await?;
    tx.exec(&format!("UPDATE ticket_fired SET escalated = true {those}"), args).await?;
    Ok(percents)
}

/// What an escalation needs to know of its ticket.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the columns of the ticket")]
pub struct Ticket {
    pub id: i64,
    pub title: String,
    pub level: String,
    pub scope: String,
    pub state: String,
    pub reporter: String,
    pub owner: Option<String>,
    pub flag: Option<String>,
    pub response_due: Option<Millis>,
    pub response_met_at: Option<Millis>,
    pub resolution_due: Option<Millis>,
}

impl Ticket {
    /// Whether the clock still runs out.
    pub fn runs(&self, clock: &str) -> bool {
        let open = !matches!(self.state.as_str(), "resolved" | "merged");
        match clock {
            "response" => open && self.response_met_at.is_none(),
            _ => open && self.state != "waiting",
        }
    }

    /// When the clock is due.
    pub fn due(&self, clock: &str) -> Option<Millis> {
        if clock == "response" { self.response_due } else { self.resolution_due }
    }
}

pub(super) async fn ticket(tx: &mut Tx, id: i64) -> Result<Option<Ticket>, StoreError> {
    let sql = "SELECT id, title, level, scope, state, reporter, owner, flag, response_due, response_met_at, resolution_due \
               FROM ticket WHERE id = $1";
    tx.row(sql, args![id], |r| {
        Ok(Ticket {
            id: r.get(0)?,
            title: r.get(1)?,
            level: r.get(2)?,
            scope: r.get(3)?,
            state: r.get(4)?,
            reporter: r.get(5)?,
            owner: r.get(6)?,
            flag: r.get(7)?,
            response_due: r.get(8)?,
            response_met_at: r.get(9)?,
            resolution_due: r.get(10)?,
        })
    })
    .await
}

/// Whoever looked after a ticket since `since`: claimed it, answered, called.
pub(super) async fn taken_care_by(tx: &mut Tx, ticket: i64, since: Millis) -> Result<Option<String>, StoreError> {
    let sql = "SELECT actor FROM ticket_event WHERE ticket_id = $1 AND at >= $2 \
               AND kind IN ('claimed', 'assigned', 'reply', 'call', 'paused') AND actor <> 'system' \
               ORDER BY n DESC LIMIT 1";
    tx.row(sql, args![ticket, since], |r| r.get(0)).await
}

/// An escalation: a rule that calls people until somebody cares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Escalation {
    /// Its number.
    pub id: i64,
    /// The ticket.
    pub ticket: i64,
    /// `response` or `resolution`.
    pub clock: String,
    /// The threshold.
    pub percent: i64,
    /// The place of its rule in the configuration.
    pub rule: i64,
    /// `open`, `told` (once was enough), `cared` (somebody looked after it) or `over`.
    pub state: String,
    /// When people are called next.
    pub next_at: Millis,
    /// How often they were.
    pub told: i64,
    /// Since when.
    pub created_at: Millis,
    /// Who ended it.
    pub ended_by: String,
}

const ESCALATION: &str = "id, ticket_id, clock, percent, rule, state, next_at, told, created_at, ended_by";

fn read_escalation(r: &Row<'_>) -> Result<Escalation, StoreError> {
    Ok(Escalation {
        id: r.get(0)?,
        ticket: r.get(1)?,
        clock: r.get(2)?,
        percent: r.get(3)?,
        rule: r.get(4)?,
        state: r.get(5)?,
        next_at: r.get(6)?,
        told: r.get(7)?,
        created_at: r.get(8)?,
        ended_by: r.get(9)?,
    })
}

pub(super) async fn raise(tx: &mut Tx, f: &Fired, rule: i64, now: Millis) -> Result<bool, StoreError> {
    let sql = "INSERT INTO escalation(ticket_id, clock, percent, rule, state, next_at, created_at) \
               VALUES ($1, $2, $3, $4, 'open', $5, $5) ON CONFLICT DO NOTHING";
    Ok(tx.exec(sql, args![f.ticket, f.clock.as_str(), f.percent, rule, now]).await? == 1)
}

/// Escalations whose people are to be called at `now`.
///
/// # Errors
/// When the store does not answer.
pub async fn due(store: &Store, now: Millis, limit: i64) -> Result<Vec<i64>, StoreError> {
    let sql = "SELECT id FROM escalation WHERE state = 'open' AND next_at <= $1 ORDER BY next_at, id LIMIT $2";
    store.rows(sql, args![now, limit], |r| r.get(0)).await
}

/// The newest escalations.
///
/// # Errors
/// When the store does not answer.
pub async fn escalations(store: &Store, limit: i64) -> Result<Vec<Escalation>, StoreError> {
    let sql = format!("SELECT {ESCALATION} FROM escalation ORDER BY id DESC LIMIT $1");
    store.rows(&sql, args![limit], read_escalation).await
}

pub(super) async fn escalation(tx: &mut Tx, id: i64) -> Result<Option<Escalation>, StoreError> {
    let sql = format!("SELECT {ESCALATION} FROM escalation WHERE id = $1");
    tx.row(&sql, args![id], read_escalation).await
}

pub(super) async fn put_escalation(tx: &mut Tx, e: &Escalation) -> Result<(), StoreError> {
    let sql = "UPDATE escalation SET state = $2, next_at = $3, told = $4, ended_by = $5 WHERE id = $1";
    tx.exec(sql, args![e.id, e.state.as_str(), e.next_at, e.told, e.ended_by.as_str()]).await?;
    Ok(())
}

/// Puts off the open escalations of a ticket until `until`; how many there were.
pub(super) async fn put_off(tx: &mut Tx, ticket: i64, until: Millis) -> Result<u64, StoreError> {
    tx.exec("UPDATE escalation SET next_at = $2 WHERE ticket_id = $1 AND state = 'open'", args![ticket, until]).await
}
