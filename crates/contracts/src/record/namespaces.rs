//! Namespaces: several deployments in one store, none of which sees anything of another.

use rapidphoto_application::ports::{Cursor, EventFilter, PhotoListQuery, WorkKind};
use rapidphoto_domain::{Version, photo::PhotoCommand};

use super::{
    RecordHarness,
    given::{self, LEASE, Writing, stands},
    seen::Everything,
};

/// Nothing that one namespace holds is seen from another, by id or by search.
pub async fn nothing_is_seen_from_another_namespace<H: RecordHarness>(harness: H) {
    let (record, other, now) = (harness.record(), harness.neighbour(), harness.now());
    let untouched = Everything::of(&other).await;
    let email = given::email();
    let mut commit = given::commit(now);
    let user = commit.write_user(&email).value.id;
    stands(&record, commit).await;
    let mut commit = given::commit(now);
    let job = commit.write_job(user, 1).value;
    let photo = commit.write_photo(given::promise(now, user, job.id));
    for kind in WorkKind::ALL {
        commit.work.push(given::schedule(&photo, kind, now));
    }
    let kept = given::idempotency(user, "key", now + LEASE);
    commit.idempotency = Some(kept.clone());
    stands(&record, commit).await;
    let session = given::session(user, now + LEASE);
    record.sessions.open(&session).await.unwrap();
    let ticket = given::ticket(user, now + LEASE);
    record.sessions.add_ticket(&ticket).await.unwrap();
    let lease = record
        .subscriptions
        .acquire("job-completion", LEASE)
        .await
        .unwrap();
    assert!(lease.is_some());

    assert_eq!(Everything::of(&other).await, untouched);
    assert_eq!(other.log.head().await.unwrap(), Cursor::START);
    for stream in [user.into(), job.id.into(), photo.value.id.into()] {
        assert_eq!(other.log.latest_version(stream).await.unwrap(), Version::NEW);
        assert_eq!(other.log.events(stream, Version::NEW).await.unwrap(), []);
    }
    assert_eq!(other.aggregates.photo(photo.value.id).await.unwrap(), None);
    assert_eq!(other.aggregates.job(job.id).await.unwrap(), None);
    assert_eq!(other.aggregates.user(user).await.unwrap(), None);
    assert_eq!(other.aggregates.photos_of_job(job.id).await.unwrap(), []);
    assert_eq!(other.jobs.job(user, job.id).await.unwrap(), None);
    assert_eq!(other.photos.photo(user, photo.value.id).await.unwrap(), None);
    assert_eq!(other.photos.by_ids(user, &[photo.value.id]).await.unwrap(), []);
    assert_eq!(
        other
            .photos
            .by_upload_ids(user, &[photo.value.upload_id])
            .await
            .unwrap(),
        []
    );
    let list = PhotoListQuery {
        size: 10,
        ..PhotoListQuery::default()
    };
    assert_eq!(other.photos.list(user, &list).await.unwrap().items, []);
    assert_eq!(other.users.credentials(&email).await.unwrap(), None);
    assert_eq!(
        other.idempotency.idempotency(user, &kept.key, now).await.unwrap(),
        None
    );
    assert_eq!(other.work.claim(&WorkKind::ALL, 10, LEASE).await.unwrap(), []);
    assert_eq!(other.work.make_looks_due().await.unwrap(), 0);
    assert_eq!(other.work.expire_claims().await.unwrap(), 0);
    assert_eq!(other.subscriptions.expire_leases().await.unwrap(), 0);
    assert_eq!(
        other
            .sessions
            .use_ticket(ticket.ticket, ticket.job, now)
            .await
            .unwrap(),
        None
    );
    let rotated = other
        .sessions
        .rotate(session.token, given::token(), now, LEASE, now + LEASE)
        .await
        .unwrap();
    assert_eq!(rotated, rapidphoto_application::ports::Rotation::Refused);
    // Nor can it be taken away from there.
    other.sessions.revoke(session.token).await.unwrap();
    assert_eq!(other.sessions.delete_expired(now + LEASE * 2).await.unwrap(), 0);
    assert_eq!(
        record
            .sessions
            .use_ticket(ticket.ticket, ticket.job, now)
            .await
            .unwrap(),
        Some(ticket)
    );
    assert_eq!(
        record.work.claim(&WorkKind::ALL, 10, LEASE).await.unwrap().len(),
        3
    );
}

/// Names that must be unique are unique within their namespace.
pub async fn names_are_unique_within_their_namespace<H: RecordHarness>(harness: H) {
    let now = harness.now();
    let email = given::email();
    for record in [harness.record(), harness.neighbour()] {
        let mut commit = given::commit(now);
        let user = commit.write_user(&email).value.id;
        stands(&record, commit).await;
        let mut commit = given::commit(now);
        commit.idempotency = Some(given::idempotency(user, "key", now + LEASE));
        stands(&record, commit).await;
        assert_eq!(
            record.users.credentials(&email).await.unwrap().unwrap().user,
            user
        );
    }
}

/// Each namespace has its own log, in which the events of others leave no trace and no gap to trip over.
pub async fn each_namespace_has_its_own_log<H: RecordHarness>(harness: H) {
    let (record, other, now) = (harness.record(), harness.neighbour(), harness.now());
    let (mine, theirs) = (given::user(&record, now).await, given::user(&other, now).await);
    for _ in 0..3 {
        let photo = given::photo(&record, now, mine).await;
        given::photo(&other, now, theirs).await;
        given::command(&record, now, &photo, PhotoCommand::Cancel).await;
    }
    for (record, owner, events) in [(&record, mine, 1 + 3 * 3), (&other, theirs, 1 + 3 * 2)] {
        for page in [1, 3, 100] {
            let all = super::seen::events_from(record, Cursor::START, &EventFilter::default(), page).await;
            assert_eq!(all.len(), events);
            assert!(all.iter().all(|event| event.owner == owner));
            assert_eq!(all.last().unwrap().cursor, record.log.head().await.unwrap());
        }
        let behind = record.log.count_events_after(Cursor::START, 100).await.unwrap();
        assert_eq!(behind, Some(events as u64));
    }
}

/// A subscription of the same name runs in each namespace, on its own.
pub async fn each_namespace_runs_its_own_subscriptions<H: RecordHarness>(harness: H) {
    let (record, other) = (harness.record(), harness.neighbour());
    let mine = record.subscriptions.acquire("relay", LEASE).await.unwrap();
    let theirs = other.subscriptions.acquire("relay", LEASE).await.unwrap();
    assert!(mine.is_some() && theirs.is_some());
    record.subscriptions.release(&mine.unwrap()).await.unwrap();
    assert_eq!(other.subscriptions.acquire("relay", LEASE).await.unwrap(), None);
}
