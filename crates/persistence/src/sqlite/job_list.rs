//! Pages of a user's jobs.

use diesel::SqliteConnection;
use rapidphoto_application::ports::{JobListPage, JobListQuery};
use rapidphoto_domain::UserId;

use super::assembled::Assembled;
use crate::{
    error::StoreError,
    number::limit,
    rows::{JobGroupRow, job_summaries},
};

/// Jobs by the index of their creation, each with its photos by theirs, grouped by what decides the job's status and
/// progress. The statuses of open photos are written out, as in the index `photos_open`.
const PAGE: &str = "
    SELECT job.job_id, job.created_at, job.updated_at, photos.status,
           CASE WHEN photos.status = 'FAILED' THEN photos.state ->> '$.state.reason' END AS failure,
           coalesce(photos.deleted, 0) AS deleted, count(photos.photo_id) AS photos,
           coalesce(sum(photos.bytes), 0) AS bytes, coalesce(max(photos.updated_at), 0) AS changed_at,
           CASE WHEN photos.status IN ('QUEUED', 'UPLOADING') THEN group_concat(photos.photo_id, ',') END AS awaited
    FROM (
        SELECT * FROM upload_jobs
        WHERE upload_jobs.namespace = ?1 AND upload_jobs.owner = ?2 {filter}
        ORDER BY upload_jobs.created_at DESC, upload_jobs.job_id DESC LIMIT ?3
    ) AS job
    LEFT JOIN photos ON photos.namespace = job.namespace AND photos.job_id = job.job_id
    GROUP BY job.created_at, job.job_id, photos.status, failure, photos.deleted
    ORDER BY job.created_at DESC, job.job_id DESC";

const IS_OPEN: &str = "EXISTS (
            SELECT 1 FROM photos
            WHERE photos.namespace = upload_jobs.namespace AND photos.job_id = upload_jobs.job_id
              AND photos.status IN ('QUEUED', 'UPLOADING', 'VERIFYING', 'PROCESSING'))";

pub(super) fn page(
    connection: &mut SqliteConnection,
    namespace: &str,
    owner: UserId,
    query: &JobListQuery,
) -> Result<JobListPage, StoreError> {
    let mut statement = Assembled::default();
    statement.text(namespace);
    statement.text(&owner.to_string());
    statement.number(limit(query.jobs_to_read()));
    let mut filter = String::new();
    if let Some(after) = query.after {
        let (created_at, job) = (
            statement.number(after.created_at),
            statement.text(&after.job.to_string()),
        );
        filter = format!("AND (upload_jobs.created_at, upload_jobs.job_id) < ({created_at}, {job})");
    }
    if let Some(status) = query.status {
        let not = if status.is_terminal() { "NOT " } else { "" };
        filter = format!("{filter} AND {not}{IS_OPEN}");
    }
    let rows: Vec<JobGroupRow> = statement.load(connection, PAGE.replace("{filter}", &filter))?;
    Ok(query.page(job_summaries(rows)?))
}
