use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use bytes::Bytes;
use futures::StreamExt as _;
use http::{HeaderMap, StatusCode};
use s3s::dto::{ETag, ETagCondition, PutObjectInput, PutObjectOutput, StreamingBlob};
use s3s::{Body, S3Error, S3Request, S3Response, S3Result, StdError, TrailingHeaders, s3_error};

use super::checksums::Told;
use super::{Backend, blocking, fault};
use crate::directory::{MAX_RECORD_BYTES, ObjectHeaders, ObjectRecord, Publication, Received};
use crate::server::{BodyFailure, BodyWatch};

/// How much of a body is gathered before it goes to the disk.
const WRITE_BYTES: usize = 1024 * 1024;

/// An upload as it was asked for.
struct Upload {
    key: String,
    size: u64,
    told: Told,
    headers: ObjectHeaders,
    metadata: BTreeMap<String, String>,
    only_if_absent: bool,
}

impl Backend {
    pub(super) async fn put(
        &self,
        mut request: S3Request<PutObjectInput>,
    ) -> S3Result<S3Response<PutObjectOutput>> {
        self.admit(&request, &request.input.bucket)?;
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
        let mut upload = self.accept(input)?;
        if upload.only_if_absent {
            // Found out now it spares the client the upload, if it waits to be told to continue.
            self.refuse_second(&upload.key).await?;
        }

        let watch = extensions.get::<BodyWatch>().cloned().unwrap_or_default();
        let received = self.receive(body, &upload.told, &headers, &watch).await?;
        if let Err(refusal) = upload.judge(&received, trailing_headers) {
            // Removing a large file takes its time.
            let removed = blocking(move || {
                drop(received);
                Ok(())
            });
            return removed
                .await
                .map_err(|error| fault::io("removing an upload", error))
                .and(Err(refusal));
        }

        // The bytes are all here: from now on a client that goes away stops nothing.
        let backend = self.clone();
        let finished = self
            .tasks
            .spawn(async move { backend.finish(upload, received).await })
            .await;
        finished.map_err(|error| fault::io("finishing an upload", io::Error::other(error)))?
    }

    /// Judges all that can be judged before the body.
    fn accept(&self, input: PutObjectInput) -> S3Result<Upload> {
        refuse_unknown(&input)?;
        let told = Told::in_head(&input)?;
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
        // Half the record, so that its other half has room for the longest key, escaped.
        if length > MAX_RECORD_BYTES / 2 {
            return Err(s3_error!(
                MetadataTooLarge,
                "Your metadata headers exceed the maximum allowed metadata size."
            ));
        }
        Ok(Upload {
            key: input.key,
            size,
            told,
            headers,
            metadata,
            only_if_absent,
        })
    }

    /// Refuses an upload to a key that has its object, and announces that object again: whoever uploads twice may do
    /// so because the first announcement was lost.
    async fn refuse_second(&self, key: &str) -> S3Result<()> {
        let (directory, owned) = (Arc::clone(&self.directory), key.to_owned());
        let standing = blocking(move || directory.find_settled(&owned))
            .await
            .map_err(|error| fault::io("looking for an object", error))?;
        match standing {
            None => Ok(()),
            Some(stored) => {
                let announcer = Arc::clone(&self.announcer);
                let announcing = async move { announcer.created(&stored.record, stored.size).await };
                // A failure of it is in the log; the refusal stands.
                let _ = self.tasks.spawn(announcing).await;
                Err(taken())
            }
        }
    }

    /// Brings the body to the disk: while one piece is written, the next is read.
    async fn receive(
        &self,
        mut body: StreamingBlob,
        told: &Told,
        headers: &HeaderMap,
        watch: &BodyWatch,
    ) -> S3Result<Received> {
        let failed = |error| fault::io("writing an upload", error);
        let (directory, name, hasher) = (Arc::clone(&self.directory), self.ids.ulid(), told.hasher(headers));
        let mut writing = tokio::task::spawn_blocking(move || directory.spool(name, hasher));
        loop {
            let piece = next_piece(&mut body)
                .await
                .map_err(|error| broken(&error, watch))?;
            let spool = writing
                .await
                .map_err(io::Error::other)
                .map_err(failed)?
                .map_err(failed)?;
            if piece.is_empty() {
                return Ok(spool.finish());
            }
            writing = tokio::task::spawn_blocking(move || spool.append(&piece));
        }
    }

    /// Publishes, announces, answers.
    async fn finish(&self, upload: Upload, received: Received) -> S3Result<S3Response<PutObjectOutput>> {
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
                .map_err(|error| fault::io("publishing an upload", error))?;
        match publication {
            Publication::Stored => {
                self.announcer.created(&record, size).await;
                Ok(S3Response::new(PutObjectOutput {
                    checksum_sha256: Some(sha256),
                    e_tag: Some(ETag::Strong(record.etag)),
                    ..PutObjectOutput::default()
                }))
            }
            Publication::Taken(standing) => {
                self.announcer.created(&standing.record, standing.size).await;
                Err(taken())
            }
            Publication::Raced => Err(s3_error!(
                ConditionalRequestConflict,
                "A conflicting operation occurred during the request. Try again."
            )),
        }
    }
}

impl Upload {
    /// Whether what arrived is what was declared, before and behind it.
    fn judge(&mut self, received: &Received, trailers: Option<TrailingHeaders>) -> S3Result<()> {
        if received.size != self.size {
            return Err(incomplete());
        }
        if let Some(trailers) = trailers.and_then(|trailers| trailers.take()) {
            self.told.add_trailers(&trailers)?;
        }
        self.told.verify(received)
    }
}

/// Features that would be a broken promise if they were ignored.
fn refuse_unknown(input: &PutObjectInput) -> S3Result<()> {
    let asked = [
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
    match asked.into_iter().find(|(_, asked)| *asked) {
        None => Ok(()),
        Some((feature, _)) => Err(s3_error!(NotImplemented, "{feature} is not implemented")),
    }
}

/// The next part of the body, up to [`WRITE_BYTES`] and one chunk; empty at its end.
async fn next_piece(body: &mut StreamingBlob) -> Result<Vec<Bytes>, StdError> {
    let (mut piece, mut length) = (Vec::new(), 0);
    while length < WRITE_BYTES {
        match body.next().await {
            None => break,
            Some(chunk) => {
                let chunk = chunk?;
                length += chunk.len();
                if !chunk.is_empty() {
                    piece.push(chunk);
                }
            }
        }
    }
    Ok(piece)
}

/// Why a body could not be read to its end.
fn broken(error: &StdError, watch: &BodyWatch) -> S3Error {
    match watch.failure() {
        Some(BodyFailure::Stalled) => {
            s3_error!(
                RequestTimeout,
                "Your socket connection to the server was not read from or written to in time."
            )
        }
        Some(BodyFailure::Broken) => incomplete(),
        // The bytes arrived, but the signature's layer didn't like them. Its error types are private to `s3s`.
        None => match error.to_string() {
            text if text.contains("Sha256Mismatch") => {
                let mut error = fault::coded("XAmzContentSHA256Mismatch", StatusCode::BAD_REQUEST);
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

fn taken() -> S3Error {
    s3_error!(
        PreconditionFailed,
        "At least one of the pre-conditions you specified did not hold"
    )
}
