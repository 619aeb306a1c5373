use std::collections::BTreeSet;

use async_trait::async_trait;
use rapidphoto_application::ports::{
    Account, AggregateState, Cursor, IdempotencyKey, IdempotencyReads, IdempotencyRecord, JobListPage,
    JobListQuery, JobReads, JobView, LastChange, PhotoListPage, PhotoListQuery, PhotoReads, PhotoView,
    TagCount, Unavailable, UserCredentials, UserReads,
};
use rapidphoto_domain::{
    JobId, PhotoId, Timestamp, UserId,
    photo::PhotoStatus,
    values::{Checksum, Email, TagLabel, UploadId},
};

use super::{
    MemoryStore, job_list,
    namespace::{LogRow, Namespace},
    photo_lists,
};

#[async_trait]
impl PhotoReads for MemoryStore {
    async fn photo(&self, owner: UserId, photo: PhotoId) -> Result<Option<PhotoView>, Unavailable> {
        self.read(|namespace| of_owner(namespace, owner, photo))
            .await?
            .transpose()
    }

    async fn list(&self, owner: UserId, query: &PhotoListQuery) -> Result<PhotoListPage, Unavailable> {
        Ok(photo_lists::page(self.photos_of(owner).await?, query))
    }

    async fn tags(
        &self,
        owner: UserId,
        after: Option<&TagLabel>,
        size: usize,
    ) -> Result<Vec<TagCount>, Unavailable> {
        Ok(photo_lists::tags(&self.photos_of(owner).await?, after, size))
    }

    async fn by_upload_ids(&self, owner: UserId, ids: &[UploadId]) -> Result<Vec<PhotoView>, Unavailable> {
        self.read(|namespace| {
            let wanted: BTreeSet<_> = ids.iter().map(|id| (owner, *id)).collect();
            let photos = wanted.iter().filter_map(|name| namespace.uploads.get(name));
            photos.filter_map(|id| of_owner(namespace, owner, *id)).collect()
        })
        .await?
    }

    async fn completed_with_checksums(
        &self,
        owner: UserId,
        checksums: &[Checksum],
    ) -> Result<Vec<PhotoView>, Unavailable> {
        self.read(|namespace| {
            let known = namespace.hashes.iter();
            let matching =
                known.filter(|(_, hashes)| hashes.measured.is_some_and(|sum| checksums.contains(&sum)));
            let views = matching.filter_map(|(id, _)| of_owner(namespace, owner, *id));
            views
                .filter(|view| {
                    view.as_ref()
                        .map_or(true, |view| view.photo.status() == PhotoStatus::Completed)
                })
                .collect()
        })
        .await?
    }

    async fn by_ids(&self, owner: UserId, ids: &[PhotoId]) -> Result<Vec<PhotoView>, Unavailable> {
        self.read(|namespace| {
            let mut seen = BTreeSet::new();
            ids.iter()
                .filter(|id| seen.insert(**id))
                .filter_map(|id| of_owner(namespace, owner, *id))
                .collect()
        })
        .await?
    }
}

impl MemoryStore {
    /// All photos of a user.
    async fn photos_of(&self, owner: UserId) -> Result<Vec<PhotoView>, Unavailable> {
        self.read(|namespace| {
            let ids = namespace.uploads.iter().filter(|((user, _), _)| *user == owner);
            ids.filter_map(|(_, id)| of_owner(namespace, owner, *id))
                .collect()
        })
        .await?
    }
}

#[async_trait]
impl JobReads for MemoryStore {
    async fn job(&self, owner: UserId, job: JobId) -> Result<Option<JobView>, Unavailable> {
        self.read(|namespace| job_view(namespace, owner, job))
            .await?
            .transpose()
    }

    async fn jobs(&self, owner: UserId, query: &JobListQuery) -> Result<JobListPage, Unavailable> {
        self.read(|namespace| job_list::page(namespace, owner, query))
            .await
    }

    async fn last_change(&self, owner: UserId, job: JobId) -> Result<Option<LastChange>, Unavailable> {
        self.read(|namespace| last_change(namespace, job).filter(|_| is_owner(namespace, owner, job)))
            .await
    }
}

#[async_trait]
impl UserReads for MemoryStore {
    async fn credentials(&self, email: &Email) -> Result<Option<UserCredentials>, Unavailable> {
        self.read(|namespace| {
            let account = namespace.accounts.get(email)?;
            let AggregateState::User(user) = &namespace.state(account.user)?.state else {
                return None;
            };
            Some(UserCredentials {
                user: account.user,
                password_hash: account.password_hash.clone(),
                status: user.status,
                is_admin: user.is_admin,
            })
        })
        .await
    }

