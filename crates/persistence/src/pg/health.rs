//! Checks of a running store, for operators.

use diesel::{
    OptionalExtension as _,
    sql_types::{BigInt, Bool},
};
use diesel_async::RunQueryDsl as _;
use rapidphoto_application::ports::Unavailable;
use rapidphoto_domain::Timestamp;

use super::{PgStore, statement::statement};
use crate::{error::StoreError, number::timestamp};

statement! {
    /// A message in the server's log, which the commit flushes to disk as it does with every change. Nothing else is written,
    /// so that there is nothing to vacuum.
    struct WriteProbe {
    } -> Bool
    = "SELECT pg_logical_emit_message(true, 'rapidphoto', '') IS NOT NULL
       WHERE current_setting('transaction_read_only') = 'off'"
}

statement! {
    /// The server's clock in milliseconds since 1970.
    struct Time {} -> BigInt
    = "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint"
}

impl PgStore {
    /// Reads the server's clock.
    ///
    /// # Errors
    /// If the server can't be reached.
    pub async fn time(&self) -> Result<Timestamp, Unavailable> {
        let now: i64 = Time {}
            .get_result(&mut self.connection().await?)
            .await
            .map_err(StoreError::from)?;
        Ok(timestamp(now))
    }

    /// Commits a write that changes nothing.
    ///
    /// # Errors
    /// If nothing can be written: the server is not reachable, is a standby, or allows no writes.
    pub async fn check_write(&self) -> Result<(), Unavailable> {
        let written: Option<bool> = WriteProbe {}
            .get_result(&mut self.connection().await?)
            .await
            .optional()
            .map_err(StoreError::from)?;
        match written {
            Some(_) => Ok(()),
            None => Err(StoreError::ReadOnly.into()),
        }
    }
}
