//! What can be done to accounts here: take files in, decide on findings. The directory itself is changed elsewhere.

use serde_json::{Value, json};

use super::decisions::{Decision, State, state};
use super::imports::{self, Counts};
use super::model::{Feed, day_of, end_of_day, zone};
use super::sources::{AccountFile, RosterFile};
use super::store;
use crate::action::{Action, ActionError, Apply, BoxFuture, Done, Role};
use crate::clock::{Millis, rfc3339};
use crate::locale::accounts as say;

/// A file that holds more than this much (percent) less than the last is refused unless it is said to be complete.
const GUARD_PERCENT: usize = 10;

async fn guard(cx: &mut Apply<'_>, system: &str, now: usize, complete: bool) -> Result<(), ActionError> {
    let before = imports::last_size(cx.tx, system).await?;
    let shrank = now * 100 < before * (100 - GUARD_PERCENT);
    if shrank && !complete { Err(ActionError::Invalid(say::shrank(before, now))) } else { Ok(()) }
}

fn counted(mut value: Value, counts: Counts, id: i64) -> Value {
    value["import"] = json!(id);
    value["new"] = json!(counts.new);
    value["changed"] = json!(counts.changed);
    value["gone"] = json!(counts.gone);
    value["kept"] = json!(counts.kept);
    value
}

/// Takes all accounts of a system in.
#[derive(Debug)]
pub struct ImportAccounts {
    /// The system.
    pub system: String,
    /// Its file.
    pub file: AccountFile,
    /// Everything is in the file, however much shorter than the last it is.
    pub complete: bool,
}

impl Action for ImportAccounts {
    fn verb(&self) -> &'static str {
        "account.import"
    }
    fn needs(&self) -> Role {
        Role::Operator
    }
    fn apply<'a>(&'a self, cx: &'a mut Apply<'_>) -> BoxFuture<'a, Result<Done, ActionError>> {
        Box::pin(async move {
            if self.system.trim().is_empty() {
                return Err(ActionError::Invalid(say::needs_system()));
            }
            let (read, bad) = (self.file.accounts.len(), self.file.bad.len());
            guard(cx, &self.system, read + bad, self.complete).await?;
            let this = Feed {
                system: self.system.clone(),
                at: cx.now,
                actor: cx.actor.name.clone(),
                bad: self.file.bad.clone(),
                fields: self.file.fields.clone(),
                groups: self.file.groups.clone(),
                ..Feed::default()
            };
            let (id, counts) = imports::take_in(cx.tx, &this, &self.file.accounts).await?;
            let value = counted(json!({"system": self.system, "accounts": read, "bad_rows": bad}), counts, id);
            Ok(Done::new("account", &self.system, say::imported(&self.system, read, bad, counts.kept))
                .undo(TakeBack { import: id, again: false })
                .detail(value.clone())
                .value(value))
        })
    }
}

/// Takes the HR roster in.
#[derive(Debug)]
pub struct ImportRoster {
    /// Its file.
    pub file: RosterFile,
    /// Everybody is in the file, however much shorter than the last it is.
    pub complete: bool,
}

impl Action for ImportRoster {
    fn verb(&self) -> &'static str {
        "account.hr"
    }
    fn needs(&self) -> Role {
        Role::Operator
    }
    fn apply<'a>(&'a self, cx: &'a mut Apply<'_>) -> BoxFuture<'a, Result<Done, ActionError>> {
        Box::pin(async move {
            let (read, bad) = (self.file.people.len(), self.file.bad.len());
            guard(cx, "", read + bad, self.complete).await?;
            let this = Feed { at: cx.now, actor: cx.actor.name.clone(), bad: self.file.bad.clone(), ..Feed::default() };
            let (id, counts) = imports::take_in(cx.tx, &this, &self.file.people).await?;
            let value = counted(json!({"people": read, "bad_rows": bad}), counts, id);
            Ok(Done::new("account", "hr", say::roster(read, bad, counts.kept))
                .undo(TakeBack { import: id, again: false })
                .detail(value.clone())
                .value(value))
        })
    }
}

/// Takes the last import of a system, or of the roster, back, or in again.
#[derive(Debug, Clone)]
pub struct TakeBack {
    /// Its number.
    pub import: i64,
    /// In again.
    pub again: bool,
}

impl Action for TakeBack {
    fn verb(&self) -> &'static str {
        if self.again { "account.import.redo" } else { "account.import.undo" }
    }
    fn needs(&self) -> Role {
        Role::Operator
    }
    fn apply<'a>(&'a self, cx: &'a mut Apply<'_>) -> BoxFuture<'a, Result<Done, ActionError>> {
        Box::pin(async move {
            let what = say::import_number(self.import);
            let Some((system, undone)) = imports::find(cx.tx, self.import).await? else {
                return Err(ActionError::NotFound { what });
            };
            let subject = if system.is_empty() { "hr" } else { &system };
            let last = store::feed(cx.tx, &system).await?.map(|f| f.id);
            // only the newest can be taken back, and only what nothing came after can come again
            if undone != self.again
                || (!self.again && last != Some(self.import))
                || (self.again && last > Some(self.import))
            {
                return Err(cx.conflict(what, "account", subject).await);
            }
            let n = imports::restore(cx.tx, self.import, &system, self.again, cx.now).await?;
            let value = json!({"import": self.import, "system": system, "restored": n, "again": self.again});
            let message = if self.again { say::import_again(self.import, n) } else { say::import_back(self.import, n) };
            Ok(Done::new("account", subject, message)
                .undo(Self { import: self.import, again: !self.again })
                .detail(value.clone())
                .value(value))
        })
    }
}

