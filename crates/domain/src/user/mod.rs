//! A user: whose photos they are. E-mail address and password live outside the log, where they can be erased.

use serde::{Deserialize, Serialize};

use crate::UserId;

/// A user as the fold of its events.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct User {
    /// Names the user.
    pub id: UserId,
    /// Whether the user may log in.
    pub status: UserStatus,
}

/// Whether a user may log in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum UserStatus {
    /// May log in.
    Active,
    /// May not.
    Disabled,
}

/// What happened to a user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", content = "data", rename_all_fields = "camelCase")]
pub enum UserEvent {
    /// An account was made.
    UserRegistered {
        /// Names the user.
        user: UserId,
    },
    /// The account was closed.
    UserDisabled {},
}

/// The account is disabled already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the account is disabled already")]
pub struct AlreadyDisabled;

/// Why events don't fold into a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a user's stream begins with UserRegistered")]
pub struct FoldError;

impl User {
    /// A new user's first event.
    pub const fn register(user: UserId) -> UserEvent {
        UserEvent::UserRegistered { user }
    }

    /// Closes the account.
    ///
    /// # Errors
    /// When it is closed already.
    pub const fn disable(&self) -> Result<UserEvent, AlreadyDisabled> {
        match self.status {
            UserStatus::Active => Ok(UserEvent::UserDisabled {}),
            UserStatus::Disabled => Err(AlreadyDisabled),
        }
    }

    /// The user that a stream's first event makes.
    ///
    /// # Errors
    /// When it is not `UserRegistered`.
    pub const fn begin(first: &UserEvent) -> Result<Self, FoldError> {
        match first {
            UserEvent::UserRegistered { user } => Ok(Self {
                id: *user,
                status: UserStatus::Active,
            }),
            UserEvent::UserDisabled {} => Err(FoldError),
        }
    }

    /// The user that a whole stream makes.
    ///
    /// # Errors
    /// When the stream is empty or begins with another event.
    pub fn fold<'a>(events: impl IntoIterator<Item = &'a UserEvent>) -> Result<Self, FoldError> {
        let mut events = events.into_iter();
        let user = Self::begin(events.next().ok_or(FoldError)?)?;
        Ok(events.fold(user, Self::apply))
    }

    /// The user after one more event. An event is a fact: it is never refused.
    pub const fn apply(mut self, event: &UserEvent) -> Self {
        match event {
            // A stream has one beginning; a second one would tell nothing new.
            UserEvent::UserRegistered { .. } => {}
            UserEvent::UserDisabled {} => self.status = UserStatus::Disabled,
        }
        self
    }
}
