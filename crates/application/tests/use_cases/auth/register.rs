use std::sync::Arc;

use async_trait::async_trait;
use rapidphoto_application::{
    auth::{RegisterUser, RegisterUserError},
    ports::{BoxError, EventMetadata, PasswordHash, PasswordHasher, PasswordsBusy},
    settings::Registration,
};
use rapidphoto_domain::{
    DomainEvent, UserId,
    user::{UserEvent, UserStatus},
    values::EmailError,
};
use rapidphoto_memory::{Operation, TestApp};

use crate::support::accounts::{EMAIL, PASSWORD, log_in};

async fn register(app: &TestApp, email: &str, password: &str) -> Result<UserId, RegisterUserError> {
    let command = RegisterUser {
        email: email.to_owned(),
        password: password.to_owned(),
        address: None,
        metadata: EventMetadata::default(),
    };
    app.use_cases().register.handle(command).await
}

/// Password hasher that hashes nothing: its queue is full, or it fails.
struct FailingPasswords {
    is_busy: bool,
}

#[async_trait]
impl PasswordHasher for FailingPasswords {
    async fn hash(&self, _: &str) -> Result<PasswordHash, BoxError> {
        if self.is_busy {
            Err(PasswordsBusy.into())
        } else {
            Err("requested by a test".into())
        }
    }

    async fn verify(&self, _: &str, _: Option<&PasswordHash>) -> Result<bool, BoxError> {
        Ok(false)
    }

    fn is_outdated(&self, _: &PasswordHash) -> bool {
        false
    }
}

#[tokio::test]
async fn a_new_account_can_log_in() {
    let app = TestApp::new();
    let use_cases = app.use_cases();
    let user = register(&app, " Ada@Example.ORG ", PASSWORD).await.unwrap();
    let login = log_in(&use_cases, EMAIL).await;
    assert_eq!(
        use_cases.authenticate.token(&login.access_token).unwrap().user,
        user
    );
    let stored = app.ports.database.aggregates.user(user).await.unwrap().unwrap();
    assert_eq!(stored.value.status, UserStatus::Active);
    let log = app.log().await;
    assert_eq!(log.len(), 1);
    assert!(matches!(
        log[0].event,
        DomainEvent::User(UserEvent::UserRegistered { .. })
    ));
    assert_eq!((log[0].stream, log[0].metadata.actor), (user.into(), Some(user)));
}

#[tokio::test]
async fn an_address_has_at_most_one_account() {
    let app = TestApp::new();
    let results = tokio::join!(register(&app, EMAIL, PASSWORD), register(&app, EMAIL, PASSWORD));
    let results = [
        results.0,
        results.1,
        register(&app, "ADA@example.org", PASSWORD).await,
    ];
    let created = results.iter().filter(|result| result.is_ok()).count();
    let taken = results
        .iter()
        .filter(|result| matches!(result, Err(RegisterUserError::EmailTaken)))
        .count();
    assert_eq!((created, taken), (1, 2), "{results:?}");
    assert!(register(&app, "grace@example.org", PASSWORD).await.is_ok());
}

#[tokio::test]
async fn invalid_addresses_are_rejected() {
    let app = TestApp::new();
    let long = format!("ada@{}.org", "x".repeat(254));
    for (email, expected) in [
        ("ada", EmailError::Malformed),
        ("", EmailError::Malformed),
        (&long, EmailError::TooLong),
    ] {
        let result = register(&app, email, PASSWORD).await;
        match result {
            Err(RegisterUserError::Email(error)) => assert_eq!(error, expected, "{email}"),
            other => panic!("{email}: {other:?}"),
        }
    }
    assert!(app.log().await.is_empty());
}

#[tokio::test]
async fn passwords_have_a_minimum_of_characters_and_a_maximum_of_bytes() {
    let app = TestApp::new();
    let expected = app.settings.auth.min_password_chars;
    for invalid in [String::new(), "é".repeat(expected - 1), "x".repeat(1025)] {
        match register(&app, EMAIL, &invalid).await {
            Err(RegisterUserError::Password { min }) => assert_eq!(min, expected),
            other => panic!("{invalid}: {other:?}"),
        }
    }
    assert!(app.log().await.is_empty());
    for (email, valid) in [
        (EMAIL, "é".repeat(expected)),
        ("grace@example.org", "x".repeat(1024)),
    ] {
        assert!(register(&app, email, &valid).await.is_ok(), "{valid}");
    }
}

#[tokio::test]
async fn a_closed_registration_creates_no_accounts() {
    let app = TestApp::with_settings(|settings| settings.auth.registration = Registration::Closed);
    let result = register(&app, EMAIL, PASSWORD).await;
    assert!(matches!(result, Err(RegisterUserError::Closed)), "{result:?}");
    assert!(app.log().await.is_empty());
}

#[tokio::test]
async fn registration_is_unavailable_during_an_outage_of_the_database() {
    let app = TestApp::new();
    app.store.faults().fail_next(Operation::Commit, 1);
    let result = register(&app, EMAIL, PASSWORD).await;
    assert!(
        matches!(result, Err(RegisterUserError::Unavailable(_))),
        "{result:?}"
    );
    assert!(register(&app, EMAIL, PASSWORD).await.is_ok());
}

#[tokio::test]
async fn without_a_password_hash_no_account_is_created() {
    for is_busy in [true, false] {
        let app = TestApp::with(|_, ports| ports.passwords = Arc::new(FailingPasswords { is_busy }));
        let result = register(&app, EMAIL, PASSWORD).await;
        match result {
            Err(RegisterUserError::Unavailable(_)) => assert!(is_busy),
            Err(RegisterUserError::Hashing(_)) => assert!(!is_busy),
            other => panic!("{other:?}"),
        }
        assert!(app.log().await.is_empty());
    }
}
