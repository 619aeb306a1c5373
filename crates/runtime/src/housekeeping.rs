//! Periodic deletion of expired data.

use std::{sync::Arc, time::Duration};

use rapidphoto_application::{Housekeeping, ports::Clock, progress::ProgressBoard, uploads::UploadSweep};
use tokio_util::sync::CancellationToken;

use crate::database::Database;

/// Time between two runs.
const INTERVAL: Duration = Duration::from_mins(10);

/// Deletes expired data, aborts uploads in parts that no photo needs, and removes the traces of erased data, at intervals
/// until `shutdown` is cancelled.
pub(crate) async fn run(
    housekeeping: Housekeeping,
    sweep: UploadSweep,
    database: Arc<dyn Database>,
    shutdown: CancellationToken,
) {
    while shutdown
        .run_until_cancelled(tokio::time::sleep(INTERVAL))
        .await
        .is_some()
    {
        match housekeeping.handle().await {
            Ok(0) => {}
            Ok(deleted) => tracing::debug!(
                forgotten = deleted,
                "deleted expired sessions, tickets and idempotency keys"
            ),
            Err(error) => {
                tracing::warn!(%error, "expired rows can't be deleted; trying again in 10 minutes");
            }
        }
        match sweep.handle().await {
            Ok(0) => {}
            Ok(aborted) => tracing::info!(aborted, "aborted uploads in parts that no photo needs"),
            Err(error) => {
                tracing::warn!(%error, "uploads in parts that no photo needs can't be aborted; trying again in 10 minutes");
            }
        }
        database.remove_traces().await;
    }
}

/// Removes at intervals the progress of uploads that have been inactive for the limit, until `shutdown` is cancelled.
pub(crate) async fn remove_inactive(
    board: Arc<ProgressBoard>,
    clock: Arc<dyn Clock>,
    limit: Duration,
    shutdown: CancellationToken,
) {
    while shutdown
        .run_until_cancelled(tokio::time::sleep(INTERVAL))
        .await
        .is_some()
    {
        board.remove_inactive(clock.now() - limit);
    }
}
