use async_trait::async_trait;

use crate::ports::{DeadLetter, DeadLetters, Unavailable};

/// Dead letters of a server without a message broker: none. Its storage calls it directly, and an upload whose
/// notification failed is found by polling.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoDeadLetters;

#[async_trait]
impl DeadLetters for NoDeadLetters {
    async fn list(&self, _limit: usize) -> Result<Vec<DeadLetter>, Unavailable> {
        Ok(Vec::new())
    }

    async fn redrive(&self, _id: &str) -> Result<bool, Unavailable> {
        Ok(false)
    }

    async fn redrive_all(&self) -> Result<u64, Unavailable> {
        Ok(0)
    }
}
