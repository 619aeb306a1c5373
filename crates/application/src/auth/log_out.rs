use super::SecretToken;
use crate::{outside::Outside, ports::Unavailable};

/// Revokes logins.
#[derive(Clone)]
pub struct LogOutHandler {
    outside: Outside,
}

impl LogOutHandler {
    /// Creates a handler.
    pub const fn new(outside: Outside) -> Self {
        Self { outside }
    }

    /// Revokes all refresh tokens of the login that `token` belongs to. An unknown token is no error, because its
    /// login has already ended. Access tokens stay valid until they expire.
    pub async fn handle(&self, token: &SecretToken) -> Result<(), Unavailable> {
        self.outside.sessions.revoke(token.hash()).await
    }
}
