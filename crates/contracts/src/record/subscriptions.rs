//! Subscriptions: one runner each, whose position moves with what it wrote.

use std::time::Duration;

use rapidphoto_application::ports::{
    Advance, CommitError, Cursor, DatabasePorts, SubscriptionLease, WorkKind,
};
use rapidphoto_domain::{Timestamp, photo::PhotoCommand};

use super::{
    RecordHarness,
    given::{self, LEASE, Writing, stands},
    seen::Everything,
};

const NAME: &str = "job-completion";

async fn acquire(record: &DatabasePorts) -> Option<SubscriptionLease> {
    record.subscriptions.acquire(NAME, LEASE).await.unwrap()
}

const fn advance(lease: &SubscriptionLease, from: Cursor, to: Cursor) -> Advance {
    Advance {
        name: lease.name,
        from,
        to,
        token: lease.token,
    }
}

/// A commit that only moves the position is refused.
async fn is_stale(record: &DatabasePorts, now: Timestamp, checkpoint: Advance) {
    let mut commit = given::commit(now);
    commit.checkpoint = Some(checkpoint);
    let refused = record.journal.commit(commit).await;
    assert!(
        matches!(refused, Err(CommitError::StaleCheckpoint)),
        "{refused:?}"
    );
}

/// A new subscription begins before the first event, whatever the log holds.
pub async fn a_new_subscription_begins_before_the_first_event<H: RecordHarness>(harness: H) {
    let (record, now) = (harness.record(), harness.now());
    given::user(&record, now).await;
    let lease = acquire(&record).await.unwrap();
    assert_eq!((lease.name, lease.cursor), (NAME, Cursor::START));
}

/// Nobody else gets it while its lease lasts; other subscriptions are free.
pub async fn a_subscription_has_one_runner<H: RecordHarness>(harness: H) {
    let record = harness.record();
    acquire(&record).await.unwrap();
    assert_eq!(acquire(&record).await, None);
    assert!(
        record
            .subscriptions
            .acquire("relay", LEASE)
            .await
            .unwrap()
            .is_some()
    );
    harness.advance(LEASE - Duration::from_millis(1)).await;
    assert_eq!(acquire(&record).await, None);
}

/// Of runners that try at the same moment, one gets it.
pub async fn of_runners_that_race_one_wins<H: RecordHarness>(harness: H) {
    let record = harness.record();
    let racers: Vec<_> = (0..16)
        .map(|_| {
            let record = record.clone();
            tokio::spawn(async move { acquire(&record).await })
        })
        .collect();
    let mut won = 0;
    for racer in racers {
        won += usize::from(racer.await.unwrap().is_some());
    }
    assert_eq!(won, 1);
}

/// When a runner is gone, another takes over where it stopped, and the old one is fenced off.
pub async fn another_runner_takes_over_when_the_lease_runs_out<H: RecordHarness>(harness: H) {
    let (record, now) = (harness.record(), harness.now());
    given::user(&record, now).await;
    let head = record.log.head().await.unwrap();
    let old = acquire(&record).await.unwrap();
    let mut commit = given::commit(now);
    commit.checkpoint = Some(advance(&old, old.cursor, head));
    stands(&record, commit).await;
    harness.advance(LEASE).await;
    let new = acquire(&record).await.unwrap();
    assert_eq!(new.cursor, head);
    assert!(new.token > old.token);
    assert!(!record.subscriptions.renew(&old, LEASE).await.unwrap());
    is_stale(&record, now, advance(&old, head, head)).await;
    // Giving back what it no longer has frees nothing.
    record.subscriptions.release(&old).await.unwrap();
    assert_eq!(acquire(&record).await, None);
    assert!(record.subscriptions.renew(&new, LEASE).await.unwrap());
}

/// A renewed lease lasts from the renewal on; a runner that nobody has overtaken can still renew and write.
pub async fn a_runner_that_nobody_overtook_goes_on<H: RecordHarness>(harness: H) {
    let (record, now) = (harness.record(), harness.now());
    given::user(&record, now).await;
    let head = record.log.head().await.unwrap();
    let lease = acquire(&record).await.unwrap();
    for _ in 0..3 {
        harness.advance(LEASE - Duration::from_secs(1)).await;
        assert!(record.subscriptions.renew(&lease, LEASE).await.unwrap());
        assert_eq!(acquire(&record).await, None);
    }
    harness.advance(LEASE * 3).await;
    let mut commit = given::commit(now);
    commit.checkpoint = Some(advance(&lease, lease.cursor, head));
    stands(&record, commit).await;
    assert!(record.subscriptions.renew(&lease, LEASE).await.unwrap());
    assert_eq!(acquire(&record).await, None);
}

