use diesel::{
    QueryResult,
    sql_types::{Array, BigInt, Integer, Json, Nullable, Text},
};
use diesel_async::AsyncPgConnection;
use futures::try_join;
use rapidphoto_application::ports::Cursor;
use serde_json::Value;

use super::{failure::Failure, scope::Scope};
use crate::{
    commit::{Prepared, StoredEvents},
    number::{count, millis},
    pg::{pipeline::load, statement::statement},
};

statement! {
    /// Appends events in their order; returns the position of the last one.
    pub(in crate::pg) struct AppendEvents<'a> {
        namespace: &'a str => Text,
        metadata: &'a Value => Json,
        at: i64 => BigInt,
        ids: Vec<&'a str> => Array<Text>,
        stream_types: Vec<&'static str> => Array<Text>,
        streams: Vec<&'a str> => Array<Text>,
        versions: Vec<i64> => Array<BigInt>,
        owners: Vec<&'a str> => Array<Text>,
        jobs: Vec<Option<&'a str>> => Array<Nullable<Text>>,
        types: Vec<&'a str> => Array<Text>,
        schema_versions: Vec<i32> => Array<Integer>,
        payloads: Vec<&'a Value> => Array<Json>,
    } -> (BigInt, BigInt)
    = "WITH written AS (
           INSERT INTO events (namespace, event_id, stream_type, stream_id, version, owner, job_id, event_type,
                               schema_version, payload, metadata, occurred_at)
           SELECT $1, new.event_id, new.stream_type, new.stream_id, new.version, new.owner, new.job_id, new.event_type,
                  new.schema_version, new.payload, $2, $3
           FROM unnest($4, $5, $6, $7, $8, $9, $10, $11, $12) WITH ORDINALITY
               AS new (event_id, stream_type, stream_id, version, owner, job_id, event_type, schema_version, payload,
                       place)
           ORDER BY new.place
           RETURNING xid, position
       )
       SELECT max(xid), max(position) FROM written"
}

statement! {
    /// Position that every event read so far precedes.
    struct Edge {} -> (BigInt, BigInt)
    = "SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint, 0::bigint"
}

statement! {
    struct StoredPositions<'a> {
        namespace: &'a str => Text,
        ids: Vec<&'a str> => Array<Text>,
    } -> (Text, Text, BigInt, BigInt, BigInt)
    = "SELECT event_id, stream_id, version, xid, position FROM events WHERE namespace = $1 AND event_id = ANY($2)"
}

/// Appends the commit's events. Returns the cursor of the last one, or a readable position of the log if there is none.
pub(super) async fn write(
    connection: &AsyncPgConnection,
    scope: &Scope,
    commit: &Prepared,
) -> Result<Cursor, Failure> {
    let append = append_events(&scope.namespace, commit);
    let edge = append.is_none().then_some(Edge {});
    let (appended, edge) = try_join!(load(connection, append), load(connection, edge))?;
    let last: Option<(i64, i64)> = appended.into_iter().chain(edge).next();
    let (xid, position) = last.ok_or(diesel::result::Error::NotFound)?;
    Ok(Cursor::new(count(xid), count(position)))
}

fn append_events<'a>(namespace: &'a str, commit: &'a Prepared) -> Option<AppendEvents<'a>> {
    let events = &commit.events;
    // All events of a commit have the same metadata.
    let metadata = &events.first()?.metadata;
    Some(AppendEvents {
        namespace,
        metadata,
        at: millis(commit.at),
        ids: events.iter().map(|row| row.event_id.as_str()).collect(),
        stream_types: events.iter().map(|row| row.stream_type).collect(),
        streams: events.iter().map(|row| row.stream_id.as_str()).collect(),
        versions: events.iter().map(|row| row.version).collect(),
        owners: events.iter().map(|row| row.owner.as_str()).collect(),
        jobs: events.iter().map(|row| row.job_id.as_deref()).collect(),
        types: events.iter().map(|row| row.event_type.as_str()).collect(),
        schema_versions: events.iter().map(|row| row.schema_version).collect(),
        payloads: events.iter().map(|row| &row.payload).collect(),
    })
}

/// Those of the commit's events that are stored.
pub(super) async fn stored(
    connection: &AsyncPgConnection,
    scope: &Scope,
    commit: &Prepared,
) -> QueryResult<StoredEvents> {
    let statement = (!commit.events.is_empty()).then(|| StoredPositions {
        namespace: &scope.namespace,
        ids: commit.events.iter().map(|row| row.event_id.as_str()).collect(),
    });
    let rows: Vec<(String, String, i64, i64, i64)> = load(connection, statement).await?;
    let positions = rows.into_iter().map(|(id, stream, version, xid, position)| {
        (id, (stream, version, Cursor::new(count(xid), count(position))))
    });
    Ok(positions.collect())
}
