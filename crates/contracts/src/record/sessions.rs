//! Refresh tokens: each is used once, and a stolen one gives itself away.

use std::time::Duration;

use rapidphoto_application::ports::{DatabasePorts, RefreshSession, Rotation, Scope, Scopes, TokenHash};
use rapidphoto_domain::Timestamp;

use super::{
    RecordHarness,
    given::{self, Writing, stands},
};

const GRACE: Duration = Duration::from_secs(30);
const LIFE: Duration = Duration::from_hours(1);

async fn opened(record: &DatabasePorts, now: Timestamp) -> RefreshSession {
    let user = given::user(record, now).await;
    let session = given::session(user, now + LIFE);
    record.sessions.open(&session).await.unwrap();
    session
}

async fn rotate(record: &DatabasePorts, token: TokenHash, successor: TokenHash, now: Timestamp) -> Rotation {
    record
        .sessions
        .rotate(token, successor, now, GRACE, now + LIFE)
        .await
        .unwrap()
}

fn successor(of: &RefreshSession, token: TokenHash, now: Timestamp) -> RefreshSession {
    RefreshSession {
        token,
        expires_at: now + LIFE,
        ..of.clone()
    }
}

/// A token is replaced by its successor, which keeps family, user and scopes and has a life of its own.
pub async fn a_token_is_replaced_by_its_successor<H: RecordHarness>(harness: H) {
    let (record, now) = (harness.record(), harness.now());
    let user = given::user(&record, now).await;
    for scopes in [
        Scopes::of_user(),
        [Scope::PhotosRead].into_iter().collect(),
        [Scope::Admin, Scope::PhotosWrite].into_iter().collect(),
    ] {
        let first = RefreshSession {
            scopes,
            ..given::session(user, now + LIFE)
        };
        record.sessions.open(&first).await.unwrap();
        let mut current = first;
        for step in 1..5 {
            let at = now + LIFE / 2 * step;
            let token = given::token();
            let next = successor(&current, token, at);
            assert_eq!(
                rotate(&record, current.token, token, at).await,
                Rotation::Rotated(next.clone())
            );
            current = next;
        }
    }
}

/// A client whose answer was lost asks again and gets the same successor.
pub async fn a_repetition_within_grace_gets_the_same_successor<H: RecordHarness>(harness: H) {
    let (record, now) = (harness.record(), harness.now());
    let session = opened(&record, now).await;
    let token = given::token();
    let next = successor(&session, token, now);
    assert_eq!(
        rotate(&record, session.token, token, now).await,
        Rotation::Rotated(next.clone())
    );
    for after in [Duration::ZERO, Duration::from_secs(1), GRACE] {
        let again = rotate(&record, session.token, token, now + after).await;
        assert_eq!(again, Rotation::Repeated(next.clone()), "{after:?} later");
    }
    // The repetition did no harm: the successor goes on.
    let third = rotate(&record, token, given::token(), now + GRACE).await;
    assert!(matches!(third, Rotation::Rotated(_)), "{third:?}");
}

/// A token that comes back later is in wrong hands, or its successor is: the whole family is revoked.
pub async fn a_token_that_comes_back_late_revokes_its_family<H: RecordHarness>(harness: H) {
    let (record, now) = (harness.record(), harness.now());
    let session = opened(&record, now).await;
    let same_user = given::session(session.user, now + LIFE);
    record.sessions.open(&same_user).await.unwrap();
    let (second, third) = (given::token(), given::token());
    rotate(&record, session.token, second, now).await;
    rotate(&record, second, third, now).await;
    let late = now + GRACE + Duration::from_millis(1);
    assert_eq!(
        rotate(&record, session.token, second, late).await,
        Rotation::Reused
    );
    for token in [session.token, second, third] {
        let refused = rotate(&record, token, given::token(), late).await;
        assert!(
            matches!(refused, Rotation::Refused | Rotation::Reused),
            "{refused:?}"
        );
    }
    assert_eq!(
        rotate(&record, third, given::token(), late).await,
        Rotation::Refused
    );
    // Other logins of the same user go on.
    let other = rotate(&record, same_user.token, given::token(), late).await;
    assert!(matches!(other, Rotation::Rotated(_)), "{other:?}");
}

