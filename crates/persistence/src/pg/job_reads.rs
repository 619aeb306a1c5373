use async_trait::async_trait;
use diesel::{
    OptionalExtension as _,
    sql_types::{BigInt, Bool, Json, Nullable, Text},
};
use diesel_async::RunQueryDsl as _;
use rapidphoto_application::ports::{
    Cursor, JobListPage, JobListQuery, JobReads, JobView, LastChange, Unavailable,
};
use rapidphoto_domain::{JobId, UserId};
use serde_json::Value;

use super::{
    PgStore,
    edge::edge,
    job_list,
    photo_views::{PhotoViewColumns, photo_view_columns, photo_views},
    statement::statement,
};
use crate::{
    error::StoreError,
    number::count,
    rows::{JobViewRows, PhotoViewRow},
};

statement! {
    /// The job, then its photos in the order of their ids, and the log's position, in one statement and therefore from one
    /// snapshot: a client that reads the log from there misses nothing.
    ///
    /// Each row has columns for a job, for a deleted photo and for any photo. Those that it lacks are NULL.
    pub(super) struct Snapshot<'a> {
        namespace: &'a str => Text,
        job: &'a str => Text,
        owner: &'a str => Text,
    } -> (Nullable<JobColumns>, Nullable<(Text, BigInt)>, Nullable<PhotoViewColumns>, Nullable<Text>)
    = concat!(
        "SELECT j.created_at, j.updated_at, j.state, ", edge!(), ", coalesce(last.xid, 0), coalesce(last.position, 0),
                NULL::text, NULL::bigint,
                NULL::bigint, NULL::json, NULL::bigint, NULL::bigint, NULL::text, NULL::json, NULL::json,
                NULL::text COLLATE \"C\" AS photo_id
         FROM upload_jobs AS j
         LEFT JOIN LATERAL (
             SELECT e.xid, e.position FROM events AS e WHERE e.namespace = $1 AND e.job_id = $2
             ORDER BY e.xid DESC, e.position DESC LIMIT 1
         ) AS last ON true
         WHERE j.namespace = $1 AND j.job_id = $2 AND j.owner = $3
         UNION ALL
         SELECT NULL, NULL, NULL, NULL, NULL, NULL, CASE WHEN p.deleted THEN p.status END, p.updated_at,
                ", photo_view_columns!(), ", p.photo_id
         FROM ", photo_views!(), "
         WHERE p.namespace = $1 AND p.job_id = $2 AND p.owner = $3
         ORDER BY photo_id NULLS FIRST"
    )
}

/// Creation, last change and state of the job, edge of the log, transaction and position of the last event.
type JobColumns = (BigInt, BigInt, Json, BigInt, BigInt, BigInt);
type JobRow = (i64, i64, Value, i64, i64, i64);
type Row = (
    Option<JobRow>,
    Option<(String, i64)>,
    Option<PhotoViewRow>,
    Option<String>,
);

statement! {
    /// Owner, transaction and position of the last event of a job or of one of its photos. The last column is true once no
    /// earlier commit can change the job any more.
    pub(super) struct LastEvent<'a> {
        namespace: &'a str => Text,
        job: &'a str => Text,
    } -> (Text, BigInt, BigInt, Bool)
    = concat!(
        "SELECT owner, xid, position, xid < ", edge!(), " FROM events WHERE namespace = $1 AND job_id = $2
         ORDER BY xid DESC, position DESC LIMIT 1"
    )
}

#[async_trait]
impl JobReads for PgStore {
    async fn job(&self, owner: UserId, job: JobId) -> Result<Option<JobView>, Unavailable> {
        let statement = Snapshot {
            namespace: &self.namespace,
            job: &job.to_string(),
            owner: &owner.to_string(),
        };
        let rows: Vec<Row> = statement
            .load(&mut self.connection().await?)
            .await
            .map_err(StoreError::from)?;
        Ok(view(job, rows)?)
    }

    async fn jobs(&self, owner: UserId, query: &JobListQuery) -> Result<JobListPage, Unavailable> {
        let mut connection = self.connection().await?;
        Ok(job_list::page(&mut connection, &self.namespace, owner, query).await?)
    }

    async fn last_change(&self, owner: UserId, job: JobId) -> Result<Option<LastChange>, Unavailable> {
        let statement = LastEvent {
            namespace: &self.namespace,
            job: &job.to_string(),
        };
        let last: Option<(String, i64, i64, bool)> = statement
            .get_result(&mut self.connection().await?)
            .await
            .optional()
            .map_err(StoreError::from)?;
        let last = last.filter(|(event_owner, ..)| *event_owner == owner.to_string());
        Ok(last.map(|(_, xid, position, settled)| change_at(xid, position, settled)))
    }
}

fn change_at(xid: i64, position: i64, settled: bool) -> LastChange {
    LastChange {
        cursor: Cursor::new(count(xid), count(position)),
        settled,
    }
}

fn view(id: JobId, rows: Vec<Row>) -> Result<Option<JobView>, StoreError> {
    let (mut job, mut deleted, mut photos) = (None, Vec::new(), Vec::new());
    for (job_row, deleted_row, photo_row, _) in rows {
        job = job.or(job_row);
        match deleted_row {
            Some(row) => deleted.push(row),
            None => photos.extend(photo_row),
        }
    }
    let Some((created_at, updated_at, state, edge, xid, position)) = job else {
        return Ok(None);
    };
    let rows = JobViewRows {
        created_at,
        updated_at,
        state,
        photos,
        deleted,
    };
    let cursor = Cursor::new(count(edge), 0);
    rows.into_view(id, cursor, change_at(xid, position, xid < edge))
        .map(Some)
}
