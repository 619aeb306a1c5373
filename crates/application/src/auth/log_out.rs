use std::sync::Arc;

use super::{
    SecretToken, SessionEnds,
    audit::{self, SecurityEvent, Subject},
    refresh_token::{Presented, RefreshTokens},
};
use crate::ports::{Ports, Sessions, Unavailable};

/// Ends sessions.
#[derive(Clone)]
pub struct LogOutHandler {
    sessions: Arc<dyn Sessions>,
    ends: SessionEnds,
    refresh_tokens: RefreshTokens,
}

impl LogOutHandler {
    /// Creates a handler. `key` verifies refresh tokens and must stay the same across restarts.
    pub fn new(ports: &Ports, ends: SessionEnds, key: [u8; 32]) -> Self {
        Self {
            sessions: Arc::clone(&ports.database.sessions),
            ends,
            refresh_tokens: RefreshTokens::new(key),
        }
    }

    /// Ends the session that `token` was issued for, and with it the session's stream tickets and open streams. An
    /// unknown token is no error, because its session has already ended. Access tokens stay valid until they expire.
    pub async fn handle(&self, token: &SecretToken) -> Result<(), Unavailable> {
        let session = match self.refresh_tokens.verify(token) {
            Some(Presented::Issued(session)) => Some(session),
            Some(Presented::WithoutSession(hash)) => self.sessions.session_of(hash).await?,
            None => None,
        };
        if let Some(session) = session {
            let user = self.sessions.end(session).await?;
            self.ends.ended(session);
            if user.is_some() {
                let subject = Subject {
                    user,
                    session: Some(session),
                    ..Subject::default()
                };
                audit::record(SecurityEvent::LoggedOut, subject);
            }
        }
        Ok(())
    }
}
