use std::{fmt, str::FromStr};

use async_trait::async_trait;
use rapidphoto_domain::{
    JobId, PhotoId, Timestamp, UserId, Version,
    job::JobOutcome,
    photo::{Photo, PhotoStatus},
    user::{User, UserStatus},
    values::{Checksum, Email, Filename, TagLabel, UploadId},
};

use super::{
    Cursor, IdempotencyKey, IdempotencyRecord, PasswordHash, PhotoHashes, PhotoMetadata, Scope, Scopes,
    Unavailable,
};

/// Read model of a photo.
#[derive(Debug, Clone, PartialEq)]
pub struct PhotoView {
    /// State of the photo.
    pub photo: Photo,
    /// Version of the photo's stream.
    pub version: Version,
    /// Filename of the upload.
    pub filename: Filename,
    /// Metadata from EXIF.
    pub metadata: PhotoMetadata,
    /// Hashes of the content.
    pub hashes: PhotoHashes,
    /// Time at which the photo was declared.
    pub created_at: Timestamp,
    /// Time of the last change.
    pub updated_at: Timestamp,
}

/// Read model of a job and its photos, from one consistent snapshot.
#[derive(Debug, Clone, PartialEq)]
pub struct JobView {
    /// Identifier of the job.
    pub id: JobId,
    /// Time of the creation.
    pub created_at: Timestamp,
    /// Time of the last change of the job or of one of its photos.
    pub updated_at: Timestamp,
    /// Photos that are not deleted, in the order of their declaration.
    pub photos: Vec<PhotoView>,
    /// Outcome of the job's current round, once it has ended.
    pub outcome: Option<JobOutcome>,
    /// Last statuses of deleted photos: they determine the job's status if no other photo is left.
    pub deleted: Vec<PhotoStatus>,
    /// End of the log in the snapshot.
    pub cursor: Cursor,
    /// Last change of the job or of one of its photos, in the snapshot.
    pub last_change: LastChange,
}

/// Last event of a job or of one of its photos.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LastChange {
    /// Position of the event.
    pub cursor: Cursor,
    /// False while an older commit is still open: it may change the job without moving `cursor`, so that an equal
    /// `cursor` does not mean an unchanged job yet.
    pub settled: bool,
}

/// Reads jobs for display.
#[async_trait]
pub trait JobReads: Send + Sync {
    /// Returns a user's job.
    async fn job(&self, owner: UserId, job: JobId) -> Result<Option<JobView>, Unavailable>;

    /// Returns the last change of a user's job, by reading one row; `None` if the user has no such job.
    async fn last_change(&self, owner: UserId, job: JobId) -> Result<Option<LastChange>, Unavailable>;
}

/// Sort key of a list of photos.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PhotoSort {
    /// Time at which the photo was declared.
    #[default]
    CreatedAt,
    /// Time of the exposure in EXIF. Photos without it come last in either direction.
    TakenAt,
    /// Declared size in bytes.
    Bytes,
}

/// Sort direction of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SortDirection {
    /// Smallest or oldest first.
    Ascending,
    /// Largest or newest first.
    #[default]
    Descending,
}

/// Query for a page of a user's photos.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PhotoListQuery {
    /// Status to filter by.
    pub status: Option<PhotoStatus>,
    /// Tag to filter by.
    pub tag: Option<TagLabel>,
    /// Sort key; photos with equal values are sorted by id.
    pub sort: PhotoSort,
    /// Sort direction.
    pub direction: SortDirection,
    /// Maximum number of photos in the page.
    pub size: usize,
    /// Position after which the page starts; `None` for the first page.
    pub after: Option<PhotoPosition>,
}

/// Position in a list: the sort value and id of a page's last photo.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PhotoPosition {
    /// Sort value in milliseconds since 1970 or in bytes; `None` if the photo has none.
    pub value: Option<i64>,
    /// Identifier of the photo.
    pub photo: PhotoId,
}

