//! Commits that overlap: what is committed after a commit in progress is held back until that ends.

use std::time::Duration;

use rapidphoto_application::ports::{Commit, Cursor, DatabasePorts, EventFilter, StoredEvent};
use rapidphoto_domain::{EventId, JobId, UserId};
use tokio::time::timeout;

use super::{
    DatabaseHarness, OpenCommit,
    fixtures::{self, CommitExt as _, commit_ok},
    observations,
};

/// Limit for a wait that ends at once unless the adapter is broken.
const TIMEOUT: Duration = Duration::from_secs(20);

/// A commit that creates a job with one photo.
fn new_job<H: DatabaseHarness>(harness: &H, owner: UserId) -> (Commit, JobId) {
    let now = harness.now();
    let mut commit = fixtures::commit(now);
    let job = commit.write_job(owner, 1).value.id;
    commit.write_photo(fixtures::declared_photo(now, owner, job));
    (commit, job)
}

async fn end_commit(open: OpenCommit) {
    timeout(TIMEOUT, open).await.unwrap().unwrap();
}

/// An adapter whose commits never overlap: a commit can be read as soon as it has succeeded.
async fn assert_nothing_is_held_back(db: &DatabasePorts, commit: Commit) {
    let cursor = commit_ok(db, commit).await.cursor;
    let page = db
        .log
        .events_after(Cursor::START, &EventFilter::default(), 100)
        .await
        .unwrap();
    assert_eq!(page.events.last().unwrap().cursor, cursor);
    assert!(!page.held);
}

fn jobs(events: &[StoredEvent]) -> Vec<Option<JobId>> {
    let mut jobs: Vec<_> = events.iter().map(|event| event.job).collect();
    jobs.dedup();
    jobs
}

/// Events that are committed while an earlier commit is open are neither read nor skipped, and readers are told.
pub async fn events_after_an_open_commit_are_held_back<H: DatabaseHarness>(harness: H) {
    let db = harness.ports();
    let owner = fixtures::user(&db, harness.now()).await;
    let start = observations::end(&db).await;
    let (first, _) = new_job(&harness, owner);
    let (second, second_job) = new_job(&harness, owner);
    let Some(open) = harness.open_commit(first).await else {
        return assert_nothing_is_held_back(&db, second).await;
    };
    let committed = commit_ok(&db, second).await;
    let any = EventFilter::default();
    let page = db.log.events_after(start, &any, 100).await.unwrap();
    assert_eq!((page.events, page.at_end, page.held), (Vec::new(), true, true));
    assert!(page.scanned_to < committed.cursor);
    assert!(db.log.head().await.unwrap() < committed.cursor);
    let counted = db.log.count_events_after(start, owner, None, 100).await;
    assert_eq!(
        counted.unwrap(),
        Some(0),
        "events that can't be read are not counted"
    );
    // The state can be read before the events, so that a snapshot's cursor must precede them.
    let view = db.jobs.job(owner, second_job).await.unwrap().unwrap();
    assert_eq!(view.photos.len(), 1);
    assert!(view.cursor < committed.cursor);
    end_commit(open).await;
    let of_job = EventFilter {
        job: Some(second_job),
        ..EventFilter::default()
    };
    assert_eq!(
        observations::events_from(&db, view.cursor, &of_job, 10)
            .await
            .len(),
        2
    );
}

