use std::io;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use s3s::crypto::{Checksum as _, Md5};
use s3s::dto::{
    ChecksumType, CompleteMultipartUploadInput, CompleteMultipartUploadOutput, CompletedPart, ETag,
};
use s3s::{S3Error, S3Request, S3Response, S3Result, s3_error};

use super::open::{MAX_PARTS, MIN_PART_BYTES, no_such_upload, part_number};
use super::parts::algorithm;
use crate::backend::attributes::{Attributes, reject_unsupported};
use crate::backend::bucket::Backend;
use crate::backend::checksums::{Algorithm, DeclaredChecksums, checksums_of, set_checksums};
use crate::backend::errors;
use crate::backend::get::listed_checksums;
use crate::backend::lists::xml_text;
use crate::backend::put::{NewObject, precondition, precondition_failed};
use crate::backend::receive::too_large;
use crate::directory::{
    Checksums, Creation, Directory, MultipartUpload, ObjectRecord, Precondition, Publication, ReceivedUpload,
};
use crate::notifications::encode_key;

/// A validated request to complete an upload.
pub(crate) struct Completion {
    pub(crate) key: String,
    pub(crate) id: String,
    pub(crate) parts: Vec<NamedPart>,
    pub(crate) precondition: Precondition,
    /// Checksums of the whole object.
    declared: DeclaredChecksums,
    /// Size of the whole object in bytes.
    size: Option<u64>,
}

/// A part as the request names it.
pub(crate) struct NamedPart {
    pub(crate) number: u16,
    /// ETag without quotes.
    pub(crate) etag: String,
    pub(crate) checksums: Checksums,
}

impl Completion {
    /// # Errors
    /// If there is no part or too many, or if they are not in ascending order.
    pub(crate) fn new(
        key: String,
        id: String,
        parts: Vec<NamedPart>,
        precondition: Precondition,
    ) -> S3Result<Self> {
        if parts.is_empty() || parts.len() > usize::from(MAX_PARTS) {
            return Err(s3_error!(
                MalformedXML,
                "You must specify at least one part and at most {MAX_PARTS}"
            ));
        }
        if !parts.is_sorted_by(|one, next| one.number < next.number) {
            return Err(s3_error!(
                InvalidPartOrder,
                "The list of parts was not in ascending order. Parts must be ordered by part number."
            ));
        }
        Ok(Self {
            key,
            id,
            parts,
            precondition,
            declared: DeclaredChecksums::default(),
            size: None,
        })
    }
}

impl Backend {
    pub(crate) async fn complete_upload(
        &self,
        request: S3Request<CompleteMultipartUploadInput>,
    ) -> S3Result<S3Response<CompleteMultipartUploadOutput>> {
        self.check_scope(&request, &request.input.bucket)?;
        let input = request.input;
        reject_unsupported([("Encryption", input.sse_customer_algorithm.is_some())])?;
        let precondition = precondition(input.if_match.as_ref(), input.if_none_match.as_ref())?;
        // A checksum of checksums is not one of the object; the parts are compared one by one.
        let composite = |checksum: Option<String>| checksum.filter(|checksum| !checksum.contains('-'));
        let declared = DeclaredChecksums::new(None, checksums_of!(input).map(composite))?;
        let parts = input.multipart_upload.and_then(|upload| upload.parts);
        let parts = parts.unwrap_or_default().into_iter().map(named_part);
        let completion = Completion {
            declared,
            size: input.mpu_object_size.and_then(|size| u64::try_from(size).ok()),
            ..Completion::new(
                input.key.clone(),
                input.upload_id,
                parts.collect::<S3Result<_>>()?,
                precondition,
            )?
        };
        let record = self.complete_parts(completion).await?;
        let mut output = CompleteMultipartUploadOutput {
            location: Some(format!("/{}/{}", input.bucket, encode_key(&input.key))),
            bucket: Some(input.bucket),
            key: Some(xml_text(input.key)),
            ..CompleteMultipartUploadOutput::default()
        };
        if !record.checksums.is_empty() {
            let (checksums, kind) = listed_checksums(&record);
            set_checksums!(output, checksums);
            output.checksum_type = Some(kind);
        }
        output.e_tag = Some(ETag::Strong(record.etag));
        Ok(S3Response::new(output))
    }

