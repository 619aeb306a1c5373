use std::collections::HashMap;
use std::sync::Arc;

use futures::{StreamExt as _, TryStreamExt as _, stream};
use rapidphoto_domain::{
    JobId, PhotoId, StreamId, Timestamp, UserId, Version,
    job::UploadJob,
    photo::{Photo, PhotoCommand, PhotoStatus, QueuePhoto, UploadWindow},
    values::{ObjectRef, UploadId},
};
use sha2::{Digest, Sha256};

use super::{FileProblem, NewFile, RawFile};
use crate::{
    batch::PhotoBatch,
    decision::{event_id, record_new_photo},
    ports::{
        AggregateState, Change, Commit, CommitError, Details, EventMetadata, IdempotencyKey,
        IdempotencyReads, IdempotencyRecord, NewEvent, PhotoReads, PhotoView, Ports, PresignedUrl, Presigner,
        PutGrant, Unavailable, Unique, WritePorts,
    },
    settings::Settings,
};

/// Promises a batch of files.
#[derive(Debug, Clone)]
pub struct CreateJob {
    /// Who promises.
    pub owner: UserId,
    /// The files, in the client's order.
    pub files: Vec<RawFile>,
    /// The client's name for the request.
    pub idempotency_key: Option<IdempotencyKey>,
    /// Where the request came from.
    pub metadata: EventMetadata,
}

/// What a batch came to.
#[derive(Debug, Clone, PartialEq)]
pub struct CreatedJob {
    /// The job of all items, if it is one.
    pub job: Option<JobId>,
    /// Whether this request brought the job into being.
    pub created: bool,
    /// One item for each file, in the client's order.
    pub items: Vec<JobItem>,
}

/// What became of one file.
#[derive(Debug, Clone, PartialEq)]
pub struct JobItem {
    /// The photo.
    pub photo: PhotoId,
    /// The photo's job, which may be an earlier one.
    pub job: JobId,
    /// The client's own name for the file.
    pub upload_id: UploadId,
    /// Where the photo stands.
    pub status: PhotoStatus,
    /// Where to send the bytes, while they are wanted.
    pub upload: Option<PresignedUrl>,
}

/// Why a batch was refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CreateJobError {
    /// No file, or too many.
    #[error("a job has 1 to {max} files")]
    FileCount {
        /// The most files in one job.
        max: usize,
    },
    /// Files that can't be accepted: one problem each.
    #[error("{} of the files can't be accepted", .0.len())]
    Files(Vec<FileProblem>),
    /// The idempotency key belongs to another request.
    #[error("the idempotency key was used for another request")]
    KeyReused,
    /// The record or the signer can't be reached.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// Creates upload jobs. A repeated request never makes a second photo, whatever races.
#[derive(Clone)]
pub struct CreateJobHandler {
    ports: WritePorts,
    photos: Arc<dyn PhotoReads>,
    idempotency: Arc<dyn IdempotencyReads>,
    presigner: Arc<dyn Presigner>,
    settings: Arc<Settings>,
}

/// How often a decision is made anew when others were faster.
const MAX_ROUNDS: usize = 16;
/// How many deleted photos are read side by side.
const READS_AT_ONCE: usize = 8;

impl CreateJobHandler {
    /// A handler on these ports.
    pub fn new(ports: &Ports, settings: Arc<Settings>) -> Self {
        Self {
            ports: ports.write_ports(),
            photos: Arc::clone(&ports.database.photos),
            idempotency: Arc::clone(&ports.database.idempotency),
            presigner: Arc::clone(&ports.presigner),
            settings,
        }
    }

