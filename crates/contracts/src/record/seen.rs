//! What a record shows from outside.

use rapidphoto_application::ports::{
    AggregateRow, AggregateState, CommitError, Committed, Cursor, DatabasePorts, EventFilter, StoredEvent,
    Unique, VersionConflict, WorkKind,
};
use rapidphoto_domain::{
    DomainEvent, StreamId, Timestamp, Version, job::UploadJob, photo::Photo, user::User,
};

/// Everything that a record shows without being changed by it: equal before and after what wrote nothing.
#[derive(Debug, Clone, PartialEq)]
pub struct Everything {
    events: Vec<StoredEvent>,
    rows: Vec<AggregateRow>,
    streams: u64,
    due: Vec<Option<Timestamp>>,
    depth: Vec<u64>,
}

impl Everything {
    /// What the record shows now.
    pub async fn of(record: &DatabasePorts) -> Self {
        let (mut due, mut depth) = (Vec::new(), Vec::new());
        for kind in WorkKind::ALL {
            due.push(record.work.next_due(&[kind]).await.unwrap());
            depth.push(record.work.depth(kind).await.unwrap());
        }
        Self {
            events: log(record).await,
            rows: rows(record).await,
            streams: record.state_rows.stream_count().await.unwrap(),
            due,
            depth,
        }
    }
}

/// All events in the log's order.
pub async fn log(record: &DatabasePorts) -> Vec<StoredEvent> {
    events_from(record, Cursor::START, &EventFilter::default(), 1000).await
}

/// All events after a cursor that match, read page by page to the log's end.
pub async fn events_from(
    record: &DatabasePorts,
    after: Cursor,
    filter: &EventFilter,
    page: usize,
) -> Vec<StoredEvent> {
    let (mut cursor, mut events) = (after, Vec::new());
    loop {
        let read = record.log.events_after(cursor, filter, page).await.unwrap();
        assert!(read.events.len() <= page, "a page holds no more than asked for");
        assert!(
            read.at_end || read.scanned_to > cursor,
            "a page that is not at the end leads on"
        );
        if let Some(last) = read.events.last() {
            assert!(
                last.cursor <= read.scanned_to,
                "what was found lies in what was searched"
            );
        }
        events.extend(read.events);
        cursor = read.scanned_to;
        if read.at_end {
            return events;
        }
    }
}

/// All state rows, read page by page.
pub async fn rows(record: &DatabasePorts) -> Vec<AggregateRow> {
    let mut rows: Vec<AggregateRow> = Vec::new();
    loop {
        let after = rows.last().map(|row| row.stream);
        let page = record.state_rows.state_rows(after, 7).await.unwrap();
        let Some(first) = page.first() else {
            return rows;
        };
        assert!(after < Some(first.stream), "a page of rows leads on");
        rows.extend(page);
    }
}

/// The state that a stream's events fold to.
pub async fn fold(record: &DatabasePorts, stream: StreamId) -> AggregateState {
    let stored = record.log.events(stream, Version::NEW).await.unwrap();
    let events = || stored.iter().map(|stored| &stored.event);
    match stream {
        StreamId::User(_) => AggregateState::User(
            User::fold(events().filter_map(|event| match event {
                DomainEvent::User(event) => Some(event),
                DomainEvent::Job(_) | DomainEvent::Photo(_) => None,
            }))
            .unwrap(),
        ),
        StreamId::Job(_) => AggregateState::Job(
            UploadJob::fold(events().filter_map(|event| match event {
                DomainEvent::Job(event) => Some(event),
                DomainEvent::User(_) | DomainEvent::Photo(_) => None,
            }))
            .unwrap(),
        ),
        StreamId::Photo(_) => AggregateState::Photo(Box::new(
            Photo::fold(events().filter_map(|event| match event {
                DomainEvent::Photo(event) => Some(event),
                DomainEvent::User(_) | DomainEvent::Job(_) => None,
            }))
            .unwrap(),
        )),
    }
}

/// The streams that a commit was refused for, in their order.
pub fn conflicts(outcome: Result<Committed, CommitError>) -> Vec<VersionConflict> {
    match outcome {
        Err(CommitError::Conflict(mut conflicts)) => {
            conflicts.sort_by_key(|conflict| conflict.stream);
            conflicts
        }
        other => panic!("expected a conflict, got {other:?}"),
    }
}

/// What a commit was refused for because it is taken.
pub fn duplicate(outcome: Result<Committed, CommitError>) -> Unique {
    match outcome {
        Err(CommitError::Duplicate(unique)) => unique,
        other => panic!("expected a duplicate, got {other:?}"),
    }
}
