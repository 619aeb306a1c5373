use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use futures::StreamExt;
use rapidphoto_domain::{PhotoId, values::ETag};

use super::{health::StorageHealth, requests::Operation};
use crate::ports::{GetError, ObjectBody, ObjectHead, ObjectStore, Unavailable};

/// Object storage whose responses feed a [`StorageHealth`].
pub(super) struct MonitoredStore {
    inner: Arc<dyn ObjectStore>,
    health: Arc<StorageHealth>,
}

impl MonitoredStore {
    pub(super) const fn new(inner: Arc<dyn ObjectStore>, health: Arc<StorageHealth>) -> Self {
        Self { inner, health }
    }

    fn record(&self, operation: Operation, key: &str, reachable: bool) {
        match photo_of(key) {
            Some(photo) if reachable => self.health.succeeded(operation, photo),
            Some(photo) => self.health.failed(operation, photo),
            None => {}
        }
    }
}

#[async_trait]
impl ObjectStore for MonitoredStore {
    async fn head(&self, key: &str) -> Result<Option<ObjectHead>, Unavailable> {
        let result = self.inner.head(key).await;
        self.record(Operation::Head, key, result.is_ok());
        result
    }

    async fn get(&self, key: &str, if_match: &ETag) -> Result<ObjectBody, GetError> {
        let result = self.inner.get(key, if_match).await;
        let reachable = !matches!(result, Err(GetError::Unavailable(_)));
        self.record(Operation::Get, key, reachable);
        let body = result?;
        let (health, photo) = (Arc::clone(&self.health), photo_of(key));
        let observed = body.stream.inspect(move |chunk| {
            if chunk.is_err()
                && let Some(photo) = photo
            {
                health.failed(Operation::Get, photo);
            }
        });
        Ok(ObjectBody {
            bytes: body.bytes,
            checksum: body.checksum,
            stream: Box::pin(observed),
        })
    }

    async fn put(&self, key: &str, body: Bytes, content_type: &str) -> Result<ETag, Unavailable> {
        let result = self.inner.put(key, body, content_type).await;
        self.record(Operation::Put, key, result.is_ok());
        result
    }

    async fn delete(&self, key: &str) -> Result<(), Unavailable> {
        let result = self.inner.delete(key).await;
        self.record(Operation::Delete, key, result.is_ok());
        result
    }

    async fn check(&self) -> Result<(), Unavailable> {
        self.inner.check().await
    }
}

/// Photo of an object, by its key (see `KeySpace`).
fn photo_of(key: &str) -> Option<PhotoId> {
    key.split('/').nth(2)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use rapidphoto_domain::{
        UserId,
        values::{KeySpace, ThumbnailEdge},
    };

    use super::*;

    #[test]
    fn objects_of_one_photo_are_recognized_by_their_keys() {
        let keys = KeySpace::new("test").unwrap();
        let (owner, photo) = (UserId::from_bits(1), PhotoId::from_bits(2));
        assert_eq!(photo_of(&keys.original(owner, photo)), Some(photo));
        for edge in ThumbnailEdge::ALL {
            assert_eq!(photo_of(&keys.thumbnail(owner, photo, edge)), Some(photo));
        }
        assert_eq!(photo_of(""), None);
    }
}
