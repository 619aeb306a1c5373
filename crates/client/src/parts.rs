use std::{collections::BTreeMap, ops::Range};

use futures::{StreamExt as _, TryStreamExt as _};
use rapidphoto_api_types::{
    FinalizeRequest, MultipartItem, PartUrls, PartUrlsRequest, UploadState, UploadedPart, UploadedParts,
};
use reqwest::Method;

use crate::{
    content::Content,
    error::ClientError,
    retry::{Attempts, with_retries},
    session::Session,
    transfer::{Put, Transfer},
};

/// Parts of one file that wait for a turn or are being sent.
const PARTS_AT_ONCE: usize = 16;

impl Session {
    /// Returns URLs for parts of a multipart upload, by part number from 1. The first call opens the upload in storage.
    pub async fn part_urls(&self, photo_id: &str, numbers: &[u32]) -> Result<PartUrls, ClientError> {
        let body = PartUrlsRequest {
            part_numbers: numbers.to_vec(),
        };
        self.call(|| {
            self.client
                .request(Method::POST, &["commands", "upload", photo_id, "parts"])
                .json(&body)
        })
        .await
    }

    /// Returns the parts of a multipart upload that are in storage.
    pub async fn uploaded_parts(&self, photo_id: &str) -> Result<UploadedParts, ClientError> {
        self.call(|| {
            self.client
                .request(Method::GET, &["queries", "upload", photo_id, "parts"])
        })
        .await
    }

    /// Completes a multipart upload.
    pub async fn finalize_parts(
        &self,
        photo_id: &str,
        parts: &[UploadedPart],
    ) -> Result<UploadState, ClientError> {
        let body = FinalizeRequest {
            parts: Some(parts.to_vec()),
        };
        self.call(|| {
            self.client
                .request(Method::POST, &["commands", "upload", photo_id, "finalize"])
                .json(&body)
        })
        .await
    }

    /// Sends the parts that are not in storage. Returns all, ascending.
    pub(crate) async fn upload_parts(
        &self,
        photo_id: &str,
        layout: &MultipartItem,
        content: &Content,
        transfer: &Transfer,
    ) -> Result<Vec<UploadedPart>, ClientError> {
        let ranges = ranges(content.bytes(), layout.part_size);
        let stored = with_retries(|| self.uploaded_parts(photo_id)).await?;
        let mut tags: BTreeMap<u32, String> = BTreeMap::new();
        for part in stored.parts {
            let expected = ranges.get(&part.part_number).map(|range| range.end - range.start);
            if expected == Some(part.bytes) {
                transfer.add(part.bytes);
                tags.insert(part.part_number, part.e_tag);
            }
        }
        let missing = ranges
            .into_iter()
            .filter(|(number, _)| !tags.contains_key(number));
        let missing: Vec<_> = missing.collect();
        let sending = missing.into_iter().map(|(number, range)| async move {
            let tag = self
                .upload_part(photo_id, number, content, range, transfer)
                .await?;
            Ok::<_, ClientError>((number, tag))
        });
        let sent: Vec<_> = futures::stream::iter(sending)
            .buffer_unordered(PARTS_AT_ONCE)
            .try_collect()
            .await?;
        tags.extend(sent);
        let parts = tags
            .into_iter()
            .map(|(part_number, e_tag)| UploadedPart { part_number, e_tag });
        Ok(parts.collect())
    }

    /// Sends one part, each time with a new URL. Returns its entity tag.
    async fn upload_part(
        &self,
        photo_id: &str,
        number: u32,
        content: &Content,
        range: Range<u64>,
        transfer: &Transfer,
    ) -> Result<String, ClientError> {
        let _slot = transfer.slot().await;
        let mut attempts = Attempts::default();
        let numbers = [number];
        loop {
            let urls = with_retries(|| self.part_urls(photo_id, &numbers)).await?;
            let url = urls.parts.iter().find(|part| part.part_number == number);
            let url = url.ok_or_else(|| ClientError::NoUploadUrl(photo_id.to_owned()))?;
            let put = Put {
                url: &url.presigned_url,
                headers: &BTreeMap::new(),
            };
            match self.put_range(&put, content, range.clone(), transfer).await {
                Ok(tag) => return tag.ok_or(ClientError::NoETag(number)),
                Err(error) => attempts.pause_after(error).await?,
            }
        }
    }
}

/// Maximum number of parts, the limit of S3.
const MAX_PARTS: u32 = 10_000;

/// Ranges of the parts by number, from 1; all of one size but the last.
fn ranges(bytes: u64, part_size: u64) -> BTreeMap<u32, Range<u64>> {
    let size = part_size.max(1);
    let starts = (0..bytes).step_by(usize::try_from(size).unwrap_or(usize::MAX));
    let ranges = starts.map(|start| start..start.saturating_add(size).min(bytes));
    (1..=MAX_PARTS).zip(ranges).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_cover_the_file_and_only_the_last_is_shorter() {
        let parts: Vec<_> = ranges(20, 8).into_iter().collect();
        assert_eq!(parts, [(1, 0..8), (2, 8..16), (3, 16..20)]);
        assert_eq!(ranges(16, 8).len(), 2);
        assert_eq!(ranges(3, 8).into_iter().next(), Some((1, 0..3)));
    }
}
