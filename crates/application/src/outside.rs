//! All ports together, as the composition root hands them in.

use std::sync::Arc;

use crate::{
    ports::{
        AccessTokens, Aggregates, Clock, EventLog, IdempotencyReads, Ids, JobReads, Journal, ObjectStore,
        PasswordHasher, PhotoInspector, PhotoReads, Presigner, Sessions, StateRows, Subscriptions, UserReads,
        WorkQueue,
    },
    record::Record,
};

/// Everything outside that the use cases stand on.
#[derive(Clone)]
#[expect(missing_docs, reason = "each field is named and documented by its port")]
pub struct Outside {
    pub clock: Arc<dyn Clock>,
    pub ids: Arc<dyn Ids>,
    pub journal: Arc<dyn Journal>,
    pub log: Arc<dyn EventLog>,
    pub aggregates: Arc<dyn Aggregates>,
    pub state_rows: Arc<dyn StateRows>,
    pub work: Arc<dyn WorkQueue>,
    pub subscriptions: Arc<dyn Subscriptions>,
    pub sessions: Arc<dyn Sessions>,
    pub jobs: Arc<dyn JobReads>,
    pub photos: Arc<dyn PhotoReads>,
    pub users: Arc<dyn UserReads>,
    pub idempotency: Arc<dyn IdempotencyReads>,
    pub objects: Arc<dyn ObjectStore>,
    pub presigner: Arc<dyn Presigner>,
    pub passwords: Arc<dyn PasswordHasher>,
    pub tokens: Arc<dyn AccessTokens>,
    pub inspector: Arc<dyn PhotoInspector>,
}

impl Outside {
    /// The part that a decision needs.
    pub fn record(&self) -> Record {
        Record {
            aggregates: Arc::clone(&self.aggregates),
            journal: Arc::clone(&self.journal),
            clock: Arc::clone(&self.clock),
            ids: Arc::clone(&self.ids),
        }
    }
}
