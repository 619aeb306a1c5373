use std::{sync::Arc, time::Duration};

use rapidphoto_domain::user::UserStatus;

use super::{
    LoginLimits, SecretToken, SessionEnds, TokenPair,
    audit::{self, SecurityEvent, Subject},
    login_limits::NotAdmitted,
    refresh_token::{Presented, RefreshTokens},
};
use crate::{
    ports::{
        AccessTokens, Aggregates, BoxError, Clock, Ports, Rotation, Sessions, TokenRotation, Unavailable,
    },
    settings::AuthSettings,
};

/// Reasons why a refresh token is rejected.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RefreshError {
    /// The token is unknown, expired or revoked.
    #[error("the refresh token is not valid")]
    Rejected,
    /// The token was used before, so it may be stolen. Its session has ended.
    #[error("the refresh token was used before; its session has ended")]
    Reused,
    /// The session's token was refreshed too often within a minute.
    #[error("the session was refreshed too often")]
    TooMany {
        /// Time until the next refresh is allowed.
        retry_after: Duration,
    },
    /// The access token can't be signed.
    #[error("the refresh can't be completed")]
    Failed(#[source] BoxError),
    /// The database is unavailable.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// Exchanges refresh tokens for new token pairs.
#[derive(Clone)]
pub struct RefreshHandler {
    clock: Arc<dyn Clock>,
    sessions: Arc<dyn Sessions>,
    aggregates: Arc<dyn Aggregates>,
    tokens: Arc<dyn AccessTokens>,
    settings: AuthSettings,
    limits: Arc<LoginLimits>,
    ends: SessionEnds,
    refresh_tokens: RefreshTokens,
}

impl RefreshHandler {
    /// Creates a handler. `key` derives and verifies refresh tokens and must stay the same across restarts.
    pub fn new(
        ports: &Ports,
        settings: AuthSettings,
        limits: Arc<LoginLimits>,
        ends: SessionEnds,
        key: [u8; 32],
    ) -> Self {
        Self {
            clock: Arc::clone(&ports.clock),
            sessions: Arc::clone(&ports.database.sessions),
            aggregates: Arc::clone(&ports.database.aggregates),
            tokens: Arc::clone(&ports.tokens),
            settings,
            limits,
            ends,
            refresh_tokens: RefreshTokens::new(key),
        }
    }

    /// Replaces a refresh token by a new token pair.
    pub async fn handle(&self, token: &SecretToken) -> Result<TokenPair, RefreshError> {
        let now = self.sessions.now().await?;
        let session = match self.refresh_tokens.verify(token) {
            Some(Presented::Issued(session)) => session,
            Some(Presented::WithoutSession(hash)) => {
                let session = self.sessions.session_of(hash).await?;
                session.ok_or(RefreshError::Rejected)?
            }
            None => return Err(RefreshError::Rejected),
        };
        // Each refresh is a write, whose number a client must not decide.
        let counted = self.limits.try_refresh(session).await;
        counted.map_err(|not_admitted| match not_admitted {
            NotAdmitted::TooMany { retry_after } => RefreshError::TooMany { retry_after },
            NotAdmitted::Unavailable(unavailable) => unavailable.into(),
        })?;
        let successor = self.refresh_tokens.successor(session, token);
        let rotation = TokenRotation {
            session,
            token: token.hash(),
            successor: successor.hash(),
            now,
            grace: self.settings.refresh_grace,
            expires_at: now + self.settings.refresh_lifetime,
        };
        let session = match self.sessions.rotate(&rotation).await? {
            Rotation::Rotated(session) | Rotation::Repeated(session) => session,
            Rotation::Reused(user) => {
                self.ends.ended(rotation.session);
                let subject = Subject {
                    user: Some(user),
                    session: Some(rotation.session),
                    ..Subject::default()
                };
                audit::record(SecurityEvent::RefreshTokenReused, subject);
                return Err(RefreshError::Reused);
            }
            Rotation::Invalid => return Err(RefreshError::Rejected),
        };
        let user = self.aggregates.user(session.user).await?;
        user.filter(|user| user.value.status == UserStatus::Active)
            .ok_or(RefreshError::Rejected)?;
        // Access tokens are verified by the clocks of the processes.
        let issued_at = self.clock.now();
        TokenPair::issue(&*self.tokens, &self.settings, &session, successor, issued_at)
            .map_err(RefreshError::Failed)
    }
}