    /// Creates a job for the files that are new, and tells where each file stands.
    pub async fn handle(&self, command: CreateJob) -> Result<CreatedJob, CreateJobError> {
        let files = self.parse(&command.files)?;
        let fingerprint = fingerprint(&command.files);
        for _ in 0..MAX_ROUNDS {
            if let Some(earlier) = self.earlier(&command, fingerprint).await? {
                return Ok(earlier);
            }
            let known = self.known(command.owner, &files).await?;
            let Some(planned) = self.plan(&command, &files, fingerprint, &known) else {
                return self
                    .answer(command.owner, None, false, &in_order(&files, &known))
                    .await;
            };
            match self.ports.journal.commit(planned.commit).await {
                Ok(_) => {
                    return self
                        .answer(command.owner, planned.job, planned.created, &planned.photos)
                        .await;
                }
                // Somebody was faster with an upload id or with the key: look again, and say what is there.
                Err(
                    CommitError::Duplicate(Unique::UploadId { .. } | Unique::IdempotencyKey)
                    | CommitError::Conflict(_),
                ) => {}
                Err(other) => return Err(other.into_unavailable().into()),
            }
        }
        Err(Unavailable::record("other requests with the same upload ids keep being faster").into())
    }

    fn parse(&self, raw: &[RawFile]) -> Result<Vec<NewFile>, CreateJobError> {
        let max = self.settings.uploads.max_files;
        if raw.is_empty() || raw.len() > max {
            return Err(CreateJobError::FileCount { max });
        }
        let mut problems = Vec::new();
        let mut files: Vec<NewFile> = Vec::with_capacity(raw.len());
        let mut seen: HashMap<UploadId, usize> = HashMap::new();
        for (index, raw) in raw.iter().enumerate() {
            match raw.parse(index, &self.settings.uploads) {
                Ok(file) => {
                    if let Some(first) = file.upload_id.and_then(|id| seen.insert(id, index)) {
                        problems.push(FileProblem {
                            index,
                            field: "uploadId",
                            code: "upload_id_repeated",
                            message: format!("file {first} of the batch has the same upload id"),
                        });
                    }
                    files.push(file);
                }
                Err(problem) => problems.push(problem),
            }
        }
        if problems.is_empty() {
            Ok(files)
        } else {
            Err(CreateJobError::Files(problems))
        }
    }

    /// The answer that an earlier request with the same key got.
    async fn earlier(
        &self,
        command: &CreateJob,
        fingerprint: [u8; 32],
    ) -> Result<Option<CreatedJob>, CreateJobError> {
        let Some(key) = &command.idempotency_key else {
            return Ok(None);
        };
        let now = self.ports.clock.now();
        let Some(record) = self.idempotency.idempotency(command.owner, key, now).await? else {
            return Ok(None);
        };
        if record.fingerprint != fingerprint {
            return Err(CreateJobError::KeyReused);
        }
        let photos = self.promised(command.owner, &record.photos).await?;
        self.answer(command.owner, record.job, false, &photos)
            .await
            .map(Some)
    }

    /// Photos that an earlier request was told of, one for each id. Those that were deleted since are told of still:
    /// items match files one to one, whatever happened to them.
    async fn promised(&self, owner: UserId, ids: &[PhotoId]) -> Result<Vec<Photo>, Unavailable> {
        let views = self.photos.by_ids(owner, ids).await?;
        let mut present: HashMap<PhotoId, Photo> = views
            .into_iter()
            .map(|view| (view.photo.id, view.photo))
            .collect();
        let photos = ids.iter().map(|id| {
            let present = present.remove(id);
            async move {
                match present {
                    Some(photo) => Ok(photo),
                    None => self.deleted(*id).await,
                }
            }
        });
        let photos: Vec<_> = photos.collect();
        stream::iter(photos).buffered(READS_AT_ONCE).try_collect().await
    }

    async fn deleted(&self, id: PhotoId) -> Result<Photo, Unavailable> {
        let known = self.ports.aggregates.photo(id).await?;
        known
            .map(|known| known.value)
            .ok_or_else(|| Unavailable::record("it has lost a photo that was promised"))
    }

