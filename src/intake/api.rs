//! The JSON of the feedback interface, and what it means.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::intake::actions::{Report, Said};
use crate::intake::model::{
    Channel, Fault, NAME_MAX, Sender, TEXT_MAX, TITLE_MAX, at_most, digest, instant, one_of, required, whole,
};
use crate::locale::intake as say;
use crate::tickets::model::{SCOPES, SEVERITIES};

/// A report of somebody who uses the OA.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewTicket {
    /// One line.
    #[schema(min_length = 1, max_length = 1000, pattern = r"\S", example = "审批提交后一直转圈")]
    pub title: String,
    /// Everything else.
    #[serde(default)]
    #[schema(max_length = 100_000)]
    pub body: Option<String>,
    /// Who is affected; `individual` where it is not given.
    #[serde(default)]
    #[schema(value_type = Option<Scope>)]
    pub scope: Option<String>,
    /// How badly; `general` where it is not given.
    #[serde(default)]
    #[schema(value_type = Option<Severity>)]
    pub severity: Option<String>,
    /// Who reports.
    pub reporter: Reporter,
    /// The part of the OA it is about.
    #[serde(default)]
    #[schema(max_length = 256, example = "workflow")]
    pub module: Option<String>,
    /// When they noticed; now where it is not given, never later than now.
    #[serde(default)]
    #[schema(format = DateTime, example = "2026-11-24T09:30:00+08:00")]
    pub reported_at: Option<String>,
}

/// Who is affected.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// One person.
    Individual,
    /// A department.
    Department,
    /// Everybody.
    Company,
}

/// How badly.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// A nuisance.
    General,
    /// Work suffers.
    Important,
    /// Work stands still.
    Urgent,
}

/// A person who uses the OA.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Reporter {
    /// Their account.
    #[schema(min_length = 1, max_length = 256, pattern = r"\S", example = "zhangmin")]
    pub id: String,
    /// What they are called.
    #[serde(default)]
    #[schema(max_length = 256, example = "张敏")]
    pub name: Option<String>,
    /// How to reach them.
    #[serde(default)]
    #[schema(max_length = 256, example = "8021")]
    pub contact: Option<String>,
}

/// What the sender is told of a ticket.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct TicketAnswer {
    /// Its number.
    pub id: i64,
    /// `general`, `important` or `urgent`.
    pub level: String,
    /// `new`, `open`, `waiting`, `resolved` or `merged`.
    pub state: String,
    /// When it was noticed.
    #[schema(format = DateTime)]
    pub reported_at: String,
    /// Until when somebody answers; none once they did.
    #[schema(format = DateTime)]
    pub response_due: Option<String>,
    /// Until when it is solved; none while it waits.
    #[schema(format = DateTime)]
    pub resolution_due: Option<String>,
}

/// A ticket as its reporter sees it.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct TicketView {
    /// As when it was reported, as it is now.
    #[serde(flatten)]
    pub ticket: TicketAnswer,
    /// One line.
    pub title: String,
    /// When somebody first answered.
    #[schema(format = DateTime)]
    pub responded_at: Option<String>,
    /// When it was solved.
    #[schema(format = DateTime)]
    pub resolved_at: Option<String>,
    /// How it was solved.
    pub solution: Option<String>,
    /// The ticket that it was joined with.
    pub merged_into: Option<i64>,
    /// What was said between the reporter and the desk, oldest first.
    pub messages: Vec<MessageView>,
    /// The score that was given, 1 to 5.
    pub satisfaction: Option<i64>,
}

/// Something said in public.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct MessageView {
    /// When.
    #[schema(format = DateTime)]
    pub at: String,
    /// `desk` or `reporter`.
    pub from: String,
    /// What.
    pub text: String,
}

/// Something more from the reporter.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewMessage {
    /// What.
    #[schema(min_length = 1, max_length = 100_000, pattern = r"\S")]
    pub text: String,
    /// Who writes; who reported the ticket where it is not given.
    #[serde(default)]
    pub reporter: Option<Reporter>,
}

