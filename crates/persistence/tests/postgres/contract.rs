//! The contract of every database.

use std::{sync::Arc, time::Duration};

use rapidphoto_application::ports::{Clock as _, Commit, DatabasePorts, Journal as _};
use rapidphoto_contracts::{DatabaseHarness, OpenCommit};
use rapidphoto_domain::Timestamp;
use rapidphoto_memory::FakeClock;
use rapidphoto_persistence::PgStore;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};
use tokio_postgres::Client;

use crate::server::{connect, open, random_name, shared_database};

/// A guard against hanging.
const TIMEOUT: Duration = Duration::from_secs(20);

struct PgHarness {
    url: &'static str,
    namespace: String,
    clock: Arc<FakeClock>,
    store: Arc<PgStore>,
    other_namespace: Arc<PgStore>,
    alone: OwnedSemaphorePermit,
}

impl PgHarness {
    /// Opens two stores on one database, each in its own namespace.
    async fn on(namespace: String, clock: Arc<FakeClock>, alone: OwnedSemaphorePermit) -> Self {
        let url = shared_database().await;
        let other = format!("{namespace}-other");
        Self {
            url,
            store: open(url, &namespace, clock.clone()).await,
            other_namespace: open(url, &other, clock.clone()).await,
            namespace,
            clock,
            alone,
        }
    }
}

impl DatabaseHarness for PgHarness {
    /// One test at a time: transactions of all tests on the server hold back each other's log.
    async fn fresh() -> Self {
        static ALONE: std::sync::LazyLock<Arc<Semaphore>> =
            std::sync::LazyLock::new(|| Arc::new(Semaphore::new(1)));
        let alone = ALONE.clone().acquire_owned().await.unwrap();
        Self::on(random_name("contract"), Arc::default(), alone).await
    }

    fn ports(&self) -> DatabasePorts {
        DatabasePorts::of(self.store.clone())
    }

    fn other_namespace(&self) -> DatabasePorts {
        DatabasePorts::of(self.other_namespace.clone())
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    async fn advance(&self, by: Duration) {
        self.clock.advance(by);
    }

    async fn settled(&self) {
        self.store.commits_ended().await;
    }

    async fn open_commit(&self, commit: Commit) -> Option<OpenCommit> {
        let event = commit
            .changes
            .last()
            .unwrap()
            .events
            .iter()
            .last()
            .unwrap()
            .id
            .to_string();
        let holder = Holder::new(self.url, event).await;
        let store = self.store.clone();
        let writing = tokio::spawn(async move { store.commit(commit).await });
        timeout(TIMEOUT, holder.has_waiter()).await.unwrap();
        Some(Box::pin(async move {
            let mut holder = holder;
            holder.release().await;
            writing.await.unwrap()
        }))
    }

    async fn reopened(self) -> Self {
        self.store.close().await;
        self.other_namespace.close().await;
        Self::on(self.namespace, self.clock, self.alone).await
    }
}

/// Holds the lock for which the commit of an event waits. If it is dropped before it is released, the commit's connection is
/// terminated.
struct Holder {
    client: Option<Client>,
    event: String,
}

/// The connection that waits for the lock on `$1`. The key of an advisory lock is stored in two halves; a negative one has
/// the higher half -1.
const WAITER: &str = "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND NOT granted
    AND objid::bigint = hashtext($1)::bigint & 4294967295";

impl Holder {
    async fn new(url: &str, event: String) -> Self {
        let client = connect(url).await;
        client
            .execute("INSERT INTO held_commits VALUES ($1)", &[&event])
            .await
            .unwrap();
        client
            .execute("SELECT pg_advisory_lock(hashtext($1))", &[&event])
            .await
            .unwrap();
        Self {
            client: Some(client),
            event,
        }
    }

    async fn has_waiter(&self) {
        let client = self.client.as_ref().unwrap();
        while client.query(WAITER, &[&self.event]).await.unwrap().is_empty() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    /// Closing the connection releases the lock.
    async fn release(&mut self) {
        let client = self.client.take().unwrap();
        client
            .execute("SELECT pg_advisory_unlock(hashtext($1))", &[&self.event])
            .await
            .unwrap();
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        let Some(client) = self.client.take() else {
            return;
        };
        let event = std::mem::take(&mut self.event);
        tokio::spawn(async move {
            let terminate = format!("SELECT pg_terminate_backend(pid) FROM ({WAITER}) AS waiter");
            client.execute(&terminate, &[&event]).await.unwrap();
        });
    }
}

rapidphoto_contracts::database_contract!(PgHarness);
