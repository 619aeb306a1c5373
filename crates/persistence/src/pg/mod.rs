//! Adapter for PostgreSQL 15 or later.

mod aggregates;
mod assembled;
mod attempts;
mod batches;
mod claims;
mod commits;
mod config;
mod deployment;
mod edge;
mod error;
mod event_log;
mod feed;
mod health;
mod held_back;
mod idempotency_reads;
mod job_list;
mod job_reads;
mod journal;
mod migrate;
mod open_error;
mod photo_list;
mod photo_reads;
mod photo_views;
mod pipeline;
mod pool;
mod sessions;
mod state_rows;
mod statement;
mod subscriptions;
mod tag_index;
mod tag_list;
#[doc(hidden)]
pub mod texts;
mod tickets;
mod transaction;
mod upload_activity;
mod usage;
mod usage_check;
mod user_reads;
mod wake_ups;
mod word_index;
mod work_queue;

use std::{fmt, sync::Arc};

use rapidphoto_application::{log::EventCodec, ports::Clock};
use tokio::sync::RwLock;

use self::{
    commits::Commits,
    config::Connector,
    pool::{Connections, PooledConnection},
};
pub use self::{
    config::PgConfig,
    migrate::{migrate, rebase_log, revert},
    open_error::PgOpenError,
    wake_ups::WakeUps,
};
use crate::{error::StoreError, number::millis, turns::Turns};

/// Database of one deployment on a PostgreSQL server, which other processes can use at the same time.
pub struct PgStore {
    namespace: Arc<str>,
    codec: Arc<EventCodec>,
    connector: Connector,
    connections: Connections,
    turns: Turns,
    commits: Commits,
    /// Held by each running commit in shared mode.
    running_commits: Arc<RwLock<()>>,
    /// Takes the place of the database's clock in tests.
    test_clock: Option<Arc<dyn Clock>>,
}

impl PgStore {
    /// Opens a database, which must have the schema of this program. `codec` encodes events and decodes them to the current
    /// schema.
    pub async fn open(config: &PgConfig, codec: EventCodec) -> Result<Self, PgOpenError> {
        Self::open_with(config, codec, None).await
    }

    /// Opens a database with another clock than the server's, for tests.
    #[doc(hidden)]
    pub async fn open_with_clock(
        config: &PgConfig,
        codec: EventCodec,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, PgOpenError> {
        Self::open_with(config, codec, Some(clock)).await
    }

    async fn open_with(
        config: &PgConfig,
        codec: EventCodec,
        test_clock: Option<Arc<dyn Clock>>,
    ) -> Result<Self, PgOpenError> {
        migrate::check(config).await?;
        let connector = config.connector()?;
        Ok(Self {
            namespace: config.namespace.as_str().into(),
            codec: Arc::new(codec),
            connections: Connections::new(connector.clone(), config.connections)?,
            connector,
            turns: Turns::new(config.first_turn),
            commits: Commits::default(),
            running_commits: Arc::default(),
            test_clock,
        })
    }

    /// A connection for the statements of one call.
    async fn connection(&self) -> Result<PooledConnection, StoreError> {
        self.connections.get().await
    }

    /// Time to bind in place of the database's clock: none outside tests.
    fn test_now(&self) -> Option<i64> {
        self.test_clock.as_ref().map(|clock| millis(clock.now()))
    }

    /// Waits for running commits, those whose callers have left too.
    pub async fn commits_ended(&self) {
        drop(self.running_commits.write().await);
    }

    /// Waits for running commits, then closes the connections. Later calls return `Unavailable`.
    pub async fn close(&self) {
        self.commits_ended().await;
        self.connections.close();
    }
}

impl fmt::Debug for PgStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PgStore")
            .field("namespace", &self.namespace)
            .finish_non_exhaustive()
    }
}
