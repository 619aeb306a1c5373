use std::time::Duration;

use futures::FutureExt;
use rapidphoto_application::{
    UseCases,
    auth::{SessionWatch, TokenPair},
};
use rapidphoto_memory::{Operation, TestApp};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::support::accounts::{EMAIL, log_in, register_and_log_in};

/// Time in which an end in another process is noticed, and a little more.
const CHECKED: Duration = Duration::from_secs(4);

fn watch(use_cases: &UseCases, login: &TokenPair) -> SessionWatch {
    let grant = use_cases.authenticate.token(&login.access_token).unwrap();
    use_cases.session_watches.watch(grant.session)
}

/// Starts the checks of the watched sessions.
fn run_checks(use_cases: &UseCases) -> DropGuard {
    let (watches, stop) = (use_cases.session_watches.clone(), CancellationToken::new());
    tokio::spawn({
        let stop = stop.clone();
        async move { watches.run(stop).await }
    });
    stop.drop_guard()
}

/// Returns true if the session has ended, without waiting.
async fn has_ended(watch: &mut SessionWatch) -> bool {
    tokio::time::timeout(Duration::from_millis(1), watch.ended())
        .await
        .is_ok()
}

#[tokio::test(start_paused = true)]
async fn a_watch_ends_at_once_with_a_log_out_of_its_session_only() {
    let app = TestApp::new();
    let use_cases = app.use_cases();
    let login = register_and_log_in(&app, &use_cases).await;
    let other = log_in(&use_cases, EMAIL).await;
    let (mut watched, mut others) = (watch(&use_cases, &login), watch(&use_cases, &other));
    assert!(!has_ended(&mut watched).await);
    use_cases.log_out.handle(&login.refresh_token).await.unwrap();
    assert!(has_ended(&mut watched).await);
    assert!(!has_ended(&mut others).await);
    // A watch that starts after the end ends, too.
    assert!(has_ended(&mut watch(&use_cases, &login)).await);
}

#[tokio::test(start_paused = true)]
async fn a_watch_ends_with_the_reuse_of_a_token() {
    let app = TestApp::new();
    let use_cases = app.use_cases();
    let login = register_and_log_in(&app, &use_cases).await;
    let mut watched = watch(&use_cases, &login);
    let second = use_cases.refresh.handle(&login.refresh_token).await.unwrap();
    use_cases.refresh.handle(&second.refresh_token).await.unwrap();
    assert!(!has_ended(&mut watched).await);
    assert!(use_cases.refresh.handle(&login.refresh_token).await.is_err());
    assert!(has_ended(&mut watched).await);
}

#[tokio::test(start_paused = true)]
async fn a_watch_ends_when_a_login_replaces_its_session() {
    let app = TestApp::with_settings(|settings| settings.auth.max_sessions = 2);
    let use_cases = app.use_cases();
    let login = register_and_log_in(&app, &use_cases).await;
    let mut watched = watch(&use_cases, &login);
    log_in(&use_cases, EMAIL).await;
    assert!(!has_ended(&mut watched).await);
    app.clock.advance(Duration::from_secs(1));
    log_in(&use_cases, EMAIL).await;
    assert!(has_ended(&mut watched).await);
}

#[tokio::test(start_paused = true)]
async fn an_end_in_another_process_is_noticed_by_the_next_check() {
    let app = TestApp::new();
    let use_cases = app.use_cases();
    let login = register_and_log_in(&app, &use_cases).await;
    let (mut watched, mut again) = (watch(&use_cases, &login), watch(&use_cases, &login));
    let other = log_in(&use_cases, EMAIL).await;
    let mut others = watch(&use_cases, &other);
    let _checks = run_checks(&use_cases);
    // A second watch of the session is checked although the first has gone.
    drop(watch(&use_cases, &login));
    // An instance of its own has a signal of its own.
    app.use_cases()
        .log_out
        .handle(&login.refresh_token)
        .await
        .unwrap();
    let waiting = async { tokio::join!(watched.ended(), again.ended()) };
    assert!(tokio::time::timeout(CHECKED, waiting).await.is_ok());
    assert!(tokio::time::timeout(CHECKED, others.ended()).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_watch_ends_when_its_session_expires_and_not_by_an_outage() {
    let app = TestApp::new();
    let use_cases = app.use_cases();
    let login = register_and_log_in(&app, &use_cases).await;
    let mut watched = watch(&use_cases, &login);
    let _checks = run_checks(&use_cases);
    app.store.faults().fail_next(Operation::Session, 2);
    assert!(tokio::time::timeout(CHECKED, watched.ended()).await.is_err());
    app.clock.advance(app.settings.auth.refresh_lifetime);
    assert!(tokio::time::timeout(CHECKED, watched.ended()).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_watch_that_falls_behind_checks_the_database() {
    let app = TestApp::new();
    let use_cases = app.use_cases();
    let login = register_and_log_in(&app, &use_cases).await;
    let mut watched = watch(&use_cases, &login);
    let mut waiting = Box::pin(watched.ended());
    assert!(waiting.as_mut().now_or_never().is_none());
    use_cases.log_out.handle(&login.refresh_token).await.unwrap();
    for _ in 0..600 {
        // Within the limit on logins.
        app.clock.advance(Duration::from_secs(2));
        let other = log_in(&use_cases, EMAIL).await;
        use_cases.log_out.handle(&other.refresh_token).await.unwrap();
    }
    assert!(
        tokio::time::timeout(Duration::from_millis(1), waiting)
            .await
            .is_ok()
    );
}