/// How content the reporter is.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSatisfaction {
    /// 1 (not at all) to 5 (entirely).
    #[serde(deserialize_with = "whole")]
    #[schema(minimum = 1, maximum = 5)]
    pub score: i64,
    /// Why.
    #[serde(default)]
    #[schema(max_length = 2000)]
    pub comment: Option<String>,
}

impl Reporter {
    fn check(&self, at: &str) -> Result<Sender, Vec<Fault>> {
        let name = self.name.clone().unwrap_or_default();
        let contact = self.contact.clone().unwrap_or_default();
        let faults: Vec<Fault> = [
            required(&format!("{at}/id"), &self.id, NAME_MAX),
            at_most(&format!("{at}/name"), &name, NAME_MAX),
            at_most(&format!("{at}/contact"), &contact, NAME_MAX),
        ]
        .into_iter()
        .filter_map(Result::err)
        .collect();
        if faults.is_empty() { Ok(Sender { address: self.id.clone(), name, contact }) } else { Err(faults) }
    }
}

impl NewTicket {
    /// The report that `source` makes by sending this, as the bytes `sent`, under `key`.
    ///
    /// # Errors
    /// Every field that is wrong.
    pub fn report(self, source: &str, key: Option<String>, sent: &[u8]) -> Result<Report, Vec<Fault>> {
        let body = self.body.unwrap_or_default();
        let module = self.module.unwrap_or_default();
        let scope = self.scope.unwrap_or_else(|| "individual".into());
        let severity = self.severity.unwrap_or_else(|| "general".into());
        let mut faults: Vec<Fault> = [
            required("/title", &self.title, TITLE_MAX),
            at_most("/body", &body, TEXT_MAX),
            one_of("/scope", &scope, &SCOPES),
            one_of("/severity", &severity, &SEVERITIES),
            at_most("/module", &module, NAME_MAX),
        ]
        .into_iter()
        .filter_map(Result::err)
        .collect();
        let reported_at = match self.reported_at.as_deref().map(|t| instant("/reported_at", t)).transpose() {
            Ok(at) => at,
            Err(fault) => {
                faults.push(fault);
                None
            }
        };
        let sender = self.reporter.check("/reporter").unwrap_or_else(|more| {
            faults.extend(more);
            Sender::default()
        });
        if !faults.is_empty() {
            return Err(faults);
        }
        Ok(Report {
            channel: Channel::Api,
            source: source.into(),
            key,
            digest: digest(sent),
            sender,
            module,
            title: self.title,
            body,
            scope,
            severity,
            reported_at,
        })
    }
}

impl NewMessage {
    /// The message that `source` sends to `ticket` with this.
    ///
    /// # Errors
    /// Every field that is wrong.
    pub fn said(self, source: &str, ticket: i64, key: Option<String>, sent: &[u8]) -> Result<Said, Vec<Fault>> {
        let mut faults: Vec<Fault> = required("/text", &self.text, TEXT_MAX).err().into_iter().collect();
        let sender = match self.reporter.map(|r| r.check("/reporter")).transpose() {
            Ok(sender) => sender.unwrap_or_default(),
            Err(more) => {
                faults.extend(more);
                Sender::default()
            }
        };
        if !faults.is_empty() {
            return Err(faults);
        }
        Ok(Said {
            channel: Channel::Api,
            source: source.into(),
            key,
            digest: digest(sent),
            sender,
            ticket,
            text: self.text,
        })
    }
}

impl NewSatisfaction {
    /// Checks it.
    ///
    /// # Errors
    /// Every field that is wrong.
    pub fn check(&self) -> Result<(), Vec<Fault>> {
        let mut faults = Vec::new();
        if !(1..=5).contains(&self.score) {
            faults.push(Fault::new("/score", say::score_shape()));
        }
        faults.extend(at_most("/comment", self.comment.as_deref().unwrap_or_default(), 2_000).err());
        if faults.is_empty() { Ok(()) } else { Err(faults) }
    }
}
