use std::{fmt, future::Future, sync::Arc, time::Duration};

use rapidphoto_application::ports::{
    Aggregates, EventLog, IdempotencyReads, JobReads, Journal, PhotoReads, Sessions, StateRows,
    Subscriptions, UserReads, WorkQueue,
};
use rapidphoto_domain::Timestamp;

/// The ports of one record, whichever types of an adapter implement them.
#[derive(Clone)]
pub struct Record {
    /// Writes.
    pub journal: Arc<dyn Journal>,
    /// The log.
    pub log: Arc<dyn EventLog>,
    /// Loads aggregates.
    pub aggregates: Arc<dyn Aggregates>,
    /// Walks over state rows.
    pub rows: Arc<dyn StateRows>,
    /// Claims work.
    pub work: Arc<dyn WorkQueue>,
    /// Leases subscriptions.
    pub subscriptions: Arc<dyn Subscriptions>,
    /// Refresh tokens and stream tickets.
    pub sessions: Arc<dyn Sessions>,
    /// Reads jobs.
    pub jobs: Arc<dyn JobReads>,
    /// Reads photos.
    pub photos: Arc<dyn PhotoReads>,
    /// Reads users.
    pub users: Arc<dyn UserReads>,
    /// Reads idempotency records.
    pub idempotency: Arc<dyn IdempotencyReads>,
}

impl Record {
    /// A record of which one type implements everything.
    pub fn of<R>(record: Arc<R>) -> Self
    where
        R: Journal
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
            + 'static,
    {
        Self {
            journal: record.clone(),
            log: record.clone(),
            aggregates: record.clone(),
            rows: record.clone(),
            work: record.clone(),
            subscriptions: record.clone(),
            sessions: record.clone(),
            jobs: record.clone(),
            photos: record.clone(),
            users: record.clone(),
            idempotency: record,
        }
    }
}

impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Record").finish_non_exhaustive()
    }
}

/// An adapter's record as the contract meets it.
pub trait RecordHarness: Sized {
    /// A new, empty store whose clock stands still at some whole millisecond.
    fn fresh() -> impl Future<Output = Self>;

    /// The store's record.
    fn record(&self) -> Record;

    /// Another namespace of the same store.
    fn neighbour(&self) -> Record;

    /// What the store's clock says.
    fn now(&self) -> Timestamp;

    /// Moves the store's clock.
    fn advance(&self, by: Duration) -> impl Future<Output = ()>;

    /// The same store after its process ended and another began, where the adapter outlives its process.
    fn reopened(self) -> impl Future<Output = Self> {
        async { self }
    }
}
