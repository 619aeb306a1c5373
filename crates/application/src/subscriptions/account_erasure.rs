use std::sync::Arc;

use async_trait::async_trait;
use rapidphoto_domain::UserId;

use super::{ReactError, Reactor};
use crate::{
    photos::{DeletePhoto, DeletePhotoError, DeletePhotoHandler},
    ports::{
        Advance, EventFilter, EventMetadata, PhotoListQuery, PhotoReads, Ports, Sessions, StoredEvent,
        SubscriptionName,
    },
    settings::WorkSettings,
};

/// Deletes the photos of deleted accounts, and thereby their details and objects.
///
/// A reaction that is interrupted starts again with the photos that are left: deleted ones are in no list.
pub struct AccountErasure {
    photos: Arc<dyn PhotoReads>,
    sessions: Arc<dyn Sessions>,
    delete_photo: DeletePhotoHandler,
}

/// Number of photos in a page.
const PAGE: usize = 100;

/// A photo that is not in a final state is cancelled first; it may end by itself in between.
const STEPS: usize = 3;

impl AccountErasure {
    /// Name of the subscription.
    pub const NAME: SubscriptionName = "account-erasure";

    /// The reactor on these ports.
    pub fn new(ports: &Ports, settings: WorkSettings) -> Self {
        Self {
            photos: Arc::clone(&ports.database.photos),
            sessions: Arc::clone(&ports.database.sessions),
            delete_photo: DeletePhotoHandler::new(ports, settings),
        }
    }

    async fn erase(&self, owner: UserId, cause: &StoredEvent) -> Result<(), ReactError> {
        // Those of a login that was in progress when the account was deleted.
        self.sessions.end_all(owner).await?;
        let query = PhotoListQuery {
            size: PAGE,
            ..PhotoListQuery::default()
        };
        let mut erased = 0_u64;
        loop {
            let page = self.photos.list(owner, &query).await?;
            if page.items.is_empty() {
                tracing::info!(user = %owner, photos = erased, "the photos of a deleted account are deleted");
                return Ok(());
            }
            for view in page.items {
                self.delete(owner, view.photo.id, cause).await?;
                erased += 1;
            }
        }
    }

    async fn delete(
        &self,
        owner: UserId,
        photo: rapidphoto_domain::PhotoId,
        cause: &StoredEvent,
    ) -> Result<(), ReactError> {
        for _ in 0..STEPS {
            let command = DeletePhoto {
                owner,
                photo,
                metadata: EventMetadata {
                    correlation_id: cause.metadata.correlation_id.clone(),
                    causation_id: Some(cause.id),
                    ..EventMetadata::default()
                },
            };
            match self.delete_photo.handle(command).await {
                Ok(photo) if !photo.deleted => {}
                Ok(_) | Err(DeletePhotoError::NoSuchPhoto) => break,
                Err(DeletePhotoError::Contended(error)) => return Err(error.into()),
                Err(DeletePhotoError::Unavailable(error)) => return Err(error.into()),
            }
        }
        Ok(())
    }
}

#[async_trait]
impl Reactor for AccountErasure {
    fn name(&self) -> SubscriptionName {
        Self::NAME
    }

    fn filter(&self) -> EventFilter {
        EventFilter {
            event_types: ["UserDeleted".to_owned()].into(),
            ..EventFilter::default()
        }
    }

    async fn react(&self, events: &[StoredEvent], _advance: Advance) -> Result<bool, ReactError> {
        for stored in events {
            self.erase(stored.owner, stored).await?;
        }
        Ok(false)
    }
}
