//! Stream tickets: used soon, and then again for reconnects.

use std::time::Duration;

use rapidphoto_application::ports::{DatabasePorts, StreamTicket};
use rapidphoto_domain::Timestamp;

use super::{RecordHarness, given};

const FIRST_USE: Duration = Duration::from_mins(1);
const LIFE: Duration = Duration::from_hours(24);
const MOMENT: Duration = Duration::from_millis(1);

async fn added(record: &DatabasePorts, now: Timestamp) -> StreamTicket {
    let user = given::user(record, now).await;
    let (job, _) = given::job(record, now, user, 0).await;
    let ticket = StreamTicket {
        job: Some(job.value.id),
        first_use_by: now + FIRST_USE,
        ..given::ticket(user, now + LIFE)
    };
    record.sessions.add_ticket(&ticket).await.unwrap();
    ticket
}

/// A ticket that was used in time serves reconnects until it expires.
pub async fn a_ticket_used_in_time_serves_reconnects<H: RecordHarness>(harness: H) {
    let (record, now) = (harness.record(), harness.now());
    let ticket = added(&record, now).await;
    for after in [FIRST_USE - MOMENT, FIRST_USE, FIRST_USE * 2, LIFE - MOMENT] {
        let used = record
            .sessions
            .use_ticket(ticket.ticket, ticket.job, now + after)
            .await
            .unwrap();
        assert_eq!(used.as_ref(), Some(&ticket), "{after:?} later");
    }
    assert_eq!(
        record
            .sessions
            .use_ticket(ticket.ticket, ticket.job, now + LIFE)
            .await
            .unwrap(),
        None
    );
}

/// A ticket that was not used in time never works, and trying does not count as use.
pub async fn a_ticket_not_used_in_time_never_works<H: RecordHarness>(harness: H) {
    let (record, now) = (harness.record(), harness.now());
    let ticket = added(&record, now).await;
    for after in [FIRST_USE, FIRST_USE + MOMENT, LIFE - MOMENT] {
        let used = record
            .sessions
            .use_ticket(ticket.ticket, ticket.job, now + after)
            .await
            .unwrap();
        assert_eq!(used, None, "{after:?} later");
    }
}

/// A ticket is for one job, or for everything of its user; one that nobody was given is none.
pub async fn a_ticket_says_what_it_admits_to<H: RecordHarness>(harness: H) {
    let (record, now) = (harness.record(), harness.now());
    let of_job = added(&record, now).await;
    let of_user = given::ticket(of_job.user, now + LIFE);
    record.sessions.add_ticket(&of_user).await.unwrap();
    for ticket in [of_job, of_user] {
        assert_eq!(
            record
                .sessions
                .use_ticket(ticket.ticket, ticket.job, now)
                .await
                .unwrap(),
            Some(ticket)
        );
    }
    assert_eq!(
        record
            .sessions
            .use_ticket(given::token(), None, now)
            .await
            .unwrap(),
        None
    );
}

/// Shown at a stream that it is not for, a ticket admits nobody, and that is no use of it: it must still be used in
/// time.
pub async fn a_ticket_shown_at_another_stream_is_not_used<H: RecordHarness>(harness: H) {
    let (record, now) = (harness.record(), harness.now());
    let of_job = added(&record, now).await;
    let of_user = StreamTicket {
        first_use_by: now + FIRST_USE,
        ..given::ticket(of_job.user, now + LIFE)
    };
    record.sessions.add_ticket(&of_user).await.unwrap();
    let (other_job, _) = given::job(&record, now, of_job.user, 0).await;
    let other_job = Some(other_job.value.id);
    let show = |ticket: &StreamTicket, job, at| {
        let (sessions, ticket) = (record.sessions.clone(), ticket.ticket);
        async move { sessions.use_ticket(ticket, job, at).await.unwrap() }
    };
    for (ticket, wrong) in [(&of_job, [None, other_job]), (&of_user, [of_job.job, other_job])] {
        for job in wrong {
            assert_eq!(show(ticket, job, now).await, None);
        }
        assert_eq!(show(ticket, ticket.job, now + FIRST_USE).await, None);
        let in_time = now + FIRST_USE - MOMENT;
        assert_eq!(show(ticket, ticket.job, in_time).await.as_ref(), Some(ticket));
        // In use, it still serves no other stream.
        assert_eq!(show(ticket, other_job, in_time).await, None);
    }
}

/// A ticket in use is not forgotten while it can serve a reconnect; one that was never used in time is.
pub async fn tickets_in_use_are_not_forgotten<H: RecordHarness>(harness: H) {
    let (record, now) = (harness.record(), harness.now());
    let used = added(&record, now).await;
    added(&record, now).await;
    record
        .sessions
        .use_ticket(used.ticket, used.job, now)
        .await
        .unwrap();
    let later = now + FIRST_USE * 2;
    record.sessions.delete_expired(later).await.unwrap();
    assert_eq!(
        record
            .sessions
            .use_ticket(used.ticket, used.job, later)
            .await
            .unwrap(),
        Some(used)
    );
    // By its end nothing is left of either, whether the unused one went earlier or goes now.
    let left = record.sessions.delete_expired(now + LIFE).await.unwrap();
    assert!((1..=2).contains(&left), "{left}");
    assert_eq!(record.sessions.delete_expired(now + LIFE).await.unwrap(), 0);
}
