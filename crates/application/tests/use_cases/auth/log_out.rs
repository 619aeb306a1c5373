use rapidphoto_application::auth::{RefreshError, SecretToken};
use rapidphoto_memory::{Operation, TestApp};

use crate::support::accounts::{EMAIL, log_in, register_and_log_in};

#[tokio::test]
async fn logging_out_revokes_all_refresh_tokens_of_the_login() {
    let app = TestApp::new();
    let use_cases = app.use_cases();
    let login = register_and_log_in(&app, &use_cases).await;
    let other_login = log_in(&use_cases, EMAIL).await;
    let second = use_cases.refresh.handle(&login.refresh_token).await.unwrap();
    // The replaced token belongs to the login as well.
    use_cases.log_out.handle(&login.refresh_token).await.unwrap();
    for revoked in [&login.refresh_token, &second.refresh_token] {
        let result = use_cases.refresh.handle(revoked).await;
        assert!(matches!(result, Err(RefreshError::Rejected)), "{result:?}");
    }
    let other = use_cases.refresh.handle(&other_login.refresh_token).await;
    assert!(other.is_ok(), "other logins of the user stay valid");
}

#[tokio::test]
async fn logging_out_again_or_with_an_unknown_token_is_no_error() {
    let app = TestApp::new();
    let use_cases = app.use_cases();
    let login = register_and_log_in(&app, &use_cases).await;
    let other_login = log_in(&use_cases, EMAIL).await;
    for _ in 0..2 {
        use_cases.log_out.handle(&login.refresh_token).await.unwrap();
    }
    for unknown in ["", "rft_forged", &other_login.access_token] {
        let token = SecretToken::from_client(unknown);
        use_cases.log_out.handle(&token).await.unwrap();
    }
    assert!(use_cases.refresh.handle(&other_login.refresh_token).await.is_ok());
}

#[tokio::test]
async fn access_tokens_stay_valid_after_logging_out() {
    let app = TestApp::new();
    let use_cases = app.use_cases();
    let login = register_and_log_in(&app, &use_cases).await;
    use_cases.log_out.handle(&login.refresh_token).await.unwrap();
    assert!(use_cases.authenticate.token(&login.access_token).is_ok());
}

#[tokio::test]
async fn logging_out_fails_during_an_outage_and_can_be_repeated() {
    let app = TestApp::new();
    let use_cases = app.use_cases();
    let login = register_and_log_in(&app, &use_cases).await;
    app.store.faults().fail_next(Operation::Session, 1);
    assert!(use_cases.log_out.handle(&login.refresh_token).await.is_err());
    use_cases.log_out.handle(&login.refresh_token).await.unwrap();
    let result = use_cases.refresh.handle(&login.refresh_token).await;
    assert!(matches!(result, Err(RefreshError::Rejected)), "{result:?}");
}
