use std::collections::BTreeSet;

use async_trait::async_trait;
use diesel::{
    ExpressionMethods as _, OptionalExtension as _, QueryDsl as _,
    sql_types::{Array, Text},
};
use diesel_async::RunQueryDsl as _;
use rapidphoto_application::ports::{Aggregates, TracedPhoto, Unavailable, Versioned};
use rapidphoto_domain::{JobId, PhotoId, StreamType, UserId, job::UploadJob, photo::Photo, user::User};
use serde_json::Value;

use super::{PgStore, statement::statement};
use crate::{
    error::StoreError,
    rows::{parsed, traced_photo, versioned},
    schema::{events, photos, upload_jobs, users},
};

statement! {
    /// Jobs with open photos, by one search of the index `photos_open` for each. The statuses are written out, as in the
    /// index.
    struct OpenJobs<'a> {
        namespace: &'a str => Text,
        jobs: Vec<String> => Array<Text>,
    } -> Text
    = "SELECT wanted.job_id
       FROM unnest($2) AS wanted (job_id)
       CROSS JOIN LATERAL (
           SELECT 1 FROM photos
           WHERE photos.namespace = $1 AND photos.job_id = wanted.job_id
             AND photos.status IN ('QUEUED', 'UPLOADING', 'VERIFYING', 'PROCESSING')
           LIMIT 1
       ) AS open"
}

#[async_trait]
impl Aggregates for PgStore {
    async fn photo(&self, id: PhotoId) -> Result<Option<Versioned<Photo>>, Unavailable> {
        let row: Option<(i64, Value)> = photos::table
            .filter(photos::namespace.eq(&*self.namespace))
            .filter(photos::photo_id.eq(id.to_string()))
            .select((photos::version, photos::state))
            .first(&mut self.connection().await?)
            .await
            .optional()
            .map_err(StoreError::from)?;
        Ok(row.map(|row| versioned("photo", row)).transpose()?)
    }

    async fn traced_photo(&self, id: PhotoId) -> Result<Option<TracedPhoto>, Unavailable> {
        let first_event = events::table
            .filter(events::namespace.eq(&*self.namespace))
            .filter(events::stream_type.eq(StreamType::Photo.name()))
            .filter(events::stream_id.eq(id.to_string()))
            .filter(events::version.eq(1));
        let row: Option<(i64, Value, Option<Value>)> = photos::table
            .filter(photos::namespace.eq(&*self.namespace))
            .filter(photos::photo_id.eq(id.to_string()))
            .select((
                photos::version,
                photos::state,
                first_event.select(events::metadata).single_value(),
            ))
            .first(&mut self.connection().await?)
            .await
            .optional()
            .map_err(StoreError::from)?;
        Ok(row.map(traced_photo).transpose()?)
    }

    async fn job(&self, id: JobId) -> Result<Option<Versioned<UploadJob>>, Unavailable> {
        let row: Option<(i64, Value)> = upload_jobs::table
            .filter(upload_jobs::namespace.eq(&*self.namespace))
            .filter(upload_jobs::job_id.eq(id.to_string()))
            .select((upload_jobs::version, upload_jobs::state))
            .first(&mut self.connection().await?)
            .await
            .optional()
            .map_err(StoreError::from)?;
        Ok(row.map(|row| versioned("job", row)).transpose()?)
    }

    async fn user(&self, id: UserId) -> Result<Option<Versioned<User>>, Unavailable> {
        let row: Option<(i64, Value)> = users::table
            .filter(users::namespace.eq(&*self.namespace))
            .filter(users::user_id.eq(id.to_string()))
            .select((users::version, users::state))
            .first(&mut self.connection().await?)
            .await
            .optional()
            .map_err(StoreError::from)?;
        Ok(row.map(|row| versioned("user", row)).transpose()?)
    }

    async fn photos_of_job(&self, job: JobId) -> Result<Vec<Versioned<Photo>>, Unavailable> {
        let rows: Vec<(i64, Value)> = photos::table
            .filter(photos::namespace.eq(&*self.namespace))
            .filter(photos::job_id.eq(job.to_string()))
            .order(photos::photo_id)
            .select((photos::version, photos::state))
            .load(&mut self.connection().await?)
            .await
            .map_err(StoreError::from)?;
        let photos: Result<Vec<_>, StoreError> =
            rows.into_iter().map(|row| versioned("photo", row)).collect();
        Ok(photos?)
    }

    async fn open_jobs(&self, jobs: &[JobId]) -> Result<BTreeSet<JobId>, Unavailable> {
        let statement = OpenJobs {
            namespace: &self.namespace,
            jobs: jobs.iter().map(ToString::to_string).collect(),
        };
        let open: Vec<String> = statement
            .load(&mut self.connection().await?)
            .await
            .map_err(StoreError::from)?;
        let open: Result<BTreeSet<_>, StoreError> = open.iter().map(|id| parsed("job_id", id)).collect();
        Ok(open?)
    }
}
