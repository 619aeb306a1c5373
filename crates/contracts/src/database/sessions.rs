//! Refresh tokens: each is used once, so that the reuse of a stolen one is detected.

use std::time::Duration;

use rapidphoto_application::ports::{DatabasePorts, RefreshSession, Rotation, Scope, Scopes, TokenHash};
use rapidphoto_domain::Timestamp;

use super::{
    DatabaseHarness,
    fixtures::{self, CommitExt, commit_ok},
};

const GRACE: Duration = Duration::from_secs(30);
const LIFETIME: Duration = Duration::from_hours(1);

async fn opened(db: &DatabasePorts, now: Timestamp) -> RefreshSession {
    let user = fixtures::user(db, now).await;
    let session = fixtures::session(user, now + LIFETIME);
    db.sessions.open(&session).await.unwrap();
    session
}

async fn rotate(db: &DatabasePorts, token: TokenHash, successor: TokenHash, now: Timestamp) -> Rotation {
    db.sessions
        .rotate(token, successor, now, GRACE, now + LIFETIME)
        .await
        .unwrap()
}

fn successor(of: &RefreshSession, token: TokenHash, now: Timestamp) -> RefreshSession {
    RefreshSession {
        token,
        expires_at: now + LIFETIME,
        ..of.clone()
    }
}

/// A token is replaced by a successor with the same family, user and scopes and a lifetime of its own.
pub async fn a_token_is_replaced_by_its_successor<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let user = fixtures::user(&db, now).await;
    for scopes in [
        Scopes::of_user(),
        [Scope::PhotosRead].into_iter().collect(),
        [Scope::Admin, Scope::PhotosWrite].into_iter().collect(),
    ] {
        let first = RefreshSession {
            scopes,
            ..fixtures::session(user, now + LIFETIME)
        };
        db.sessions.open(&first).await.unwrap();
        let mut current = first;
        for step in 1..5 {
            let at = now + LIFETIME / 2 * step;
            let token = fixtures::token();
            let next = successor(&current, token, at);
            assert_eq!(
                rotate(&db, current.token, token, at).await,
                Rotation::Rotated(next.clone())
            );
            current = next;
        }
    }
}

/// A client that retries after a lost response receives the same successor.
pub async fn a_rotation_repeated_within_the_grace_period_returns_the_same_successor<H: DatabaseHarness>(
    harness: H,
) {
    let (db, now) = (harness.ports(), harness.now());
    let session = opened(&db, now).await;
    let token = fixtures::token();
    let next = successor(&session, token, now);
    assert_eq!(
        rotate(&db, session.token, token, now).await,
        Rotation::Rotated(next.clone())
    );
    for after in [Duration::ZERO, Duration::from_secs(1), GRACE] {
        let again = rotate(&db, session.token, token, now + after).await;
        assert_eq!(again, Rotation::Repeated(next.clone()), "{after:?} later");
    }
    // The repetition has no side effect: the successor is still valid.
    let third = rotate(&db, token, fixtures::token(), now + GRACE).await;
    assert!(matches!(third, Rotation::Rotated(_)), "{third:?}");
}

/// Reuse after the grace period means that the token or its successor was stolen: the whole family is revoked.
pub async fn a_token_reused_after_the_grace_period_revokes_its_family<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let session = opened(&db, now).await;
    let same_user = fixtures::session(session.user, now + LIFETIME);
    db.sessions.open(&same_user).await.unwrap();
    let (second, third) = (fixtures::token(), fixtures::token());
    rotate(&db, session.token, second, now).await;
    rotate(&db, second, third, now).await;
    let late = now + GRACE + Duration::from_millis(1);
    assert_eq!(rotate(&db, session.token, second, late).await, Rotation::Reused);
    for token in [session.token, second, third] {
        let rejected = rotate(&db, token, fixtures::token(), late).await;
        assert!(
            matches!(rejected, Rotation::Invalid | Rotation::Reused),
            "{rejected:?}"
        );
    }
    assert_eq!(
        rotate(&db, third, fixtures::token(), late).await,
        Rotation::Invalid
    );
    // Other logins of the same user stay valid.
    let other = rotate(&db, same_user.token, fixtures::token(), late).await;
    assert!(matches!(other, Rotation::Rotated(_)), "{other:?}");
}

