//! Namespaces: several deployments in one database, isolated from each other.

use rapidphoto_application::ports::{Cursor, EventFilter, PhotoListQuery, Rotation, TokenRotation, WorkKind};
use rapidphoto_domain::{Version, photo::PhotoCommand};

use super::{
    DatabaseHarness,
    fixtures::{self, CommitExt, LEASE, commit_ok},
    observations::Snapshot,
    photo_tags::{tag, tagged, untag},
};

/// The data of one namespace is not visible in another, neither by id nor by search.
pub async fn nothing_is_visible_from_another_namespace<H: DatabaseHarness>(harness: H) {
    let (db, other, now) = (harness.ports(), harness.other_namespace(), harness.now());
    let untouched = Snapshot::of(&other).await;
    let email = fixtures::email();
    let mut commit = fixtures::commit(now);
    let user = commit.write_user(&email).value.id;
    commit_ok(&db, commit).await;
    let mut commit = fixtures::commit(now);
    let job = commit.write_job(user, 1).value;
    let photo = commit.write_photo(fixtures::declared_photo(now, user, job.id));
    for kind in WorkKind::ALL {
        commit.work.push(fixtures::schedule(&photo, kind));
    }
    let kept = fixtures::idempotency(user, "key", now + LEASE);
    commit.idempotency = Some(kept.clone());
    commit_ok(&db, commit).await;
    let session = fixtures::session(user, now + LEASE);
    let token = fixtures::token();
    fixtures::open_session(&db, &session, token, now, 10)
        .await
        .unwrap();
    let ticket = fixtures::ticket(&session, now + LEASE);
    db.sessions.add_ticket(&ticket, 10).await.unwrap();
    let lease = db.subscriptions.acquire("job-completion", LEASE).await.unwrap();
    assert!(lease.is_some());

    assert_eq!(Snapshot::of(&other).await, untouched);
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
    assert_eq!(
        other
            .sessions
            .use_ticket(ticket.ticket, ticket.job, now)
            .await
            .unwrap(),
        None
    );
    let rotation = TokenRotation {
        session: session.id,
        token,
        successor: fixtures::token(),
        now,
        grace: LEASE,
        expires_at: now + LEASE,
    };
    let rotated = other.sessions.rotate(&rotation).await.unwrap();
    assert_eq!(rotated, Rotation::Invalid);
    assert_eq!(other.sessions.session_of(token).await.unwrap(), None);
    assert!(!other.sessions.is_open(session.id, now).await.unwrap());
    // It can't be removed from there either.
    assert_eq!(other.sessions.end(session.id).await.unwrap(), None);
    assert_eq!(other.sessions.end_all(user).await.unwrap(), 0);
    assert_eq!(other.sessions.delete_expired(now + LEASE * 2).await.unwrap(), 0);
    assert_eq!(
        db.sessions
            .use_ticket(ticket.ticket, ticket.job, now)
            .await
            .unwrap(),
        Some(ticket)
    );
    assert_eq!(db.work.claim(&WorkKind::ALL, 10, LEASE).await.unwrap().len(), 3);
}

/// Unique values are unique within their namespace.
pub async fn unique_values_are_unique_within_their_namespace<H: DatabaseHarness>(harness: H) {
    let now = harness.now();
    let email = fixtures::email();
    for db in [harness.ports(), harness.other_namespace()] {
        let mut commit = fixtures::commit(now);
        let user = commit.write_user(&email).value.id;
        commit_ok(&db, commit).await;
        let mut commit = fixtures::commit(now);
        commit.idempotency = Some(fixtures::idempotency(user, "key", now + LEASE));
        commit_ok(&db, commit).await;
        assert_eq!(db.users.credentials(&email).await.unwrap().unwrap().user, user);
    }
}

/// Each namespace has its own log; events of others are neither visible nor counted.
pub async fn each_namespace_has_its_own_log<H: DatabaseHarness>(harness: H) {
    let (db, other, now) = (harness.ports(), harness.other_namespace(), harness.now());
    let (mine, theirs) = (fixtures::user(&db, now).await, fixtures::user(&other, now).await);
    for _ in 0..3 {
        let photo = fixtures::photo(&db, now, mine).await;
        fixtures::photo(&other, now, theirs).await;
        fixtures::execute(&db, now, &photo, PhotoCommand::Cancel).await;
    }
    for (db, owner, events) in [(&db, mine, 1 + 3 * 3), (&other, theirs, 1 + 3 * 2)] {
        for page in [1, 3, 100] {
            let all =
                super::observations::events_from(db, Cursor::START, &EventFilter::default(), page).await;
            assert_eq!(all.len(), events);
            assert!(all.iter().all(|event| event.owner == owner));
            assert!(all.last().unwrap().cursor <= db.log.head().await.unwrap());
        }
        let behind = db
            .log
            .count_events_after(Cursor::START, owner, None, 100)
            .await
            .unwrap();
        assert_eq!(behind, Some(events as u64));
    }
}

/// Subscriptions of the same name are independent in each namespace.
pub async fn each_namespace_has_its_own_subscriptions<H: DatabaseHarness>(harness: H) {
    let (db, other) = (harness.ports(), harness.other_namespace());
    let mine = db.subscriptions.acquire("relay", LEASE).await.unwrap();
    let theirs = other.subscriptions.acquire("relay", LEASE).await.unwrap();
    assert!(mine.is_some() && theirs.is_some());
    db.subscriptions.release(&mine.unwrap()).await.unwrap();
    assert_eq!(other.subscriptions.acquire("relay", LEASE).await.unwrap(), None);
}

/// A list of one tag has the photos of its namespace only, even if owner and label are the same in another. Changes in one
/// namespace don't change the list of the other.
pub async fn each_namespace_has_its_own_tags<H: DatabaseHarness>(harness: H) {
    let (db, other, now) = (harness.ports(), harness.other_namespace(), harness.now());
    let owner = fixtures::user(&db, now).await;
    let mine = fixtures::photo(&db, now, owner).await;
    let mine = fixtures::execute(&db, now, &mine, tag(&["Zürich"])).await;
    assert_eq!(tagged(&other, owner, "Zürich").await, []);
    let theirs = fixtures::photo(&other, now, owner).await;
    let theirs = fixtures::execute(&other, now, &theirs, tag(&["Zürich"])).await;
    assert_eq!(tagged(&db, owner, "Zürich").await, [mine.value.id]);
    assert_eq!(tagged(&other, owner, "Zürich").await, [theirs.value.id]);
    fixtures::execute(&db, now, &mine, untag(&["Zürich"])).await;
    assert_eq!(tagged(&db, owner, "Zürich").await, []);
    assert_eq!(tagged(&other, owner, "Zürich").await, [theirs.value.id]);
    let cancelled = fixtures::execute(&other, now, &theirs, PhotoCommand::Cancel).await;
    fixtures::execute(
        &db,
        now,
        &fixtures::photo(&db, now, owner).await,
        tag(&["Zürich"]),
    )
    .await;
    fixtures::execute(&other, now, &cancelled, PhotoCommand::Delete).await;
    assert_eq!(tagged(&db, owner, "Zürich").await.len(), 1);
    assert_eq!(tagged(&other, owner, "Zürich").await, []);
}
