use std::collections::BTreeSet;
use std::sync::Arc;

use s3s::dto::{
    ChecksumAlgorithm, ChecksumType, CommonPrefix, ETag, ListMultipartUploadsInput,
    ListMultipartUploadsOutput, ListPartsInput, ListPartsOutput, MultipartUpload as MultipartUploadDto, Part,
};
use s3s::{S3Request, S3Response, S3Result};

use crate::backend::blocking::blocking;
use crate::backend::bucket::Backend;
use crate::backend::checksums::{Algorithm, set_checksums};
use crate::backend::conditions::timestamp;
use crate::backend::errors;
use crate::backend::get::signed;
use crate::backend::lists::{Encoding, common_prefix, page_size, xml_text};
use crate::directory::{MultipartUpload, PartRecord};

/// A part in storage.
pub(in crate::backend) struct ListedPart {
    pub(in crate::backend) number: u16,
    pub(in crate::backend) size: u64,
    pub(in crate::backend) record: PartRecord,
}

/// A page of open uploads, sorted by key and by time.
pub(in crate::backend) struct UploadPage {
    pub(in crate::backend) uploads: Vec<(String, MultipartUpload)>,
    prefixes: BTreeSet<String>,
    pub(in crate::backend) truncated: bool,
}

impl Backend {
    pub(in crate::backend) async fn list_parts(
        &self,
        request: S3Request<ListPartsInput>,
    ) -> S3Result<S3Response<ListPartsOutput>> {
        self.check_scope(&request, &request.input.bucket)?;
        let input = request.input;
        let limit = page_size(input.max_parts)?;
        let after = input.part_number_marker.unwrap_or(0);
        let after = u16::try_from(after.max(0)).unwrap_or(u16::MAX);
        let upload = self.open_upload(&input.key, &input.upload_id).await?;
        let (parts, truncated) = self.parts(&input.upload_id, after, limit).await?;
        let next = parts.last().map(|part| i32::from(part.number));
        let parts = parts.into_iter().map(|part| {
            let mut listed = Part {
                part_number: Some(i32::from(part.number)),
                size: Some(signed(part.size)),
                last_modified: Some(timestamp(part.record.modified)),
                ..Part::default()
            };
            set_checksums!(listed, part.record.checksums);
            listed.e_tag = Some(ETag::Strong(part.record.etag));
            listed
        });
        let (algorithm, kind) = checksum(&upload)?;
        Ok(S3Response::new(ListPartsOutput {
            parts: Some(parts.collect()),
            bucket: Some(input.bucket),
            key: Some(xml_text(input.key)),
            upload_id: Some(input.upload_id),
            checksum_algorithm: algorithm,
            checksum_type: kind,
            is_truncated: Some(truncated),
            max_parts: Some(i32::from(limit)),
            part_number_marker: Some(i32::from(after)),
            next_part_number_marker: next,
            ..ListPartsOutput::default()
        }))
    }

    /// Parts with numbers above `after`, ascending, at most `limit`, and true if there are more.
    pub(in crate::backend) async fn parts(
        &self,
        id: &str,
        after: u16,
        limit: u16,
    ) -> S3Result<(Vec<ListedPart>, bool)> {
        let (directory, id) = (Arc::clone(&self.directory), id.to_owned());
        blocking(move || {
            let mut numbers = directory.part_numbers(&id)?;
            numbers.retain(|number| *number > after);
            let mut parts = Vec::new();
            for number in numbers.iter().copied().take(usize::from(limit)) {
                // A part may vanish while the upload is completed or aborted.
                if let Some(part) = directory.find_part(&id, number)? {
                    parts.push(ListedPart {
                        number,
                        size: part.size,
                        record: part.record,
                    });
                }
            }
            Ok((parts, numbers.len() > usize::from(limit)))
        })
        .await
        .map_err(|error| errors::from_io("list parts", error))
    }

