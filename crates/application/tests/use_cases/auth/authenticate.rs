use std::time::Duration;

use rapidphoto_application::ports::{Grant, Scopes, TokenError};
use rapidphoto_memory::TestApp;

use crate::support::accounts::{EMAIL, log_in, register, register_and_log_in};

#[tokio::test]
async fn a_new_token_is_accepted_with_its_user_and_scopes() {
    let app = TestApp::new();
    let use_cases = app.use_cases();
    let user = register(&app, EMAIL).await;
    let login = log_in(&use_cases, EMAIL).await;
    let accepted = use_cases.authenticate.token(&login.access_token).unwrap();
    let sessions = &app.ports.database.sessions;
    assert!(sessions.is_open(accepted.session, app.now()).await.unwrap());
    let grant = Grant {
        user,
        session: accepted.session,
        scopes: Scopes::of_user(),
        expires_at: app.now() + app.settings.auth.access_lifetime,
    };
    assert_eq!(accepted, grant);
}

#[tokio::test]
async fn a_token_is_rejected_from_its_expiry_on() {
    let app = TestApp::new();
    let use_cases = app.use_cases();
    let login = register_and_log_in(&app, &use_cases).await;
    let expiry = app.now() + app.settings.auth.access_lifetime;
    app.clock.set(expiry - Duration::from_millis(1));
    assert!(use_cases.authenticate.token(&login.access_token).is_ok());
    app.clock.set(expiry);
    let expired = use_cases.authenticate.token(&login.access_token);
    assert_eq!(expired, Err(TokenError::Expired));
}

#[tokio::test]
async fn forged_tokens_are_rejected() {
    let app = TestApp::new();
    let use_cases = app.use_cases();
    let login = register_and_log_in(&app, &use_cases).await;
    let cut = &login.access_token[1..];
    let extended = format!("{}.x", login.access_token);
    for forged in ["", "x", cut, &extended, login.refresh_token.reveal()] {
        let result = use_cases.authenticate.token(forged);
        assert_eq!(result, Err(TokenError::Invalid), "{forged}");
    }
}
