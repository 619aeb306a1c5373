use std::sync::Arc;

use rapidphoto_domain::user::UserStatus;

use super::{SecretToken, TokenPair, log_in::REFRESH_PREFIX};
use crate::{
    ports::{AccessTokens, Aggregates, BoxError, Clock, Ports, Rotation, Sessions, Unavailable},
    settings::AuthSettings,
};

/// Reasons why a refresh token is rejected.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RefreshError {
    /// The token is unknown, expired or revoked.
    #[error("the refresh token is not valid")]
    Rejected,
    /// The token was used before, so it may be stolen. All tokens of its login are now revoked.
    #[error("the refresh token was used before; its login is revoked")]
    Reused,
    /// The access token can't be signed.
    #[error("the refresh can't be completed")]
    Failed(#[source] BoxError),
    /// The database is unavailable.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// Exchanges refresh tokens for new token pairs.
///
/// A successor is derived from its predecessor with the deployment's key, so that a client whose response was lost
/// receives the same one again although the database stores only hashes.
#[derive(Clone)]
pub struct RefreshHandler {
    clock: Arc<dyn Clock>,
    sessions: Arc<dyn Sessions>,
    aggregates: Arc<dyn Aggregates>,
    tokens: Arc<dyn AccessTokens>,
    settings: AuthSettings,
    key: [u8; 32],
}

impl RefreshHandler {
    /// Creates a handler. `key` derives successors and must stay the same across restarts.
    pub fn new(ports: &Ports, settings: AuthSettings, key: [u8; 32]) -> Self {
        Self {
            clock: Arc::clone(&ports.clock),
            sessions: Arc::clone(&ports.database.sessions),
            aggregates: Arc::clone(&ports.database.aggregates),
            tokens: Arc::clone(&ports.tokens),
            settings,
            key,
        }
    }

    /// Replaces a refresh token by a new token pair.
    pub async fn handle(&self, token: &SecretToken) -> Result<TokenPair, RefreshError> {
        let now = self.clock.now();
        let successor = token.successor(&self.key, REFRESH_PREFIX);
        let rotation = self
            .sessions
            .rotate(
                token.hash(),
                successor.hash(),
                now,
                self.settings.refresh_grace,
                now + self.settings.refresh_lifetime,
            )
            .await?;
        let session = match rotation {
            Rotation::Rotated(session) | Rotation::Repeated(session) => session,
            Rotation::Reused => return Err(RefreshError::Reused),
            Rotation::Invalid => return Err(RefreshError::Rejected),
        };
        let user = self.aggregates.user(session.user).await?;
        user.filter(|user| user.value.status == UserStatus::Active)
            .ok_or(RefreshError::Rejected)?;
        TokenPair::issue(
            &*self.tokens,
            &self.settings,
            session.user,
            session.scopes,
            successor,
            now,
        )
        .map_err(RefreshError::Failed)
    }
}
