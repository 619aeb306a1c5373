//! Claims: one holder at a time, for as long as it lives.

use std::{collections::BTreeSet, time::Duration};

use rapidphoto_application::ports::{CommitError, WorkKind, WorkOrder};

use super::{
    RecordHarness,
    given::{self, LEASE},
};

const LOOK: &[WorkKind] = &[WorkKind::Look];

/// Claimed work is nobody else's until the lease runs out.
pub async fn claimed_work_has_one_holder<H: RecordHarness>(harness: H) {
    let (record, now) = (harness.record(), harness.now());
    let owner = given::user(&record, now).await;
    let photo = given::photo(&record, now, owner).await;
    given::claimed(&record, now, &photo, WorkKind::Look).await;
    assert_eq!(record.work.depth(WorkKind::Look).await.unwrap(), 0);
    harness.advance(LEASE - Duration::from_millis(1)).await;
    assert_eq!(record.work.claim(LOOK, 1, LEASE).await.unwrap(), []);
    assert_eq!(record.work.depth(WorkKind::Look).await.unwrap(), 0);
}

/// When its holder is gone, work comes back by itself; the next holder is told that it is not the first, and the old
/// one has lost it.
pub async fn a_crashed_holders_work_comes_back<H: RecordHarness>(harness: H) {
    let (record, now) = (harness.record(), harness.now());
    let owner = given::user(&record, now).await;
    let photo = given::photo(&record, now, owner).await;
    let mut last = given::claimed(&record, now, &photo, WorkKind::Look).await;
    for claims in 2..=7 {
        let back_at = record.work.next_due(LOOK).await.unwrap();
        assert_eq!(back_at, Some(harness.now() + LEASE));
        // Whoever sleeps until then finds it.
        harness.advance(LEASE).await;
        assert_eq!(record.work.depth(WorkKind::Look).await.unwrap(), 1);
        let next = record.work.claim(LOOK, 1, LEASE).await.unwrap();
        assert_eq!(next.len(), 1);
        assert_eq!((next[0].attempts, next[0].claims), (0, claims));
        assert!(next[0].token.token > last.token.token);
        assert!(!record.work.renew(last.token, LEASE).await.unwrap());
        let mut stale = given::commit(now);
        stale.work.push(WorkOrder::Finish { claim: last.token });
        assert!(matches!(
            record.journal.commit(stale).await,
            Err(CommitError::StaleClaim { .. })
        ));
        last = next[0];
    }
    given::ordered(&record, now, [WorkOrder::Finish { claim: last.token }]).await;
}

/// A claim is counted in the record before its holder is told, so that one that dies at once is counted too.
pub async fn a_claim_is_counted_before_anything_is_done<H: RecordHarness>(harness: H) {
    let (record, now) = (harness.record(), harness.now());
    let owner = given::user(&record, now).await;
    let photo = given::photo(&record, now, owner).await;
    given::ordered(&record, now, [given::schedule(&photo, WorkKind::Process, now)]).await;
    for claims in 1..=3 {
        let claim = record.work.claim(&[WorkKind::Process], 1, LEASE).await.unwrap();
        assert_eq!(claim[0].claims, claims);
        harness.advance(LEASE).await;
    }
}

/// A renewed lease lasts from the renewal on.
pub async fn a_renewed_lease_lasts_from_the_renewal_on<H: RecordHarness>(harness: H) {
    let (record, now) = (harness.record(), harness.now());
    let owner = given::user(&record, now).await;
    let photo = given::photo(&record, now, owner).await;
    let claim = given::claimed(&record, now, &photo, WorkKind::Look).await;
    for _ in 0..3 {
        harness.advance(LEASE - Duration::from_secs(1)).await;
        assert!(record.work.renew(claim.token, LEASE).await.unwrap());
        assert_eq!(record.work.claim(LOOK, 1, LEASE).await.unwrap(), []);
        assert_eq!(
            record.work.next_due(LOOK).await.unwrap(),
            Some(harness.now() + LEASE)
        );
    }
    // It can be made shorter, too.
    assert!(
        record
            .work
            .renew(claim.token, Duration::from_secs(1))
            .await
            .unwrap()
    );
    harness.advance(Duration::from_secs(1)).await;
    let next = record.work.claim(LOOK, 1, LEASE).await.unwrap();
    assert_eq!(next[0].claims, 2, "renewing does not count");
}

