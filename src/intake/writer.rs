//! Makes what arrives durable, many in one commit: a sender waits for its own, not for everybody's disk.

use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};

use crate::action::{Action, ActionError, Actor, Door, Outcome, Role};
use crate::store::StoreError;

/// Most that wait; who comes later is told to come again.
const WAITING: usize = 4_096;
/// Most in one commit.
const TOGETHER: usize = 256;

type Answer = oneshot::Sender<Result<Outcome, ActionError>>;
type Wanted = (Arc<Actor>, Arc<dyn Action>, Answer);

/// The way to the one task that writes what arrives.
#[derive(Debug, Clone)]
pub struct Writer {
    queue: mpsc::Sender<Wanted>,
}

/// Why the writer did not do something.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// Too many wait already; nothing was changed.
    #[error("{}", crate::locale::intake::too_busy())]
    Busy,
    /// As from the door.
    #[error(transparent)]
    Action(#[from] ActionError),
}

/// The actor in whose name a source's messages are written.
pub fn actor(channel: &str, source: &str, origin: &str) -> Arc<Actor> {
    Arc::new(Actor {
        name: format!("{channel}:{source}"),
        role: Role::Operator,
        origin: origin.to_owned(),
        unclaimed: false,
    })
}

impl Writer {
    /// Starts the writing task on the current runtime; it ends when the last writer is dropped.
    pub fn start(door: Door) -> Self {
        let (queue, mut wanted) = mpsc::channel::<Wanted>(WAITING);
        tokio::spawn(async move {
            let mut batch = Vec::with_capacity(TOGETHER);
            while wanted.recv_many(&mut batch, TOGETHER).await > 0 {
                let (jobs, answers): (Vec<_>, Vec<_>) =
                    batch.drain(..).map(|(actor, action, answer)| ((actor, action), answer)).unzip();
                // a receiver that has gone was told nothing; its message is done all the same, and heard again by key
                // a task of its own: a message that brings it down takes its batch with it, not the way in
                let door = door.clone();
                let why = match tokio::spawn(async move { door.run_all(&jobs).await }).await {
                    Ok(Ok(results)) => {
                        answers.into_iter().zip(results).for_each(|(a, r)| _ = a.send(r));
                        continue;
                    }
                    Ok(Err(e)) => e.to_string(),
                    Err(e) => {
                        tracing::error!("intake: {e}");
                        e.to_string()
                    }
                };
                for answer in answers {
                    _ = answer.send(Err(StoreError::Unreachable(why.clone()).into()));
                }
            }
        });
        Self { queue }
    }

    /// Does `action` for `actor`; returns once it is durable.
    ///
    /// # Errors
    /// As [`Door::run`], or when too many wait.
    pub async fn write(&self, actor: Arc<Actor>, action: Arc<dyn Action>) -> Result<Outcome, WriteError> {
        let (answer, answered) = oneshot::channel();
        self.queue.try_send((actor, action, answer)).map_err(|_| WriteError::Busy)?;
        answered.await.map_err(|_| WriteError::Busy)?.map_err(WriteError::Action)
    }
}
