//! Deletion of expired data.

use std::{sync::Arc, time::Duration};

use crate::{
    ports::{AttemptCounters, Clock, Ports, Sessions, Unavailable, UploadActivity},
    settings::UploadSettings,
};

/// Deletes expired sessions, stream tickets, idempotency records and counted attempts, and the signs of life of uploads that
/// are over.
pub struct Housekeeping {
    clock: Arc<dyn Clock>,
    sessions: Arc<dyn Sessions>,
    activity: Arc<dyn UploadActivity>,
    attempts: Arc<dyn AttemptCounters>,
    /// Time without progress after which an upload is over.
    inactivity_limit: Duration,
}

impl Housekeeping {
    /// Housekeeping on these ports.
    pub fn new(ports: &Ports, settings: &UploadSettings) -> Self {
        Self {
            clock: Arc::clone(&ports.clock),
            sessions: Arc::clone(&ports.database.sessions),
            activity: Arc::clone(&ports.database.activity),
            attempts: Arc::clone(&ports.database.attempts),
            inactivity_limit: settings.inactivity_limit(),
        }
    }

    /// Deletes expired data. Returns the number of deleted sessions, tickets and idempotency records.
    pub async fn handle(&self) -> Result<u64, Unavailable> {
        let inactive = self.clock.now() - self.inactivity_limit;
        self.activity.delete_activity(inactive).await?;
        self.attempts.delete_expired_attempts().await?;
        self.sessions.delete_expired(self.sessions.now().await?).await
    }
}
