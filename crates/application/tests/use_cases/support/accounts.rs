//! Accounts and logins.

use rapidphoto_application::{
    UseCases,
    auth::{LogIn, RegisterUser, RegisterUserHandler, TokenPair},
    ports::EventMetadata,
};
use rapidphoto_domain::UserId;
use rapidphoto_memory::TestApp;

pub(crate) const EMAIL: &str = "ada@example.org";
pub(crate) const PASSWORD: &str = "correct horse battery";

/// Creates an account with [`PASSWORD`].
pub(crate) async fn register(app: &TestApp, email: &str) -> UserId {
    let command = RegisterUser {
        email: email.to_owned(),
        password: PASSWORD.to_owned(),
        metadata: EventMetadata::default(),
    };
    RegisterUserHandler::new(&app.ports, app.settings.auth)
        .handle(command)
        .await
        .unwrap()
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
