use std::collections::{BTreeMap, BTreeSet};

use rapidphoto_application::ports::{Details, PasswordHash, PhotoMetadata};
use rapidphoto_domain::{PhotoId, UserId, values::Email};
use serde_json::Value;

use crate::{
    error::StoreError,
    rows::{HashesRow, NameRow, encoded},
};

/// Changes of personal data by a commit.
#[derive(Default)]
pub(crate) struct DetailChanges {
    pub(crate) erased: Vec<String>,
    pub(crate) names: Vec<NameRow>,
    pub(crate) metadata: Vec<MetadataChange>,
    pub(crate) hashes: Vec<HashesRow>,
    pub(crate) credentials: Vec<Credentials>,
    pub(crate) passwords: Vec<Password>,
    pub(crate) erased_users: Vec<String>,
}

pub(crate) struct MetadataChange {
    pub(crate) photo: String,
    pub(crate) metadata: Value,
    pub(crate) taken_at: Option<i64>,
}

pub(crate) struct Password {
    pub(crate) user: String,
    pub(crate) replaces: PasswordHash,
    pub(crate) hash: PasswordHash,
}

pub(crate) struct Credentials {
    pub(crate) user: UserId,
    pub(crate) email: Email,
    pub(crate) password_hash: PasswordHash,
}

impl DetailChanges {
    /// Collects the changes. Erasing a photo's details discards those given earlier in the same commit.
    pub(crate) fn new(namespace: &str, details: Vec<Details>) -> Result<Self, StoreError> {
        let mut changes = Self::default();
        let mut erased = BTreeSet::new();
        let mut names: BTreeMap<PhotoId, NameRow> = BTreeMap::new();
        let mut metadata: BTreeMap<PhotoId, MetadataChange> = BTreeMap::new();
        let mut hashes: BTreeMap<PhotoId, HashesRow> = BTreeMap::new();
        for detail in details {
            match detail {
                Details::PhotoName { photo, filename } => {
                    let row = NameRow {
                        namespace: namespace.to_owned(),
                        photo_id: photo.to_string(),
                        filename: filename.as_str().to_owned(),
                    };
                    names.insert(photo, row);
                }
                Details::PhotoMetadata {
                    photo,
                    metadata: read,
                } => {
                    metadata.insert(photo, MetadataChange::new(photo, &read)?);
                }
                Details::PhotoHashes { photo, hashes: known } => {
                    let row = HashesRow {
                        namespace: namespace.to_owned(),
                        photo_id: photo.to_string(),
                        hashes: encoded("hashes", &known)?,
                    };
                    hashes.insert(photo, row);
                }
                Details::ErasePhoto { photo } => {
                    names.remove(&photo);
                    hashes.remove(&photo);
                    metadata.remove(&photo);
                    erased.insert(photo);
                }
                Details::User {
                    user,
                    email,
                    password_hash,
                } => changes.credentials.push(Credentials {
                    user,
                    email,
                    password_hash,
                }),
                Details::Password {
                    user,
                    replaces,
                    password_hash,
                } => changes.passwords.push(Password {
                    user: user.to_string(),
                    replaces,
                    hash: password_hash,
                }),
                Details::EraseUser { user } => changes.erased_users.push(user.to_string()),
            }
        }
        changes.erased = erased.iter().map(ToString::to_string).collect();
        changes.names = names.into_values().collect();
        changes.metadata = metadata.into_values().collect();
        changes.hashes = hashes.into_values().collect();
        Ok(changes)
    }
}

impl MetadataChange {
    fn new(photo: PhotoId, metadata: &PhotoMetadata) -> Result<Self, StoreError> {
        Ok(Self {
            photo: photo.to_string(),
            metadata: encoded("metadata", metadata)?,
            taken_at: metadata
                .taken_at
                // As for [`PhotoPosition`](rapidphoto_application::ports::PhotoPosition): sorted by the camera's local
                // time.
                .map(|taken| taken.local.and_utc().timestamp_millis()),
        })
    }
}
