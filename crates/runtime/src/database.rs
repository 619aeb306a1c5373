//! Database of a running program, of either kind.

use async_trait::async_trait;
#[cfg(feature = "distributed")]
use rapidphoto_application::ports::Unavailable;
use rapidphoto_persistence::SqliteStore;

/// Operations on the database that are no use case.
#[async_trait]
pub(crate) trait Database: Send + Sync {
    /// Checks that data can be written.
    #[cfg(feature = "distributed")]
    async fn check_write(&self) -> Result<(), Unavailable>;

    /// Removes the traces of erased data.
    async fn remove_traces(&self);

    /// Finishes running commits and closes the connections.
    async fn close(&self);
}

#[async_trait]
impl Database for SqliteStore {
    #[cfg(feature = "distributed")]
    async fn check_write(&self) -> Result<(), Unavailable> {
        Self::check_write(self).await
    }

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
    async fn check_write(&self) -> Result<(), Unavailable> {
        Self::check_write(self).await
    }

    /// Nothing: vacuum is the server's task.
    async fn remove_traces(&self) {}

    async fn close(&self) {
        Self::close(self).await;
    }
}
