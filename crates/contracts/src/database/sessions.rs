//! Sessions: each of their refresh tokens is used once, so that the reuse of a stolen one is detected.

use std::time::Duration;

use rapidphoto_application::ports::{
    DatabasePorts, Details, PasswordHash, Rotation, Scope, Scopes, Session, SessionId, TokenHash,
    TokenRotation,
};
use rapidphoto_domain::{Timestamp, UserId, user::UserEvent};

use super::{
    DatabaseHarness,
    fixtures::{self, CommitExt, commit_ok},
};

const GRACE: Duration = Duration::from_secs(30);
pub(super) const LIFETIME: Duration = Duration::from_hours(1);
pub(super) const MAX: usize = 100;

/// Session that ends long after its first token expires, and the hash of that token.
pub(super) struct Opened {
    pub(super) session: Session,
    pub(super) token: TokenHash,
}

impl Opened {
    pub(super) async fn new(db: &DatabasePorts, now: Timestamp) -> Self {
        let user = fixtures::user(db, now).await;
        Self::of_user(db, user, now).await
    }

    pub(super) async fn of_user(db: &DatabasePorts, user: UserId, now: Timestamp) -> Self {
        let session = Session {
            ends_at: now + LIFETIME * 10,
            ..fixtures::session(user, now + LIFETIME)
        };
        Self::open(db, session, now).await
    }

    pub(super) async fn open(db: &DatabasePorts, session: Session, now: Timestamp) -> Self {
        let token = fixtures::token();
        let opened = fixtures::open_session(db, &session, token, now, MAX).await;
        assert!(opened.is_some());
        Self { session, token }
    }

    pub(super) async fn rotate(
        &self,
        db: &DatabasePorts,
        token: TokenHash,
        successor: TokenHash,
        now: Timestamp,
    ) -> Rotation {
        rotate(db, self.session.id, token, successor, now).await
    }

    pub(super) async fn is_open(&self, db: &DatabasePorts, now: Timestamp) -> bool {
        db.sessions.is_open(self.session.id, now).await.unwrap()
    }
}

async fn rotate(
    db: &DatabasePorts,
    session: SessionId,
    token: TokenHash,
    successor: TokenHash,
    now: Timestamp,
) -> Rotation {
    let rotation = TokenRotation {
        session,
        token,
        successor,
        now,
        grace: GRACE,
        expires_at: now + LIFETIME,
    };
    db.sessions.rotate(&rotation).await.unwrap()
}

/// A session with a token that was rotated at `now`.
fn rotated(session: &Session, now: Timestamp) -> Session {
    Session {
        expires_at: now + LIFETIME,
        ..session.clone()
    }
}

/// A token is replaced by a successor in the same session, with a lifetime of its own.
pub async fn a_token_is_replaced_by_its_successor<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let user = fixtures::user(&db, now).await;
    for scopes in [
        Scopes::of_user(),
        [Scope::PhotosRead].into_iter().collect(),
        [Scope::Admin, Scope::PhotosWrite].into_iter().collect(),
    ] {
        let session = Session {
            scopes,
            ends_at: now + LIFETIME * 10,
            ..fixtures::session(user, now + LIFETIME)
        };
        let opened = Opened::open(&db, session, now).await;
        let mut token = opened.token;
        for step in 1..5 {
            let at = now + LIFETIME / 2 * step;
            let next = fixtures::token();
            assert_eq!(
                opened.rotate(&db, token, next, at).await,
                Rotation::Rotated(rotated(&opened.session, at))
            );
            token = next;
        }
    }
}

/// No token is valid beyond the end of its session.
pub async fn a_token_expires_with_its_session_at_the_latest<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let user = fixtures::user(&db, now).await;
    let session = fixtures::session(user, now + LIFETIME);
    let opened = Opened::open(&db, session, now).await;
    let token = fixtures::token();
    let half = now + LIFETIME / 2;
    assert_eq!(
        opened.rotate(&db, opened.token, token, half).await,
        Rotation::Rotated(opened.session.clone())
    );
    let end = opened.session.ends_at;
    assert!(opened.is_open(&db, end - Duration::from_millis(1)).await);
    assert!(!opened.is_open(&db, end).await);
    let late = opened.rotate(&db, token, fixtures::token(), end).await;
    assert_eq!(late, Rotation::Invalid);
}

/// A client that retries after a lost response receives the same successor.
pub async fn a_rotation_repeated_within_the_grace_period_returns_the_same_successor<H: DatabaseHarness>(
    harness: H,
) {
    let (db, now) = (harness.ports(), harness.now());
    let opened = Opened::new(&db, now).await;
    let token = fixtures::token();
    let next = rotated(&opened.session, now);
    assert_eq!(
        opened.rotate(&db, opened.token, token, now).await,
        Rotation::Rotated(next.clone())
    );
    for after in [Duration::ZERO, Duration::from_secs(1), GRACE] {
        let again = opened.rotate(&db, opened.token, token, now + after).await;
        assert_eq!(again, Rotation::Repeated(next.clone()), "{after:?} later");
    }
    // The repetition has no side effect: the successor is still valid.
    let third = opened.rotate(&db, token, fixtures::token(), now + GRACE).await;
    assert!(matches!(third, Rotation::Rotated(_)), "{third:?}");
}