/// What is decided about a finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// `freeze`, `keep` or `ask`
    pub decision: String,
    /// Why.
    pub reason: String,
    /// Until when it holds; a keep needs it, an ask gets the time to answer.
    pub until: Option<Millis>,
}

/// Decides on a finding; no verdict takes the decision back.
#[derive(Debug, Clone)]
pub struct Decide {
    /// The finding.
    pub finding: String,
    /// The system of the account; empty where there is none.
    pub system: String,
    /// The account it is about.
    pub account: String,
    /// What is decided.
    pub verdict: Option<Verdict>,
    /// When the decision was made that the one who decides has seen (`Some(None)`: none was); `None`: not asked.
    pub seen: Option<Option<Millis>>,
}

impl Action for Decide {
    fn verb(&self) -> &'static str {
        "account.decide"
    }
    fn needs(&self) -> Role {
        Role::Operator
    }
    fn apply<'a>(&'a self, cx: &'a mut Apply<'_>) -> BoxFuture<'a, Result<Done, ActionError>> {
        Box::pin(async move {
            let before = store::decision(cx.tx, &self.finding).await?;
            if self.seen.is_some_and(|seen| seen != before.as_ref().map(|d| d.at)) {
                return Err(cx.conflict(self.finding.clone(), "account", &self.account).await);
            }
            let decided = match &self.verdict {
                None => None,
                Some(v) => Some(self.judge(cx, v).await?),
            };
            store::decide(cx.tx, &self.finding, decided.as_ref()).await?;
            // what was over or done already is not decided anew: without it the finding is open, as it was
            let holds = |d: &Decision| d.done_at.is_none() && d.until.is_none_or(|u| u > cx.now);
            let back = before.filter(holds).map(|b| Verdict { decision: b.decision, reason: b.reason, until: b.until });
            let undo = Self { verdict: back, seen: Some(decided.as_ref().map(|d| d.at)), ..self.clone() };
            // a file cannot freeze anybody: until an import shows the account disabled the freeze is only instructed
            let word = decided.as_ref().map_or("none", |d| d.decision.as_str());
            let stands = if decided.is_some() { state(decided.as_ref(), true, cx.now) } else { State::Open };
            let value = json!({
                "id": self.finding, "system": self.system, "account": self.account, "decision": word,
                "state": stands.word(), "reason": decided.as_ref().map(|d| &d.reason),
                "until": decided.as_ref().and_then(|d| d.until).map(rfc3339),
            });
            let subject = match self.system.as_str() {
                "" => self.account.clone(),
                system => format!("{system}/{}", self.account),
            };
            Ok(Done::new("account", &self.account, say::decided(&subject, &super::words::decision_word(word)))
                .undo(undo)
                .detail(value.clone())
                .value(value))
        })
    }
}

impl Decide {
    /// The decision that `v` asks for, or why it cannot be.
    async fn judge(&self, cx: &mut Apply<'_>, v: &Verdict) -> Result<Decision, ActionError> {
        let refuse = |why: String| Err(ActionError::Invalid(why));
        if v.reason.trim().is_empty() {
            return refuse(say::needs_reason());
        }
        let enabled = store::enabled(cx.tx, &self.system, &self.account).await?;
        let mut until = v.until;
        let instruction = match v.decision.as_str() {
            "freeze" => match enabled {
                None => return refuse(say::nothing_to_freeze()),
                Some(true) => "freeze",
                Some(false) => "remove_rights",
            },
            "keep" if until.is_none_or(|u| u <= cx.now) => return refuse(say::needs_review()),
            "keep" => "",
            "ask" => {
                let zone = zone(&cx.config.accounts);
                let due = cx.now + cx.config.accounts.answer_within.millis();
                until = until.or_else(|| day_of(due, zone).map(|day| end_of_day(day, zone)));
                if until.is_none_or(|u| u <= cx.now) {
                    return refuse(say::needs_future());
                }
                ""
            }
            _ => return refuse(say::decisions()),
        };
        Ok(Decision {
            finding: self.finding.clone(),
            system: self.system.clone(),
            account: self.account.clone(),
            decision: v.decision.clone(),
            instruction: instruction.into(),
            reason: v.reason.trim().to_owned(),
            until,
            actor: cx.actor.name.clone(),
            at: cx.now,
            done_at: None,
        })
    }
}
