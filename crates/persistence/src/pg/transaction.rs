use diesel::QueryResult;
use diesel_async::{AsyncPgConnection, SimpleAsyncConnection as _};

use super::pool::PooledConnection;

/// Transaction on a connection of the pool. If it is dropped before it ends, the connection is closed, which rolls it back.
pub(super) struct Transaction {
    connection: Option<PooledConnection>,
}

impl Transaction {
    /// A transaction that begins with [`begin`](Self::begin).
    pub(super) fn on(connection: PooledConnection) -> Self {
        Self {
            connection: Some(connection),
        }
    }

    /// Begins the transaction; later statements of the same pipeline are part of it.
    pub(super) async fn begin(&self) -> QueryResult<()> {
        self.batch("BEGIN").await
    }

    /// Connection of the transaction's statements.
    ///
    /// # Errors
    /// None before the transaction ends.
    pub(super) fn connection(&self) -> QueryResult<&AsyncPgConnection> {
        let connection = self
            .connection
            .as_ref()
            .ok_or(diesel::result::Error::NotInTransaction)?;
        Ok(connection)
    }

    /// Commits. All statements must have succeeded: the server answers COMMIT of a failed transaction with success.
    pub(super) async fn commit(self) -> QueryResult<PooledConnection> {
        self.end("COMMIT").await
    }

    pub(super) async fn rollback(self) -> QueryResult<PooledConnection> {
        self.end("ROLLBACK").await
    }

    async fn end(mut self, sql: &str) -> QueryResult<PooledConnection> {
        self.batch(sql).await?;
        self.connection
            .take()
            .ok_or(diesel::result::Error::NotInTransaction)
    }

    async fn batch(&self, sql: &str) -> QueryResult<()> {
        let mut connection = self.connection()?;
        connection.batch_execute(sql).await
    }
}

impl Drop for Transaction {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take() {
            drop(PooledConnection::take(connection));
        }
    }
}
