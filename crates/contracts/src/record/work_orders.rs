//! What orders do to work: schedule, finish, postpone, drop.

use std::time::Duration;

use rapidphoto_application::ports::{ClaimToken, CommitError, DatabasePorts, Priority, WorkKind, WorkOrder};

use super::{
    RecordHarness,
    given::{self, LEASE, stands},
    seen::Everything,
};

const LOOK: &[WorkKind] = &[WorkKind::Look];

/// Orders that a claim doesn't hold for are refused, and nothing of their commit is written.
async fn is_stale(record: &DatabasePorts, at: rapidphoto_domain::Timestamp, claim: ClaimToken) {
    let before = Everything::of(record).await;
    let postpone = WorkOrder::Postpone {
        claim,
        due_at: at,
        attempts: 1,
        claims: 1,
    };
    for order in [WorkOrder::Finish { claim }, postpone] {
        let mut commit = given::commit(at);
        commit.work.push(order);
        let refused = record.journal.commit(commit).await.unwrap_err();
        let ClaimToken { photo, kind, .. } = claim;
        assert!(
            matches!(refused, CommitError::StaleClaim { photo: p, kind: k } if (p, k) == (photo, kind)),
            "{refused:?}"
        );
    }
    assert_eq!(Everything::of(record).await, before);
}

/// Work waits until it is due, and is then there to the millisecond.
pub async fn scheduled_work_waits_until_it_is_due<H: RecordHarness>(harness: H) {
    let (record, now) = (harness.record(), harness.now());
    let owner = given::user(&record, now).await;
    let photo = given::photo(&record, now, owner).await;
    let due_at = now + Duration::from_millis(1500);
    given::ordered(&record, now, [given::schedule(&photo, WorkKind::Look, due_at)]).await;
    assert_eq!(record.work.next_due(LOOK).await.unwrap(), Some(due_at));
    assert_eq!(record.work.claim(LOOK, 1, LEASE).await.unwrap(), []);
    harness.advance(Duration::from_millis(1499)).await;
    assert_eq!(record.work.claim(LOOK, 1, LEASE).await.unwrap(), []);
    harness.advance(Duration::from_millis(1)).await;
    let claims = record.work.claim(LOOK, 1, LEASE).await.unwrap();
    assert_eq!(claims.len(), 1);
    let claim = claims[0];
    assert_eq!(
        (claim.token.photo, claim.token.kind),
        (photo.value.id, WorkKind::Look)
    );
    assert_eq!((claim.owner, claim.due_at), (owner, due_at));
    assert_eq!((claim.attempts, claim.claims), (0, 1));
}

/// A photo has one piece of work of a kind: the last order counts.
pub async fn scheduling_again_replaces_what_was_there<H: RecordHarness>(harness: H) {
    let (record, now) = (harness.record(), harness.now());
    let owner = given::user(&record, now).await;
    let photo = given::photo(&record, now, owner).await;
    let claim = given::claimed(&record, now, &photo, WorkKind::Look).await.token;
    let postponed = WorkOrder::Postpone {
        claim,
        due_at: now + LEASE,
        attempts: 2,
        claims: 5,
    };
    given::ordered(&record, now, [postponed]).await;
    given::ordered(&record, now, [given::schedule(&photo, WorkKind::Look, now)]).await;
    assert_eq!(record.work.depth(WorkKind::Look).await.unwrap(), 1);
    let claims = record.work.claim(LOOK, 10, LEASE).await.unwrap();
    assert_eq!(claims.len(), 1);
    assert_eq!(
        (claims[0].attempts, claims[0].claims, claims[0].due_at),
        (0, 1, now)
    );
}

/// Kinds are apart: what happens to one leaves the others alone.
pub async fn kinds_of_work_do_not_touch_each_other<H: RecordHarness>(harness: H) {
    let (record, now) = (harness.record(), harness.now());
    let owner = given::user(&record, now).await;
    let photo = given::photo(&record, now, owner).await;
    let orders = WorkKind::ALL.map(|kind| given::schedule(&photo, kind, now));
    given::ordered(&record, now, orders).await;
    let drop = WorkOrder::Drop {
        photo: photo.value.id,
        kind: WorkKind::Process,
    };
    given::ordered(&record, now, [drop]).await;
    assert_eq!(
        record.work.claim(&[WorkKind::Process], 10, LEASE).await.unwrap(),
        []
    );
    assert_eq!(record.work.next_due(&[WorkKind::Process]).await.unwrap(), None);
    let looks = record.work.claim(LOOK, 10, LEASE).await.unwrap();
    assert_eq!(looks.len(), 1);
    given::ordered(
        &record,
        now,
        [WorkOrder::Finish {
            claim: looks[0].token,
        }],
    )
    .await;
    let rest = record.work.claim(&WorkKind::ALL, 10, LEASE).await.unwrap();
    assert_eq!(rest.len(), 1);
    assert_eq!(rest[0].token.kind, WorkKind::Clean);
}

