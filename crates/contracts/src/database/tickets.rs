//! Stream tickets: first used within a short time, then again for reconnects.

use std::time::Duration;

use rapidphoto_application::ports::{DatabasePorts, Session, StreamTicket};
use rapidphoto_domain::Timestamp;

use super::{DatabaseHarness, fixtures};

const FIRST_USE: Duration = Duration::from_mins(1);
const LIFETIME: Duration = Duration::from_hours(24);
const MILLISECOND: Duration = Duration::from_millis(1);

const MAX: usize = 100;

/// A session that outlives its tickets.
async fn opened(db: &DatabasePorts, now: Timestamp) -> Session {
    let user = fixtures::user(db, now).await;
    let session = fixtures::session(user, now + LIFETIME * 2);
    let opened = fixtures::open_session(db, &session, fixtures::token(), now, MAX).await;
    assert!(opened.is_some());
    session
}

async fn added(db: &DatabasePorts, now: Timestamp) -> StreamTicket {
    let session = opened(db, now).await;
    added_in(db, &session, now).await
}

async fn added_in(db: &DatabasePorts, session: &Session, now: Timestamp) -> StreamTicket {
    let (job, _) = fixtures::job(db, now, session.user, 0).await;
    let ticket = StreamTicket {
        job: Some(job.value.id),
        first_use_by: now + FIRST_USE,
        ..fixtures::ticket(session, now + LIFETIME)
    };
    db.sessions.add_ticket(&ticket, MAX).await.unwrap();
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
    let session = opened(&db, now).await;
    let of_job = added_in(&db, &session, now).await;
    let of_user = fixtures::ticket(&session, now + LIFETIME);
    db.sessions.add_ticket(&of_user, MAX).await.unwrap();
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
    let session = opened(&db, now).await;
    let of_job = added_in(&db, &session, now).await;
    let of_user = StreamTicket {
        first_use_by: now + FIRST_USE,
        ..fixtures::ticket(&session, now + LIFETIME)
    };
    db.sessions.add_ticket(&of_user, MAX).await.unwrap();
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

/// A ticket whose session has ended or expired is invalid.
pub async fn a_ticket_ends_with_its_session<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let ended = added(&db, now).await;
    let is_redeemed = async |ticket: &StreamTicket, at| {
        let used = db.sessions.use_ticket(ticket.ticket, ticket.job, at).await;
        used.unwrap().is_some()
    };
    assert!(is_redeemed(&ended, now).await);
    db.sessions.end(ended.session).await.unwrap();
    assert!(!is_redeemed(&ended, now).await);
    let user = fixtures::user(&db, now).await;
    let session = fixtures::session(user, now + FIRST_USE);
    let opened = fixtures::open_session(&db, &session, fixtures::token(), now, MAX).await;
    assert!(opened.is_some());
    let outliving = fixtures::ticket(&session, now + LIFETIME);
    db.sessions.add_ticket(&outliving, MAX).await.unwrap();
    assert!(is_redeemed(&outliving, now + FIRST_USE - MILLISECOND).await);
    assert!(!is_redeemed(&outliving, now + FIRST_USE).await);
    // A ticket of a session that never existed is invalid from the start.
    let orphan = fixtures::ticket(&fixtures::session(user, now + LIFETIME), now + LIFETIME);
    db.sessions.add_ticket(&orphan, MAX).await.unwrap();
    assert!(!is_redeemed(&orphan, now).await);
}

/// A ticket over the maximum replaces the user's one that expires first.
pub async fn a_user_has_a_maximum_of_tickets<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let other = added(&db, now).await;
    let session = opened(&db, now).await;
    let mut tickets = Vec::new();
    for minutes in [2, 1, 3, 4] {
        let ticket = fixtures::ticket(&session, now + FIRST_USE * minutes);
        db.sessions.add_ticket(&ticket, 2).await.unwrap();
        tickets.push(ticket);
    }
    for (ticket, kept) in tickets.iter().zip([false, false, true, true]) {
        let used = db.sessions.use_ticket(ticket.ticket, None, now).await.unwrap();
        assert_eq!(used.is_some(), kept, "{ticket:?}");
    }
    let used = db
        .sessions
        .use_ticket(other.ticket, other.job, now)
        .await
        .unwrap();
    assert_eq!(used, Some(other));
}
