//! Moto, which imitates AWS and checks neither signatures nor signed headers: what the application itself does.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use rapidphoto_application::ports::{ObjectStore, Presigner};
use rapidphoto_contracts::{Answer, ObjectHarness};
use rapidphoto_runtime::SystemClock;
use rapidphoto_storage_s3::{Addressing, BucketSettings, S3Config, S3Credentials, S3Store, init_storage};
use rapidphoto_test_services::MotoServer;

use crate::client::Client;

struct MotoHarness {
    store: Arc<S3Store>,
    client: Client,
}

impl ObjectHarness for MotoHarness {
    async fn fresh() -> Self {
        static BUCKETS: AtomicU32 = AtomicU32::new(0);
        let server = tokio::task::spawn_blocking(MotoServer::shared).await.unwrap();
        let bucket = format!("photos-{}", BUCKETS.fetch_add(1, Ordering::Relaxed));
        let config = S3Config {
            endpoint: Some(server.url()),
            addressing: Addressing::Path,
            ..S3Config::new(bucket, "us-east-1", S3Credentials::new("key", "secret"))
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
        Self {
            store: Arc::new(S3Store::new(&config, clock).unwrap()),
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
}

// Without uploads in parts: the SDK refuses the imitation's list of parts, whose root element is not that of S3.
rapidphoto_contracts::contract_cases! {
    MotoHarness, rapidphoto_contracts::ObjectHarness, objects,
    store: [
        an_object_is_read_as_written,
        a_missing_object_is_not_found,
        a_read_with_an_old_etag_fails,
        a_deleted_object_is_removed,
        the_check_of_a_reachable_bucket_succeeds,
        keys_of_any_characters_are_different_objects,
    ],
}
