use async_trait::async_trait;
use rapidphoto_application::ports::{ACTIVITY_INTERVAL, Unavailable, UploadActivity};
use rapidphoto_domain::{PhotoId, Timestamp};

use super::MemoryStore;
use crate::Operation;

#[async_trait]
impl UploadActivity for MemoryStore {
    async fn record_activity(&self, photos: &[PhotoId], at: Timestamp) -> Result<(), Unavailable> {
        self.call(Operation::Session, |namespace| {
            for photo in photos {
                let last = namespace.upload_activity.entry(*photo).or_insert(at);
                if *last + ACTIVITY_INTERVAL <= at {
                    *last = at;
                }
            }
        })
        .await
    }

    async fn last_activity(&self, photo: PhotoId) -> Result<Option<Timestamp>, Unavailable> {
        self.read(|namespace| namespace.upload_activity.get(&photo).copied())
            .await
    }

    async fn delete_activity(&self, before: Timestamp) -> Result<u64, Unavailable> {
        self.call(Operation::Session, |namespace| {
            let stored = namespace.upload_activity.len();
            namespace.upload_activity.retain(|_, at| *at >= before);
            (stored - namespace.upload_activity.len()) as u64
        })
        .await
    }
}
