//! Operations of a deployment with one process: at its start it ends what the previous process held.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use rapidphoto_application::ports::{SingleProcess, WorkKind, WorkOrder};

use super::{
    DatabaseHarness,
    fixtures::{self, LEASE, commit_ok},
    subscriptions::{acquire, advance, assert_stale},
};

const LOOK: &[WorkKind] = &[WorkKind::Look];

/// Harness of an adapter for deployments with one process.
pub trait SingleProcessHarness: DatabaseHarness {
    /// The operations of a single process, on the same database as the ports.
    fn single_process(&self) -> Arc<dyn SingleProcess>;
}

/// After a restart all delayed looks are due immediately; claimed looks and other kinds do not change.
pub async fn delayed_looks_can_be_made_due_immediately<H: SingleProcessHarness>(harness: H) {
    let (db, single, now) = (harness.ports(), harness.single_process(), harness.now());
    let owner = fixtures::user(&db, now).await;
    let (_, photos) = fixtures::job(&db, now, owner, 4).await;
    let later = Duration::from_hours(1);
    let held = fixtures::claim_work(&db, now, &photos[0], WorkKind::Look).await;
    let orders = [
        fixtures::schedule_after(&photos[1], WorkKind::Look, later),
        fixtures::schedule_after(&photos[2], WorkKind::Look, later),
        fixtures::schedule_after(&photos[3], WorkKind::Process, later),
        fixtures::schedule_after(&photos[3], WorkKind::Clean, later),
    ];
    fixtures::order_work(&db, now, orders).await;
    assert_eq!(single.make_looks_due().await.unwrap(), 2);
    assert_eq!(single.make_looks_due().await.unwrap(), 0);
    let looks = db.work.claim(&WorkKind::ALL, 9, LEASE).await.unwrap();
    let claimed: BTreeSet<_> = looks.iter().map(|claim| claim.token.photo).collect();
    assert_eq!(claimed, [photos[1].value.id, photos[2].value.id].into());
    assert!(looks.iter().all(|claim| claim.claims == 1 && claim.due_at == now));
    fixtures::order_work(&db, now, [WorkOrder::Finish { claim: held.token }]).await;
}

/// After a restart no retry waits longer than it could have been told to, whatever the clock was when it was told.
pub async fn long_delays_of_processing_are_shortened<H: SingleProcessHarness>(harness: H) {
    let (db, single, now) = (harness.ports(), harness.single_process(), harness.now());
    let owner = fixtures::user(&db, now).await;
    let (_, photos) = fixtures::job(&db, now, owner, 4).await;
    let (longest, hour) = (Duration::from_mins(5), Duration::from_hours(1));
    fixtures::claim_work(&db, now, &photos[0], WorkKind::Process).await;
    let orders = [
        fixtures::schedule_after(&photos[1], WorkKind::Process, longest + hour),
        fixtures::schedule_after(&photos[2], WorkKind::Process, longest),
        fixtures::schedule_after(&photos[3], WorkKind::Clean, hour),
    ];
    fixtures::order_work(&db, now, orders).await;
    assert_eq!(single.shorten_processing_delays(longest).await.unwrap(), 1);
    assert_eq!(single.shorten_processing_delays(longest).await.unwrap(), 0);
    harness.advance(longest).await;
    let claims = db.work.claim(&WorkKind::ALL, 9, LEASE).await.unwrap();
    let claimed: BTreeSet<_> = claims.iter().map(|claim| claim.token.photo).collect();
    assert_eq!(claimed, [photos[1].value.id, photos[2].value.id].into());
}

