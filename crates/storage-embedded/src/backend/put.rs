use std::io;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use s3s::dto::{ChecksumType, ETag, ETagCondition, PutObjectInput, PutObjectOutput};
use s3s::{S3Error, S3Request, S3Response, S3Result, s3_error};

use super::attributes::{Attributes, attributes_of, reject_unsupported, unsupported_in};
use super::blocking::blocking;
use super::bucket::Backend;
use super::checksums::{Algorithm, DeclaredChecksums, checksums_of, set_checksums};
use super::errors;
use super::get::no_such_key;
use super::receive::{Expected, IncomingBody, declared_size};
use crate::directory::{Checksums, Creation, ObjectRecord, Precondition, Publication, ReceivedUpload, etag};

/// Content that is completely written and verified, to become the object of a key.
pub(super) struct NewObject {
    pub(super) key: String,
    pub(super) attributes: Attributes,
    pub(super) creation: Creation,
    /// ETag without quotes; `None` for one of a single PUT.
    pub(super) etag: Option<String>,
    /// Checksums to store, other than SHA-256.
    pub(super) checksums: Checksums,
    pub(super) precondition: Precondition,
}

impl Backend {
    pub(super) async fn put(
        &self,
        mut request: S3Request<PutObjectInput>,
    ) -> S3Result<S3Response<PutObjectOutput>> {
        self.check_scope(&request, &request.input.bucket)?;
        let body = request.input.body.take();
        let (input, body) = IncomingBody::new(request, body);
        reject_unsupported(unsupported_in!(input))?;
        reject_unsupported([("Appending", input.write_offset_bytes.is_some())])?;
        let checksums = DeclaredChecksums::new(input.content_md5.clone(), checksums_of!(input))?;
        let size = declared_size(input.content_length, self.max_object_bytes)?;
        let precondition = precondition(input.if_match.as_ref(), input.if_none_match.as_ref())?;
        let attributes = attributes_of!(input)?;
        let key = input.key;
        let mut reservation = None;
        if precondition == Precondition::Absent {
            // An early check spares clients that send `Expect: 100-continue` the upload of the body.
            self.check_absent(&key).await?;
            reservation = Some(self.space.reserve(size).await?);
        }
        let mut digests = checksums.digests(&body.headers);
        Algorithm::named("SHA256")?.add_to(&mut digests);
        let expected = Expected {
            size,
            checksums,
            digests,
        };
        let (received, declared) = self.receive(&key, body, expected, reservation).await?;
        let object = NewObject {
            key,
            attributes,
            creation: Creation::Put,
            etag: received.md5.map(hex::encode),
            checksums: declared.by_name(),
            precondition,
        };
        // All bytes are received: a client that disconnects from now on does not cancel the upload.
        let record = self.finish(object, received).await?;
        let mut output = PutObjectOutput {
            checksum_type: Some(ChecksumType::from_static(ChecksumType::FULL_OBJECT)),
            e_tag: Some(ETag::Strong(record.etag)),
            ..PutObjectOutput::default()
        };
        set_checksums!(output, record.checksums);
        output.checksum_sha256 = Some(record.sha256);
        Ok(S3Response::new(output))
    }

    /// Fails if the key has an object, and sends that object's event notification again: a client may repeat an upload
    /// because the first notification was lost.
    pub(super) async fn check_absent(&self, key: &str) -> S3Result<()> {
        match self.find_durable(key).await? {
            None => Ok(()),
            Some(stored) => {
                self.announce(stored.record, stored.size).await;
                Err(precondition_failed())
            }
        }
    }

    /// Sends the event notification of an object. A failed one is logged. A request that is cancelled does not cancel it.
    pub(super) async fn announce(&self, record: ObjectRecord, size: u64) {
        let notifier = Arc::clone(&self.notifier);
        let notification = async move { notifier.object_created(&record, size).await };
        let _ = self.tasks.spawn(notification).await;
    }

    /// Publishes an object and sends its event notification, even if the request is cancelled.
    pub(super) async fn finish(&self, object: NewObject, received: ReceivedUpload) -> S3Result<ObjectRecord> {
        let backend = self.clone();
        let finished = self
            .tasks
            .spawn(async move { backend.publish(object, received).await })
            .await;
        finished.map_err(|error| errors::from_io("finish an upload", io::Error::other(error)))?
    }

    /// Publishes an object and sends its event notification.
    async fn publish(&self, object: NewObject, received: ReceivedUpload) -> S3Result<ObjectRecord> {
        let size = received.size;
        let (record, precondition) = object.record(&received, self.clock.now(), self.ids.ulid());
        let directory = Arc::clone(&self.directory);
        let (publication, record) = blocking(move || {
            let publication = directory.publish(received, &record, &precondition)?;
            Ok((publication, record))
        })
        .await
        .map_err(|error| errors::from_io("publish an upload", error))?;
        self.announce_result(publication, record, size).await
    }

    /// Sends the event notification of the object that is stored now.
    pub(super) async fn announce_result(
        &self,
        publication: Publication,
        record: ObjectRecord,
        size: u64,
    ) -> S3Result<ObjectRecord> {
        match publication {
            Publication::Stored => {
                self.notifier.object_created(&record, size).await;
                Ok(record)
            }
            Publication::AlreadyExists(existing) => {
                self.notifier
                    .object_created(&existing.record, existing.size)
                    .await;
                Err(precondition_failed())
            }
            Publication::Conflict => Err(s3_error!(
                ConditionalRequestConflict,
                "A conflicting operation occurred during the request. Try again."
            )),
            Publication::Changed => Err(precondition_failed()),
            Publication::Missing => Err(no_such_key()),
        }
    }
}

impl NewObject {
    /// Record of the object, and the condition of its publication.
    pub(super) fn record(
        self,
        received: &ReceivedUpload,
        modified: DateTime<Utc>,
        sequencer: u128,
    ) -> (ObjectRecord, Precondition) {
        let sha256 = received.checksums.checksum_sha256.clone().unwrap_or_default();
        let mut checksums = self.checksums;
        checksums.retain(|_, checksum| *checksum != sha256);
        let record = ObjectRecord {
            key: self.key,
            etag: self.etag.unwrap_or_else(|| etag(&sha256)),
            sha256,
            checksums,
            creation: self.creation,
            modified,
            sequencer: format!("{sequencer:032X}"),
            headers: self.attributes.headers,
            metadata: self.attributes.metadata,
        };
        (record, self.precondition)
    }
}

/// Condition of a request that writes an object.
pub(super) fn precondition(
    if_match: Option<&ETagCondition>,
    if_none_match: Option<&ETagCondition>,
) -> S3Result<Precondition> {
    match (if_match, if_none_match) {
        (None, None) => Ok(Precondition::None),
        (None, Some(ETagCondition::Any)) => Ok(Precondition::Absent),
        (Some(ETagCondition::Any), None) => Ok(Precondition::Match(None)),
        (Some(ETagCondition::ETag(etag)), None) => Ok(Precondition::Match(Some(etag.value().to_owned()))),
        (_, Some(_)) => Err(s3_error!(
            NotImplemented,
            "If-None-Match on a request that writes can only be *, without If-Match"
        )),
    }
}

pub(super) fn precondition_failed() -> S3Error {
    s3_error!(
        PreconditionFailed,
        "At least one of the pre-conditions you specified did not hold"
    )
}
