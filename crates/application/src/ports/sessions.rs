use std::time::Duration;

use async_trait::async_trait;
use rapidphoto_domain::{JobId, Timestamp, UserId};

use super::{Scopes, Unavailable};

/// The SHA-256 of a secret token: the record never holds a secret itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TokenHash(pub [u8; 32]);

/// A refresh token and the family that descends from one login.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefreshSession {
    /// The token's hash.
    pub token: TokenHash,
    /// The hash of the family's first token; it names the family.
    pub family: TokenHash,
    /// Whose it is.
    pub user: UserId,
    /// What its access tokens allow.
    pub scopes: Scopes,
    /// Until when it may be used.
    pub expires_at: Timestamp,
}

/// What a rotation came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rotation {
    /// The token was good; its successor is stored.
    Rotated(RefreshSession),
    /// It had been rotated a moment ago, to this same successor.
    Repeated(RefreshSession),
    /// It had been rotated earlier: somebody else has it. The whole family is revoked now.
    Reused,
    /// It is unknown, expired or revoked.
    Refused,
}

/// Admission to one stream, for clients that can't send an `Authorization` header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamTicket {
    /// The ticket's hash.
    pub ticket: TokenHash,
    /// Who may watch.
    pub user: UserId,
    /// The one job that may be watched; `None` for everything of the user.
    pub job: Option<JobId>,
    /// Until when it must be used for the first time.
    pub first_use_by: Timestamp,
    /// Until when it can be used again, for reconnects.
    pub expires_at: Timestamp,
}

/// Refresh tokens and stream tickets.
#[async_trait]
pub trait Sessions: Send + Sync {
    /// Stores a login's first refresh token.
    async fn open(&self, session: &RefreshSession) -> Result<(), Unavailable>;

    /// Replaces a token by its successor, in one step: of two that try at once, one rotates and one repeats.
    ///
    /// The successor lives until `expires_at`. A token that was rotated no longer than `grace` before `now` is a
    /// repetition; one that was rotated earlier revokes its family.
    async fn rotate(
        &self,
        token: TokenHash,
        successor: TokenHash,
        now: Timestamp,
        grace: Duration,
        expires_at: Timestamp,
    ) -> Result<Rotation, Unavailable>;

    /// Revokes the family that a token belongs to; an unknown token is none.
    async fn revoke(&self, token: TokenHash) -> Result<(), Unavailable>;

    /// Stores a ticket.
    async fn add_ticket(&self, ticket: &StreamTicket) -> Result<(), Unavailable>;

    /// The ticket with this hash if it can be used now, for the stream of `job` or, without one, for the user's own; its
    /// first use is remembered. Shown at another stream it is not used.
    async fn use_ticket(
        &self,
        ticket: TokenHash,
        job: Option<JobId>,
        now: Timestamp,
    ) -> Result<Option<StreamTicket>, Unavailable>;

    /// Forgets what has expired: tokens, tickets and idempotency records.
    async fn forget_expired(&self, now: Timestamp) -> Result<u64, Unavailable>;
}