    async fn accounts(&self, after: Option<UserId>, size: usize) -> Result<Vec<Account>, Unavailable> {
        self.read(|namespace| {
            let users = namespace.rows.values().filter_map(|row| match &row.state {
                AggregateState::User(user) => Some((user, row.created_at)),
                AggregateState::Job(_) | AggregateState::Photo(_) => None,
            });
            let mut accounts: Vec<_> = users
                .filter(|(user, _)| after.is_none_or(|after| user.id > after))
                .map(|(user, created_at)| {
                    let mut emails = namespace.accounts.iter();
                    let email = emails.find(|(_, account)| account.user == user.id);
                    Account {
                        user: user.clone(),
                        email: email.map(|(email, _)| email.to_string()),
                        created_at,
                    }
                })
                .collect();
            accounts.sort_by_key(|account| account.user.id);
            accounts.truncate(size);
            accounts
        })
        .await
    }
}

#[async_trait]
impl IdempotencyReads for MemoryStore {
    async fn idempotency(
        &self,
        owner: UserId,
        key: &IdempotencyKey,
        now: Timestamp,
    ) -> Result<Option<IdempotencyRecord>, Unavailable> {
        self.read(|namespace| {
            let kept = namespace.idempotency.get(&(owner, key.clone()));
            kept.filter(|record| record.expires_at > now).cloned()
        })
        .await
    }
}

/// View of a photo that belongs to the user and is not deleted.
fn of_owner(namespace: &Namespace, owner: UserId, id: PhotoId) -> Option<Result<PhotoView, Unavailable>> {
    let (photo, _) = namespace.photo_row(id)?;
    (photo.owner == owner && !photo.deleted).then(|| view(namespace, id))
}

fn view(namespace: &Namespace, id: PhotoId) -> Result<PhotoView, Unavailable> {
    // The commit that declares a photo also writes its filename.
    let no_filename = || Unavailable::database(format!("{id} has no filename"));
    let (photo, row) = namespace.photo_row(id).ok_or_else(no_filename)?;
    Ok(PhotoView {
        photo: photo.clone(),
        version: row.version,
        filename: namespace.names.get(&id).cloned().ok_or_else(no_filename)?,
        metadata: namespace.metadata.get(&id).cloned().unwrap_or_default(),
        hashes: namespace.hashes.get(&id).copied().unwrap_or_default(),
        created_at: row.created_at,
        updated_at: row.updated_at,
    })
}

/// Last change of a job without events, which does not exist.
const NEVER_CHANGED: LastChange = LastChange {
    cursor: Cursor::START,
    settled: true,
};

fn is_owner(namespace: &Namespace, owner: UserId, job: JobId) -> bool {
    let row = namespace.state(job);
    row.is_some_and(|row| matches!(&row.state, AggregateState::Job(job) if job.owner == owner))
}

fn last_change(namespace: &Namespace, job: JobId) -> Option<LastChange> {
    let of_job = |row: &(&Cursor, &LogRow)| row.1.job == Some(job);
    let (cursor, _) = namespace.log.iter().rev().find(of_job)?;
    Some(LastChange {
        cursor: *cursor,
        settled: *cursor <= namespace.head(),
    })
}

fn job_view(namespace: &Namespace, owner: UserId, id: JobId) -> Option<Result<JobView, Unavailable>> {
    let row = namespace.state(id)?;
    let AggregateState::Job(job) = &row.state else {
        return None;
    };
    if job.owner != owner {
        return None;
    }
    let rows = || {
        let ids = namespace.photos_of_jobs.get(&id).into_iter().flatten();
        ids.filter_map(|id| namespace.photo_row(*id))
    };
    let photos = rows()
        .filter(|(photo, _)| !photo.deleted)
        .map(|(photo, _)| view(namespace, photo.id))
        .collect::<Result<_, _>>();
    let deleted = rows().filter(|(photo, _)| photo.deleted);
    let changed = rows().map(|(_, row)| row.updated_at);
    Some(photos.map(|photos| JobView {
        id,
        created_at: row.created_at,
        updated_at: changed.fold(row.updated_at, Timestamp::max),
        photos,
        outcome: job.outcome,
        deleted: deleted.map(|(photo, _)| photo.status()).collect(),
        cursor: namespace.head(),
        last_change: last_change(namespace, id).unwrap_or(NEVER_CHANGED),
    }))
}
