//! Migration of jobs that ended before outcomes included the photos' retries.

use diesel::connection::SimpleConnection as _;
use rapidphoto_application::{
    admin::VerifyStateRows,
    ports::{Aggregates as _, DatabasePorts, EventLog as _},
};
use rapidphoto_contracts::database::fixtures::{self, CommitExt as _};
use rapidphoto_domain::{
    Version,
    job::JobCounts,
    photo::{Photo, PhotoCommand},
};

use crate::support::{TestStore, open};

#[tokio::test]
async fn the_migration_counts_the_retries_that_an_outcome_includes() {
    let db = TestStore::new().await;
    let ports = DatabasePorts::of(db.store.clone());
    let (owner, now) = (fixtures::user_id(), db.now());
    let (job, photos) = fixtures::job(&ports, now, owner, 2).await;
    let (open_job, _) = fixtures::job(&ports, now, owner, 1).await;
    let window = fixtures::window(now);
    let mut photo = photos[0].clone();
    for _ in 0..2 {
        photo = fixtures::execute(&ports, now, &photo, PhotoCommand::ExpireUpload).await;
        photo = fixtures::execute(&ports, now, &photo, PhotoCommand::Retry { window }).await;
    }
    let photo = fixtures::execute(&ports, now, &photo, PhotoCommand::ExpireUpload).await;
    let cancelled = fixtures::execute(&ports, now, &photos[1], PhotoCommand::Cancel).await;
    let counts = JobCounts::of([photo.value.status(), cancelled.value.status()]);
    let mut complete = fixtures::commit(now);
    complete.write_job_event(&job, job.value.complete(counts, 2).unwrap());
    fixtures::commit_ok(&ports, complete).await;
    // A retry that the reactor has not read yet.
    let retried = fixtures::execute(&ports, now, &photo, PhotoCommand::Retry { window }).await;
    db.store.close().await;
    // The database as an earlier program left it: neither events nor states contain retries.
    db.raw_connection()
        .batch_execute(
            "DROP INDEX photos_open;
             DROP TRIGGER events_are_never_changed;
             UPDATE events SET payload = json_remove(payload, '$.retries');
             CREATE TRIGGER events_are_never_changed BEFORE UPDATE ON events
             BEGIN SELECT RAISE(ABORT, 'the event log is append-only'); END;
             UPDATE photos SET state = json_remove(state, '$.retries', '$.cleaning');
             UPDATE upload_jobs SET state = json_remove(state, '$.outcome.retries') WHERE state LIKE '%retries%';
             DELETE FROM __diesel_schema_migrations WHERE version = '00000000000030'",
        )
        .unwrap();

    let path = db.directory.path().join("record.db");
    let migrated = std::sync::Arc::new(open(&path, "test", db.clock.clone()).await.unwrap());

    let stored = migrated.photo(photo.value.id).await.unwrap().unwrap();
    assert_eq!(stored, retried);
    assert_eq!(stored.value.retries, 3);
    let stored = migrated.job(job.value.id).await.unwrap().unwrap().value;
    assert_eq!(stored.outcome.unwrap().retries, Some(2));
    assert!(stored.reopen(3).is_ok());
    assert!(stored.reopen(2).is_err(), "nothing was retried since");
    let untouched = migrated.job(open_job.value.id).await.unwrap().unwrap();
    assert_eq!(untouched, open_job);
    let open = migrated
        .open_jobs(&[job.value.id, open_job.value.id])
        .await
        .unwrap();
    assert_eq!(open.len(), 2);
    let report = VerifyStateRows::new(&DatabasePorts::of(migrated.clone()))
        .handle()
        .await
        .unwrap();
    assert!(report.is_clean(), "{:?}", report.mismatches);
    let events = migrated
        .events(photo.value.id.into(), Version::NEW)
        .await
        .unwrap();
    let events: Vec<_> = events
        .into_iter()
        .filter_map(|stored| match stored.event {
            rapidphoto_domain::DomainEvent::Photo(event) => Some(event),
            _ => None,
        })
        .collect();
    assert_eq!(Photo::fold(&events).unwrap(), retried.value);
}
