use std::ops::Bound;

use async_trait::async_trait;
use rapidphoto_application::{
    log::EventCodec,
    ports::{Cursor, EventFilter, EventLog, EventPage, LogError, StoredEvent, Unavailable},
};
use rapidphoto_domain::{JobId, StreamId, UserId, Version};

use super::{
    MemoryStore,
    namespace::{LogRow, Namespace},
};

#[async_trait]
impl EventLog for MemoryStore {
    async fn latest_version(&self, stream: StreamId) -> Result<Version, Unavailable> {
        self.read(|namespace| namespace.version(stream)).await
    }

    async fn events(&self, stream: StreamId, after: Version) -> Result<Vec<StoredEvent>, LogError> {
        self.read(|namespace| {
            let cursors = namespace.streams.get(&stream).into_iter().flatten();
            cursors
                .filter_map(|cursor| Some((*cursor, namespace.log.get(cursor)?)))
                .filter(|(_, row)| row.version > after)
                .map(|(cursor, row)| decode(&self.codec, cursor, row))
                .collect()
        })
        .await?
    }

    async fn events_after(
        &self,
        cursor: Cursor,
        filter: &EventFilter,
        limit: usize,
    ) -> Result<EventPage, LogError> {
        self.read(|namespace| page(namespace, &self.codec, cursor, filter, limit))
            .await?
    }

    async fn head(&self) -> Result<Cursor, Unavailable> {
        self.read(Namespace::head).await
    }

    async fn count_events_after(
        &self,
        cursor: Cursor,
        owner: UserId,
        job: Option<JobId>,
        cap: u64,
    ) -> Result<Option<u64>, Unavailable> {
        self.read(|namespace| {
            if cursor > namespace.head() {
                return None;
            }
            let rows = readable_after(namespace, cursor).map(|(_, row)| row);
            let counted = rows.filter(|row| row.owner == owner && (job.is_none() || row.job == job));
            Some((counted.count() as u64).min(cap))
        })
        .await
    }
}

fn page(
    namespace: &Namespace,
    codec: &EventCodec,
    cursor: Cursor,
    filter: &EventFilter,
    limit: usize,
) -> Result<EventPage, LogError> {
    let (mut events, mut scanned_to) = (Vec::new(), cursor);
    let mut rows = readable_after(namespace, cursor).peekable();
    while events.len() < limit
        && let Some((cursor, row)) = rows.next()
    {
        scanned_to = cursor;
        if filter.matches(
            row.stream.stream_type(),
            &row.event.event_type,
            row.owner,
            row.job,
        ) {
            events.push(decode(codec, cursor, row)?);
        }
    }
    let at_end = rows.peek().is_none();
    if at_end {
        scanned_to = scanned_to.max(namespace.head());
    }
    Ok(EventPage {
        events,
        scanned_to,
        at_end,
        held: namespace.holds_back_events(),
    })
}

/// Readable events after a cursor.
fn readable_after(namespace: &Namespace, cursor: Cursor) -> impl Iterator<Item = (Cursor, &LogRow)> {
    let head = namespace.head();
    let after = namespace.log.range((Bound::Excluded(cursor), Bound::Unbounded));
    after
        .map(|(cursor, row)| (*cursor, row))
        .take_while(move |(cursor, _)| *cursor <= head)
}

fn decode(codec: &EventCodec, cursor: Cursor, row: &LogRow) -> Result<StoredEvent, LogError> {
    Ok(StoredEvent {
        cursor,
        id: row.id,
        stream: row.stream,
        version: row.version,
        owner: row.owner,
        job: row.job,
        event: codec.decode(row.stream.stream_type(), row.event.clone())?,
        metadata: row.metadata.clone(),
        occurred_at: row.occurred_at,
    })
}
