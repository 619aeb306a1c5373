//! Ceph: a store of other makers, in production at many sites.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use rapidphoto_application::ports::{MultipartUploads, ObjectStore, Presigner};
use rapidphoto_contracts::{Answer, MultipartHarness, ObjectHarness};
use rapidphoto_runtime::SystemClock;
use rapidphoto_storage_s3::{Addressing, BucketSettings, S3Config, S3Credentials, S3Store, init_storage};
use rapidphoto_test_services::CephServer;

use crate::client::Client;

struct CephHarness {
    store: Arc<S3Store>,
    client: Client,
}

impl ObjectHarness for CephHarness {
    async fn fresh() -> Self {
        static BUCKETS: AtomicU32 = AtomicU32::new(0);
        let server = tokio::task::spawn_blocking(CephServer::shared).await.unwrap();
        let bucket = format!("photos-{}", BUCKETS.fetch_add(1, Ordering::Relaxed));
        let credentials = S3Credentials::new(CephServer::ACCESS_KEY, CephServer::SECRET_KEY);
        let config = S3Config {
            endpoint: Some(server.url()),
            addressing: Addressing::Path,
            ..S3Config::new(bucket, "default", credentials)
        };
        let clock = Arc::new(SystemClock);
        let settings = BucketSettings {
            allowed_origins: Vec::new(),
            prefix: "test/".to_owned(),
            abort_uploads_after_days: 1,
            infrequent_access_after_days: None,
            notifications: None,
        };
        init_storage(&config, &settings, clock.clone(), false)
            .await
            .unwrap();
        let store = S3Store::new(&config, clock).unwrap();
        assert!(
            store.probe("test/probe").await.unwrap(),
            "Ceph honours conditions"
        );
        Self {
            store: Arc::new(store),
            client: Client::new(),
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

    async fn pass(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }

    /// Ceph does so since version 20.
    fn verifies_checksums(&self) -> bool {
        false
    }
}

impl MultipartHarness for CephHarness {
    fn multipart(&self) -> Arc<dyn MultipartUploads> {
        self.store.clone()
    }
}

rapidphoto_contracts::object_contract!(CephHarness);
rapidphoto_contracts::multipart_contract!(CephHarness);
