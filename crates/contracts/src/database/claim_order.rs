//! Order of claims: fresh work first, then users in turn, then the longest due.

use std::time::Duration;

use rapidphoto_application::ports::{DatabasePorts, Due, Priority, Versioned, WorkKind, WorkOrder};
use rapidphoto_domain::{Timestamp, UserId, photo::Photo};

use super::{
    DatabaseHarness,
    fixtures::{self, LEASE},
};

const LOOK: &[WorkKind] = &[WorkKind::Look];

const ALTERNATING: [Priority; 4] = [Priority::Bulk, Priority::Fresh, Priority::Bulk, Priority::Fresh];

async fn photos(db: &DatabasePorts, now: Timestamp, count: u32) -> (UserId, Vec<Versioned<Photo>>) {
    let owner = fixtures::user(db, now).await;
    (owner, fixtures::job(db, now, owner, count).await.1)
}

/// New uploads are claimed before bulk work, however long the latter has been due.
pub async fn fresh_work_is_claimed_before_bulk_work<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let (owner, photos) = photos(&db, now, 4).await;
    for (photo, priority) in photos.iter().zip(ALTERNATING) {
        let order = WorkOrder::Schedule {
            photo: photo.value.id,
            owner,
            kind: WorkKind::Look,
            due: Due::Now,
            priority,
        };
        fixtures::order_work(&db, now, [order]).await;
        harness.advance(Duration::from_mins(1)).await;
    }
    let claims = db.work.claim(LOOK, 4, LEASE).await.unwrap();
    let order: Vec<_> = claims.iter().map(|claim| claim.token.photo).collect();
    assert_eq!(order, [1, 3, 0, 2].map(|index: usize| photos[index].value.id));
}

/// Fresh work of all users is claimed before bulk work, even before another user's first item.
pub async fn fresh_work_of_all_users_is_claimed_before_bulk_work<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let (bulk_owner, bulk) = photos(&db, now, 2).await;
    let (fresh_owner, fresh) = photos(&db, now, 3).await;
    let bulk = bulk.iter().map(|photo| WorkOrder::Schedule {
        photo: photo.value.id,
        owner: bulk_owner,
        kind: WorkKind::Look,
        due: Due::Now,
        priority: Priority::Bulk,
    });
    let fresh = fresh
        .iter()
        .map(|photo| fixtures::schedule(photo, WorkKind::Look));
    fixtures::order_work(&db, now, bulk).await;
    harness.advance(Duration::from_mins(10)).await;
    fixtures::order_work(&db, now, fresh).await;
    let claims = db.work.claim(LOOK, 5, LEASE).await.unwrap();
    let owners: Vec<_> = claims.iter().map(|claim| claim.owner).collect();
    assert_eq!(
        owners,
        [fresh_owner, fresh_owner, fresh_owner, bulk_owner, bulk_owner]
    );
}

/// One user's work is claimed in the order of its due times.
pub async fn a_users_longest_due_work_is_claimed_first<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let (_, photos) = photos(&db, now, 5).await;
    let order_due: [usize; 5] = [3, 1, 4, 0, 2];
    for index in order_due {
        fixtures::order_work(&db, now, [fixtures::schedule(&photos[index], WorkKind::Look)]).await;
        harness.advance(Duration::from_secs(1)).await;
    }
    let claims = db.work.claim(LOOK, 5, LEASE).await.unwrap();
    let order: Vec<_> = claims.iter().map(|claim| claim.token.photo).collect();
    assert_eq!(order, order_due.map(|index| photos[index].value.id));
}

/// Another user's first photo is claimed before a user's hundredth, though the latter has been due for longer.
pub async fn one_claim_alternates_between_users<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let (many, hundred) = photos(&db, now, 100).await;
    let (few, two) = photos(&db, now, 2).await;
    fixtures::order_work(
        &db,
        now,
        hundred
            .iter()
            .map(|photo| fixtures::schedule(photo, WorkKind::Look)),
    )
    .await;
    harness.advance(Duration::from_mins(10)).await;
    fixtures::order_work(
        &db,
        now,
        two.iter().map(|photo| fixtures::schedule(photo, WorkKind::Look)),
    )
    .await;
    let claims = db.work.claim(LOOK, 6, LEASE).await.unwrap();
    let owners: Vec<_> = claims.iter().map(|claim| claim.owner).collect();
    assert_eq!(owners, [many, few, many, few, many, many]);
}

/// The same holds for claims one by one: after each claim it is another user's turn.
pub async fn successive_claims_alternate_between_users<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let (many, ten) = photos(&db, now, 10).await;
    let (few, two) = photos(&db, now, 2).await;
    fixtures::order_work(
        &db,
        now,
        ten.iter().map(|photo| fixtures::schedule(photo, WorkKind::Look)),
    )
    .await;
    harness.advance(Duration::from_mins(10)).await;
    // Eight workers process one user's photos when another user's arrive.
    let mut held = db.work.claim(LOOK, 8, LEASE).await.unwrap();
    fixtures::order_work(
        &db,
        now,
        two.iter().map(|photo| fixtures::schedule(photo, WorkKind::Look)),
    )
    .await;
    let mut owners = Vec::new();
    for _ in 0..4 {
        // The first of them finishes.
        let claim = held.remove(0).token;
        fixtures::order_work(&db, now, [WorkOrder::Finish { claim }]).await;
        let next = db.work.claim(LOOK, 1, LEASE).await.unwrap();
        owners.push(next[0].owner);
        held.extend(next);
    }
    assert_eq!(owners, [few, many, few, many]);
}

/// Ten users have much work, which is claimed and finished one by one or by several workers. A newcomer is served within
/// one round, plus the work in progress.
pub async fn a_newcomer_waits_for_one_round_of_busy_users<H: DatabaseHarness>(harness: H) {
    const BUSY: usize = 10;
    let (db, now) = (harness.ports(), harness.now());
    for workers in [1, 4, 12] {
        let mut users = Vec::new();
        for _ in 0..BUSY {
            users.push(photos(&db, now, 30).await);
        }
        for (_, busy) in &users {
            let orders = busy.iter().map(|photo| fixtures::schedule(photo, WorkKind::Look));
            fixtures::order_work(&db, now, orders).await;
        }
        harness.advance(Duration::from_mins(10)).await;
        let mut held = db.work.claim(LOOK, workers, LEASE).await.unwrap();
        let (newcomer, one) = photos(&db, now, 1).await;
        fixtures::order_work(&db, now, [fixtures::schedule(&one[0], WorkKind::Look)]).await;
        let mut claimed = 0;
        loop {
            let claim = held.remove(0).token;
            fixtures::order_work(&db, now, [WorkOrder::Finish { claim }]).await;
            let next = db.work.claim(LOOK, 1, LEASE).await.unwrap();
            claimed += 1;
            held.extend(&next);
            if next[0].owner == newcomer {
                break;
            }
        }
        assert!(
            claimed <= BUSY + 1,
            "the newcomer was number {claimed} with {workers} workers"
        );
        // Nothing is left for the next number of workers.
        held.extend(db.work.claim(LOOK, BUSY * 30, LEASE).await.unwrap());
        let finish = held.iter().map(|claim| WorkOrder::Finish { claim: claim.token });
        fixtures::order_work(&db, now, finish).await;
    }
}