/// A holder that was slow, but that nobody has overtaken, has lost nothing.
pub async fn a_lease_that_ran_out_holds_until_somebody_claims<H: RecordHarness>(harness: H) {
    let (record, now) = (harness.record(), harness.now());
    let owner = given::user(&record, now).await;
    let photo = given::photo(&record, now, owner).await;
    let claim = given::claimed(&record, now, &photo, WorkKind::Look).await.token;
    harness.advance(LEASE * 2).await;
    assert!(record.work.renew(claim, LEASE).await.unwrap());
    assert_eq!(record.work.claim(LOOK, 1, LEASE).await.unwrap(), []);
    harness.advance(LEASE * 2).await;
    given::ordered(&record, now, [WorkOrder::Finish { claim }]).await;
    assert_eq!(record.work.claim(LOOK, 1, LEASE).await.unwrap(), []);
}

/// A claim takes no more than asked for, of the kinds asked for.
pub async fn a_claim_takes_what_was_asked_for<H: RecordHarness>(harness: H) {
    let (record, now) = (harness.record(), harness.now());
    let owner = given::user(&record, now).await;
    let (_, photos) = given::job(&record, now, owner, 5).await;
    let orders = photos
        .iter()
        .flat_map(|photo| [WorkKind::Look, WorkKind::Clean].map(|kind| given::schedule(photo, kind, now)));
    given::ordered(&record, now, orders).await;
    let claim = |kinds: &'static [WorkKind], limit| record.work.claim(kinds, limit, LEASE);
    assert_eq!(claim(LOOK, 0).await.unwrap(), []);
    assert_eq!(claim(&[], 9).await.unwrap(), []);
    assert_eq!(claim(&[WorkKind::Process], 9).await.unwrap(), []);
    assert_eq!(claim(LOOK, 3).await.unwrap().len(), 3);
    let rest = claim(&[WorkKind::Look, WorkKind::Process], 9).await.unwrap();
    assert_eq!(rest.len(), 2);
    assert!(rest.iter().all(|claim| claim.token.kind == WorkKind::Look));
    assert_eq!(claim(&WorkKind::ALL, 9).await.unwrap().len(), 5);
}