/// Finished work is gone, and its claim with it.
pub async fn finished_work_is_gone<H: RecordHarness>(harness: H) {
    let (record, now) = (harness.record(), harness.now());
    let owner = given::user(&record, now).await;
    let photo = given::photo(&record, now, owner).await;
    let claim = given::claimed(&record, now, &photo, WorkKind::Look).await.token;
    given::ordered(&record, now, [WorkOrder::Finish { claim }]).await;
    assert_eq!(record.work.next_due(&WorkKind::ALL).await.unwrap(), None);
    harness.advance(LEASE * 2).await;
    assert_eq!(record.work.claim(LOOK, 1, LEASE).await.unwrap(), []);
    assert!(!record.work.renew(claim, LEASE).await.unwrap());
    is_stale(&record, now, claim).await;
}

/// Postponed work comes back when it is due, with the counts it was given; its old claim is void at once.
pub async fn postponed_work_comes_back_with_its_counts<H: RecordHarness>(harness: H) {
    let (record, now) = (harness.record(), harness.now());
    let owner = given::user(&record, now).await;
    let photo = given::photo(&record, now, owner).await;
    let claim = given::claimed(&record, now, &photo, WorkKind::Look).await.token;
    let due_at = now + Duration::from_secs(5);
    let postpone = WorkOrder::Postpone {
        claim,
        due_at,
        attempts: 2,
        claims: 4,
    };
    given::ordered(&record, now, [postpone]).await;
    assert!(!record.work.renew(claim, LEASE).await.unwrap());
    is_stale(&record, now, claim).await;
    assert_eq!(record.work.next_due(LOOK).await.unwrap(), Some(due_at));
    harness.advance(Duration::from_secs(5)).await;
    let again = record.work.claim(LOOK, 1, LEASE).await.unwrap();
    assert_eq!(
        (again[0].attempts, again[0].claims, again[0].due_at),
        (2, 5, due_at)
    );
    assert!(again[0].token.token > claim.token);
}

/// Dropped work is gone whoever holds it; dropping what is not there is no error.
pub async fn dropped_work_is_gone_whoever_holds_it<H: RecordHarness>(harness: H) {
    let (record, now) = (harness.record(), harness.now());
    let owner = given::user(&record, now).await;
    let photo = given::photo(&record, now, owner).await;
    let claim = given::claimed(&record, now, &photo, WorkKind::Look).await.token;
    let drop = || WorkOrder::Drop {
        photo: photo.value.id,
        kind: WorkKind::Look,
    };
    given::ordered(&record, now, [drop()]).await;
    given::ordered(&record, now, [drop()]).await;
    assert!(!record.work.renew(claim, LEASE).await.unwrap());
    is_stale(&record, now, claim).await;
    assert_eq!(record.work.next_due(LOOK).await.unwrap(), None);
}

/// New work takes the old claim away, before anybody claims anew.
pub async fn scheduling_takes_a_claim_away<H: RecordHarness>(harness: H) {
    let (record, now) = (harness.record(), harness.now());
    let owner = given::user(&record, now).await;
    let photo = given::photo(&record, now, owner).await;
    let claim = given::claimed(&record, now, &photo, WorkKind::Look).await.token;
    given::ordered(&record, now, [given::schedule(&photo, WorkKind::Look, now)]).await;
    assert!(!record.work.renew(claim, LEASE).await.unwrap());
    is_stale(&record, now, claim).await;
    let next = record.work.claim(LOOK, 1, LEASE).await.unwrap();
    assert_eq!(
        next.len(),
        1,
        "work that was ordered anew waits for nobody's lease"
    );
    is_stale(&record, now, claim).await;
    given::ordered(&record, now, [WorkOrder::Finish { claim: next[0].token }]).await;
}

/// A number that fenced one holder off is never another's, though the row was gone in between.
pub async fn tokens_are_never_used_again<H: RecordHarness>(harness: H) {
    let (record, now) = (harness.record(), harness.now());
    let owner = given::user(&record, now).await;
    let photo = given::photo(&record, now, owner).await;
    let mut last = 0;
    let mut old: Vec<ClaimToken> = Vec::new();
    for round in 0..6 {
        let claim = given::claimed(&record, now, &photo, WorkKind::Look).await.token;
        assert!(claim.token > last, "round {round}");
        last = claim.token;
        for token in &old {
            is_stale(&record, now, *token).await;
        }
        let ends = if round % 2 == 0 {
            WorkOrder::Finish { claim }
        } else {
            WorkOrder::Drop {
                photo: photo.value.id,
                kind: WorkKind::Look,
            }
        };
        given::ordered(&record, now, [ends]).await;
        old.push(claim);
    }
}

/// A token is good for its own photo and kind only.
pub async fn a_token_is_good_for_its_own_work_only<H: RecordHarness>(harness: H) {
    let (record, now) = (harness.record(), harness.now());
    let owner = given::user(&record, now).await;
    let (_, photos) = given::job(&record, now, owner, 2).await;
    let one = given::claimed(&record, now, &photos[0], WorkKind::Look)
        .await
        .token;
    let other = given::claimed(&record, now, &photos[1], WorkKind::Look)
        .await
        .token;
    given::claimed(&record, now, &photos[0], WorkKind::Process).await;
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
            photo: given::photo_id(),
            ..one
        },
    ] {
        is_stale(&record, now, swapped).await;
        assert!(!record.work.renew(swapped, LEASE).await.unwrap());
    }
    let finish = [one, other].map(|claim| WorkOrder::Finish { claim });
    given::ordered(&record, now, finish).await;
}

