//! The readers: connections that read beside the writer, each read on a thread that may block.

use std::sync::{Arc, Mutex, PoisonError};

use diesel::SqliteConnection;
use tokio::sync::Semaphore;

use super::connection::Location;
use crate::error::RecordError;

/// A bounded number of connections.
#[derive(Clone)]
pub(super) struct Readers {
    location: Location,
    places: Arc<Semaphore>,
    count: u32,
    idle: Arc<Mutex<Vec<SqliteConnection>>>,
}

impl Readers {
    /// So many readers, at least one; their connections are opened when they are first needed.
    pub(super) fn new(location: Location, count: usize) -> Self {
        let count = u32::try_from(count).unwrap_or(u32::MAX).clamp(1, 1024);
        Self {
            location,
            places: Arc::new(Semaphore::new(count as usize)),
            count,
            idle: Arc::default(),
        }
    }

    /// Reads. A caller that goes away leaves the read to end by itself; its connection comes back all the same.
    pub(super) async fn read<T, E, F>(&self, read: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<RecordError> + Send + 'static,
        F: FnOnce(&mut SqliteConnection) -> Result<T, E> + Send + 'static,
    {
        let Ok(place) = self.places.clone().acquire_owned().await else {
            return Err(RecordError::Closed.into());
        };
        let readers = self.clone();
        let reading = tokio::task::spawn_blocking(move || {
            // Held until the connection is back; a read that panics loses its connection, and the next opens another.
            let _place = place;
            let mut connection = readers.connection()?;
            let outcome = read(&mut connection);
            readers.idle().push(connection);
            outcome
        });
        match reading.await {
            Ok(outcome) => outcome,
            Err(error) => Err(RecordError::from(error).into()),
        }
    }

    /// Waits for the reads that are under way and closes all connections.
    pub(super) async fn close(&self) {
        // Fails only if they are closed already.
        let all = self.places.acquire_many(self.count).await;
        self.places.close();
        drop(all);
        self.idle().clear();
    }

    fn connection(&self) -> Result<SqliteConnection, RecordError> {
        let idle = self.idle().pop();
        idle.map_or_else(|| self.location.reader(), Ok)
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<SqliteConnection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
