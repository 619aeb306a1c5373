//! Checksums that the object store computed.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use rapidphoto_application::ports::{GetError, ObjectBody, ObjectHead, ObjectStore, Unavailable};
use rapidphoto_domain::{
    photo::Check,
    values::{Checksum, ETag},
};
use rapidphoto_memory::TestApp;

use crate::support::{photo_with_due_work, rejection_reasons};

/// Object store that returns another checksum than that of the bytes.
struct WithChecksum(Arc<dyn ObjectStore>);

#[async_trait]
impl ObjectStore for WithChecksum {
    async fn head(&self, key: &str) -> Result<Option<ObjectHead>, Unavailable> {
        self.0.head(key).await
    }

    async fn get(&self, key: &str, if_match: &ETag) -> Result<ObjectBody, GetError> {
        let body = self.0.get(key, if_match).await?;
        Ok(ObjectBody {
            checksum: Some(Checksum::from_bytes([7; 32])),
            ..body
        })
    }

    async fn put(&self, key: &str, body: Bytes, content_type: &str) -> Result<ETag, Unavailable> {
        self.0.put(key, body, content_type).await
    }

    async fn delete(&self, key: &str) -> Result<(), Unavailable> {
        self.0.delete(key).await
    }

    async fn check(&self) -> Result<(), Unavailable> {
        self.0.check().await
    }
}

#[tokio::test]
async fn a_checksum_that_the_store_computed_is_not_computed_again() {
    let app = TestApp::with(|_, ports| ports.objects = Arc::new(WithChecksum(Arc::clone(&ports.objects))));
    let declared = photo_with_due_work(&app).await;
    app.execute_due().await;
    assert_eq!(
        rejection_reasons(&app, declared.photo).await,
        [Check::ChecksumMismatch]
    );
}
