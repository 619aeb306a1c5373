//! Claims of work: one holder at a time, until the lease expires.

use std::{collections::BTreeSet, time::Duration};

use rapidphoto_application::ports::{CommitError, Due, MAX_DEPTH, Priority, WorkKind, WorkOrder};

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
        assert_eq!(db.work.due_in(LOOK).await.unwrap(), None);
        assert_eq!(db.work.orphan_due_in(LOOK).await.unwrap(), Some(LEASE));
        // A worker that sleeps until then finds the work.
        harness.advance(LEASE).await;
        assert_eq!(db.work.depth(WorkKind::Look).await.unwrap(), 1);
        let next = db.work.claim_orphan(LOOK, LEASE).await.unwrap().unwrap();
        assert_eq!((next.attempts, next.claims), (0, claims));
        assert!(next.token.token > last.token.token);
        assert!(!db.work.renew(last.token, LEASE).await.unwrap());
        let mut stale = fixtures::commit(now);
        stale.work.push(WorkOrder::Finish { claim: last.token });
        assert!(matches!(
            db.journal.commit(stale).await,
            Err(CommitError::StaleClaim { .. })
        ));
        last = next;
    }
    fixtures::order_work(&db, now, [WorkOrder::Finish { claim: last.token }]).await;
}

/// A claim is counted in the database before it is returned, so that a holder that crashes at once is counted too.
pub async fn a_claim_is_counted_when_it_is_made<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let owner = fixtures::user(&db, now).await;
    let photo = fixtures::photo(&db, now, owner).await;
    fixtures::order_work(&db, now, [fixtures::schedule(&photo, WorkKind::Process)]).await;
    let first = db.work.claim(&[WorkKind::Process], 1, LEASE).await.unwrap();
    assert_eq!(first[0].claims, 1);
    for claims in 2..=3 {
        harness.advance(LEASE).await;
        let next = db.work.claim_orphan(&[WorkKind::Process], LEASE).await.unwrap();
        assert_eq!(next.unwrap().claims, claims);
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
        assert_eq!(db.work.claim_orphan(LOOK, LEASE).await.unwrap(), None);
        assert_eq!(fixtures::due_in(&db, LOOK).await, Some(LEASE));
    }
    // A renewal can shorten a lease.
    assert!(db.work.renew(claim.token, Duration::from_secs(1)).await.unwrap());
    harness.advance(Duration::from_secs(1)).await;
    let next = db.work.claim_orphan(LOOK, LEASE).await.unwrap();
    assert_eq!(next.unwrap().claims, 2, "renewing does not count");
}

/// An expired claim can be renewed and committed under until the work is claimed again.
pub async fn an_expired_claim_is_valid_until_the_next_claim<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let owner = fixtures::user(&db, now).await;
    let photo = fixtures::photo(&db, now, owner).await;
    let claim = fixtures::claim_work(&db, now, &photo, WorkKind::Look).await.token;
    harness.advance(LEASE * 2).await;
    assert!(db.work.renew(claim, LEASE).await.unwrap());
    assert_eq!(db.work.claim_orphan(LOOK, LEASE).await.unwrap(), None);
    harness.advance(LEASE * 2).await;
    fixtures::order_work(&db, now, [WorkOrder::Finish { claim }]).await;
    assert_eq!(db.work.claim_orphan(LOOK, LEASE).await.unwrap(), None);
}

/// A claim returns no more than the limit, of the requested kinds.
pub async fn a_claim_respects_limit_and_kinds<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let owner = fixtures::user(&db, now).await;
    let (_, photos) = fixtures::job(&db, now, owner, 5).await;
    let orders = photos
        .iter()
        .flat_map(|photo| [WorkKind::Look, WorkKind::Clean].map(|kind| fixtures::schedule(photo, kind)));
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
        .map(|photo| fixtures::schedule(photo, WorkKind::Look));
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
pub async fn work_is_due_in_the_time_to_its_due_time_or_lease_end<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let owner = fixtures::user(&db, now).await;
    let (_, photos) = fixtures::job(&db, now, owner, 3).await;
    assert_eq!(fixtures::due_in(&db, &WorkKind::ALL).await, None);
    assert_eq!(fixtures::due_in(&db, &[]).await, None);
    let seconds = Duration::from_secs;
    let claim = fixtures::claim_work(&db, now, &photos[0], WorkKind::Look).await;
    let orders = [
        fixtures::schedule_after(&photos[1], WorkKind::Look, seconds(90)),
        fixtures::schedule_after(&photos[2], WorkKind::Process, seconds(20)),
    ];
    fixtures::order_work(&db, now, orders).await;
    assert_eq!(db.work.orphan_due_in(LOOK).await.unwrap(), Some(LEASE));
    assert_eq!(db.work.due_in(LOOK).await.unwrap(), Some(seconds(90)));
    assert_eq!(db.work.due_in(&WorkKind::ALL).await.unwrap(), Some(seconds(20)));
    fixtures::order_work(&db, now, [WorkOrder::Finish { claim: claim.token }]).await;
    assert_eq!(db.work.orphan_due_in(LOOK).await.unwrap(), None);
    harness.advance(seconds(100)).await;
    assert_eq!(db.work.due_in(LOOK).await.unwrap(), Some(Duration::ZERO));
}

