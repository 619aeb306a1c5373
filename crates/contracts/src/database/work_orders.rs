//! Work orders: schedule, finish, postpone and drop.

use std::time::Duration;

use rapidphoto_application::ports::{
    ClaimToken, CommitError, DatabasePorts, Due, Priority, WorkKind, WorkOrder,
};

use super::{
    DatabaseHarness,
    fixtures::{self, LEASE, commit_ok},
    observations::Snapshot,
};

const LOOK: &[WorkKind] = &[WorkKind::Look];

/// Asserts that orders under this claim are rejected and that nothing of their commit is written.
async fn assert_stale(db: &DatabasePorts, at: rapidphoto_domain::Timestamp, claim: ClaimToken) {
    let before = Snapshot::of(db).await;
    let postpone = WorkOrder::Postpone {
        claim,
        due: Due::Now,
        attempts: 1,
        claims: 1,
        keeps_due_time: false,
    };
    for order in [WorkOrder::Finish { claim }, postpone] {
        let mut commit = fixtures::commit(at);
        commit.work.push(order);
        let rejected = db.journal.commit(commit).await.unwrap_err();
        let ClaimToken { photo, kind, .. } = claim;
        assert!(
            matches!(rejected, CommitError::StaleClaim { photo: p, kind: k } if (p, k) == (photo, kind)),
            "{rejected:?}"
        );
    }
    assert_eq!(Snapshot::of(db).await, before);
}

/// A photo has at most one work item of a kind; the last order determines it.
pub async fn scheduling_again_replaces_the_work<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let owner = fixtures::user(&db, now).await;
    let photo = fixtures::photo(&db, now, owner).await;
    let claim = fixtures::claim_work(&db, now, &photo, WorkKind::Look).await.token;
    let postponed = WorkOrder::Postpone {
        claim,
        due: Due::After(LEASE),
        attempts: 2,
        claims: 5,
        keeps_due_time: false,
    };
    fixtures::order_work(&db, now, [postponed]).await;
    fixtures::order_work(&db, now, [fixtures::schedule(&photo, WorkKind::Look)]).await;
    assert_eq!(db.work.depth(WorkKind::Look).await.unwrap(), 1);
    let claims = db.work.claim(LOOK, 10, LEASE).await.unwrap();
    assert_eq!(claims.len(), 1);
    assert_eq!(
        (claims[0].attempts, claims[0].claims, claims[0].due_at),
        (0, 1, now)
    );
}

/// Kinds of work are independent: orders for one do not change the others.
pub async fn kinds_of_work_are_independent<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let owner = fixtures::user(&db, now).await;
    let photo = fixtures::photo(&db, now, owner).await;
    let orders = WorkKind::ALL.map(|kind| fixtures::schedule(&photo, kind));
    fixtures::order_work(&db, now, orders).await;
    let drop = WorkOrder::Drop {
        photo: photo.value.id,
        kind: WorkKind::Process,
    };
    fixtures::order_work(&db, now, [drop]).await;
    assert_eq!(db.work.claim(&[WorkKind::Process], 10, LEASE).await.unwrap(), []);
    assert_eq!(fixtures::due_in(&db, &[WorkKind::Process]).await, None);
    let looks = db.work.claim(LOOK, 10, LEASE).await.unwrap();
    assert_eq!(looks.len(), 1);
    fixtures::order_work(
        &db,
        now,
        [WorkOrder::Finish {
            claim: looks[0].token,
        }],
    )
    .await;
    let rest = db.work.claim(&WorkKind::ALL, 10, LEASE).await.unwrap();
    assert_eq!(rest.len(), 1);
    assert_eq!(rest[0].token.kind, WorkKind::Clean);
}

/// Finishing removes the work and its claim.
pub async fn finished_work_is_removed<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let owner = fixtures::user(&db, now).await;
    let photo = fixtures::photo(&db, now, owner).await;
    let claim = fixtures::claim_work(&db, now, &photo, WorkKind::Look).await.token;
    fixtures::order_work(&db, now, [WorkOrder::Finish { claim }]).await;
    assert_eq!(fixtures::due_in(&db, &WorkKind::ALL).await, None);
    harness.advance(LEASE * 2).await;
    assert_eq!(db.work.claim(LOOK, 1, LEASE).await.unwrap(), []);
    assert!(!db.work.renew(claim, LEASE).await.unwrap());
    assert_stale(&db, now, claim).await;
}

