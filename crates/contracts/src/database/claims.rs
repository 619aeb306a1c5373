//! Claims of work: one holder at a time, until the lease expires.

use std::{collections::BTreeSet, time::Duration};

use rapidphoto_application::ports::{CommitError, WorkKind, WorkOrder};

use super::{
    DatabaseHarness,
    fixtures::{self, LEASE},
};

const LOOK: &[WorkKind] = &[WorkKind::Look];

/// Claimed work can't be claimed again until its lease expires.
pub async fn claimed_work_is_not_claimed_again_during_its_lease<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let owner = fixtures::user(&db, now).await;
    let photo = fixtures::photo(&db, now, owner).await;
    fixtures::claim_work(&db, now, &photo, WorkKind::Look).await;
    assert_eq!(db.work.depth(WorkKind::Look).await.unwrap(), 0);
    harness.advance(LEASE - Duration::from_millis(1)).await;
    assert_eq!(db.work.claim(LOOK, 1, LEASE).await.unwrap(), []);
    assert_eq!(db.work.depth(WorkKind::Look).await.unwrap(), 0);
}

/// Work becomes claimable again when its lease expires. The next claim has a higher count, and the old token is
/// invalid.
pub async fn work_is_claimable_again_after_its_lease_expires<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let owner = fixtures::user(&db, now).await;
    let photo = fixtures::photo(&db, now, owner).await;
    let mut last = fixtures::claim_work(&db, now, &photo, WorkKind::Look).await;
    for claims in 2..=7 {
        let back_at = db.work.next_due(LOOK).await.unwrap();
        assert_eq!(back_at, Some(harness.now() + LEASE));
        // A worker that sleeps until then finds the work.
        harness.advance(LEASE).await;
        assert_eq!(db.work.depth(WorkKind::Look).await.unwrap(), 1);
        let next = db.work.claim(LOOK, 1, LEASE).await.unwrap();
        assert_eq!(next.len(), 1);
        assert_eq!((next[0].attempts, next[0].claims), (0, claims));
        assert!(next[0].token.token > last.token.token);
        assert!(!db.work.renew(last.token, LEASE).await.unwrap());
        let mut stale = fixtures::commit(now);
        stale.work.push(WorkOrder::Finish { claim: last.token });
        assert!(matches!(
            db.journal.commit(stale).await,
            Err(CommitError::StaleClaim { .. })
        ));
        last = next[0];
    }
    fixtures::order_work(&db, now, [WorkOrder::Finish { claim: last.token }]).await;
}

/// A claim is counted in the database before it is returned, so that a holder that crashes at once is counted too.
pub async fn a_claim_is_counted_when_it_is_made<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let owner = fixtures::user(&db, now).await;
    let photo = fixtures::photo(&db, now, owner).await;
    fixtures::order_work(&db, now, [fixtures::schedule(&photo, WorkKind::Process, now)]).await;
    for claims in 1..=3 {
        let claim = db.work.claim(&[WorkKind::Process], 1, LEASE).await.unwrap();
        assert_eq!(claim[0].claims, claims);
        harness.advance(LEASE).await;
    }
}

/// A renewed lease runs from the time of the renewal.
pub async fn a_renewed_lease_runs_from_the_renewal<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let owner = fixtures::user(&db, now).await;
    let photo = fixtures::photo(&db, now, owner).await;
    let claim = fixtures::claim_work(&db, now, &photo, WorkKind::Look).await;
    for _ in 0..3 {
        harness.advance(LEASE - Duration::from_secs(1)).await;
        assert!(db.work.renew(claim.token, LEASE).await.unwrap());
        assert_eq!(db.work.claim(LOOK, 1, LEASE).await.unwrap(), []);
        assert_eq!(db.work.next_due(LOOK).await.unwrap(), Some(harness.now() + LEASE));
    }
    // A renewal can shorten a lease.
    assert!(db.work.renew(claim.token, Duration::from_secs(1)).await.unwrap());
    harness.advance(Duration::from_secs(1)).await;
    let next = db.work.claim(LOOK, 1, LEASE).await.unwrap();
    assert_eq!(next[0].claims, 2, "renewing does not count");
}

