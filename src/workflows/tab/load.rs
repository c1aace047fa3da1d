//! What the tab shows, made off its task.

use std::collections::HashMap;
use std::sync::Arc;

use super::Flow;
use crate::action::Door;
use crate::clock::Millis;
use crate::workflows::log::Log;
use crate::workflows::{insight, store};

/// The intake key of a ticket from a node: one a day.
pub(super) fn key_of_node(workflow: &str, node: &str, day: &str) -> String {
    format!("{}{workflow}:{node}:{day}", store::TICKET_KEY)
}

/// The node of a key of this workflow.
fn node_of_key<'a>(key: &'a str, workflow: &str) -> Option<&'a str> {
    let rest = key.strip_prefix(store::TICKET_KEY)?.strip_prefix(workflow)?.strip_prefix(':')?;
    Some(rest.rsplit_once(':')?.0)
}

/// Logs up to this many events are kept between loads.
const KEPT: usize = 300_000;

/// What a load brings.
pub(super) struct Flows(pub Vec<Flow>);

/// Every workflow as of now; `known` are the logs held already, with their versions.
pub(super) async fn load(
    door: Door,
    known: HashMap<i64, (i64, Arc<Log>)>,
    window: Option<Millis>,
) -> Result<Flows, String> {
    let config = door.config().clone();
    let now = door.clock().now();
    let open = store::open_tickets(door.store()).await.map_err(|e| e.to_string())?;
    let mut flows = Vec::new();
    for workflow in store::list(door.store()).await.map_err(|e| e.to_string())? {
        let log = match known.get(&workflow.id) {
            Some((version, log)) if *version == workflow.version => log.clone(),
            _ => Arc::new(store::load(door.store(), workflow.id).await.map_err(|e| e.to_string())?),
        };
        let (config, kept) = (config.clone(), log.clone());
        let seen = tokio::task::spawn_blocking(move || {
            let as_of = insight::as_of(&log, now, config.workflows.stale_after.millis());
            insight::look(&log, as_of, window, &config.workflows)
        });
        let seen = Arc::new(seen.await.map_err(|e| e.to_string())?);
        let log = (kept.len() <= KEPT).then_some(kept);
        let of = |(key, ticket): &(String, i64)| Some((node_of_key(key, &workflow.name)?.to_owned(), *ticket));
        let tickets = open.iter().filter_map(of).collect();
        flows.push(Flow { workflow, seen, tickets, log });
    }
    Ok(Flows(flows))
}
