use async_trait::async_trait;
use diesel::{
    Connection as _, ExpressionMethods as _, OptionalExtension as _, QueryDsl as _, QueryResult,
    QueryableByName, RunQueryDsl as _, SelectableHelper as _, SqliteConnection,
    dsl::IntoBoxed,
    sql_query,
    sql_types::{BigInt, Text},
    sqlite::Sqlite,
};
use rapidphoto_application::ports::{
    Cursor, EventFilter, EventLog, EventPage, LogError, StoredEvent, Unavailable,
};
use rapidphoto_domain::{JobId, StreamId, StreamType, UserId, Version};

use super::{SqliteStore, journal::head};
use crate::{
    error::StoreError,
    number::{count, limit, stored},
    rows::EventRow,
    schema::events,
};

/// Maximum number of events scanned by one read that filters by event type, for which there is no index. A reader with
/// rare matches may receive an empty page, but no read takes long.
const MAX_SCANNED: i64 = 5_000;

#[async_trait]
impl EventLog for SqliteStore {
    async fn latest_version(&self, stream: StreamId) -> Result<Version, Unavailable> {
        self.read(move |connection, namespace| {
            let version = events::table
                .filter(events::namespace.eq(namespace))
                .filter(events::stream_type.eq(stream.stream_type().name()))
                .filter(events::stream_id.eq(stream.to_string()))
                .select(events::version)
                .order(events::version.desc())
                .first::<i64>(connection)
                .optional()
                .map_err(StoreError::from)?;
            Ok(Version(version.map_or(0, count)))
        })
        .await
    }

    async fn events(&self, stream: StreamId, after: Version) -> Result<Vec<StoredEvent>, LogError> {
        let codec = self.codec.clone();
        self.read(move |connection, namespace| {
            let rows: Vec<EventRow> = events::table
                .filter(events::namespace.eq(namespace))
                .filter(events::stream_type.eq(stream.stream_type().name()))
                .filter(events::stream_id.eq(stream.to_string()))
                .filter(events::version.gt(stored(after.0)))
                .order(events::version)
                .select(EventRow::as_select())
                .load(connection)
                .map_err(StoreError::from)?;
            rows.into_iter().map(|row| row.into_event(0, &codec)).collect()
        })
        .await
    }

    async fn events_after(
        &self,
        cursor: Cursor,
        filter: &EventFilter,
        limit: usize,
    ) -> Result<EventPage, LogError> {
        let codec = self.codec.clone();
        let filter = filter.clone();
        self.read(move |connection, namespace| {
            let (rows, scanned_to, at_end) = connection
                .transaction(|connection| page_after(connection, namespace, cursor, &filter, limit))
                .map_err(StoreError::from)?;
            let events = rows.into_iter().map(|row| row.into_event(0, &codec));
            Ok(EventPage {
                events: events.collect::<Result<_, _>>()?,
                scanned_to,
                at_end,
                // The only writer gives a commit its positions after the previous commit has ended.
                held: false,
            })
        })
        .await
    }

    async fn head(&self) -> Result<Cursor, Unavailable> {
        self.read(|connection, namespace| Ok(head(connection, namespace).map_err(StoreError::from)?))
            .await
    }

    async fn count_events_after(
        &self,
        cursor: Cursor,
        owner: UserId,
        job: Option<JobId>,
        cap: u64,
    ) -> Result<Option<u64>, Unavailable> {
        self.read(move |connection, namespace| {
            let behind = connection
                .transaction(|connection| count_behind(connection, namespace, cursor, owner, job, cap));
            Ok(behind.map_err(StoreError::from)?)
        })
        .await
    }
}

/// Position of a cursor. Cursors of other epochs were never issued by this database; they sort after everything.
fn position(cursor: Cursor) -> i64 {
    if cursor.epoch() == 0 {
        stored(cursor.position())
    } else {
        i64::MAX
    }
}

/// Events after a position that have the filter's owner and job. Each of these filters uses an index.
fn indexed_events<'a>(
    namespace: &'a str,
    after: i64,
    filter: &EventFilter,
) -> IntoBoxed<'a, events::table, Sqlite> {
    let mut indexed = events::table
        .filter(events::namespace.eq(namespace))
        .filter(events::position.gt(after))
        .order(events::position)
        .into_boxed();
    if let Some(owner) = filter.owner {
        indexed = indexed.filter(events::owner.eq(owner.to_string()));
    }
    if let Some(job) = filter.job {
        indexed = indexed.filter(events::job_id.eq(job.to_string()));
    }
    indexed
}

/// Rows of a page, and the position up to which the log was scanned; `None` if it was scanned to its end.
type ScannedRows = (Vec<EventRow>, Option<i64>);

