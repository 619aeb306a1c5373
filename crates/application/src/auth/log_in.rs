use std::{net::IpAddr, sync::Arc, time::Duration};

use rapidphoto_domain::{Timestamp, UserId, user::UserStatus, values::Email};

use super::{
    LoginLimits, SessionEnds, TokenPair,
    audit::{self, SecurityEvent, Subject},
    login_limits::NotAdmitted,
    new_account::MAX_PASSWORD_BYTES,
    refresh_token::RefreshTokens,
};
use crate::{
    ports::{
        AccessTokens, BoxError, Clock, Commit, Details, EventMetadata, Ids, Journal, PasswordHasher,
        PasswordsBusy, Ports, Scopes, Session, SessionId, Sessions, Unavailable, UserCredentials, UserReads,
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
    /// Client address, for the limits on logins and the audit.
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
    /// Too many logins from this network, or too many failed ones for this account.
    #[error("too many logins")]
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
    journal: Arc<dyn Journal>,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn Ids>,
    sessions: Arc<dyn Sessions>,
    users: Arc<dyn UserReads>,
    passwords: Arc<dyn PasswordHasher>,
    tokens: Arc<dyn AccessTokens>,
    settings: AuthSettings,
    limits: Arc<LoginLimits>,
    ends: SessionEnds,
    refresh_tokens: RefreshTokens,
}

impl LogInHandler {
    /// Creates a handler. `key` derives refresh tokens and must stay the same across restarts.
    pub fn new(
        ports: &Ports,
        settings: AuthSettings,
        limits: Arc<LoginLimits>,
        ends: SessionEnds,
        key: [u8; 32],
    ) -> Self {
        audit::register();
        Self {
            journal: Arc::clone(&ports.database.journal),
            clock: Arc::clone(&ports.clock),
            ids: Arc::clone(&ports.ids),
            sessions: Arc::clone(&ports.database.sessions),
            users: Arc::clone(&ports.database.users),
            passwords: Arc::clone(&ports.passwords),
            tokens: Arc::clone(&ports.tokens),
            settings,
            limits,
            ends,
            refresh_tokens: RefreshTokens::new(key),
        }
    }

    /// Verifies the password and issues tokens.
    pub async fn handle(&self, command: LogIn) -> Result<TokenPair, LogInError> {
        let email = Email::parse(&command.email).map_err(|_| LogInError::Rejected)?;
        // Another login may have replaced a hash with outdated costs meanwhile: the password is verified once more.
        for _ in 0..2 {
            if let Some(tokens) = self.try_once(&email, &command).await? {
                return Ok(tokens);
            }
        }
        let subject = Subject {
            address: command.address,
            ..Subject::default()
        };
        audit::record(SecurityEvent::LoginRefused, subject);
        Err(LogInError::Rejected)
    }

    /// Returns `None` if the account changed after the password was verified.
    async fn try_once(&self, email: &Email, command: &LogIn) -> Result<Option<TokenPair>, LogInError> {
        let now = self.clock.now();
        let account = self.check(email, command).await?;

        // The scope `admin` is only granted on request, so that tokens for photos can do no more.
        let granted = Scopes::of_user();
        let available = account.available_scopes();
        let requested = command.scopes.as_ref();
        let scopes = requested.map_or(granted, |requested| requested.intersection(&available));
        if scopes.is_empty() {
            return Err(LogInError::Scopes);
        }
        let opened_at = self.sessions.now().await?;
        let session = self.new_session(account.user, scopes, opened_at);
        let refresh_token = self.refresh_tokens.first(session.id, self.ids.secret());
        let max = self.settings.max_sessions;
        let verified = &account.password_hash;
        let opened = self
            .sessions
            .open(&session, refresh_token.hash(), verified, opened_at, max);
        let Some(replaced) = opened.await? else {
            return Ok(None);
        };
        for session in replaced {
            self.ends.ended(session);
        }
        let subject = Subject {
            user: Some(session.user),
            session: Some(session.id),
            address: command.address,
        };
        audit::record(SecurityEvent::LoggedIn, subject);
        self.replace_outdated_hash(account, &command.password).await;
        TokenPair::issue(&*self.tokens, &self.settings, &session, refresh_token, now)
            .map(Some)
            .map_err(LogInError::Failed)
    }

    /// New session of a user.
    fn new_session(&self, user: UserId, scopes: Scopes, now: Timestamp) -> Session {
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

    /// Verifies the e-mail address and password within the limits on logins.
    async fn check(&self, email: &Email, command: &LogIn) -> Result<UserCredentials, LogInError> {
        let address = command.address;
        let subject = Subject {
            address,
            ..Subject::default()
        };
        // The attempt is counted before anything is verified, so that concurrent guesses are limited like sequential
        // ones.
        let attempt = self.limits.try_log_in(email, address).await;
        let attempt = attempt.map_err(|not_admitted| match not_admitted {
            NotAdmitted::TooMany { retry_after } => {
                audit::record(SecurityEvent::LoginDelayed, subject);
                LogInError::TooMany { retry_after }
            }
            // Guesses that can't be counted are not allowed.
            NotAdmitted::Unavailable(unavailable) => unavailable.into(),
        })?;
        if !attempt.delay().is_zero() {
            audit::record(SecurityEvent::LoginDelayed, subject);
            tokio::time::sleep(attempt.delay()).await;
        }
        let (known, matches) = match self.verify(email, &command.password).await {
            Ok(verified) => verified,
            Err(error) => {
                attempt.not_verified().await;
                return Err(error);
            }
        };
        let subject = Subject {
            user: known.as_ref().map(|known| known.user),
            ..subject
        };
        if let Some(known) = known.filter(|known| matches && known.status == UserStatus::Active) {
            attempt.succeeded().await;
            return Ok(known);
        }
        attempt.failed().await;
        audit::record(SecurityEvent::LoginRefused, subject);
        Err(LogInError::Rejected)
    }

    /// Returns the account, if there is one, and true if the password is its own.
    async fn verify(
        &self,
        email: &Email,
        password: &str,
    ) -> Result<(Option<UserCredentials>, bool), LogInError> {
        let known = self.users.credentials(email).await?;
        // No account has a longer password, so that it isn't worth its hashing.
        if password.len() > MAX_PASSWORD_BYTES {
            return Ok((known, false));
        }
        let hash = known.as_ref().map(|known| &known.password_hash);
        let matches = self.passwords.verify(password, hash).await;
        let matches = matches.map_err(|cause| match cause.downcast::<PasswordsBusy>() {
            Ok(busy) => LogInError::Unavailable(Unavailable::passwords(*busy)),
            Err(cause) => LogInError::Failed(cause),
        })?;
        Ok((known, matches))
    }

    /// Hashes a correct password again if its hash has other costs than new ones. The login is complete without it.
    async fn replace_outdated_hash(&self, account: UserCredentials, password: &str) {
        if !self.passwords.is_outdated(&account.password_hash) {
            return;
        }
        let Ok(password_hash) = self.passwords.hash(password).await else {
            return;
        };
        let mut commit = Commit::new(self.clock.now(), EventMetadata::default());
        commit.details.push(Details::Password {
            user: account.user,
            replaces: account.password_hash,
            password_hash,
        });
        if let Err(error) = self.journal.commit(commit).await {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "a password hash with outdated costs is kept until the next login"
            );
        }
    }
}
