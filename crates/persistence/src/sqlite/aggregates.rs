use std::collections::BTreeSet;

use async_trait::async_trait;
use diesel::{
    ExpressionMethods as _, OptionalExtension as _, QueryDsl as _, QueryableByName, RunQueryDsl as _,
    SqliteConnection, sql_query, sql_types::Text,
};
use rapidphoto_application::ports::{Aggregates, TracedPhoto, Unavailable, Versioned};
use rapidphoto_domain::{JobId, PhotoId, StreamType, UserId, job::UploadJob, photo::Photo, user::User};
use serde_json::Value;

use super::SqliteStore;
use crate::{
    error::StoreError,
    rows::{encoded, parsed, traced_photo, versioned},
    schema::{events, photos, upload_jobs, users},
};

#[async_trait]
impl Aggregates for SqliteStore {
    async fn photo(&self, id: PhotoId) -> Result<Option<Versioned<Photo>>, Unavailable> {
        self.read(move |connection, namespace| {
            photos::table
                .filter(photos::namespace.eq(namespace))
                .filter(photos::photo_id.eq(id.to_string()))
                .select((photos::version, photos::state))
                .first(connection)
                .optional()
                .map_err(StoreError::from)?
                .map(|row| versioned("photo", row))
                .transpose()
                .map_err(Unavailable::from)
        })
        .await
    }

    async fn traced_photo(&self, id: PhotoId) -> Result<Option<TracedPhoto>, Unavailable> {
        self.read(move |connection, namespace| {
            let first_event = events::table
                .filter(events::namespace.eq(namespace))
                .filter(events::stream_type.eq(StreamType::Photo.name()))
                .filter(events::stream_id.eq(id.to_string()))
                .filter(events::version.eq(1));
            photos::table
                .filter(photos::namespace.eq(namespace))
                .filter(photos::photo_id.eq(id.to_string()))
                .select((
                    photos::version,
                    photos::state,
                    first_event.select(events::metadata).single_value(),
                ))
                .first(connection)
                .optional()
                .map_err(StoreError::from)?
                .map(traced_photo)
                .transpose()
                .map_err(Unavailable::from)
        })
        .await
    }

    async fn job(&self, id: JobId) -> Result<Option<Versioned<UploadJob>>, Unavailable> {
        self.read(move |connection, namespace| {
            upload_jobs::table
                .filter(upload_jobs::namespace.eq(namespace))
                .filter(upload_jobs::job_id.eq(id.to_string()))
                .select((upload_jobs::version, upload_jobs::state))
                .first(connection)
                .optional()
                .map_err(StoreError::from)?
                .map(|row| versioned("job", row))
                .transpose()
                .map_err(Unavailable::from)
        })
        .await
    }

    async fn user(&self, id: UserId) -> Result<Option<Versioned<User>>, Unavailable> {
        self.read(move |connection, namespace| {
            users::table
                .filter(users::namespace.eq(namespace))
                .filter(users::user_id.eq(id.to_string()))
                .select((users::version, users::state))
                .first(connection)
                .optional()
                .map_err(StoreError::from)?
                .map(|row| versioned("user", row))
                .transpose()
                .map_err(Unavailable::from)
        })
        .await
    }

    async fn photos_of_job(&self, job: JobId) -> Result<Vec<Versioned<Photo>>, Unavailable> {
        self.read(move |connection, namespace| Ok(photos_of(connection, namespace, job)?))
            .await
    }

    async fn open_jobs(&self, jobs: &[JobId]) -> Result<BTreeSet<JobId>, Unavailable> {
        let wanted = encoded("jobs", &jobs)?;
        self.read(move |connection, namespace| Ok(open_jobs(connection, namespace, &wanted)?))
            .await
    }
}

fn photos_of(
    connection: &mut SqliteConnection,
    namespace: &str,
    job: JobId,
) -> Result<Vec<Versioned<Photo>>, StoreError> {
    photos::table
        .filter(photos::namespace.eq(namespace))
        .filter(photos::job_id.eq(job.to_string()))
        .order(photos::photo_id)
        .select((photos::version, photos::state))
        .load(connection)?
        .into_iter()
        .map(|row| versioned("photo", row))
        .collect()
}

#[derive(QueryableByName)]
struct OpenJob {
    #[diesel(sql_type = Text)]
    job_id: String,
}

/// Jobs with open photos. The statuses are written out, as in the index `photos_open`.
fn open_jobs(
    connection: &mut SqliteConnection,
    namespace: &str,
    wanted: &Value,
) -> Result<BTreeSet<JobId>, StoreError> {
    let open = sql_query(
        "SELECT wanted.value AS job_id FROM json_each(?) AS wanted WHERE EXISTS (
            SELECT 1 FROM photos INDEXED BY photos_open WHERE namespace = ? AND job_id = wanted.value
            AND status IN ('QUEUED', 'UPLOADING', 'VERIFYING', 'PROCESSING'))",
    );
    let open = open
        .bind::<Text, _>(wanted.to_string())
        .bind::<Text, _>(namespace)
        .load::<OpenJob>(connection)?;
    open.iter().map(|row| parsed("job_id", &row.job_id)).collect()
}