/// An expired claim can be renewed and committed under until the work is claimed again.
pub async fn an_expired_claim_is_valid_until_the_next_claim<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let owner = fixtures::user(&db, now).await;
    let photo = fixtures::photo(&db, now, owner).await;
    let claim = fixtures::claim_work(&db, now, &photo, WorkKind::Look).await.token;
    harness.advance(LEASE * 2).await;
    assert!(db.work.renew(claim, LEASE).await.unwrap());
    assert_eq!(db.work.claim(LOOK, 1, LEASE).await.unwrap(), []);
    harness.advance(LEASE * 2).await;
    fixtures::order_work(&db, now, [WorkOrder::Finish { claim }]).await;
    assert_eq!(db.work.claim(LOOK, 1, LEASE).await.unwrap(), []);
}

/// A claim returns no more than the limit, of the requested kinds.
pub async fn a_claim_respects_limit_and_kinds<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let owner = fixtures::user(&db, now).await;
    let (_, photos) = fixtures::job(&db, now, owner, 5).await;
    let orders = photos
        .iter()
        .flat_map(|photo| [WorkKind::Look, WorkKind::Clean].map(|kind| fixtures::schedule(photo, kind, now)));
    fixtures::order_work(&db, now, orders).await;
    let claim = |kinds: &'static [WorkKind], limit| db.work.claim(kinds, limit, LEASE);
    assert_eq!(claim(LOOK, 0).await.unwrap(), []);
    assert_eq!(claim(&[], 9).await.unwrap(), []);
    assert_eq!(claim(&[WorkKind::Process], 9).await.unwrap(), []);
    assert_eq!(claim(LOOK, 3).await.unwrap().len(), 3);
    let rest = claim(&[WorkKind::Look, WorkKind::Process], 9).await.unwrap();
    assert_eq!(rest.len(), 2);
    assert!(rest.iter().all(|claim| claim.token.kind == WorkKind::Look));
    assert_eq!(claim(&WorkKind::ALL, 9).await.unwrap().len(), 5);
}

/// Concurrent workers never claim the same work, and together claim all of it.
pub async fn concurrent_workers_claim_disjoint_work<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let owner = fixtures::user(&db, now).await;
    let (_, photos) = fixtures::job(&db, now, owner, 60).await;
    let orders = photos
        .iter()
        .map(|photo| fixtures::schedule(photo, WorkKind::Look, now));
    fixtures::order_work(&db, now, orders).await;
    let workers: Vec<_> = (0..8)
        .map(|_| {
            let db = db.clone();
            tokio::spawn(async move {
                let mut mine = Vec::new();
                loop {
                    let claims = db.work.claim(LOOK, 3, LEASE).await.unwrap();
                    if claims.is_empty() {
                        return mine;
                    }
                    mine.extend(claims.iter().map(|claim| (claim.token.photo, claim.token.token)));
                }
            })
        })
        .collect();
    let (mut photos_seen, mut tokens) = (BTreeSet::new(), BTreeSet::new());
    for worker in workers {
        for (photo, token) in worker.await.unwrap() {
            assert!(photos_seen.insert(photo), "{photo} was claimed twice");
            assert!(tokens.insert(token), "token {token} was given twice");
        }
    }
    assert_eq!(photos_seen.len(), 60);
}

