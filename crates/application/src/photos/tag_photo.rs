use std::collections::BTreeSet;

use rapidphoto_domain::{
    PhotoId, UserId,
    photo::{InvalidTransition, Photo, PhotoCommand, TooManyTags},
    values::TagLabel,
};

use crate::{
    commit::{Contended, Decided, RetryPolicy, commit_with_retry},
    decision::record_photo,
    ports::{CommitError, EventMetadata, Ports, Unavailable, WritePorts},
    settings::WorkSettings,
};

/// Request to change the tags of a photo.
#[derive(Debug, Clone)]
pub struct TagPhoto {
    /// Owner of the photo.
    pub owner: UserId,
    /// The photo.
    pub photo: PhotoId,
    /// The change.
    pub change: TagChange,
    /// Metadata of the events that the request leads to.
    pub metadata: EventMetadata,
}

/// Change of the tags of a photo.
#[derive(Debug, Clone)]
pub enum TagChange {
    /// Adds labels; those that the photo already has are ignored.
    Add(BTreeSet<TagLabel>),
    /// Removes a label, if the photo has it.
    Remove(TagLabel),
}

/// Reason for which the tags of a photo were not changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TagPhotoError {
    /// The user has no such photo.
    #[error("there is no such photo")]
    NoSuchPhoto,
    /// The photo would have too many tags.
    #[error(transparent)]
    TooManyTags(#[from] TooManyTags),
    /// The photo was changed concurrently each time.
    #[error(transparent)]
    Contended(#[from] Contended),
    /// The database can't be reached.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

impl From<CommitError> for TagPhotoError {
    fn from(error: CommitError) -> Self {
        Self::Unavailable(error.into_unavailable())
    }
}

/// Only a deleted photo rejects a change of its tags.
impl From<InvalidTransition> for TagPhotoError {
    fn from(_: InvalidTransition) -> Self {
        Self::NoSuchPhoto
    }
}

/// Adds and removes tags of photos.
pub struct TagPhotoHandler {
    ports: WritePorts,
    settings: WorkSettings,
}

const RETRY: RetryPolicy = RetryPolicy::on_conflict("the photo", 16);

impl TagPhotoHandler {
    /// A handler on these ports.
    pub fn new(ports: &Ports, settings: WorkSettings) -> Self {
        Self {
            ports: ports.write_ports(),
            settings,
        }
    }

    /// Changes the tags of a photo and returns the photo afterwards. A change that is already in effect writes nothing.
    pub async fn handle(&self, command: TagPhoto) -> Result<Photo, TagPhotoError> {
        commit_with_retry(&*self.ports.journal, RETRY, || async {
            let current = self.ports.aggregates.photo(command.photo).await?;
            let current = current
                .filter(|photo| photo.value.owner == command.owner)
                .ok_or(TagPhotoError::NoSuchPhoto)?;
            let events = current.value.decide(photo_command(&command.change))?;
            if let TagChange::Add(labels) = &command.change {
                current.value.check_tag_count(labels)?;
            }
            let mut commit = self.ports.commit(command.metadata.clone());
            let ids = self.ports.ids.as_ref();
            let photo = record_photo(&mut commit, &current, events, ids, &self.settings);
            Ok(Decided::of(commit, photo))
        })
        .await
    }
}

fn photo_command(change: &TagChange) -> PhotoCommand {
    match change {
        TagChange::Add(labels) => PhotoCommand::Tag {
            labels: labels.clone(),
        },
        TagChange::Remove(label) => PhotoCommand::Untag {
            labels: [label.clone()].into(),
        },
    }
}
