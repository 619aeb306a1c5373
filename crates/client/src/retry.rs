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

#[cfg(test)]
mod tests {
    use rapidphoto_api_types::Problem;

    use super::*;
    use crate::ProblemResponse;

    fn problem(status: u16, retry_after: Option<u64>) -> ClientError {
        ClientError::Problem(Box::new(ProblemResponse {
            problem: Problem {
                kind: "about:blank".to_owned(),
                title: String::new(),
                status,
                detail: String::new(),
                code: String::new(),
                errors: Vec::new(),
                used: None,
                allowed: None,
                request_id: String::new(),
            },
            retry_after: retry_after.map(Duration::from_secs),
        }))
    }

    /// Pause after a first failure in milliseconds; `None` if there is no second attempt.
    async fn pause(error: ClientError) -> Option<u128> {
        let start = tokio::time::Instant::now();
        Attempts::default().pause_after(error).await.ok()?;
        Some(start.elapsed().as_millis())
    }

    #[tokio::test(start_paused = true)]
    async fn only_what_may_pass_is_repeated_and_not_before_the_server_allows_it() {
        assert_eq!(pause(problem(503, None)).await, Some(250));
        assert_eq!(pause(problem(429, Some(7))).await, Some(7_000));
        assert_eq!(
            pause(problem(429, Some(86_400))).await,
            None,
            "the quota of a day"
        );
        assert_eq!(pause(problem(422, None)).await, None);
        assert_eq!(pause(problem(507, Some(60))).await, None);
    }

    #[tokio::test(start_paused = true)]
    async fn attempts_end_with_the_last_error() {
        let calls = std::cell::Cell::new(0);
        let result: Result<(), _> = with_retries(|| {
            calls.set(calls.get() + 1);
            async { Err(problem(503, None)) }
        })
        .await;
        assert!(matches!(result, Err(ClientError::Problem(_))));
        assert_eq!(calls.get(), MAX_ATTEMPTS);
    }
}
