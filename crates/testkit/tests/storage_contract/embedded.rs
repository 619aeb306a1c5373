//! The embedded storage: over HTTP, and in the process that serves it.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use rapidphoto_application::ports::{MessageError, ObjectStore, Presigner, StorageMessages};
use rapidphoto_contracts::{Answer, ObjectHarness};
use rapidphoto_listener::{Acceptor, Limits};
use rapidphoto_runtime::{SystemClock, SystemIds};
use rapidphoto_storage_embedded::{EmbeddedConfig, EmbeddedObjects, EmbeddedStore, Listener};
use rapidphoto_storage_s3::{Addressing, S3Config, S3Credentials, S3Store};
use tempfile::TempDir;
use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle};

use crate::client::Client;

struct EmbeddedHarness {
    store: Arc<S3Store>,
    objects: EmbeddedObjects,
    client: Client,
    serving: JoinHandle<()>,
    _stop: oneshot::Sender<()>,
    _directory: TempDir,
}

/// Discards storage events.
struct DiscardEvents;

#[async_trait]
impl StorageMessages for DiscardEvents {
    async fn take(&self, _: Bytes) -> Result<(), MessageError> {
        Ok(())
    }
}

impl ObjectHarness for EmbeddedHarness {
    async fn fresh() -> Self {
        let directory = TempDir::new().unwrap();
        let clock = Arc::new(SystemClock);
        let ids = Arc::new(SystemIds::new(clock.clone()));
        let config = EmbeddedConfig::new(directory.path(), "photos", "key", "secret");
        let objects = EmbeddedObjects::open(&config, clock.clone(), ids).unwrap();
        let embedded = EmbeddedStore::new(&config, objects.clone(), Arc::new(DiscardEvents));
        let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = socket.local_addr().unwrap();
        let acceptor = Acceptor::new("storage", Limits::default(), None);
        let listeners = vec![Listener { socket, acceptor }];
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = tokio::spawn(embedded.serve(listeners, async move {
            let _ = stopped.await;
        }));
        let config = S3Config {
            endpoint: Some(format!("http://{address}")),
            // Another name of the same host: URLs signed for clients may have another host than the server's requests.
            public_endpoint: Some(format!("http://localhost:{}", address.port())),
            addressing: Addressing::Path,
            ..S3Config::new("photos", config.region, S3Credentials::new("key", "secret"))
        };
        Self {
            store: Arc::new(S3Store::new(&config, clock).unwrap()),
            objects,
            client: Client::new(),
            serving,
            _stop: stop,
            _directory: directory,
        }
    }

    fn store(&self) -> Arc<dyn ObjectStore> {
        self.store.clone()
    }

    fn presigner(&self) -> Arc<dyn Presigner> {
        self.store.clone()
    }

    async fn put(&self, url: &str, headers: &[(String, String)], body: Bytes) -> Answer {
        self.client.put(url, headers, body).await
    }

    async fn get(&self, url: &str) -> Answer {
        self.client.get(url).await
    }

    /// Waits in real time: the store uses the system clock.
    async fn pass(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }
}

impl Drop for EmbeddedHarness {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// The same store, whose own process reads and writes objects without HTTP.
struct InProcessHarness(EmbeddedHarness);

impl ObjectHarness for InProcessHarness {
    async fn fresh() -> Self {
        Self(EmbeddedHarness::fresh().await)
    }

    fn store(&self) -> Arc<dyn ObjectStore> {
        Arc::new(self.0.objects.clone())
    }

    fn presigner(&self) -> Arc<dyn Presigner> {
        self.0.presigner()
    }

    async fn put(&self, url: &str, headers: &[(String, String)], body: Bytes) -> Answer {
        self.0.put(url, headers, body).await
    }

    async fn get(&self, url: &str) -> Answer {
        self.0.get(url).await
    }

    async fn pass(&self, time: Duration) {
        self.0.pass(time).await;
    }
}

mod over_http {
    use super::*;

    rapidphoto_contracts::object_contract!(EmbeddedHarness);
}

mod in_process {
    use super::*;

    rapidphoto_contracts::object_contract!(InProcessHarness);
}
