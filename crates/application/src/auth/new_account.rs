use std::sync::Arc;

use rapidphoto_domain::{
    StreamId, UserId, Version,
    user::{User, UserStatus},
    values::Email,
};

use super::{RegisterUserError, register::MAX_PASSWORD_BYTES};
use crate::{
    decision::event_id,
    ports::{
        AggregateState, Change, CommitError, Details, EventMetadata, NewEvent, NonEmpty, PasswordHash,
        PasswordHasher, PasswordsBusy, Unavailable, Unique, WritePorts,
    },
    settings::AuthSettings,
};

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
