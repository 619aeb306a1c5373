use std::{sync::Arc, time::Duration};

use rapidphoto_application::{
    admin::{AccountError, Accounts},
    auth::{LogIn, LogInError, RefreshError, RegisterUserError},
    jobs::{CreateJob, CreateJobError, UploadOptions},
    ports::{EventMetadata, PhotoListQuery, Scope, Scopes, Subscriptions as _},
    settings::Registration,
    subscriptions::{AccountErasure, SubscriptionRunner},
};
use rapidphoto_domain::{
    UserId,
    photo::PhotoStatus,
    user::{UserCommand, UserStatus},
};
use rapidphoto_memory::{Operation, TestApp, fixtures};

use crate::support::{
    accounts::{EMAIL, PASSWORD, log_in},
    recording_journal::RecordingJournal,
};

fn accounts(app: &TestApp) -> Accounts {
    let ports = &app.ports;
    Accounts::new(
        &ports.database,
        Arc::clone(&ports.clock),
        Arc::clone(&ports.ids),
        Arc::clone(&ports.passwords),
        app.settings.auth,
    )
}

fn erasure(app: &TestApp) -> SubscriptionRunner {
    let reactor = Arc::new(AccountErasure::new(&app.ports, app.settings.work));
    SubscriptionRunner::new(reactor, &app.ports, app.signals.clone(), Duration::from_secs(1))
}

async fn log_in_with(app: &TestApp, password: &str, scopes: Option<Scopes>) -> Result<Scopes, LogInError> {
    let command = LogIn {
        email: EMAIL.to_owned(),
        password: password.to_owned(),
        scopes,
        address: None,
    };
    let login = app.use_cases().log_in.handle(command).await;
    login.map(|pair| pair.scopes)
}

async fn photos_of(app: &TestApp, owner: UserId) -> usize {
    let query = PhotoListQuery {
        size: 1000,
        ..PhotoListQuery::default()
    };
    app.ports
        .database
        .photos
        .list(owner, &query)
        .await
        .unwrap()
        .items
        .len()
}

#[tokio::test]
async fn an_account_is_added_where_registration_is_closed() {
    let app = TestApp::with_settings(|settings| settings.auth.registration = Registration::Closed);
    let accounts = accounts(&app);
    let user = accounts.add(EMAIL, PASSWORD).await.unwrap();
    assert!(log_in_with(&app, PASSWORD, None).await.is_ok());
    let again = accounts.add("ADA@example.org", PASSWORD).await;
    assert!(
        matches!(again, Err(AccountError::Rejected(RegisterUserError::EmailTaken))),
        "{again:?}"
    );
    let short = accounts.add("grace@example.org", "short").await;
    assert!(
        matches!(
            short,
            Err(AccountError::Rejected(RegisterUserError::Password { .. }))
        ),
        "{short:?}"
    );
    let listed = accounts.list(None).await.unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!(
        (listed[0].user.id, listed[0].email.as_deref()),
        (user, Some(EMAIL))
    );
    assert_eq!(accounts.list(Some(user)).await.unwrap(), []);
}

#[tokio::test]
async fn a_disabled_account_has_no_sessions_until_it_is_enabled() {
    let app = TestApp::new();
    let accounts = accounts(&app);
    let user = accounts.add(EMAIL, PASSWORD).await.unwrap();
    let use_cases = app.use_cases();
    let login = log_in(&use_cases, EMAIL).await;
    let session = use_cases.authenticate.token(&login.access_token).unwrap().session;
    for name in [EMAIL.to_owned(), user.to_string()] {
        accounts.change(&name, UserCommand::Disable).await.unwrap();
    }
    let refreshed = use_cases.refresh.handle(&login.refresh_token).await;
    assert!(matches!(refreshed, Err(RefreshError::Rejected)), "{refreshed:?}");
    assert!(
        !app.ports
            .database
            .sessions
            .is_open(session, app.now())
            .await
            .unwrap()
    );
    assert!(matches!(
        log_in_with(&app, PASSWORD, None).await,
        Err(LogInError::Rejected)
    ));
    accounts.change(EMAIL, UserCommand::Enable).await.unwrap();
    assert!(log_in_with(&app, PASSWORD, None).await.is_ok());
    let unknown = accounts.change("grace@example.org", UserCommand::Enable).await;
    assert!(
        matches!(unknown, Err(AccountError::NoSuchAccount(_))),
        "{unknown:?}"
    );
}

#[tokio::test]
async fn an_account_that_is_not_active_creates_no_photos_with_an_old_access_token() {
    let app = TestApp::new();
    let accounts = accounts(&app);
    let user = accounts.add(EMAIL, PASSWORD).await.unwrap();
    let create = || {
        let command = CreateJob {
            owner: user,
            files: vec![fixtures::file(0)],
            options: UploadOptions::default(),
            idempotency_key: None,
            metadata: EventMetadata::default(),
        };
        let use_cases = app.use_cases();
        async move { use_cases.create_job.handle(command).await }
    };
    create().await.unwrap();
    for (change, allowed) in [
        (UserCommand::Disable, false),
        (UserCommand::Enable, true),
        (UserCommand::Delete, false),
    ] {
        accounts.change(&user.to_string(), change).await.unwrap();
        match create().await {
            Ok(_) => assert!(allowed),
            Err(error) => assert!(
                !allowed && matches!(error, CreateJobError::AccountNotActive),
                "{error:?}"
            ),
        }
    }
}

