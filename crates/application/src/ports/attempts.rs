use std::{fmt, time::Duration};

use async_trait::async_trait;
use rapidphoto_domain::Timestamp;

use super::Unavailable;

/// Key of a counter of attempts: a hash with a secret of the deployment, which tells nothing of what is counted.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AttemptKey(pub [u8; 16]);

/// Number of attempts that are allowed in [`ATTEMPT_WINDOW`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AttemptBudget {
    /// Counter that the attempts are counted in.
    pub key: AttemptKey,
    /// Allowed attempts, at least 1.
    pub allowed: usize,
    /// Attempts that count.
    pub counts: Counts,
}

/// Attempts that count against a budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counts {
    /// All, from their start.
    All,
    /// Those that fail. One without an outcome is pending, and takes a place like a failed one.
    Failures,
    /// Like `Failures`. Beyond the budget attempts are delayed, and refused only while as many as are allowed are
    /// pending.
    FailuresWithDelay,
}

/// Decision on an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Admission {
    /// Start of the attempt, by which it is settled; `None` if it is refused: then it counts nowhere.
    pub began_at: Option<Timestamp>,
    /// True if the attempt is beyond a budget of [`Counts::FailuresWithDelay`].
    pub delayed: bool,
    /// Places that are left in the fullest budget.
    pub remaining: usize,
    /// Time until a place of that budget is free again. While only pending attempts fill it: [`PENDING_RETRY_DELAY`].
    pub reset: Duration,
}

/// Outcome of an attempt for one of its counters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The attempt counts.
    Failed,
    /// The attempt does not count.
    Withdrawn,
    /// The attempt does not count, nor do the failed ones before it.
    Forgiven,
}

/// Time for which attempts count.
pub const ATTEMPT_WINDOW: Duration = Duration::from_mins(1);

/// Suggested delay when pending attempts exhaust a budget.
pub const PENDING_RETRY_DELAY: Duration = Duration::from_secs(1);

/// Counters of attempts, shared by all processes of a deployment. They use a clock of their own, and survive no outage:
/// then as many attempts are allowed again.
#[async_trait]
pub trait AttemptCounters: Send + Sync {
    /// Counts an attempt against all budgets, or against none if one of them is used up. Concurrent calls are decided one
    /// after the other. The keys of the budgets differ.
    async fn begin(&self, budgets: &[AttemptBudget]) -> Result<Admission, Unavailable>;

    /// Settles the attempt that began at this time. One that is never settled counts like a failed one.
    async fn settle(
        &self,
        began_at: Timestamp,
        outcomes: &[(AttemptKey, Outcome)],
    ) -> Result<(), Unavailable>;

    /// Deletes the counters whose attempts no longer count.
    async fn delete_expired_attempts(&self) -> Result<(), Unavailable>;
}

impl fmt::Debug for AttemptKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}
