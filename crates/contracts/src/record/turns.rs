//! Who goes first: what someone waits for, then users in turn, then what waits longest.

use std::time::Duration;

use rapidphoto_application::ports::{DatabasePorts, Priority, Versioned, WorkKind, WorkOrder};
use rapidphoto_domain::{Timestamp, UserId, photo::Photo};

use super::{
    RecordHarness,
    given::{self, LEASE},
};

const LOOK: &[WorkKind] = &[WorkKind::Look];

async fn photos(record: &DatabasePorts, now: Timestamp, count: u32) -> (UserId, Vec<Versioned<Photo>>) {
    let owner = given::user(record, now).await;
    (owner, given::job(record, now, owner, count).await.1)
}

/// New uploads go before bulk work, however long that has been due.
pub async fn fresh_work_goes_before_bulk_work<H: RecordHarness>(harness: H) {
    let (record, now) = (harness.record(), harness.now());
    let (owner, photos) = photos(&record, now, 4).await;
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
    given::ordered(&record, now, orders).await;
    let claims = record.work.claim(LOOK, 4, LEASE).await.unwrap();
    let order: Vec<_> = claims.iter().map(|claim| claim.token.photo).collect();
    assert_eq!(order, [2, 0, 3, 1].map(|index: usize| photos[index].value.id));
}

/// It does so across users, too: nobody waits for another's bulk work, though it is the other's first.
pub async fn bulk_work_waits_for_everybodys_fresh_work<H: RecordHarness>(harness: H) {
    let (record, now) = (harness.record(), harness.now());
    let (patient, bulk) = photos(&record, now, 2).await;
    let (waiting, fresh) = photos(&record, now, 3).await;
    let bulk = bulk.iter().map(|photo| WorkOrder::Schedule {
        photo: photo.value.id,
        owner: patient,
        kind: WorkKind::Look,
        due_at: now - Duration::from_mins(10),
        priority: Priority::Bulk,
    });
    let fresh = fresh
        .iter()
        .map(|photo| given::schedule(photo, WorkKind::Look, now));
    given::ordered(&record, now, bulk.chain(fresh)).await;
    let claims = record.work.claim(LOOK, 5, LEASE).await.unwrap();
    let owners: Vec<_> = claims.iter().map(|claim| claim.owner).collect();
    assert_eq!(owners, [waiting, waiting, waiting, patient, patient]);
}

/// One user's work goes in the order in which it fell due.
pub async fn what_waits_longest_goes_first<H: RecordHarness>(harness: H) {
    let (record, now) = (harness.record(), harness.now());
    let (_, photos) = photos(&record, now, 5).await;
    let turns: [usize; 5] = [3, 1, 4, 0, 2];
    let orders = turns.iter().zip(1..).map(|(index, place)| {
        let due_at = now - Duration::from_mins(10) + Duration::from_secs(place);
        given::schedule(&photos[*index], WorkKind::Look, due_at)
    });
    given::ordered(&record, now, orders).await;
    let claims = record.work.claim(LOOK, 5, LEASE).await.unwrap();
    let order: Vec<_> = claims.iter().map(|claim| claim.token.photo).collect();
    assert_eq!(order, turns.map(|index| photos[index].value.id));
}

/// Nobody's hundredth photo goes before somebody's first, though it has been due for longer.
pub async fn users_take_turns_within_a_claim<H: RecordHarness>(harness: H) {
    let (record, now) = (harness.record(), harness.now());
    let (many, hundred) = photos(&record, now, 100).await;
    let (few, two) = photos(&record, now, 2).await;
    let long_ago = now - Duration::from_mins(10);
    given::ordered(
        &record,
        now,
        hundred
            .iter()
            .map(|photo| given::schedule(photo, WorkKind::Look, long_ago)),
    )
    .await;
    given::ordered(
        &record,
        now,
        two.iter()
            .map(|photo| given::schedule(photo, WorkKind::Look, now)),
    )
    .await;
    let claims = record.work.claim(LOOK, 6, LEASE).await.unwrap();
    let owners: Vec<_> = claims.iter().map(|claim| claim.owner).collect();
    assert_eq!(owners, [many, few, many, few, many, many]);
}

/// Nor does it when workers claim one by one: what a user has claimed already counts as the user's turn.
pub async fn users_take_turns_across_claims<H: RecordHarness>(harness: H) {
    let (record, now) = (harness.record(), harness.now());
    let (many, ten) = photos(&record, now, 10).await;
    let (few, two) = photos(&record, now, 2).await;
    let long_ago = now - Duration::from_mins(10);
    given::ordered(
        &record,
        now,
        ten.iter()
            .map(|photo| given::schedule(photo, WorkKind::Look, long_ago)),
    )
    .await;
    // Eight workers are busy with one user's photos when another comes.
    let mut held = record.work.claim(LOOK, 8, LEASE).await.unwrap();
    given::ordered(
        &record,
        now,
        two.iter()
            .map(|photo| given::schedule(photo, WorkKind::Look, now)),
    )
    .await;
    let mut owners = Vec::new();
    for _ in 0..4 {
        // The first of them is free again.
        let claim = held.remove(0).token;
        given::ordered(&record, now, [WorkOrder::Finish { claim }]).await;
        let next = record.work.claim(LOOK, 1, LEASE).await.unwrap();
        owners.push(next[0].owner);
        held.extend(next);
    }
    assert_eq!(owners, [few, few, many, many]);
}
