use std::sync::Arc;

use async_trait::async_trait;
use rapidphoto_domain::UserId;

use super::{ReactError, Reactor};
use crate::{
    photos::{DeletePhoto, DeletePhotoError, DeletePhotoHandler},
    ports::{
        Advance, EventFilter, EventMetadata, PhotoListQuery, PhotoReads, Ports, Sessions, StoredEvent,
        SubscriptionName, WritePorts,
    },
    settings::WorkSettings,
};

/// Deletes the photos of deleted accounts, and thereby their details and objects.
///
/// A reaction that is interrupted starts again with the photos that are left: deleted ones are in no list.
pub struct AccountErasure {
    photos: Arc<dyn PhotoReads>,
    sessions: Arc<dyn Sessions>,
    ports: WritePorts,
    settings: WorkSettings,
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
            ports: ports.write_ports(),
            settings,
        }
    }

    async fn erase(&self, owner: UserId, cause: &StoredEvent, advance: Advance) -> Result<(), ReactError> {
        let deletion = DeletePhotoHandler::on(self.ports.fenced(advance), self.settings);
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
                delete(&deletion, owner, view.photo.id, cause).await?;
                erased += 1;
            }
        }
    }
}

async fn delete(
    deletion: &DeletePhotoHandler,
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
        match deletion.handle(command).await {
            Ok(photo) if !photo.deleted => {}
            Ok(_) | Err(DeletePhotoError::NoSuchPhoto) => break,
            Err(DeletePhotoError::Contended(error)) => return Err(error.into()),
            Err(DeletePhotoError::Unavailable(error)) => return Err(error.into()),
        }
    }
    Ok(())
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

    async fn react(&self, events: &[StoredEvent], advance: Advance) -> Result<bool, ReactError> {
        for stored in events {
            self.erase(stored.owner, stored, advance).await?;
        }
        Ok(false)
    }
}
