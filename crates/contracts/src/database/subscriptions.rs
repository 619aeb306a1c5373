//! Subscriptions: one runner each, whose checkpoint advances in the commits that it writes.

use std::time::Duration;

use rapidphoto_application::ports::{
    Advance, CommitError, Cursor, DatabasePorts, SubscriptionLease, SubscriptionState, WorkKind,
};
use rapidphoto_domain::{Timestamp, photo::PhotoCommand};

use super::{
    DatabaseHarness,
    fixtures::{self, CommitExt, LEASE, commit_ok},
    observations::{self, Snapshot},
};

const NAME: &str = "job-completion";

pub(super) async fn acquire(db: &DatabasePorts) -> Option<SubscriptionLease> {
    db.subscriptions.acquire(NAME, LEASE).await.unwrap()
}

pub(super) const fn advance(lease: &SubscriptionLease, from: Cursor, to: Cursor) -> Advance {
    Advance {
        name: lease.name,
        from,
        to,
        token: lease.token,
    }
}

/// Asserts that a commit with only this checkpoint is rejected.
pub(super) async fn assert_stale(db: &DatabasePorts, now: Timestamp, checkpoint: Advance) {
    let mut commit = fixtures::commit(now);
    commit.checkpoint = Some(checkpoint);
    let rejected = db.journal.commit(commit).await;
    assert!(
        matches!(rejected, Err(CommitError::StaleCheckpoint)),
        "{rejected:?}"
    );
}

/// A new subscription starts before the first event, whatever the log contains.
pub async fn a_new_subscription_starts_before_the_first_event<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    fixtures::user(&db, now).await;
    let lease = acquire(&db).await.unwrap();
    assert_eq!((lease.name, lease.cursor), (NAME, Cursor::START));
}

/// No other runner acquires a subscription during its lease; other subscriptions are free.
pub async fn a_subscription_has_one_runner<H: DatabaseHarness>(harness: H) {
    let db = harness.ports();
    acquire(&db).await.unwrap();
    assert_eq!(acquire(&db).await, None);
    assert!(db.subscriptions.acquire("relay", LEASE).await.unwrap().is_some());
    harness.advance(LEASE - Duration::from_millis(1)).await;
    assert_eq!(acquire(&db).await, None);
}

/// One of concurrent runners acquires the subscription.
pub async fn one_of_concurrent_runners_acquires_a_subscription<H: DatabaseHarness>(harness: H) {
    let db = harness.ports();
    let runners: Vec<_> = (0..16)
        .map(|_| {
            let db = db.clone();
            tokio::spawn(async move { acquire(&db).await })
        })
        .collect();
    let mut acquired = 0;
    for runner in runners {
        acquired += usize::from(runner.await.unwrap().is_some());
    }
    assert_eq!(acquired, 1);
}

/// After the lease of a crashed runner, another one continues at its checkpoint, and the old token is invalid.
pub async fn another_runner_takes_over_after_the_lease_expires<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    fixtures::user(&db, now).await;
    let head = observations::end(&db).await;
    let old = acquire(&db).await.unwrap();
    let mut commit = fixtures::commit(now);
    commit.checkpoint = Some(advance(&old, old.cursor, head));
    commit_ok(&db, commit).await;
    harness.advance(LEASE).await;
    let new = acquire(&db).await.unwrap();
    assert_eq!(new.cursor, head);
    assert!(new.token > old.token);
    assert!(!db.subscriptions.renew(&old, LEASE).await.unwrap());
    assert_stale(&db, now, advance(&old, head, head)).await;
    // A release with an invalid token has no effect.
    db.subscriptions.release(&old).await.unwrap();
    assert_eq!(acquire(&db).await, None);
    assert!(db.subscriptions.renew(&new, LEASE).await.unwrap());
}

/// A renewed lease runs from the renewal. An expired one can be renewed and committed under until another runner takes
/// over.
pub async fn a_runner_continues_until_it_is_replaced<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    fixtures::user(&db, now).await;
    let head = observations::end(&db).await;
    let lease = acquire(&db).await.unwrap();
    for _ in 0..3 {
        harness.advance(LEASE - Duration::from_secs(1)).await;
        assert!(db.subscriptions.renew(&lease, LEASE).await.unwrap());
        assert_eq!(acquire(&db).await, None);
    }
    harness.advance(LEASE * 3).await;
    let mut commit = fixtures::commit(now);
    commit.checkpoint = Some(advance(&lease, lease.cursor, head));
    commit_ok(&db, commit).await;
    assert!(db.subscriptions.renew(&lease, LEASE).await.unwrap());
    assert_eq!(acquire(&db).await, None);
}

