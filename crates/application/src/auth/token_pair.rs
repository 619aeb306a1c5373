use rapidphoto_domain::Timestamp;

use super::secret::SecretToken;
use crate::{
    ports::{AccessTokens, BoxError, Grant, Scopes, Session},
    settings::AuthSettings,
};

/// Access and refresh token, issued by a login or a refresh.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenPair {
    /// Signed access token.
    pub access_token: String,
    /// Validity of the access token.
    pub expires_in: std::time::Duration,
    /// Refresh token, usable once.
    pub refresh_token: SecretToken,
    /// Scopes of the access token.
    pub scopes: Scopes,
}

impl TokenPair {
    /// Issues an access token to go with a stored refresh token.
    pub(super) fn issue(
        tokens: &dyn AccessTokens,
        settings: &AuthSettings,
        session: &Session,
        refresh_token: SecretToken,
        now: Timestamp,
    ) -> Result<Self, BoxError> {
        let expires_in = settings.access_lifetime;
        let grant = Grant {
            user: session.user,
            session: session.id,
            scopes: session.scopes.clone(),
            expires_at: now + expires_in,
        };
        let access_token = tokens.issue(&grant, now)?;
        Ok(Self {
            access_token,
            expires_in,
            refresh_token,
            scopes: grant.scopes,
        })
    }
}
