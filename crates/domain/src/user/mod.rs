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
    /// True if the user may operate the deployment.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_admin: bool,
}

/// Status of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum UserStatus {
    /// The user may log in.
    Active,
    /// The user may not log in.
    Disabled,
    /// The account is deleted for good, and its photos are being deleted.
    Deleted,
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
    /// The account was enabled again.
    UserEnabled {},
    /// The user may operate the deployment.
    UserAdminGranted {},
    /// The account was deleted.
    UserDeleted {},
}

/// Change of an account by an administrator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UserCommand {
    /// Disable the account: the user can't log in.
    Disable,
    /// Enable a disabled account.
    Enable,
    /// Let the user operate the deployment.
    GrantAdmin,
    /// Delete the account for good.
    Delete,
}

/// A deleted account can't be changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the account is deleted")]
pub struct UserIsDeleted;

/// Error of folding events into a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a user's stream must begin with UserRegistered")]
pub struct FoldError;

impl User {
    /// Returns the first event of a new user.
    pub const fn register(user: UserId) -> UserEvent {
        UserEvent::UserRegistered { user }
    }

    /// Decides on a change. Returns `None` if the account is already as requested.
    ///
    /// # Errors
    /// The account is deleted, and the command is another one.
    pub const fn decide(&self, command: UserCommand) -> Result<Option<UserEvent>, UserIsDeleted> {
        Ok(match (command, self.status) {
            (UserCommand::Delete, UserStatus::Deleted)
            | (UserCommand::Disable, UserStatus::Disabled)
            | (UserCommand::Enable, UserStatus::Active) => None,
            (UserCommand::Delete, _) => Some(UserEvent::UserDeleted {}),
            (_, UserStatus::Deleted) => return Err(UserIsDeleted),
            (UserCommand::Disable, UserStatus::Active) => Some(UserEvent::UserDisabled {}),
            (UserCommand::Enable, UserStatus::Disabled) => Some(UserEvent::UserEnabled {}),
            (UserCommand::GrantAdmin, _) if self.is_admin => None,
            (UserCommand::GrantAdmin, _) => Some(UserEvent::UserAdminGranted {}),
        })
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
                is_admin: false,
            }),
            UserEvent::UserDisabled {}
            | UserEvent::UserEnabled {}
            | UserEvent::UserAdminGranted {}
            | UserEvent::UserDeleted {} => Err(FoldError),
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
            UserEvent::UserEnabled {} => self.status = UserStatus::Active,
            UserEvent::UserAdminGranted {} => self.is_admin = true,
            UserEvent::UserDeleted {} => self.status = UserStatus::Deleted,
        }
        self
    }
}
