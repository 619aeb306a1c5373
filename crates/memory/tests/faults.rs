//! Injected faults: before an operation, after it, and lost announcements.
#![expect(clippy::unwrap_used, reason = "a test panics at the first failure")]

use std::{sync::Arc, time::Duration};

use rapidphoto_application::{
    log::EventCodec,
    ports::{
        AggregateState, Change, Clock, Commit, CommitError, Cursor, EventFilter, EventLog, EventMetadata,
        Journal, NewEvent, NonEmpty, ObjectStore, Presigner, PutGrant, WorkKind, WorkQueue,
    },
};
use rapidphoto_domain::{EventId, UserId, Version, user::User, values::MimeType};
use rapidphoto_memory::{FakeClock, MemoryObjects, MemoryStore, Operation};

fn store() -> MemoryStore {
    MemoryStore::new(Arc::new(FakeClock::default()), EventCodec::default())
}

fn registration(number: u128) -> Commit {
    let user = UserId::from_bits(number);
    let event = User::register(user);
    let mut commit = Commit::new(FakeClock::default().now(), EventMetadata::default());
    commit.changes.push(Change {
        stream: user.into(),
        expected: Version::NEW,
        state: AggregateState::User(User::begin(&event).unwrap()),
        events: NonEmpty::new(
            NewEvent {
                id: EventId::from_bits(number),
                event: event.into(),
            },
            [],
        ),
    });
    commit
}

#[tokio::test]
async fn a_failed_commit_writes_nothing_and_can_be_retried() {
    let store = store();
    store.faults().fail_next(Operation::Commit, 2);
    for left in [2, 1] {
        assert_eq!(store.faults().left(Operation::Commit), left);
        let failed = store.commit(registration(1)).await;
        assert!(matches!(failed, Err(CommitError::Unavailable(_))));
        assert_eq!(store.head().await.unwrap().position(), 0);
    }
    assert_eq!(store.faults().left(Operation::Commit), 0);
    assert!(!store.commit(registration(1)).await.unwrap().repeated);
}

#[tokio::test]
async fn a_commit_whose_response_is_lost_is_written() {
    let store = store();
    store.faults().lose_answers(Operation::Commit, 1);
    let lost = store.commit(registration(1)).await;
    assert!(matches!(lost, Err(CommitError::Unavailable(_))));
    assert_eq!(store.head().await.unwrap().position(), 1);
    assert!(store.commit(registration(1)).await.unwrap().repeated);
}

#[tokio::test]
async fn only_the_requested_operation_fails() {
    let store = store();
    store.faults().fail_next(Operation::Claim, 1);
    store.commit(registration(1)).await.unwrap();
    assert!(store.depth(WorkKind::Look).await.is_err());
    assert_eq!(store.depth(WorkKind::Look).await.unwrap(), 0);
    let other = store.namespace("other");
    store.faults().fail_next(Operation::Read, 1);
    assert!(other.head().await.is_err(), "a store fails as a whole");
}

/// Owners of three concurrent commits, in the order of the log.
async fn commit_order(seed: u64) -> Vec<UserId> {
    let store = store();
    store.faults().yield_randomly(seed);
    let commits = (1..=3).map(|number| store.commit(registration(number)));
    for outcome in futures::future::join_all(commits).await {
        outcome.unwrap();
    }
    let page = store
        .events_after(Cursor::START, &EventFilter::default(), 9)
        .await
        .unwrap();
    page.events.iter().map(|event| event.owner).collect()
}

#[tokio::test]
async fn the_seed_determines_the_order_of_concurrent_calls() {
    let mut orders = std::collections::BTreeSet::new();
    for seed in 0..40 {
        let order = commit_order(seed).await;
        assert_eq!(commit_order(seed).await, order);
        orders.insert(order);
    }
    assert_eq!(orders.len(), 6, "every order of three");
}

fn grant(key: &str) -> PutGrant {
    PutGrant {
        key: key.to_owned(),
        mime_type: MimeType::Jpeg,
        bytes: 5,
        checksum: None,
        valid_for: Duration::from_mins(1),
    }
}

#[tokio::test]
async fn every_stored_object_is_announced_once() {
    let objects = MemoryObjects::new("photos", Arc::new(FakeClock::default()));
    let presigned = Presigner::put(&objects, &grant("test/a b")).await.unwrap();
    assert_eq!(objects.put_as_client(&presigned, "bytes").status, 200);
    ObjectStore::put(&objects, "test/thumbnail", "bytes".into(), "image/jpeg")
        .await
        .unwrap();
    let announced: Vec<serde_json::Value> = objects
        .take_announcements()
        .iter()
        .map(|message| serde_json::from_slice(message).unwrap())
        .collect();
    let keys: Vec<_> = announced
        .iter()
        .map(|message| message["Records"][0]["s3"]["object"]["key"].as_str().unwrap())
        .collect();
    assert_eq!(keys, ["test/a+b", "test/thumbnail"]);
    assert!(objects.take_announcements().is_empty());
}

#[tokio::test]
async fn a_lost_announcement_is_sent_again_with_a_412() {
    let objects = MemoryObjects::new("photos", Arc::new(FakeClock::default()));
    let presigned = Presigner::put(&objects, &grant("key")).await.unwrap();
    objects.faults().fail_next(Operation::Announce, 1);
    assert_eq!(objects.put_as_client(&presigned, "bytes").status, 200);
    assert!(objects.take_announcements().is_empty());
    assert_eq!(objects.bytes("key").unwrap(), "bytes");
    assert_eq!(objects.put_as_client(&presigned, "other").status, 412);
    assert_eq!(objects.take_announcements().len(), 1);
    assert_eq!(objects.bytes("key").unwrap(), "bytes");
}

#[tokio::test]
async fn a_put_with_a_lost_response_is_stored_and_a_failed_one_is_not() {
    let objects = MemoryObjects::new("photos", Arc::new(FakeClock::default()));
    objects.faults().lose_answers(Operation::Put, 1);
    assert!(
        ObjectStore::put(&objects, "one", "bytes".into(), "image/jpeg")
            .await
            .is_err()
    );
    objects.faults().fail_next(Operation::Put, 1);
    assert!(
        ObjectStore::put(&objects, "two", "bytes".into(), "image/jpeg")
            .await
            .is_err()
    );
    assert_eq!(objects.keys(), ["one"]);
}
