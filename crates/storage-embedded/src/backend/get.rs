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

use super::bucket::{Backend, check_version};
use super::conditions::{Conditions, timestamp};
use super::errors;
use crate::directory::{ObjectRecord, StoredObject};

/// Buffer size for reading an object, in bytes.
pub(crate) const READ_BYTES: usize = 256 * 1024;

/// Content type that S3 returns for objects stored without one.
const DEFAULT_CONTENT_TYPE: &str = "binary/octet-stream";

impl Backend {
    pub(super) async fn get(
        &self,
        request: S3Request<GetObjectInput>,
    ) -> S3Result<S3Response<GetObjectOutput>> {
        self.check_scope(&request, &request.input.bucket)?;
        let (input, headers) = (request.input, request.headers);
        check_version(input.version_id.as_deref())?;
        if input.part_number.is_some() || input.sse_customer_algorithm.is_some() {
            return Err(s3_error!(
                NotImplemented,
                "Parts and customer keys are not implemented"
            ));
        }
        let StoredObject { file, size, record } = self.find(&input.key).await?.ok_or_else(no_such_key)?;
        let conditions = Conditions {
            if_match: input.if_match.as_ref(),
            if_none_match: input.if_none_match.as_ref(),
            if_modified_since: input.if_modified_since.as_ref(),
            if_unmodified_since: input.if_unmodified_since.as_ref(),
        };
        conditions.check(&record)?;

        let requested = input.range.filter(|_| range_applies(&headers, &record.etag));
        let range = match requested {
            Some(requested) => Some(requested.check(size).map_err(|_| invalid_range(size))?),
            None => None,
        };
        let bytes = range.clone().unwrap_or(0..size);
        let mut file = tokio::fs::File::from_std(file);
        file.seek(SeekFrom::Start(bytes.start))
            .await
            .map_err(|error| errors::from_io("read an object", error))?;
        let length = bytes.end.saturating_sub(bytes.start);
        let body = ReaderStream::with_capacity(file.take(length), READ_BYTES);

        // The stored checksum is that of the whole object, so it is not returned with a range.
        let sha256 =
            (checksum_requested(input.checksum_mode.as_ref()) && range.is_none()).then_some(record.sha256);
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
                    .unwrap_or_else(|| DEFAULT_CONTENT_TYPE.to_owned()),
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
        self.check_scope(&request, &request.input.bucket)?;
        let input = request.input;
        check_version(input.version_id.as_deref())?;
        if input.part_number.is_some() || input.sse_customer_algorithm.is_some() {
            return Err(s3_error!(
                NotImplemented,
                "Parts and customer keys are not implemented"
            ));
        }
        let StoredObject { size, record, .. } = self.find(&input.key).await?.ok_or_else(no_such_key)?;
        let conditions = Conditions {
            if_match: input.if_match.as_ref(),
            if_none_match: input.if_none_match.as_ref(),
            if_modified_since: input.if_modified_since.as_ref(),
            if_unmodified_since: input.if_unmodified_since.as_ref(),
        };
        conditions.check(&record)?;

        let ObjectRecord { headers, .. } = record;
        let sha256 = checksum_requested(input.checksum_mode.as_ref()).then_some(record.sha256);
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
                .or_else(|| Some(DEFAULT_CONTENT_TYPE.to_owned())),
            e_tag: Some(ETag::Strong(record.etag)),
            last_modified: Some(timestamp(record.modified)),
            metadata: metadata(record.metadata),
            ..HeadObjectOutput::default()
        }))
    }
}

/// Returns true unless `If-Range` names another ETag: a resumed download must continue with the same object.
fn range_applies(headers: &HeaderMap, etag: &str) -> bool {
    match headers.get(header::IF_RANGE) {
        None => true,
        Some(value) => value.to_str().is_ok_and(|value| value.trim_matches('"') == etag),
    }
}

fn checksum_requested(mode: Option<&ChecksumMode>) -> bool {
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

/// Content lengths of `s3s` are signed. No file reaches the maximum.
fn signed(length: u64) -> i64 {
    i64::try_from(length).unwrap_or(i64::MAX)
}

fn no_such_key() -> S3Error {
    s3_error!(NoSuchKey, "The specified key does not exist.")
}

fn invalid_range(size: u64) -> S3Error {
    let mut error = s3_error!(InvalidRange, "The requested range is not satisfiable");
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/xml"));
    if let Ok(range) = HeaderValue::try_from(format!("bytes */{size}")) {
        headers.insert(header::CONTENT_RANGE, range);
    }
    error.set_headers(headers);
    error
}
