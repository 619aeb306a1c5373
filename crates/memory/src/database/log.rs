use async_trait::async_trait;
use rapidphoto_application::{
    log::EventCodec,
    ports::{Cursor, EventFilter, EventLog, EventPage, LogError, StoredEvent, Unavailable},
};
use rapidphoto_domain::{StreamId, Version};

use super::{
    MemoryStore,
    namespace::{LogRow, Namespace, cursor_at},
};

#[async_trait]
impl EventLog for MemoryStore {
    async fn latest_version(&self, stream: StreamId) -> Result<Version, Unavailable> {
        self.read(|namespace| namespace.version(stream)).await
    }

    async fn events(&self, stream: StreamId, after: Version) -> Result<Vec<StoredEvent>, LogError> {
        self.read(|namespace| {
            let indexes = namespace.streams.get(&stream).into_iter().flatten();
            indexes
                .filter_map(|index| Some((*index, namespace.log.get(*index)?)))
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
        self.read(|namespace| page(namespace, &self.codec, cursor, filter, limit))
            .await?
    }

    async fn head(&self) -> Result<Cursor, Unavailable> {
        self.read(Namespace::head).await
    }

    async fn count_events_after(&self, cursor: Cursor, cap: u64) -> Result<Option<u64>, Unavailable> {
        self.read(|namespace| {
            let behind =
                (cursor <= namespace.head()).then(|| namespace.head().position() - cursor.position());
            behind.map(|behind| behind.min(cap))
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
    // Positions start at 1, so that a cursor's position is the index of the next event.
    let from = usize::try_from(cursor.position()).unwrap_or(usize::MAX);
    for (index, row) in namespace.log.iter().enumerate().skip(from) {
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
        at_end: scanned_to >= namespace.head(),
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
