use std::{fmt, sync::Arc};

use super::{
    AccessTokens, Aggregates, Clock, Commit, DeadLetters, EventLog, EventMetadata, FreeSpace,
    IdempotencyReads, Ids, JobReads, Journal, MultipartUploads, ObjectStore, PasswordHasher, PhotoInspector,
    PhotoReads, Presigner, ProgressTicks, Sessions, StateRows, Subscriptions, UploadActivity, UsageReads,
    UserReads, WorkQueue,
};

/// Every port, as the composition root hands them to the use cases.
#[derive(Clone)]
#[expect(missing_docs, reason = "each field is named and documented by its port")]
pub struct Ports {
    pub clock: Arc<dyn Clock>,
    pub ids: Arc<dyn Ids>,
    pub database: DatabasePorts,
    pub objects: Arc<dyn ObjectStore>,
    pub multipart: Arc<dyn MultipartUploads>,
    pub presigner: Arc<dyn Presigner>,
    pub passwords: Arc<dyn PasswordHasher>,
    pub tokens: Arc<dyn AccessTokens>,
    pub inspector: Arc<dyn PhotoInspector>,
    pub ticks: Arc<dyn ProgressTicks>,
    pub free_space: Arc<dyn FreeSpace>,
    pub dead_letters: Arc<dyn DeadLetters>,
}

/// The ports of one database. They share its data: what the journal has committed, the others read.
#[derive(Clone)]
#[expect(missing_docs, reason = "each field is named and documented by its port")]
pub struct DatabasePorts {
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
    pub activity: Arc<dyn UploadActivity>,
    pub usage: Arc<dyn UsageReads>,
}

/// The ports that a use case needs to decide and write.
#[derive(Clone)]
pub struct WritePorts {
    /// Loads the aggregates to decide on.
    pub aggregates: Arc<dyn Aggregates>,
    /// Writes the decision.
    pub journal: Arc<dyn Journal>,
    /// Source of the times of commits.
    pub clock: Arc<dyn Clock>,
    /// Generates the ids of new events and aggregates.
    pub ids: Arc<dyn Ids>,
}

impl Ports {
    /// The ports that a use case needs to decide and write.
    pub fn write_ports(&self) -> WritePorts {
        WritePorts {
            aggregates: Arc::clone(&self.database.aggregates),
            journal: Arc::clone(&self.database.journal),
            clock: Arc::clone(&self.clock),
            ids: Arc::clone(&self.ids),
        }
    }
}

impl DatabasePorts {
    /// The ports of a database adapter of which one type implements all.
    pub fn of<D>(database: Arc<D>) -> Self
    where
        D: Journal
            + EventLog
            + Aggregates
            + StateRows
            + WorkQueue
            + Subscriptions
            + Sessions
            + JobReads
            + PhotoReads
            + UserReads
            + IdempotencyReads
            + UploadActivity
            + UsageReads
            + 'static,
    {
        Self {
            journal: database.clone(),
            log: database.clone(),
            aggregates: database.clone(),
            state_rows: database.clone(),
            work: database.clone(),
            subscriptions: database.clone(),
            sessions: database.clone(),
            jobs: database.clone(),
            photos: database.clone(),
            users: database.clone(),
            idempotency: database.clone(),
            activity: database.clone(),
            usage: database,
        }
    }
}

impl WritePorts {
    /// Empty commit with the current time.
    pub(crate) fn commit(&self, metadata: EventMetadata) -> Commit {
        Commit::new(self.clock.now(), metadata)
    }
}

impl fmt::Debug for DatabasePorts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DatabasePorts").finish_non_exhaustive()
    }
}
