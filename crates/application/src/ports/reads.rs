use std::{fmt, str::FromStr};

use async_trait::async_trait;
use rapidphoto_domain::{
    JobId, PhotoId, Timestamp, UserId, Version,
    photo::{Photo, PhotoStatus},
    user::UserStatus,
    values::{Email, Filename, UploadId},
};

use super::{Cursor, IdempotencyKey, IdempotencyRecord, PasswordHash, PhotoMetadata, Unavailable};

/// A photo as the read side shows it.
#[derive(Debug, Clone, PartialEq)]
pub struct PhotoView {
    /// What the log says of it.
    pub photo: Photo,
    /// The version of its stream.
    pub version: Version,
    /// What it is called.
    pub filename: Filename,
    /// What EXIF says.
    pub metadata: PhotoMetadata,
    /// When it was promised.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// A job with all of its photos that are not deleted, read at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct JobView {
    /// Names the job.
    pub id: JobId,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it, or one of its photos, last changed.
    pub updated_at: Timestamp,
    /// Its photos, in the order in which they were promised.
    pub photos: Vec<PhotoView>,
    /// The statuses of photos that were deleted since: they count where no other is left.
    pub deleted: Vec<PhotoStatus>,
    /// Where the log ended at that moment.
    pub cursor: Cursor,
}

/// Reads jobs.
#[async_trait]
pub trait JobReads: Send + Sync {
    /// A user's job.
    async fn job(&self, owner: UserId, job: JobId) -> Result<Option<JobView>, Unavailable>;
}

/// What a list of photos is sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PhotoSort {
    /// When it was promised.
    #[default]
    CreatedAt,
    /// When it was taken, by its EXIF; those that don't say come last, whichever the direction.
    TakenAt,
    /// The declared length.
    Bytes,
}

/// Which end of a list comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SortDirection {
    /// The smallest or oldest.
    Ascending,
    /// The largest or newest.
    #[default]
    Descending,
}

/// Which photos to list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PhotoListQuery {
    /// Only those with this status.
    pub status: Option<PhotoStatus>,
    /// What to sort by; ties go by photo id.
    pub sort: PhotoSort,
    /// Which end comes first.
    pub direction: SortDirection,
    /// How many at most.
    pub size: usize,
    /// Only those that follow this position.
    pub after: Option<PhotoPosition>,
}

/// Where a page of a list ends: the last photo's sort value and id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PhotoPosition {
    /// The sort value: milliseconds since 1970 or bytes; `None` where the photo does not say.
    pub value: Option<i64>,
    /// The photo.
    pub photo: PhotoId,
}

impl PhotoPosition {
    /// A photo's place in a list that is sorted so. The time that a photo was taken is the camera's own: most cameras
    /// know no other, and photos of one occasion shall stand together.
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

/// A page of a list.
#[derive(Debug, Clone, PartialEq)]
pub struct PhotoListPage {
    /// The photos.
    pub items: Vec<PhotoView>,
    /// Where the next page begins; `None` at the end.
    pub next: Option<PhotoPosition>,
}

/// Reads photos.
#[async_trait]
pub trait PhotoReads: Send + Sync {
    /// A user's photo, if it is not deleted.
    async fn photo(&self, owner: UserId, photo: PhotoId) -> Result<Option<PhotoView>, Unavailable>;

    /// A user's photos that are not deleted.
    async fn list(&self, owner: UserId, query: &PhotoListQuery) -> Result<PhotoListPage, Unavailable>;

    /// Those of a user's photos, deleted ones left out, that have one of these upload ids.
    async fn by_upload_ids(&self, owner: UserId, ids: &[UploadId]) -> Result<Vec<PhotoView>, Unavailable>;

    /// Those of a user's photos, deleted ones left out, with these ids.
    async fn by_ids(&self, owner: UserId, ids: &[PhotoId]) -> Result<Vec<PhotoView>, Unavailable>;
}

/// How a user logs in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserCredentials {
    /// Who.
    pub user: UserId,
    /// The password's hash.
    pub password_hash: PasswordHash,
    /// Whether the user may.
    pub status: UserStatus,
}

/// Reads users.
#[async_trait]
pub trait UserReads: Send + Sync {
    /// The credentials of the account with this address.
    async fn credentials(&self, email: &Email) -> Result<Option<UserCredentials>, Unavailable>;
}

/// Reads idempotency records.
#[async_trait]
pub trait IdempotencyReads: Send + Sync {
    /// What a key led to, unless it has expired by `now`.
    async fn idempotency(
        &self,
        owner: UserId,
        key: &IdempotencyKey,
        now: Timestamp,
    ) -> Result<Option<IdempotencyRecord>, Unavailable>;
}
