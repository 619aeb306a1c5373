//! Order of claims: fresh work first, then users in turn, then the longest due.

use std::time::Duration;

use rapidphoto_application::ports::{DatabasePorts, Priority, Versioned, WorkKind, WorkOrder};
use rapidphoto_domain::{Timestamp, UserId, photo::Photo};

use super::{
    DatabaseHarness,
    fixtures::{self, LEASE},
};

const LOOK: &[WorkKind] = &[WorkKind::Look];

async fn photos(db: &DatabasePorts, now: Timestamp, count: u32) -> (UserId, Vec<Versioned<Photo>>) {
    let owner = fixtures::user(db, now).await;
    (owner, fixtures::job(db, now, owner, count).await.1)
}

/// New uploads are claimed before bulk work, however long the latter has been due.
pub async fn fresh_work_is_claimed_before_bulk_work<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let (owner, photos) = photos(&db, now, 4).await;
    let orders = photos.iter().zip(1..).map(|(photo, index)| WorkOrder::Schedule {
        photo: photo.value.id,
        owner,
        kind: WorkKind::Look,
        due_at: now - Duration::from_mins(index),
        priority: if index % 2 == 0 {
            Priority::Bulk
        } else {
            Priority::Fresh
        },
    });
    fixtures::order_work(&db, now, orders).await;
    let claims = db.work.claim(LOOK, 4, LEASE).await.unwrap();
    let order: Vec<_> = claims.iter().map(|claim| claim.token.photo).collect();
    assert_eq!(order, [2, 0, 3, 1].map(|index: usize| photos[index].value.id));
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
        due_at: now - Duration::from_mins(10),
        priority: Priority::Bulk,
    });
    let fresh = fresh
        .iter()
        .map(|photo| fixtures::schedule(photo, WorkKind::Look, now));
    fixtures::order_work(&db, now, bulk.chain(fresh)).await;
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
    let orders = order_due.iter().zip(1..).map(|(index, place)| {
        let due_at = now - Duration::from_mins(10) + Duration::from_secs(place);
        fixtures::schedule(&photos[*index], WorkKind::Look, due_at)
    });
    fixtures::order_work(&db, now, orders).await;
    let claims = db.work.claim(LOOK, 5, LEASE).await.unwrap();
    let order: Vec<_> = claims.iter().map(|claim| claim.token.photo).collect();
    assert_eq!(order, order_due.map(|index| photos[index].value.id));
}

/// Another user's first photo is claimed before a user's hundredth, though the latter has been due for longer.
pub async fn one_claim_alternates_between_users<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let (many, hundred) = photos(&db, now, 100).await;
    let (few, two) = photos(&db, now, 2).await;
    let long_ago = now - Duration::from_mins(10);
    fixtures::order_work(
        &db,
        now,
        hundred
            .iter()
            .map(|photo| fixtures::schedule(photo, WorkKind::Look, long_ago)),
    )
    .await;
    fixtures::order_work(
        &db,
        now,
        two.iter()
            .map(|photo| fixtures::schedule(photo, WorkKind::Look, now)),
    )
    .await;
    let claims = db.work.claim(LOOK, 6, LEASE).await.unwrap();
    let owners: Vec<_> = claims.iter().map(|claim| claim.owner).collect();
    assert_eq!(owners, [many, few, many, few, many, many]);
}

/// The same holds for claims one by one: a user's claimed work counts as served.
pub async fn successive_claims_alternate_between_users<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let (many, ten) = photos(&db, now, 10).await;
    let (few, two) = photos(&db, now, 2).await;
    let long_ago = now - Duration::from_mins(10);
    fixtures::order_work(
        &db,
        now,
        ten.iter()
            .map(|photo| fixtures::schedule(photo, WorkKind::Look, long_ago)),
    )
    .await;
    // Eight workers process one user's photos when another user's arrive.
    let mut held = db.work.claim(LOOK, 8, LEASE).await.unwrap();
    fixtures::order_work(
        &db,
        now,
        two.iter()
            .map(|photo| fixtures::schedule(photo, WorkKind::Look, now)),
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
    assert_eq!(owners, [few, few, many, many]);
}