/// A released subscription can be acquired immediately and continues at its checkpoint; the old lease is invalid.
pub async fn a_released_subscription_can_be_acquired_immediately<H: DatabaseHarness>(harness: H) {
    let db = harness.ports();
    let first = acquire(&db).await.unwrap();
    db.subscriptions.release(&first).await.unwrap();
    assert!(!db.subscriptions.renew(&first, LEASE).await.unwrap());
    let second = acquire(&db).await.unwrap();
    assert!(second.token > first.token);
    assert_eq!(second.cursor, first.cursor);
}

/// Data and checkpoint are written in one commit.
pub async fn a_checkpoint_advances_with_its_commit<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let owner = fixtures::user(&db, now).await;
    let photo = fixtures::photo(&db, now, owner).await;
    let lease = acquire(&db).await.unwrap();
    let head = observations::end(&db).await;
    let mut commit = fixtures::commit(now);
    commit.write_command(&photo, PhotoCommand::Cancel);
    commit.work.push(fixtures::schedule(&photo, WorkKind::Clean));
    commit.checkpoint = Some(advance(&lease, lease.cursor, head));
    commit_ok(&db, commit.clone()).await;
    // A repeated commit succeeds though its checkpoint has advanced.
    assert!(commit_ok(&db, commit).await.repeated);
    db.subscriptions.release(&lease).await.unwrap();
    assert_eq!(acquire(&db).await.unwrap().cursor, head);
}

/// A checkpoint does not advance from an outdated position, so that the work of two runs is never written twice.
pub async fn a_checkpoint_advances_only_from_its_current_position<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let owner = fixtures::user(&db, now).await;
    let first = observations::end(&db).await;
    let photo = fixtures::photo(&db, now, owner).await;
    let second = observations::end(&db).await;
    let lease = acquire(&db).await.unwrap();
    assert_stale(&db, now, advance(&lease, first, second)).await;
    let mut first_advance = fixtures::commit(now);
    first_advance.checkpoint = Some(advance(&lease, Cursor::START, first));
    commit_ok(&db, first_advance).await;

    let before = Snapshot::of(&db).await;
    let mut again = fixtures::commit(now);
    again.write_command(&photo, PhotoCommand::Cancel);
    again.checkpoint = Some(advance(&lease, Cursor::START, second));
    let rejected = db.journal.commit(again).await;
    assert!(
        matches!(rejected, Err(CommitError::StaleCheckpoint)),
        "{rejected:?}"
    );
    assert_eq!(Snapshot::of(&db).await, before);

    let mut second_advance = fixtures::commit(now);
    second_advance.checkpoint = Some(advance(&lease, first, second));
    commit_ok(&db, second_advance).await;
}

/// A subscription that was never acquired has no checkpoint to advance.
pub async fn a_subscription_without_a_runner_does_not_advance<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    fixtures::user(&db, now).await;
    let to = observations::end(&db).await;
    for token in [0, 1] {
        let checkpoint = Advance {
            name: NAME,
            from: Cursor::START,
            to,
            token,
        };
        assert_stale(&db, now, checkpoint).await;
    }
    assert_eq!(acquire(&db).await.unwrap().cursor, Cursor::START);
}

/// States show the position, and the lease while it is valid.
pub async fn states_show_positions_and_valid_leases<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    assert_eq!(db.subscriptions.states().await.unwrap(), []);
    fixtures::user(&db, now).await;
    let head = observations::end(&db).await;
    let relay = db.subscriptions.acquire("relay", LEASE).await.unwrap().unwrap();
    let lease = acquire(&db).await.unwrap();
    let mut commit = fixtures::commit(now);
    commit.checkpoint = Some(advance(&lease, lease.cursor, head));
    commit_ok(&db, commit).await;
    let state = |name: &str, cursor, leased_until| SubscriptionState {
        name: name.to_owned(),
        cursor,
        leased_until,
        owner: None,
    };
    // Only databases of several processes name the owner.
    let states = || async {
        let mut states = db.subscriptions.states().await.unwrap();
        for state in &mut states {
            state.owner = None;
        }
        states
    };
    let both = |until: Option<Timestamp>| [state(NAME, head, until), state("relay", Cursor::START, until)];
    assert_eq!(states().await, both(Some(now + LEASE)));
    db.subscriptions.release(&relay).await.unwrap();
    let [_, released] = both(None);
    assert_eq!(states().await[1], released);
    harness.advance(LEASE).await;
    assert_eq!(states().await, both(None));
}
