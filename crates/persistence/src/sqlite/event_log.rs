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
use rapidphoto_domain::{StreamId, StreamType, UserId, Version};

use super::{SqliteStore, journal::head};
use crate::{
    error::RecordError,
    number::{count, limit, stored},
    rows::EventRow,
    schema::events,
};

/// How many events one read looks through for those of wanted types, which no index finds: a reader whose matches are
/// rare gets an empty page now and then, and no read takes long.
const SEARCHED: i64 = 5_000;

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
                .map_err(RecordError::from)?;
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
                .map_err(RecordError::from)?;
            rows.into_iter().map(|row| row.into_event(&codec)).collect()
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
                .map_err(RecordError::from)?;
            let events = rows.into_iter().map(|row| row.into_event(&codec));
            Ok(EventPage {
                events: events.collect::<Result<_, _>>()?,
                scanned_to,
                at_end,
            })
        })
        .await
    }

    async fn head(&self) -> Result<Cursor, Unavailable> {
        self.read(|connection, namespace| Ok(head(connection, namespace).map_err(RecordError::from)?))
            .await
    }

    async fn count_events_after(&self, cursor: Cursor, cap: u64) -> Result<Option<u64>, Unavailable> {
        self.read(move |connection, namespace| {
            let behind = connection.transaction(|connection| behind(connection, namespace, cursor, cap));
            Ok(behind.map_err(RecordError::from)?)
        })
        .await
    }
}

/// The position that a cursor stands for. Cursors of other epochs were never given out here; they are after everything.
fn position(cursor: Cursor) -> i64 {
    if cursor.epoch() == 0 {
        stored(cursor.position())
    } else {
        i64::MAX
    }
}

/// The events after a position that an index finds for a filter: those of its owner or its job.
fn found<'a>(namespace: &'a str, after: i64, filter: &EventFilter) -> IntoBoxed<'a, events::table, Sqlite> {
    let mut found = events::table
        .filter(events::namespace.eq(namespace))
        .filter(events::position.gt(after))
        .order(events::position)
        .into_boxed();
    if let Some(owner) = filter.owner {
        found = found.filter(events::owner.eq(owner.to_string()));
    }
    if let Some(job) = filter.job {
        found = found.filter(events::job_id.eq(job.to_string()));
    }
    found
}

/// The events of a page, and how far the log was searched for them; all the way where there is no position.
type Searched = (Vec<EventRow>, Option<i64>);

fn page_after(
    connection: &mut SqliteConnection,
    namespace: &str,
    cursor: Cursor,
    filter: &EventFilter,
    most: usize,
) -> QueryResult<(Vec<EventRow>, Cursor, bool)> {
    let head = head(connection, namespace)?;
    if most == 0 || cursor >= head {
        return Ok((Vec::new(), cursor, cursor >= head));
    }
    let indexed = filter.stream_type.is_none() && filter.event_types.is_empty();
    let (rows, stopped) = if indexed {
        all_found(connection, namespace, position(cursor), filter, most)?
    } else {
        search(connection, namespace, position(cursor), filter, most)?
    };
    let scanned_to = stopped.map_or(head, |position| Cursor::new(0, count(position)));
    Ok((rows, scanned_to, stopped.is_none()))
}

fn all_found(
    connection: &mut SqliteConnection,
    namespace: &str,
    after: i64,
    filter: &EventFilter,
    most: usize,
) -> QueryResult<Searched> {
    let mut rows: Vec<EventRow> = found(namespace, after, filter)
        .limit(limit(most).saturating_add(1))
        .select(EventRow::as_select())
        .load(connection)?;
    let more = rows.len() > most;
    rows.truncate(most);
    let stopped = rows.last().filter(|_| more).map(|row| row.position);
    Ok((rows, stopped))
}

/// Looks through the types of what an index finds, then reads only the events that are wanted.
fn search(
    connection: &mut SqliteConnection,
    namespace: &str,
    after: i64,
    filter: &EventFilter,
    most: usize,
) -> QueryResult<Searched> {
    let candidates: Vec<(i64, String, String)> = found(namespace, after, filter)
        .limit(SEARCHED)
        .select((events::position, events::stream_type, events::event_type))
        .load(connection)?;
    let end = candidates.last().map(|(position, ..)| *position);
    let mut wanted = candidates
        .iter()
        .filter(|(_, stream_type, event_type)| wants(filter, stream_type, event_type))
        .map(|(position, ..)| *position);
    let positions: Vec<i64> = wanted.by_ref().take(most).collect();
    let stopped = if wanted.next().is_some() {
        positions.last().copied()
    } else {
        end.filter(|_| limit(candidates.len()) == SEARCHED)
    };
    let rows = events::table
        .filter(events::position.eq_any(&positions))
        .order(events::position)
        .select(EventRow::as_select())
        .load(connection)?;
    Ok((rows, stopped))
}

/// Whether a filter wants an event that has its owner and its job.
fn wants(filter: &EventFilter, stream_type: &str, event_type: &str) -> bool {
    let anybody = filter.owner.unwrap_or(UserId::from_bits(0));
    [StreamType::User, StreamType::Job, StreamType::Photo]
        .into_iter()
        .find(|kind| kind.name() == stream_type)
        // Of a kind that this program does not know: reading it will say so.
        .is_none_or(|kind| filter.matches(kind, event_type, anybody, filter.job))
}

fn behind(
    connection: &mut SqliteConnection,
    namespace: &str,
    cursor: Cursor,
    cap: u64,
) -> QueryResult<Option<u64>> {
    if cursor > head(connection, namespace)? {
        return Ok(None);
    }
    let counted = sql_query(
        "SELECT count(*) AS behind FROM (SELECT 1 FROM events WHERE namespace = ? AND position > ? LIMIT ?)",
    )
    .bind::<Text, _>(namespace)
    .bind::<BigInt, _>(position(cursor))
    .bind::<BigInt, _>(stored(cap))
    .get_result::<Behind>(connection)?;
    Ok(Some(count(counted.behind)))
}

#[derive(QueryableByName)]
struct Behind {
    #[diesel(sql_type = BigInt)]
    behind: i64,
}
