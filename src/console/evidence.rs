//! What of the other rooms can be linked to a ticket as evidence, each with how it is right now in a sentence.

use serde_json::json;

use super::duty::{ByRota, Duty as _};
use crate::action::{BoxFuture, Door};
use crate::clock::rfc3339;
use crate::tickets::tab::{Around, Linkable};
use crate::{backups, health, workflows};

/// What the ticket desk is told of the other rooms.
pub(crate) const AROUND: Around = Around {
    evidence: find,
    hands,
    articles: super::library::offered,
    answers: super::library::answers,
    article: super::library::form,
    troubles: super::troubles::find,
    files: super::files::of,
    save: super::files::save,
};

/// How many people are on duty; nobody is as good as one: somebody has to do it.
pub(crate) fn hands(door: Door) -> BoxFuture<'static, usize> {
    Box::pin(async move {
        let now = door.clock().now();
        ByRota.at(door, now).await.map_or(1, |who| who.len().max(1))
    })
}

/// Activities of one workflow that are offered.
const NODES: usize = 200;

/// Every host, backup system and workflow node. A room that does not answer is left out: the others can be linked.
pub(crate) fn find(door: Door) -> BoxFuture<'static, Vec<Linkable>> {
    Box::pin(async move {
        let mut out = hosts(&door).await;
        out.extend(systems(&door).await);
        out.extend(nodes(&door).await);
        out
    })
}

async fn hosts(door: &Door) -> Vec<Linkable> {
    let (now, config) = (door.clock().now(), door.config());
    let rules = health::alert::rules(&config.health);
    let link = |known: health::store::Known| {
        let worst = health::alert::worst(&known.problems(&rules, now)).word();
        let h = &known.host;
        let s = &h.sample;
        let disk = s.fullest().map_or_else(String::new, |(disk, share)| format!(" {} {share:.0} %", disk.mount));
        let said = format!("cpu {:.0} %, mem {:.0} %{disk}", s.cpu, s.mem());
        Linkable {
            kind: "host",
            subject: h.name.clone(),
            snapshot: json!({"said": said, "state": worst, "as_of": rfc3339(s.at), "cpu": s.cpu, "mem": s.mem()}),
        }
    };
    health::store::fleet(door.store(), now).await.unwrap_or_default().into_iter().map(link).collect()
}

async fn systems(door: &Door) -> Vec<Linkable> {
    let (now, config) = (door.clock().now(), door.config());
    let facts = backups::store::facts(door.store(), config, now).await.unwrap_or_default();
    let link = |f: &backups::model::Facts| {
        let plan = backups::model::plan_of(config, &f.name);
        let status = backups::verdict::evaluate(f, &plan, now);
        let said = backups::words::summary(&status, &plan);
        let snapshot = json!({"said": said, "verdict": status.verdict.word(), "as_of": rfc3339(now)});
        Linkable { kind: "backup", subject: f.name.clone(), snapshot }
    };
    facts.iter().map(link).collect()
}

async fn nodes(door: &Door) -> Vec<Linkable> {
    let mut out = Vec::new();
    for w in workflows::store::list(door.store()).await.unwrap_or_default() {
        let said = format!("{} cases, newest {}", w.cases, rfc3339(w.last_at));
        let snapshot = json!({"said": said, "cases": w.cases, "as_of": rfc3339(w.imported_at)});
        let node = |subject| Linkable { kind: "workflow", subject, snapshot: snapshot.clone() };
        let names = workflows::store::activities(door.store(), w.id).await.unwrap_or_default();
        out.push(node(w.name.clone()));
        out.extend(names.into_iter().take(NODES).map(|name| node(format!("{} / {name}", w.name))));
    }
    out
}
