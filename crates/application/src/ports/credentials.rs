use std::{collections::BTreeSet, fmt};

use async_trait::async_trait;
use rapidphoto_domain::{Timestamp, UserId};
use serde::{Deserialize, Serialize};

/// What a token allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Scope {
    /// See one's own photos and jobs.
    #[serde(rename = "photos:read")]
    PhotosRead,
    /// Upload, change and delete one's own photos.
    #[serde(rename = "photos:write")]
    PhotosWrite,
    /// Operate the deployment.
    #[serde(rename = "admin")]
    Admin,
}

impl Scope {
    /// The scope's name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PhotosRead => "photos:read",
            Self::PhotosWrite => "photos:write",
            Self::Admin => "admin",
        }
    }

    /// Reads a scope's name.
    pub fn parse(raw: &str) -> Option<Self> {
        [Self::PhotosRead, Self::PhotosWrite, Self::Admin]
            .into_iter()
            .find(|scope| scope.as_str() == raw)
    }
}

/// A set of scopes, written as RFC 6749 does: names with spaces between.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Scopes(BTreeSet<Scope>);

impl Scopes {
    /// What a user gets who does not ask for less.
    pub fn of_user() -> Self {
        Self(BTreeSet::from([Scope::PhotosRead, Scope::PhotosWrite]))
    }

    /// The scopes among these names; names that are not known are left out.
    pub fn parse(raw: &str) -> Self {
        Self(raw.split_ascii_whitespace().filter_map(Scope::parse).collect())
    }

    /// Whether a scope is among them.
    pub fn allow(&self, scope: Scope) -> bool {
        self.0.contains(&scope)
    }

    /// Those that are in both.
    pub fn intersection(&self, other: &Self) -> Self {
        Self(self.0.intersection(&other.0).copied().collect())
    }

    /// Whether there are none.
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

/// A password's hash in PHC form.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(pub String);

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(…)")
    }
}

/// So many passwords wait to be hashed that another one would only wait to be given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too many passwords wait to be hashed")]
pub struct PasswordsBusy;

/// Hashes passwords, off the request threads and a bounded number at a time.
///
/// A bounded number may wait, too: beyond it the error is [`PasswordsBusy`], and a later try can succeed.
#[async_trait]
pub trait PasswordHasher: Send + Sync {
    /// A new hash with its own salt.
    async fn hash(&self, password: &str) -> Result<PasswordHash, super::BoxError>;

    /// Whether a password fits. Without a hash it takes as long and says no, so that nobody learns who has an account.
    async fn verify(&self, password: &str, hash: Option<&PasswordHash>) -> Result<bool, super::BoxError>;
}

/// What an access token says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// Who may.
    pub user: UserId,
    /// What.
    pub scopes: Scopes,
    /// Until when.
    pub expires_at: Timestamp,
}

/// Why a token is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// It was good once.
    #[error("the token has expired")]
    Expired,
    /// It was never good.
    #[error("the token is not valid")]
    Invalid,
}

/// Signs and reads access tokens.
pub trait AccessTokens: Send + Sync {
    /// A signed token.
    fn issue(&self, grant: &Grant, issued_at: Timestamp) -> Result<String, super::BoxError>;

    /// What a token says, if it is ours and holds at this moment.
    fn verify(&self, token: &str, now: Timestamp) -> Result<Grant, TokenError>;
}
