use std::{net::IpAddr, sync::Arc, time::Duration};

use rapidphoto_domain::{Timestamp, UserId, user::UserStatus, values::Email};

use super::{FailedLogins, SessionEnds, TokenPair, refresh_token::RefreshTokens};
use crate::{
    ports::{
        AccessTokens, BoxError, Clock, Ids, PasswordHasher, PasswordsBusy, Ports, Scopes, Session, SessionId,
        Sessions, Unavailable, UserReads,
    },
    settings::AuthSettings,
};

/// Request for tokens by e-mail address and password.
#[derive(Clone)]
pub struct LogIn {
    /// E-mail address of the account.
    pub email: String,
    /// Password of the account.
    pub password: String,
    /// Requested scopes; `None` for all scopes of the user.
    pub scopes: Option<Scopes>,
    /// Client address, for the limit on failed logins.
    pub address: Option<IpAddr>,
}

/// Reasons why no tokens are issued.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LogInError {
    /// Unknown account, wrong password or disabled account. The client can't tell which, so that accounts can't be
    /// enumerated.
    #[error("the e-mail address or the password is wrong")]
    Rejected,
    /// Too many failed logins for this account and address.
    #[error("too many failed logins")]
    TooMany {
        /// Time until the next attempt is allowed.
        retry_after: Duration,
    },
    /// None of the requested scopes can be granted.
    #[error("none of the requested scopes can be granted")]
    Scopes,
    /// The password can't be verified, or the access token can't be signed.
    #[error("the login can't be completed")]
    Failed(#[source] BoxError),
    /// The database or password hashing is unavailable.
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
    ends: SessionEnds,
    refresh_tokens: RefreshTokens,
}

impl LogInHandler {
    /// Creates a handler. `key` derives refresh tokens and must stay the same across restarts.
    pub fn new(
        ports: &Ports,
        settings: AuthSettings,
        failures: Arc<FailedLogins>,
        ends: SessionEnds,
        key: [u8; 32],
    ) -> Self {
        Self {
            clock: Arc::clone(&ports.clock),
            ids: Arc::clone(&ports.ids),
            sessions: Arc::clone(&ports.database.sessions),
            users: Arc::clone(&ports.database.users),
            passwords: Arc::clone(&ports.passwords),
            tokens: Arc::clone(&ports.tokens),
            settings,
            failures,
            ends,
            refresh_tokens: RefreshTokens::new(key),
        }
    }

    /// Verifies the password and issues tokens.
    pub async fn handle(&self, command: LogIn) -> Result<TokenPair, LogInError> {
        let email = Email::parse(&command.email).map_err(|_| LogInError::Rejected)?;
        let now = self.clock.now();
        let user = self.check(email, &command, now).await?;

        let all = Scopes::of_user();
        let scopes = command
            .scopes
            .map_or(all.clone(), |requested| requested.intersection(&all));
        if scopes.is_empty() {
            return Err(LogInError::Scopes);
        }
        let opened_at = self.sessions.now().await?;
        let session = self.open_session(user, scopes, opened_at);
        let refresh_token = self.refresh_tokens.first(session.id, self.ids.secret());
        let max = self.settings.max_sessions;
        let replaced = self
            .sessions
            .open(&session, refresh_token.hash(), opened_at, max)
            .await?;
        for session in replaced {
            self.ends.ended(session);
        }
        TokenPair::issue(&*self.tokens, &self.settings, &session, refresh_token, now)
            .map_err(LogInError::Failed)
    }

    /// New session of a user.
    fn open_session(&self, user: UserId, scopes: Scopes, now: Timestamp) -> Session {
        let ends_at = now + self.settings.session_lifetime;
        let random = self.ids.secret();
        Session {
            id: SessionId(*random.first_chunk().unwrap_or(&[0; 16])),
            user,
            scopes,
            expires_at: ends_at.min(now + self.settings.refresh_lifetime),
            ends_at,
        }
    }

    /// Verifies the e-mail address and password within the limit on failed logins.
    async fn check(&self, email: Email, command: &LogIn, now: Timestamp) -> Result<UserId, LogInError> {
        // The attempt is counted before anything is awaited, so that concurrent guesses are limited like sequential
        // ones.
        let attempt = self
            .failures
            .try_begin(email.clone(), command.address, now)
            .map_err(|retry_after| LogInError::TooMany { retry_after })?;
        match self.verify(&email, &command.password).await {
            Ok(Some(user)) => {
                attempt.succeeded();
                Ok(user)
            }
            // Dropping the attempt counts it as failed.
            Ok(None) => Err(LogInError::Rejected),
            Err(error) => {
                attempt.not_verified();
                Err(error)
            }
        }
    }

    async fn verify(&self, email: &Email, password: &str) -> Result<Option<UserId>, LogInError> {
        let credentials = self.users.credentials(email).await?;
        let hash = credentials.as_ref().map(|known| &known.password_hash);
        let matches = self.passwords.verify(password, hash).await;
        let matches = matches.map_err(|cause| match cause.downcast::<PasswordsBusy>() {
            Ok(busy) => LogInError::Unavailable(Unavailable::passwords(*busy)),
            Err(cause) => LogInError::Failed(cause),
        })?;
        Ok(credentials
            .filter(|known| matches && known.status == UserStatus::Active)
            .map(|known| known.user))
    }
}
