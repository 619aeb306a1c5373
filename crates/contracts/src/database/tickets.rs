//! Stream tickets: first used within a short time, then again for reconnects.

use std::time::Duration;

use rapidphoto_application::ports::{DatabasePorts, StreamTicket};
use rapidphoto_domain::Timestamp;

use super::{DatabaseHarness, fixtures};

const FIRST_USE: Duration = Duration::from_mins(1);
const LIFETIME: Duration = Duration::from_hours(24);
const MILLISECOND: Duration = Duration::from_millis(1);

async fn added(db: &DatabasePorts, now: Timestamp) -> StreamTicket {
    let user = fixtures::user(db, now).await;
    let (job, _) = fixtures::job(db, now, user, 0).await;
    let ticket = StreamTicket {
        job: Some(job.value.id),
        first_use_by: now + FIRST_USE,
        ..fixtures::ticket(user, now + LIFETIME)
    };
    db.sessions.add_ticket(&ticket).await.unwrap();
    ticket
}

/// A ticket that was used in time is valid for reconnects until it expires.
pub async fn a_ticket_used_in_time_is_valid_for_reconnects<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let ticket = added(&db, now).await;
    for after in [
        FIRST_USE - MILLISECOND,
        FIRST_USE,
        FIRST_USE * 2,
        LIFETIME - MILLISECOND,
    ] {
        let used = db
            .sessions
            .use_ticket(ticket.ticket, ticket.job, now + after)
            .await
            .unwrap();
        assert_eq!(used.as_ref(), Some(&ticket), "{after:?} later");
    }
    assert_eq!(
        db.sessions
            .use_ticket(ticket.ticket, ticket.job, now + LIFETIME)
            .await
            .unwrap(),
        None
    );
}

/// A ticket that was not used in time stays invalid; a late attempt does not count as use.
pub async fn a_ticket_not_used_in_time_is_invalid<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let ticket = added(&db, now).await;
    for after in [FIRST_USE, FIRST_USE + MILLISECOND, LIFETIME - MILLISECOND] {
        let used = db
            .sessions
            .use_ticket(ticket.ticket, ticket.job, now + after)
            .await
            .unwrap();
        assert_eq!(used, None, "{after:?} later");
    }
}

/// A ticket is for one job or for all events of its user; an unknown ticket is invalid.
pub async fn a_ticket_is_returned_as_added<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let of_job = added(&db, now).await;
    let of_user = fixtures::ticket(of_job.user, now + LIFETIME);
    db.sessions.add_ticket(&of_user).await.unwrap();
    for ticket in [of_job, of_user] {
        assert_eq!(
            db.sessions
                .use_ticket(ticket.ticket, ticket.job, now)
                .await
                .unwrap(),
            Some(ticket)
        );
    }
    assert_eq!(
        db.sessions
            .use_ticket(fixtures::token(), None, now)
            .await
            .unwrap(),
        None
    );
}

/// A ticket is rejected for another stream. That does not count as use: the ticket must still be used in time.
pub async fn a_ticket_presented_for_another_stream_is_not_used<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let of_job = added(&db, now).await;
    let of_user = StreamTicket {
        first_use_by: now + FIRST_USE,
        ..fixtures::ticket(of_job.user, now + LIFETIME)
    };
    db.sessions.add_ticket(&of_user).await.unwrap();
    let (other_job, _) = fixtures::job(&db, now, of_job.user, 0).await;
    let other_job = Some(other_job.value.id);
    let present = |ticket: &StreamTicket, job, at| {
        let (sessions, ticket) = (db.sessions.clone(), ticket.ticket);
        async move { sessions.use_ticket(ticket, job, at).await.unwrap() }
    };
    for (ticket, wrong) in [(&of_job, [None, other_job]), (&of_user, [of_job.job, other_job])] {
        for job in wrong {
            assert_eq!(present(ticket, job, now).await, None);
        }
        assert_eq!(present(ticket, ticket.job, now + FIRST_USE).await, None);
        let in_time = now + FIRST_USE - MILLISECOND;
        assert_eq!(present(ticket, ticket.job, in_time).await.as_ref(), Some(ticket));
        // A used ticket is still invalid for other streams.
        assert_eq!(present(ticket, other_job, in_time).await, None);
    }
}

/// A used ticket is kept until it expires; one that was not used in time is deleted.
pub async fn used_tickets_are_kept_until_they_expire<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let used = added(&db, now).await;
    added(&db, now).await;
    db.sessions.use_ticket(used.ticket, used.job, now).await.unwrap();
    let later = now + FIRST_USE * 2;
    db.sessions.delete_expired(later).await.unwrap();
    assert_eq!(
        db.sessions
            .use_ticket(used.ticket, used.job, later)
            .await
            .unwrap(),
        Some(used)
    );
    // Both are deleted when they expire; the unused one may have been deleted earlier.
    let left = db.sessions.delete_expired(now + LIFETIME).await.unwrap();
    assert!((1..=2).contains(&left), "{left}");
    assert_eq!(db.sessions.delete_expired(now + LIFETIME).await.unwrap(), 0);
}
