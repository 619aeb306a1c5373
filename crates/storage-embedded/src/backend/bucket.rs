use std::sync::Arc;

use rapidphoto_application::ports::{Clock, Ids};
use s3s::{S3Request, S3Result, s3_error};
use tokio_util::task::TaskTracker;

use super::blocking::blocking;
use super::errors;
use super::receiving::Receiving;
use super::space::Space;
use crate::directory::{Directory, StoredObject};
use crate::notifications::EventNotifier;

/// State of all operations on the bucket. Cheap to clone, so that an upload can outlive its request.
#[derive(Clone)]
pub(crate) struct Backend {
    pub(crate) directory: Arc<Directory>,
    pub(crate) notifier: Arc<EventNotifier>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) ids: Arc<dyn Ids>,
    pub(crate) bucket: String,
    pub(crate) region: String,
    pub(crate) max_object_bytes: u64,
    pub(crate) space: Arc<Space>,
    pub(crate) receiving: Arc<Receiving>,
    pub(crate) tasks: TaskTracker,
}

impl Backend {
    /// Checks that the request is signed for this region and addresses this bucket.
    pub(super) fn check_scope<T>(&self, request: &S3Request<T>, bucket: &str) -> S3Result<()> {
        self.check_region(request)?;
        if bucket != self.bucket {
            return Err(s3_error!(NoSuchBucket, "The specified bucket does not exist"));
        }
        Ok(())
    }

    /// Checks that the request is signed for this region.
    pub(super) fn check_region<T>(&self, request: &S3Request<T>) -> S3Result<()> {
        let region = request.region.as_ref().map(s3s::region::Region::as_str);
        if region != Some(self.region.as_str()) || request.service.as_deref() != Some("s3") {
            return Err(s3_error!(
                AuthorizationHeaderMalformed,
                "The credential must be scoped to the region {} and the service s3",
                self.region
            ));
        }
        Ok(())
    }

    pub(super) async fn find_durable(&self, key: &str) -> S3Result<Option<StoredObject>> {
        let (directory, key) = (Arc::clone(&self.directory), key.to_owned());
        blocking(move || directory.find_durable(&key))
            .await
            .map_err(|error| errors::from_io("read an object", error))
    }

    pub(super) async fn find(&self, key: &str) -> S3Result<Option<StoredObject>> {
        let (directory, key) = (Arc::clone(&self.directory), key.to_owned());
        blocking(move || directory.find(&key))
            .await
            .map_err(|error| errors::from_io("read an object", error))
    }
}

/// Rejects every version of an object but `null`, the only one in a bucket without versioning.
pub(super) fn check_version(version: Option<&str>) -> S3Result<()> {
    match version {
        None | Some("null") => Ok(()),
        Some(_) => Err(s3_error!(NoSuchVersion, "The specified version does not exist")),
    }
}