/// Of two that rotate one token at once, one rotates and the others repeat.
pub async fn of_rotations_that_race_one_rotates<H: RecordHarness>(harness: H) {
    let (record, now) = (harness.record(), harness.now());
    let session = opened(&record, now).await;
    let token = given::token();
    let next = successor(&session, token, now);
    let racers: Vec<_> = (0..20)
        .map(|_| {
            let record = record.clone();
            tokio::spawn(async move { rotate(&record, session.token, token, now).await })
        })
        .collect();
    let (mut rotated, mut repeated) = (0, 0);
    for racer in racers {
        match racer.await.unwrap() {
            Rotation::Rotated(session) if session == next => rotated += 1,
            Rotation::Repeated(session) if session == next => repeated += 1,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!((rotated, repeated), (1, 19));
}

/// Unknown and expired tokens are refused, and leave nothing behind.
pub async fn unknown_and_expired_tokens_are_refused<H: RecordHarness>(harness: H) {
    let (record, now) = (harness.record(), harness.now());
    let successor = given::token();
    assert_eq!(
        rotate(&record, given::token(), successor, now).await,
        Rotation::Refused
    );
    assert_eq!(
        rotate(&record, successor, given::token(), now).await,
        Rotation::Refused
    );
    let session = opened(&record, now).await;
    assert_eq!(
        rotate(&record, session.token, successor, now + LIFE).await,
        Rotation::Refused
    );
    assert_eq!(
        rotate(&record, successor, given::token(), now).await,
        Rotation::Refused
    );
    let in_time = now + LIFE - Duration::from_millis(1);
    let rotated = rotate(&record, session.token, successor, in_time).await;
    assert!(matches!(rotated, Rotation::Rotated(_)), "{rotated:?}");
}

/// Logging out with any token of a family, an old one too, revokes all of it and nothing else.
pub async fn revoking_a_token_revokes_its_family<H: RecordHarness>(harness: H) {
    let (record, now) = (harness.record(), harness.now());
    let other = opened(&record, now).await;
    for with_old in [true, false] {
        let session = opened(&record, now).await;
        let second = given::token();
        rotate(&record, session.token, second, now).await;
        let given = if with_old { session.token } else { second };
        record.sessions.revoke(given).await.unwrap();
        assert_eq!(
            rotate(&record, second, given::token(), now).await,
            Rotation::Refused
        );
        assert_eq!(
            rotate(&record, session.token, second, now).await,
            Rotation::Refused
        );
    }
    record.sessions.revoke(given::token()).await.unwrap();
    let goes_on = rotate(&record, other.token, given::token(), now).await;
    assert!(matches!(goes_on, Rotation::Rotated(_)), "{goes_on:?}");
}

/// What can't be used any more is forgotten and counted, once; what can be used stays.
pub async fn what_has_expired_is_forgotten<H: RecordHarness>(harness: H) {
    let (record, now) = (harness.record(), harness.now());
    let user = given::user(&record, now).await;
    let end = now + LIFE;
    let long = end + LIFE;
    let mut kept = Vec::new();
    for (index, expires_at) in [end, long].into_iter().enumerate() {
        let session = given::session(user, expires_at);
        record.sessions.open(&session).await.unwrap();
        let ticket = given::ticket(user, expires_at);
        record.sessions.add_ticket(&ticket).await.unwrap();
        let mut commit = given::commit(now);
        commit.write_job(user, 0);
        let key = given::idempotency(user, &format!("key {index}"), expires_at);
        commit.idempotency = Some(key.clone());
        stands(&record, commit).await;
        kept.push((session, ticket, key));
    }
    let last = end - Duration::from_millis(1);
    assert_eq!(record.sessions.delete_expired(last).await.unwrap(), 0);
    assert_eq!(record.sessions.delete_expired(end).await.unwrap(), 3);
    assert_eq!(record.sessions.delete_expired(end).await.unwrap(), 0);
    // Asked as of a time when they were good, the expired ones are gone all the same.
    let (session, ticket, key) = &kept[0];
    assert_eq!(
        rotate(&record, session.token, given::token(), now).await,
        Rotation::Refused
    );
    assert_eq!(
        record
            .sessions
            .use_ticket(ticket.ticket, ticket.job, now)
            .await
            .unwrap(),
        None
    );
    assert_eq!(
        record.idempotency.idempotency(user, &key.key, now).await.unwrap(),
        None
    );
    let (session, ticket, key) = &kept[1];
    let rotated = rotate(&record, session.token, given::token(), end).await;
    assert!(matches!(rotated, Rotation::Rotated(_)), "{rotated:?}");
    assert!(
        record
            .sessions
            .use_ticket(ticket.ticket, ticket.job, end)
            .await
            .unwrap()
            .is_some()
    );
    let read = record.idempotency.idempotency(user, &key.key, end).await.unwrap();
    assert_eq!(read.as_ref(), Some(key));
}

/// A family that was revoked stays so when its oldest tokens are forgotten.
pub async fn a_revoked_family_stays_revoked<H: RecordHarness>(harness: H) {
    let (record, now) = (harness.record(), harness.now());
    let session = opened(&record, now).await;
    let second = given::token();
    let halfway = now + LIFE / 2;
    rotate(&record, session.token, second, halfway).await;
    record.sessions.revoke(session.token).await.unwrap();
    let end = now + LIFE;
    assert_eq!(record.sessions.delete_expired(end).await.unwrap(), 1);
    assert_eq!(
        rotate(&record, second, given::token(), end).await,
        Rotation::Refused
    );
}
