use std::sync::Arc;

use async_trait::async_trait;
use metrics::counter;
use rapidphoto_application::ports::{
    BoxError, CompleteError, MultipartCursor, MultipartPage, MultipartUploads, OpenUpload, PartReference,
    StoredPart, Unavailable,
};
use rapidphoto_domain::values::{ETag, MultipartId, PartNumber};
use s3s::{S3Error, S3ErrorCode};

use crate::backend::{Completion, NamedPart};
use crate::directory::{Checksums, Directory, MultipartUpload, ObjectHeaders, Precondition, Publication};
use crate::objects::EmbeddedObjects;

/// Maximum number of uploads of a page.
const PAGE: usize = 1000;

#[async_trait]
impl MultipartUploads for EmbeddedObjects {
    async fn open(&self, key: &str, content_type: &str) -> Result<MultipartId, Unavailable> {
        let id = format!("{:032x}", self.ids.ulid());
        let upload = MultipartUpload {
            key: key.to_owned(),
            opened: self.clock.now(),
            headers: ObjectHeaders {
                content_type: Some(content_type.to_owned()),
                ..ObjectHeaders::default()
            },
            metadata: std::collections::BTreeMap::new(),
            checksum: None,
        };
        let opened = MultipartId::parse(&id).map_err(Unavailable::storage)?;
        self.run("open", move |directory| directory.create_upload(&id, &upload))
            .await?;
        Ok(opened)
    }

    async fn parts(&self, key: &str, upload: &MultipartId) -> Result<Option<Vec<StoredPart>>, Unavailable> {
        let (key, id) = (key.to_owned(), String::from(upload.clone()));
        self.run("list_parts", move |directory| {
            let mut parts = Vec::new();
            if !has_upload(directory, &key, &id)? {
                return Ok(None);
            }
            for number in directory.part_numbers(&id)? {
                if let Some(stored) = directory.find_part(&id, number)? {
                    parts.push(StoredPart {
                        number: PartNumber::new(number).map_err(std::io::Error::other)?,
                        e_tag: ETag::parse(&stored.record.etag).map_err(std::io::Error::other)?,
                        bytes: stored.size,
                    });
                }
            }
            // Completed or aborted meanwhile, the upload may have lost some of its parts.
            Ok(has_upload(directory, &key, &id)?.then_some(parts))
        })
        .await
    }

    async fn complete(
        &self,
        key: &str,
        upload: &MultipartId,
        parts: &[PartReference],
    ) -> Result<(), CompleteError> {
        let id = String::from(upload.clone());
        let lock = self.directory.lock_upload(&id).await;
        let parts = parts.iter().map(|part| NamedPart {
            number: part.number.get(),
            etag: part.e_tag.as_str().to_owned(),
            checksums: Checksums::new(),
        });
        let completion = Completion::new(key.to_owned(), id.clone(), parts.collect(), Precondition::Absent);
        let completion = completion.map_err(complete_error)?;
        let (directory, key, modified) = (Arc::clone(&self.directory), key.to_owned(), self.clock.now());
        let (ids, max_bytes) = ([self.ids.ulid(), self.ids.ulid()], self.max_object_bytes);
        let completed = tokio::task::spawn_blocking(move || {
            let upload = directory.find_upload(&id).map_err(unavailable)?;
            let upload = upload
                .filter(|upload| upload.key == key)
                .ok_or(CompleteError::NoSuchUpload)?;
            if directory.find_durable(&key).map_err(unavailable)?.is_some() {
                return Err(CompleteError::Exists);
            }
            let made = completion.make_object(&directory, &upload, modified, ids, max_bytes);
            match made.map_err(complete_error)? {
                (Publication::Stored, ..) => {
                    directory.remove_upload(&id).map_err(unavailable)?;
                    // Held until here, even if the request is cancelled.
                    drop(lock);
                    Ok(())
                }
                _ => Err(CompleteError::Exists),
            }
        });
        completed.await.map_err(unavailable)?
    }

    async fn abort(&self, key: &str, upload: &MultipartId) -> Result<(), Unavailable> {
        let (key, id) = (key.to_owned(), String::from(upload.clone()));
        let lock = self.directory.lock_upload(&id).await;
        self.run("abort", move |directory| {
            if has_upload(directory, &key, &id)? {
                directory.remove_upload(&id)?;
            }
            drop(lock);
            Ok(())
        })
        .await
    }

    async fn list(
        &self,
        prefix: &str,
        after: Option<&MultipartCursor>,
    ) -> Result<MultipartPage, Unavailable> {
        let prefix = prefix.to_owned();
        let mut uploads = self
            .run("list_uploads", Directory::uploads)
            .await?
            .into_iter()
            .filter(|(_, upload)| upload.key.starts_with(&prefix))
            .map(|(id, upload)| {
                let id = MultipartId::parse(&id).map_err(Unavailable::storage)?;
                let opened_at = upload.opened;
                Ok(OpenUpload {
                    key: upload.key,
                    id,
                    opened_at,
                })
            })
            .collect::<Result<Vec<_>, Unavailable>>()?;
        uploads
            .retain(|upload| after.is_none_or(|after| (&upload.key, &upload.id) > (&after.key, &after.id)));
        uploads.sort_unstable_by(|one, other| (&one.key, &one.id).cmp(&(&other.key, &other.id)));
        let more = uploads.len() > PAGE;
        uploads.truncate(PAGE);
        let next = uploads.last().filter(|_| more).map(|last| MultipartCursor {
            key: last.key.clone(),
            id: last.id.clone(),
        });
        Ok(MultipartPage { uploads, next })
    }
}

fn has_upload(directory: &Directory, key: &str, id: &str) -> std::io::Result<bool> {
    Ok(directory.find_upload(id)?.is_some_and(|upload| upload.key == key))
}

fn complete_error(error: S3Error) -> CompleteError {
    match error.code() {
        S3ErrorCode::MalformedXML
        | S3ErrorCode::InvalidPart
        | S3ErrorCode::InvalidPartOrder
        | S3ErrorCode::EntityTooSmall => CompleteError::InvalidPart,
        _ => unavailable(error),
    }
}

fn unavailable(error: impl Into<BoxError>) -> CompleteError {
    counter!("storage_errors_total", "operation" => "complete").increment(1);
    Unavailable::storage(error).into()
}