/// A process that knows to be the only one ends all leases: claimed work is claimable immediately, and the lost claim
/// is counted.
pub async fn ending_leases_makes_work_claimable_immediately<H: SingleProcessHarness>(harness: H) {
    let (db, single, now) = (harness.ports(), harness.single_process(), harness.now());
    let owner = fixtures::user(&db, now).await;
    let (_, photos) = fixtures::job(&db, now, owner, 2).await;
    fixtures::claim_work(&db, now, &photos[0], WorkKind::Look).await;
    let orders = [fixtures::schedule(&photos[1], WorkKind::Look)];
    fixtures::order_work(&db, now, orders).await;
    assert_eq!(single.expire_claims().await.unwrap(), 1);
    assert_eq!(single.expire_claims().await.unwrap(), 0);
    let mut looks = db.work.claim(LOOK, 9, LEASE).await.unwrap();
    looks.extend(db.work.claim_orphan(LOOK, LEASE).await.unwrap());
    let claims: Vec<_> = photos
        .iter()
        .map(|photo| {
            looks
                .iter()
                .find(|claim| claim.token.photo == photo.value.id)
                .map(|claim| claim.claims)
        })
        .collect();
    assert_eq!(claims, [Some(2), Some(1)]);
}

/// A process that knows to be the only one ends all leases: another runner takes over immediately at the checkpoint,
/// and the old token is invalid. Released subscriptions have no lease to end.
pub async fn ending_leases_makes_subscriptions_available_immediately<H: SingleProcessHarness>(harness: H) {
    let (db, single, now) = (harness.ports(), harness.single_process(), harness.now());
    fixtures::user(&db, now).await;
    let head = db.log.head().await.unwrap();
    let old = acquire(&db).await.unwrap();
    let mut commit = fixtures::commit(now);
    commit.checkpoint = Some(advance(&old, old.cursor, head));
    commit_ok(&db, commit).await;
    let relay = db.subscriptions.acquire("relay", LEASE).await.unwrap().unwrap();
    let released = db.subscriptions.acquire("released", LEASE).await.unwrap();
    db.subscriptions.release(&released.unwrap()).await.unwrap();
    assert_eq!(single.expire_leases().await.unwrap(), 2);
    assert_eq!(single.expire_leases().await.unwrap(), 0);
    let new = acquire(&db).await.unwrap();
    assert_eq!(new.cursor, head);
    assert!(new.token > old.token);
    assert!(!db.subscriptions.renew(&old, LEASE).await.unwrap());
    assert_stale(&db, now, advance(&old, head, head)).await;
    // A runner that was not replaced continues.
    assert!(db.subscriptions.renew(&relay, LEASE).await.unwrap());
    assert_eq!(db.subscriptions.acquire("relay", LEASE).await.unwrap(), None);
}

/// The operations change nothing in another namespace.
pub async fn other_namespaces_keep_their_leases<H: SingleProcessHarness>(harness: H) {
    let (other, single, now) = (harness.other_namespace(), harness.single_process(), harness.now());
    let owner = fixtures::user(&other, now).await;
    let (_, photos) = fixtures::job(&other, now, owner, 2).await;
    fixtures::claim_work(&other, now, &photos[0], WorkKind::Look).await;
    let later = fixtures::schedule_after(&photos[1], WorkKind::Look, LEASE);
    fixtures::order_work(&other, now, [later]).await;
    assert!(acquire(&other).await.is_some());
    assert_eq!(single.expire_claims().await.unwrap(), 0);
    assert_eq!(single.make_looks_due().await.unwrap(), 0);
    assert_eq!(single.expire_leases().await.unwrap(), 0);
    assert_eq!(fixtures::due_in(&other, LOOK).await, Some(LEASE));
    assert_eq!(acquire(&other).await, None);
}

/// Every row is changed, however many there are.
pub async fn many_looks_are_made_due<H: SingleProcessHarness>(harness: H) {
    let (db, single, now) = (harness.ports(), harness.single_process(), harness.now());
    let owner = fixtures::user(&db, now).await;
    let (_, mut photos) = fixtures::job(&db, now, owner, 550).await;
    photos.extend(fixtures::job(&db, now, owner, 550).await.1);
    let later = Duration::from_hours(1);
    let orders = photos
        .iter()
        .map(|photo| fixtures::schedule_after(photo, WorkKind::Look, later));
    fixtures::order_work(&db, now, orders).await;
    assert_eq!(single.make_looks_due().await.unwrap(), 1100);
    assert_eq!(db.work.claim(LOOK, 1100, LEASE).await.unwrap().len(), 1100);
    assert_eq!(single.expire_claims().await.unwrap(), 1100);
    assert_eq!(db.work.orphan_due_in(LOOK).await.unwrap(), Some(Duration::ZERO));
}