    /// Makes the object of the parts, even if the request is cancelled. Can be repeated as long as the object exists.
    pub(crate) async fn complete_parts(&self, completion: Completion) -> S3Result<ObjectRecord> {
        let backend = self.clone();
        let completed = self.tasks.spawn(async move {
            let _lock = backend.directory.lock_upload(&completion.id).await;
            backend.complete_locked(completion).await
        });
        completed
            .await
            .map_err(|error| errors::from_io("complete an upload", io::Error::other(error)))?
    }

    async fn complete_locked(&self, completion: Completion) -> S3Result<ObjectRecord> {
        let Completion { key, id, .. } = &completion;
        let upload = self.find_upload(key, id).await?;
        let object = self.find_durable(key).await?;
        if let Some(object) = object
            && object.record.creation == Creation::Multipart(id.clone())
        {
            // The same request was answered before, or interrupted.
            self.announce(object.record.clone(), object.size).await;
            self.forget_upload(id.clone()).await;
            return match completion.precondition {
                Precondition::None | Precondition::Match(_) => Ok(object.record),
                Precondition::Absent => Err(precondition_failed()),
            };
        }
        let upload = upload.ok_or_else(no_such_upload)?;
        if completion.precondition == Precondition::Absent {
            self.check_absent(key).await?;
        }
        let id = id.clone();
        let (directory, modified, ids) = (
            Arc::clone(&self.directory),
            self.clock.now(),
            [self.ids.ulid(), self.ids.ulid()],
        );
        let max_bytes = self.max_object_bytes;
        let joining = tokio::task::spawn_blocking(move || {
            completion.make_object(&directory, &upload, modified, ids, max_bytes)
        });
        let (publication, record, size) = joining
            .await
            .map_err(|error| errors::from_io("complete an upload", io::Error::other(error)))??;
        let record = self.announce_result(publication, record, size).await?;
        fail::fail_point!("s3.before-removal", |_| std::process::abort());
        self.forget_upload(id).await;
        Ok(record)
    }

    /// Removes a completed upload. If that fails, the next start removes it.
    async fn forget_upload(&self, id: String) {
        // The error is logged where it is converted.
        let _ = self.remove_upload(id).await;
    }
}

impl Completion {
    /// Joins the parts and publishes the object. Blocks on file-system calls.
    ///
    /// # Errors
    /// If the parts are not those that are stored, or too small or too large.
    pub(crate) fn make_object(
        self,
        directory: &Directory,
        upload: &MultipartUpload,
        modified: DateTime<Utc>,
        [name, sequencer]: [u128; 2],
        max_bytes: u64,
    ) -> S3Result<(Publication, ObjectRecord, u64)> {
        let checked = check_parts(directory, &self, upload, max_bytes)?;
        let joined = join_parts(directory, &self, upload, name)?;
        let mut checksums = checked.checksums;
        if let Some(algorithm) = algorithm(upload)?.filter(|_| is_full_object(upload))
            && let Some(checksum) = algorithm.computed(&joined)
        {
            checksums.insert(algorithm.name.to_owned(), checksum.clone());
        }
        let object = NewObject {
            key: self.key,
            attributes: Attributes {
                headers: upload.headers.clone(),
                metadata: upload.metadata.clone(),
            },
            creation: Creation::Multipart(self.id),
            etag: Some(checked.etag),
            checksums,
            precondition: self.precondition,
        };
        let size = joined.size;
        let (record, precondition) = object.record(&joined, modified, sequencer);
        let publication = directory
            .publish(joined, &record, &precondition)
            .map_err(|error| errors::from_io("publish an upload", error))?;
        Ok((publication, record, size))
    }
}

/// Results of the check of all parts.
struct CheckedParts {
    etag: String,
    /// Checksum of the parts' checksums; empty if the upload has another type of checksum.
    checksums: Checksums,
}

