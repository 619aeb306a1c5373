//! The operations, between the protocol and the directory.

mod checksums;
mod conditions;
mod fault;
mod get;
mod put;

use std::io;
use std::sync::Arc;

use async_trait::async_trait;
use rapidphoto_application::ports::{Clock, Ids};
use s3s::dto::{
    DeleteObjectInput, DeleteObjectOutput, GetObjectInput, GetObjectOutput, HeadBucketInput,
    HeadBucketOutput, HeadObjectInput, HeadObjectOutput, PostObjectInput, PostObjectOutput, PutObjectInput,
    PutObjectOutput,
};
use s3s::{S3, S3Request, S3Response, S3Result, s3_error};
use tokio_util::task::TaskTracker;

use crate::announcement::Announcer;
use crate::directory::{Directory, Stored};

/// Everything that an operation needs; cheap to clone, so that work can outlive its request.
#[derive(Clone)]
pub(crate) struct Backend {
    pub(crate) directory: Arc<Directory>,
    pub(crate) announcer: Arc<Announcer>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) ids: Arc<dyn Ids>,
    pub(crate) bucket: String,
    pub(crate) region: String,
    pub(crate) max_object_bytes: u64,
    pub(crate) tasks: TaskTracker,
}

impl Backend {
    /// Whether the request is meant for this bucket, in this region.
    fn admit<T>(&self, request: &S3Request<T>, bucket: &str) -> S3Result<()> {
        let region = request.region.as_ref().map(s3s::region::Region::as_str);
        if region != Some(self.region.as_str()) || request.service.as_deref() != Some("s3") {
            return Err(s3_error!(
                AuthorizationHeaderMalformed,
                "The credential must be scoped to the region {} and the service s3",
                self.region
            ));
        }
        if bucket != self.bucket {
            return Err(s3_error!(NoSuchBucket, "The specified bucket does not exist"));
        }
        Ok(())
    }

    async fn find(&self, key: &str) -> S3Result<Option<Stored>> {
        let (directory, key) = (Arc::clone(&self.directory), key.to_owned());
        blocking(move || directory.find(&key))
            .await
            .map_err(|error| fault::io("reading an object", error))
    }
}

#[async_trait]
impl S3 for Backend {
    async fn put_object(&self, request: S3Request<PutObjectInput>) -> S3Result<S3Response<PutObjectOutput>> {
        self.put(request).await
    }

    async fn post_object(&self, _: S3Request<PostObjectInput>) -> S3Result<S3Response<PostObjectOutput>> {
        // By default `s3s` would make a PUT of a form.
        Err(s3_error!(NotImplemented, "Uploads by form are not implemented"))
    }

    async fn get_object(&self, request: S3Request<GetObjectInput>) -> S3Result<S3Response<GetObjectOutput>> {
        self.get(request).await
    }

    async fn head_object(
        &self,
        request: S3Request<HeadObjectInput>,
    ) -> S3Result<S3Response<HeadObjectOutput>> {
        self.head(request).await
    }

    async fn delete_object(
        &self,
        request: S3Request<DeleteObjectInput>,
    ) -> S3Result<S3Response<DeleteObjectOutput>> {
        self.admit(&request, &request.input.bucket)?;
        let input = request.input;
        if input.if_match.is_some()
            || input.if_match_size.is_some()
            || input.if_match_last_modified_time.is_some()
        {
            return Err(s3_error!(
                NotImplemented,
                "Conditions on DELETE are not implemented"
            ));
        }
        no_version(input.version_id.as_deref())?;
        let directory = Arc::clone(&self.directory);
        blocking(move || directory.remove(&input.key))
            .await
            .map_err(|error| fault::io("deleting an object", error))?;
        Ok(S3Response::new(DeleteObjectOutput::default()))
    }

    async fn head_bucket(
        &self,
        request: S3Request<HeadBucketInput>,
    ) -> S3Result<S3Response<HeadBucketOutput>> {
        self.admit(&request, &request.input.bucket)?;
        Ok(S3Response::new(HeadBucketOutput {
            bucket_region: Some(self.region.clone()),
            ..HeadBucketOutput::default()
        }))
    }
}

/// Objects have no versions but the one that AWS calls `null`.
fn no_version(version: Option<&str>) -> S3Result<()> {
    match version {
        None | Some("null") => Ok(()),
        Some(_) => Err(s3_error!(NoSuchVersion, "The specified version does not exist")),
    }
}

/// Runs what blocks where it may.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(io::Error::other)?
}
