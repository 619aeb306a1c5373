use std::{convert::Infallible, time::Duration};

use diesel::sql_types::Double;
use diesel_async::RunQueryDsl as _;
use metrics::gauge;
use rapidphoto_application::ports::Unavailable;

use super::{PgStore, statement::statement};
use crate::error::StoreError;

/// Interval of measurements.
const INTERVAL: Duration = Duration::from_secs(5);

statement! {
    /// Age in seconds of the oldest transaction that writes, in any database of the server: events of later ones can't be
    /// read before it ends. Transactions of other roles are visible to members of `pg_read_all_stats` only.
    struct OldestWriter {} -> Double
    = "SELECT coalesce(max(extract(epoch FROM clock_timestamp() - writer.since)), 0)::float8
       FROM (
           SELECT xact_start AS since FROM pg_stat_activity WHERE backend_xid IS NOT NULL
           UNION ALL
           SELECT prepared FROM pg_prepared_xacts
       ) AS writer"
}

impl PgStore {
    /// Measures for how long the log has been held back, every 5 s until the future is dropped: metric
    /// `feed_held_back_seconds`.
    pub async fn watch_held_back(&self) -> Infallible {
        loop {
            match self.held_back().await {
                Ok(seconds) => gauge!("feed_held_back_seconds").set(seconds),
                Err(error) => tracing::debug!(
                    error = &error as &dyn std::error::Error,
                    "the age of the oldest writer can't be measured"
                ),
            }
            tokio::time::sleep(INTERVAL).await;
        }
    }

    /// Age in seconds of the oldest transaction that holds back the log; 0 if there is none.
    pub async fn held_back(&self) -> Result<f64, Unavailable> {
        let age = OldestWriter {}
            .get_result(&mut self.connection().await?)
            .await
            .map_err(StoreError::from)?;
        Ok(age)
    }
}
