//! Pages of the log, up to the oldest running transaction.

use std::fmt::Write as _;

use diesel::{
    QueryResult,
    sql_types::{BigInt, Bool, Integer, Json, Nullable, Text},
};
use diesel_async::{AsyncPgConnection, RunQueryDsl as _};
use rapidphoto_application::ports::{Cursor, EventFilter};
use rapidphoto_domain::StreamType;

use super::{
    assembled::{Assembled, Value},
    edge::edge,
};
use crate::{
    error::StoreError,
    number::{self, count, stored},
    rows::EventRow,
};

/// SQL types of [`event_columns`], from which an [`EventRow`] is built.
pub(super) type EventColumns = (
    BigInt,
    Text,
    Text,
    BigInt,
    Text,
    Nullable<Text>,
    Text,
    Integer,
    Json,
    Json,
    BigInt,
);

/// Columns of an [`EventRow`] from `events AS e`.
macro_rules! event_columns {
    () => {
        "e.position, e.event_id, e.stream_id, e.version, e.owner, e.job_id, e.event_type, e.schema_version, e.payload,
         e.metadata, e.occurred_at"
    };
}

pub(super) use event_columns;

/// End of the readable log, and whether events are stored after it. As `EXISTS`, the latter would be planned as a scan of
/// the whole table.
const EDGE: &str = concat!(
    "edge AS MATERIALIZED (
         SELECT s.xmin, (
             SELECT true FROM events AS h WHERE h.namespace = $1 AND h.xid >= s.xmin
             ORDER BY h.xid, h.position LIMIT 1
         ) IS NOT NULL AS held
         FROM (SELECT ",
    edge!(),
    " AS xmin OFFSET 0) AS s
     )"
);

/// At least one row always comes; without events, their columns are NULL. `{filter}` uses the indexes of owners and jobs.
const INDEXED: &str = concat!(
    "WITH {edge}
     SELECT edge.xmin, edge.held, NULL::bigint, NULL::bigint, e.xid, ",
    event_columns!(),
    " FROM edge LEFT JOIN LATERAL (
         SELECT e.* FROM events AS e
         WHERE e.namespace = $1 AND (e.xid, e.position) > ($2, $3) AND e.xid < edge.xmin {filter}
         ORDER BY e.xid, e.position LIMIT $4
     ) AS e ON true
     ORDER BY e.xid, e.position"
);

/// Selects by type, for which there is no index, among at most 5 000 events: a reader with rare matches may receive an
/// empty page, but no read takes long. The third and fourth column are the last of these events if there are more.
/// Only matching events are read in full, by their key.
const SCANNED: &str = concat!(
    "WITH {edge},
     scanned AS MATERIALIZED (
         SELECT s.* FROM edge CROSS JOIN LATERAL (
             SELECT e.xid, e.position, e.stream_type, e.event_type FROM events AS e
             WHERE e.namespace = $1 AND (e.xid, e.position) > ($2, $3) AND e.xid < edge.xmin {filter}
             ORDER BY e.xid, e.position LIMIT 5000
         ) AS s
     ),
     last AS MATERIALIZED (
         SELECT s.xid, s.position FROM scanned AS s WHERE (SELECT count(*) FROM scanned) = 5000
         ORDER BY s.xid DESC, s.position DESC LIMIT 1
     ),
     matching AS MATERIALIZED (
         SELECT s.xid, s.position FROM scanned AS s
         WHERE ($5 IS NULL OR s.stream_type = $5)
           AND (cardinality($6) + cardinality($7) = 0 OR s.event_type = ANY($6) OR s.event_type LIKE ANY($7))
         ORDER BY s.xid, s.position LIMIT $4
     )
     SELECT edge.xmin, edge.held, (SELECT xid FROM last), (SELECT position FROM last), e.xid, ",
    event_columns!(),
    " FROM edge LEFT JOIN (
         matching CROSS JOIN LATERAL (
             SELECT e.* FROM events AS e
             WHERE e.namespace = $1 AND e.xid = matching.xid AND e.position = matching.position
             OFFSET 0
         ) AS e
     ) ON true
     ORDER BY e.xid, e.position"
);