#[tokio::test]
async fn a_new_password_replaces_the_old_one_and_ends_the_sessions() {
    let app = TestApp::new();
    let accounts = accounts(&app);
    let user = accounts.add(EMAIL, PASSWORD).await.unwrap();
    let use_cases = app.use_cases();
    for (name, old, new) in [
        (EMAIL.to_owned(), PASSWORD, "staple battery horse"),
        (user.to_string(), "staple battery horse", "battery staple horse"),
    ] {
        assert!(log_in_with(&app, old, None).await.is_ok());
        accounts.set_password(&name, new).await.unwrap();
        assert!(matches!(
            log_in_with(&app, old, None).await,
            Err(LogInError::Rejected)
        ));
        assert!(log_in_with(&app, new, None).await.is_ok());
    }
    accounts.set_password(EMAIL, PASSWORD).await.unwrap();
    let login = log_in(&use_cases, EMAIL).await;
    accounts.set_password(EMAIL, PASSWORD).await.unwrap();
    let refreshed = use_cases.refresh.handle(&login.refresh_token).await;
    assert!(matches!(refreshed, Err(RefreshError::Rejected)), "{refreshed:?}");
}

#[tokio::test]
async fn an_administrator_gets_the_scope_on_request_only() {
    let app = TestApp::new();
    let accounts = accounts(&app);
    accounts.add(EMAIL, PASSWORD).await.unwrap();
    let admin: Scopes = [Scope::Admin].into_iter().collect();
    let refused = log_in_with(&app, PASSWORD, Some(admin.clone())).await;
    assert!(matches!(refused, Err(LogInError::Scopes)), "{refused:?}");
    accounts.change(EMAIL, UserCommand::GrantAdmin).await.unwrap();
    assert_eq!(
        log_in_with(&app, PASSWORD, None).await.unwrap(),
        Scopes::of_user()
    );
    assert_eq!(
        log_in_with(&app, PASSWORD, Some(admin.clone())).await.unwrap(),
        admin
    );
    assert!(
        app.ports.database.users.accounts(None, 1).await.unwrap()[0]
            .user
            .is_admin
    );
}

#[tokio::test]
async fn a_deleted_account_loses_its_credentials_at_once_and_its_photos_in_the_background() {
    let app = TestApp::new();
    let accounts = accounts(&app);
    let user = accounts.add(EMAIL, PASSWORD).await.unwrap();
    let declared = app.declare_as(user, 150).await;
    let other = app.declare(1).await;
    accounts.change(EMAIL, UserCommand::Delete).await.unwrap();
    assert!(matches!(
        log_in_with(&app, PASSWORD, None).await,
        Err(LogInError::Rejected)
    ));
    let listed = accounts.list(None).await.unwrap();
    assert_eq!(
        (listed[0].user.status, &listed[0].email),
        (UserStatus::Deleted, &None)
    );
    for command in [UserCommand::Enable, UserCommand::GrantAdmin] {
        let changed = accounts.change(&user.to_string(), command).await;
        assert!(matches!(changed, Err(AccountError::Deleted(_))), "{changed:?}");
    }
    assert_eq!(photos_of(&app, user).await, 150);
    // An interrupted erasure continues with the photos that are left.
    app.store.faults().fail_next(Operation::Read, 1);
    assert!(erasure(&app).catch_up().await.is_err());
    erasure(&app).catch_up().await.unwrap();
    assert_eq!(photos_of(&app, user).await, 0);
    for declared in &declared {
        assert!(app.photo(declared.photo).await.deleted);
    }
    assert!(!app.photo(other[0].photo).await.deleted);
    // The address is free again.
    assert_ne!(accounts.add(EMAIL, PASSWORD).await.unwrap(), user);
}

#[tokio::test]
async fn the_photos_of_a_deleted_account_are_deleted_in_chunks_by_the_holder_of_the_lease() {
    let mut app = TestApp::new();
    let user = accounts(&app).add(EMAIL, PASSWORD).await.unwrap();
    let declared = app.declare_as(user, 250).await;
    accounts(&app).change(EMAIL, UserCommand::Delete).await.unwrap();
    let journal = RecordingJournal::around(&mut app);
    // Another runner takes over before the third chunk.
    let (store, clock) = (app.store.clone(), Arc::clone(&app.clock));
    journal.before_next(async {});
    journal.before_next(async {});
    journal.before_next(async move {
        let lease = Duration::from_mins(1);
        clock.advance(lease);
        let taken = store.acquire(AccountErasure::NAME, lease).await;
        assert!(taken.unwrap().is_some());
    });
    assert!(erasure(&app).catch_up().await.is_err());
    assert_eq!((journal.commits(), photos_of(&app, user).await), (3, 50));
    app.clock.advance(Duration::from_mins(2));
    erasure(&app).catch_up().await.unwrap();
    assert!(journal.commits() <= 6, "{}", journal.commits());
    for declared in &declared {
        let photo = app.photo(declared.photo).await;
        assert_eq!((photo.status(), photo.deleted), (PhotoStatus::Cancelled, true));
    }
    app.assert_rows_match_events().await;
}
