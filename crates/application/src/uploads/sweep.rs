use std::{sync::Arc, time::Duration};

use rapidphoto_domain::photo::{Photo, PhotoStatus};

use crate::{
    ports::{
        Aggregates, Clock, MultipartUploads, OpenUpload, Ports, SubscriptionName, Subscriptions, Unavailable,
    },
    settings::{Settings, StorageSettings},
};

/// Aborts uploads in parts that no photo needs: those whose photo failed, was cancelled or began anew, and those of requests
/// that were interrupted after they had opened one.
pub struct UploadSweep {
    aggregates: Arc<dyn Aggregates>,
    clock: Arc<dyn Clock>,
    multipart: Arc<dyn MultipartUploads>,
    leases: Arc<dyn Subscriptions>,
    storage: StorageSettings,
}

/// Name of the lease, which is kept after a sweep: the deployment sweeps once in [`INTERVAL`], in one process.
pub(crate) const SWEEP: SubscriptionName = "sweep of uploads in parts";

/// Time between two sweeps of a deployment.
const INTERVAL: Duration = Duration::from_hours(1);

/// Uploads that were opened more recently are left alone: their photo may not say so yet.
const MIN_AGE: Duration = Duration::from_hours(24);

impl UploadSweep {
    /// A sweep on these ports.
    pub fn new(ports: &Ports, settings: &Settings) -> Self {
        Self {
            aggregates: Arc::clone(&ports.database.aggregates),
            clock: Arc::clone(&ports.clock),
            multipart: Arc::clone(&ports.multipart),
            leases: Arc::clone(&ports.database.subscriptions),
            storage: settings.storage.clone(),
        }
    }

    /// Sweeps if no process of the deployment has done so within the last hour. Returns the number of aborted uploads.
    pub async fn handle(&self) -> Result<u64, Unavailable> {
        let Some(lease) = self.leases.acquire(SWEEP, INTERVAL).await? else {
            return Ok(0);
        };
        let swept = self.sweep().await;
        if swept.is_err() {
            self.leases.release(&lease).await?;
        }
        swept
    }

    async fn sweep(&self) -> Result<u64, Unavailable> {
        let prefix = format!("{}/", self.storage.keys.environment());
        let before = self.clock.now() - MIN_AGE;
        let (mut aborted, mut after) = (0, None);
        loop {
            let page = self.multipart.list(&prefix, after.as_ref()).await?;
            for upload in page.uploads.iter().filter(|upload| upload.opened_at <= before) {
                if self.is_unneeded(upload).await? {
                    self.multipart.abort(&upload.key, &upload.id).await?;
                    aborted += 1;
                }
            }
            after = page.next;
            if after.is_none() {
                return Ok(aborted);
            }
        }
    }

    /// Uploads to other keys than those of originals are not ours.
    async fn is_unneeded(&self, upload: &OpenUpload) -> Result<bool, Unavailable> {
        let Some(key) = self.storage.keys.parse_original(&upload.key) else {
            return Ok(false);
        };
        let photo = self.aggregates.photo(key.photo).await?;
        Ok(photo.is_none_or(|photo| !needs(&photo.value, upload)))
    }
}

/// Returns true if the photo's client may still send parts of the upload or complete it.
fn needs(photo: &Photo, upload: &OpenUpload) -> bool {
    let awaits = match photo.status() {
        PhotoStatus::Queued | PhotoStatus::Uploading | PhotoStatus::Verifying => true,
        PhotoStatus::Processing
        | PhotoStatus::Completed
        | PhotoStatus::Rejected
        | PhotoStatus::Failed
        | PhotoStatus::Cancelled => false,
    };
    awaits && !photo.deleted && photo.multipart.as_ref() == Some(&upload.id)
}
