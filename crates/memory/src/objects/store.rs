use async_trait::async_trait;
use bytes::Bytes;
use futures::stream;
use rapidphoto_application::ports::{GetError, ObjectBody, ObjectHead, ObjectStore, Unavailable};
use rapidphoto_domain::values::ETag;

use super::{MemoryObjects, bucket::Object};
use crate::{Operation, lock::lock};

/// Chunk size of bodies in bytes; large bodies have several chunks, so that tests cover their assembly.
const CHUNK_SIZE: usize = 64 * 1024;

#[async_trait]
impl ObjectStore for MemoryObjects {
    async fn head(&self, key: &str) -> Result<Option<ObjectHead>, Unavailable> {
        self.faults.enter(Operation::Head).await?;
        Ok(lock(&self.bucket).objects.get(key).map(Object::head))
    }

    async fn get(&self, key: &str, if_match: &ETag) -> Result<ObjectBody, GetError> {
        self.faults.enter(Operation::Get).await?;
        let body = {
            let bucket = lock(&self.bucket);
            let object = bucket.objects.get(key).ok_or(GetError::Missing)?;
            if object.e_tag != *if_match {
                return Err(GetError::Changed);
            }
            object.body.clone()
        };
        let bytes = body.len() as u64;
        let chunks: Vec<_> = (0..body.len())
            .step_by(CHUNK_SIZE)
            .map(|start| Ok(body.slice(start..body.len().min(start + CHUNK_SIZE))))
            .collect();
        Ok(ObjectBody {
            bytes,
            checksum: None,
            stream: Box::pin(stream::iter(chunks)),
        })
    }

    async fn put(&self, key: &str, body: Bytes, content_type: &str) -> Result<ETag, Unavailable> {
        self.faults.enter(Operation::Put).await?;
        let stored = {
            let mut bucket = lock(&self.bucket);
            let stored = bucket.store(key, body, content_type);
            self.announce(&mut bucket, key);
            stored
        };
        self.faults.leave(Operation::Put).await?;
        stored.ok_or_else(|| Unavailable::storage("the object has no valid ETag"))
    }

    async fn delete(&self, key: &str) -> Result<(), Unavailable> {
        self.faults.enter(Operation::Delete).await?;
        lock(&self.bucket).objects.remove(key);
        self.faults.leave(Operation::Delete).await
    }

    async fn check(&self) -> Result<(), Unavailable> {
        self.faults.enter(Operation::Bucket).await
    }
}