    /// The photos that exist for the files' upload ids.
    async fn known(
        &self,
        owner: UserId,
        files: &[NewFile],
    ) -> Result<HashMap<UploadId, Photo>, CreateJobError> {
        let ids: Vec<UploadId> = files.iter().filter_map(|file| file.upload_id).collect();
        if ids.is_empty() {
            return Ok(HashMap::new());
        }
        let views: Vec<PhotoView> = self.photos.by_upload_ids(owner, &ids).await?;
        let known: HashMap<_, _> = views
            .into_iter()
            .map(|view| (view.photo.upload_id, view.photo))
            .collect();
        let mut problems = Vec::new();
        for (index, file) in files.iter().enumerate() {
            let Some(photo) = file.upload_id.and_then(|id| known.get(&id)) else {
                continue;
            };
            if photo.declared != file.declared {
                problems.push(FileProblem {
                    index,
                    field: "uploadId",
                    code: "upload_id_reused",
                    message: "the upload id belongs to a file of another size, type or checksum".to_owned(),
                });
            }
        }
        if problems.is_empty() {
            Ok(known)
        } else {
            Err(CreateJobError::Files(problems))
        }
    }

    /// What to write; nothing if every file is known and the request has no key to remember.
    fn plan(
        &self,
        command: &CreateJob,
        files: &[NewFile],
        fingerprint: [u8; 32],
        known: &HashMap<UploadId, Photo>,
    ) -> Option<Planned> {
        let ids = self.ports.ids.as_ref();
        let now = self.ports.clock.now();
        let job = JobId::from_bits(ids.ulid());
        let mut commit = Commit::new(now, command.metadata.clone());
        let mut photos = Vec::with_capacity(files.len());
        let mut bytes_total = 0;
        let mut photo_count = 0;
        for file in files {
            if let Some(photo) = file.upload_id.and_then(|id| known.get(&id)) {
                photos.push(photo.clone());
                continue;
            }
            let id = PhotoId::from_bits(ids.ulid());
            let event = Photo::queue(QueuePhoto {
                id,
                job,
                owner: command.owner,
                upload_id: file
                    .upload_id
                    .unwrap_or_else(|| UploadId::from_random(random_bits(ids.secret()))),
                declared: file.declared.clone(),
                object: ObjectRef {
                    bucket: self.settings.storage.bucket.clone(),
                    key: self.settings.storage.keys.original(command.owner, id),
                    region: self.settings.storage.region.clone(),
                },
                window: self.window(now),
            });
            bytes_total += file.declared.bytes;
            photo_count += 1;
            commit.details.push(Details::PhotoName {
                photo: id,
                filename: file.filename.clone(),
            });
            photos.extend(record_new_photo(&mut commit, event, ids, &self.settings.work));
        }
        let created = photo_count > 0;
        if created {
            let event = UploadJob::create(job, command.owner, photo_count, bytes_total);
            let state = UploadJob::begin(&event).ok()?;
            commit.changes.push(Change {
                stream: StreamId::Job(job),
                expected: Version::NEW,
                events: vec![NewEvent {
                    id: event_id(ids),
                    event: event.into(),
                }],
                state: AggregateState::Job(state),
            });
        }
        let job = if created { Some(job) } else { common_job(&photos) };
        commit.idempotency = command.idempotency_key.clone().map(|key| IdempotencyRecord {
            owner: command.owner,
            key,
            fingerprint,
            photos: photos.iter().map(|photo| photo.id).collect(),
            job,
            expires_at: now + self.settings.uploads.idempotency_lifetime,
        });
        (created || commit.idempotency.is_some()).then_some(Planned {
            commit,
            job,
            created,
            photos,
        })
    }

    fn window(&self, now: Timestamp) -> UploadWindow {
        UploadWindow {
            url_expires_at: now + self.settings.uploads.url_lifetime,
            ends_at: now + self.settings.uploads.window,
        }
    }

    async fn answer(
        &self,
        owner: UserId,
        job: Option<JobId>,
        created: bool,
        photos: &[Photo],
    ) -> Result<CreatedJob, CreateJobError> {
        let photos = self.with_fresh_windows(owner, photos).await?;
        let mut items = Vec::with_capacity(photos.len());
        for photo in &photos {
            let upload = if wants_bytes(photo) {
                Some(self.sign(photo).await?)
            } else {
                None
            };
            items.push(JobItem {
                photo: photo.id,
                job: photo.job,
                upload_id: photo.upload_id,
                status: photo.status(),
                upload,
            });
        }
        Ok(CreatedJob {
            job: job.or_else(|| common_job(&photos)),
            created,
            items,
        })
    }

