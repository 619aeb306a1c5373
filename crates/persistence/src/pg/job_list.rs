//! Pages of a user's jobs.

use diesel::sql_types::{BigInt, Nullable, Text};
use diesel_async::{AsyncPgConnection, RunQueryDsl as _};
use rapidphoto_application::ports::{JobListPage, JobListQuery};
use rapidphoto_domain::UserId;

use super::assembled::{Assembled, Value};
use crate::{
    error::StoreError,
    number::limit,
    rows::{JobGroupRow, job_summaries},
};

/// Jobs by the index of their creation, each with its photos by theirs, grouped by what decides the job's status and
/// progress. The constant limit is planned for, and the bound one ends the scan, as for photos.
const PAGE: &str = "
    SELECT job.job_id, job.created_at, job.updated_at, of_job.status, of_job.failure, coalesce(of_job.deleted, 0),
           coalesce(of_job.photos, 0), coalesce(of_job.bytes, 0), coalesce(of_job.changed_at, 0), of_job.awaited
    FROM (
        SELECT * FROM (
            SELECT job.namespace, job.job_id, job.created_at, job.updated_at FROM upload_jobs AS job
            WHERE job.namespace = $1 AND job.owner = $2 {filter}
            ORDER BY job.created_at DESC, job.job_id DESC LIMIT {planned}
        ) AS job
        ORDER BY job.created_at DESC, job.job_id DESC LIMIT $3
    ) AS job
    LEFT JOIN LATERAL (
        SELECT p.status, p.failure, p.deleted::integer::bigint AS deleted, count(*) AS photos,
               sum(p.bytes)::bigint AS bytes, max(p.updated_at) AS changed_at,
               CASE WHEN p.status IN ('QUEUED', 'UPLOADING') THEN string_agg(p.photo_id, ',') END AS awaited
        FROM (
            SELECT photo_id, status, deleted, bytes, updated_at,
                   CASE WHEN status = 'FAILED' THEN state #>> '{state,reason}' END AS failure
            FROM photos WHERE namespace = $1 AND job_id = job.job_id OFFSET 0
        ) AS p
        GROUP BY p.status, p.failure, p.deleted
    ) AS of_job ON true
    ORDER BY job.created_at DESC, job.job_id DESC";

/// One search of the index `photos_open` for each job, whose statuses are written out as there.
const IS_OPEN: &str = "EXISTS (
                SELECT 1 FROM photos
                WHERE photos.namespace = $1 AND photos.job_id = job.job_id
                  AND photos.status IN ('QUEUED', 'UPLOADING', 'VERIFYING', 'PROCESSING') OFFSET 0)";

/// Number of jobs that pages are planned for, so that there are few statements.
const PLANNED: usize = 256;

type Columns = (
    Text,
    BigInt,
    BigInt,
    Nullable<Text>,
    Nullable<Text>,
    BigInt,
    BigInt,
    BigInt,
    BigInt,
    Nullable<Text>,
);

pub(super) async fn page(
    connection: &mut AsyncPgConnection,
    namespace: &str,
    owner: UserId,
    query: &JobListQuery,
) -> Result<JobListPage, StoreError> {
    let owner = owner.to_string();
    let after = query.after.map(|after| (after.created_at, after.job.to_string()));
    let mut values = vec![
        Value::Text(namespace),
        Value::Text(&owner),
        Value::Number(limit(query.jobs_to_read())),
    ];
    let mut filter = String::new();
    if let Some((created_at, job)) = &after {
        values.extend([Value::Number(*created_at), Value::Text(job)]);
        filter.push_str("AND (job.created_at, job.job_id) < ($4, $5)");
    }
    if let Some(status) = query.status {
        let not = if status.is_terminal() { "NOT " } else { "" };
        filter = format!("{filter} AND {not}{IS_OPEN}");
    }
    let text = PAGE
        .replace("{filter}", &filter)
        .replace("{planned}", &query.jobs_to_read().max(PLANNED).to_string());
    let rows: Vec<JobGroupRow> = Assembled::<Columns>::new(text, values).load(connection).await?;
    Ok(query.page(job_summaries(rows)?))
}
