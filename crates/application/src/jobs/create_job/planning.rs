//! Validation of a request, and the commit that creates its photos.

use std::{collections::HashMap, num::NonZeroU64};

use rapidphoto_domain::{
    JobId, PhotoId, UserId,
    job::UploadJob,
    photo::{PartLayout, PartSizeError, Photo, QueuePhoto},
    values::{Checksum, ObjectRef, UploadId},
};

use super::{
    admission::BatchSize,
    command::{CreateJob, CreateJobError, UploadOptions, UploadStrategy},
};
use crate::{
    decision::{record_new_job, record_new_photo},
    jobs::new_file::{FileProblem, NewFile},
    ports::{Commit, Details, IdempotencyKey, IdempotencyRecord, PhotoHashes, PhotoView, WritePorts},
    settings::Settings,
    uploads::upload_window,
};

/// A request whose files are valid.
pub(super) struct Request<'a> {
    command: &'a CreateJob,
    files: Vec<NewFile>,
    fingerprint: [u8; 32],
}

/// Photos that make new ones unnecessary.
#[derive(Default)]
pub(super) struct Known {
    pub(super) by_upload_id: HashMap<UploadId, PhotoView>,
    /// Completed photos by the checksum of their content, if the request skips duplicates.
    pub(super) by_content: HashMap<Checksum, Photo>,
}

/// The photos of a request's files.
pub(super) struct DeclaredPhotos {
    /// The job that all of them belong to; `None` if they belong to several.
    pub(super) job: Option<JobId>,
    /// One photo for each file, in the client's order.
    pub(super) photos: Vec<Photo>,
    /// True for each file whose photo has the same content and was declared for another file.
    pub(super) duplicates: Vec<bool>,
    /// Size of the files that are new; `None` if the request creates no job.
    pub(super) new: Option<BatchSize>,
}

