use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio_util::sync::CancellationToken;

/// Uploads whose bodies are being received: at most one per key, so that one presigned URL holds at most one connection.
///
/// A newer upload replaces an older one: a phone that changes its network repeats its request while the server still
/// waits for the rest of the first one.
#[derive(Default)]
pub(crate) struct Receiving(Mutex<Uploads>);

#[derive(Default)]
struct Uploads {
    next_id: u64,
    by_key: HashMap<String, (u64, CancellationToken)>,
}

/// An upload that is being received. Dropping it frees its key.
pub(super) struct ReceivingUpload {
    id: u64,
    key: String,
    replaced: CancellationToken,
    uploads: Arc<Receiving>,
}

impl Receiving {
    /// Begins an upload and ends an earlier one of the same key.
    pub(super) fn begin(self: &Arc<Self>, key: &str) -> ReceivingUpload {
        let replaced = CancellationToken::new();
        let mut uploads = self.lock();
        let id = uploads.next_id;
        uploads.next_id += 1;
        let earlier = uploads.by_key.insert(key.to_owned(), (id, replaced.clone()));
        drop(uploads);
        if let Some((_, earlier)) = earlier {
            earlier.cancel();
        }
        ReceivingUpload {
            id,
            key: key.to_owned(),
            replaced,
            uploads: Arc::clone(self),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Uploads> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ReceivingUpload {
    /// Completes when a newer upload of the same key has begun.
    pub(super) async fn replaced(&self) {
        self.replaced.cancelled().await;
    }
}

impl Drop for ReceivingUpload {
    fn drop(&mut self) {
        let mut uploads = self.uploads.lock();
        // The entry may be that of a newer upload.
        if uploads
            .by_key
            .get(&self.key)
            .is_some_and(|(id, _)| *id == self.id)
        {
            uploads.by_key.remove(&self.key);
        }
    }
}
