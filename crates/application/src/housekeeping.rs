//! Deletion of expired data.

use std::{sync::Arc, time::Duration};

use crate::{
    ports::{Clock, Ports, Sessions, Unavailable, UploadActivity},
    progress::ProgressBoard,
    settings::UploadSettings,
};

/// Removes expired refresh tokens, stream tickets and idempotency records, and the progress of uploads that are over.
pub struct Housekeeping {
    clock: Arc<dyn Clock>,
    sessions: Arc<dyn Sessions>,
    activity: Arc<dyn UploadActivity>,
    board: Arc<ProgressBoard>,
    /// Time without progress after which an upload is over.
    inactivity_limit: Duration,
}

/// Margin beyond an upload's window.
const MARGIN: Duration = Duration::from_hours(1);

impl Housekeeping {
    /// Housekeeping on these ports.
    pub fn new(ports: &Ports, board: Arc<ProgressBoard>, settings: &UploadSettings) -> Self {
        Self {
            clock: Arc::clone(&ports.clock),
            sessions: Arc::clone(&ports.database.sessions),
            activity: Arc::clone(&ports.database.activity),
            board,
            inactivity_limit: settings.window + MARGIN,
        }
    }

    /// Deletes expired data. Returns the number of deleted tokens, tickets and idempotency records.
    pub async fn handle(&self) -> Result<u64, Unavailable> {
        let now = self.clock.now();
        let inactive = now - self.inactivity_limit;
        self.board.remove_inactive(inactive);
        self.activity.delete_activity(inactive).await?;
        self.sessions.delete_expired(self.sessions.now().await?).await
    }
}
