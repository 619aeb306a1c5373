use std::time::Duration;

use rapidphoto_application::{
    auth::{LogIn, RefreshError, SecretToken},
    ports::{Scope, Scopes, Session, SessionId},
};
use rapidphoto_memory::{Operation, TestApp};

use crate::support::accounts::{EMAIL, PASSWORD, disable, log_in, register, register_and_log_in};

const MOMENT: Duration = Duration::from_millis(1);

#[tokio::test]
async fn a_refresh_replaces_both_tokens() {
    let app = TestApp::new();
    let use_cases = app.use_cases();
    let user = register(&app, EMAIL).await;
    let first = log_in(&use_cases, EMAIL).await;
    app.clock.advance(app.settings.auth.access_lifetime);
    assert!(use_cases.authenticate.token(&first.access_token).is_err());
    let second = use_cases.refresh.handle(&first.refresh_token).await.unwrap();
    assert_ne!(second.refresh_token, first.refresh_token);
    assert_eq!(second.expires_in, app.settings.auth.access_lifetime);
    let grant = use_cases.authenticate.token(&second.access_token).unwrap();
    assert_eq!((grant.user, grant.scopes), (user, Scopes::of_user()));
    let third = use_cases.refresh.handle(&second.refresh_token).await.unwrap();
    assert_ne!(third.refresh_token, second.refresh_token);
}

#[tokio::test]
async fn a_refresh_keeps_the_scopes_of_the_login() {
    let app = TestApp::new();
    let use_cases = app.use_cases();
    register(&app, EMAIL).await;
    let read = Scopes::from_iter([Scope::PhotosRead]);
    let command = LogIn {
        email: EMAIL.to_owned(),
        password: PASSWORD.to_owned(),
        scopes: Some(read.clone()),
        address: None,
    };
    let login = use_cases.log_in.handle(command).await.unwrap();
    let refreshed = use_cases.refresh.handle(&login.refresh_token).await.unwrap();
    assert_eq!(refreshed.scopes, read);
    let grant = use_cases.authenticate.token(&refreshed.access_token).unwrap();
    assert_eq!(grant.scopes, read);
}

#[tokio::test]
async fn a_repetition_within_the_grace_period_returns_the_same_successor() {
    let app = TestApp::new();
    let use_cases = app.use_cases();
    let login = register_and_log_in(&app, &use_cases).await;
    let first = use_cases.refresh.handle(&login.refresh_token).await.unwrap();
    app.clock.advance(app.settings.auth.refresh_grace);
    let repeated = use_cases.refresh.handle(&login.refresh_token).await.unwrap();
    assert_eq!(repeated.refresh_token, first.refresh_token);
    assert!(use_cases.authenticate.token(&repeated.access_token).is_ok());
    assert!(use_cases.refresh.handle(&first.refresh_token).await.is_ok());
}

#[tokio::test]
async fn a_lost_response_can_be_requested_again() {
    let app = TestApp::new();
    let use_cases = app.use_cases();
    let login = register_and_log_in(&app, &use_cases).await;
    for lose in [true, false] {
        if lose {
            app.store.faults().lose_answers(Operation::Session, 1);
        } else {
            app.store.faults().fail_next(Operation::Session, 1);
        }
        let failed = use_cases.refresh.handle(&login.refresh_token).await;
        assert!(matches!(failed, Err(RefreshError::Unavailable(_))), "{failed:?}");
    }
    let refreshed = use_cases.refresh.handle(&login.refresh_token).await.unwrap();
    assert!(use_cases.refresh.handle(&refreshed.refresh_token).await.is_ok());
}

#[tokio::test]
async fn reuse_after_the_grace_period_revokes_all_tokens_of_the_login() {
    let app = TestApp::new();
    let use_cases = app.use_cases();
    let login = register_and_log_in(&app, &use_cases).await;
    let other_login = log_in(&use_cases, EMAIL).await;
    let second = use_cases.refresh.handle(&login.refresh_token).await.unwrap();
    app.clock.advance(app.settings.auth.refresh_grace + MOMENT);
    let reused = use_cases.refresh.handle(&login.refresh_token).await;
    assert!(matches!(reused, Err(RefreshError::Reused)), "{reused:?}");
    for revoked in [&second.refresh_token, &login.refresh_token] {
        let result = use_cases.refresh.handle(revoked).await;
        assert!(matches!(result, Err(RefreshError::Rejected)), "{result:?}");
    }
    let other = use_cases.refresh.handle(&other_login.refresh_token).await;
    assert!(other.is_ok(), "other logins of the user stay valid");
}

