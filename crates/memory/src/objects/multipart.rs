use std::{collections::BTreeMap, ops::Bound};

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use rapidphoto_application::ports::{
    CompleteError, MultipartCursor, MultipartPage, MultipartUploads, OpenUpload, PartReference, StoredPart,
    Unavailable,
};
use rapidphoto_domain::{
    photo::MIN_PART_BYTES,
    values::{ETag, MultipartId, PartNumber},
};

use super::{
    MemoryObjects,
    bucket::{Bucket, OpenMultipart},
};
use crate::{Operation, lock::lock};

/// Uploads in one page of a list; few, so that tests have several pages.
const PAGE_SIZE: usize = 3;

#[async_trait]
impl MultipartUploads for MemoryObjects {
    async fn open(&self, key: &str, content_type: &str) -> Result<MultipartId, Unavailable> {
        self.faults.enter(Operation::OpenMultipart).await?;
        let id = {
            let mut bucket = lock(&self.bucket);
            bucket.writes += 1;
            let id =
                MultipartId::parse(&format!("upload-{:08}", bucket.writes)).map_err(Unavailable::storage)?;
            let upload = OpenMultipart {
                content_type: content_type.to_owned(),
                opened_at: self.clock.now(),
                parts: BTreeMap::new(),
            };
            bucket.multipart.insert(cursor(key, &id), upload);
            id
        };
        self.faults.leave(Operation::OpenMultipart).await?;
        Ok(id)
    }

    async fn parts(&self, key: &str, upload: &MultipartId) -> Result<Option<Vec<StoredPart>>, Unavailable> {
        self.faults.enter(Operation::ListMultipart).await?;
        let bucket = lock(&self.bucket);
        let upload = bucket.multipart.get(&cursor(key, upload));
        Ok(upload.map(|upload| {
            let parts = upload.parts.iter();
            let parts = parts.map(|(number, (e_tag, body))| StoredPart {
                number: *number,
                e_tag: e_tag.clone(),
                bytes: body.len() as u64,
            });
            parts.collect()
        }))
    }

    async fn complete(
        &self,
        key: &str,
        upload: &MultipartId,
        parts: &[PartReference],
    ) -> Result<(), CompleteError> {
        self.faults.enter(Operation::CompleteMultipart).await?;
        {
            let mut bucket = lock(&self.bucket);
            let at = cursor(key, upload);
            let open = bucket.multipart.get(&at).ok_or(CompleteError::NoSuchUpload)?;
            let body = joined(open, parts).ok_or(CompleteError::InvalidPart)?;
            if bucket.objects.contains_key(key) {
                return Err(CompleteError::Exists);
            }
            let content_type = open.content_type.clone();
            bucket.multipart.remove(&at);
            bucket.store(key, body, &content_type);
            if let Some(object) = bucket.objects.get_mut(key) {
                object.knows_checksum = false;
            }
            self.announce(&mut bucket, key);
        }
        Ok(self.faults.leave(Operation::CompleteMultipart).await?)
    }

    async fn abort(&self, key: &str, upload: &MultipartId) -> Result<(), Unavailable> {
        self.faults.enter(Operation::AbortMultipart).await?;
        lock(&self.bucket).multipart.remove(&cursor(key, upload));
        self.faults.leave(Operation::AbortMultipart).await
    }

    async fn list(
        &self,
        prefix: &str,
        after: Option<&MultipartCursor>,
    ) -> Result<MultipartPage, Unavailable> {
        self.faults.enter(Operation::ListMultipart).await?;
        let bucket = lock(&self.bucket);
        let start = after.map_or(Bound::Unbounded, Bound::Excluded);
        let uploads = bucket.multipart.range((start, Bound::Unbounded));
        let mut found: Vec<_> = uploads
            .filter(|(at, _)| at.key.starts_with(prefix))
            .take(PAGE_SIZE + 1)
            .collect();
        let more = found.len() > PAGE_SIZE;
        found.truncate(PAGE_SIZE);
        let next = found.last().filter(|_| more).map(|(at, _)| (*at).clone());
        let uploads = found.into_iter().map(|(at, upload)| OpenUpload {
            key: at.key.clone(),
            id: at.id.clone(),
            opened_at: upload.opened_at,
        });
        Ok(MultipartPage {
            uploads: uploads.collect(),
            next,
        })
    }
}

impl MemoryObjects {
    /// Number of open uploads in parts.
    pub fn open_uploads(&self) -> usize {
        lock(&self.bucket).multipart.len()
    }
}

impl Bucket {
    /// Stores a part; `None` if there is no such upload.
    pub(super) fn store_part(
        &mut self,
        key: &str,
        upload: &MultipartId,
        number: PartNumber,
        body: Bytes,
    ) -> Option<ETag> {
        let e_tag = self.next_e_tag(&body)?;
        let open = self.multipart.get_mut(&cursor(key, upload))?;
        open.parts.insert(number, (e_tag.clone(), body));
        Some(e_tag)
    }
}

fn cursor(key: &str, upload: &MultipartId) -> MultipartCursor {
    MultipartCursor {
        key: key.to_owned(),
        id: upload.clone(),
    }
}

/// The bytes of an object made of these parts; `None` if a part is missing, changed, out of order or too small.
fn joined(open: &OpenMultipart, parts: &[PartReference]) -> Option<Bytes> {
    let mut body = BytesMut::new();
    let mut last = None;
    for part in parts {
        let (e_tag, bytes) = open.parts.get(&part.number)?;
        let is_last = parts.last() == Some(part);
        let large_enough = is_last || bytes.len() as u64 >= MIN_PART_BYTES;
        if *e_tag != part.e_tag || last >= Some(part.number) || !large_enough {
            return None;
        }
        last = Some(part.number);
        body.extend_from_slice(bytes);
    }
    last.map(|_| body.freeze())
}
