//! Due times of work, by the database's clock.

use std::time::Duration;

use rapidphoto_application::ports::{Due, WorkKind, WorkOrder};

use super::{
    DatabaseHarness,
    fixtures::{self, LEASE},
};

const LOOK: &[WorkKind] = &[WorkKind::Look];

/// Work can be claimed from its due time on, to the millisecond.
pub async fn scheduled_work_can_be_claimed_once_due<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let owner = fixtures::user(&db, now).await;
    let photo = fixtures::photo(&db, now, owner).await;
    let delay = Duration::from_millis(1500);
    let order = fixtures::schedule_after(&photo, WorkKind::Look, delay);
    fixtures::order_work(&db, now, [order]).await;
    assert_eq!(fixtures::due_in(&db, LOOK).await, Some(delay));
    assert_eq!(db.work.claim(LOOK, 1, LEASE).await.unwrap(), []);
    harness.advance(Duration::from_millis(1499)).await;
    assert_eq!(db.work.claim(LOOK, 1, LEASE).await.unwrap(), []);
    harness.advance(Duration::from_millis(1)).await;
    let claims = db.work.claim(LOOK, 1, LEASE).await.unwrap();
    assert_eq!(claims.len(), 1);
    let claim = claims[0];
    assert_eq!(
        (claim.token.photo, claim.token.kind),
        (photo.value.id, WorkKind::Look)
    );
    assert_eq!((claim.owner, claim.due_at), (owner, now + delay));
    assert_eq!((claim.attempts, claim.claims), (0, 1));
}

/// Due times count from the commit by the database's clock: a caller whose clock is an hour ahead or behind changes
/// nothing.
pub async fn due_times_do_not_depend_on_the_callers_clock<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let hour = Duration::from_hours(1);
    for callers_now in [now + hour, now - hour] {
        let owner = fixtures::user(&db, callers_now).await;
        let (_, photos) = fixtures::job(&db, callers_now, owner, 2).await;
        let delay = Duration::from_secs(5);
        let orders = [
            fixtures::schedule(&photos[0], WorkKind::Look),
            fixtures::schedule_after(&photos[1], WorkKind::Process, delay),
        ];
        fixtures::order_work(&db, callers_now, orders).await;
        let claims = db.work.claim(LOOK, 1, LEASE).await.unwrap();
        assert_eq!(claims[0].due_at, now);
        assert_eq!(db.work.due_in(&[WorkKind::Process]).await.unwrap(), Some(delay));
        let postpone = WorkOrder::Postpone {
            claim: claims[0].token,
            due: Due::Now,
            attempts: 1,
            claims: 0,
            keeps_due_time: false,
        };
        fixtures::order_work(&db, callers_now, [postpone]).await;
        let claims = db.work.claim(LOOK, 1, LEASE).await.unwrap();
        assert_eq!((claims.len(), claims[0].attempts), (1, 1));
        let drop = WorkOrder::Drop {
            photo: photos[1].value.id,
            kind: WorkKind::Process,
        };
        let finish = WorkOrder::Finish {
            claim: claims[0].token,
        };
        fixtures::order_work(&db, callers_now, [drop, finish]).await;
    }
}
