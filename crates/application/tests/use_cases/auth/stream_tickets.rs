use std::time::Duration;

use rapidphoto_application::{
    UseCases,
    auth::{SecretToken, TicketError},
};
use rapidphoto_domain::JobId;
use rapidphoto_memory::{Operation, TestApp, fixtures::OTHER_USER};

use crate::support::accounts::register_and_log_in;

const MOMENT: Duration = Duration::from_millis(1);

async fn issue(app: &TestApp, use_cases: &UseCases, job: Option<JobId>) -> SecretToken {
    let session = app.open_session(app.owner).await;
    let issued = use_cases.stream_tickets.issue(app.owner, session, job).await;
    issued.unwrap().ticket
}

async fn assert_rejected(use_cases: &UseCases, ticket: &SecretToken, job: Option<JobId>) {
    let result = use_cases.stream_tickets.redeem(ticket, job).await;
    assert!(matches!(result, Err(TicketError::Rejected)), "{result:?}");
}

#[tokio::test]
async fn a_ticket_is_valid_for_its_stream_only() {
    let app = TestApp::new();
    let use_cases = app.use_cases();
    let job = app.declare_one().await.job;
    let other_job = app.declare_one().await.job;
    let streams = [Some(job), Some(other_job), None];
    for stream in streams {
        let ticket = issue(&app, &use_cases, stream).await;
        for other in streams.into_iter().filter(|other| *other != stream) {
            assert_rejected(&use_cases, &ticket, other).await;
        }
        let (user, _) = use_cases.stream_tickets.redeem(&ticket, stream).await.unwrap();
        assert_eq!(user, app.owner);
    }
}

#[tokio::test]
async fn a_ticket_is_rejected_after_the_time_of_its_first_use() {
    let app = TestApp::new();
    let use_cases = app.use_cases();
    let job = app.declare_one().await.job;
    let session = app.open_session(app.owner).await;
    let issued = use_cases
        .stream_tickets
        .issue(app.owner, session, Some(job))
        .await
        .unwrap();
    assert_eq!(
        issued.first_use_by,
        app.now() + app.settings.auth.ticket_first_use
    );
    // A request for another stream is no use of the ticket.
    assert_rejected(&use_cases, &issued.ticket, None).await;
    app.clock.set(issued.first_use_by);
    assert_rejected(&use_cases, &issued.ticket, Some(job)).await;
}

#[tokio::test]
async fn a_used_ticket_is_accepted_for_reconnects_until_it_expires() {
    let app = TestApp::new();
    let use_cases = app.use_cases();
    let job = app.declare_one().await.job;
    let first_use_by = app.now() + app.settings.auth.ticket_first_use;
    let expiry = app.now() + app.settings.auth.ticket_lifetime;
    let ticket = issue(&app, &use_cases, Some(job)).await;
    for time in [first_use_by - MOMENT, first_use_by, expiry - MOMENT] {
        app.clock.set(time);
        assert!(use_cases.stream_tickets.redeem(&ticket, Some(job)).await.is_ok());
    }
    app.clock.set(expiry);
    assert_rejected(&use_cases, &ticket, Some(job)).await;
}

#[tokio::test]
async fn there_are_no_tickets_for_unknown_jobs_and_jobs_of_other_users() {
    let app = TestApp::new();
    let use_cases = app.use_cases();
    let job = app.declare_one().await.job;
    for (user, job) in [(OTHER_USER, job), (app.owner, JobId::from_bits(1))] {
        let session = app.open_session(user).await;
        let result = use_cases.stream_tickets.issue(user, session, Some(job)).await;
        assert!(matches!(result, Err(TicketError::NoSuchJob)), "{result:?}");
    }
}

#[tokio::test]
async fn unknown_tickets_are_rejected() {
    let app = TestApp::new();
    let use_cases = app.use_cases();
    let ticket = issue(&app, &use_cases, None).await;
    for unknown in ["", "tkt_forged", &ticket.reveal()[1..]] {
        assert_rejected(&use_cases, &SecretToken::from_client(unknown), None).await;
    }
}

#[tokio::test]
async fn tickets_are_unavailable_during_an_outage() {
    let app = TestApp::new();
    let use_cases = app.use_cases();
    let ticket = issue(&app, &use_cases, None).await;
    let session = app.open_session(app.owner).await;
    app.store.faults().fail_next(Operation::Session, 2);
    let issued = use_cases.stream_tickets.issue(app.owner, session, None).await;
    assert!(matches!(issued, Err(TicketError::Unavailable(_))), "{issued:?}");
    let redeemed = use_cases.stream_tickets.redeem(&ticket, None).await;
    assert!(
        matches!(redeemed, Err(TicketError::Unavailable(_))),
        "{redeemed:?}"
    );
    assert!(use_cases.stream_tickets.redeem(&ticket, None).await.is_ok());
}

#[tokio::test]
async fn a_ticket_ends_with_a_log_out_of_its_session() {
    let app = TestApp::new();
    let use_cases = app.use_cases();
    let login = register_and_log_in(&app, &use_cases).await;
    let grant = use_cases.authenticate.token(&login.access_token).unwrap();
    let tickets = &use_cases.stream_tickets;
    let issued = tickets.issue(grant.user, grant.session, None).await.unwrap();
    assert_eq!(
        tickets.redeem(&issued.ticket, None).await.unwrap(),
        (grant.user, grant.session)
    );
    let other = issue(&app, &use_cases, None).await;
    use_cases.log_out.handle(&login.refresh_token).await.unwrap();
    assert_rejected(&use_cases, &issued.ticket, None).await;
    assert!(tickets.redeem(&other, None).await.is_ok());
}