/// Edge, whether events are held back after it, last scanned event if there are more, transaction and rest of an event.
type SqlRow = (
    BigInt,
    Bool,
    Nullable<BigInt>,
    Nullable<BigInt>,
    Nullable<BigInt>,
    Nullable<EventColumns>,
);
type Row = (i64, bool, Option<i64>, Option<i64>, Option<i64>, Option<EventRow>);

/// A page of the log: events with their transactions.
pub(super) struct Page {
    pub(super) rows: Vec<(i64, EventRow)>,
    pub(super) scanned_to: Cursor,
    pub(super) at_end: bool,
    pub(super) held: bool,
}

/// Reads up to `limit` events after a cursor. Must not be called inside a transaction that has written: it would be the
/// edge.
pub(super) async fn page(
    connection: &mut AsyncPgConnection,
    namespace: &str,
    cursor: Cursor,
    filter: &EventFilter,
    limit: usize,
) -> Result<Page, StoreError> {
    let rows = load(connection, namespace, cursor, filter, limit).await?;
    // The statement returns at least one row.
    let (edge, held, last_xid, last_position) = rows
        .as_slice()
        .first()
        .map_or((0, false, None, None), |row| (row.0, row.1, row.2, row.3));
    let mut events: Vec<(i64, EventRow)> = rows.into_iter().filter_map(|row| row.4.zip(row.5)).collect();
    let more = events.len() > limit;
    events.truncate(limit);
    let stopped = if more {
        events
            .last()
            .map_or(Some(cursor), |(xid, row)| Some(at(*xid, row.position)))
    } else {
        last_xid
            .zip(last_position)
            .map(|(xid, position)| at(xid, position))
    };
    Ok(Page {
        rows: events,
        // A cursor of a commit can be after the end while an earlier one is open.
        scanned_to: stopped.unwrap_or(at(edge, 0)).max(cursor),
        at_end: stopped.is_none(),
        held,
    })
}

fn at(xid: i64, position: i64) -> Cursor {
    Cursor::new(count(xid), count(position))
}

async fn load(
    connection: &mut AsyncPgConnection,
    namespace: &str,
    cursor: Cursor,
    filter: &EventFilter,
    limit: usize,
) -> QueryResult<Vec<Row>> {
    let (owner, job) = (
        filter.owner.map(|owner| owner.to_string()),
        filter.job.map(|job| job.to_string()),
    );
    let by_type = filter.stream_type.is_some() || !filter.event_types.is_empty();
    let mut values = vec![
        Value::Text(namespace),
        Value::Number(stored(cursor.epoch())),
        Value::Number(stored(cursor.position())),
        // One event more than the page has tells whether it is the last one.
        Value::Number(number::limit(limit).saturating_add(1)),
    ];
    if by_type {
        let (prefixes, names): (Vec<&String>, Vec<&String>) = filter
            .event_types
            .iter()
            .partition(|pattern| pattern.ends_with('*'));
        values.push(Value::OptionalText(filter.stream_type.map(StreamType::name)));
        values.push(Value::Texts(names.into_iter().cloned().collect()));
        values.push(Value::Texts(
            prefixes.into_iter().map(|pattern| like(pattern)).collect(),
        ));
    }
    let mut conditions = String::new();
    for (column, value) in [("owner", &owner), ("job_id", &job)] {
        if let Some(value) = value {
            values.push(Value::Text(value));
            let _ = write!(conditions, " AND e.{column} = ${}", values.len());
        }
    }
    Assembled::<SqlRow>::new(text(by_type, &conditions), values)
        .load(connection)
        .await
}

/// Pattern of LIKE for a prefix with a final `*`.
fn like(pattern: &str) -> String {
    let prefix = pattern.strip_suffix('*').unwrap_or(pattern);
    let escaped = prefix
        .replace('\\', "\\\\")
        .replace('%', "\\%")
        .replace('_', "\\_");
    escaped + "%"
}

/// Statement that reads a page: its parameters are the namespace, the cursor, the limit, then those of a filter by type, then
/// those of the conditions.
pub(super) fn text(by_type: bool, conditions: &str) -> String {
    let text = if by_type { SCANNED } else { INDEXED };
    text.replace("{edge}", EDGE).replace("{filter}", conditions)
}
