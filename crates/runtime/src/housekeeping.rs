//! Periodic deletion of expired data.

use std::{sync::Arc, time::Duration};

use rapidphoto_application::{Housekeeping, uploads::UploadSweep};
use tokio_util::sync::CancellationToken;

use crate::database::Database;

/// Time between two runs.
const INTERVAL: Duration = Duration::from_mins(10);

/// Deletes expired data at intervals, sweeps uploads in parts if this process does that, and the traces of erased data, until `shutdown` is cancelled.
pub(crate) async fn run(
    housekeeping: Housekeeping,
    sweep: Option<UploadSweep>,
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
                "deleted expired tokens, tickets and idempotency keys"
            ),
            Err(error) => {
                tracing::warn!(%error, "expired tokens can't be deleted; trying again in 10 minutes");
            }
        }
        if let Some(sweep) = &sweep {
            match sweep.handle().await {
                Ok(0) => {}
                Ok(aborted) => tracing::info!(aborted, "aborted uploads in parts that no photo needs"),
                Err(error) => {
                    tracing::warn!(%error, "uploads in parts that no photo needs can't be aborted; trying again in 10 minutes");
                }
            }
        }
        database.remove_traces().await;
    }
}
