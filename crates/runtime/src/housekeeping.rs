//! Periodic housekeeping.

use std::time::Duration;

use rapidphoto_application::Housekeeping;
use tokio_util::sync::CancellationToken;

const INTERVAL: Duration = Duration::from_mins(10);

/// Removes expired data at intervals, until `shutdown`.
pub(crate) async fn run(housekeeping: Housekeeping, shutdown: CancellationToken) {
    while shutdown
        .run_until_cancelled(tokio::time::sleep(INTERVAL))
        .await
        .is_some()
    {
        match housekeeping.handle().await {
            Ok(0) => {}
            Ok(removed) => tracing::debug!(removed, "removed expired tokens, tickets and idempotency keys"),
            Err(why) => tracing::warn!(error = %why, "expired tokens can't be removed now"),
        }
    }
}
