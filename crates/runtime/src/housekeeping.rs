//! Periodic deletion of expired data.

use std::{sync::Arc, time::Duration};

use rapidphoto_application::{Outside, progress::ProgressBoard};
use tokio_util::sync::CancellationToken;

/// Time between two runs.
const INTERVAL: Duration = Duration::from_mins(10);
/// Time after an upload's window during which its progress is still kept: by then the upload has expired or completed.
const MARGIN: Duration = Duration::from_hours(1);

/// Deletes expired tokens, tickets and idempotency keys, and the progress of uploads without a report for longer than
/// `window`, until `shutdown` is cancelled.
pub(crate) async fn housekeeping(
    outside: Outside,
    board: Arc<ProgressBoard>,
    window: Duration,
    shutdown: CancellationToken,
) {
    while shutdown
        .run_until_cancelled(tokio::time::sleep(INTERVAL))
        .await
        .is_some()
    {
        let now = outside.clock.now();
        board.forget_silent(now - window - MARGIN);
        match outside.sessions.forget_expired(now).await {
            Ok(0) => {}
            Ok(deleted) => tracing::debug!(deleted, "deleted expired tokens, tickets and idempotency keys"),
            Err(error) => {
                tracing::warn!(%error, "expired tokens can't be deleted; trying again in 10 minutes");
            }
        }
    }
}
