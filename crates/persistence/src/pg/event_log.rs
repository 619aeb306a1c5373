use async_trait::async_trait;
use diesel::{
    OptionalExtension as _,
    sql_types::{BigInt, Bool, Text},
};
use diesel_async::RunQueryDsl as _;
use rapidphoto_application::ports::{
    Cursor, EventFilter, EventLog, EventPage, LogError, StoredEvent, Unavailable,
};
use rapidphoto_domain::{JobId, StreamId, UserId, Version};

use super::{
    PgStore,
    edge::edge,
    feed::{self, EventColumns, event_columns},
    statement::statement,
};
use crate::{
    error::StoreError,
    number::{count, stored},
    rows::EventRow,
};

statement! {
    struct LatestVersion<'a> {
        namespace: &'a str => Text,
        stream: &'a str => Text,
    } -> BigInt
    = "SELECT version FROM events WHERE namespace = $1 AND stream_id = $2 ORDER BY version DESC LIMIT 1"
}

statement! {
    struct EventsOfStream<'a> {
        namespace: &'a str => Text,
        stream: &'a str => Text,
        after: i64 => BigInt,
    } -> (BigInt, EventColumns)
    = concat!(
        "SELECT e.xid, ", event_columns!(), "
         FROM events AS e WHERE e.namespace = $1 AND e.stream_id = $2 AND e.version > $3 ORDER BY e.version"
    )
}

statement! {
    struct Head {
    } -> BigInt
    = concat!("SELECT ", edge!())
}

statement! {
    /// Readable events of an owner. The first column is false for a cursor of a transaction that has not begun.
    struct CountOfOwner<'a> {
        namespace: &'a str => Text,
        owner: &'a str => Text,
        epoch: i64 => BigInt,
        position: i64 => BigInt,
        limit: i64 => BigInt,
    } -> (Bool, BigInt)
    = concat!(
        "SELECT ($3, $4) <= (pg_snapshot_xmax(pg_current_snapshot())::text::bigint, 0::bigint), (
             SELECT count(*) FROM (
                 SELECT 1 FROM events AS e
                 WHERE e.namespace = $1 AND e.owner = $2
                   AND (e.xid, e.position) > ($3, $4) AND e.xid < (SELECT ", edge!(), ")
                 ORDER BY e.xid, e.position LIMIT $5
             ) AS later
         )"
    )
}

statement! {
    /// As [`CountOfOwner`], of one job.
    struct CountOfJob<'a> {
        namespace: &'a str => Text,
        owner: &'a str => Text,
        job: &'a str => Text,
        epoch: i64 => BigInt,
        position: i64 => BigInt,
        limit: i64 => BigInt,
    } -> (Bool, BigInt)
    = concat!(
        "SELECT ($4, $5) <= (pg_snapshot_xmax(pg_current_snapshot())::text::bigint, 0::bigint), (
             SELECT count(*) FROM (
                 SELECT 1 FROM events AS e
                 WHERE e.namespace = $1 AND e.owner = $2 AND e.job_id = $3
                   AND (e.xid, e.position) > ($4, $5) AND e.xid < (SELECT ", edge!(), ")
                 ORDER BY e.xid, e.position LIMIT $6
             ) AS later
         )"
    )
}

#[async_trait]
impl EventLog for PgStore {
    async fn latest_version(&self, stream: StreamId) -> Result<Version, Unavailable> {
        let statement = LatestVersion {
            namespace: &self.namespace,
            stream: &stream.to_string(),
        };
        let version: Option<i64> = statement
            .get_result(&mut self.connection().await?)
            .await
            .optional()
            .map_err(StoreError::from)?;
        Ok(Version(version.map_or(0, count)))
    }

    async fn events(&self, stream: StreamId, after: Version) -> Result<Vec<StoredEvent>, LogError> {
        let statement = EventsOfStream {
            namespace: &self.namespace,
            stream: &stream.to_string(),
            after: stored(after.0),
        };
        let rows: Vec<(i64, EventRow)> = statement
            .load(&mut self.connection().await?)
            .await
            .map_err(StoreError::from)?;
        let events = rows.into_iter();
        events
            .map(|(xid, row)| row.into_event(count(xid), &self.codec))
            .collect()
    }

    async fn events_after(
        &self,
        cursor: Cursor,
        filter: &EventFilter,
        limit: usize,
    ) -> Result<EventPage, LogError> {
        let mut connection = self.connection().await?;
        let page = feed::page(&mut connection, &self.namespace, cursor, filter, limit).await?;
        let events = page.rows.into_iter();
        let events = events.map(|(xid, row)| row.into_event(count(xid), &self.codec));
        Ok(EventPage {
            events: events.collect::<Result<_, _>>()?,
            scanned_to: page.scanned_to,
            at_end: page.at_end,
            held: page.held,
        })
    }

    async fn head(&self) -> Result<Cursor, Unavailable> {
        let edge: i64 = Head {}
            .get_result(&mut self.connection().await?)
            .await
            .map_err(StoreError::from)?;
        Ok(Cursor::new(count(edge), 0))
    }

    async fn count_events_after(
        &self,
        cursor: Cursor,
        owner: UserId,
        job: Option<JobId>,
        limit: u64,
    ) -> Result<Option<u64>, Unavailable> {
        let mut connection = self.connection().await?;
        let (namespace, owner, limit) = (&*self.namespace, &*owner.to_string(), stored(limit));
        let (epoch, position) = (stored(cursor.epoch()), stored(cursor.position()));
        let counted = match job {
            None => {
                let statement = CountOfOwner {
                    namespace,
                    owner,
                    epoch,
                    position,
                    limit,
                };
                statement.get_result(&mut connection).await
            }
            Some(job) => {
                let statement = CountOfJob {
                    namespace,
                    owner,
                    job: &job.to_string(),
                    epoch,
                    position,
                    limit,
                };
                statement.get_result(&mut connection).await
            }
        };
        let (known, later): (bool, i64) = counted.map_err(StoreError::from)?;
        Ok(known.then_some(count(later)))
    }
}
