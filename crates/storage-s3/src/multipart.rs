//! Uploads in parts.

use async_trait::async_trait;
use aws_sdk_s3::{
    config::http::HttpResponse,
    error::{ProvideErrorMetadata, SdkError},
    types::{CompletedMultipartUpload, CompletedPart, MultipartUpload, Part},
};
use chrono::DateTime;
use rapidphoto_application::ports::{
    CompleteError, MultipartCursor, MultipartPage, MultipartUploads, ObjectStore as _, OpenUpload,
    PartReference, StoredPart, Unavailable,
};
use rapidphoto_domain::values::{MultipartId, PartNumber};

use crate::{
    errors::{self, MalformedResponse},
    store::{S3Store, e_tag, failed, length},
};

#[async_trait]
impl MultipartUploads for S3Store {
    async fn open(&self, key: &str, content_type: &str) -> Result<MultipartId, Unavailable> {
        let request = self
            .client
            .create_multipart_upload()
            .bucket(&self.bucket)
            .key(key)
            .content_type(content_type)
            .set_server_side_encryption(self.algorithm())
            .set_ssekms_key_id(self.kms_key());
        let opened = request
            .send()
            .await
            .map_err(|error| failed("open_multipart", error))?;
        upload_id(opened.upload_id())
    }

    async fn parts(&self, key: &str, upload: &MultipartId) -> Result<Option<Vec<StoredPart>>, Unavailable> {
        let mut parts: Vec<StoredPart> = Vec::new();
        let mut marker = None;
        loop {
            let request = self
                .client
                .list_parts()
                .bucket(&self.bucket)
                .key(key)
                .upload_id(upload.as_str())
                .set_part_number_marker(marker);
            let page = match request.send().await {
                Ok(page) => page,
                Err(error) if is_gone(&error) => return Ok(None),
                Err(error) => return Err(failed("list_parts", error)),
            };
            for part in page.parts() {
                parts.push(stored(part)?);
            }
            if page.is_truncated() != Some(true) {
                break;
            }
            // Every page goes on, so that a faulty store can't make this loop endless.
            marker = page.next_part_number_marker().map(str::to_owned);
            let advances = parts.last().map(|part| part.number.to_string()) == marker;
            if page.parts().is_empty() || !advances {
                return Err(Unavailable::storage(MalformedResponse::NextPage));
            }
        }
        parts.sort_unstable_by_key(|part| part.number);
        Ok(Some(parts))
    }

    /// Asks for an object first: not every store knows conditions of this operation (Ceph before version 20), and one that
    /// was found to lack conditional writes may refuse the header.
    async fn complete(
        &self,
        key: &str,
        upload: &MultipartId,
        parts: &[PartReference],
    ) -> Result<(), CompleteError> {
        if self.head(key).await?.is_some() {
            return Err(CompleteError::Exists);
        }
        let listed = parts.iter().map(|part| {
            CompletedPart::builder()
                .part_number(part.number.get().into())
                .e_tag(part.e_tag.quoted())
                .build()
        });
        let listed = CompletedMultipartUpload::builder()
            .set_parts(Some(listed.collect()))
            .build();
        let request = self
            .client
            .complete_multipart_upload()
            .bucket(&self.bucket)
            .key(key)
            .upload_id(upload.as_str())
            .set_if_none_match(self.conditions.are_required().then(|| "*".to_owned()))
            .multipart_upload(listed);
        let Err(error) = request.send().await else {
            return Ok(());
        };
        Err(match (errors::status(&error), errors::code(&error)) {
            _ if is_gone(&error) => CompleteError::NoSuchUpload,
            (_, Some("InvalidPart" | "InvalidPartOrder" | "EntityTooSmall")) => CompleteError::InvalidPart,
            (Some(409 | 412), _) => CompleteError::Exists,
            // Ceph answers 500 for an upload that it does not have.
            (Some(500), _) if self.parts(key, upload).await?.is_none() => CompleteError::NoSuchUpload,
            _ => failed("complete_multipart", error).into(),
        })
    }

    async fn abort(&self, key: &str, upload: &MultipartId) -> Result<(), Unavailable> {
        let request = self
            .client
            .abort_multipart_upload()
            .bucket(&self.bucket)
            .key(key)
            .upload_id(upload.as_str());
        match request.send().await {
            Ok(_) => Ok(()),
            Err(error) if is_gone(&error) => Ok(()),
            Err(error) => Err(failed("abort_multipart", error)),
        }
    }

    async fn list(
        &self,
        prefix: &str,
        after: Option<&MultipartCursor>,
    ) -> Result<MultipartPage, Unavailable> {
        let request = self
            .client
            .list_multipart_uploads()
            .bucket(&self.bucket)
            .prefix(prefix)
            .set_key_marker(after.map(|after| after.key.clone()))
            .set_upload_id_marker(after.map(|after| after.id.as_str().to_owned()));
        let page = request
            .send()
            .await
            .map_err(|error| failed("list_multipart", error))?;
        let uploads = page.uploads().iter().map(open_upload).collect::<Result<_, _>>()?;
        let next = match (page.is_truncated(), page.next_key_marker()) {
            (Some(true), Some(key)) => Some(MultipartCursor {
                key: key.to_owned(),
                id: upload_id(page.next_upload_id_marker())?,
            }),
            (Some(true), None) => return Err(Unavailable::storage(MalformedResponse::NextPage)),
            (Some(false) | None, _) => None,
        };
        if next.is_some() && next.as_ref() == after {
            return Err(Unavailable::storage(MalformedResponse::NextPage));
        }
        Ok(MultipartPage { uploads, next })
    }
}

/// Returns true if the upload does not exist. A missing bucket is another error.
fn is_gone<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> bool {
    errors::code(error) == Some("NoSuchUpload") || errors::is_missing(error)
}

fn upload_id(raw: Option<&str>) -> Result<MultipartId, Unavailable> {
    raw.and_then(|raw| MultipartId::parse(raw).ok())
        .ok_or_else(|| Unavailable::storage(MalformedResponse::UploadId))
}

fn stored(part: &Part) -> Result<StoredPart, Unavailable> {
    let number = part.part_number().and_then(|number| PartNumber::new(number).ok());
    Ok(StoredPart {
        number: number.ok_or_else(|| Unavailable::storage(MalformedResponse::PartNumber))?,
        e_tag: e_tag(part.e_tag())?,
        bytes: length(part.size())?,
    })
}

fn open_upload(upload: &MultipartUpload) -> Result<OpenUpload, Unavailable> {
    let opened_at = upload
        .initiated()
        .and_then(|time| DateTime::from_timestamp(time.secs(), time.subsec_nanos()));
    let (Some(key), Some(opened_at)) = (upload.key(), opened_at) else {
        return Err(Unavailable::storage(MalformedResponse::Upload));
    };
    Ok(OpenUpload {
        key: key.to_owned(),
        id: upload_id(upload.upload_id())?,
        opened_at,
    })
}
