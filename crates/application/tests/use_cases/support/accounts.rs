//! Accounts and logins.

use std::sync::Arc;

use rapidphoto_application::{
    UseCases,
    auth::{LogIn, LoginLimits, RegisterUser, RegisterUserHandler, TokenPair},
    ports::{AggregateState, Aggregates, Change, Commit, EventMetadata, Ids, Journal, NewEvent, NonEmpty},
};
use rapidphoto_domain::{
    EventId, UserId,
    user::{User, UserEvent, UserStatus},
};
use rapidphoto_memory::TestApp;

pub(crate) const EMAIL: &str = "ada@example.org";
pub(crate) const PASSWORD: &str = "correct horse battery";

/// Creates an account with [`PASSWORD`].
pub(crate) async fn register(app: &TestApp, email: &str) -> UserId {
    let command = RegisterUser {
        email: email.to_owned(),
        password: PASSWORD.to_owned(),
        address: None,
        metadata: EventMetadata::default(),
    };
    // Counters of its own, so that a test can create any number of accounts.
    let counters = Arc::new(app.store.namespace(email));
    let limits = Arc::new(LoginLimits::new(counters, app.settings.auth.budgets, [7; 32]));
    RegisterUserHandler::new(&app.ports, app.settings.auth, limits)
        .handle(command)
        .await
        .unwrap()
}

/// Creates an account and logs in.
pub(crate) async fn register_and_log_in(app: &TestApp, use_cases: &UseCases) -> TokenPair {
    register(app, EMAIL).await;
    log_in(use_cases, EMAIL).await
}

/// Logs in with [`PASSWORD`].
pub(crate) async fn log_in(use_cases: &UseCases, email: &str) -> TokenPair {
    let command = LogIn {
        email: email.to_owned(),
        password: PASSWORD.to_owned(),
        scopes: None,
        address: None,
    };
    use_cases.log_in.handle(command).await.unwrap()
}

/// Disables an account. No use case does this yet.
pub(crate) async fn disable(app: &TestApp, user: UserId) {
    let before = Aggregates::user(&app.store, user).await.unwrap().unwrap();
    let event = NewEvent {
        id: EventId::from_bits(app.ids.ulid()),
        event: UserEvent::UserDisabled {}.into(),
    };
    let mut commit = Commit::new(app.now(), EventMetadata::default());
    commit.changes.push(Change {
        stream: user.into(),
        expected: before.version,
        events: NonEmpty::new(event, []),
        state: AggregateState::User(User {
            status: UserStatus::Disabled,
            ..before.value
        }),
    });
    app.store.commit(commit).await.unwrap();
}
