//! Attempts are counted in memory: one process serves a data directory, and what it forgets at its end allows as many
//! attempts again.

use async_trait::async_trait;
use rapidphoto_application::ports::{
    Admission, AttemptBudget, AttemptCounters, AttemptKey, Outcome, Unavailable,
};
use rapidphoto_domain::Timestamp;

use super::SqliteStore;

#[async_trait]
impl AttemptCounters for SqliteStore {
    async fn begin(&self, budgets: &[AttemptBudget]) -> Result<Admission, Unavailable> {
        Ok(self.attempts.begin(budgets, self.clock.now()))
    }

    async fn settle(
        &self,
        began_at: Timestamp,
        outcomes: &[(AttemptKey, Outcome)],
    ) -> Result<(), Unavailable> {
        self.attempts.settle(began_at, outcomes);
        Ok(())
    }

    async fn delete_expired_attempts(&self) -> Result<(), Unavailable> {
        self.attempts.delete_expired(self.clock.now());
        Ok(())
    }
}
