use rapidphoto_application::ports::{Cursor, JobView, LastChange};
use rapidphoto_domain::{JobId, job::UploadJob, photo::PhotoStatus};
use serde_json::Value;

use super::{PhotoViewRow, text::decoded};
use crate::{error::StoreError, number::timestamp};

/// Rows of a job's view, from one snapshot.
#[derive(Debug)]
pub(crate) struct JobViewRows {
    pub(crate) created_at: i64,
    pub(crate) updated_at: i64,
    pub(crate) state: Value,
    /// Photos that are not deleted, ordered by id.
    pub(crate) photos: Vec<PhotoViewRow>,
    /// Statuses and times of the last change of deleted photos, ordered by id.
    pub(crate) deleted: Vec<(String, i64)>,
}

impl JobViewRows {
    pub(crate) fn into_view(
        self,
        id: JobId,
        cursor: Cursor,
        last_change: LastChange,
    ) -> Result<JobView, StoreError> {
        let job: UploadJob = decoded("job", self.state)?;
        let photos = self.photos.iter().map(|row| row.updated_at);
        let changes = photos.chain(self.deleted.iter().map(|(_, at)| *at));
        let updated_at = changes.fold(self.updated_at, i64::max);
        Ok(JobView {
            id,
            created_at: timestamp(self.created_at),
            updated_at: timestamp(updated_at),
            photos: self
                .photos
                .into_iter()
                .map(PhotoViewRow::into_view)
                .collect::<Result<_, _>>()?,
            outcome: job.outcome,
            deleted: self
                .deleted
                .iter()
                .map(|(status, _)| status_of(status))
                .collect::<Result<_, _>>()?,
            cursor,
            last_change,
        })
    }
}

fn status_of(name: &str) -> Result<PhotoStatus, StoreError> {
    PhotoStatus::parse(name)
        .ok_or_else(|| StoreError::malformed("status")(format!("`{name}` is not a known status").into()))
}