/// Compares the named parts with those that are stored.
fn check_parts(
    directory: &Directory,
    completion: &Completion,
    upload: &MultipartUpload,
    max_bytes: u64,
) -> S3Result<CheckedParts> {
    let algorithm = algorithm(upload)?;
    let mut md5 = Md5::new();
    let mut part_checksums = Vec::new();
    let mut total = 0_u64;
    let last = completion.parts.last().map(|part| part.number);
    for named in &completion.parts {
        let stored = directory
            .find_part(&completion.id, named.number)
            .map_err(|error| errors::from_io("read a part", error))?
            .filter(|stored| stored.record.etag == named.etag)
            .ok_or_else(invalid_part)?;
        let differs =
            |(name, checksum): (&String, &String)| stored.record.checksums.get(name) != Some(checksum);
        if named.checksums.iter().any(differs) {
            return Err(invalid_part());
        }
        if stored.size < MIN_PART_BYTES && Some(named.number) != last {
            return Err(s3_error!(
                EntityTooSmall,
                "Your proposed upload is smaller than the minimum allowed size: part {} has {} bytes, and only the last part \
                 may have fewer than {MIN_PART_BYTES}",
                named.number,
                stored.size
            ));
        }
        total = total.saturating_add(stored.size);
        md5.update(&hex::decode(&stored.record.etag).unwrap_or_default());
        if let Some(algorithm) = algorithm {
            part_checksums.extend(stored.record.checksums.get(algorithm.name).cloned());
        }
    }
    if total > max_bytes {
        return Err(too_large(max_bytes));
    }
    if completion.size.is_some_and(|declared| declared != total) {
        return Err(s3_error!(
            InvalidRequest,
            "The parts have {total} bytes together, which differs from x-amz-mp-object-size"
        ));
    }
    let composite = algorithm.filter(|_| !is_full_object(upload));
    let checksums = composite.map(|algorithm| {
        let checksum = algorithm.composite(part_checksums.iter().map(String::as_str));
        (algorithm.name.to_owned(), checksum)
    });
    Ok(CheckedParts {
        etag: format!("{}-{}", hex::encode(md5.finalize()), completion.parts.len()),
        checksums: checksums.into_iter().collect(),
    })
}

/// Writes the data of all parts to one file.
fn join_parts(
    directory: &Directory,
    completion: &Completion,
    upload: &MultipartUpload,
    name: u128,
) -> S3Result<ReceivedUpload> {
    let failed = |error| errors::from_io("join the parts of an upload", error);
    let mut digests = completion.declared.digests(&http::HeaderMap::new());
    if let Some(algorithm) = algorithm(upload)?.filter(|_| is_full_object(upload)) {
        algorithm.add_to(&mut digests);
    }
    Algorithm::named("SHA256")?.add_to(&mut digests);
    let mut spool = directory.spool(name, digests).map_err(failed)?;
    for named in &completion.parts {
        // Opened again, because not all parts can be open at the same time; meanwhile one may have been replaced.
        let stored = directory
            .find_part(&completion.id, named.number)
            .map_err(failed)?;
        let stored = stored
            .filter(|stored| stored.record.etag == named.etag)
            .ok_or_else(invalid_part)?;
        spool = spool.append_file(&stored.file, 0..stored.size).map_err(failed)?;
    }
    let joined = spool.finish();
    completion.declared.verify(&joined)?;
    Ok(joined)
}

fn is_full_object(upload: &MultipartUpload) -> bool {
    upload
        .checksum
        .as_ref()
        .is_some_and(|(_, kind)| kind == ChecksumType::FULL_OBJECT)
}

fn named_part(part: CompletedPart) -> S3Result<NamedPart> {
    let declared = DeclaredChecksums::new(None, checksums_of!(part))?;
    match (part.part_number, part.e_tag) {
        (Some(number), Some(etag)) => Ok(NamedPart {
            number: part_number(number)?,
            etag: etag.into_value(),
            checksums: declared.by_name(),
        }),
        _ => Err(s3_error!(
            MalformedXML,
            "Each part needs a PartNumber and an ETag"
        )),
    }
}

fn invalid_part() -> S3Error {
    s3_error!(
        InvalidPart,
        "One or more of the specified parts could not be found. The part may not have been uploaded, or the specified entity \
         tag may not match the part's entity tag."
    )
}