/// Postponed work is due at the given time with the given counts; its old claim is invalid immediately.
pub async fn postponed_work_is_due_later_with_the_given_counts<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let owner = fixtures::user(&db, now).await;
    let photo = fixtures::photo(&db, now, owner).await;
    let claim = fixtures::claim_work(&db, now, &photo, WorkKind::Look).await.token;
    let delay = Duration::from_secs(5);
    let postpone = WorkOrder::Postpone {
        claim,
        due: Due::After(delay),
        attempts: 2,
        claims: 4,
        keeps_due_time: false,
    };
    fixtures::order_work(&db, now, [postpone]).await;
    assert!(!db.work.renew(claim, LEASE).await.unwrap());
    assert_stale(&db, now, claim).await;
    assert_eq!(fixtures::due_in(&db, LOOK).await, Some(delay));
    harness.advance(delay).await;
    // Four claims were not released.
    assert_eq!(db.work.claim(LOOK, 1, LEASE).await.unwrap(), []);
    let again = db.work.claim_orphan(LOOK, LEASE).await.unwrap().unwrap();
    assert_eq!((again.attempts, again.claims, again.due_at), (2, 5, now + delay));
    assert!(again.token.token > claim.token);
}

/// Dropping removes work even while it is claimed; dropping missing work is no error.
pub async fn dropped_work_is_removed_even_while_claimed<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let owner = fixtures::user(&db, now).await;
    let photo = fixtures::photo(&db, now, owner).await;
    let claim = fixtures::claim_work(&db, now, &photo, WorkKind::Look).await.token;
    let drop = || WorkOrder::Drop {
        photo: photo.value.id,
        kind: WorkKind::Look,
    };
    fixtures::order_work(&db, now, [drop()]).await;
    fixtures::order_work(&db, now, [drop()]).await;
    assert!(!db.work.renew(claim, LEASE).await.unwrap());
    assert_stale(&db, now, claim).await;
    assert_eq!(fixtures::due_in(&db, LOOK).await, None);
}

/// Scheduling work again invalidates its claim immediately.
pub async fn scheduling_again_invalidates_a_claim<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let owner = fixtures::user(&db, now).await;
    let photo = fixtures::photo(&db, now, owner).await;
    let claim = fixtures::claim_work(&db, now, &photo, WorkKind::Look).await.token;
    fixtures::order_work(&db, now, [fixtures::schedule(&photo, WorkKind::Look)]).await;
    assert!(!db.work.renew(claim, LEASE).await.unwrap());
    assert_stale(&db, now, claim).await;
    let next = db.work.claim(LOOK, 1, LEASE).await.unwrap();
    assert_eq!(
        next.len(),
        1,
        "work that was scheduled again does not wait for the old lease"
    );
    assert_stale(&db, now, claim).await;
    fixtures::order_work(&db, now, [WorkOrder::Finish { claim: next[0].token }]).await;
}

/// Fencing tokens are never reused, even if the row was removed in between.
pub async fn claim_tokens_are_never_reused<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let owner = fixtures::user(&db, now).await;
    let photo = fixtures::photo(&db, now, owner).await;
    let mut last = 0;
    let mut old: Vec<ClaimToken> = Vec::new();
    for round in 0..6 {
        let claim = fixtures::claim_work(&db, now, &photo, WorkKind::Look).await.token;
        assert!(claim.token > last, "round {round}");
        last = claim.token;
        for token in &old {
            assert_stale(&db, now, *token).await;
        }
        let order = if round % 2 == 0 {
            WorkOrder::Finish { claim }
        } else {
            WorkOrder::Drop {
                photo: photo.value.id,
                kind: WorkKind::Look,
            }
        };
        fixtures::order_work(&db, now, [order]).await;
        old.push(claim);
    }
}

/// A token is valid for its own photo and kind only.
pub async fn a_claim_token_is_valid_for_its_own_work_only<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let owner = fixtures::user(&db, now).await;
    let (_, photos) = fixtures::job(&db, now, owner, 2).await;
    let one = fixtures::claim_work(&db, now, &photos[0], WorkKind::Look)
        .await
        .token;
    let other = fixtures::claim_work(&db, now, &photos[1], WorkKind::Look)
        .await
        .token;
    fixtures::claim_work(&db, now, &photos[0], WorkKind::Process).await;
    for swapped in [
        ClaimToken {
            token: other.token,
            ..one
        },
        ClaimToken {
            kind: WorkKind::Process,
            ..one
        },
        ClaimToken {
            photo: fixtures::photo_id(),
            ..one
        },
    ] {
        assert_stale(&db, now, swapped).await;
        assert!(!db.work.renew(swapped, LEASE).await.unwrap());
    }
    let finish = [one, other].map(|claim| WorkOrder::Finish { claim });
    fixtures::order_work(&db, now, finish).await;
}

