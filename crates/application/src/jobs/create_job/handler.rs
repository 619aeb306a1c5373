use std::sync::Arc;

use futures::{StreamExt as _, TryStreamExt as _, stream};
use rapidphoto_domain::{StreamId, UserId, user::UserStatus};

use super::{
    admission::Admission,
    command::{CreateJob, CreateJobError, CreatedJob},
    idempotency::{EarlierRequests, fingerprint},
    planning::{DeclaredPhotos, Known, Request},
};
use crate::{
    commit::{Decided, RetryPolicy, commit_with_retry},
    ports::{CommitError, Guard, PhotoReads, Ports, Presigner, Unique, WritePorts},
    settings::Settings,
    uploads::{JobItem, UploadUrls, upload_failed},
};

/// Creates upload jobs. A repeated request never creates a second photo for a file, even if it runs concurrently with
/// the first.
pub struct CreateJobHandler {
    ports: WritePorts,
    photos: Arc<dyn PhotoReads>,
    earlier: EarlierRequests,
    admission: Admission,
    urls: UploadUrls,
    presigner: Arc<dyn Presigner>,
    settings: Arc<Settings>,
}

/// A concurrent request may take an upload id or the idempotency key first: its photos are found by the next attempt.
const RETRY: RetryPolicy = RetryPolicy {
    is_retryable: |error| {
        matches!(
            error,
            CommitError::Conflict(_)
                | CommitError::Duplicate(Unique::UploadId { .. } | Unique::IdempotencyKey)
        )
    },
    ..RetryPolicy::on_conflict("a file of the batch", 16)
};

/// Concurrent signatures; some of them ask storage for the object.
const CONCURRENT_SIGNATURES: usize = 8;

impl CreateJobHandler {
    /// A handler on these ports.
    pub fn new(ports: &Ports, settings: Arc<Settings>) -> Self {
        Self {
            ports: ports.write_ports(),
            photos: Arc::clone(&ports.database.photos),
            earlier: EarlierRequests::new(ports),
            admission: Admission::new(ports, settings.quotas),
            presigner: Arc::clone(&ports.presigner),
            urls: UploadUrls::new(ports, Arc::clone(&settings)),
            settings,
        }
    }

    /// Creates a job for the files that are new, and returns the photo of each file.
    pub async fn handle(&self, command: CreateJob) -> Result<CreatedJob, CreateJobError> {
        self.run(command, true).await
    }

    /// Returns the photo of each file like [`Self::handle`], if none of them is new.
    ///
    /// # Errors
    /// [`CreateJobError::NotRepeated`] if a job would have to be created.
    pub async fn repeat(&self, command: CreateJob) -> Result<CreatedJob, CreateJobError> {
        self.run(command, false).await
    }

    async fn run(&self, command: CreateJob, may_create: bool) -> Result<CreatedJob, CreateJobError> {
        let single_puts = self.presigner.protects_objects();
        let fingerprint = fingerprint(&command.files, &command.options);
        let request = Request::parse(&command, fingerprint, &self.settings, single_puts)?;
        let (declared, reservation) = commit_with_retry(&*self.ports.journal, RETRY, || async {
            if let Some(earlier) = self.earlier.find(&request).await? {
                return Ok(Decided::Nothing((earlier, None)));
            }
            let known = self.known(command.owner, &request).await?;
            let (mut commit, declared) = request.plan(&known, &self.ports, &self.settings);
            let mut reservation = None;
            if let Some(new) = declared.new {
                if !may_create {
                    return Err(CreateJobError::NotRepeated);
                }
                reservation = Some(self.admission.admit(command.owner, new).await?);
                commit.guards.extend(self.active_account(command.owner).await?);
            }
            Ok::<_, CreateJobError>(Decided::of(commit, (declared, reservation)))
        })
        .await?;
        drop(reservation);
        self.answer(&request, declared).await
    }

    /// A guard that the account is still active when the job is written: access tokens outlive a disabled or deleted
    /// account, and the photos of a deleted one are erased only once.
    async fn active_account(&self, owner: UserId) -> Result<Option<Guard>, CreateJobError> {
        let Some(user) = self.ports.aggregates.user(owner).await? else {
            return Ok(None);
        };
        if user.value.status != UserStatus::Active {
            return Err(CreateJobError::AccountNotActive);
        }
        Ok(Some(Guard {
            stream: StreamId::User(owner),
            version: user.version,
        }))
    }

    /// The photos that exist for the files' upload ids and, if the request skips duplicates, contents.
    async fn known(&self, owner: UserId, request: &Request<'_>) -> Result<Known, CreateJobError> {
        let mut known = Known::default();
        let ids = request.upload_ids();
        if !ids.is_empty() {
            let views = self.photos.by_upload_ids(owner, &ids).await?;
            let views = views.into_iter().map(|view| (view.photo.upload_id, view));
            known.by_upload_id = views.collect();
            request.reject_reused_ids(&known.by_upload_id)?;
        }
        let contents = request.contents();
        if !contents.is_empty() {
            let views = self.photos.completed_with_checksums(owner, &contents).await?;
            let contents = views
                .into_iter()
                .filter_map(|view| Some((view.hashes.measured?, view.photo)));
            known.by_content = contents.collect();
        }
        Ok(known)
    }

    async fn answer(
        &self,
        request: &Request<'_>,
        declared: DeclaredPhotos,
    ) -> Result<CreatedJob, CreateJobError> {
        let failed = declared.photos.iter().filter(|photo| upload_failed(photo));
        self.admission
            .admit_again(request.owner(), failed.count() as u64)
            .await?;
        let photos = self
            .urls
            .with_fresh_windows(request.owner(), declared.photos)
            .await?;
        let files = request
            .checksums()
            .zip(request.chosen_ids())
            .zip(declared.duplicates);
        let items = photos.into_iter().zip(files);
        let items = items.map(|(photo, ((checksum, upload_id), duplicate))| async move {
            let item = self.urls.item(&photo, checksum).await?;
            if !duplicate {
                return Ok::<_, CreateJobError>(item);
            }
            Ok(JobItem {
                upload_id: upload_id.unwrap_or(item.upload_id),
                duplicate_of: (!photo.deleted).then_some(photo.id),
                ..item
            })
        });
        let items: Vec<_> = items.collect();
        let items = stream::iter(items)
            .buffered(CONCURRENT_SIGNATURES)
            .try_collect()
            .await?;
        Ok(CreatedJob {
            job: declared.job,
            created: declared.new.is_some(),
            items,
        })
    }
}
