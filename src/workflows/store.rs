//! Event logs in the store: a row a case, its events packed into a few bytes each.
//!
//! An event in a case's bytes: zigzag varint of the time since the event before, varint of activity × 16 + transition ×
//! 2 + whether a start follows, varint of resource + 1 (0: nobody), and where one follows, zigzag varint of time −
//! start. The transitions 5 and 6 are a completion and a start behind which the time at which the execution could begin
//! follows in the same way. Words (activities, resources) stand in a table of their own.

use std::collections::HashMap;
use std::fmt::Write as _;

use super::log::{Log, NOBODY};
use super::model::{Event, Transition};
use crate::args;
use crate::clock::Millis;
use crate::store::{Row, Store, StoreError, Tx, Val};

const ACTIVITY: i64 = 0;
const RESOURCE: i64 = 1;
/// How the intake key of a ticket from a node begins; workflow, node and day follow.
pub const TICKET_KEY: &str = "workflow:";

/// The open tickets from nodes: key and number.
///
/// # Errors
/// When the store does not answer.
pub async fn open_tickets(store: &Store) -> Result<Vec<(String, i64)>, StoreError> {
    // a range of keys would be another under another collation
    let sql = "SELECT intake_key, id FROM ticket WHERE is_open AND intake_key IS NOT NULL \
               AND substr(intake_key, 1, length($1)) = $1 ORDER BY id";
    store.rows(sql, args![TICKET_KEY], |r| Ok((r.get(0)?, r.get(1)?))).await
}

/// Cases merged or read at a time.
const BATCH: usize = 500;

/// A workflow in the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Workflow {
    /// Its number.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// Cases.
    pub cases: i64,
    /// Events.
    pub events: i64,
    /// Different activities.
    pub activities: i64,
    /// The first time in it.
    pub first_at: Millis,
    /// The last.
    pub last_at: Millis,
    /// When it was last imported.
    pub imported_at: Millis,
    /// Counts up with every change.
    pub version: i64,
}

const COLUMNS: &str = "id, name, cases, events, activities, first_at, last_at, imported_at, version";

fn workflow(r: &Row<'_>) -> Result<Workflow, StoreError> {
    Ok(Workflow {
        id: r.get(0)?,
        name: r.get(1)?,
        cases: r.get(2)?,
        events: r.get(3)?,
        activities: r.get(4)?,
        first_at: r.get(5)?,
        last_at: r.get(6)?,
        imported_at: r.get(7)?,
        version: r.get(8)?,
    })
}

/// The names of a workflow's activities, in the order of their first mention.
///
/// # Errors
/// When the store does not answer.
pub async fn activities(store: &Store, id: i64) -> Result<Vec<String>, StoreError> {
    let sql = "SELECT word FROM workflow_word WHERE workflow_id = $1 AND kind = $2 ORDER BY no";
    store.rows(sql, args![id, ACTIVITY], |r| r.get(0)).await
}

/// Every workflow, by name.
pub async fn list(store: &Store) -> Result<Vec<Workflow>, StoreError> {
    store.rows(&format!("SELECT {COLUMNS} FROM workflow ORDER BY name"), args![], workflow).await
}

/// The workflow called `name`.
pub async fn find(store: &Store, name: &str) -> Result<Option<Workflow>, StoreError> {
    store.row(&format!("SELECT {COLUMNS} FROM workflow WHERE name = $1"), args![name], workflow).await
}

/// The log of workflow `id`, as it would be read from a file.
pub async fn load(store: &Store, id: i64) -> Result<Log, StoreError> {
    let words = store
        .rows("SELECT kind, no, word FROM workflow_word WHERE workflow_id = $1 ORDER BY kind, no", args![id], |r| {
            Ok((r.get::<i64>(0)?, r.get::<i64>(1)?, r.get::<String>(2)?))
        })
        .await?;
    let mut log = Log::default();
    let words = Words::of(words)?;
    let mut after = String::new();
    loop {
        let page = store
            .rows(
                "SELECT name, events FROM workflow_case WHERE workflow_id = $1 AND name > $2 ORDER BY name LIMIT 5000",
                args![id, &after],
                |r| Ok((r.get::<String>(0)?, r.get::<Vec<u8>>(1)?)),
            )
            .await?;
        let Some((last, _)) = page.last() else { break };
        after.clone_from(last);
        for (case, bytes) in page {
            for e in unpack(&bytes).ok_or_else(|| damaged(&case))? {
                let activity = words.activities.get(e.activity as usize).ok_or_else(|| damaged(&case))?;
                let resource = match e.resource {
                    NOBODY => "",
                    r => words.resources.get(r as usize).ok_or_else(|| damaged(&case))?,
                };
                let event = Event {
                    case: case.as_bytes(),
                    activity: activity.as_bytes(),
                    resource: resource.as_bytes(),
                    at: e.at,
                    start: e.start,
                    enabled: e.enabled,
                    transition: Transition::from_code(e.transition),
                };
                log.push(&event).map_err(|_| damaged(&case))?;
            }
        }
    }
    Ok(log)
}

