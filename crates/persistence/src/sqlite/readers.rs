//! Pool of reading connections. Each read runs on a thread that may block.

use std::sync::{Arc, Mutex, PoisonError};

use diesel::SqliteConnection;
use tokio::sync::Semaphore;

use super::connection::Location;
use crate::error::StoreError;

/// Pool of a bounded number of connections.
#[derive(Clone)]
pub(super) struct Readers {
    location: Location,
    permits: Arc<Semaphore>,
    count: u32,
    idle: Arc<Mutex<Vec<SqliteConnection>>>,
}

impl Readers {
    /// A pool of `count` readers, at least one and at most 1024. Connections are opened on first use.
    pub(super) fn new(location: Location, count: usize) -> Self {
        let count = u32::try_from(count).unwrap_or(u32::MAX).clamp(1, 1024);
        Self {
            location,
            permits: Arc::new(Semaphore::new(count as usize)),
            count,
            idle: Arc::default(),
        }
    }

    /// Runs a read. If the caller's future is dropped, the read runs to its end and its connection returns to the pool.
    pub(super) async fn read<T, E, F>(&self, read: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
        F: FnOnce(&mut SqliteConnection) -> Result<T, E> + Send + 'static,
    {
        let Ok(permit) = self.permits.clone().acquire_owned().await else {
            return Err(StoreError::Closed.into());
        };
        let readers = self.clone();
        let reading = tokio::task::spawn_blocking(move || {
            // Held until the connection is returned. A panicking read loses its connection; the next read opens
            // another.
            let _permit = permit;
            let mut connection = readers.connection()?;
            let outcome = read(&mut connection);
            readers.idle().push(connection);
            outcome
        });
        match reading.await {
            Ok(outcome) => outcome,
            Err(error) => Err(StoreError::from(error).into()),
        }
    }

    /// Waits for running reads and closes all connections.
    pub(super) async fn close(&self) {
        // Fails only if the pool is closed already.
        let all = self.permits.acquire_many(self.count).await;
        self.permits.close();
        drop(all);
        self.idle().clear();
    }

    fn connection(&self) -> Result<SqliteConnection, StoreError> {
        let idle = self.idle().pop();
        idle.map_or_else(|| self.location.reader(), Ok)
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<SqliteConnection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
