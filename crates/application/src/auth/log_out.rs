use super::SecretToken;
use crate::{outside::Outside, ports::Unavailable};

/// Ends logins.
#[derive(Clone)]
pub struct LogOutHandler {
    outside: Outside,
}

impl LogOutHandler {
    /// A handler on these ports.
    pub const fn new(outside: Outside) -> Self {
        Self { outside }
    }

    /// Revokes every refresh token of the login that this one belongs to. An unknown one belongs to none: that is what
    /// the client wanted. Access tokens run out by themselves.
    pub async fn handle(&self, token: &SecretToken) -> Result<(), Unavailable> {
        self.outside.sessions.revoke(token.hash()).await
    }
}
