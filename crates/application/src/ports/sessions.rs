use std::time::Duration;

use async_trait::async_trait;
use rapidphoto_domain::{JobId, Timestamp, UserId};

use super::{Scopes, Unavailable};

/// SHA-256 of a secret token. The database stores only hashes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TokenHash(pub [u8; 32]);

/// Refresh token. The tokens that descend from one login form a family.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefreshSession {
    /// Hash of the token.
    pub token: TokenHash,
    /// Hash of the family's first token, which identifies the family.
    pub family: TokenHash,
    /// User who logged in.
    pub user: UserId,
    /// Scopes of the access tokens.
    pub scopes: Scopes,
    /// Expiry of the token.
    pub expires_at: Timestamp,
}

/// Result of a token rotation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rotation {
    /// The token was valid, and its successor is stored.
    Rotated(RefreshSession),
    /// The token was rotated to this successor within the grace period.
    Repeated(RefreshSession),
    /// The token was rotated before the grace period, so it may be stolen. The whole family is now revoked.
    Reused,
    /// The token is unknown, expired or revoked.
    Invalid,
}

/// Ticket for one live stream, for clients that can't send an `Authorization` header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamTicket {
    /// Hash of the ticket.
    pub ticket: TokenHash,
    /// User of the stream.
    pub user: UserId,
    /// Job of the stream; `None` for the user's own stream.
    pub job: Option<JobId>,
    /// Latest time of the first use.
    pub first_use_by: Timestamp,
    /// Latest time of further uses, for reconnects.
    pub expires_at: Timestamp,
}

/// Storage of refresh tokens and stream tickets.
#[async_trait]
pub trait Sessions: Send + Sync {
    /// Stores the first refresh token of a login.
    async fn open(&self, session: &RefreshSession) -> Result<(), Unavailable>;

    /// Replaces a token by its successor atomically: of two concurrent calls one returns `Rotated`, the other
    /// `Repeated`.
    ///
    /// The successor expires at `expires_at`. If the token was already rotated, the call is a repetition up to `grace`
    /// after that; later it revokes the family.
    async fn rotate(
        &self,
        token: TokenHash,
        successor: TokenHash,
        now: Timestamp,
        grace: Duration,
        expires_at: Timestamp,
    ) -> Result<Rotation, Unavailable>;

    /// Revokes the family of a token; an unknown token has no effect.
    async fn revoke(&self, token: TokenHash) -> Result<(), Unavailable>;

    /// Stores a ticket.
    async fn add_ticket(&self, ticket: &StreamTicket) -> Result<(), Unavailable>;

    /// Returns the ticket with this hash if it is valid at `now` for the stream of `job`, or for the user's own stream
    /// if `job` is `None`, and records its first use. A request for another stream does not count as a use.
    async fn use_ticket(
        &self,
        ticket: TokenHash,
        job: Option<JobId>,
        now: Timestamp,
    ) -> Result<Option<StreamTicket>, Unavailable>;

    /// Deletes expired tokens, tickets and idempotency records, and returns their number.
    async fn delete_expired(&self, now: Timestamp) -> Result<u64, Unavailable>;
}