/// What is given back can be taken at once, and goes on where it was; who gave it back has it no longer.
pub async fn a_released_subscription_can_be_taken_at_once<H: RecordHarness>(harness: H) {
    let record = harness.record();
    let first = acquire(&record).await.unwrap();
    record.subscriptions.release(&first).await.unwrap();
    assert!(!record.subscriptions.renew(&first, LEASE).await.unwrap());
    let second = acquire(&record).await.unwrap();
    assert!(second.token > first.token);
    assert_eq!(second.cursor, first.cursor);
}

/// A process that knows that it is alone lets every lease end: another runner takes over at once, where the first
/// stopped, and fences it off; what was given back is nobody's to end.
pub async fn subscriptions_whose_leases_are_ended_are_free_at_once<H: RecordHarness>(harness: H) {
    let (record, now) = (harness.record(), harness.now());
    given::user(&record, now).await;
    let head = record.log.head().await.unwrap();
    let old = acquire(&record).await.unwrap();
    let mut commit = given::commit(now);
    commit.checkpoint = Some(advance(&old, old.cursor, head));
    stands(&record, commit).await;
    let relay = record
        .subscriptions
        .acquire("relay", LEASE)
        .await
        .unwrap()
        .unwrap();
    let given_back = record.subscriptions.acquire("given-back", LEASE).await.unwrap();
    record.subscriptions.release(&given_back.unwrap()).await.unwrap();
    assert_eq!(record.subscriptions.expire_leases().await.unwrap(), 2);
    assert_eq!(record.subscriptions.expire_leases().await.unwrap(), 0);
    let new = acquire(&record).await.unwrap();
    assert_eq!(new.cursor, head);
    assert!(new.token > old.token);
    assert!(!record.subscriptions.renew(&old, LEASE).await.unwrap());
    is_stale(&record, now, advance(&old, head, head)).await;
    // Whom nobody has overtaken goes on.
    assert!(record.subscriptions.renew(&relay, LEASE).await.unwrap());
    assert_eq!(record.subscriptions.acquire("relay", LEASE).await.unwrap(), None);
}

/// Rows and position move in one commit.
pub async fn a_position_moves_with_what_was_written<H: RecordHarness>(harness: H) {
    let (record, now) = (harness.record(), harness.now());
    let owner = given::user(&record, now).await;
    let photo = given::photo(&record, now, owner).await;
    let lease = acquire(&record).await.unwrap();
    let head = record.log.head().await.unwrap();
    let mut commit = given::commit(now);
    commit.write_command(&photo, PhotoCommand::Cancel);
    commit.work.push(given::schedule(&photo, WorkKind::Clean, now));
    commit.checkpoint = Some(advance(&lease, lease.cursor, head));
    stands(&record, commit.clone()).await;
    // The repetition of a commit that stands is not held against the position it has moved.
    assert!(stands(&record, commit).await.repeated);
    record.subscriptions.release(&lease).await.unwrap();
    assert_eq!(acquire(&record).await.unwrap().cursor, head);
}

/// A position that has moved already is not moved from where it was: the work of two runs is never written twice.
pub async fn a_position_moves_only_from_where_it_is<H: RecordHarness>(harness: H) {
    let (record, now) = (harness.record(), harness.now());
    let owner = given::user(&record, now).await;
    let first = record.log.head().await.unwrap();
    let photo = given::photo(&record, now, owner).await;
    let second = record.log.head().await.unwrap();
    let lease = acquire(&record).await.unwrap();
    is_stale(&record, now, advance(&lease, first, second)).await;
    let mut moves = given::commit(now);
    moves.checkpoint = Some(advance(&lease, Cursor::START, first));
    stands(&record, moves).await;

    let before = Everything::of(&record).await;
    let mut again = given::commit(now);
    again.write_command(&photo, PhotoCommand::Cancel);
    again.checkpoint = Some(advance(&lease, Cursor::START, second));
    let refused = record.journal.commit(again).await;
    assert!(
        matches!(refused, Err(CommitError::StaleCheckpoint)),
        "{refused:?}"
    );
    assert_eq!(Everything::of(&record).await, before);

    let mut on = given::commit(now);
    on.checkpoint = Some(advance(&lease, first, second));
    stands(&record, on).await;
}

/// Nobody moves a subscription that nobody ever ran.
pub async fn a_subscription_that_nobody_runs_does_not_move<H: RecordHarness>(harness: H) {
    let (record, now) = (harness.record(), harness.now());
    given::user(&record, now).await;
    let to = record.log.head().await.unwrap();
    for token in [0, 1] {
        let checkpoint = Advance {
            name: NAME,
            from: Cursor::START,
            to,
            token,
        };
        is_stale(&record, now, checkpoint).await;
    }
    assert_eq!(acquire(&record).await.unwrap().cursor, Cursor::START);
}