    pub(in crate::backend) async fn list_uploads(
        &self,
        request: S3Request<ListMultipartUploadsInput>,
    ) -> S3Result<S3Response<ListMultipartUploadsOutput>> {
        self.check_scope(&request, &request.input.bucket)?;
        let input = request.input;
        let encoding = Encoding::new(input.encoding_type.as_ref())?;
        let limit = page_size(input.max_uploads)?;
        let prefix = input.prefix.unwrap_or_default();
        let key_marker = input.key_marker.unwrap_or_default();
        let id_marker = input.upload_id_marker.filter(|_| !key_marker.is_empty());
        let delimiter = input.delimiter.filter(|delimiter| !delimiter.is_empty());
        let after = (key_marker.as_str(), id_marker.as_deref());
        let page = self
            .open_uploads(&prefix, delimiter.as_deref(), after, limit)
            .await?;
        let last_key = page.uploads.last().map(|(_, upload)| upload.key.clone());
        let last_prefix = page.prefixes.last().cloned();
        let (next_key, next_id) = if last_prefix > last_key {
            (last_prefix, None)
        } else {
            (last_key, page.uploads.last().map(|(id, _)| id.clone()))
        };
        let truncated = page.truncated;
        let uploads = page.uploads.into_iter().map(|(id, upload)| {
            let (algorithm, kind) = checksum(&upload)?;
            Ok(MultipartUploadDto {
                checksum_algorithm: algorithm,
                checksum_type: kind,
                initiated: Some(timestamp(upload.opened)),
                key: Some(encoding.apply(upload.key)),
                upload_id: Some(id),
                ..MultipartUploadDto::default()
            })
        });
        let prefixes = page.prefixes.into_iter().map(|prefix| CommonPrefix {
            prefix: Some(encoding.apply(prefix)),
        });
        Ok(S3Response::new(ListMultipartUploadsOutput {
            uploads: Some(uploads.collect::<S3Result<_>>()?),
            bucket: Some(input.bucket),
            common_prefixes: Some(prefixes.collect()),
            delimiter: delimiter.map(|delimiter| encoding.apply(delimiter)),
            encoding_type: input.encoding_type,
            is_truncated: Some(truncated),
            key_marker: Some(encoding.apply(key_marker)),
            max_uploads: Some(i32::from(limit)),
            next_key_marker: next_key.filter(|_| truncated).map(|key| encoding.apply(key)),
            next_upload_id_marker: next_id.filter(|_| truncated),
            prefix: Some(encoding.apply(prefix)),
            upload_id_marker: id_marker,
            ..ListMultipartUploadsOutput::default()
        }))
    }

    /// Open uploads whose keys begin with `prefix`, after a key and an upload id.
    pub(in crate::backend) async fn open_uploads(
        &self,
        prefix: &str,
        delimiter: Option<&str>,
        (after_key, after_id): (&str, Option<&str>),
        limit: u16,
    ) -> S3Result<UploadPage> {
        let directory = Arc::clone(&self.directory);
        let mut uploads = blocking(move || directory.uploads())
            .await
            .map_err(|error| errors::from_io("list uploads in parts", error))?;
        uploads.retain(|(id, upload)| {
            let key = upload.key.as_str();
            let is_after = match (key.cmp(after_key), after_id) {
                (std::cmp::Ordering::Equal, Some(after_id)) => id.as_str() > after_id,
                (order, _) => order.is_gt(),
            };
            key.starts_with(prefix) && is_after
        });
        uploads.sort_unstable_by(|(one_id, one), (id, other)| (&one.key, one_id).cmp(&(&other.key, id)));
        let mut page = UploadPage {
            uploads: Vec::new(),
            prefixes: BTreeSet::new(),
            truncated: false,
        };
        for (id, upload) in uploads {
            let rolled_up = delimiter.and_then(|delimiter| common_prefix(&upload.key, prefix, delimiter));
            // A marker that is a common prefix stands for all keys that begin with it.
            if rolled_up.is_some_and(|common| common == after_key || page.prefixes.contains(common)) {
                continue;
            }
            if page.uploads.len() + page.prefixes.len() == usize::from(limit) {
                page.truncated = true;
                break;
            }
            match rolled_up {
                Some(common) => {
                    page.prefixes.insert(common.to_owned());
                }
                None => page.uploads.push((id, upload)),
            }
        }
        Ok(page)
    }
}

/// Algorithm and type of an upload's checksums.
fn checksum(upload: &MultipartUpload) -> S3Result<(Option<ChecksumAlgorithm>, Option<ChecksumType>)> {
    let Some((name, kind)) = &upload.checksum else {
        return Ok((None, None));
    };
    let algorithm = Algorithm::named(name)?;
    let kind = algorithm.upload_type(Some(kind))?;
    Ok((
        Some(ChecksumAlgorithm::from_static(algorithm.name)),
        Some(ChecksumType::from_static(kind)),
    ))
}
