//! Database of a running program, of either kind.

use async_trait::async_trait;
use rapidphoto_persistence::SqliteStore;

/// Operations on the database that are no use case.
#[async_trait]
pub(crate) trait Database: Send + Sync {
    /// Removes the traces of erased data.
    async fn remove_traces(&self);

    /// Finishes running commits and closes the connections.
    async fn close(&self);
}

#[async_trait]
impl Database for SqliteStore {
    async fn remove_traces(&self) {
        self.empty_log().await;
    }

    async fn close(&self) {
        Self::close(self).await;
    }
}

#[cfg(feature = "distributed")]
#[async_trait]
impl Database for rapidphoto_persistence::PgStore {
    /// Nothing: vacuum is the server's task.
    async fn remove_traces(&self) {}

    async fn close(&self) {
        Self::close(self).await;
    }
}
