use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use futures::StreamExt;
use rapidphoto_domain::values::Checksum;
use sha2::{Digest, Sha256};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{failure::WorkError, requests::Operation};
use crate::ports::{GetError, ObjectHead, ObjectStore};

/// Limit on the bytes of originals in memory at the same time.
#[derive(Clone)]
pub(super) struct MemoryBudget {
    permits: Arc<Semaphore>,
    total: u32,
}

/// Bytes per permit of the semaphore.
const BYTES_PER_PERMIT: u64 = 4096;

impl MemoryBudget {
    pub(super) fn new(bytes: u64) -> Self {
        let total = u32::try_from(bytes / BYTES_PER_PERMIT).unwrap_or(u32::MAX).max(1);
        Self {
            permits: Arc::new(Semaphore::new(usize::try_from(total).unwrap_or(usize::MAX))),
            total,
        }
    }

    /// Waits until `bytes` fit into the budget. A file larger than the whole budget waits until it is the only one.
    async fn reserve(&self, bytes: u64) -> Result<OwnedSemaphorePermit, WorkError> {
        let needed = u32::try_from(bytes.div_ceil(BYTES_PER_PERMIT))
            .unwrap_or(u32::MAX)
            .clamp(1, self.total);
        let permits = Arc::clone(&self.permits);
        let reservation = permits.acquire_many_owned(needed).await;
        reservation.map_err(|_closed| WorkError::Stopping)
    }
}

/// An original in memory.
pub(super) struct Download {
    /// Content of the file.
    pub(super) bytes: Bytes,
    /// SHA-256 of the content.
    pub(super) checksum: Checksum,
    /// Share of the memory budget, released on drop.
    _reservation: OwnedSemaphorePermit,
}

/// Downloads the version of the object that HEAD reported.
///
/// The download fails unless it has exactly the length that HEAD reported: a store can't send more bytes than were
/// reserved in the memory budget.
pub(super) async fn download(
    objects: &dyn ObjectStore,
    budget: &MemoryBudget,
    key: &str,
    head: &ObjectHead,
) -> Result<Download, WorkError> {
    let reservation = budget.reserve(head.bytes).await?;
    let mut body = objects.get(key, &head.e_tag).await.map_err(|error| match error {
        GetError::Unavailable(why) => WorkError::storage(Operation::Get)(why),
        other @ (GetError::Missing | GetError::Changed) => WorkError::attempt(other),
    })?;
    let expected = usize::try_from(head.bytes).map_err(WorkError::attempt)?;
    let mut bytes = BytesMut::with_capacity(expected);
    let known = body.checksum;
    let mut hash = Sha256::new();
    while let Some(chunk) = body.stream.next().await {
        let chunk = chunk.map_err(WorkError::storage(Operation::Get))?;
        if bytes.len() + chunk.len() > expected {
            return Err(WorkError::attempt(
                "the object is longer than the length that HEAD reported",
            ));
        }
        if known.is_none() {
            hash.update(&chunk);
        }
        bytes.extend_from_slice(&chunk);
    }
    if bytes.len() < expected {
        return Err(WorkError::attempt(
            "the object is shorter than the length that HEAD reported",
        ));
    }
    Ok(Download {
        bytes: bytes.freeze(),
        checksum: known.unwrap_or_else(|| Checksum::from_bytes(hash.finalize().into())),
        _reservation: reservation,
    })
}
