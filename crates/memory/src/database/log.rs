use async_trait::async_trait;
use rapidphoto_application::{
    log::EventCodec,
    ports::{Cursor, EventFilter, EventLog, EventPage, LogError, StoredEvent, Unavailable},
};
use rapidphoto_domain::{StreamId, Version};

use super::{
    MemoryStore,
    space::{LogRow, Space, cursor_at},
};

#[async_trait]
impl EventLog for MemoryStore {
    async fn latest_version(&self, stream: StreamId) -> Result<Version, Unavailable> {
        self.read(|space| space.version(stream)).await
    }

    async fn events(&self, stream: StreamId, after: Version) -> Result<Vec<StoredEvent>, LogError> {
        self.read(|space| {
            let indexes = space.streams.get(&stream).into_iter().flatten();
            indexes
                .filter_map(|index| Some((*index, space.log.get(*index)?)))
                .filter(|(_, row)| row.version > after)
                .map(|(index, row)| decode(&self.codec, index, row))
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
        self.read(|space| page(space, &self.codec, cursor, filter, limit))
            .await?
    }

    async fn head(&self) -> Result<Cursor, Unavailable> {
        self.read(Space::head).await
    }

    async fn events_behind(&self, cursor: Cursor, cap: u64) -> Result<Option<u64>, Unavailable> {
        self.read(|space| {
            let behind = (cursor <= space.head()).then(|| space.head().position() - cursor.position());
            behind.map(|behind| behind.min(cap))
        })
        .await
    }
}

fn page(
    space: &Space,
    codec: &EventCodec,
    cursor: Cursor,
    filter: &EventFilter,
    limit: usize,
) -> Result<EventPage, LogError> {
    let (mut events, mut scanned_to) = (Vec::new(), cursor);
    // Positions begin with 1, so the first event after a cursor is at its position as an index.
    let from = usize::try_from(cursor.position()).unwrap_or(usize::MAX);
    for (index, row) in space.log.iter().enumerate().skip(from) {
        if events.len() == limit {
            break;
        }
        scanned_to = cursor_at(index);
        if filter.matches(
            row.stream.stream_type(),
            &row.event.event_type,
            row.owner,
            row.job,
        ) {
            events.push(decode(codec, index, row)?);
        }
    }
    Ok(EventPage {
        events,
        scanned_to,
        at_end: scanned_to >= space.head(),
    })
}

fn decode(codec: &EventCodec, index: usize, row: &LogRow) -> Result<StoredEvent, LogError> {
    Ok(StoredEvent {
        cursor: cursor_at(index),
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