/// Reuse after the grace period means that the token or its successor was stolen: the session ends. A token before the
/// previous one is reuse at any time.
pub async fn a_reused_token_ends_its_session<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let late = now + GRACE + Duration::from_millis(1);
    for (rotations, at) in [(1, late), (2, now), (2, late), (5, late)] {
        let opened = Opened::new(&db, now).await;
        let user = opened.session.user;
        let same_user = Opened::of_user(&db, user, now).await;
        let ticket = fixtures::ticket(&opened.session, now + LIFETIME);
        db.sessions.add_ticket(&ticket, MAX).await.unwrap();
        let mut tokens = vec![opened.token];
        for _ in 0..rotations {
            let successor = fixtures::token();
            opened.rotate(&db, *tokens.last().unwrap(), successor, now).await;
            tokens.push(successor);
        }
        assert!(opened.is_open(&db, at).await);
        assert_eq!(
            opened.rotate(&db, opened.token, tokens[1], at).await,
            Rotation::Reused(user)
        );
        assert!(!opened.is_open(&db, at).await);
        for token in tokens {
            let rejected = opened.rotate(&db, token, fixtures::token(), at).await;
            assert_eq!(rejected, Rotation::Invalid);
        }
        let redeemed = db.sessions.use_ticket(ticket.ticket, None, at).await.unwrap();
        assert_eq!(redeemed, None);
        // Other sessions of the same user stay valid.
        let other = same_user
            .rotate(&db, same_user.token, fixtures::token(), at)
            .await;
        assert!(matches!(other, Rotation::Rotated(_)), "{other:?}");
    }
}

/// Current and previous token are known, older and foreign ones are not.
pub async fn a_session_is_found_by_its_last_two_tokens<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let opened = Opened::new(&db, now).await;
    let (second, third) = (fixtures::token(), fixtures::token());
    let find = async |token| db.sessions.session_of(token).await.unwrap();
    assert_eq!(find(opened.token).await, Some(opened.session.id));
    opened.rotate(&db, opened.token, second, now).await;
    assert_eq!(find(opened.token).await, Some(opened.session.id));
    assert_eq!(find(second).await, Some(opened.session.id));
    opened.rotate(&db, second, third, now).await;
    assert_eq!(find(opened.token).await, None);
    assert_eq!(find(third).await, Some(opened.session.id));
    assert_eq!(find(fixtures::token()).await, None);
}

/// A login whose password was verified before the account changed opens no session and ends none.
pub async fn no_session_opens_for_an_inactive_account_or_a_replaced_password<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let mut commit = fixtures::commit(now);
    let email = fixtures::email();
    let user = commit.write_user(&email);
    commit_ok(&db, commit).await;
    let id = user.value.id;
    let first = Opened::of_user(&db, id, now).await;
    let old = fixtures::password_hash(id);
    let new = PasswordHash("$test$new".to_owned());
    let opens = async |verified: &PasswordHash| {
        let session = fixtures::session(id, now + LIFETIME);
        let opened = db
            .sessions
            .open(&session, fixtures::token(), verified, now, 1)
            .await;
        let opened = opened.unwrap().is_some();
        assert_eq!(db.sessions.is_open(session.id, now).await.unwrap(), opened);
        assert_eq!(first.is_open(&db, now).await, !opened);
        opened
    };
    assert!(!opens(&new).await);
    let mut commit = fixtures::commit(now);
    let password_hash = new.clone();
    commit.details.push(Details::User {
        user: id,
        email,
        password_hash,
    });
    commit_ok(&db, commit).await;
    assert!(!opens(&old).await);
    let mut commit = fixtures::commit(now);
    let disabled = commit.write_user_event(&user, UserEvent::UserDisabled {});
    commit_ok(&db, commit).await;
    assert!(!opens(&new).await);
    let mut commit = fixtures::commit(now);
    commit.write_user_event(&disabled, UserEvent::UserEnabled {});
    commit_ok(&db, commit).await;
    assert!(opens(&new).await);
    // A user without an account.
    let stranger = fixtures::session(fixtures::user_id(), now + LIFETIME);
    let opened = db
        .sessions
        .open(&stranger, fixtures::token(), &new, now, MAX)
        .await;
    assert_eq!(opened.unwrap(), None);
}

/// One of concurrent rotations of a token rotates, the others repeat it.
pub async fn concurrent_rotations_rotate_once<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let opened = Opened::new(&db, now).await;
    let (id, first) = (opened.session.id, opened.token);
    let token = fixtures::token();
    let next = rotated(&opened.session, now);
    let rotations: Vec<_> = (0..20)
        .map(|_| {
            let db = db.clone();
            tokio::spawn(async move { rotate(&db, id, first, token, now).await })
        })
        .collect();
    let (mut rotations_done, mut repeated) = (0, 0);
    for rotation in rotations {
        match rotation.await.unwrap() {
            Rotation::Rotated(session) if session == next => rotations_done += 1,
            Rotation::Repeated(session) if session == next => repeated += 1,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!((rotations_done, repeated), (1, 19));
}

/// Tokens of unknown and of expired sessions are rejected and do not store a successor.
pub async fn tokens_of_unknown_and_expired_sessions_are_rejected<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let opened = Opened::new(&db, now).await;
    let unknown = SessionId([0x5a; 16]);
    assert_eq!(
        rotate(&db, unknown, opened.token, fixtures::token(), now).await,
        Rotation::Invalid
    );
    assert!(!db.sessions.is_open(unknown, now).await.unwrap());
    let successor = fixtures::token();
    assert_eq!(
        opened.rotate(&db, opened.token, successor, now + LIFETIME).await,
        Rotation::Invalid
    );
    assert!(!opened.is_open(&db, now + LIFETIME).await);
    assert_eq!(db.sessions.session_of(successor).await.unwrap(), None);
    let in_time = now + LIFETIME - Duration::from_millis(1);
    let rotated = opened.rotate(&db, opened.token, successor, in_time).await;
    assert!(matches!(rotated, Rotation::Rotated(_)), "{rotated:?}");
}
