use std::{sync::Arc, time::Duration};

use rapidphoto_domain::{
    StreamId, UserId, Version,
    user::{User, UserStatus},
    values::{Email, EmailError},
};

use crate::{
    decision::event_id,
    ports::{
        AggregateState, BoxError, Change, CommitError, Details, EventMetadata, NewEvent, NonEmpty,
        PasswordHash, PasswordHasher, PasswordsBusy, Unavailable, Unique, WritePorts,
    },
    settings::AuthSettings,
};

/// Maximum length of a password, which bounds the time of hashing.
pub(crate) const MAX_PASSWORD_BYTES: usize = 1024;

/// Reasons why no account is created.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RegisterUserError {
    /// Registration is disabled in this deployment.
    #[error("registration is closed")]
    Closed,
    /// Too many registrations from this network.
    #[error("too many registrations from this network")]
    TooMany {
        /// Time until the next attempt is allowed.
        retry_after: Duration,
    },
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

/// Creates accounts, for a registration or an administrator.
#[derive(Clone)]
pub(crate) struct NewAccounts {
    ports: WritePorts,
    passwords: Arc<dyn PasswordHasher>,
    settings: AuthSettings,
}

impl NewAccounts {
    pub(crate) const fn new(
        ports: WritePorts,
        passwords: Arc<dyn PasswordHasher>,
        settings: AuthSettings,
    ) -> Self {
        Self {
            ports,
            passwords,
            settings,
        }
    }

    /// Checks the length of a new password and hashes it.
    pub(crate) async fn hash(&self, password: &str) -> Result<PasswordHash, RegisterUserError> {
        let min = self.settings.min_password_chars;
        if password.chars().count() < min || password.len() > MAX_PASSWORD_BYTES {
            return Err(RegisterUserError::Password { min });
        }
        let hashed = self.passwords.hash(password).await;
        hashed.map_err(|cause| match cause.downcast::<PasswordsBusy>() {
            Ok(busy) => RegisterUserError::Unavailable(Unavailable::passwords(*busy)),
            Err(cause) => RegisterUserError::Hashing(cause),
        })
    }

    /// Creates an account and returns the id of its user. Without an actor in the metadata the user is the actor.
    pub(crate) async fn create(
        &self,
        email: &str,
        password: &str,
        metadata: EventMetadata,
    ) -> Result<UserId, RegisterUserError> {
        let email = Email::parse(email).map_err(RegisterUserError::Email)?;
        let password_hash = self.hash(password).await?;
        let ids = self.ports.ids.as_ref();
        let user = UserId::from_bits(ids.ulid());
        let event = User::register(user);
        let state = User {
            id: user,
            status: UserStatus::Active,
            is_admin: false,
        };
        let metadata = EventMetadata {
            actor: metadata.actor.or(Some(user)),
            ..metadata
        };
        let mut commit = self.ports.commit(metadata);
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
        match self.ports.journal.commit(commit).await {
            Ok(_) => Ok(user),
            Err(CommitError::Duplicate(Unique::Email)) => Err(RegisterUserError::EmailTaken),
            Err(other) => Err(RegisterUserError::Unavailable(other.into_unavailable())),
        }
    }
}
