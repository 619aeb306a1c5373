use crate::{
    outside::Outside,
    ports::{Grant, TokenError},
};

/// Reads access tokens.
#[derive(Clone)]
pub struct Authenticate {
    outside: Outside,
}

impl Authenticate {
    /// A reader on these ports.
    pub const fn new(outside: Outside) -> Self {
        Self { outside }
    }

    /// What a token allows at this moment. Asks nobody.
    pub fn token(&self, token: &str) -> Result<Grant, TokenError> {
        self.outside.tokens.verify(token, self.outside.clock.now())
    }
}
