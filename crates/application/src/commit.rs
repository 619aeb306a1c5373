//! Decisions under optimistic concurrency: load, decide, commit, and again if a stream was changed concurrently.

use std::{future::Future, time::Duration};

use crate::ports::{Commit, CommitError, Committed, Journal, Unavailable};

/// Every attempt to write a decision met a concurrent change. Nothing was written; the request can be repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{subject} was changed concurrently at each of {attempts} attempts")]
pub struct Contended {
    /// The subject of the decision, such as `the photo`.
    pub subject: &'static str,
    /// Number of attempts.
    pub attempts: u32,
}

/// Error of a decision without unique names, claims or subscriptions, whose commit can only conflict or be unavailable.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// A concurrent change won at every attempt.
    #[error(transparent)]
    Contended(#[from] Contended),
    /// The database can't be reached; the decision may or may not be written.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

impl From<CommitError> for WriteError {
    fn from(error: CommitError) -> Self {
        Self::Unavailable(error.into_unavailable())
    }
}

/// The result of one decision.
#[derive(Debug)]
pub enum Decided<T> {
    /// There is nothing to write.
    Nothing(T),
    /// A commit, and the value to return once it is written.
    Write(Box<Commit>, T),
}

impl<T> Decided<T> {
    /// A commit to write, unless it is empty.
    pub fn of(commit: Commit, value: T) -> Self {
        if commit.is_empty() {
            Self::Nothing(value)
        } else {
            Self::Write(Box::new(commit), value)
        }
    }
}

/// Limits of [`commit_with_retry`].
#[derive(Debug, Clone, Copy)]
pub struct RetryPolicy {
    /// The subject of the decision, for [`Contended`].
    pub subject: &'static str,
    /// Maximum number of attempts, each with a new decision.
    pub attempts: u32,
    /// Maximum number of times that a commit with an unknown outcome is sent again unchanged. Requires an idempotent
    /// commit: one with events, or one that ends a claim.
    pub repeats: u32,
    /// Returns true for errors after which the decision is made again.
    pub is_retryable: fn(&CommitError) -> bool,
}

impl RetryPolicy {
    /// Decides again after each version conflict. A commit with an unknown outcome is not repeated.
    pub const fn on_conflict(subject: &'static str, attempts: u32) -> Self {
        Self {
            subject,
            attempts,
            repeats: 0,
            is_retryable: |error| matches!(error, CommitError::Conflict(_)),
        }
    }
}

/// Pause before the first repetition of a commit with an unknown outcome; each further one is four times as long.
const FIRST_REPEAT: Duration = Duration::from_millis(50);

/// Commits the result of `decide`, which loads the aggregates itself. `decide` is called again, on their current state,
/// after an error that the policy retries.
///
/// # Errors
/// [`Contended`] if the policy's attempts are used up; the commit's error if the policy does not retry it; any error of
/// `decide`.
pub async fn commit_with_retry<T, E, D>(
    journal: &dyn Journal,
    policy: RetryPolicy,
    decide: impl Fn() -> D + Send + Sync,
) -> Result<T, E>
where
    T: Send,
    E: From<Contended> + From<CommitError>,
    D: Future<Output = Result<Decided<T>, E>> + Send,
{
    for _ in 0..policy.attempts {
        let (commit, value) = match decide().await? {
            Decided::Nothing(value) => return Ok(value),
            Decided::Write(commit, value) => (commit, value),
        };
        match commit_repeatedly(journal, *commit, policy.repeats).await {
            Ok(_) => return Ok(value),
            Err(error) if (policy.is_retryable)(&error) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(Contended {
        subject: policy.subject,
        attempts: policy.attempts,
    }
    .into())
}

/// Commits, and repeats the same commit while its outcome is unknown. Event ids and claims make it idempotent.
async fn commit_repeatedly(
    journal: &dyn Journal,
    commit: Commit,
    repeats: u32,
) -> Result<Committed, CommitError> {
    let mut pause = FIRST_REPEAT;
    for _ in 0..repeats {
        match journal.commit(commit.clone()).await {
            Err(CommitError::Unavailable(_)) => tokio::time::sleep(pause).await,
            answer => return answer,
        }
        pause *= 4;
    }
    journal.commit(commit).await
}
