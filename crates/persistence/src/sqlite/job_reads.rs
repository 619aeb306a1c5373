use async_trait::async_trait;
use diesel::{
    Connection as _, ExpressionMethods as _, OptionalExtension as _, QueryDsl as _, QueryResult,
    RunQueryDsl as _, SqliteConnection, dsl::not,
};
use rapidphoto_application::ports::{
    Cursor, JobListPage, JobListQuery, JobReads, JobView, LastChange, Unavailable,
};
use rapidphoto_domain::{JobId, UserId};
use serde_json::Value;

use super::{SqliteStore, job_list, journal::head, photo_views::views};
use crate::{
    error::StoreError,
    number::count,
    rows::{JobViewRows, PhotoViewRow, photo_view_columns},
    schema::{events, photos, upload_jobs},
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

    async fn jobs(&self, owner: UserId, query: &JobListQuery) -> Result<JobListPage, Unavailable> {
        let query = *query;
        self.read(move |connection, namespace| Ok(job_list::page(connection, namespace, owner, &query)?))
            .await
    }

    async fn last_change(&self, owner: UserId, job: JobId) -> Result<Option<LastChange>, Unavailable> {
        self.read(move |connection, namespace| {
            let last = last_event(connection, namespace, job).map_err(StoreError::from)?;
            let last = last.filter(|(event_owner, _)| *event_owner == owner.to_string());
            Ok(last.map(|(_, position)| change_at(position)))
        })
        .await
    }
}

/// Owner and position of the last event of a job or of one of its photos.
fn last_event(
    connection: &mut SqliteConnection,
    namespace: &str,
    job: JobId,
) -> QueryResult<Option<(String, i64)>> {
    events::table
        .filter(events::namespace.eq(namespace))
        .filter(events::job_id.eq(job.to_string()))
        .order(events::position.desc())
        .select((events::owner, events::position))
        .first(connection)
        .optional()
}

/// The only writer commits in the order of positions, so that every change is settled.
fn change_at(position: i64) -> LastChange {
    LastChange {
        cursor: Cursor::new(0, count(position)),
        settled: true,
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
    let Some((created_at, updated_at, state)) = job else {
        return Ok(None);
    };
    let photos: Vec<PhotoViewRow> = views()
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
    let rows = JobViewRows {
        created_at,
        updated_at,
        state,
        photos,
        deleted,
    };
    let last_change = change_at(last_event(connection, namespace, id)?.map_or(0, |(_, position)| position));
    rows.into_view(id, head(connection, namespace)?, last_change)
        .map(Some)
}