#[tokio::test]
async fn a_refresh_token_expires_and_its_successor_later() {
    let app = TestApp::new();
    let use_cases = app.use_cases();
    let lifetime = app.settings.auth.refresh_lifetime;
    let login = register_and_log_in(&app, &use_cases).await;
    let unused = log_in(&use_cases, EMAIL).await;
    let expiry = app.now() + lifetime;
    app.clock.set(expiry - MOMENT);
    let second = use_cases.refresh.handle(&login.refresh_token).await.unwrap();
    app.clock.set(expiry);
    let expired = use_cases.refresh.handle(&unused.refresh_token).await;
    assert!(matches!(expired, Err(RefreshError::Rejected)), "{expired:?}");
    app.clock.set(expiry + lifetime - 2 * MOMENT);
    let third = use_cases.refresh.handle(&second.refresh_token).await.unwrap();
    app.clock.advance(lifetime);
    let expired = use_cases.refresh.handle(&third.refresh_token).await;
    assert!(matches!(expired, Err(RefreshError::Rejected)), "{expired:?}");
}

#[tokio::test]
async fn unknown_tokens_are_rejected() {
    let app = TestApp::new();
    let use_cases = app.use_cases();
    let login = register_and_log_in(&app, &use_cases).await;
    let cut = &login.refresh_token.reveal()[1..];
    for unknown in ["", "rft_forged", cut, &login.access_token] {
        let result = use_cases.refresh.handle(&SecretToken::from_client(unknown)).await;
        assert!(matches!(result, Err(RefreshError::Rejected)), "{unknown}");
    }
}

#[tokio::test]
async fn a_disabled_user_gets_no_tokens() {
    let app = TestApp::new();
    let use_cases = app.use_cases();
    let user = register(&app, EMAIL).await;
    let login = log_in(&use_cases, EMAIL).await;
    disable(&app, user).await;
    let result = use_cases.refresh.handle(&login.refresh_token).await;
    assert!(matches!(result, Err(RefreshError::Rejected)), "{result:?}");
}

#[tokio::test]
async fn a_session_ends_however_often_it_is_refreshed() {
    let app = TestApp::new();
    let use_cases = app.use_cases();
    let end = app.now() + app.settings.auth.session_lifetime;
    let mut login = register_and_log_in(&app, &use_cases).await;
    let step = app.settings.auth.refresh_lifetime / 2;
    while app.now() + step < end {
        app.clock.advance(step);
        login = use_cases.refresh.handle(&login.refresh_token).await.unwrap();
    }
    app.clock.set(end - MOMENT);
    login = use_cases.refresh.handle(&login.refresh_token).await.unwrap();
    app.clock.set(end);
    let expired = use_cases.refresh.handle(&login.refresh_token).await;
    assert!(matches!(expired, Err(RefreshError::Rejected)), "{expired:?}");
}

#[tokio::test]
async fn a_token_far_older_than_the_previous_one_is_reuse() {
    let app = TestApp::new();
    let use_cases = app.use_cases();
    let first = register_and_log_in(&app, &use_cases).await;
    let mut last = use_cases.refresh.handle(&first.refresh_token).await.unwrap();
    for _ in 0..5 {
        last = use_cases.refresh.handle(&last.refresh_token).await.unwrap();
    }
    let reused = use_cases.refresh.handle(&first.refresh_token).await;
    assert!(matches!(reused, Err(RefreshError::Reused)), "{reused:?}");
    let result = use_cases.refresh.handle(&last.refresh_token).await;
    assert!(matches!(result, Err(RefreshError::Rejected)), "{result:?}");
}

#[tokio::test]
async fn a_stored_token_of_version_0_1_is_refreshed_and_logged_out() {
    let app = TestApp::new();
    let use_cases = app.use_cases();
    let session = app.open_session(app.owner).await;
    register(&app, EMAIL).await;
    let old = |secret: &str| SecretToken::from_client(&format!("rft_{}", secret.repeat(43)));
    for (secret, used) in [("a", true), ("b", false)] {
        let user = use_cases
            .authenticate
            .token(&log_in(&use_cases, EMAIL).await.access_token);
        let stored = Session {
            id: SessionId([secret.as_bytes()[0]; 16]),
            user: user.unwrap().user,
            scopes: Scopes::of_user(),
            expires_at: app.now() + MOMENT,
            ends_at: app.now() + app.settings.auth.session_lifetime,
        };
        let inserted = app.store.insert_session(&stored, old(secret).hash(), app.now());
        inserted.await.unwrap();
        if used {
            let second = use_cases.refresh.handle(&old(secret)).await.unwrap();
            let repeated = use_cases.refresh.handle(&old(secret)).await.unwrap();
            assert_eq!(repeated.refresh_token, second.refresh_token);
            assert!(use_cases.refresh.handle(&second.refresh_token).await.is_ok());
        } else {
            use_cases.log_out.handle(&old(secret)).await.unwrap();
        }
        let result = use_cases.refresh.handle(&old(secret)).await;
        assert!(matches!(result, Err(RefreshError::Rejected)), "{result:?}");
    }
    assert!(
        app.ports
            .database
            .sessions
            .is_open(session, app.now())
            .await
            .unwrap()
    );
}
