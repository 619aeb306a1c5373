use std::sync::Arc;

use crate::ports::{AccessTokens, Clock, Grant, Ports, TokenError};

/// Verifies access tokens.
#[derive(Clone)]
pub struct Authenticate {
    clock: Arc<dyn Clock>,
    tokens: Arc<dyn AccessTokens>,
}

impl Authenticate {
    /// Creates a verifier.
    pub fn new(ports: &Ports) -> Self {
        Self {
            clock: Arc::clone(&ports.clock),
            tokens: Arc::clone(&ports.tokens),
        }
    }

    /// Verifies a token without any I/O and returns what it allows.
    pub fn token(&self, token: &str) -> Result<Grant, TokenError> {
        self.tokens.verify(token, self.clock.now())
    }
}
