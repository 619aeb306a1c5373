use std::sync::Arc;

use crate::ports::{AccessTokens, Clock, Grant, Ports, TokenError};

/// Reads access tokens.
#[derive(Clone)]
pub struct Authenticate {
    clock: Arc<dyn Clock>,
    tokens: Arc<dyn AccessTokens>,
}

impl Authenticate {
    /// A reader on these ports.
    pub fn new(ports: &Ports) -> Self {
        Self {
            clock: Arc::clone(&ports.clock),
            tokens: Arc::clone(&ports.tokens),
        }
    }

    /// What a token allows at this moment. Asks nobody.
    pub fn token(&self, token: &str) -> Result<Grant, TokenError> {
        self.tokens.verify(token, self.clock.now())
    }
}
