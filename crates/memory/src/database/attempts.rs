use async_trait::async_trait;
use rapidphoto_application::ports::{
    Admission, AttemptBudget, AttemptCounters, AttemptKey, Outcome, Unavailable,
};
use rapidphoto_domain::Timestamp;

use super::MemoryStore;
use crate::Operation;

#[async_trait]
impl AttemptCounters for MemoryStore {
    async fn begin(&self, budgets: &[AttemptBudget]) -> Result<Admission, Unavailable> {
        let now = self.clock.now();
        self.call(Operation::Attempt, |namespace| {
            namespace.attempts.begin(budgets, now)
        })
        .await
    }

    async fn settle(
        &self,
        began_at: Timestamp,
        outcomes: &[(AttemptKey, Outcome)],
    ) -> Result<(), Unavailable> {
        self.call(Operation::Attempt, |namespace| {
            namespace.attempts.settle(began_at, outcomes);
        })
        .await
    }

    async fn delete_expired_attempts(&self) -> Result<(), Unavailable> {
        let now = self.clock.now();
        self.call(Operation::Attempt, |namespace| {
            namespace.attempts.delete_expired(now);
        })
        .await
    }
}
