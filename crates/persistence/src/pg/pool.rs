use std::time::Duration;

use diesel::{ConnectionError, ConnectionResult};
use diesel_async::{
    AsyncPgConnection, SimpleAsyncConnection as _,
    pooled_connection::{
        AsyncDieselConnectionManager, ManagerConfig, RecyclingMethod,
        deadpool::{Object, Pool},
    },
};
use futures::FutureExt as _;
use tokio_postgres::NoTls;

use super::{PgOpenError, config::Connector};
use crate::error::StoreError;

/// A connection of the pool.
pub(super) type PooledConnection = Object<AsyncPgConnection>;

/// Limit for waiting until a connection is free.
const WAIT: Duration = Duration::from_secs(5);

/// Error texts in English, by which deadlocks are recognised; Diesel does not pass on their code. Servers that forbid the
/// setting have most often the same language.
const ENGLISH: &str = "DO $$ BEGIN PERFORM set_config('lc_messages', 'C', false);
    EXCEPTION WHEN insufficient_privilege THEN NULL; END $$";

/// Connections of the store.
#[derive(Clone)]
pub(super) struct Connections(Pool<AsyncPgConnection>);

impl Connections {
    pub(super) fn new(connector: Connector, max: usize) -> Result<Self, PgOpenError> {
        let mut config = ManagerConfig::default();
        // A connection that was closed meanwhile is found broken without a round trip.
        config.recycling_method = RecyclingMethod::Fast;
        config.custom_setup = Box::new(move |_| {
            let connector = connector.clone();
            async move { connector.connect().await }.boxed()
        });
        let manager = AsyncDieselConnectionManager::new_with_config("", config);
        let pool = Pool::builder(manager).max_size(max).build();
        Ok(Self(pool.map_err(|source| PgOpenError::Database(source.into()))?))
    }

    /// A free connection.
    pub(super) async fn get(&self) -> Result<PooledConnection, StoreError> {
        match tokio::time::timeout(WAIT, self.0.get()).await {
            Ok(connection) => connection.map_err(|source| StoreError::Pool(source.into())),
            Err(_) => Err(StoreError::PoolExhausted),
        }
    }

    /// Closes the connections once they are free. Later calls of [`get`](Self::get) fail.
    pub(super) fn close(&self) {
        self.0.close();
    }
}

impl Connector {
    pub(super) async fn connect(&self) -> ConnectionResult<AsyncPgConnection> {
        let failed = |error: tokio_postgres::Error| ConnectionError::BadConnection(reason(&error));
        let mut connection = if let Some(tls) = &self.tls {
            let (client, connection) = self.config.connect(tls.clone()).await.map_err(failed)?;
            AsyncPgConnection::try_from_client_and_connection(client, connection).await?
        } else {
            let (client, connection) = self.config.connect(NoTls).await.map_err(failed)?;
            AsyncPgConnection::try_from_client_and_connection(client, connection).await?
        };
        connection
            .batch_execute(ENGLISH)
            .await
            .map_err(ConnectionError::CouldntSetupConfiguration)?;
        Ok(connection)
    }
}

/// The error with its sources, which Diesel's error type has no place for.
fn reason(error: &tokio_postgres::Error) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(error) = source {
        text.push_str(": ");
        text.push_str(&error.to_string());
        source = error.source();
    }
    text
}
