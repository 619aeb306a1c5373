use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use futures::StreamExt;
use rapidphoto_domain::{PhotoId, values::ETag};

use super::health::StorageHealth;
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

    fn observe<T>(&self, key: &str, result: Result<T, Unavailable>) -> Result<T, Unavailable> {
        match &result {
            Ok(_) => self.health.succeeded(photo_of(key)),
            Err(_) => self.health.failed(photo_of(key)),
        }
        result
    }
}

#[async_trait]
impl ObjectStore for MonitoredStore {
    async fn head(&self, key: &str) -> Result<Option<ObjectHead>, Unavailable> {
        self.observe(key, self.inner.head(key).await)
    }

    async fn get(&self, key: &str, if_match: &ETag) -> Result<ObjectBody, GetError> {
        let photo = photo_of(key);
        match self.inner.get(key, if_match).await {
            Ok(body) => {
                self.health.succeeded(photo);
                let health = Arc::clone(&self.health);
                let observed = body.stream.inspect(move |chunk| {
                    if chunk.is_err() {
                        health.failed(photo);
                    }
                });
                Ok(ObjectBody {
                    bytes: body.bytes,
                    stream: Box::pin(observed),
                })
            }
            Err(GetError::Unavailable(why)) => {
                self.health.failed(photo);
                Err(GetError::Unavailable(why))
            }
            Err(other @ (GetError::Missing | GetError::Changed)) => {
                self.health.succeeded(photo);
                Err(other)
            }
        }
    }

    async fn put(&self, key: &str, body: Bytes, content_type: &str) -> Result<ETag, Unavailable> {
        self.observe(key, self.inner.put(key, body, content_type).await)
    }

    async fn delete(&self, key: &str) -> Result<(), Unavailable> {
        self.observe(key, self.inner.delete(key).await)
    }

    async fn check(&self) -> Result<(), Unavailable> {
        self.observe("", self.inner.check().await)
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
