use std::sync::Arc;

use async_trait::async_trait;
use rapidphoto_domain::{
    PhotoId, UserId,
    photo::{Photo, PhotoCommand, PhotoEvent},
};

use super::{ReactError, Reactor};
use crate::{
    batch::{PHOTOS_PER_COMMIT, PhotoBatch},
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
        // Those of a login that was in progress when the account was deleted. Not fenced: a deleted account never has
        // sessions again, so that ending them late changes nothing.
        self.sessions.end_all(owner).await?;
        let batch = PhotoBatch {
            ports: &self.ports.fenced(advance),
            reads: &*self.photos,
            settings: &self.settings,
            owner,
            metadata: &EventMetadata {
                correlation_id: cause.metadata.correlation_id.clone(),
                causation_id: Some(cause.id),
                ..EventMetadata::default()
            },
        };
        let query = PhotoListQuery {
            size: PHOTOS_PER_COMMIT,
            ..PhotoListQuery::default()
        };
        let mut erased = 0_u64;
        loop {
            let page = self.photos.list(owner, &query).await?;
            if page.items.is_empty() {
                tracing::info!(userId = %owner, photos = erased, "the photos of a deleted account are deleted");
                return Ok(());
            }
            let photos: Vec<PhotoId> = page.items.iter().map(|view| view.photo.id).collect();
            let deleted = batch.write(&photos, |photo, _| deletion(photo)).await?;
            erased += deleted.len() as u64;
        }
    }
}

/// Events that delete a photo, after its cancellation if it is not in a final state.
fn deletion(photo: &Photo) -> Vec<PhotoEvent> {
    let mut events = photo.decide(PhotoCommand::Cancel).unwrap_or_default();
    let ended = events.iter().fold(photo.clone(), Photo::apply);
    events.extend(ended.decide(PhotoCommand::Delete).unwrap_or_default());
    events
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
