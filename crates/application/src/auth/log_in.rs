use std::{net::IpAddr, sync::Arc, time::Duration};

use rapidphoto_domain::{Timestamp, UserId, user::UserStatus, values::Email};

use super::{FailedLogins, SecretToken, TokenPair};
use crate::{
    ports::{
        AccessTokens, BoxError, Clock, Ids, PasswordHasher, PasswordsBusy, Ports, RefreshSession, Scopes,
        Sessions, Unavailable, UserReads,
    },
    settings::AuthSettings,
};

pub(super) const REFRESH_PREFIX: &str = "rft_";

/// Asks for tokens.
#[derive(Clone)]
pub struct LogIn {
    /// The account's address.
    pub email: String,
    /// Its password.
    pub password: String,
    /// Less than everything, where the client wants less.
    pub scopes: Option<Scopes>,
    /// Where the request came from.
    pub address: Option<IpAddr>,
}

/// Why there are no tokens.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LogInError {
    /// No such account, another password, or a disabled account: nobody learns which.
    #[error("the e-mail address or the password is wrong")]
    Refused,
    /// Too many failures.
    #[error("too many failed logins")]
    TooMany {
        /// When to try again.
        retry_after: Duration,
    },
    /// Nothing that the client asks for can be granted.
    #[error("none of the scopes can be granted")]
    Scopes,
    /// The password can't be checked, or the token can't be signed.
    #[error("the login can't be completed")]
    Broken(#[source] BoxError),
    /// The record can't be reached.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// Logs users in.
#[derive(Clone)]
pub struct LogInHandler {
    clock: Arc<dyn Clock>,
    ids: Arc<dyn Ids>,
    sessions: Arc<dyn Sessions>,
    users: Arc<dyn UserReads>,
    passwords: Arc<dyn PasswordHasher>,
    tokens: Arc<dyn AccessTokens>,
    settings: AuthSettings,
    failures: Arc<FailedLogins>,
}

impl LogInHandler {
    /// A handler on these ports.
    pub fn new(ports: &Ports, settings: AuthSettings, failures: Arc<FailedLogins>) -> Self {
        Self {
            clock: Arc::clone(&ports.clock),
            ids: Arc::clone(&ports.ids),
            sessions: Arc::clone(&ports.database.sessions),
            users: Arc::clone(&ports.database.users),
            passwords: Arc::clone(&ports.passwords),
            tokens: Arc::clone(&ports.tokens),
            settings,
            failures,
        }
    }

    /// Gives tokens for an address and its password.
    pub async fn handle(&self, command: LogIn) -> Result<TokenPair, LogInError> {
        let email = Email::parse(&command.email).map_err(|_| LogInError::Refused)?;
        let now = self.clock.now();
        let user = self.check(email, &command, now).await?;

        let all = Scopes::of_user();
        let scopes = command
            .scopes
            .map_or(all.clone(), |wanted| wanted.intersection(&all));
        if scopes.is_empty() {
            return Err(LogInError::Scopes);
        }
        let refresh_token = SecretToken::new(REFRESH_PREFIX, self.ids.secret());
        let token = refresh_token.hash();
        let session = RefreshSession {
            token,
            family: token,
            user,
            scopes: scopes.clone(),
            expires_at: now + self.settings.refresh_lifetime,
        };
        self.sessions.open(&session).await?;
        TokenPair::issue(&*self.tokens, &self.settings, user, scopes, refresh_token, now)
            .map_err(LogInError::Broken)
    }

    /// Whose address and password these are.
    async fn check(&self, email: Email, command: &LogIn, now: Timestamp) -> Result<UserId, LogInError> {
        // A place is taken before anything is awaited: guesses side by side are counted as if they came one by one.
        let attempt = self
            .failures
            .try_begin(email.clone(), command.address, now)
            .map_err(|retry_after| LogInError::TooMany { retry_after })?;
        match self.owner_of(&email, &command.password).await {
            Ok(Some(user)) => {
                attempt.succeeded();
                Ok(user)
            }
            // Dropped, an attempt has failed.
            Ok(None) => Err(LogInError::Refused),
            Err(error) => {
                attempt.undecided();
                Err(error)
            }
        }
    }

    async fn owner_of(&self, email: &Email, password: &str) -> Result<Option<UserId>, LogInError> {
        let credentials = self.users.credentials(email).await?;
        let hash = credentials.as_ref().map(|known| &known.password_hash);
        let fits = self.passwords.verify(password, hash).await;
        let fits = fits.map_err(|cause| match cause.downcast::<PasswordsBusy>() {
            Ok(busy) => LogInError::Unavailable(Unavailable::passwords(*busy)),
            Err(cause) => LogInError::Broken(cause),
        })?;
        Ok(credentials
            .filter(|known| fits && known.status == UserStatus::Active)
            .map(|known| known.user))
    }
}