impl PhotoPosition {
    /// Position of a photo in a list with this sort key. The time of the exposure is the camera's local time: most
    /// cameras record no offset, and photos of the same event should be adjacent.
    pub fn of(view: &PhotoView, sort: PhotoSort) -> Self {
        let value = match sort {
            PhotoSort::CreatedAt => Some(view.created_at.timestamp_millis()),
            PhotoSort::TakenAt => view
                .metadata
                .taken_at
                .map(|taken| taken.local.and_utc().timestamp_millis()),
            PhotoSort::Bytes => Some(i64::try_from(view.photo.declared.bytes).unwrap_or(i64::MAX)),
        };
        Self {
            value,
            photo: view.photo.id,
        }
    }
}

impl fmt::Display for PhotoPosition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.value {
            Some(value) => write!(f, "{value}.{}", self.photo),
            None => write!(f, ".{}", self.photo),
        }
    }
}

impl FromStr for PhotoPosition {
    type Err = ();

    fn from_str(raw: &str) -> Result<Self, ()> {
        let (value, photo) = raw.split_once('.').ok_or(())?;
        let value = if value.is_empty() {
            None
        } else {
            Some(value.parse().map_err(|_| ())?)
        };
        Ok(Self {
            value,
            photo: photo.parse().map_err(|_| ())?,
        })
    }
}

/// Page of a list of photos.
#[derive(Debug, Clone, PartialEq)]
pub struct PhotoListPage {
    /// Photos of the page.
    pub items: Vec<PhotoView>,
    /// Position after which the next page starts; `None` at the end.
    pub next: Option<PhotoPosition>,
}

/// Reads photos for display.
#[async_trait]
pub trait PhotoReads: Send + Sync {
    /// Returns a user's photo; `None` if it is deleted.
    async fn photo(&self, owner: UserId, photo: PhotoId) -> Result<Option<PhotoView>, Unavailable>;

    /// Returns a page of a user's photos, without deleted ones.
    async fn list(&self, owner: UserId, query: &PhotoListQuery) -> Result<PhotoListPage, Unavailable>;

    /// Returns completed photos of the user whose content has one of these checksums, in any order; several may have the same.
    async fn completed_with_checksums(
        &self,
        owner: UserId,
        checksums: &[Checksum],
    ) -> Result<Vec<PhotoView>, Unavailable>;

    /// Returns the user's photos with these upload ids, without deleted ones.
    async fn by_upload_ids(&self, owner: UserId, ids: &[UploadId]) -> Result<Vec<PhotoView>, Unavailable>;

    /// Returns the user's photos with these ids, without deleted ones.
    async fn by_ids(&self, owner: UserId, ids: &[PhotoId]) -> Result<Vec<PhotoView>, Unavailable>;
}

/// Login data of a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserCredentials {
    /// User of the account.
    pub user: UserId,
    /// Hash of the password.
    pub password_hash: PasswordHash,
    /// Status of the user; only active users can log in.
    pub status: UserStatus,
    /// True if the user may request the scope `admin`.
    pub is_admin: bool,
}

impl UserCredentials {
    /// Scopes that the user may request.
    pub fn available_scopes(&self) -> Scopes {
        let admin = self.is_admin.then_some(Scope::Admin);
        [Scope::PhotosRead, Scope::PhotosWrite]
            .into_iter()
            .chain(admin)
            .collect()
    }
}

/// Account in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// State of the user.
    pub user: User,
    /// E-mail address as stored; `None` if the account is deleted.
    pub email: Option<String>,
    /// Time of the registration.
    pub created_at: Timestamp,
}

/// Reads login data.
#[async_trait]
pub trait UserReads: Send + Sync {
    /// Returns the login data of the account with this e-mail address.
    async fn credentials(&self, email: &Email) -> Result<Option<UserCredentials>, Unavailable>;

    /// Returns at most `size` accounts after `after`, ordered by user id.
    async fn accounts(&self, after: Option<UserId>, size: usize) -> Result<Vec<Account>, Unavailable>;
}

/// Reads idempotency records.
#[async_trait]
pub trait IdempotencyReads: Send + Sync {
    /// Returns the stored response for a key, unless it has expired at `now`.
    async fn idempotency(
        &self,
        owner: UserId,
        key: &IdempotencyKey,
        now: Timestamp,
    ) -> Result<Option<IdempotencyRecord>, Unavailable>;
}
