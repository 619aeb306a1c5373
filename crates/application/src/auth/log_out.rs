use std::sync::Arc;

use super::SecretToken;
use crate::ports::{Ports, Sessions, Unavailable};

/// Ends logins.
#[derive(Clone)]
pub struct LogOutHandler {
    sessions: Arc<dyn Sessions>,
}

impl LogOutHandler {
    /// A handler on these ports.
    pub fn new(ports: &Ports) -> Self {
        Self {
            sessions: Arc::clone(&ports.database.sessions),
        }
    }

    /// Revokes every refresh token of the login that this one belongs to. An unknown one belongs to none: that is what
    /// the client wanted. Access tokens run out by themselves.
    pub async fn handle(&self, token: &SecretToken) -> Result<(), Unavailable> {
        self.sessions.revoke(token.hash()).await
    }
}
