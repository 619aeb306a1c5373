use async_trait::async_trait;
use diesel::{
    AggregateExpressionMethods as _, Connection as _, ExpressionMethods as _, QueryDsl as _,
    RunQueryDsl as _, SqliteConnection, dsl::count,
};
use rapidphoto_application::ports::{AggregateRow, StateRows, TagMismatch, Unavailable, UsageMismatch};
use rapidphoto_domain::{StreamId, StreamType};
use serde_json::Value;

use super::{SqliteStore, tag_index, usage_check};
use crate::{
    error::StoreError,
    number::{self, limit},
    rows::aggregate_row,
    schema::{events, photos, upload_jobs, users},
};

#[async_trait]
impl StateRows for SqliteStore {
    async fn state_rows(
        &self,
        after: Option<StreamId>,
        limit: usize,
    ) -> Result<Vec<AggregateRow>, Unavailable> {
        self.read(move |connection, namespace| {
            let rows =
                connection.transaction(|connection| rows_after(connection, namespace, after, limit))?;
            Ok(rows)
        })
        .await
    }

    async fn stream_count(&self) -> Result<u64, Unavailable> {
        self.read(move |connection, namespace| {
            let streams = events::table
                .filter(events::namespace.eq(namespace))
                .select(count(events::stream_id).aggregate_distinct())
                .first::<i64>(connection)
                .map_err(StoreError::from)?;
            Ok(number::count(streams))
        })
        .await
    }

    async fn tag_mismatches(&self) -> Result<Vec<TagMismatch>, Unavailable> {
        self.read(|connection, namespace| Ok(tag_index::mismatches(connection, namespace)?))
            .await
    }

    async fn usage_mismatches(&self) -> Result<Vec<UsageMismatch>, Unavailable> {
        self.read(|connection, namespace| Ok(usage_check::mismatches(connection, namespace)?))
            .await
    }
}

/// Id, version and state of a row of any state table.
type Row = (String, i64, Value);

/// Rows in the order of [`StreamId`]: by stream type, then by id.
fn rows_after(
    connection: &mut SqliteConnection,
    namespace: &str,
    after: Option<StreamId>,
    max_rows: usize,
) -> Result<Vec<AggregateRow>, StoreError> {
    let mut found = Vec::new();
    for kind in [StreamType::User, StreamType::Job, StreamType::Photo] {
        let from = match after {
            Some(stream) if stream.stream_type() > kind => continue,
            Some(stream) if stream.stream_type() == kind => stream.to_string(),
            // Sorts before every id.
            Some(_) | None => String::new(),
        };
        let remaining = limit(max_rows.saturating_sub(found.len()));
        for row in rows_of(connection, namespace, kind, &from, remaining)? {
            found.push(aggregate_row(kind, row)?);
        }
    }
    Ok(found)
}

fn rows_of(
    connection: &mut SqliteConnection,
    namespace: &str,
    kind: StreamType,
    from: &str,
    remaining: i64,
) -> diesel::QueryResult<Vec<Row>> {
    match kind {
        StreamType::User => users::table
            .filter(users::namespace.eq(namespace))
            .filter(users::user_id.gt(from))
            .order(users::user_id)
            .limit(remaining)
            .select((users::user_id, users::version, users::state))
            .load(connection),
        StreamType::Job => upload_jobs::table
            .filter(upload_jobs::namespace.eq(namespace))
            .filter(upload_jobs::job_id.gt(from))
            .order(upload_jobs::job_id)
            .limit(remaining)
            .select((upload_jobs::job_id, upload_jobs::version, upload_jobs::state))
            .load(connection),
        StreamType::Photo => photos::table
            .filter(photos::namespace.eq(namespace))
            .filter(photos::photo_id.gt(from))
            .order(photos::photo_id)
            .limit(remaining)
            .select((photos::photo_id, photos::version, photos::state))
            .load(connection),
    }
}
