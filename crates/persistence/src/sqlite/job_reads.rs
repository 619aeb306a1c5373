use async_trait::async_trait;
use diesel::{
    Connection as _, ExpressionMethods as _, OptionalExtension as _, QueryDsl as _, RunQueryDsl as _,
    SqliteConnection, dsl::not,
};
use rapidphoto_application::ports::{JobReads, JobView, Unavailable};
use rapidphoto_domain::{JobId, UserId, job::UploadJob, photo::PhotoStatus};
use serde_json::Value;

use super::{SqliteStore, journal::head, photo_views::views};
use crate::{
    error::StoreError,
    number::timestamp,
    rows::{PhotoViewRow, decoded, photo_view_columns},
    schema::{photos, upload_jobs},
};

#[async_trait]
impl JobReads for SqliteStore {
    async fn job(&self, owner: UserId, job: JobId) -> Result<Option<JobView>, Unavailable> {
        self.read(move |connection, namespace| {
            // One transaction for the job, its photos and the cursor: a client that reads the log from there misses
            // nothing.
            let view = connection.transaction(|connection| job_view(connection, namespace, owner, job))?;
            Ok(view)
        })
        .await
    }
}

fn job_view(
    connection: &mut SqliteConnection,
    namespace: &str,
    owner: UserId,
    id: JobId,
) -> Result<Option<JobView>, StoreError> {
    let job = upload_jobs::table
        .filter(upload_jobs::namespace.eq(namespace))
        .filter(upload_jobs::job_id.eq(id.to_string()))
        .filter(upload_jobs::owner.eq(owner.to_string()))
        .select((
            upload_jobs::created_at,
            upload_jobs::updated_at,
            upload_jobs::state,
        ))
        .first::<(i64, i64, Value)>(connection)
        .optional()?;
    let Some((created_at, mut updated_at, state)) = job else {
        return Ok(None);
    };
    let job: UploadJob = decoded("job", state)?;
    let existing: Vec<PhotoViewRow> = views()
        .filter(photos::namespace.eq(namespace))
        .filter(photos::job_id.eq(id.to_string()))
        .filter(not(photos::deleted))
        .order(photos::photo_id)
        .select(photo_view_columns())
        .load(connection)?;
    let deleted: Vec<(String, i64)> = photos::table
        .filter(photos::namespace.eq(namespace))
        .filter(photos::job_id.eq(id.to_string()))
        .filter(photos::deleted)
        .order(photos::photo_id)
        .select((photos::status, photos::updated_at))
        .load(connection)?;
    let changes = existing
        .iter()
        .map(|row| row.updated_at)
        .chain(deleted.iter().map(|(_, at)| *at));
    updated_at = changes.fold(updated_at, i64::max);
    Ok(Some(JobView {
        id,
        created_at: timestamp(created_at),
        updated_at: timestamp(updated_at),
        photos: existing
            .into_iter()
            .map(PhotoViewRow::into_view)
            .collect::<Result<_, _>>()?,
        outcome: job.outcome,
        deleted: deleted
            .iter()
            .map(|(status, _)| status_of(status))
            .collect::<Result<_, _>>()?,
        cursor: head(connection, namespace)?,
    }))
}

fn status_of(name: &str) -> Result<PhotoStatus, StoreError> {
    PhotoStatus::parse(name)
        .ok_or_else(|| StoreError::malformed("status")(format!("`{name}` is not a known status").into()))
}
