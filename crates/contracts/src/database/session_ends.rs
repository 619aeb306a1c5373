//! Ends of sessions: by their user, by another login, and by their expiry.

use std::time::Duration;

use rapidphoto_application::ports::{Rotation, Session};

use super::{
    DatabaseHarness,
    fixtures::{self, CommitExt, commit_ok},
    sessions::{LIFETIME, MAX, Opened},
};

/// Sessions over the maximum end, the least recently used first; other users' are not affected.
pub async fn a_user_has_a_maximum_of_sessions<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let other = Opened::new(&db, now).await;
    let user = fixtures::user(&db, now).await;
    let first = Opened::of_user(&db, user, now).await;
    let second = Opened::of_user(&db, user, now + Duration::from_secs(1)).await;
    let later = now + Duration::from_secs(2);
    first.rotate(&db, first.token, fixtures::token(), later).await;
    let third = fixtures::session(user, now + LIFETIME);
    let ended = fixtures::open_session(&db, &third, fixtures::token(), later, 2).await;
    assert_eq!(ended.unwrap(), [second.session.id]);
    assert!(!second.is_open(&db, later).await);
    assert!(first.is_open(&db, later).await && other.is_open(&db, later).await);
    let fourth = fixtures::session(user, now + LIFETIME);
    let last = later + Duration::from_secs(1);
    let mut ended = fixtures::open_session(&db, &fourth, fixtures::token(), last, 1)
        .await
        .unwrap();
    ended.sort_unstable();
    let mut expected = [first.session.id, third.id];
    expected.sort_unstable();
    assert_eq!(ended, expected);
}

/// All sessions of a user end, with their tickets, and no others.
pub async fn all_sessions_of_a_user_end_together<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let other = Opened::new(&db, now).await;
    let first = Opened::new(&db, now).await;
    let second = Opened::of_user(&db, first.session.user, now).await;
    let ticket = fixtures::ticket(&second.session, now + LIFETIME);
    db.sessions.add_ticket(&ticket, MAX).await.unwrap();
    assert_eq!(db.sessions.end_all(first.session.user).await.unwrap(), 2);
    assert!(!first.is_open(&db, now).await && !second.is_open(&db, now).await);
    let redeemed = db.sessions.use_ticket(ticket.ticket, None, now).await.unwrap();
    assert_eq!(redeemed, None);
    assert!(other.is_open(&db, now).await);
    assert_eq!(db.sessions.end_all(first.session.user).await.unwrap(), 0);
}

/// Ending a session ends its token and its tickets, and nothing else.
pub async fn an_ended_session_accepts_no_token<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let other = Opened::new(&db, now).await;
    let opened = Opened::new(&db, now).await;
    let second = fixtures::token();
    opened.rotate(&db, opened.token, second, now).await;
    let ticket = fixtures::ticket(&opened.session, now + LIFETIME);
    db.sessions.add_ticket(&ticket, MAX).await.unwrap();
    let (id, user) = (opened.session.id, opened.session.user);
    assert_eq!(db.sessions.end(id).await.unwrap(), Some(user));
    for token in [opened.token, second] {
        assert_eq!(
            opened.rotate(&db, token, fixtures::token(), now).await,
            Rotation::Invalid
        );
    }
    assert!(!opened.is_open(&db, now).await);
    let redeemed = db.sessions.use_ticket(ticket.ticket, None, now).await.unwrap();
    assert_eq!(redeemed, None);
    assert_eq!(db.sessions.end(id).await.unwrap(), None);
    let rotated = other.rotate(&db, other.token, fixtures::token(), now).await;
    assert!(matches!(rotated, Rotation::Rotated(_)), "{rotated:?}");
}

/// Expired items are deleted and counted once; valid ones are kept.
pub async fn expired_sessions_tickets_and_keys_are_deleted<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let user = fixtures::user(&db, now).await;
    let end = now + LIFETIME;
    let long = end + LIFETIME;
    let mut kept = Vec::new();
    for (index, expires_at) in [end, long].into_iter().enumerate() {
        let session = Session {
            ends_at: long,
            ..fixtures::session(user, expires_at)
        };
        let opened = Opened::open(&db, session, now).await;
        let ticket = fixtures::ticket(&opened.session, expires_at);
        db.sessions.add_ticket(&ticket, MAX).await.unwrap();
        let mut commit = fixtures::commit(now);
        commit.write_job(user, 0);
        let key = fixtures::idempotency(user, &format!("key {index}"), expires_at);
        commit.idempotency = Some(key.clone());
        commit_ok(&db, commit).await;
        kept.push((opened, ticket, key));
    }
    let last = end - Duration::from_millis(1);
    assert_eq!(db.sessions.delete_expired(last).await.unwrap(), 0);
    assert_eq!(db.sessions.delete_expired(end).await.unwrap(), 3);
    assert_eq!(db.sessions.delete_expired(end).await.unwrap(), 0);
    // They are not found even as of a time when they were valid.
    let (opened, ticket, key) = &kept[0];
    assert_eq!(
        opened.rotate(&db, opened.token, fixtures::token(), now).await,
        Rotation::Invalid
    );
    assert_eq!(
        db.sessions
            .use_ticket(ticket.ticket, ticket.job, now)
            .await
            .unwrap(),
        None
    );
    assert_eq!(
        db.idempotency.idempotency(user, &key.key, now).await.unwrap(),
        None
    );
    let (opened, ticket, key) = &kept[1];
    let rotated = opened.rotate(&db, opened.token, fixtures::token(), end).await;
    assert!(matches!(rotated, Rotation::Rotated(_)), "{rotated:?}");
    assert!(
        db.sessions
            .use_ticket(ticket.ticket, ticket.job, end)
            .await
            .unwrap()
            .is_some()
    );
    let read = db.idempotency.idempotency(user, &key.key, end).await.unwrap();
    assert_eq!(read.as_ref(), Some(key));
}

/// Of watched sessions, those that have ended, that have expired by the database's clock, and unknown ones are found.
pub async fn ended_sessions_are_found_among_watched_ones<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let (short, long, ended) = (
        Opened::new(&db, now).await,
        Opened::new(&db, now + LIFETIME).await,
        Opened::new(&db, now).await,
    );
    let unknown = fixtures::session(fixtures::user_id(), now).id;
    db.sessions.end(ended.session.id).await.unwrap();
    let ids = [short.session.id, long.session.id, ended.session.id, unknown];
    let found = async |expected: &[usize]| {
        let mut found = db.sessions.ended_among(&ids).await.unwrap();
        found.sort_unstable();
        let mut expected: Vec<_> = expected.iter().map(|index| ids[*index]).collect();
        expected.sort_unstable();
        assert_eq!(found, expected);
    };
    found(&[2, 3]).await;
    harness.advance(LIFETIME - Duration::from_millis(1)).await;
    found(&[2, 3]).await;
    harness.advance(Duration::from_millis(1)).await;
    found(&[0, 2, 3]).await;
    assert_eq!(db.sessions.ended_among(&[]).await.unwrap(), []);
    assert_eq!(
        harness
            .other_namespace()
            .sessions
            .ended_among(&ids)
            .await
            .unwrap()
            .len(),
        4
    );
    // More than one statement of some databases can name.
    let mut many: Vec<_> = (0..40_000)
        .map(|_| fixtures::session(short.session.user, now).id)
        .collect();
    many.push(long.session.id);
    let unknown = many.len() - 1;
    assert_eq!(db.sessions.ended_among(&many).await.unwrap().len(), unknown);
}
