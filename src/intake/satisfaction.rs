//! How content the reporter is: one answer a ticket.

use serde_json::json;

use crate::action::{Action, ActionError, Apply, BoxFuture, Done, Role};
use crate::args;
use crate::clock::{Millis, rfc3339};
use crate::intake::model::Channel;
use crate::intake::store;
use crate::locale::intake as say;
use crate::store::{Store, StoreError};

/// Gives a resolved ticket its score.
#[derive(Debug, Clone)]
pub struct Rate {
    /// The ticket.
    pub ticket: i64,
    /// 1 (not at all) to 5 (entirely).
    pub score: i64,
    /// Why.
    pub comment: String,
    /// The way it came.
    pub channel: Channel,
    /// Which token, mailbox or application; it must have reported the ticket. `None`: a link that was made for it.
    pub source: Option<String>,
}

impl Action for Rate {
    fn verb(&self) -> &'static str {
        "ticket.satisfaction"
    }
    fn needs(&self) -> Role {
        Role::Operator
    }
    fn apply<'a>(&'a self, cx: &'a mut Apply<'_>) -> BoxFuture<'a, Result<Done, ActionError>> {
        Box::pin(async move {
            let named = format!("#{}", self.ticket);
            let missing = || ActionError::NotFound { what: named.clone() };
            if let Some(source) = &self.source {
                let contacts = store::contacts_in(cx.tx, self.ticket).await?;
                if !contacts.iter().any(|c| c.channel == self.channel.word() && c.source == *source) {
                    return Err(missing());
                }
            }
            let id = self.ticket;
            let state = cx.tx.row("SELECT state FROM ticket WHERE id = $1", args![id], |r| r.get::<String>(0)).await?;
            if state.ok_or_else(missing)? != "resolved" {
                return Err(ActionError::Taken(say::rate_when_resolved(id)));
            }
            let added = cx
                .tx
                .exec(
                    "INSERT INTO satisfaction(ticket_id, score, comment, channel, at) VALUES ($1, $2, $3, $4, $5) \
                     ON CONFLICT DO NOTHING",
                    args![id, self.score, self.comment.as_str(), self.channel.word(), cx.now],
                )
                .await?;
            if added == 0 {
                return Err(ActionError::Taken(say::rated_before(id)));
            }
            let value = json!({"id": id, "score": self.score, "at": rfc3339(cx.now)});
            let detail = json!({"score": self.score, "comment": self.comment, "channel": self.channel.word()});
            Ok(Done::new("ticket", id, say::rated(id, self.score)).detail(detail).value(json!({"answer": value})))
        })
    }
}

/// The score of a ticket, where one was given.
///
/// # Errors
/// When the store does not answer.
pub async fn score(store: &Store, ticket: i64) -> Result<Option<i64>, StoreError> {
    store.row("SELECT score FROM satisfaction WHERE ticket_id = $1", args![ticket], |r| r.get(0)).await
}

/// How content reporters were over a while; a figure is of use only beside how many gave one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Summary {
    /// Tickets resolved in the while that came from somebody who could be asked.
    pub asked: i64,
    /// Those of them that were given a score.
    pub answered: i64,
    /// The mean score, 1 to 5; none without answers.
    pub average: Option<f64>,
    /// Scores from 1 to 5.
    pub scores: [i64; 5],
}

impl Summary {
    /// The share of those asked that answered, 0 to 1; none when nobody was asked.
    pub fn rate(&self) -> Option<f64> {
        (self.asked > 0).then(|| self.answered as f64 / self.asked as f64)
    }
}

/// The satisfaction with tickets resolved from `from` on and before `to`. A ticket that an operator or a monitoring
/// system reported has nobody to ask.
///
/// # Errors
/// When the store does not answer.
pub async fn summary(store: &Store, from: Millis, to: Millis) -> Result<Summary, StoreError> {
    let sql = "SELECT s.score, count(*) FROM ticket t LEFT JOIN satisfaction s ON s.ticket_id = t.id \
               WHERE t.state = 'resolved' AND t.resolved_at >= $1 AND t.resolved_at < $2 AND EXISTS \
               (SELECT 1 FROM arrival a WHERE a.ticket_id = t.id AND a.channel <> 'alert') GROUP BY s.score";
    let rows: Vec<(Option<i64>, i64)> = store.rows(sql, args![from, to], |r| Ok((r.get(0)?, r.get(1)?))).await?;
    let mut summary = Summary { asked: 0, answered: 0, average: None, scores: [0; 5] };
    let mut sum = 0;
    for (score, n) in rows {
        summary.asked += n;
        if let Some(score) = score.filter(|s| (1..=5).contains(s)) {
            summary.answered += n;
            sum += score * n;
            summary.scores[usize::try_from(score - 1).unwrap_or_default()] += n;
        }
    }
    summary.average = (summary.answered > 0).then(|| sum as f64 / summary.answered as f64);
    Ok(summary)
}