fn page_after(
    connection: &mut SqliteConnection,
    namespace: &str,
    cursor: Cursor,
    filter: &EventFilter,
    max_rows: usize,
) -> QueryResult<(Vec<EventRow>, Cursor, bool)> {
    let head = head(connection, namespace)?;
    if max_rows == 0 || cursor >= head {
        return Ok((Vec::new(), cursor, cursor >= head));
    }
    let indexed = filter.stream_type.is_none() && filter.event_types.is_empty();
    let (rows, stopped) = if indexed {
        indexed_page(connection, namespace, position(cursor), filter, max_rows)?
    } else {
        scanned_page(connection, namespace, position(cursor), filter, max_rows)?
    };
    let scanned_to = stopped.map_or(head, |position| Cursor::new(0, count(position)));
    Ok((rows, scanned_to, stopped.is_none()))
}

fn indexed_page(
    connection: &mut SqliteConnection,
    namespace: &str,
    after: i64,
    filter: &EventFilter,
    max_rows: usize,
) -> QueryResult<ScannedRows> {
    let mut rows: Vec<EventRow> = indexed_events(namespace, after, filter)
        .limit(limit(max_rows).saturating_add(1))
        .select(EventRow::as_select())
        .load(connection)?;
    let more = rows.len() > max_rows;
    rows.truncate(max_rows);
    let stopped = rows.last().filter(|_| more).map(|row| row.position);
    Ok((rows, stopped))
}

/// Scans the types of the indexed events, then reads only the matching events.
fn scanned_page(
    connection: &mut SqliteConnection,
    namespace: &str,
    after: i64,
    filter: &EventFilter,
    max_rows: usize,
) -> QueryResult<ScannedRows> {
    let candidates: Vec<(i64, String, String)> = indexed_events(namespace, after, filter)
        .limit(MAX_SCANNED)
        .select((events::position, events::stream_type, events::event_type))
        .load(connection)?;
    let end = candidates.last().map(|(position, ..)| *position);
    let mut matching = candidates
        .iter()
        .filter(|(_, stream_type, event_type)| types_match(filter, stream_type, event_type))
        .map(|(position, ..)| *position);
    let positions: Vec<i64> = matching.by_ref().take(max_rows).collect();
    let stopped = if matching.next().is_some() {
        positions.last().copied()
    } else {
        end.filter(|_| limit(candidates.len()) == MAX_SCANNED)
    };
    let rows = events::table
        .filter(events::position.eq_any(&positions))
        .order(events::position)
        .select(EventRow::as_select())
        .load(connection)?;
    Ok((rows, stopped))
}

/// Returns true if the types match a filter whose owner and job match already.
fn types_match(filter: &EventFilter, stream_type: &str, event_type: &str) -> bool {
    let any_owner = filter.owner.unwrap_or(UserId::from_bits(0));
    [StreamType::User, StreamType::Job, StreamType::Photo]
        .into_iter()
        .find(|kind| kind.name() == stream_type)
        // An unknown stream type passes; decoding the event reports it.
        .is_none_or(|kind| filter.matches(kind, event_type, any_owner, filter.job))
}

fn count_behind(
    connection: &mut SqliteConnection,
    namespace: &str,
    cursor: Cursor,
    owner: UserId,
    job: Option<JobId>,
    cap: u64,
) -> QueryResult<Option<u64>> {
    if cursor > head(connection, namespace)? {
        return Ok(None);
    }
    // Both forms read one index: that of the owner's or of the job's events, which ends in the position.
    let counted = match job {
        None => sql_query(
            "SELECT count(*) AS behind FROM (SELECT 1 FROM events INDEXED BY events_owner
             WHERE namespace = ? AND owner = ? AND position > ? LIMIT ?)",
        )
        .into_boxed()
        .bind::<Text, _>(namespace)
        .bind::<Text, _>(owner.to_string()),
        Some(job) => sql_query(
            "SELECT count(*) AS behind FROM (SELECT 1 FROM events INDEXED BY events_job
             WHERE namespace = ? AND owner = ? AND job_id = ? AND position > ? LIMIT ?)",
        )
        .into_boxed()
        .bind::<Text, _>(namespace)
        .bind::<Text, _>(owner.to_string())
        .bind::<Text, _>(job.to_string()),
    };
    let counted = counted
        .bind::<BigInt, _>(position(cursor))
        .bind::<BigInt, _>(stored(cap))
        .get_result::<BehindCount>(connection)?;
    Ok(Some(count(counted.behind)))
}

#[derive(QueryableByName)]
struct BehindCount {
    #[diesel(sql_type = BigInt)]
    behind: i64,
}