/// Depth counts the claimable work of one kind.
pub async fn depth_counts_claimable_work<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let owner = fixtures::user(&db, now).await;
    let (_, photos) = fixtures::job(&db, now, owner, 5).await;
    let delays = [0, 0, 0, 1, 1].map(Duration::from_secs);
    let orders = photos
        .iter()
        .zip(delays)
        .map(|(photo, delay)| fixtures::schedule_after(photo, WorkKind::Look, delay));
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

/// A measurement has a bounded cost.
pub async fn depth_is_counted_up_to_its_maximum<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let owner = fixtures::user_id();
    for _ in 0..11 {
        let orders = (0..1000).map(|number| WorkOrder::Schedule {
            photo: fixtures::photo_id(),
            owner,
            kind: WorkKind::Look,
            due: Due::After(Duration::from_millis(number % 2)),
            priority: Priority::Fresh,
        });
        fixtures::order_work(&db, now, orders).await;
    }
    harness.advance(Duration::from_secs(1)).await;
    assert_eq!(db.work.depth(WorkKind::Look).await.unwrap(), MAX_DEPTH);
}

/// Work whose holder never released it is claimed one item at a time, and apart from other work. Released work is not
/// orphaned.
pub async fn orphaned_work_is_claimed_alone<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let owner = fixtures::user(&db, now).await;
    let (_, photos) = fixtures::job(&db, now, owner, 4).await;
    let orders = photos
        .iter()
        .map(|photo| fixtures::schedule(photo, WorkKind::Look));
    fixtures::order_work(&db, now, orders).await;
    let held = db.work.claim(LOOK, 3, LEASE).await.unwrap();
    let released = WorkOrder::Postpone {
        claim: held[0].token,
        due: Due::Now,
        attempts: 0,
        claims: 0,
        keeps_due_time: false,
    };
    fixtures::order_work(&db, now, [released]).await;
    harness.advance(LEASE).await;
    assert_eq!(db.work.depth(WorkKind::Look).await.unwrap(), 4);
    let others = db.work.claim(LOOK, 9, LEASE).await.unwrap();
    let others: BTreeSet<_> = others.iter().map(|claim| claim.token.photo).collect();
    assert_eq!(others, [held[0].token.photo, photos[3].value.id].into());
    let mut orphans = BTreeSet::new();
    while let Some(claim) = db.work.claim_orphan(LOOK, LEASE).await.unwrap() {
        assert_eq!(claim.claims, 2);
        orphans.insert(claim.token.photo);
    }
    assert_eq!(orphans, [held[1].token.photo, held[2].token.photo].into());
}

/// A lease that ran out while its holder was slow: as long as nobody else has claimed the work, the holder continues.
pub async fn an_unclaimed_orphan_is_still_renewed_and_finished_by_its_holder<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let owner = fixtures::user(&db, now).await;
    let (_, photos) = fixtures::job(&db, now, owner, 2).await;
    let orders = photos
        .iter()
        .map(|photo| fixtures::schedule(photo, WorkKind::Look));
    fixtures::order_work(&db, now, orders).await;
    let held = db.work.claim(LOOK, 2, LEASE).await.unwrap();
    harness.advance(LEASE * 2).await;
    // Makes both claimable, and claims one.
    let taken = db.work.claim_orphan(LOOK, LEASE).await.unwrap().unwrap();
    let slow = held
        .iter()
        .find(|claim| claim.token.photo != taken.token.photo)
        .unwrap();
    assert!(db.work.renew(slow.token, LEASE).await.unwrap());
    assert_eq!(db.work.claim_orphan(LOOK, LEASE).await.unwrap(), None);
    fixtures::order_work(&db, now, [WorkOrder::Finish { claim: slow.token }]).await;
    assert_eq!(fixtures::due_in(&db, LOOK).await, Some(LEASE));
}

/// Sixteen workers claim one owner's work one item at a time: none twice, and none finds nothing while work is ready.
pub async fn many_claimers_of_one_owners_work_leave_none_idle<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let owner = fixtures::user(&db, now).await;
    let (_, photos) = fixtures::job(&db, now, owner, 160).await;
    let orders = photos
        .iter()
        .map(|photo| fixtures::schedule(photo, WorkKind::Look));
    fixtures::order_work(&db, now, orders).await;
    let workers: Vec<_> = (0..16)
        .map(|_| {
            let db = db.clone();
            tokio::spawn(async move {
                let mut mine = Vec::new();
                for _ in 0..10 {
                    let claims = db.work.claim(LOOK, 1, LEASE).await.unwrap();
                    assert_eq!(claims.len(), 1, "work is ready");
                    mine.push(claims[0].token);
                }
                mine
            })
        })
        .collect();
    let (mut seen, mut tokens) = (BTreeSet::new(), BTreeSet::new());
    for worker in workers {
        for claim in worker.await.unwrap() {
            assert!(seen.insert(claim.photo), "{} was claimed twice", claim.photo);
            assert!(tokens.insert(claim.token));
        }
    }
    assert_eq!(seen.len(), 160);
    assert_eq!(db.work.claim(LOOK, 1, LEASE).await.unwrap(), []);
}
