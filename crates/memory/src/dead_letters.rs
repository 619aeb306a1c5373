use std::{collections::VecDeque, sync::Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use rapidphoto_application::ports::{DeadLetter, DeadLetters, Unavailable};
use rapidphoto_domain::Timestamp;

use crate::{Faults, Operation, lock::lock};

/// Dead-letter queue in memory.
#[derive(Default)]
pub struct MemoryDeadLetters {
    queues: Mutex<Queues>,
    faults: Faults,
}

#[derive(Default)]
struct Queues {
    dead: VecDeque<(DeadLetter, Bytes)>,
    redriven: Vec<Bytes>,
    last_id: u64,
}

impl MemoryDeadLetters {
    /// Adds a message.
    pub fn add(&self, reason: &str, body: Bytes, at: Timestamp) {
        let mut queues = lock(&self.queues);
        queues.last_id += 1;
        let letter = DeadLetter {
            id: queues.last_id.to_string(),
            reason: reason.to_owned(),
            first_at: Some(at),
            preview: body.slice(..body.len().min(DeadLetter::PREVIEW_BYTES)),
            bytes: body.len(),
        };
        queues.dead.push_back((letter, body));
    }

    /// Bodies of the messages that were moved back to the queue of notifications, in order.
    pub fn redriven(&self) -> Vec<Bytes> {
        lock(&self.queues).redriven.clone()
    }

    /// Planned failures of [`Operation::Broker`].
    pub const fn faults(&self) -> &Faults {
        &self.faults
    }
}

#[async_trait]
impl DeadLetters for MemoryDeadLetters {
    async fn list(&self, limit: usize) -> Result<Vec<DeadLetter>, Unavailable> {
        self.faults.enter(Operation::Broker).await?;
        let queues = lock(&self.queues);
        let letters = queues.dead.iter().take(limit);
        Ok(letters.map(|(letter, _)| letter.clone()).collect())
    }

    async fn redrive(&self, id: &str) -> Result<bool, Unavailable> {
        self.faults.enter(Operation::Broker).await?;
        let mut queues = lock(&self.queues);
        let found = queues.dead.iter().position(|(letter, _)| letter.id == id);
        let Some((_, body)) = found.and_then(|index| queues.dead.remove(index)) else {
            return Ok(false);
        };
        queues.redriven.push(body);
        Ok(true)
    }

    async fn redrive_all(&self) -> Result<u64, Unavailable> {
        self.faults.enter(Operation::Broker).await?;
        let mut queues = lock(&self.queues);
        let bodies: Vec<Bytes> = queues.dead.drain(..).map(|(_, body)| body).collect();
        let redriven = bodies.len() as u64;
        queues.redriven.extend(bodies);
        Ok(redriven)
    }
}
