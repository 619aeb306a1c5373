use std::io;
use std::sync::Arc;

use http::{HeaderMap, StatusCode};
use s3s::dto::StreamingBlob;
use s3s::{S3Error, S3Request, S3Result, StdError, TrailingHeaders, s3_error};

use super::blocking::blocking;
use super::blocks::Blocks;
use super::bucket::Backend;
use super::checksums::DeclaredChecksums;
use super::errors;
use super::space::Reservation;
use crate::directory::{Digests, ReceivedUpload};
use crate::server::{BodyError, BodyMonitor};

/// Body of a request, with what is declared about it outside of the operation's input.
pub(super) struct IncomingBody {
    pub(super) body: StreamingBlob,
    pub(super) headers: HeaderMap,
    trailers: Option<TrailingHeaders>,
    monitor: BodyMonitor,
}

/// Expected length and digests of a body.
pub(super) struct Expected {
    pub(super) size: u64,
    pub(super) checksums: DeclaredChecksums,
    pub(super) digests: Digests,
}

impl IncomingBody {
    pub(super) fn new<T>(request: S3Request<T>, body: Option<StreamingBlob>) -> (T, Self) {
        let body = Self {
            body: body.unwrap_or_else(|| StreamingBlob::from(s3s::Body::empty())),
            headers: request.headers,
            trailers: request.trailing_headers,
            monitor: request
                .extensions
                .get::<BodyMonitor>()
                .cloned()
                .unwrap_or_default(),
        };
        (request.input, body)
    }
}

impl Backend {
    /// Writes a body to the disk and verifies it. `slot` is the key of an object or the name of a part: a newer body for the
    /// same slot replaces this one.
    pub(super) async fn receive(
        &self,
        slot: &str,
        incoming: IncomingBody,
        expected: Expected,
        mut reservation: Option<Reservation>,
    ) -> S3Result<(ReceivedUpload, DeclaredChecksums)> {
        let IncomingBody {
            body,
            trailers,
            monitor,
            ..
        } = incoming;
        let receiving = self.receiving.begin(slot);
        let received = tokio::select! {
            received = self.write(body, expected.digests, &monitor, &mut reservation) => received?,
            () = receiving.replaced() => {
                monitor.set_replaced();
                return Err(s3_error!(
                    OperationAborted,
                    "A newer upload of the same key has replaced this one: only one is received at a time"
                ));
            }
        };
        drop(receiving);
        let mut checksums = expected.checksums;
        match verify(&received, expected.size, &mut checksums, trailers) {
            Ok(()) => Ok((received, checksums)),
            Err(error) => {
                // Removing a large file may block for some time.
                let removed = blocking(move || {
                    drop(received);
                    Ok(())
                });
                removed
                    .await
                    .map_err(|error| errors::from_io("remove an upload", error))
                    .and(Err(error))
            }
        }
    }

    /// While one block is written, the next one is read.
    async fn write(
        &self,
        body: StreamingBlob,
        digests: Digests,
        monitor: &BodyMonitor,
        reservation: &mut Option<Reservation>,
    ) -> S3Result<ReceivedUpload> {
        let write_error = |error| errors::from_io("write an upload", error);
        let (directory, name) = (Arc::clone(&self.directory), self.ids.ulid());
        let mut writing = tokio::task::spawn_blocking(move || directory.spool(name, digests));
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
}

/// Checks the received bytes against the declared length and the checksums in headers and trailers.
fn verify(
    received: &ReceivedUpload,
    size: u64,
    checksums: &mut DeclaredChecksums,
    trailers: Option<TrailingHeaders>,
) -> S3Result<()> {
    if received.size != size {
        return Err(BodyError::Incomplete.into());
    }
    if let Some(trailers) = trailers.and_then(|trailers| trailers.take()) {
        checksums.add_trailers(&trailers)?;
    }
    checksums.verify(received)
}

/// Declared length of a body.
///
/// # Errors
/// If it is missing or above `max_bytes`.
pub(super) fn declared_size(content_length: Option<i64>, max_bytes: u64) -> S3Result<u64> {
    let Some(size) = content_length.and_then(|length| u64::try_from(length).ok()) else {
        return Err(s3_error!(
            MissingContentLength,
            "You must provide the Content-Length HTTP header."
        ));
    };
    if size > max_bytes {
        return Err(too_large(max_bytes));
    }
    Ok(size)
}

pub(super) fn too_large(max_bytes: u64) -> S3Error {
    s3_error!(
        EntityTooLarge,
        "Your proposed upload exceeds the maximum allowed size of {max_bytes} bytes"
    )
}

/// S3 error for a body that could not be read to its end.
fn body_error(error: &StdError, monitor: &BodyMonitor) -> S3Error {
    match monitor.error() {
        Some(error) => error.into(),
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
            _ => BodyError::Incomplete.into(),
        },
    }
}