    /// The photos, those that want bytes with at least half a URL's life before them. When a URL ends is part of the
    /// record: what is cleaned up, and when, depends on it, so no URL outlives what the record says.
    async fn with_fresh_windows(&self, owner: UserId, photos: &[Photo]) -> Result<Vec<Photo>, Unavailable> {
        let is_stale = |photo: &Photo, now: Timestamp| {
            let enough = now + self.settings.uploads.url_lifetime / 2;
            wants_bytes(photo) && photo.window.url_expires_at < enough
        };
        let now = self.ports.clock.now();
        let stale = photos.iter().filter(|photo| is_stale(photo, now));
        let stale: Vec<PhotoId> = stale.map(|photo| photo.id).collect();
        if stale.is_empty() {
            return Ok(photos.to_vec());
        }
        let metadata = EventMetadata {
            actor: Some(owner),
            ..EventMetadata::default()
        };
        let batch = PhotoBatch {
            ports: &self.ports,
            reads: &*self.photos,
            settings: &self.settings.work,
            owner,
            metadata: &metadata,
        };
        let renewed = batch.write(&stale, |photo, now| {
            let window = self.window(now);
            let renewal = is_stale(photo, now).then(|| photo.decide(PhotoCommand::Renew { window }));
            renewal.and_then(Result::ok).unwrap_or_default()
        });
        let renewed = renewed.await?.into_iter();
        let mut renewed: HashMap<PhotoId, Photo> = renewed.map(|photo| (photo.id, photo)).collect();
        let mut fresh = Vec::with_capacity(photos.len());
        for photo in photos {
            fresh.push(match renewed.remove(&photo.id) {
                Some(renewed) => renewed,
                // Deleted since it was read.
                None if is_stale(photo, now) => self.deleted(photo.id).await?,
                None => photo.clone(),
            });
        }
        Ok(fresh)
    }

    async fn sign(&self, photo: &Photo) -> Result<PresignedUrl, Unavailable> {
        let left = photo.window.url_expires_at - self.ports.clock.now();
        self.presigner
            .put(&PutGrant {
                key: photo.object.key.clone(),
                mime_type: photo.declared.mime_type,
                bytes: photo.declared.bytes,
                checksum: photo.declared.checksum,
                valid_for: left.to_std().unwrap_or_default(),
            })
            .await
    }
}

/// A decision that waits to be written.
struct Planned {
    commit: Commit,
    job: Option<JobId>,
    created: bool,
    photos: Vec<Photo>,
}

/// Whether a URL is of use to the photo.
const fn wants_bytes(photo: &Photo) -> bool {
    !photo.deleted && photo.status().awaits_upload()
}

fn in_order(files: &[NewFile], known: &HashMap<UploadId, Photo>) -> Vec<Photo> {
    files
        .iter()
        .filter_map(|file| file.upload_id.and_then(|id| known.get(&id)).cloned())
        .collect()
}

fn common_job(photos: &[Photo]) -> Option<JobId> {
    let first = photos.first()?.job;
    photos.iter().all(|photo| photo.job == first).then_some(first)
}

fn random_bits(secret: [u8; 32]) -> u128 {
    let mut bits = [0; 16];
    for (to, from) in bits.iter_mut().zip(secret) {
        *to = from;
    }
    u128::from_be_bytes(bits)
}

/// What a request means: two that differ only in white space or in the order of JSON's members mean the same.
fn fingerprint(files: &[RawFile]) -> [u8; 32] {
    let mut hash = Sha256::new();
    let mut field = |bytes: &[u8]| {
        hash.update((bytes.len() as u64).to_be_bytes());
        hash.update(bytes);
    };
    for file in files {
        field(file.filename.as_bytes());
        field(file.mime_type.as_bytes());
        field(&file.bytes.to_be_bytes());
        field(file.upload_id.as_deref().unwrap_or_default().as_bytes());
        let (algorithm, value) = file
            .checksum
            .as_ref()
            .map_or(("", ""), |(algorithm, value)| (algorithm, value));
        field(algorithm.as_bytes());
        field(value.as_bytes());
    }
    hash.finalize().into()
}