/// The earliest due time or lease end among the requested kinds.
pub async fn next_due_is_the_earliest_due_time_or_lease_end<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let owner = fixtures::user(&db, now).await;
    let (_, photos) = fixtures::job(&db, now, owner, 3).await;
    assert_eq!(db.work.next_due(&WorkKind::ALL).await.unwrap(), None);
    assert_eq!(db.work.next_due(&[]).await.unwrap(), None);
    let at = |seconds| now + Duration::from_secs(seconds);
    let claim = fixtures::claim_work(&db, now, &photos[0], WorkKind::Look).await;
    let orders = [
        fixtures::schedule(&photos[1], WorkKind::Look, at(90)),
        fixtures::schedule(&photos[2], WorkKind::Process, at(20)),
    ];
    fixtures::order_work(&db, now, orders).await;
    assert_eq!(db.work.next_due(LOOK).await.unwrap(), Some(now + LEASE));
    assert_eq!(db.work.next_due(&WorkKind::ALL).await.unwrap(), Some(at(20)));
    fixtures::order_work(&db, now, [WorkOrder::Finish { claim: claim.token }]).await;
    assert_eq!(db.work.next_due(LOOK).await.unwrap(), Some(at(90)));
    harness.advance(Duration::from_secs(100)).await;
    assert_eq!(
        db.work.next_due(LOOK).await.unwrap(),
        Some(at(90)),
        "due since then"
    );
}

/// Depth counts the claimable work of one kind.
pub async fn depth_counts_claimable_work<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let owner = fixtures::user(&db, now).await;
    let (_, photos) = fixtures::job(&db, now, owner, 5).await;
    let soon = now + Duration::from_secs(1);
    let orders = photos
        .iter()
        .enumerate()
        .map(|(index, photo)| fixtures::schedule(photo, WorkKind::Look, if index < 3 { now } else { soon }));
    fixtures::order_work(&db, now, orders).await;
    assert_eq!(db.work.depth(WorkKind::Look).await.unwrap(), 3);
    assert_eq!(db.work.depth(WorkKind::Clean).await.unwrap(), 0);
    db.work.claim(LOOK, 2, LEASE).await.unwrap();
    assert_eq!(db.work.depth(WorkKind::Look).await.unwrap(), 1);
    harness.advance(Duration::from_secs(1)).await;
    assert_eq!(db.work.depth(WorkKind::Look).await.unwrap(), 3);
    harness.advance(LEASE).await;
    assert_eq!(db.work.depth(WorkKind::Look).await.unwrap(), 5);
}

/// After a restart all delayed looks are due immediately; claimed looks and other kinds do not change.
pub async fn delayed_looks_can_be_made_due_immediately<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let owner = fixtures::user(&db, now).await;
    let (_, photos) = fixtures::job(&db, now, owner, 4).await;
    let later = now + Duration::from_hours(1);
    let held = fixtures::claim_work(&db, now, &photos[0], WorkKind::Look).await;
    let orders = [
        fixtures::schedule(&photos[1], WorkKind::Look, later),
        fixtures::schedule(&photos[2], WorkKind::Look, later),
        fixtures::schedule(&photos[3], WorkKind::Process, later),
        fixtures::schedule(&photos[3], WorkKind::Clean, later),
    ];
    fixtures::order_work(&db, now, orders).await;
    assert_eq!(db.work.make_looks_due().await.unwrap(), 2);
    assert_eq!(db.work.make_looks_due().await.unwrap(), 0);
    let looks = db.work.claim(&WorkKind::ALL, 9, LEASE).await.unwrap();
    let claimed: BTreeSet<_> = looks.iter().map(|claim| claim.token.photo).collect();
    assert_eq!(claimed, [photos[1].value.id, photos[2].value.id].into());
    assert!(looks.iter().all(|claim| claim.claims == 1 && claim.due_at == now));
    fixtures::order_work(&db, now, [WorkOrder::Finish { claim: held.token }]).await;
}

/// A process that knows to be the only one ends all leases: claimed work is claimable immediately, and the lost claim
/// is counted.
pub async fn ending_leases_makes_work_claimable_immediately<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let owner = fixtures::user(&db, now).await;
    let (_, photos) = fixtures::job(&db, now, owner, 2).await;
    fixtures::claim_work(&db, now, &photos[0], WorkKind::Look).await;
    let orders = [fixtures::schedule(&photos[1], WorkKind::Look, now)];
    fixtures::order_work(&db, now, orders).await;
    assert_eq!(db.work.expire_claims().await.unwrap(), 1);
    assert_eq!(db.work.expire_claims().await.unwrap(), 0);
    let looks = db.work.claim(LOOK, 9, LEASE).await.unwrap();
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
