//! What nobody asks for and somebody has to do: forgetting.

use std::{sync::Arc, time::Duration};

use rapidphoto_application::{Outside, progress::ProgressBoard};
use tokio_util::sync::CancellationToken;

const EVERY: Duration = Duration::from_mins(10);
/// An upload that has told nothing for its whole window, and this, is over, one way or another.
const MARGIN: Duration = Duration::from_hours(1);

/// Forgets expired tokens, tickets and idempotency records, and uploads that fell silent for longer than `window`.
pub(crate) async fn keep_house(
    outside: Outside,
    board: Arc<ProgressBoard>,
    window: Duration,
    shutdown: CancellationToken,
) {
    while shutdown
        .run_until_cancelled(tokio::time::sleep(EVERY))
        .await
        .is_some()
    {
        let now = outside.clock.now();
        board.remove_inactive(now - window - MARGIN);
        match outside.sessions.delete_expired(now).await {
            Ok(0) => {}
            Ok(forgotten) => tracing::debug!(forgotten, "expired tokens, tickets and keys are forgotten"),
            Err(why) => tracing::warn!(error = %why, "expired tokens can't be forgotten now"),
        }
    }
}