/// Workers that claim at the same moment never get the same work, and together get all of it.
pub async fn workers_that_race_share_the_work<H: RecordHarness>(harness: H) {
    let (record, now) = (harness.record(), harness.now());
    let owner = given::user(&record, now).await;
    let (_, photos) = given::job(&record, now, owner, 60).await;
    let orders = photos
        .iter()
        .map(|photo| given::schedule(photo, WorkKind::Look, now));
    given::ordered(&record, now, orders).await;
    let workers: Vec<_> = (0..8)
        .map(|_| {
            let record = record.clone();
            tokio::spawn(async move {
                let mut mine = Vec::new();
                loop {
                    let claims = record.work.claim(LOOK, 3, LEASE).await.unwrap();
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

/// What falls due or comes back first, among the kinds asked for.
pub async fn the_next_due_moment_is_the_earliest<H: RecordHarness>(harness: H) {
    let (record, now) = (harness.record(), harness.now());
    let owner = given::user(&record, now).await;
    let (_, photos) = given::job(&record, now, owner, 3).await;
    assert_eq!(record.work.next_due(&WorkKind::ALL).await.unwrap(), None);
    assert_eq!(record.work.next_due(&[]).await.unwrap(), None);
    let at = |seconds| now + Duration::from_secs(seconds);
    let claim = given::claimed(&record, now, &photos[0], WorkKind::Look).await;
    let orders = [
        given::schedule(&photos[1], WorkKind::Look, at(90)),
        given::schedule(&photos[2], WorkKind::Process, at(20)),
    ];
    given::ordered(&record, now, orders).await;
    assert_eq!(record.work.next_due(LOOK).await.unwrap(), Some(now + LEASE));
    assert_eq!(record.work.next_due(&WorkKind::ALL).await.unwrap(), Some(at(20)));
    given::ordered(&record, now, [WorkOrder::Finish { claim: claim.token }]).await;
    assert_eq!(record.work.next_due(LOOK).await.unwrap(), Some(at(90)));
    harness.advance(Duration::from_secs(100)).await;
    assert_eq!(
        record.work.next_due(LOOK).await.unwrap(),
        Some(at(90)),
        "due since then"
    );
}

/// Depth counts, for one kind, what waits for a worker now.
pub async fn depth_counts_what_waits_for_a_worker<H: RecordHarness>(harness: H) {
    let (record, now) = (harness.record(), harness.now());
    let owner = given::user(&record, now).await;
    let (_, photos) = given::job(&record, now, owner, 5).await;
    let soon = now + Duration::from_secs(1);
    let orders = photos
        .iter()
        .enumerate()
        .map(|(index, photo)| given::schedule(photo, WorkKind::Look, if index < 3 { now } else { soon }));
    given::ordered(&record, now, orders).await;
    assert_eq!(record.work.depth(WorkKind::Look).await.unwrap(), 3);
    assert_eq!(record.work.depth(WorkKind::Clean).await.unwrap(), 0);
    record.work.claim(LOOK, 2, LEASE).await.unwrap();
    assert_eq!(record.work.depth(WorkKind::Look).await.unwrap(), 1);
    harness.advance(Duration::from_secs(1)).await;
    assert_eq!(record.work.depth(WorkKind::Look).await.unwrap(), 3);
    harness.advance(LEASE).await;
    assert_eq!(record.work.depth(WorkKind::Look).await.unwrap(), 5);
}

/// After a restart every look that would come later comes now; what is held or of another kind stays as it is.
pub async fn hastened_looks_are_due_at_once<H: RecordHarness>(harness: H) {
    let (record, now) = (harness.record(), harness.now());
    let owner = given::user(&record, now).await;
    let (_, photos) = given::job(&record, now, owner, 4).await;
    let later = now + Duration::from_hours(1);
    let held = given::claimed(&record, now, &photos[0], WorkKind::Look).await;
    let orders = [
        given::schedule(&photos[1], WorkKind::Look, later),
        given::schedule(&photos[2], WorkKind::Look, later),
        given::schedule(&photos[3], WorkKind::Process, later),
        given::schedule(&photos[3], WorkKind::Clean, later),
    ];
    given::ordered(&record, now, orders).await;
    assert_eq!(record.work.make_looks_due().await.unwrap(), 2);
    assert_eq!(record.work.make_looks_due().await.unwrap(), 0);
    let looks = record.work.claim(&WorkKind::ALL, 9, LEASE).await.unwrap();
    let claimed: BTreeSet<_> = looks.iter().map(|claim| claim.token.photo).collect();
    assert_eq!(claimed, [photos[1].value.id, photos[2].value.id].into());
    assert!(looks.iter().all(|claim| claim.claims == 1 && claim.due_at == now));
    given::ordered(&record, now, [WorkOrder::Finish { claim: held.token }]).await;
}

/// A process that knows that it is alone lets every lease end: what was held can be claimed at once, and the claim that was
/// lost is counted.
pub async fn leases_that_are_ended_are_free_at_once<H: RecordHarness>(harness: H) {
    let (record, now) = (harness.record(), harness.now());
    let owner = given::user(&record, now).await;
    let (_, photos) = given::job(&record, now, owner, 2).await;
    given::claimed(&record, now, &photos[0], WorkKind::Look).await;
    let orders = [given::schedule(&photos[1], WorkKind::Look, now)];
    given::ordered(&record, now, orders).await;
    assert_eq!(record.work.expire_claims().await.unwrap(), 1);
    assert_eq!(record.work.expire_claims().await.unwrap(), 0);
    let looks = record.work.claim(LOOK, 9, LEASE).await.unwrap();
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