impl<'a> Request<'a> {
    /// Validates the files. `single_puts` is false if a single PUT could replace a photo's object: all files are sent in parts
    /// then.
    pub(super) fn parse(
        command: &'a CreateJob,
        fingerprint: [u8; 32],
        settings: &Settings,
        single_puts: bool,
    ) -> Result<Self, CreateJobError> {
        let max = settings.uploads.max_files;
        if command.files.is_empty() || command.files.len() > max {
            return Err(CreateJobError::FileCount { max });
        }
        let mut problems = Vec::new();
        let mut files = Vec::with_capacity(command.files.len());
        let mut seen: HashMap<UploadId, usize> = HashMap::new();
        for (index, raw) in command.files.iter().enumerate() {
            match raw.parse(index, settings) {
                Ok(mut file) => {
                    file.part_size = part_size(file.declared.bytes, &command.options, single_puts)?;
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
        if !problems.is_empty() {
            return Err(CreateJobError::Files(problems));
        }
        Ok(Self {
            command,
            files,
            fingerprint,
        })
    }

    pub(super) const fn owner(&self) -> UserId {
        self.command.owner
    }

    pub(super) const fn idempotency_key(&self) -> Option<&IdempotencyKey> {
        self.command.idempotency_key.as_ref()
    }

    pub(super) const fn fingerprint(&self) -> [u8; 32] {
        self.fingerprint
    }

    /// The declared checksum of each file, in the client's order.
    pub(super) fn checksums(&self) -> impl Iterator<Item = Option<Checksum>> {
        self.files.iter().map(|file| file.checksum)
    }

    /// The upload id of each file, in the client's order.
    pub(super) fn chosen_ids(&self) -> impl Iterator<Item = Option<UploadId>> {
        self.files.iter().map(|file| file.upload_id)
    }

    /// The declared checksums for which completed photos are wanted instead of new ones.
    pub(super) fn contents(&self) -> Vec<Checksum> {
        let files = self.files.iter().filter(|_| self.command.options.dedupe);
        files.filter_map(|file| file.checksum).collect()
    }

    /// Returns true if a photo that an earlier request has declared for the file at this index, with this job, was a completed
    /// one of another job.
    pub(super) fn was_duplicate(&self, index: usize, photo: &Photo, job: Option<JobId>) -> bool {
        let own = self.files.get(index).and_then(|file| file.upload_id) == Some(photo.upload_id);
        self.command.options.dedupe && !own && job != Some(photo.job)
    }

    /// The upload ids that the client has chosen.
    pub(super) fn upload_ids(&self) -> Vec<UploadId> {
        self.files.iter().filter_map(|file| file.upload_id).collect()
    }

    /// Rejects upload ids that belong to a different file.
    pub(super) fn reject_reused_ids(
        &self,
        known: &HashMap<UploadId, PhotoView>,
    ) -> Result<(), CreateJobError> {
        let mut problems = Vec::new();
        for (index, file) in self.files.iter().enumerate() {
            let reused = known_photo(file, known).is_some_and(|known| {
                known.photo.declared != file.declared || known.hashes.declared != file.checksum
            });
            if reused {
                problems.push(FileProblem {
                    index,
                    field: "uploadId",
                    code: "upload_id_reused",
                    message: "the upload id belongs to a file of another size, type or checksum".to_owned(),
                });
            }
        }
        if problems.is_empty() {
            Ok(())
        } else {
            Err(CreateJobError::Files(problems))
        }
    }

    /// The commit that declares the files without a known photo as photos of a new job, and the photos of all files. The
    /// commit is empty if every file is known.
    pub(super) fn plan(
        &self,
        known: &Known,
        ports: &WritePorts,
        settings: &Settings,
    ) -> (Commit, DeclaredPhotos) {
        let ids = ports.ids.as_ref();
        let mut commit = ports.commit(self.command.metadata.clone());
        let job = JobId::from_bits(ids.ulid());
        let mut photos = Vec::with_capacity(self.files.len());
        let mut duplicates = Vec::with_capacity(self.files.len());
        let mut bytes_total = 0;
        let mut photo_count = 0;
        for file in &self.files {
            if let Some(known) = known_photo(file, &known.by_upload_id) {
                photos.push(known.photo.clone());
                duplicates.push(false);
                continue;
            }
            if let Some(same) = file.checksum.and_then(|checksum| known.by_content.get(&checksum)) {
                photos.push(same.clone());
                duplicates.push(true);
                continue;
            }
            duplicates.push(false);
            let id = PhotoId::from_bits(ids.ulid());
            let event = Photo::queue(QueuePhoto {
                id,
                job,
                owner: self.owner(),
                upload_id: file
                    .upload_id
                    .unwrap_or_else(|| UploadId::from_random(random_bits(ids.secret()))),
                declared: file.declared,
                object: ObjectRef {
                    bucket: settings.storage.bucket.clone(),
                    key: settings.storage.keys.original(self.owner(), id),
                    region: settings.storage.region.clone(),
                },
                window: upload_window(commit.at, &settings.uploads),
                part_size: file.part_size,
            });
            bytes_total += file.declared.bytes;
            photo_count += 1;
            commit.details.push(Details::PhotoName {
                photo: id,
                filename: file.filename.clone(),
            });
            if file.checksum.is_some() {
                let hashes = PhotoHashes {
                    declared: file.checksum,
                    ..PhotoHashes::default()
                };
                commit.details.push(Details::PhotoHashes { photo: id, hashes });
            }
            photos.extend(record_new_photo(&mut commit, event, ids, &settings.work));
        }
        let new = (photo_count > 0).then(|| BatchSize {
            photos: u64::from(photo_count),
            bytes: bytes_total,
        });
        let job = if new.is_some() {
            let event = UploadJob::create(job, self.owner(), photo_count, bytes_total);
            record_new_job(&mut commit, event, ids).map(|job| job.id)
        } else {
            common_job(&photos)
        };
        // A request whose files are all known creates nothing, however often it is repeated: it needs no record, which would
        // not count against any limit.
        let key = self.idempotency_key().filter(|_| new.is_some());
        commit.idempotency = key.map(|key| IdempotencyRecord {
            owner: self.owner(),
            key: key.clone(),
            fingerprint: self.fingerprint,
            photos: photos.iter().map(|photo| photo.id).collect(),
            job,
            expires_at: commit.at + settings.uploads.idempotency_lifetime,
        });
        let declared = DeclaredPhotos {
            job,
            photos,
            duplicates,
            new,
        };
        (commit, declared)
    }
}

/// Files up to this size, in bytes, are sent in one request unless the client chooses.
const SINGLE_PUT_BYTES: u64 = 5 << 20;

/// Size of the parts in which a file is sent; `None` for one request.
fn part_size(
    bytes: u64,
    options: &UploadOptions,
    single_puts: bool,
) -> Result<Option<NonZeroU64>, PartSizeError> {
    let in_parts = match options.strategy {
        UploadStrategy::Auto => bytes > SINGLE_PUT_BYTES,
        UploadStrategy::Single => false,
        UploadStrategy::Parts => true,
    };
    // A size that no file can have is refused even if no file needs it.
    let chosen = options
        .part_size
        .map(|size| PartLayout::of_size(bytes, size))
        .transpose()?;
    let layout = chosen.unwrap_or_else(|| PartLayout::suggested(bytes));
    Ok((in_parts || !single_puts).then(|| layout.part_size()))
}

fn known_photo<'a>(file: &NewFile, known: &'a HashMap<UploadId, PhotoView>) -> Option<&'a PhotoView> {
    file.upload_id.and_then(|id| known.get(&id))
}

/// The job that all photos belong to, if it is one.
pub(super) fn common_job(photos: &[Photo]) -> Option<JobId> {
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
