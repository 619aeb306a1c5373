use async_trait::async_trait;
use rapidphoto_domain::{
    JobId, PhotoId, Timestamp, UserId,
    job::JobOutcome,
    photo::PhotoStatus,
    user::{User, UserStatus},
    values::{Checksum, Email, TagLabel, UploadId},
};

use super::{
    Cursor, IdempotencyKey, IdempotencyRecord, JobListPage, JobListQuery, PasswordHash, PhotoListPage,
    PhotoListQuery, PhotoView, Scope, Scopes, TagCount, Unavailable,
};

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

    /// Returns a page of a user's jobs, newest first, by a number of statements that does not depend on their number.
    async fn jobs(&self, owner: UserId, query: &JobListQuery) -> Result<JobListPage, Unavailable>;

    /// Returns the last change of a user's job, by reading one row; `None` if the user has no such job.
    async fn last_change(&self, owner: UserId, job: JobId) -> Result<Option<LastChange>, Unavailable>;
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

    /// Returns at most `size` labels of a user's photos after `after`, in the order of their bytes, with the number of
    /// photos of each, without deleted ones.
    async fn tags(
        &self,
        owner: UserId,
        after: Option<&TagLabel>,
        size: usize,
    ) -> Result<Vec<TagCount>, Unavailable>;

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
