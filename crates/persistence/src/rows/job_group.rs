use diesel::{
    Queryable, QueryableByName,
    sql_types::{BigInt, Nullable, Text},
};
use rapidphoto_application::ports::{JobSummary, PhotoGroup};
use rapidphoto_domain::{PhotoId, photo::PhotoStatus};
use serde_json::Value;

use super::text::{decoded, parsed};
use crate::{
    error::StoreError,
    number::{count, small_count, timestamp},
};

/// Photos of a job with the same status, failure and deletion; a job without photos has one row without them. Rows of a job
/// are adjacent.
#[derive(Queryable, QueryableByName)]
pub(crate) struct JobGroupRow {
    #[diesel(sql_type = Text)]
    job_id: String,
    #[diesel(sql_type = BigInt)]
    created_at: i64,
    #[diesel(sql_type = BigInt)]
    updated_at: i64,
    #[diesel(sql_type = Nullable<Text>)]
    status: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    failure: Option<String>,
    /// 1 if the photos are deleted.
    #[diesel(sql_type = BigInt)]
    deleted: i64,
    #[diesel(sql_type = BigInt)]
    photos: i64,
    #[diesel(sql_type = BigInt)]
    bytes: i64,
    #[diesel(sql_type = BigInt)]
    changed_at: i64,
    /// Ids of photos whose objects are awaited, with a comma between two.
    #[diesel(sql_type = Nullable<Text>)]
    awaited: Option<String>,
}

/// Jobs from their rows, in the order of the rows.
pub(crate) fn job_summaries(rows: Vec<JobGroupRow>) -> Result<Vec<JobSummary>, StoreError> {
    let mut jobs: Vec<JobSummary> = Vec::new();
    for row in rows {
        let id = parsed("job_id", &row.job_id)?;
        let group = row.group()?;
        let job = match jobs.last_mut() {
            Some(job) if job.id == id => job,
            _ => jobs.push_mut(JobSummary::new(
                id,
                timestamp(row.created_at),
                timestamp(row.updated_at),
            )),
        };
        if let Some(group) = group {
            job.add(group);
        }
    }
    Ok(jobs)
}

impl JobGroupRow {
    fn group(&self) -> Result<Option<PhotoGroup>, StoreError> {
        let Some(status) = &self.status else {
            return Ok(None);
        };
        let failure = self
            .failure
            .clone()
            .map(|reason| decoded("reason", Value::String(reason)));
        let awaited = self.awaited.iter().flat_map(|ids| ids.split(','));
        Ok(Some(PhotoGroup {
            status: PhotoStatus::parse(status).ok_or_else(|| {
                StoreError::malformed("status")(format!("`{status}` is not a known status").into())
            })?,
            failure: failure.transpose()?,
            deleted: self.deleted != 0,
            photos: small_count(self.photos),
            bytes: count(self.bytes),
            updated_at: timestamp(self.changed_at),
            awaited: awaited
                .map(|id| parsed::<PhotoId>("photo_id", id))
                .collect::<Result<_, _>>()?,
        }))
    }
}
