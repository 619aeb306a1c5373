use std::io;
use std::ops::Range;
use std::sync::Arc;

use s3s::crypto::{Checksum as _, Md5};
use s3s::dto::{
    CopyPartResult, ETag, UploadPartCopyInput, UploadPartCopyOutput, UploadPartInput, UploadPartOutput,
};
use s3s::{S3Request, S3Response, S3Result, s3_error};

use super::open::{MAX_PART_BYTES, no_such_upload, part_number};
use crate::backend::attributes::reject_unsupported;
use crate::backend::bucket::Backend;
use crate::backend::checksums::{Algorithm, DeclaredChecksums, checksums_of, set_checksums};
use crate::backend::conditions::{Conditions, timestamp};
use crate::backend::errors;
use crate::backend::receive::{Expected, IncomingBody, declared_size, too_large};
use crate::directory::{Checksums, Digests, MultipartUpload, PartRecord, ReceivedUpload};

impl Backend {
    pub(in crate::backend) async fn upload_part(
        &self,
        mut request: S3Request<UploadPartInput>,
    ) -> S3Result<S3Response<UploadPartOutput>> {
        self.check_scope(&request, &request.input.bucket)?;
        let body = request.input.body.take();
        let (input, body) = IncomingBody::new(request, body);
        reject_unsupported([("Encryption", input.sse_customer_algorithm.is_some())])?;
        let number = part_number(input.part_number)?;
        let checksums = DeclaredChecksums::new(input.content_md5.clone(), checksums_of!(input))?;
        let size = declared_size(input.content_length, self.max_part_bytes())?;
        let upload = self.open_upload(&input.key, &input.upload_id).await?;
        let algorithm = algorithm(&upload)?;
        let mut digests = checksums.digests(&body.headers);
        digests.md5.get_or_insert_default();
        if let Some(algorithm) = algorithm {
            algorithm.add_to(&mut digests);
        }
        let reservation = Some(self.space.reserve(size).await?);
        let slot = format!("{}/{number} of {}", input.upload_id, input.key);
        let expected = Expected {
            size,
            checksums,
            digests,
        };
        let (received, declared) = self.receive(&slot, body, expected, reservation).await?;
        let mut checksums = declared.by_name();
        if let Some(algorithm) = algorithm
            && let Some(checksum) = algorithm.computed(&received)
        {
            checksums.insert(algorithm.name.to_owned(), checksum.clone());
        }
        let record = self
            .finish_part(input.upload_id, number, received, checksums)
            .await?;
        let mut output = UploadPartOutput::default();
        set_checksums!(output, record.checksums);
        output.e_tag = Some(ETag::Strong(record.etag));
        Ok(S3Response::new(output))
    }

    pub(in crate::backend) async fn copy_part(
        &self,
        request: S3Request<UploadPartCopyInput>,
    ) -> S3Result<S3Response<UploadPartCopyOutput>> {
        self.check_scope(&request, &request.input.bucket)?;
        let input = request.input;
        reject_unsupported([(
            "Encryption",
            input.sse_customer_algorithm.is_some() || input.copy_source_sse_customer_algorithm.is_some(),
        )])?;
        let number = part_number(input.part_number)?;
        let upload = self.open_upload(&input.key, &input.upload_id).await?;
        let conditions = Conditions {
            if_match: input.copy_source_if_match.as_ref(),
            if_none_match: input.copy_source_if_none_match.as_ref(),
            if_modified_since: input.copy_source_if_modified_since.as_ref(),
            if_unmodified_since: input.copy_source_if_unmodified_since.as_ref(),
        };
        let source = self.copy_source(&input.copy_source, &conditions).await?;
        let range = match &input.copy_source_range {
            None => 0..source.size,
            Some(range) => copied_range(range, source.size)?,
        };
        let size = range.end.saturating_sub(range.start);
        if size > self.max_part_bytes() {
            return Err(too_large(self.max_part_bytes()));
        }
        let algorithm = algorithm(&upload)?;
        let mut digests = Digests {
            md5: Some(Md5::new()),
            ..Digests::default()
        };
        if let Some(algorithm) = algorithm {
            algorithm.add_to(&mut digests);
        }
        let _reservation = self.space.reserve(size).await?;
        let copied = self.copy_data(source, range, digests).await?;
        let mut checksums = Checksums::new();
        if let Some(algorithm) = algorithm
            && let Some(checksum) = algorithm.computed(&copied)
        {
            checksums.insert(algorithm.name.to_owned(), checksum.clone());
        }
        let record = self
            .finish_part(input.upload_id, number, copied, checksums)
            .await?;
        let mut result = CopyPartResult {
            last_modified: Some(timestamp(record.modified)),
            ..CopyPartResult::default()
        };
        set_checksums!(result, record.checksums);
        result.e_tag = Some(ETag::Strong(record.etag));
        Ok(S3Response::new(UploadPartCopyOutput {
            copy_part_result: Some(result),
            ..UploadPartCopyOutput::default()
        }))
    }

    fn max_part_bytes(&self) -> u64 {
        MAX_PART_BYTES.min(self.max_object_bytes)
    }

    /// Publishes a part that is completely received, even if its client disconnects.
    async fn finish_part(
        &self,
        id: String,
        number: u16,
        received: ReceivedUpload,
        checksums: Checksums,
    ) -> S3Result<PartRecord> {
        let record = PartRecord {
            etag: received.md5.map(hex::encode).unwrap_or_default(),
            modified: self.clock.now(),
            checksums,
        };
        let directory = Arc::clone(&self.directory);
        let published = self.tasks.spawn_blocking(move || {
            let published = directory.publish_part(received, &id, number, &record)?;
            Ok(published.then_some(record))
        });
        published
            .await
            .map_err(io::Error::other)
            .flatten()
            .map_err(|error| errors::from_io("publish a part", error))?
            .ok_or_else(no_such_upload)
    }
}

/// Algorithm of the checksums that the client wants of the parts.
pub(super) fn algorithm(upload: &MultipartUpload) -> S3Result<Option<&'static Algorithm>> {
    let name = upload.checksum.as_ref().map(|(name, _)| name.as_str());
    name.map(Algorithm::named).transpose()
}

/// Range of the source, of the form `bytes=first-last`. It must lie within the source.
fn copied_range(range: &str, size: u64) -> S3Result<Range<u64>> {
    let bounds = range
        .strip_prefix("bytes=")
        .and_then(|range| range.split_once('-'));
    let bounds = bounds.and_then(|(first, last)| Some((first.parse().ok()?, last.parse().ok()?)));
    match bounds {
        Some((first, last)) if first <= last && last < size => Ok(first..last + 1),
        _ => Err(s3_error!(
            InvalidArgument,
            "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the zero-based \
             offsets of the first and last bytes to copy, within the source of {size} bytes"
        )),
    }
}
