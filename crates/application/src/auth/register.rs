use std::sync::Arc;

use rapidphoto_domain::{
    StreamId, UserId, Version,
    user::User,
    values::{Email, EmailError},
};

use crate::{
    decision::event_id,
    ports::{
        AggregateState, BoxError, Change, Clock, Commit, CommitError, Details, EventMetadata, Ids, Journal,
        NewEvent, NonEmpty, PasswordHasher, PasswordsBusy, Ports, Unavailable, Unique,
    },
    settings::AuthSettings,
};

/// Maximum length of a password, which bounds the time of hashing.
const MAX_PASSWORD_BYTES: usize = 1024;

/// Request for a new account.
#[derive(Clone)]
pub struct RegisterUser {
    /// E-mail address for logins.
    pub email: String,
    /// Password for logins.
    pub password: String,
    /// Metadata of the request.
    pub metadata: EventMetadata,
}

/// Reasons why no account is created.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RegisterUserError {
    /// Registration is disabled in this deployment.
    #[error("registration is closed")]
    Closed,
    /// The e-mail address is invalid.
    #[error(transparent)]
    Email(EmailError),
    /// The password is too short or too long.
    #[error("a password must have at least {min} characters and at most {MAX_PASSWORD_BYTES} bytes")]
    Password {
        /// Minimum length in characters.
        min: usize,
    },
    /// An account with this e-mail address exists.
    #[error("the e-mail address is taken")]
    EmailTaken,
    /// The password can't be hashed.
    #[error("the password can't be hashed")]
    Hashing(#[source] BoxError),
    /// The database or password hashing is unavailable.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// Creates accounts.
#[derive(Clone)]
pub struct RegisterUserHandler {
    journal: Arc<dyn Journal>,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn Ids>,
    passwords: Arc<dyn PasswordHasher>,
    settings: AuthSettings,
}

impl RegisterUserHandler {
    /// Creates a handler.
    pub fn new(ports: &Ports, settings: AuthSettings) -> Self {
        Self {
            journal: Arc::clone(&ports.database.journal),
            clock: Arc::clone(&ports.clock),
            ids: Arc::clone(&ports.ids),
            passwords: Arc::clone(&ports.passwords),
            settings,
        }
    }

    /// Creates an account and returns the id of its user.
    pub async fn handle(&self, command: RegisterUser) -> Result<UserId, RegisterUserError> {
        if !self.settings.registration_open {
            return Err(RegisterUserError::Closed);
        }
        let email = Email::parse(&command.email).map_err(RegisterUserError::Email)?;
        let min = self.settings.min_password_chars;
        if command.password.chars().count() < min || command.password.len() > MAX_PASSWORD_BYTES {
            return Err(RegisterUserError::Password { min });
        }
        let hashed = self.passwords.hash(&command.password).await;
        let password_hash = hashed.map_err(|cause| match cause.downcast::<PasswordsBusy>() {
            Ok(busy) => RegisterUserError::Unavailable(Unavailable::passwords(*busy)),
            Err(cause) => RegisterUserError::Hashing(cause),
        })?;

        let ids = self.ids.as_ref();
        let user = UserId::from_bits(ids.ulid());
        let event = User::register(user);
        let state = User {
            id: user,
            status: rapidphoto_domain::user::UserStatus::Active,
        };
        let metadata = EventMetadata {
            actor: Some(user),
            ..command.metadata
        };
        let mut commit = Commit::new(self.clock.now(), metadata);
        commit.changes.push(Change {
            stream: StreamId::User(user),
            expected: Version::NEW,
            events: NonEmpty::new(
                NewEvent {
                    id: event_id(ids),
                    event: event.into(),
                },
                [],
            ),
            state: AggregateState::User(state),
        });
        commit.details.push(Details::User {
            user,
            email,
            password_hash,
        });
        match self.journal.commit(commit).await {
            Ok(_) => Ok(user),
            Err(CommitError::Duplicate(Unique::Email)) => Err(RegisterUserError::EmailTaken),
            Err(other) => Err(RegisterUserError::Unavailable(other.into_unavailable())),
        }
    }
}
