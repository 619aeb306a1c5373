//! Uploads in parts.

use aws_sdk_s3::presigning::PresignedRequest;
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};

use super::requests::valid_presigning;
use super::server::{BUCKET, StorageServer};

/// Minimum size in bytes of a part that is not the last one.
pub(crate) const PART: usize = 5 * 1024 * 1024;

/// An upload in parts of the key `k`.
pub(crate) struct Upload<'a> {
    pub(crate) server: &'a StorageServer,
    pub(crate) id: String,
}

impl<'a> Upload<'a> {
    pub(crate) async fn open(server: &'a StorageServer) -> Self {
        let opened = server
            .client
            .create_multipart_upload()
            .bucket(BUCKET)
            .key("k")
            .content_type("image/jpeg")
            .metadata("place", "here")
            .send()
            .await
            .unwrap();
        let id = opened.upload_id().unwrap().to_owned();
        Self { server, id }
    }

    /// Sends a part and returns it as a completion names it.
    pub(crate) async fn part(&self, number: i32, body: &[u8]) -> CompletedPart {
        let sent = self
            .server
            .client
            .upload_part()
            .bucket(BUCKET)
            .key("k")
            .upload_id(&self.id)
            .part_number(number)
            .body(body.to_vec().into())
            .send()
            .await
            .unwrap();
        named(number, sent.e_tag().unwrap())
    }

    pub(crate) async fn presign_part(&self, number: i32, length: usize) -> PresignedRequest {
        self.server
            .client
            .upload_part()
            .bucket(BUCKET)
            .key("k")
            .upload_id(&self.id)
            .part_number(number)
            .content_length(i64::try_from(length).unwrap())
            .presigned(valid_presigning())
            .await
            .unwrap()
    }

    /// Completes the upload if there is no object. Returns the ETag, or the code of the error.
    pub(crate) async fn complete(&self, parts: Vec<CompletedPart>) -> Result<String, String> {
        self.complete_if(parts, Some("*")).await
    }

    /// Completes the upload if no object has this ETag.
    pub(crate) async fn complete_if(
        &self,
        parts: Vec<CompletedPart>,
        if_none_match: Option<&str>,
    ) -> Result<String, String> {
        let completed = CompletedMultipartUpload::builder().set_parts(Some(parts)).build();
        let completed = self
            .server
            .client
            .complete_multipart_upload()
            .bucket(BUCKET)
            .key("k")
            .upload_id(&self.id)
            .set_if_none_match(if_none_match.map(str::to_owned))
            .multipart_upload(completed)
            .send()
            .await;
        match completed {
            Ok(completed) => Ok(completed.e_tag().unwrap().to_owned()),
            Err(error) => Err(error
                .into_service_error()
                .meta()
                .code()
                .unwrap_or("none")
                .to_owned()),
        }
    }

    /// Returns the code of the error.
    pub(crate) async fn abort(&self) -> Result<(), String> {
        let aborted = self
            .server
            .client
            .abort_multipart_upload()
            .bucket(BUCKET)
            .key("k")
            .upload_id(&self.id)
            .send()
            .await;
        aborted.map(drop).map_err(|error| {
            error
                .into_service_error()
                .meta()
                .code()
                .unwrap_or("none")
                .to_owned()
        })
    }

    /// Numbers of the stored parts, or the code of the error.
    pub(crate) async fn parts(&self) -> Result<Vec<i32>, String> {
        let listed = self
            .server
            .client
            .list_parts()
            .bucket(BUCKET)
            .key("k")
            .upload_id(&self.id)
            .send()
            .await;
        match listed {
            Ok(listed) => Ok(listed
                .parts()
                .iter()
                .map(|part| part.part_number().unwrap())
                .collect()),
            Err(error) => Err(error
                .into_service_error()
                .meta()
                .code()
                .unwrap_or("none")
                .to_owned()),
        }
    }
}

/// A part as a completion names it.
pub(crate) fn named(number: i32, etag: &str) -> CompletedPart {
    CompletedPart::builder().part_number(number).e_tag(etag).build()
}

pub(crate) fn quoted(etag: &str) -> String {
    format!("\"{etag}\"")
}