/// A commit that ends after later ones is read by readers of every kind, once and before the later ones.
pub async fn a_late_commit_is_read_by_every_reader_once_and_in_order<H: DatabaseHarness>(harness: H) {
    let db = harness.ports();
    let owner = fixtures::user(&db, harness.now()).await;
    let start = observations::end(&db).await;
    let (first, first_job) = new_job(&harness, owner);
    let (second, second_job) = new_job(&harness, owner);
    let (third, third_job) = new_job(&harness, owner);
    let filters = [
        EventFilter::default(),
        EventFilter {
            owner: Some(owner),
            ..EventFilter::default()
        },
        EventFilter {
            event_types: vec!["PhotoQueued".to_owned()],
            ..EventFilter::default()
        },
    ];
    let Some(open) = harness.open_commit(first).await else {
        return assert_nothing_is_held_back(&db, second).await;
    };
    let mut readers = Vec::new();
    for filter in filters {
        readers.push((filter, start, Vec::new()));
    }
    commit_ok(&db, second).await;
    for (filter, cursor, events) in &mut readers {
        read_on(&db, filter, cursor, events).await;
    }
    commit_ok(&db, third).await;
    for (filter, cursor, events) in &mut readers {
        read_on(&db, filter, cursor, events).await;
        assert_eq!(*events, [], "nothing can be read while the first commit is open");
    }
    end_commit(open).await;
    observations::end(&db).await;
    for (filter, cursor, events) in &mut readers {
        read_on(&db, filter, cursor, events).await;
        let expected = [first_job, second_job, third_job].map(Some);
        assert_eq!(jobs(events), expected, "{filter:?}");
        let ids: std::collections::BTreeSet<EventId> = events.iter().map(|event| event.id).collect();
        assert_eq!(ids.len(), events.len(), "each event is read once");
        assert!(events.is_sorted_by(|one, next| one.cursor < next.cursor));
    }
}

/// Reads to the end of the readable log.
async fn read_on(
    db: &DatabasePorts,
    filter: &EventFilter,
    cursor: &mut Cursor,
    events: &mut Vec<StoredEvent>,
) {
    loop {
        let page = db.log.events_after(*cursor, filter, 3).await.unwrap();
        assert!(page.scanned_to >= *cursor);
        events.extend(page.events);
        *cursor = page.scanned_to;
        if page.at_end {
            return;
        }
    }
}

/// A reader with rare matches advances to the open commit and no further.
pub async fn a_filtered_reader_advances_while_events_are_held_back<H: DatabaseHarness>(harness: H) {
    let db = harness.ports();
    let now = harness.now();
    let (owner, other) = (fixtures::user(&db, now).await, fixtures::user(&db, now).await);
    for _ in 0..20 {
        fixtures::job(&db, now, other, 3).await;
    }
    let before = observations::end(&db).await;
    let (first, first_job) = new_job(&harness, owner);
    let (second, second_job) = new_job(&harness, owner);
    let rare = EventFilter {
        owner: Some(owner),
        event_types: vec!["UploadJobCreated".to_owned()],
        ..EventFilter::default()
    };
    let Some(open) = harness.open_commit(first).await else {
        return assert_nothing_is_held_back(&db, second).await;
    };
    let committed = commit_ok(&db, second).await;
    let (mut cursor, mut events) = (Cursor::START, Vec::new());
    read_on(&db, &rare, &mut cursor, &mut events).await;
    assert_eq!(events, []);
    assert!(before <= cursor && cursor < committed.cursor);
    end_commit(open).await;
    observations::end(&db).await;
    read_on(&db, &rare, &mut cursor, &mut events).await;
    assert_eq!(jobs(&events), [first_job, second_job].map(Some));
}

/// A commit that is abandoned midway leaves no event, and later events become readable.
pub async fn a_commit_that_is_abandoned_holds_nothing_back<H: DatabaseHarness>(harness: H) {
    let db = harness.ports();
    let owner = fixtures::user(&db, harness.now()).await;
    let start = observations::end(&db).await;
    let (first, first_job) = new_job(&harness, owner);
    let (second, second_job) = new_job(&harness, owner);
    let Some(open) = harness.open_commit(first).await else {
        return assert_nothing_is_held_back(&db, second).await;
    };
    let committed = commit_ok(&db, second).await;
    drop(open);
    let end = timeout(TIMEOUT, observations::end(&db)).await.unwrap();
    assert!(end >= committed.cursor);
    let events = observations::events_from(&db, start, &EventFilter::default(), 10).await;
    assert_eq!(jobs(&events), [Some(second_job)]);
    assert_eq!(db.aggregates.job(first_job).await.unwrap(), None);
}