/// One of concurrent rotations of a token rotates, the others repeat it.
pub async fn concurrent_rotations_rotate_once<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let session = opened(&db, now).await;
    let token = fixtures::token();
    let next = successor(&session, token, now);
    let rotations: Vec<_> = (0..20)
        .map(|_| {
            let db = db.clone();
            tokio::spawn(async move { rotate(&db, session.token, token, now).await })
        })
        .collect();
    let (mut rotated, mut repeated) = (0, 0);
    for rotation in rotations {
        match rotation.await.unwrap() {
            Rotation::Rotated(session) if session == next => rotated += 1,
            Rotation::Repeated(session) if session == next => repeated += 1,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!((rotated, repeated), (1, 19));
}

/// Unknown and expired tokens are rejected and do not store a successor.
pub async fn unknown_and_expired_tokens_are_rejected<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let successor = fixtures::token();
    assert_eq!(
        rotate(&db, fixtures::token(), successor, now).await,
        Rotation::Invalid
    );
    assert_eq!(
        rotate(&db, successor, fixtures::token(), now).await,
        Rotation::Invalid
    );
    let session = opened(&db, now).await;
    assert_eq!(
        rotate(&db, session.token, successor, now + LIFETIME).await,
        Rotation::Invalid
    );
    assert_eq!(
        rotate(&db, successor, fixtures::token(), now).await,
        Rotation::Invalid
    );
    let in_time = now + LIFETIME - Duration::from_millis(1);
    let rotated = rotate(&db, session.token, successor, in_time).await;
    assert!(matches!(rotated, Rotation::Rotated(_)), "{rotated:?}");
}

/// Revoking any token of a family, including a rotated one, revokes the whole family and nothing else.
pub async fn revoking_a_token_revokes_its_family<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let other = opened(&db, now).await;
    for with_old in [true, false] {
        let session = opened(&db, now).await;
        let second = fixtures::token();
        rotate(&db, session.token, second, now).await;
        let revoked = if with_old { session.token } else { second };
        db.sessions.revoke(revoked).await.unwrap();
        assert_eq!(
            rotate(&db, second, fixtures::token(), now).await,
            Rotation::Invalid
        );
        assert_eq!(rotate(&db, session.token, second, now).await, Rotation::Invalid);
    }
    db.sessions.revoke(fixtures::token()).await.unwrap();
    let rotated = rotate(&db, other.token, fixtures::token(), now).await;
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
        let session = fixtures::session(user, expires_at);
        db.sessions.open(&session).await.unwrap();
        let ticket = fixtures::ticket(user, expires_at);
        db.sessions.add_ticket(&ticket).await.unwrap();
        let mut commit = fixtures::commit(now);
        commit.write_job(user, 0);
        let key = fixtures::idempotency(user, &format!("key {index}"), expires_at);
        commit.idempotency = Some(key.clone());
        commit_ok(&db, commit).await;
        kept.push((session, ticket, key));
    }
    let last = end - Duration::from_millis(1);
    assert_eq!(db.sessions.delete_expired(last).await.unwrap(), 0);
    assert_eq!(db.sessions.delete_expired(end).await.unwrap(), 3);
    assert_eq!(db.sessions.delete_expired(end).await.unwrap(), 0);
    // They are not found even as of a time when they were valid.
    let (session, ticket, key) = &kept[0];
    assert_eq!(
        rotate(&db, session.token, fixtures::token(), now).await,
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
    let (session, ticket, key) = &kept[1];
    let rotated = rotate(&db, session.token, fixtures::token(), end).await;
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

/// A revoked family stays revoked after its oldest tokens were deleted.
pub async fn a_revoked_family_stays_revoked<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let session = opened(&db, now).await;
    let second = fixtures::token();
    let halfway = now + LIFETIME / 2;
    rotate(&db, session.token, second, halfway).await;
    db.sessions.revoke(session.token).await.unwrap();
    let end = now + LIFETIME;
    assert_eq!(db.sessions.delete_expired(end).await.unwrap(), 1);
    assert_eq!(
        rotate(&db, second, fixtures::token(), end).await,
        Rotation::Invalid
    );
}
