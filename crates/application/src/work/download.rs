use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use futures::StreamExt;
use rapidphoto_domain::values::Checksum;
use sha2::{Digest, Sha256};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::failure::WorkError;
use crate::ports::{GetError, ObjectHead, ObjectStore};

/// Bounds the bytes of originals that are in memory at once.
#[derive(Clone)]
pub(super) struct MemoryBudget {
    permits: Arc<Semaphore>,
    total: u32,
}

/// What one permit of the budget stands for.
const UNIT: u64 = 4096;

impl MemoryBudget {
    pub(super) fn new(bytes: u64) -> Self {
        let total = u32::try_from(bytes / UNIT).unwrap_or(u32::MAX).max(1);
        Self {
            permits: Arc::new(Semaphore::new(usize::try_from(total).unwrap_or(usize::MAX))),
            total,
        }
    }

    /// Waits until there is room for so many bytes; what is larger than the whole budget waits until it is alone.
    async fn room_for(&self, bytes: u64) -> Result<OwnedSemaphorePermit, WorkError> {
        let wanted = u32::try_from(bytes.div_ceil(UNIT))
            .unwrap_or(u32::MAX)
            .clamp(1, self.total);
        let permits = Arc::clone(&self.permits);
        let room = permits.acquire_many_owned(wanted).await;
        room.map_err(|_closed| WorkError::Stopping)
    }
}

/// An original in memory.
pub(super) struct Download {
    /// Its bytes.
    pub(super) bytes: Bytes,
    /// Their SHA-256.
    pub(super) checksum: Checksum,
    /// Its share of the memory budget, given back when it is dropped.
    _room: OwnedSemaphorePermit,
}

/// Reads the very object that HEAD saw. It must be exactly as long as HEAD said, so that no store can make it longer
/// than the memory that was set aside for it.
pub(super) async fn download(
    objects: &dyn ObjectStore,
    budget: &MemoryBudget,
    key: &str,
    head: &ObjectHead,
) -> Result<Download, WorkError> {
    let room = budget.room_for(head.bytes).await?;
    let mut body = objects.get(key, &head.e_tag).await.map_err(|error| match error {
        GetError::Unavailable(why) => WorkError::Storage(why),
        gone @ (GetError::Missing | GetError::Changed) => WorkError::attempt(gone),
    })?;
    let wanted = usize::try_from(head.bytes).map_err(WorkError::attempt)?;
    let mut bytes = BytesMut::with_capacity(wanted);
    let mut hash = Sha256::new();
    while let Some(chunk) = body.stream.next().await {
        let chunk = chunk.map_err(WorkError::Storage)?;
        if bytes.len() + chunk.len() > wanted {
            return Err(WorkError::attempt("the object is longer than HEAD said"));
        }
        hash.update(&chunk);
        bytes.extend_from_slice(&chunk);
    }
    if bytes.len() < wanted {
        return Err(WorkError::attempt("the object ended before its length"));
    }
    Ok(Download {
        bytes: bytes.freeze(),
        checksum: Checksum::from_bytes(hash.finalize().into()),
        _room: room,
    })
}