fn damaged(case: &str) -> StoreError {
    StoreError::Value(format!("workflow_case.events of {case}"))
}

/// The words of a workflow by number.
struct Words {
    activities: Vec<String>,
    resources: Vec<String>,
}

impl Words {
    fn of(rows: Vec<(i64, i64, String)>) -> Result<Self, StoreError> {
        let mut words = Self { activities: vec![], resources: vec![] };
        for (kind, no, word) in rows {
            let into = if kind == ACTIVITY { &mut words.activities } else { &mut words.resources };
            if no != into.len() as i64 {
                return Err(StoreError::Value(format!("workflow_word.no {no}")));
            }
            into.push(word);
        }
        Ok(words)
    }
}

/// An event as it is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Packed {
    at: Millis,
    activity: u32,
    transition: u8,
    resource: u32,
    start: Option<Millis>,
    /// With a completion or a start only.
    enabled: Option<Millis>,
}

/// A completion behind which an enabling time follows; a start is one more.
const TOLD: u8 = 5;

impl Packed {
    fn code(&self) -> u8 {
        match (self.enabled, Transition::from_code(self.transition)) {
            (Some(_), Transition::Complete) => TOLD,
            (Some(_), Transition::Start) => TOLD + 1,
            _ => self.transition,
        }
    }
}

fn put(out: &mut Vec<u8>, mut v: u64) {
    while v >= 0x80 {
        out.push(v as u8 | 0x80);
        v >>= 7;
    }
    out.push(v as u8);
}

fn take(bytes: &mut &[u8]) -> Option<u64> {
    let mut v = 0u64;
    for shift in (0..64).step_by(7) {
        let (first, rest) = bytes.split_first()?;
        *bytes = rest;
        v |= u64::from(first & 0x7f) << shift;
        if first & 0x80 == 0 {
            return Some(v);
        }
    }
    None
}

fn zigzag(v: i64) -> u64 {
    ((v << 1) ^ (v >> 63)) as u64
}

fn unzigzag(v: u64) -> i64 {
    (v >> 1) as i64 ^ -((v & 1) as i64)
}

fn pack(events: &[Packed]) -> Vec<u8> {
    let mut out = Vec::with_capacity(events.len() * 8);
    let mut before = 0;
    for e in events {
        put(&mut out, zigzag(e.at.wrapping_sub(before)));
        before = e.at;
        put(&mut out, u64::from(e.activity) << 4 | u64::from(e.code() & 7) << 1 | u64::from(e.start.is_some()));
        put(&mut out, if e.resource == NOBODY { 0 } else { u64::from(e.resource) + 1 });
        if let Some(start) = e.start {
            put(&mut out, zigzag(e.at.wrapping_sub(start)));
        }
        if let Some(enabled) = e.enabled.filter(|_| e.code() >= TOLD) {
            put(&mut out, zigzag(e.at.wrapping_sub(enabled)));
        }
    }
    out
}

fn unpack(mut bytes: &[u8]) -> Option<Vec<Packed>> {
    let mut out = Vec::new();
    let mut before: Millis = 0;
    while !bytes.is_empty() {
        let at = before.wrapping_add(unzigzag(take(&mut bytes)?));
        before = at;
        let head = take(&mut bytes)?;
        let resource = match take(&mut bytes)? {
            0 => NOBODY,
            r => u32::try_from(r - 1).ok()?,
        };
        let start = if head & 1 == 1 { Some(at.wrapping_sub(unzigzag(take(&mut bytes)?))) } else { None };
        let (transition, told) = match (head >> 1 & 7) as u8 {
            TOLD => (Transition::Complete as u8, true),
            code if code > TOLD => (Transition::Start as u8, true),
            code => (code, false),
        };
        let enabled = if told { Some(at.wrapping_sub(unzigzag(take(&mut bytes)?))) } else { None };
        out.push(Packed { at, activity: u32::try_from(head >> 4).ok()?, transition, resource, start, enabled });
    }
    Some(out)
}

