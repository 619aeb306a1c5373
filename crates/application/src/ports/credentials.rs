use std::{collections::BTreeSet, fmt};

use async_trait::async_trait;
use rapidphoto_domain::{Timestamp, UserId};
use serde::{Deserialize, Serialize};

use super::SessionId;

/// Permission that an access token grants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Scope {
    /// Read the user's own photos and jobs.
    #[serde(rename = "photos:read")]
    PhotosRead,
    /// Upload, change and delete the user's own photos.
    #[serde(rename = "photos:write")]
    PhotosWrite,
    /// Operate the deployment.
    #[serde(rename = "admin")]
    Admin,
}

impl Scope {
    /// Name of the scope in tokens.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PhotosRead => "photos:read",
            Self::PhotosWrite => "photos:write",
            Self::Admin => "admin",
        }
    }

    /// Parses the name of a scope; `None` if it is unknown.
    pub fn parse(raw: &str) -> Option<Self> {
        [Self::PhotosRead, Self::PhotosWrite, Self::Admin]
            .into_iter()
            .find(|scope| scope.as_str() == raw)
    }
}

/// Set of scopes, in text form separated by spaces (RFC 6749, section 3.3).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Scopes(BTreeSet<Scope>);

impl Scopes {
    /// Default scopes of a user: read and write.
    pub fn of_user() -> Self {
        Self(BTreeSet::from([Scope::PhotosRead, Scope::PhotosWrite]))
    }

    /// Parses a list of scopes; unknown names are ignored.
    pub fn parse(raw: &str) -> Self {
        Self(raw.split_ascii_whitespace().filter_map(Scope::parse).collect())
    }

    /// Returns true if the set contains a scope.
    pub fn allow(&self, scope: Scope) -> bool {
        self.0.contains(&scope)
    }

    /// Scopes that are in both sets.
    pub fn intersection(&self, other: &Self) -> Self {
        Self(self.0.intersection(&other.0).copied().collect())
    }

    /// Returns true if the set is empty.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromIterator<Scope> for Scopes {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        Self(scopes.into_iter().collect())
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, scope) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str(" ")?;
            }
            f.write_str(scope.as_str())?;
        }
        Ok(())
    }
}

/// Password hash in the PHC string format.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(pub String);

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(…)")
    }
}

/// Error of a full hashing queue: another request would probably time out before its turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too many passwords are waiting to be hashed; try again later")]
pub struct PasswordsBusy;

/// Hashes and verifies passwords on threads of its own.
///
/// The numbers of running and of waiting calls are bounded. If the queue is full, the error is [`PasswordsBusy`], and a
/// later call can succeed.
#[async_trait]
pub trait PasswordHasher: Send + Sync {
    /// Hashes a password with a new random salt.
    async fn hash(&self, password: &str) -> Result<PasswordHash, super::BoxError>;

    /// Returns true if a password matches `hash`. Without a hash the result is false after the same time, so that
    /// response times don't reveal which accounts exist.
    async fn verify(&self, password: &str, hash: Option<&PasswordHash>) -> Result<bool, super::BoxError>;

    /// Returns true if a new hash of the same password would have other costs.
    fn is_outdated(&self, hash: &PasswordHash) -> bool;
}

/// Content of an access token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// User that the token was issued to.
    pub user: UserId,
    /// Session in which the token was issued.
    pub session: SessionId,
    /// Permissions of the token.
    pub scopes: Scopes,
    /// Expiry of the token.
    pub expires_at: Timestamp,
}

/// Reasons why an access token is rejected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// The token was valid but has expired.
    #[error("the token has expired")]
    Expired,
    /// The token is malformed, or was not issued by this deployment.
    #[error("the token is not valid")]
    Invalid,
}

/// Issues and verifies access tokens.
pub trait AccessTokens: Send + Sync {
    /// Issues a signed token.
    fn issue(&self, grant: &Grant, issued_at: Timestamp) -> Result<String, super::BoxError>;

    /// Verifies the signature and expiry of a token and returns its content.
    fn verify(&self, token: &str, now: Timestamp) -> Result<Grant, TokenError>;
}
