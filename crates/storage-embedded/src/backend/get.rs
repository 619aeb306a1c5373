use std::io::SeekFrom;
use std::ops::Range;

use http::{HeaderMap, HeaderValue, header};
use s3s::dto::{
    ChecksumMode, ChecksumType, ETag, GetObjectInput, GetObjectOutput, HeadObjectInput, HeadObjectOutput,
    Metadata, StreamingBlob,
};
use s3s::{S3Error, S3Request, S3Response, S3Result, s3_error};
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _};
use tokio_util::io::ReaderStream;

use super::conditions::{Conditions, timestamp};
use super::{Backend, fault, no_version};
use crate::directory::{ObjectRecord, Stored};

/// How much of an object is read at once.
const READ_BYTES: usize = 256 * 1024;

/// What S3 calls an object of no known type.
const UNKNOWN_TYPE: &str = "binary/octet-stream";

impl Backend {
    pub(super) async fn get(
        &self,
        request: S3Request<GetObjectInput>,
    ) -> S3Result<S3Response<GetObjectOutput>> {
        self.admit(&request, &request.input.bucket)?;
        let (input, headers) = (request.input, request.headers);
        no_version(input.version_id.as_deref())?;
        if input.part_number.is_some() || input.sse_customer_algorithm.is_some() {
            return Err(s3_error!(
                NotImplemented,
                "Parts and customer keys are not implemented"
            ));
        }
        let Stored { file, size, record } = self.find(&input.key).await?.ok_or_else(no_such_key)?;
        let conditions = Conditions {
            matching: input.if_match.as_ref(),
            none_matching: input.if_none_match.as_ref(),
            modified_since: input.if_modified_since.as_ref(),
            unmodified_since: input.if_unmodified_since.as_ref(),
        };
        conditions.check(&record)?;

        let wanted = input.range.filter(|_| range_applies(&headers, &record.etag));
        let range = match wanted {
            Some(wanted) => Some(wanted.check(size).map_err(|_| out_of_range(size))?),
            None => None,
        };
        let read = range.clone().unwrap_or(0..size);
        let mut file = tokio::fs::File::from_std(file);
        file.seek(SeekFrom::Start(read.start))
            .await
            .map_err(|error| fault::io("reading an object", error))?;
        let length = read.end.saturating_sub(read.start);
        let body = ReaderStream::with_capacity(file.take(length), READ_BYTES);

        // The checksum is the whole object's, so it says nothing of a range.
        let sha256 =
            (asks_for_checksum(input.checksum_mode.as_ref()) && range.is_none()).then_some(record.sha256);
        Ok(S3Response::new(GetObjectOutput {
            accept_ranges: Some("bytes".to_owned()),
            body: Some(StreamingBlob::wrap(body)),
            cache_control: record.headers.cache_control,
            checksum_type: sha256.is_some().then(whole_object),
            checksum_sha256: sha256,
            content_disposition: record.headers.content_disposition,
            content_encoding: record.headers.content_encoding,
            content_language: record.headers.content_language,
            content_length: Some(signed(length)),
            content_range: range.map(|range| content_range(&range, size)),
            content_type: Some(
                record
                    .headers
                    .content_type
                    .unwrap_or_else(|| UNKNOWN_TYPE.to_owned()),
            ),
            e_tag: Some(ETag::Strong(record.etag)),
            last_modified: Some(timestamp(record.modified)),
            metadata: metadata(record.metadata),
            ..GetObjectOutput::default()
        }))
    }

    pub(super) async fn head(
        &self,
        request: S3Request<HeadObjectInput>,
    ) -> S3Result<S3Response<HeadObjectOutput>> {
        self.admit(&request, &request.input.bucket)?;
        let input = request.input;
        no_version(input.version_id.as_deref())?;
        if input.part_number.is_some() || input.sse_customer_algorithm.is_some() {
            return Err(s3_error!(
                NotImplemented,
                "Parts and customer keys are not implemented"
            ));
        }
        let Stored { size, record, .. } = self.find(&input.key).await?.ok_or_else(no_such_key)?;
        let conditions = Conditions {
            matching: input.if_match.as_ref(),
            none_matching: input.if_none_match.as_ref(),
            modified_since: input.if_modified_since.as_ref(),
            unmodified_since: input.if_unmodified_since.as_ref(),
        };
        conditions.check(&record)?;

        let ObjectRecord { headers, .. } = record;
        let sha256 = asks_for_checksum(input.checksum_mode.as_ref()).then_some(record.sha256);
        Ok(S3Response::new(HeadObjectOutput {
            accept_ranges: Some("bytes".to_owned()),
            cache_control: input.response_cache_control.or(headers.cache_control),
            checksum_type: sha256.is_some().then(whole_object),
            checksum_sha256: sha256,
            content_disposition: input.response_content_disposition.or(headers.content_disposition),
            content_encoding: input.response_content_encoding.or(headers.content_encoding),
            content_language: input.response_content_language.or(headers.content_language),
            content_length: Some(signed(size)),
            content_type: input
                .response_content_type
                .or(headers.content_type)
                .or_else(|| Some(UNKNOWN_TYPE.to_owned())),
            e_tag: Some(ETag::Strong(record.etag)),
            last_modified: Some(timestamp(record.modified)),
            metadata: metadata(record.metadata),
            ..HeadObjectOutput::default()
        }))
    }
}

/// A download that is resumed asks for the rest only of what it began with (`If-Range`).
fn range_applies(headers: &HeaderMap, etag: &str) -> bool {
    match headers.get(header::IF_RANGE) {
        None => true,
        Some(value) => value.to_str().is_ok_and(|value| value.trim_matches('"') == etag),
    }
}

fn asks_for_checksum(mode: Option<&ChecksumMode>) -> bool {
    mode.is_some_and(|mode| mode.as_str() == ChecksumMode::ENABLED)
}

fn whole_object() -> ChecksumType {
    ChecksumType::from_static(ChecksumType::FULL_OBJECT)
}

fn content_range(range: &Range<u64>, size: u64) -> String {
    format!("bytes {}-{}/{size}", range.start, range.end.saturating_sub(1))
}

fn metadata(metadata: std::collections::BTreeMap<String, String>) -> Option<Metadata> {
    (!metadata.is_empty()).then(|| metadata.into_iter().collect())
}

/// S3's lengths are signed; no file is longer than they reach.
fn signed(length: u64) -> i64 {
    i64::try_from(length).unwrap_or(i64::MAX)
}

fn no_such_key() -> S3Error {
    s3_error!(NoSuchKey, "The specified key does not exist.")
}

fn out_of_range(size: u64) -> S3Error {
    let mut error = s3_error!(InvalidRange, "The requested range is not satisfiable");
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/xml"));
    if let Ok(range) = HeaderValue::try_from(format!("bytes */{size}")) {
        headers.insert(header::CONTENT_RANGE, range);
    }
    error.set_headers(headers);
    error
}