/// `known` with the events of `fresh` that it lacks: of equal ones (activity, time and transition) as many as the side
/// that has more. In the order of time; equal times keep the order of `known`, then of `fresh`. Says how many were new.
fn merge(mut known: Vec<Packed>, fresh: &[Packed]) -> (Vec<Packed>, usize) {
    let key = |e: &Packed| (e.activity, e.at, e.transition);
    let mut there: HashMap<(u32, Millis, u8), usize> = HashMap::new();
    for e in &known {
        *there.entry(key(e)).or_default() += 1;
    }
    let before = known.len();
    for e in fresh {
        match there.get_mut(&key(e)) {
            Some(n) if *n > 0 => *n -= 1,
            _ => known.push(*e),
        }
    }
    let added = known.len() - before;
    if added > 0 {
        known.sort_by_key(|e| e.at);
    }
    (known, added)
}

/// What an import did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Added {
    /// The workflow.
    pub id: i64,
    /// Whether it is new.
    pub created: bool,
    /// Cases that were not there.
    pub cases: usize,
    /// Events that were not there.
    pub events: usize,
}

/// Takes the events of `log` into the workflow `name`; those that are there are left alone.
pub async fn add(tx: &mut Tx, name: &str, source: &str, log: &Log, now: Millis) -> Result<Added, StoreError> {
    let found = tx
        .row("SELECT id, cases, events FROM workflow WHERE name = $1", args![name], |r| {
            Ok((r.get::<i64>(0)?, r.get::<i64>(1)?, r.get::<i64>(2)?))
        })
        .await?;
    let created = found.is_none();
    let (id, cases, events) = match found {
        Some(found) => found,
        None => {
            let id = tx
                .row(
                    "INSERT INTO workflow(name, cases, events, activities, first_at, last_at, imported_at, source, version) \
                     VALUES ($1, 0, 0, 0, 0, 0, $2, $3, 0) RETURNING id",
                    args![name, now, source],
                    |r| r.get::<i64>(0),
                )
                .await?;
            (id.ok_or_else(|| StoreError::Value("workflow.id".into()))?, 0, 0)
        }
    };
    let activity = words(tx, id, ACTIVITY, &log.activities).await?;
    let resource = words(tx, id, RESOURCE, &log.resources).await?;
    let mut added = Added { id, created, cases: 0, events: 0 };
    let order = log.order();
    let all: Vec<u32> = (0..log.cases.len() as u32).collect();
    for batch in all.chunks(BATCH) {
        let names: Vec<String> = batch.iter().map(|c| log.cases.get(*c).replace('\0', "␀")).collect();
        let mut known = if created { HashMap::new() } else { known(tx, id, &names).await? };
        let mut rows: Vec<Vec<Val>> = Vec::with_capacity(batch.len());
        for (case, name) in batch.iter().zip(names) {
            let fresh: Vec<Packed> = order
                .case(*case)
                .iter()
                .map(|i| {
                    let i = *i as usize;
                    let transition = log.transition_of(i);
                    Packed {
                        at: log.at[i],
                        activity: activity[log.activity[i] as usize],
                        transition: transition as u8,
                        resource: if log.resource[i] == NOBODY { NOBODY } else { resource[log.resource[i] as usize] },
                        start: log.start_of(i),
                        enabled: log
                            .enabled_of(i)
                            .filter(|_| matches!(transition, Transition::Complete | Transition::Start)),
                    }
                })
                .collect();
            let before = known.remove(&name);
            added.cases += usize::from(before.is_none());
            let before = match before {
                Some(bytes) => unpack(&bytes).ok_or_else(|| damaged(&name))?,
                None => vec![],
            };
            let (events, n) = merge(before, &fresh);
            if n > 0 {
                added.events += n;
                let last = events.last().map_or(0, |e| e.at);
                rows.push(args![id, name, last, pack(&events)]);
            }
        }
        tx.insert_many(
            "INSERT INTO workflow_case(workflow_id, name, last_at, events) VALUES",
            rows,
            "ON CONFLICT (workflow_id, name) DO UPDATE SET last_at = excluded.last_at, events = excluded.events",
        )
        .await?;
    }
    if added.events > 0 {
        let (first, last) = log.period().unwrap_or((now, now));
        let activities = tx
            .row("SELECT count(*) FROM workflow_word WHERE workflow_id = $1 AND kind = $2", args![id, ACTIVITY], |r| {
                r.get::<i64>(0)
            })
            .await?;
        tx.exec(
            "UPDATE workflow SET cases = $2, events = $3, activities = $4, \
             first_at = CASE WHEN version = 0 OR first_at > $5 THEN $5 ELSE first_at END, \
             last_at = CASE WHEN version = 0 OR last_at < $6 THEN $6 ELSE last_at END, \
             imported_at = $7, source = $8, version = version + 1 WHERE id = $1",
            args![
                id,
                cases + added.cases as i64,
                events + added.events as i64,
                activities.unwrap_or(0),
                first,
                last,
                now,
                source
            ],
        )
        .await?;
    }
    Ok(added)
}