/// Orders apply one after the other: the last word on a kind of work counts.
pub async fn orders_apply_in_the_order_given<H: RecordHarness>(harness: H) {
    let (record, now) = (harness.record(), harness.now());
    let owner = given::user(&record, now).await;
    let photo = given::photo(&record, now, owner).await;
    let id = photo.value.id;
    let drop = |kind| WorkOrder::Drop { photo: id, kind };
    let later = now + Duration::from_secs(9);
    let orders = [
        given::schedule(&photo, WorkKind::Look, now),
        drop(WorkKind::Look),
        drop(WorkKind::Process),
        given::schedule(&photo, WorkKind::Process, now),
        given::schedule(&photo, WorkKind::Clean, now),
        given::schedule(&photo, WorkKind::Clean, later),
    ];
    given::ordered(&record, now, orders).await;
    assert_eq!(record.work.next_due(LOOK).await.unwrap(), None);
    assert_eq!(
        record.work.next_due(&[WorkKind::Process]).await.unwrap(),
        Some(now)
    );
    assert_eq!(
        record.work.next_due(&[WorkKind::Clean]).await.unwrap(),
        Some(later)
    );
}

/// The claim under which a commit was decided is judged as it was before the commit, and giving it back takes nothing
/// from what the same commit orders, whichever comes first.
pub async fn a_holder_can_order_anew_what_it_gives_back<H: RecordHarness>(harness: H) {
    let (record, now) = (harness.record(), harness.now());
    let owner = given::user(&record, now).await;
    let photo = given::photo(&record, now, owner).await;
    let due_at = now + Duration::from_secs(30);
    let anew = given::schedule(&photo, WorkKind::Look, due_at);
    let drop = WorkOrder::Drop {
        photo: photo.value.id,
        kind: WorkKind::Look,
    };
    for finished_first in [true, false] {
        for finish in [true, false] {
            let claim = given::claimed(&record, now, &photo, WorkKind::Look).await.token;
            let gives_back = if finish {
                WorkOrder::Finish { claim }
            } else {
                WorkOrder::Postpone {
                    claim,
                    due_at: now,
                    attempts: 3,
                    claims: 3,
                }
            };
            let mut orders = vec![gives_back.clone(), anew.clone()];
            let mut ended = vec![gives_back, drop.clone()];
            if !finished_first {
                orders.reverse();
                ended.reverse();
            }
            given::ordered(&record, now, orders).await;
            assert_eq!(record.work.next_due(LOOK).await.unwrap(), Some(due_at));
            is_stale(&record, now, claim).await;

            let claim = given::claimed(&record, now, &photo, WorkKind::Look).await.token;
            for order in &mut ended {
                if let WorkOrder::Finish { claim: held } | WorkOrder::Postpone { claim: held, .. } = order {
                    *held = claim;
                }
            }
            given::ordered(&record, now, ended).await;
            assert_eq!(record.work.next_due(LOOK).await.unwrap(), None);
        }
    }
}

/// Several claims of one commit stand or fall together.
pub async fn one_stale_claim_among_several_refuses_them_all<H: RecordHarness>(harness: H) {
    let (record, now) = (harness.record(), harness.now());
    let owner = given::user(&record, now).await;
    let (_, photos) = given::job(&record, now, owner, 2).await;
    let good = given::claimed(&record, now, &photos[0], WorkKind::Look)
        .await
        .token;
    let stale = given::claimed(&record, now, &photos[1], WorkKind::Look)
        .await
        .token;
    given::ordered(&record, now, [WorkOrder::Finish { claim: stale }]).await;
    let mut both = given::commit(now);
    both.work
        .extend([good, stale].map(|claim| WorkOrder::Finish { claim }));
    assert!(matches!(
        record.journal.commit(both).await,
        Err(CommitError::StaleClaim { .. })
    ));
    let mut alone = given::commit(now);
    alone.work.push(WorkOrder::Finish { claim: good });
    stands(&record, alone).await;
}

/// An order says what goes first; scheduling anew says it anew.
pub async fn scheduling_anew_can_change_what_goes_first<H: RecordHarness>(harness: H) {
    let (record, now) = (harness.record(), harness.now());
    let owner = given::user(&record, now).await;
    let (_, photos) = given::job(&record, now, owner, 2).await;
    let with = |photo: usize, priority| WorkOrder::Schedule {
        photo: photos[photo].value.id,
        owner,
        kind: WorkKind::Look,
        due_at: now,
        priority,
    };
    let orders = [
        with(0, Priority::Fresh),
        with(1, Priority::Bulk),
        with(0, Priority::Bulk),
        with(1, Priority::Fresh),
    ];
    given::ordered(&record, now, orders).await;
    let first = record.work.claim(LOOK, 1, LEASE).await.unwrap();
    assert_eq!(first[0].token.photo, photos[1].value.id);
}
