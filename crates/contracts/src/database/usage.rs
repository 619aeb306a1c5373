//! Usage of quotas, and the age of waiting work.

use std::time::Duration;

use rapidphoto_application::ports::{Due, Usage, WorkKind, WorkOrder};
use rapidphoto_domain::photo::PhotoCommand;

use super::{
    DatabaseHarness,
    fixtures::{self, CommitExt, LEASE, commit_ok, execute, schedule, schedule_after, user},
};

const DAY: Duration = Duration::from_hours(24);
const SECOND: Duration = Duration::from_secs(1);

/// Each change of a photo changes its owner's usage in the same commit; other users and namespaces keep theirs.
pub async fn usage_counts_open_stored_and_new_photos<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let owner = user(&db, now).await;
    let stranger = user(&db, now).await;
    let usage = async |at| db.usage.usage(owner, at).await.unwrap();
    assert_eq!(usage(now).await, Usage::default());

    let mut commit = fixtures::commit(now);
    let job = commit.write_job(owner, 20);
    let photos: Vec<_> = (0..20)
        .map(|_| commit.write_photo(fixtures::declared_photo(now, owner, job.value.id)))
        .collect();
    let bytes = photos[0].value.declared.bytes;
    commit_ok(&db, commit).await;
    let expected = |open_photos, stored: u64, photos_of_day| Usage {
        open_photos,
        stored_bytes: stored * bytes,
        photos_of_day,
    };
    assert_eq!(usage(now).await, expected(20, 20, 20));
    assert_eq!(usage(now + DAY).await, expected(20, 20, 0));

    let cancelled = execute(&db, now, &photos[0], PhotoCommand::Cancel).await;
    execute(&db, now, &photos[1], PhotoCommand::Cancel).await;
    assert_eq!(usage(now).await, expected(18, 18, 20));
    execute(&db, now, &cancelled, PhotoCommand::Delete).await;
    assert_eq!(usage(now).await, expected(18, 18, 20));
    let failed = execute(&db, now, &photos[2], PhotoCommand::ExpireUpload).await;
    assert_eq!(usage(now).await, expected(17, 18, 20));
    execute(&db, now, &failed, PhotoCommand::Delete).await;
    assert_eq!(usage(now).await, expected(17, 17, 20));

    fixtures::photo(&db, now + DAY, owner).await;
    assert_eq!(usage(now + DAY).await, expected(18, 18, 1));
    assert_eq!(db.state_rows.usage_mismatches().await.unwrap(), []);
    assert_eq!(db.usage.usage(stranger, now).await.unwrap(), Usage::default());
    let other = harness.other_namespace();
    assert_eq!(other.usage.usage(owner, now).await.unwrap(), Usage::default());
}

/// Only claimable `look` and `process` work of the owner counts.
pub async fn the_oldest_due_work_of_an_owner_is_found<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let (owner, other) = (user(&db, now).await, user(&db, now).await);
    let oldest = async |owner| db.usage.oldest_due(owner).await.unwrap();
    assert_eq!(oldest(owner).await, None);
    let photo = fixtures::photo(&db, now, owner).await;
    fixtures::order_work(&db, now, [schedule(&photo, WorkKind::Clean)]).await;
    assert_eq!(oldest(owner).await, None);
    fixtures::order_work(&db, now, [schedule(&photo, WorkKind::Process)]).await;
    assert_eq!(oldest(owner).await, Some(Duration::ZERO));
    harness.advance(SECOND).await;
    let newer = fixtures::photo(&db, now, owner).await;
    fixtures::order_work(&db, now, [schedule(&newer, WorkKind::Look)]).await;
    assert_eq!(oldest(owner).await, Some(SECOND));
    assert_eq!(oldest(other).await, None);
    fixtures::claim_work(&db, now, &photo, WorkKind::Process).await;
    assert_eq!(oldest(owner).await, Some(Duration::ZERO));
}

/// Each owner counts by the oldest work, and owners without waiting work don't count.
pub async fn the_least_delayed_owner_is_found<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let least = async |owners| db.usage.least_delay(owners).await.unwrap();
    assert_eq!(least(0).await, None);
    for (place, owner) in [user(&db, now).await, user(&db, now).await]
        .into_iter()
        .enumerate()
    {
        let photo = fixtures::photo(&db, now, owner).await;
        fixtures::order_work(&db, now, [schedule(&photo, WorkKind::Process)]).await;
        assert_eq!(least(place + 1).await, Some(Duration::ZERO));
        assert_eq!(least(place + 2).await, None);
        harness.advance(SECOND).await;
        // Newer work of the same owner changes nothing.
        let photo = fixtures::photo(&db, now, owner).await;
        fixtures::order_work(&db, now, [schedule(&photo, WorkKind::Look)]).await;
        assert_eq!(least(place + 1).await, Some(SECOND));
    }
    let other = harness.other_namespace();
    assert_eq!(other.usage.least_delay(1).await.unwrap(), None);
}

/// Postponed work that keeps its due time is as old as before, also while it waits for its next attempt.
pub async fn postponed_work_can_keep_its_age<H: DatabaseHarness>(harness: H) {
    const PROCESS: &[WorkKind] = &[WorkKind::Process];
    let (db, now) = (harness.ports(), harness.now());
    let owner = user(&db, now).await;
    let photo = fixtures::photo(&db, now, owner).await;
    let later = schedule_after(&photo, WorkKind::Look, DAY);
    fixtures::order_work(&db, now, [schedule(&photo, WorkKind::Process), later]).await;
    let delay = Duration::from_secs(15);
    for attempt in 1..4 {
        harness.advance(delay).await;
        let claims = db.work.claim(PROCESS, 1, LEASE).await.unwrap();
        assert_eq!((claims.len(), claims[0].due_at), (1, now));
        assert_eq!(
            db.usage.oldest_due(owner).await.unwrap(),
            None,
            "the look is not due"
        );
        let postponed = WorkOrder::Postpone {
            claim: claims[0].token,
            due: Due::After(delay),
            attempts: 0,
            claims: 0,
            keeps_due_time: true,
        };
        fixtures::order_work(&db, now, [postponed]).await;
        assert_eq!(db.usage.oldest_due(owner).await.unwrap(), Some(delay * attempt));
        assert_eq!(fixtures::due_in(&db, PROCESS).await, Some(delay));
    }
}
