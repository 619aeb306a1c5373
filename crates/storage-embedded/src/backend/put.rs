use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use http::{HeaderMap, StatusCode};
use s3s::dto::{ETag, ETagCondition, PutObjectInput, PutObjectOutput, StreamingBlob};
use s3s::{Body, S3Error, S3Request, S3Response, S3Result, StdError, TrailingHeaders, s3_error};

use super::blocking::blocking;
use super::blocks::Blocks;
use super::bucket::Backend;
use super::checksums::DeclaredChecksums;
use super::errors;
use super::space::Reservation;
use crate::directory::{MAX_RECORD_BYTES, ObjectHeaders, ObjectRecord, Publication, ReceivedUpload};
use crate::server::{BodyError, BodyMonitor};

/// A validated request for an upload.
struct Upload {
    key: String,
    size: u64,
    checksums: DeclaredChecksums,
    headers: ObjectHeaders,
    metadata: BTreeMap<String, String>,
    only_if_absent: bool,
}

impl Backend {
    pub(super) async fn put(
        &self,
        mut request: S3Request<PutObjectInput>,
    ) -> S3Result<S3Response<PutObjectOutput>> {
        self.check_scope(&request, &request.input.bucket)?;
        let body = request
            .input
            .body
            .take()
            .unwrap_or_else(|| StreamingBlob::from(Body::empty()));
        let S3Request {
            input,
            headers,
            trailing_headers,
            extensions,
            ..
        } = request;
        let mut upload = self.validate(input)?;
        let mut reservation = None;
        if upload.only_if_absent {
            // An early check spares clients that send `Expect: 100-continue` the upload of the body.
            self.check_absent(&upload.key).await?;
            reservation = Some(self.space.reserve(upload.size).await?);
        }

        let monitor = extensions.get::<BodyMonitor>().cloned().unwrap_or_default();
        let receiving = self.receiving.begin(&upload.key);
        let received = tokio::select! {
            received = self.receive(body, &upload.checksums, &headers, &monitor, &mut reservation) => received?,
            () = receiving.replaced() => {
                monitor.set_replaced();
                return Err(s3_error!(
                    OperationAborted,
                    "A newer upload of the same key has replaced this one: only one is received at a time"
                ));
            }
        };
        drop(receiving);
        if let Err(error) = upload.verify(&received, trailing_headers) {
            // Removing a large file may block for some time.
            let removed = blocking(move || {
                drop(received);
                Ok(())
            });
            return removed
                .await
                .map_err(|error| errors::from_io("remove an upload", error))
                .and(Err(error));
        }

        // All bytes are received: a client that disconnects from now on does not cancel the upload.
        let backend = self.clone();
        let finished = self
            .tasks
            .spawn(async move { backend.finish(upload, received).await })
            .await;
        finished.map_err(|error| errors::from_io("finish an upload", io::Error::other(error)))?
    }

    /// Validates everything that can be validated before the body is read.
    fn validate(&self, input: PutObjectInput) -> S3Result<Upload> {
        reject_unsupported(&input)?;
        let checksums = DeclaredChecksums::from_headers(&input)?;
        let Some(size) = input.content_length.and_then(|length| u64::try_from(length).ok()) else {
            return Err(s3_error!(
                MissingContentLength,
                "You must provide the Content-Length HTTP header."
            ));
        };
        if size > self.max_object_bytes {
            return Err(s3_error!(
                EntityTooLarge,
                "Your proposed upload exceeds the maximum allowed size of {} bytes",
                self.max_object_bytes
            ));
        }
        let only_if_absent = match input.if_none_match {
            None => false,
            Some(ETagCondition::Any) => true,
            Some(ETagCondition::ETag(_)) => {
                return Err(s3_error!(NotImplemented, "If-None-Match on PUT can only be *"));
            }
        };
        let headers = ObjectHeaders {
            content_type: input.content_type,
            cache_control: input.cache_control,
            content_disposition: input.content_disposition,
            content_encoding: input.content_encoding,
            content_language: input.content_language,
        };
        let metadata: BTreeMap<_, _> = input.metadata.unwrap_or_default().into_iter().collect();
        let length = serde_json::to_vec(&(&headers, &metadata)).map_or(usize::MAX, |json| json.len());
        // Half of the record; the other half has room for the longest key in escaped form.
        if length > MAX_RECORD_BYTES / 2 {
            return Err(s3_error!(
                MetadataTooLarge,
                "Your metadata headers exceed the maximum allowed metadata size."
            ));
        }
        Ok(Upload {
            key: input.key,
            size,
            checksums,
            headers,
            metadata,
            only_if_absent,
        })
    }

    /// Fails if the key has an object, and sends that object's event notification again: a client may repeat an upload
    /// because the first notification was lost.
    async fn check_absent(&self, key: &str) -> S3Result<()> {
        let (directory, owned) = (Arc::clone(&self.directory), key.to_owned());
        let existing = blocking(move || directory.find_durable(&owned))
            .await
            .map_err(|error| errors::from_io("read an object", error))?;
        match existing {
            None => Ok(()),
            Some(stored) => {
                let notifier = Arc::clone(&self.notifier);
                let notification = async move { notifier.object_created(&stored.record, stored.size).await };
                // A failed notification is logged and does not change the response.
                let _ = self.tasks.spawn(notification).await;
                Err(precondition_failed())
            }
        }
    }

