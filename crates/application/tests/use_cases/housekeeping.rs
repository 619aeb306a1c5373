use std::time::Duration;

use rapidphoto_application::{Housekeeping, auth::RefreshError};
use rapidphoto_domain::Timestamp;
use rapidphoto_memory::{Operation, TestApp, fixtures::HOUR};

use crate::support::{
    accounts::register_and_log_in,
    jobs::create_with_key,
    progress::{report, reported},
};

const MOMENT: Duration = Duration::from_millis(1);

fn housekeeping(app: &TestApp) -> Housekeeping {
    Housekeeping::new(&app.ports, &app.settings.uploads)
}

fn remove_inactive(app: &TestApp) {
    let limit = app.settings.uploads.inactivity_limit();
    app.board.remove_inactive(app.now() - limit);
}

/// Asserts that one row is deleted at `expiry`, and none just before it.
async fn assert_deleted_at(app: &TestApp, expiry: Timestamp) {
    for (time, expected) in [(expiry - MOMENT, 0), (expiry, 1), (expiry, 0)] {
        app.clock.set(time);
        assert_eq!(housekeeping(app).handle().await.unwrap(), expected, "{time}");
    }
}

#[tokio::test]
async fn sessions_are_deleted_when_their_token_expires() {
    let app = TestApp::new();
    let use_cases = app.use_cases();
    let login = register_and_log_in(&app, &use_cases).await;
    let lifetime = app.settings.auth.refresh_lifetime;
    let first_expiry = app.now() + lifetime;
    app.clock.advance(HOUR);
    let successor = use_cases.refresh.handle(&login.refresh_token).await.unwrap();
    let second_expiry = app.now() + lifetime;
    app.clock.set(first_expiry);
    assert_eq!(housekeeping(&app).handle().await.unwrap(), 0);
    assert_deleted_at(&app, second_expiry).await;
    let expired = use_cases.refresh.handle(&successor.refresh_token).await;
    assert!(matches!(expired, Err(RefreshError::Rejected)), "{expired:?}");
}

#[tokio::test]
async fn stream_tickets_are_deleted_when_they_expire() {
    let app = TestApp::new();
    let use_cases = app.use_cases();
    let session = app.open_session(app.owner).await;
    let issue = || use_cases.stream_tickets.issue(app.owner, session, None);
    let used = issue().await.unwrap();
    assert!(use_cases.stream_tickets.redeem(&used.ticket, None).await.is_ok());
    let unused = issue().await.unwrap();
    let expiry = app.now() + app.settings.auth.ticket_lifetime;
    assert_deleted_at(&app, unused.first_use_by).await;
    app.clock.set(expiry - MOMENT);
    assert!(use_cases.stream_tickets.redeem(&used.ticket, None).await.is_ok());
    assert_deleted_at(&app, expiry).await;
}

#[tokio::test]
async fn idempotency_keys_are_deleted_when_they_expire() {
    let app = TestApp::new();
    let first = create_with_key(&app, 1).await;
    assert!(first.created);
    let expiry = app.now() + app.settings.uploads.idempotency_lifetime;
    app.clock.set(expiry - MOMENT);
    assert_eq!(housekeeping(&app).handle().await.unwrap(), 0);
    assert_eq!(create_with_key(&app, 1).await.job, first.job);
    assert_deleted_at(&app, expiry).await;
    assert_ne!(create_with_key(&app, 1).await.job, first.job);
}

#[tokio::test]
async fn progress_is_removed_an_hour_after_the_window_of_an_inactive_upload() {
    let app = TestApp::new();
    let declared = app.declare(2).await;
    let (inactive, active) = (&declared[..1], &declared[1..]);
    assert_eq!(report(&app, &declared, 1).await, 2);
    let limit = app.now() + app.settings.uploads.window + HOUR;
    app.clock.advance(MOMENT);
    assert_eq!(report(&app, active, 1).await, 1);
    app.clock.set(limit);
    remove_inactive(&app);
    assert_eq!(reported(&app, inactive[0].photo), Some(1));
    app.clock.advance(MOMENT);
    remove_inactive(&app);
    assert_eq!(reported(&app, inactive[0].photo), None);
    assert_eq!(reported(&app, active[0].photo), Some(1));
    app.clock.advance(MOMENT);
    remove_inactive(&app);
    assert_eq!(reported(&app, active[0].photo), None);
}

#[tokio::test]
async fn an_outage_is_reported_and_the_next_run_deletes_the_rows() {
    let app = TestApp::new();
    let session = app.open_session(app.owner).await;
    let issued = app
        .use_cases()
        .stream_tickets
        .issue(app.owner, session, None)
        .await
        .unwrap();
    app.clock.set(issued.first_use_by);
    app.store.faults().fail_next(Operation::Session, 1);
    assert!(housekeeping(&app).handle().await.is_err());
    assert_eq!(housekeeping(&app).handle().await.unwrap(), 1);
}
