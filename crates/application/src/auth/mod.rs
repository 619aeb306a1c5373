//! Who is asking: accounts, tokens and tickets.

mod authenticate;
mod failed_logins;
mod log_in;
mod log_out;
mod refresh;
mod register;
mod secret;
mod stream_ticket;

pub use authenticate::Authenticate;
pub use failed_logins::FailedLogins;
pub use log_in::{LogIn, LogInError, LogInHandler};
pub use log_out::LogOutHandler;
pub use refresh::{RefreshError, RefreshHandler};
pub use register::{RegisterUser, RegisterUserError, RegisterUserHandler};
pub use secret::SecretToken;
pub use stream_ticket::{IssuedTicket, StreamTickets, TicketError};

use rapidphoto_domain::{Timestamp, UserId};

use crate::{
    ports::{AccessTokens, BoxError, Grant, Scopes},
    settings::AuthSettings,
};

/// What a login or a refresh gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenPair {
    /// The access token.
    pub access_token: String,
    /// How long it holds.
    pub expires_in: std::time::Duration,
    /// The refresh token.
    pub refresh_token: SecretToken,
    /// What the access token allows.
    pub scopes: Scopes,
}

impl TokenPair {
    /// A fresh access token beside a refresh token that the record knows.
    fn issue(
        tokens: &dyn AccessTokens,
        settings: &AuthSettings,
        user: UserId,
        scopes: Scopes,
        refresh_token: SecretToken,
        now: Timestamp,
    ) -> Result<Self, BoxError> {
        let expires_in = settings.access_lifetime;
        let grant = Grant {
            user,
            scopes: scopes.clone(),
            expires_at: now + expires_in,
        };
        let access_token = tokens.issue(&grant, now)?;
        Ok(Self {
            access_token,
            expires_in,
            refresh_token,
            scopes,
        })
    }
}
