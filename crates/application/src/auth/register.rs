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

/// Longer passwords only cost hashing time.
const MAX_PASSWORD_BYTES: usize = 1024;

/// Makes an account.
#[derive(Clone)]
pub struct RegisterUser {
    /// The address that it logs in with.
    pub email: String,
    /// The password.
    pub password: String,
    /// Where the request came from.
    pub metadata: EventMetadata,
}

/// Why no account was made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RegisterUserError {
    /// The deployment makes no new accounts.
    #[error("registration is closed")]
    Closed,
    /// The address is none.
    #[error(transparent)]
    Email(EmailError),
    /// The password is too short or too long.
    #[error("a password has {min} characters at least and {MAX_PASSWORD_BYTES} bytes at most")]
    Password {
        /// The least length in characters.
        min: usize,
    },
    /// There is an account with this address.
    #[error("the e-mail address is taken")]
    EmailTaken,
    /// The password can't be hashed.
    #[error("the password can't be hashed")]
    Hashing(#[source] BoxError),
    /// The record can't be reached.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// Makes accounts.
#[derive(Clone)]
pub struct RegisterUserHandler {
    journal: Arc<dyn Journal>,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn Ids>,
    passwords: Arc<dyn PasswordHasher>,
    settings: AuthSettings,
}

impl RegisterUserHandler {
    /// A handler on these ports.
    pub fn new(ports: &Ports, settings: AuthSettings) -> Self {
        Self {
            journal: Arc::clone(&ports.database.journal),
            clock: Arc::clone(&ports.clock),
            ids: Arc::clone(&ports.ids),
            passwords: Arc::clone(&ports.passwords),
            settings,
        }
    }

    /// Makes an account and names its user.
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
