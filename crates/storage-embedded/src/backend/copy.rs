use std::ops::Range;
use std::sync::Arc;

use http::header::{IF_MATCH, IF_NONE_MATCH};
use http::{HeaderMap, HeaderName};
use s3s::dto::{
    CopyObjectInput, CopyObjectOutput, CopyObjectResult, CopySource, ETag, ETagCondition, MetadataDirective,
};
use s3s::{S3Error, S3ErrorCode, S3Request, S3Response, S3Result, s3_error};

use super::attributes::{Attributes, attributes_of, reject_unsupported, unsupported_in};
use super::blocking::blocking;
use super::bucket::{Backend, check_version};
use super::checksums::{Algorithm, set_checksums};
use super::conditions::{Conditions, timestamp};
use super::errors;
use super::get::{listed_checksums, no_such_key};
use super::put::{NewObject, precondition, precondition_failed};
use super::receive::too_large;
use crate::directory::{Creation, Digests, ObjectRecord, Precondition, ReceivedUpload, StoredObject};

impl Backend {
    pub(super) async fn copy(
        &self,
        request: S3Request<CopyObjectInput>,
    ) -> S3Result<S3Response<CopyObjectOutput>> {
        self.check_scope(&request, &request.input.bucket)?;
        let (input, headers) = (request.input, request.headers);
        reject_unsupported(unsupported_in!(input))?;
        reject_unsupported([(
            "Encryption of the source",
            input.copy_source_sse_customer_algorithm.is_some(),
        )])?;
        let precondition = precondition(
            etag_condition(&headers, &IF_MATCH)?.as_ref(),
            etag_condition(&headers, &IF_NONE_MATCH)?.as_ref(),
        )?;
        let replaces_attributes = match input.metadata_directive.as_ref().map(MetadataDirective::as_str) {
            None | Some(MetadataDirective::COPY) => false,
            Some(MetadataDirective::REPLACE) => true,
            Some(other) => return Err(s3_error!(InvalidArgument, "Unknown metadata directive: {other}")),
        };
        let conditions = Conditions {
            if_match: input.copy_source_if_match.as_ref(),
            if_none_match: input.copy_source_if_none_match.as_ref(),
            if_modified_since: input.copy_source_if_modified_since.as_ref(),
            if_unmodified_since: input.copy_source_if_unmodified_since.as_ref(),
        };
        let source = self.copy_source(&input.copy_source, &conditions).await?;
        if source.record.key == input.key && !replaces_attributes {
            return Err(s3_error!(
                InvalidRequest,
                "This copy request is illegal because it is trying to copy an object to itself without changing the object's \
                 metadata."
            ));
        }
        if source.size > self.max_object_bytes {
            return Err(too_large(self.max_object_bytes));
        }
        let attributes = if replaces_attributes {
            attributes_of!(input)?
        } else {
            Attributes {
                headers: source.record.headers.clone(),
                metadata: source.record.metadata.clone(),
            }
        };
        let reservation = match precondition {
            Precondition::Absent => {
                self.check_absent(&input.key).await?;
                Some(self.space.reserve(source.size).await?)
            }
            Precondition::None | Precondition::Match(_) => None,
        };
        let mut digests = Digests::default();
        Algorithm::named("SHA256")?.add_to(&mut digests);
        let requested = input.checksum_algorithm.as_ref();
        let requested = requested
            .map(|name| Algorithm::named(name.as_str()))
            .transpose()?;
        if let Some(algorithm) = requested {
            algorithm.add_to(&mut digests);
        }
        let original = source.record.clone();
        let range = 0..source.size;
        let copied = self.copy_data(source, range, digests).await?;
        drop(reservation);
        if copied.checksums.checksum_sha256.as_ref() != Some(&original.sha256) {
            tracing::error!(
                key = original.key,
                "the data of an object does not match its SHA-256"
            );
            return Err(S3Error::with_message(
                S3ErrorCode::InternalError,
                "The source is damaged: its data does not match its SHA-256.",
            ));
        }
        let computed = requested.and_then(|known| Some((known.name, known.computed(&copied)?.clone())));
        let object = NewObject {
            key: input.key,
            attributes,
            creation: Creation::Copy,
            etag: None,
            checksums: computed
                .map(|(name, checksum)| (name.to_owned(), checksum))
                .into_iter()
                .collect(),
            precondition,
        };
        let record = self.finish(object, copied).await?;
        Ok(S3Response::new(copied_object(record)))
    }

    /// Writes a range of an object's data to a new file.
    pub(super) async fn copy_data(
        &self,
        source: StoredObject,
        range: Range<u64>,
        digests: Digests,
    ) -> S3Result<ReceivedUpload> {
        let (directory, name) = (Arc::clone(&self.directory), self.ids.ulid());
        let copying = move || {
            let spool = directory.spool(name, digests)?;
            Ok(spool.append_file(&source.file, range)?.finish())
        };
        blocking(copying)
            .await
            .map_err(|error| errors::from_io("copy an object", error))
    }

    /// Opens the source of a copy, which must be in the bucket of this store.
    pub(super) async fn copy_source(
        &self,
        source: &CopySource,
        conditions: &Conditions<'_>,
    ) -> S3Result<StoredObject> {
        let CopySource::Bucket {
            bucket,
            key,
            version_id,
        } = source
        else {
            return Err(s3_error!(NotImplemented, "Sources by ARN are not implemented"));
        };
        if **bucket != *self.bucket {
            return Err(s3_error!(NoSuchBucket, "The specified bucket does not exist"));
        }
        check_version(version_id.as_deref())?;
        let source = self.find(key).await?.ok_or_else(no_such_key)?;
        // A condition that answers a read with 304 refuses a copy.
        conditions
            .check(&source.record)
            .map_err(|_| precondition_failed())?;
        Ok(source)
    }
}

fn copied_object(record: ObjectRecord) -> CopyObjectOutput {
    let (checksums, checksum_type) = listed_checksums(&record);
    let mut result = CopyObjectResult {
        checksum_type: Some(checksum_type),
        last_modified: Some(timestamp(record.modified)),
        ..CopyObjectResult::default()
    };
    set_checksums!(result, checksums);
    result.e_tag = Some(ETag::Strong(record.etag));
    CopyObjectOutput {
        copy_object_result: Some(result),
        ..CopyObjectOutput::default()
    }
}

/// Condition in a header that `s3s` does not read for this operation.
fn etag_condition(headers: &HeaderMap, name: &HeaderName) -> S3Result<Option<ETagCondition>> {
    headers
        .get(name)
        .map(|value| ETagCondition::parse_http_header(value.as_bytes()))
        .transpose()
        .map_err(|error| s3_error!(error, InvalidArgument, "invalid header: {name}"))
}
