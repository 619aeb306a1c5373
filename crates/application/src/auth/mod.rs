//! Authentication: accounts, access and refresh tokens, and stream tickets.

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
    outside::Outside,
    ports::{BoxError, Grant, Scopes},
    settings::AuthSettings,
};

/// Access and refresh token, issued by a login or a refresh.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenPair {
    /// Signed access token.
    pub access_token: String,
    /// Validity of the access token.
    pub expires_in: std::time::Duration,
    /// Refresh token, usable once.
    pub refresh_token: SecretToken,
    /// Scopes of the access token.
    pub scopes: Scopes,
}

impl TokenPair {
    /// Issues an access token to go with a stored refresh token.
    fn issue(
        outside: &Outside,
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
        let access_token = outside.tokens.issue(&grant, now)?;
        Ok(Self {
            access_token,
            expires_in,
            refresh_token,
            scopes,
        })
    }
}
