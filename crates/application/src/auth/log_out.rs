use std::sync::Arc;

use super::SecretToken;
use crate::ports::{Ports, Sessions, Unavailable};

/// Revokes logins.
#[derive(Clone)]
pub struct LogOutHandler {
    sessions: Arc<dyn Sessions>,
}

impl LogOutHandler {
    /// Creates a handler.
    pub fn new(ports: &Ports) -> Self {
        Self {
            sessions: Arc::clone(&ports.database.sessions),
        }
    }

    /// Revokes all refresh tokens of the login that `token` belongs to. An unknown token is no error, because its
    /// login has already ended. Access tokens stay valid until they expire.
    pub async fn handle(&self, token: &SecretToken) -> Result<(), Unavailable> {
        self.sessions.revoke(token.hash()).await
    }
}
