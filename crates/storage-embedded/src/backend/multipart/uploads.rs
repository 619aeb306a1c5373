use std::sync::Arc;

use s3s::dto::{
    AbortMultipartUploadInput, AbortMultipartUploadOutput, ChecksumAlgorithm, ChecksumType,
    CreateMultipartUploadInput, CreateMultipartUploadOutput,
};
use s3s::{S3Request, S3Response, S3Result};

use super::open::no_such_upload;
use crate::backend::attributes::{Attributes, attributes_of, reject_unsupported, unsupported_in};
use crate::backend::blocking::blocking;
use crate::backend::bucket::Backend;
use crate::backend::checksums::Algorithm;
use crate::backend::errors;
use crate::backend::lists::xml_text;
use crate::directory::MultipartUpload;

impl Backend {
    pub(in crate::backend) async fn create_upload(
        &self,
        request: S3Request<CreateMultipartUploadInput>,
    ) -> S3Result<S3Response<CreateMultipartUploadOutput>> {
        self.check_scope(&request, &request.input.bucket)?;
        let input = request.input;
        reject_unsupported(unsupported_in!(input))?;
        let checksum = match &input.checksum_algorithm {
            None => None,
            Some(name) => {
                let algorithm = Algorithm::named(name.as_str())?;
                let chosen = input.checksum_type.as_ref().map(ChecksumType::as_str);
                Some((algorithm.name, algorithm.upload_type(chosen)?))
            }
        };
        let id = self
            .open_parts(input.key.clone(), attributes_of!(input)?, checksum)
            .await?;
        Ok(S3Response::new(CreateMultipartUploadOutput {
            bucket: Some(input.bucket),
            checksum_algorithm: checksum.map(|(name, _)| ChecksumAlgorithm::from_static(name)),
            checksum_type: checksum.map(|(_, kind)| ChecksumType::from_static(kind)),
            key: Some(xml_text(input.key)),
            upload_id: Some(id),
            ..CreateMultipartUploadOutput::default()
        }))
    }

    /// Creates an upload with checksums of this algorithm and type, and returns its id.
    pub(in crate::backend) async fn open_parts(
        &self,
        key: String,
        attributes: Attributes,
        checksum: Option<(&str, &str)>,
    ) -> S3Result<String> {
        let id = format!("{:032x}", self.ids.ulid());
        let upload = MultipartUpload {
            key,
            opened: self.clock.now(),
            headers: attributes.headers,
            metadata: attributes.metadata,
            checksum: checksum.map(|(name, kind)| (name.to_owned(), kind.to_owned())),
        };
        let directory = Arc::clone(&self.directory);
        blocking(move || directory.create_upload(&id, &upload).map(|()| id))
            .await
            .map_err(|error| errors::from_io("open an upload in parts", error))
    }

    pub(in crate::backend) async fn abort_upload(
        &self,
        request: S3Request<AbortMultipartUploadInput>,
    ) -> S3Result<S3Response<AbortMultipartUploadOutput>> {
        self.check_scope(&request, &request.input.bucket)?;
        let input = request.input;
        reject_unsupported([(
            "A condition on AbortMultipartUpload",
            input.if_match_initiated_time.is_some(),
        )])?;
        if self.abort_parts(&input.key, &input.upload_id).await? {
            Ok(S3Response::new(AbortMultipartUploadOutput::default()))
        } else {
            Err(no_such_upload())
        }
    }

    /// Removes an upload and its parts, after a completion that is in progress. Returns false if there is none.
    pub(in crate::backend) async fn abort_parts(&self, key: &str, id: &str) -> S3Result<bool> {
        let _lock = self.directory.lock_upload(id).await;
        if self.find_upload(key, id).await?.is_none() {
            return Ok(false);
        }
        self.remove_upload(id.to_owned()).await
    }

    pub(super) async fn remove_upload(&self, id: String) -> S3Result<bool> {
        let directory = Arc::clone(&self.directory);
        blocking(move || directory.remove_upload(&id))
            .await
            .map_err(|error| errors::from_io("remove an upload in parts", error))
    }
}
