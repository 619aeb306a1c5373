use std::{future::Future, time::Duration};

use crate::ClientError;

/// Attempts of a request, with the first one; with the pauses between them, about a minute and a half.
const MAX_ATTEMPTS: u32 = 9;
/// Pause before the second attempt; it doubles with every further one.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
/// Longest pause, unless the server asks for a longer one.
const MAX_PAUSE: Duration = Duration::from_secs(30);
/// A longer `Retry-After` is an error: quotas of a day are not waited for.
const MAX_RETRY_AFTER: Duration = Duration::from_mins(5);

/// Attempts of one request.
#[derive(Debug, Default)]
pub(crate) struct Attempts {
    failed: u32,
}

impl Attempts {
    /// Waits before the next attempt, at least as long as the server asks; returns the error if none may succeed.
    pub(crate) async fn pause_after(&mut self, error: ClientError) -> Result<(), ClientError> {
        self.failed += 1;
        let asked = error.retry_after().unwrap_or_default();
        if !error.is_transient() || self.failed >= MAX_ATTEMPTS || asked > MAX_RETRY_AFTER {
            return Err(error);
        }
        let pause = FIRST_PAUSE.saturating_mul(1 << (self.failed - 1)).min(MAX_PAUSE);
        tokio::time::sleep(pause.max(asked)).await;
        Ok(())
    }
}

/// Repeats a call while it fails with a [transient](ClientError::is_transient) error, up to 9 times, with growing pauses that are
/// at least as long as the server's `Retry-After`. The call must be safe to repeat.
pub async fn with_retries<T, F: Future<Output = Result<T, ClientError>>>(
    call: impl Fn() -> F,
) -> Result<T, ClientError> {
    let mut attempts = Attempts::default();
    loop {
        match call().await {
            Ok(value) => return Ok(value),
            Err(error) => attempts.pause_after(error).await?,
        }
    }
}
