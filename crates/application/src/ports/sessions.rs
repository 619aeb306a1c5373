use std::time::Duration;

use async_trait::async_trait;
use rapidphoto_domain::{JobId, Timestamp, UserId};

use super::{PasswordHash, Scopes, SessionId, Unavailable};

/// SHA-256 of a secret token. The database stores only hashes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TokenHash(pub [u8; 32]);

/// Session of a user, from a login until a log-out, a revocation or its expiry. It has one valid refresh token at a
/// time, and remembers the one before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Identifier of the session.
    pub id: SessionId,
    /// User who logged in.
    pub user: UserId,
    /// Scopes of the access tokens.
    pub scopes: Scopes,
    /// Expiry of the current refresh token.
    pub expires_at: Timestamp,
    /// End of the session, however often its token is refreshed.
    pub ends_at: Timestamp,
}

/// Replacement of a session's refresh token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TokenRotation {
    /// Session that the token was issued for.
    pub session: SessionId,
    /// Hash of the token.
    pub token: TokenHash,
    /// Hash of the token that replaces it.
    pub successor: TokenHash,
    /// Current time.
    pub now: Timestamp,
    /// Time after the rotation in which a repetition is accepted.
    pub grace: Duration,
    /// Expiry of the successor, which is cut to the session's end.
    pub expires_at: Timestamp,
}

/// Result of a token rotation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rotation {
    /// The token was valid, and its successor is stored.
    Rotated(Session),
    /// The token was rotated to this successor within the grace period.
    Repeated(Session),
    /// The token was rotated before the grace period, so it may be stolen. The session, which belonged to this user,
    /// has ended.
    Reused(UserId),
    /// The session has ended or never existed.
    Invalid,
}

/// Ticket for one live stream, for clients that can't send an `Authorization` header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamTicket {
    /// Hash of the ticket.
    pub ticket: TokenHash,
    /// User of the stream.
    pub user: UserId,
    /// Session that the ticket was issued in; it ends with it.
    pub session: SessionId,
    /// Job of the stream; `None` for the user's own stream.
    pub job: Option<JobId>,
    /// Latest time of the first use.
    pub first_use_by: Timestamp,
    /// Latest time of further uses, for reconnects.
    pub expires_at: Timestamp,
}

/// Storage of sessions and stream tickets.
#[async_trait]
pub trait Sessions: Send + Sync {
    /// Current time of the database's clock. Expiries are computed from it and compared with it, so that processes whose
    /// clocks differ agree on them.
    async fn now(&self) -> Result<Timestamp, Unavailable>;

    /// Stores a session with the hash of its first refresh token. A user has at most `max` sessions: the ones that were
    /// used least recently are ended and returned.
    ///
    /// Stores nothing and returns `None` unless the account is active and its password has the hash `verified`: both may
    /// have changed since the password was verified.
    async fn open(
        &self,
        session: &Session,
        token: TokenHash,
        verified: &PasswordHash,
        now: Timestamp,
        max: usize,
    ) -> Result<Option<Vec<SessionId>>, Unavailable>;

    /// Replaces a session's token by its successor atomically: of two concurrent calls one returns `Rotated`, the other
    /// `Repeated`.
    ///
    /// The caller has verified that the token was issued for the session. So a token that is neither the current nor the
    /// previous one is older: like the previous one after the grace period it ends the session.
    async fn rotate(&self, rotation: &TokenRotation) -> Result<Rotation, Unavailable>;

    /// Returns the session whose current or previous token has this hash.
    async fn session_of(&self, token: TokenHash) -> Result<Option<SessionId>, Unavailable>;

    /// Returns true if the session has neither ended nor expired at `now`.
    async fn is_open(&self, session: SessionId, now: Timestamp) -> Result<bool, Unavailable>;

    /// Returns those of the sessions, each named once, that have ended or, by the database's clock, expired; in any order.
    async fn ended_among(&self, sessions: &[SessionId]) -> Result<Vec<SessionId>, Unavailable>;

    /// Ends a session and its tickets. Returns its user; `None` if there is no such session.
    async fn end(&self, session: SessionId) -> Result<Option<UserId>, Unavailable>;

    /// Ends all sessions and tickets of a user. Returns the number of sessions.
    async fn end_all(&self, user: UserId) -> Result<u64, Unavailable>;

    /// Stores a ticket. A user has at most `max` tickets: the ones that expire first are removed.
    async fn add_ticket(&self, ticket: &StreamTicket, max: usize) -> Result<(), Unavailable>;

    /// Returns the ticket with this hash if it and its session are valid at `now`, and if it is for the stream of `job`,
    /// or for the user's own stream if `job` is `None`. Records its first use. A request for another stream does not
    /// count as a use.
    async fn use_ticket(
        &self,
        ticket: TokenHash,
        job: Option<JobId>,
        now: Timestamp,
    ) -> Result<Option<StreamTicket>, Unavailable>;

    /// Deletes expired sessions, tickets and idempotency records, and returns their number.
    async fn delete_expired(&self, now: Timestamp) -> Result<u64, Unavailable>;
}