/// The bytes of the named cases that are there.
async fn known(tx: &mut Tx, id: i64, names: &[String]) -> Result<HashMap<String, Vec<u8>>, StoreError> {
    let mut sql = "SELECT name, events FROM workflow_case WHERE workflow_id = $1 AND name IN (".to_owned();
    let mut values: Vec<Val> = args![id];
    for (i, name) in names.iter().enumerate() {
        _ = write!(sql, "{}${}", if i == 0 { "" } else { "," }, i + 2);
        values.push(name.into());
    }
    sql.push(')');
    Ok(tx.rows(&sql, values, |r| Ok((r.get(0)?, r.get(1)?))).await?.into_iter().collect())
}

/// The store's number of each word of `names`; words that are not there yet are added.
async fn words(tx: &mut Tx, id: i64, kind: i64, names: &super::names::Names) -> Result<Vec<u32>, StoreError> {
    let rows = tx
        .rows("SELECT word, no FROM workflow_word WHERE workflow_id = $1 AND kind = $2", args![id, kind], |r| {
            Ok((r.get::<String>(0)?, r.get::<i64>(1)?))
        })
        .await?;
    let mut there: HashMap<String, u32> = rows.into_iter().map(|(w, n)| (w, n as u32)).collect();
    let mut numbers = Vec::with_capacity(names.len());
    let mut fresh = Vec::new();
    for name in names.iter() {
        // as the store keeps it, so that the same word is found again
        let word = String::from_utf8_lossy(name).replace('\0', "␀");
        let next = there.len() as u32;
        let no = *there.entry(word.clone()).or_insert_with(|| {
            fresh.push(args![id, kind, i64::from(next), word]);
            next
        });
        numbers.push(no);
    }
    tx.insert_many("INSERT INTO workflow_word(workflow_id, kind, no, word) VALUES", fresh, "").await?;
    Ok(numbers)
}

/// Removes the workflow `name` with its events; whether it was there.
pub async fn remove(tx: &mut Tx, name: &str) -> Result<bool, StoreError> {
    let id = tx.row("SELECT id FROM workflow WHERE name = $1", args![name], |r| r.get::<i64>(0)).await?;
    let Some(id) = id else { return Ok(false) };
    for table in ["workflow_case", "workflow_word"] {
        tx.exec(&format!("DELETE FROM {table} WHERE workflow_id = $1"), args![id]).await?;
    }
    tx.exec("DELETE FROM workflow WHERE id = $1", args![id]).await?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn packed() -> impl Strategy<Value = Packed> {
        let time = prop::option::of(any::<i64>());
        (any::<i64>(), 0u32..70_000, 0u8..5, prop_oneof![Just(NOBODY), 0u32..9], time.clone(), time).prop_map(
            |(at, activity, transition, resource, start, enabled)| {
                let enabled = enabled.filter(|_| matches!(transition, 0 | 2));
                Packed { at, activity, transition, resource, start, enabled }
            },
        )
    }

    proptest! {
        #[test]
        fn packing_loses_nothing(events in prop::collection::vec(packed(), 0..20)) {
            prop_assert_eq!(unpack(&pack(&events)), Some(events));
        }

        #[test]
        fn bytes_from_anywhere_do_not_make_it_stumble(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
            _ = unpack(&bytes);
        }

        #[test]
        fn merging_the_same_again_adds_nothing(mut events in prop::collection::vec(packed(), 0..20)) {
            events.sort_by_key(|e| e.at);
            let (once, n) = merge(vec![], &events);
            prop_assert_eq!(n, events.len());
            let (twice, again) = merge(once.clone(), &events);
            prop_assert_eq!((twice, again), (once, 0));
        }
    }
}