    /// Writes the body to the disk. While one block is written, the next one is read.
    async fn receive(
        &self,
        body: StreamingBlob,
        checksums: &DeclaredChecksums,
        headers: &HeaderMap,
        monitor: &BodyMonitor,
        reservation: &mut Option<Reservation>,
    ) -> S3Result<ReceivedUpload> {
        let write_error = |error| errors::from_io("write an upload", error);
        let (directory, name) = (Arc::clone(&self.directory), self.ids.ulid());
        let hasher = checksums.hasher(headers);
        let mut writing = tokio::task::spawn_blocking(move || directory.spool(name, hasher));
        let mut blocks = Blocks::new(body);
        let mut in_writing = 0;
        loop {
            let block = blocks.next().await.map_err(|error| body_error(&error, monitor))?;
            let spool = writing
                .await
                .map_err(io::Error::other)
                .map_err(write_error)?
                .map_err(write_error)?;
            if let Some(reservation) = reservation {
                reservation.written(in_writing);
            }
            if block.is_empty() {
                return Ok(spool.finish());
            }
            in_writing = block.len() as u64;
            writing = tokio::task::spawn_blocking(move || spool.append(&block));
        }
    }

    /// Publishes the object, sends its event notification and builds the response.
    async fn finish(
        &self,
        upload: Upload,
        received: ReceivedUpload,
    ) -> S3Result<S3Response<PutObjectOutput>> {
        let size = received.size;
        let sha256 = received.checksums.checksum_sha256.clone().unwrap_or_default();
        let record = ObjectRecord {
            key: upload.key,
            etag: hex::encode(received.md5),
            sha256: sha256.clone(),
            modified: self.clock.now(),
            sequencer: format!("{:032X}", self.ids.ulid()),
            headers: upload.headers,
            metadata: upload.metadata,
        };
        let directory = Arc::clone(&self.directory);
        let replace = !upload.only_if_absent;
        let (publication, record) =
            blocking(move || Ok((directory.publish(received, &record, replace)?, record)))
                .await
                .map_err(|error| errors::from_io("publish an upload", error))?;
        match publication {
            Publication::Stored => {
                self.notifier.object_created(&record, size).await;
                Ok(S3Response::new(PutObjectOutput {
                    checksum_sha256: Some(sha256),
                    e_tag: Some(ETag::Strong(record.etag)),
                    ..PutObjectOutput::default()
                }))
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
        }
    }
}

impl Upload {
    /// Checks the received bytes against the declared length and the checksums in headers and trailers.
    fn verify(&mut self, received: &ReceivedUpload, trailers: Option<TrailingHeaders>) -> S3Result<()> {
        if received.size != self.size {
            return Err(incomplete());
        }
        if let Some(trailers) = trailers.and_then(|trailers| trailers.take()) {
            self.checksums.add_trailers(&trailers)?;
        }
        self.checksums.verify(received)
    }
}

/// Rejects features of S3 that are not implemented and must not be ignored silently.
fn reject_unsupported(input: &PutObjectInput) -> S3Result<()> {
    let features = [
        ("If-Match on PUT", input.if_match.is_some()),
        ("Appending", input.write_offset_bytes.is_some()),
        ("Expires", input.expires.is_some()),
        ("Tagging", input.tagging.is_some()),
        (
            "Object lock",
            input.object_lock_mode.is_some() || input.object_lock_legal_hold_status.is_some(),
        ),
        (
            "Encryption",
            input.sse_customer_algorithm.is_some() || input.server_side_encryption.is_some(),
        ),
        (
            "Access by grant",
            input.grant_full_control.is_some() || input.grant_read.is_some(),
        ),
        (
            "Access control",
            input.acl.as_ref().is_some_and(|acl| acl.as_str() != "private"),
        ),
        ("Website redirection", input.website_redirect_location.is_some()),
    ];
    match features.into_iter().find(|(_, requested)| *requested) {
        None => Ok(()),
        Some((feature, _)) => Err(s3_error!(NotImplemented, "{feature} is not implemented")),
    }
}

/// S3 error for a body that could not be read to its end.
fn body_error(error: &StdError, monitor: &BodyMonitor) -> S3Error {
    match monitor.error() {
        Some(BodyError::TimedOut) => {
            s3_error!(
                RequestTimeout,
                "Your socket connection to the server was not read from or written to in time."
            )
        }
        Some(BodyError::TooSlow) => {
            s3_error!(
                RequestTimeout,
                "The upload was slower than the minimum rate. Send it again on a faster connection."
            )
        }
        Some(BodyError::Incomplete) => incomplete(),
        // The body was rejected by the signature verification of `s3s`, whose error types are private.
        None => match error.to_string() {
            text if text.contains("Sha256Mismatch") => {
                let mut error = errors::custom("XAmzContentSHA256Mismatch", StatusCode::BAD_REQUEST);
                error.set_message(
                    "The provided 'x-amz-content-sha256' header does not match what was computed.",
                );
                error
            }
            text if text.contains("SignatureMismatch") => {
                s3_error!(SignatureDoesNotMatch, "The signature of a chunk does not match.")
            }
            _ => incomplete(),
        },
    }
}

fn incomplete() -> S3Error {
    s3_error!(
        IncompleteBody,
        "You did not provide the number of bytes specified by the Content-Length HTTP header"
    )
}

fn precondition_failed() -> S3Error {
    s3_error!(
        PreconditionFailed,
        "At least one of the pre-conditions you specified did not hold"
    )
}
