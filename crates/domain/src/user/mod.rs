//! Users, the owners of jobs and photos. E-mail address and password are stored outside the event log, because they
//! must be erasable.

use serde::{Deserialize, Serialize};

use crate::id::UserId;

/// State of a user, folded from its events.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct User {
    /// Identifier of the user.
    pub id: UserId,
    /// Status of the account.
    pub status: UserStatus,
}

/// Status of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum UserStatus {
    /// The user may log in.
    Active,
    /// The user may not log in.
    Disabled,
}

/// Event of a user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", content = "data", rename_all_fields = "camelCase")]
pub enum UserEvent {
    /// The account was created.
    UserRegistered {
        /// Identifier of the user.
        user: UserId,
    },
    /// The account was disabled.
    UserDisabled {},
}

/// The account is already disabled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the account is already disabled")]
pub struct AlreadyDisabled;

/// Error of folding events into a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a user's stream must begin with UserRegistered")]
pub struct FoldError;

impl User {
    /// Returns the first event of a new user.
    pub const fn register(user: UserId) -> UserEvent {
        UserEvent::UserRegistered { user }
    }

    /// Disables the account.
    ///
    /// # Errors
    /// The account is already disabled.
    pub const fn disable(&self) -> Result<UserEvent, AlreadyDisabled> {
        match self.status {
            UserStatus::Active => Ok(UserEvent::UserDisabled {}),
            UserStatus::Disabled => Err(AlreadyDisabled),
        }
    }

    /// State after the first event of a stream.
    ///
    /// # Errors
    /// The event is not `UserRegistered`.
    pub const fn begin(first: &UserEvent) -> Result<Self, FoldError> {
        match first {
            UserEvent::UserRegistered { user } => Ok(Self {
                id: *user,
                status: UserStatus::Active,
            }),
            UserEvent::UserDisabled {} => Err(FoldError),
        }
    }

    /// State after all events of a stream.
    ///
    /// # Errors
    /// The stream is empty or begins with another event.
    pub fn fold<'a>(events: impl IntoIterator<Item = &'a UserEvent>) -> Result<Self, FoldError> {
        let mut events = events.into_iter();
        let user = Self::begin(events.next().ok_or(FoldError)?)?;
        Ok(events.fold(user, Self::apply))
    }

    /// State after one more event. Events are facts: applying one never fails.
    pub const fn apply(mut self, event: &UserEvent) -> Self {
        match event {
            // Only the first event of a stream creates the user; a later one changes nothing.
            UserEvent::UserRegistered { .. } => {}
            UserEvent::UserDisabled {} => self.status = UserStatus::Disabled,
        }
        self
    }
}
