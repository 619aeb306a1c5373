//! State of the database and outcomes of commits, as observed through its ports.

use std::time::Duration;

use rapidphoto_application::ports::{
    AggregateRow, AggregateState, CommitError, Committed, Cursor, DatabasePorts, EventFilter, StoredEvent,
    Unique, VersionConflict, WorkKind,
};
use rapidphoto_domain::{DomainEvent, StreamId, Version, job::UploadJob, photo::Photo, user::User};

/// Snapshot of the observable state, read without changing it. Snapshots before and after a rejected commit are equal.
#[derive(Debug, Clone, PartialEq)]
pub struct Snapshot {
    events: Vec<StoredEvent>,
    rows: Vec<AggregateRow>,
    streams: u64,
    due: Vec<[Option<Duration>; 2]>,
    depth: Vec<u64>,
}

impl Snapshot {
    /// Reads the current state.
    pub async fn of(db: &DatabasePorts) -> Self {
        let (mut due, mut depth) = (Vec::new(), Vec::new());
        for kind in WorkKind::ALL {
            let due_in = db.work.due_in(&[kind]).await.unwrap();
            due.push([due_in, db.work.orphan_due_in(&[kind]).await.unwrap()]);
            depth.push(db.work.depth(kind).await.unwrap());
        }
        Self {
            events: log(db).await,
            rows: rows(db).await,
            streams: db.state_rows.stream_count().await.unwrap(),
            due,
            depth,
        }
    }
}

/// End of the log, once nothing is held back by commits in progress.
pub async fn end(db: &DatabasePorts) -> Cursor {
    loop {
        let head = db.log.head().await.unwrap();
        let page = db
            .log
            .events_after(head, &EventFilter::default(), 1)
            .await
            .unwrap();
        if page.at_end && !page.held {
            return page.scanned_to;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// All events, in the log's order.
pub async fn log(db: &DatabasePorts) -> Vec<StoredEvent> {
    events_from(db, Cursor::START, &EventFilter::default(), 1000).await
}

/// All matching events after a cursor, read page by page to the log's head, once nothing is held back by commits in
/// progress.
pub async fn events_from(
    db: &DatabasePorts,
    after: Cursor,
    filter: &EventFilter,
    page: usize,
) -> Vec<StoredEvent> {
    let (mut cursor, mut events) = (after, Vec::new());
    loop {
        let read = db.log.events_after(cursor, filter, page).await.unwrap();
        assert!(
            read.events.len() <= page,
            "a page has no more events than the limit"
        );
        assert!(
            read.at_end || read.scanned_to > cursor,
            "a page before the end advances"
        );
        if let Some(last) = read.events.last() {
            assert!(
                last.cursor <= read.scanned_to,
                "events of a page lie within its scanned range"
            );
        }
        events.extend(read.events);
        cursor = read.scanned_to;
        if read.at_end && !read.held {
            return events;
        }
        if read.at_end {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
}

/// All state rows, read page by page.
pub async fn rows(db: &DatabasePorts) -> Vec<AggregateRow> {
    let mut rows: Vec<AggregateRow> = Vec::new();
    loop {
        let after = rows.last().map(|row| row.stream);
        let page = db.state_rows.state_rows(after, 7).await.unwrap();
        let Some(first) = page.first() else {
            return rows;
        };
        assert!(after < Some(first.stream), "a page of rows advances");
        rows.extend(page);
    }
}

/// The state to which a stream's events fold.
pub async fn fold(db: &DatabasePorts, stream: StreamId) -> AggregateState {
    let stored = db.log.events(stream, Version::NEW).await.unwrap();
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

/// Expects a version conflict and returns its streams in order.
pub fn conflicts(outcome: Result<Committed, CommitError>) -> Vec<VersionConflict> {
    match outcome {
        Err(CommitError::Conflict(mut conflicts)) => {
            conflicts.sort_by_key(|conflict| conflict.stream);
            conflicts
        }
        other => panic!("expected a conflict, got {other:?}"),
    }
}

/// Expects a duplicate and returns the duplicate value.
pub fn duplicate(outcome: Result<Committed, CommitError>) -> Unique {
    match outcome {
        Err(CommitError::Duplicate(unique)) => unique,
        other => panic!("expected a duplicate, got {other:?}"),
    }
}
