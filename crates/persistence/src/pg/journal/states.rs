use diesel::sql_types::{Array, BigInt, Bool, Json, Nullable, Text};
use diesel_async::AsyncPgConnection;
use futures::try_join;
use rapidphoto_domain::StreamId;
use serde_json::Value;

use super::{details::Dates, failure::Failure, scope::Scope};
use crate::{
    commit::Prepared,
    error::StoreError,
    number::millis,
    pg::{pipeline::execute, statement::statement},
    rows::{JobRow, PhotoRow, UserRow, parsed},
};

statement! {
    struct UpdatePhotos<'a> {
        namespace: &'a str => Text,
        at: i64 => BigInt,
        ids: Vec<&'a str> => Array<Text>,
        versions: Vec<i64> => Array<BigInt>,
        statuses: Vec<&'static str> => Array<Text>,
        deleted: Vec<bool> => Array<Bool>,
        states: Vec<&'a Value> => Array<Json>,
        dated: Vec<bool> => Array<Bool>,
        dates: Vec<Option<i64>> => Array<Nullable<BigInt>>,
    } -> BigInt
    = "UPDATE photos SET
           version = changed.version, status = changed.status, deleted = changed.deleted, state = changed.state,
           taken_at = CASE WHEN changed.dated THEN changed.taken_at ELSE photos.taken_at END, updated_at = $2
       FROM unnest($3, $4, $5, $6, $7, $8, $9)
           AS changed (photo_id, version, status, deleted, state, dated, taken_at)
       WHERE photos.namespace = $1 AND photos.photo_id = changed.photo_id"
}

statement! {
    pub(in crate::pg) struct InsertPhotos<'a> {
        namespace: &'a str => Text,
        at: i64 => BigInt,
        ids: Vec<&'a str> => Array<Text>,
        owners: Vec<&'a str> => Array<Text>,
        jobs: Vec<&'a str> => Array<Text>,
        upload_ids: Vec<&'a str> => Array<Text>,
        statuses: Vec<&'static str> => Array<Text>,
        deleted: Vec<bool> => Array<Bool>,
        bytes: Vec<i64> => Array<BigInt>,
        versions: Vec<i64> => Array<BigInt>,
        states: Vec<&'a Value> => Array<Json>,
    } -> BigInt
    = "INSERT INTO photos (namespace, photo_id, owner, job_id, upload_id, status, deleted, bytes, version, state,
                           created_at, updated_at)
       SELECT $1, new.*, $2, $2
       FROM unnest($3, $4, $5, $6, $7, $8, $9, $10, $11) AS new"
}

/// Updates and inserts of a table of states without further columns. `$owner` is its column between id and version.
macro_rules! states {
    ($update:ident, $table:literal, $id:literal) => {
        statement! {
            struct $update<'a> {
                namespace: &'a str => Text,
                at: i64 => BigInt,
                ids: Vec<&'a str> => Array<Text>,
                versions: Vec<i64> => Array<BigInt>,
                states: Vec<&'a Value> => Array<Json>,
            } -> BigInt
            = concat!(
                "UPDATE ", $table, " SET version = changed.version, state = changed.state, updated_at = $2
                 FROM unnest($3, $4, $5) AS changed (id, version, state)
                 WHERE ", $table, ".namespace = $1 AND ", $table, ".", $id, " = changed.id"
            )
        }
    };
}

states!(UpdateUsers, "users", "user_id");
states!(UpdateJobs, "upload_jobs", "job_id");

statement! {
    struct InsertUsers<'a> {
        namespace: &'a str => Text,
        at: i64 => BigInt,
        ids: Vec<&'a str> => Array<Text>,
        versions: Vec<i64> => Array<BigInt>,
        states: Vec<&'a Value> => Array<Json>,
    } -> BigInt
    = "INSERT INTO users (namespace, user_id, version, state, created_at, updated_at)
       SELECT $1, new.*, $2, $2 FROM unnest($3, $4, $5) AS new"
}

statement! {
    pub(in crate::pg) struct InsertJobs<'a> {
        namespace: &'a str => Text,
        at: i64 => BigInt,
        ids: Vec<&'a str> => Array<Text>,
        owners: Vec<&'a str> => Array<Text>,
        versions: Vec<i64> => Array<BigInt>,
        states: Vec<&'a Value> => Array<Json>,
    } -> BigInt
    = "INSERT INTO upload_jobs (namespace, job_id, owner, version, state, created_at, updated_at)
       SELECT $1, new.*, $2, $2 FROM unnest($3, $4, $5, $6) AS new"
}

