use rapidphoto_domain::{Timestamp, UserId};

use super::secret::SecretToken;
use crate::{
    ports::{AccessTokens, BoxError, Grant, Scopes},
    settings::AuthSettings,
};

/// What a login or a refresh gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenPair {
    /// The access token.
    pub access_token: String,
    /// How long it holds.
    pub expires_in: std::time::Duration,
    /// The refresh token.
    pub refresh_token: SecretToken,
    /// What the access token allows.
    pub scopes: Scopes,
}

impl TokenPair {
    /// A fresh access token beside a refresh token that the record knows.
    pub(super) fn issue(
        tokens: &dyn AccessTokens,
        settings: &AuthSettings,
        user: UserId,
        scopes: Scopes,
        refresh_token: SecretToken,
        now: Timestamp,
    ) -> Result<Self, BoxError> {
        let expires_in = settings.access_lifetime;
        let grant = Grant {
            user,
            scopes: scopes.clone(),
            expires_at: now + expires_in,
        };
        let access_token = tokens.issue(&grant, now)?;
        Ok(Self {
            access_token,
            expires_in,
            refresh_token,
            scopes,
        })
    }
}
