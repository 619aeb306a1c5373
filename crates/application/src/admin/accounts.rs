use std::sync::Arc;

use rapidphoto_domain::{
    StreamId, UserId,
    user::{User, UserCommand, UserEvent, UserIsDeleted, UserStatus},
    values::Email,
};

use crate::{
    auth::{
        RegisterUserError,
        audit::{self, SecurityEvent, Subject},
        new_account::NewAccounts,
    },
    commit::{Contended, Decided, RetryPolicy, commit_with_retry},
    decision::event_id,
    ports::{
        Account, AggregateState, Change, Clock, CommitError, DatabasePorts, Details, EventMetadata, Ids,
        NewEvent, NonEmpty, PasswordHasher, Sessions, Unavailable, UserReads, WritePorts,
    },
    settings::AuthSettings,
};

/// Reasons why an account is not changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AccountError {
    /// No account has this e-mail address or id.
    #[error(
        "there is no account `{0}`; name an account by its e-mail address or its id, as in `admin user list`"
    )]
    NoSuchAccount(String),
    /// A deleted account can't be changed.
    #[error(transparent)]
    Deleted(#[from] UserIsDeleted),
    /// The e-mail address or the password of an account is not accepted.
    #[error(transparent)]
    Rejected(#[from] RegisterUserError),
    /// The account was changed concurrently each time.
    #[error(transparent)]
    Contended(#[from] Contended),
    /// The database can't be reached.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

impl From<CommitError> for AccountError {
    fn from(error: CommitError) -> Self {
        Self::Unavailable(error.into_unavailable())
    }
}

/// Administration of accounts. A change is recorded without an actor: who may run it is up to the operating system.
///
/// Sessions end at once, and with them, within 15 s, the open streams of a server that runs in another process. Access
/// tokens stay valid until they expire.
pub struct Accounts {
    ports: WritePorts,
    users: Arc<dyn UserReads>,
    sessions: Arc<dyn Sessions>,
    creation: NewAccounts,
}

const RETRY: RetryPolicy = RetryPolicy::on_conflict("the account", 32);

/// Number of accounts in a page.
const PAGE: usize = 500;

impl Accounts {
    /// Administration on these ports.
    pub fn new(
        database: &DatabasePorts,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn Ids>,
        passwords: Arc<dyn PasswordHasher>,
        settings: AuthSettings,
    ) -> Self {
        let ports = WritePorts {
            aggregates: Arc::clone(&database.aggregates),
            journal: Arc::clone(&database.journal),
            clock,
            ids,
        };
        Self {
            creation: NewAccounts::new(ports.clone(), passwords, settings),
            users: Arc::clone(&database.users),
            sessions: Arc::clone(&database.sessions),
            ports,
        }
    }

    /// Creates an account, also where registration is closed.
    pub async fn add(&self, email: &str, password: &str) -> Result<UserId, AccountError> {
        let user = self
            .creation
            .create(email, password, EventMetadata::default())
            .await?;
        record("account_added", user);
        Ok(user)
    }

    /// Returns a page of accounts after `after`, ordered by id. The last page is empty.
    pub async fn list(&self, after: Option<UserId>) -> Result<Vec<Account>, Unavailable> {
        self.users.accounts(after, PAGE).await
    }

    /// Replaces the password of an account and ends its sessions.
    pub async fn set_password(&self, account: &str, password: &str) -> Result<UserId, AccountError> {
        let no_such_account = || AccountError::NoSuchAccount(account.to_owned());
        let user = self.find(account).await?;
        let email = match Email::parse(account) {
            Ok(email) => email,
            Err(_) => self.email_of(user).await?.ok_or_else(no_such_account)?,
        };
        let password_hash = self.creation.hash(password).await?;
        let mut commit = self.ports.commit(EventMetadata::default());
        commit.details.push(Details::User {
            user,
            email,
            password_hash,
        });
        self.ports.journal.commit(commit).await?;
        self.sessions.end_all(user).await?;
        record("password_set", user);
        Ok(user)
    }

    /// Changes an account. A change that is already made is no error, so that an interrupted one can be repeated.
    ///
    /// A disabled or deleted account has no sessions. A deleted one has no e-mail address and password either; its photos
    /// are deleted in the background by [`AccountErasure`](crate::subscriptions::AccountErasure).
    pub async fn change(&self, account: &str, command: UserCommand) -> Result<UserId, AccountError> {
        let user = self.find(account).await?;
        let status = commit_with_retry(&*self.ports.journal, RETRY, || async {
            let before = self.ports.aggregates.user(user).await?;
            let before = before.ok_or_else(|| AccountError::NoSuchAccount(account.to_owned()))?;
            let mut commit = self.ports.commit(EventMetadata::default());
            let Some(event) = before.value.decide(command)? else {
                return Ok(Decided::Nothing(before.value.status));
            };
            let after = before.value.apply(&event);
            let status = after.status;
            if matches!(event, UserEvent::UserDeleted {}) {
                commit.details.push(Details::EraseUser { user });
            }
            commit.changes.push(self.changed(after, before.version, event));
            Ok::<_, AccountError>(Decided::of(commit, status))
        })
        .await?;
        if status != UserStatus::Active {
            self.sessions.end_all(user).await?;
        }
        let name = match command {
            UserCommand::Disable => "account_disabled",
            UserCommand::Enable => "account_enabled",
            UserCommand::GrantAdmin => "admin_granted",
            UserCommand::Delete => "account_deleted",
        };
        record(name, user);
        Ok(user)
    }

    fn changed(&self, after: User, expected: rapidphoto_domain::Version, event: UserEvent) -> Change {
        Change {
            stream: StreamId::User(after.id),
            expected,
            events: NonEmpty::new(
                NewEvent {
                    id: event_id(self.ports.ids.as_ref()),
                    event: event.into(),
                },
                [],
            ),
            state: AggregateState::User(after),
        }
    }

    /// User of an account that is named by its e-mail address or its id.
    async fn find(&self, account: &str) -> Result<UserId, AccountError> {
        if let Ok(user) = account.parse() {
            return Ok(user);
        }
        let email = Email::parse(account).map_err(|_| AccountError::NoSuchAccount(account.to_owned()))?;
        let known = self.users.credentials(&email).await?;
        known
            .map(|known| known.user)
            .ok_or_else(|| AccountError::NoSuchAccount(account.to_owned()))
    }

    async fn email_of(&self, user: UserId) -> Result<Option<Email>, Unavailable> {
        let mut after = None;
        loop {
            let page = self.list(after).await?;
            let Some(last) = page.last() else { return Ok(None) };
            after = Some(last.user.id);
            if let Some(found) = page.iter().find(|account| account.user.id == user) {
                let email = found.email.as_deref();
                return Ok(email.and_then(|email| Email::parse(email).ok()));
            }
        }
    }
}

fn record(change: &'static str, user: UserId) {
    let subject = Subject {
        user: Some(user),
        ..Subject::default()
    };
    audit::record(SecurityEvent::AccountChanged(change), subject);
}