/// Writes the states after the commit.
///
/// Existing rows are updated before new ones are inserted, so that a photo deleted in a commit frees its upload id for
/// another photo in the same commit.
pub(super) async fn write(
    connection: &AsyncPgConnection,
    scope: &Scope,
    commit: &Prepared,
    dates: &Dates<'_>,
) -> Result<(), Failure> {
    let (users, jobs, photos) = (&commit.users, &commit.jobs, &commit.photos);
    let at = millis(commit.at);
    let (updated_users, updated_jobs, updated_photos, _, _, _) = try_join!(
        execute(connection, update_users(scope, at, &users.changed)),
        execute(connection, update_jobs(scope, at, &jobs.changed)),
        execute(connection, update_photos(scope, at, &photos.changed, dates)),
        execute(connection, insert_users(scope, at, &users.new)),
        execute(connection, insert_jobs(scope, at, &jobs.new)),
        execute(connection, insert_photos(scope, at, &photos.new)),
    )?;
    check_updated(
        updated_users,
        users.changed.iter().map(|row| row.user_id.as_str()),
    )?;
    check_updated(updated_jobs, jobs.changed.iter().map(|row| row.job_id.as_str()))?;
    check_updated(
        updated_photos,
        photos.changed.iter().map(|row| row.photo_id.as_str()),
    )?;
    Ok(())
}

/// All rows were locked before, so that they exist.
fn check_updated<'a>(
    updated: usize,
    mut ids: impl ExactSizeIterator<Item = &'a str>,
) -> Result<(), StoreError> {
    if updated == ids.len() {
        return Ok(());
    }
    let stream: StreamId = parsed("stream_id", ids.next().unwrap_or_default())?;
    Err(StoreError::NoStateRow(stream))
}

fn update_users<'a>(scope: &'a Scope, at: i64, rows: &'a [UserRow]) -> Option<UpdateUsers<'a>> {
    (!rows.is_empty()).then(|| UpdateUsers {
        namespace: &scope.namespace,
        at,
        ids: rows.iter().map(|row| row.user_id.as_str()).collect(),
        versions: rows.iter().map(|row| row.version).collect(),
        states: rows.iter().map(|row| &row.state).collect(),
    })
}

fn insert_users<'a>(scope: &'a Scope, at: i64, rows: &'a [UserRow]) -> Option<InsertUsers<'a>> {
    (!rows.is_empty()).then(|| InsertUsers {
        namespace: &scope.namespace,
        at,
        ids: rows.iter().map(|row| row.user_id.as_str()).collect(),
        versions: rows.iter().map(|row| row.version).collect(),
        states: rows.iter().map(|row| &row.state).collect(),
    })
}

fn update_jobs<'a>(scope: &'a Scope, at: i64, rows: &'a [JobRow]) -> Option<UpdateJobs<'a>> {
    (!rows.is_empty()).then(|| UpdateJobs {
        namespace: &scope.namespace,
        at,
        ids: rows.iter().map(|row| row.job_id.as_str()).collect(),
        versions: rows.iter().map(|row| row.version).collect(),
        states: rows.iter().map(|row| &row.state).collect(),
    })
}

fn insert_jobs<'a>(scope: &'a Scope, at: i64, rows: &'a [JobRow]) -> Option<InsertJobs<'a>> {
    (!rows.is_empty()).then(|| InsertJobs {
        namespace: &scope.namespace,
        at,
        ids: rows.iter().map(|row| row.job_id.as_str()).collect(),
        owners: rows.iter().map(|row| row.owner.as_str()).collect(),
        versions: rows.iter().map(|row| row.version).collect(),
        states: rows.iter().map(|row| &row.state).collect(),
    })
}

fn update_photos<'a>(
    scope: &'a Scope,
    at: i64,
    rows: &'a [PhotoRow],
    dates: &Dates<'_>,
) -> Option<UpdatePhotos<'a>> {
    (!rows.is_empty()).then(|| UpdatePhotos {
        namespace: &scope.namespace,
        at,
        ids: rows.iter().map(|row| row.photo_id.as_str()).collect(),
        versions: rows.iter().map(|row| row.version).collect(),
        statuses: rows.iter().map(|row| row.status).collect(),
        deleted: rows.iter().map(|row| row.deleted).collect(),
        states: rows.iter().map(|row| &row.state).collect(),
        dated: rows.iter().map(|row| dates.changes(&row.photo_id)).collect(),
        dates: rows.iter().map(|row| dates.date(&row.photo_id)).collect(),
    })
}

/// In the order of upload ids: of two requests with the same files in different orders, one waits for the other instead of
/// each for the other.
fn insert_photos<'a>(scope: &'a Scope, at: i64, rows: &'a [PhotoRow]) -> Option<InsertPhotos<'a>> {
    let mut rows: Vec<&PhotoRow> = rows.iter().collect();
    rows.sort_unstable_by_key(|row| (&row.owner, &row.upload_id));
    (!rows.is_empty()).then(|| InsertPhotos {
        namespace: &scope.namespace,
        at,
        ids: rows.iter().map(|row| row.photo_id.as_str()).collect(),
        owners: rows.iter().map(|row| row.owner.as_str()).collect(),
        jobs: rows.iter().map(|row| row.job_id.as_str()).collect(),
        upload_ids: rows.iter().map(|row| row.upload_id.as_str()).collect(),
        statuses: rows.iter().map(|row| row.status).collect(),
        deleted: rows.iter().map(|row| row.deleted).collect(),
        bytes: rows.iter().map(|row| row.bytes).collect(),
        versions: rows.iter().map(|row| row.version).collect(),
        states: rows.iter().map(|row| &row.state).collect(),
    })
}