/// Orders apply in sequence: the last one for a kind of work determines it.
pub async fn orders_apply_in_sequence<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let owner = fixtures::user(&db, now).await;
    let photo = fixtures::photo(&db, now, owner).await;
    let id = photo.value.id;
    let drop = |kind| WorkOrder::Drop { photo: id, kind };
    let later = Duration::from_secs(9);
    let orders = [
        fixtures::schedule(&photo, WorkKind::Look),
        drop(WorkKind::Look),
        drop(WorkKind::Process),
        fixtures::schedule(&photo, WorkKind::Process),
        fixtures::schedule(&photo, WorkKind::Clean),
        fixtures::schedule_after(&photo, WorkKind::Clean, later),
    ];
    fixtures::order_work(&db, now, orders).await;
    assert_eq!(fixtures::due_in(&db, LOOK).await, None);
    assert_eq!(
        fixtures::due_in(&db, &[WorkKind::Process]).await,
        Some(Duration::ZERO)
    );
    assert_eq!(fixtures::due_in(&db, &[WorkKind::Clean]).await, Some(later));
}

/// Claims are checked against the state before the commit. Finishing or postponing work does not undo another order of
/// the same commit for it, in either sequence.
pub async fn a_commit_can_reschedule_the_work_it_finishes<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let owner = fixtures::user(&db, now).await;
    let photo = fixtures::photo(&db, now, owner).await;
    let delay = Duration::from_secs(30);
    let reschedule = fixtures::schedule_after(&photo, WorkKind::Look, delay);
    let drop = WorkOrder::Drop {
        photo: photo.value.id,
        kind: WorkKind::Look,
    };
    for release_first in [true, false] {
        for finish in [true, false] {
            let claim = fixtures::claim_work(&db, now, &photo, WorkKind::Look).await.token;
            let release = if finish {
                WorkOrder::Finish { claim }
            } else {
                WorkOrder::Postpone {
                    claim,
                    due: Due::Now,
                    attempts: 3,
                    claims: 3,
                    keeps_due_time: false,
                }
            };
            let mut orders = vec![release.clone(), reschedule.clone()];
            let mut ended = vec![release, drop.clone()];
            if !release_first {
                orders.reverse();
                ended.reverse();
            }
            fixtures::order_work(&db, now, orders).await;
            assert_eq!(fixtures::due_in(&db, LOOK).await, Some(delay));
            assert_stale(&db, now, claim).await;

            let claim = fixtures::claim_work(&db, now, &photo, WorkKind::Look).await.token;
            for order in &mut ended {
                if let WorkOrder::Finish { claim: held } | WorkOrder::Postpone { claim: held, .. } = order {
                    *held = claim;
                }
            }
            fixtures::order_work(&db, now, ended).await;
            assert_eq!(fixtures::due_in(&db, LOOK).await, None);
        }
    }
}

/// One stale claim of a commit rejects all of it.
pub async fn one_stale_claim_rejects_the_whole_commit<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let owner = fixtures::user(&db, now).await;
    let (_, photos) = fixtures::job(&db, now, owner, 2).await;
    let good = fixtures::claim_work(&db, now, &photos[0], WorkKind::Look)
        .await
        .token;
    let stale = fixtures::claim_work(&db, now, &photos[1], WorkKind::Look)
        .await
        .token;
    fixtures::order_work(&db, now, [WorkOrder::Finish { claim: stale }]).await;
    let mut both = fixtures::commit(now);
    both.work
        .extend([good, stale].map(|claim| WorkOrder::Finish { claim }));
    assert!(matches!(
        db.journal.commit(both).await,
        Err(CommitError::StaleClaim { .. })
    ));
    let mut alone = fixtures::commit(now);
    alone.work.push(WorkOrder::Finish { claim: good });
    commit_ok(&db, alone).await;
}

/// An order sets the priority; scheduling again replaces it.
pub async fn scheduling_again_can_change_the_priority<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let owner = fixtures::user(&db, now).await;
    let (_, photos) = fixtures::job(&db, now, owner, 2).await;
    let with = |photo: usize, priority| WorkOrder::Schedule {
        photo: photos[photo].value.id,
        owner,
        kind: WorkKind::Look,
        due: Due::Now,
        priority,
    };
    let orders = [
        with(0, Priority::Fresh),
        with(1, Priority::Bulk),
        with(0, Priority::Bulk),
        with(1, Priority::Fresh),
    ];
    fixtures::order_work(&db, now, orders).await;
    let first = db.work.claim(LOOK, 1, LEASE).await.unwrap();
    assert_eq!(first[0].token.photo, photos[1].value.id);
}
