//! Job views: photos, deleted photos and the log's position at the same point in time.

use std::time::Duration;

use rapidphoto_application::ports::EventFilter;
use rapidphoto_domain::{
    job::{JobCounts, JobEvent},
    photo::{PhotoCommand, PhotoStatus},
};

use super::{
    DatabaseHarness,
    fixtures::{self, CommitExt, commit_ok},
    observations,
};

/// A job view contains all photos in the order of their declaration.
pub async fn a_job_view_has_its_photos_in_the_order_declared<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let owner = fixtures::user(&db, now).await;
    let (job, photos) = fixtures::job(&db, now, owner, 12).await;
    fixtures::job(&db, now, owner, 3).await;
    let view = db.jobs.job(owner, job.value.id).await.unwrap().unwrap();
    assert_eq!(
        (view.id, view.created_at, view.updated_at),
        (job.value.id, now, now)
    );
    assert_eq!(view.deleted, []);
    let shown: Vec<_> = view
        .photos
        .iter()
        .map(|view| (&view.photo, view.version))
        .collect();
    let declared: Vec<_> = photos.iter().map(|photo| (&photo.value, photo.version)).collect();
    assert_eq!(shown, declared);
    for photo in &view.photos {
        assert_eq!(photo.filename, fixtures::filename());
        assert_eq!((photo.created_at, photo.updated_at), (now, now));
    }
}

/// A job without photos has an empty view.
pub async fn a_job_without_photos_has_a_view<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let owner = fixtures::user(&db, now).await;
    let (job, _) = fixtures::job(&db, now, owner, 0).await;
    let view = db.jobs.job(owner, job.value.id).await.unwrap().unwrap();
    assert_eq!((view.photos, view.deleted), (Vec::new(), Vec::new()));
}

/// Jobs of other users and missing jobs are not found.
pub async fn another_users_job_is_not_found<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let (owner, other) = (fixtures::user(&db, now).await, fixtures::user(&db, now).await);
    let (job, _) = fixtures::job(&db, now, owner, 1).await;
    assert_eq!(db.jobs.job(other, job.value.id).await.unwrap(), None);
    assert_eq!(db.jobs.job(owner, fixtures::job_id()).await.unwrap(), None);
    assert!(db.jobs.job(owner, job.value.id).await.unwrap().is_some());
}

/// Deleted photos are hidden, but their status is counted.
pub async fn deleted_photos_are_hidden_but_counted<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let owner = fixtures::user(&db, now).await;
    let (job, photos) = fixtures::job(&db, now, owner, 5).await;
    let cancelled = fixtures::execute(&db, now, &photos[1], PhotoCommand::Cancel).await;
    let expired = fixtures::execute(&db, now, &photos[3], PhotoCommand::ExpireUpload).await;
    for photo in [&cancelled, &expired] {
        fixtures::execute(&db, now, photo, PhotoCommand::Delete).await;
    }
    let view = db.jobs.job(owner, job.value.id).await.unwrap().unwrap();
    let shown: Vec<_> = view.photos.iter().map(|view| view.photo.id).collect();
    assert_eq!(shown, [0, 2, 4].map(|index: usize| photos[index].value.id));
    let deleted = JobCounts::of(view.deleted);
    assert_eq!(
        deleted,
        JobCounts::of([PhotoStatus::Cancelled, PhotoStatus::Failed])
    );
}

/// A job's `updated_at` is the latest of the job and its photos, including deleted ones; each photo has its own.
pub async fn a_job_is_updated_with_its_photos<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let owner = fixtures::user(&db, now).await;
    let (job, photos) = fixtures::job(&db, now, owner, 2).await;
    let at = |millis| now + Duration::from_millis(millis);
    let view = || async { db.jobs.job(owner, job.value.id).await.unwrap().unwrap() };

    let cancelled = fixtures::execute(&db, at(5), &photos[1], PhotoCommand::Cancel).await;
    let changed = view().await;
    assert_eq!((changed.created_at, changed.updated_at), (now, at(5)));
    let times: Vec<_> = changed
        .photos
        .iter()
        .map(|photo| (photo.created_at, photo.updated_at))
        .collect();
    assert_eq!(times, [(now, now), (now, at(5))]);

    fixtures::execute(&db, at(9), &cancelled, PhotoCommand::Delete).await;
    assert_eq!(view().await.updated_at, at(9));

    let mut commit = fixtures::commit(at(12));
    commit.write_job_event(&job, JobEvent::UploadJobCancelled {});
    commit_ok(&db, commit).await;
    assert_eq!((view().await.created_at, view().await.updated_at), (now, at(12)));
}

/// A job view has the outcome of the job's current round, once it has ended.
pub async fn a_job_view_has_the_outcome_of_its_round<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let owner = fixtures::user(&db, now).await;
    let (job, photos) = fixtures::job(&db, now, owner, 1).await;
    let outcome = || async { db.jobs.job(owner, job.value.id).await.unwrap().unwrap().outcome };
    fixtures::execute(&db, now, &photos[0], PhotoCommand::Cancel).await;
    assert_eq!(outcome().await, None);
    let mut commit = fixtures::commit(now);
    let completion = job
        .value
        .complete(JobCounts::of([PhotoStatus::Cancelled]), 0)
        .unwrap();
    let completed = commit.write_job_event(&job, completion);
    commit_ok(&db, commit).await;
    assert!(outcome().await.is_some());
    assert_eq!(outcome().await, completed.value.outcome);
}

/// The cursor is the log's end at the time of the view: reading on from it neither misses nor repeats an event.
pub async fn a_job_views_cursor_precedes_later_events<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let owner = fixtures::user(&db, now).await;
    let (job, photos) = fixtures::job(&db, now, owner, 1).await;
    fixtures::user(&db, now).await;
    observations::end(&db).await;
    let view = db.jobs.job(owner, job.value.id).await.unwrap().unwrap();
    assert!(view.cursor <= db.log.head().await.unwrap());
    fixtures::execute(&db, now, &photos[0], PhotoCommand::Cancel).await;
    let of_job = EventFilter {
        job: Some(job.value.id),
        ..EventFilter::default()
    };
    assert_eq!(
        observations::events_from(&db, view.cursor, &of_job, 10)
            .await
            .len(),
        1
    );
}

/// Photos, versions and cursor are consistent despite concurrent writes.
pub async fn a_job_view_is_a_consistent_snapshot<H: DatabaseHarness>(harness: H) {
    const STEPS: u64 = 40;
    let (db, now) = (harness.ports(), harness.now());
    let owner = fixtures::user(&db, now).await;
    let (job, photos) = fixtures::job(&db, now, owner, 4).await;
    let start = observations::end(&db).await;
    let writer = {
        let db = db.clone();
        tokio::spawn(async move {
            let mut photos = photos;
            for _ in 0..STEPS {
                let mut commit = fixtures::commit(now);
                let window = fixtures::window(now);
                for photo in &mut photos {
                    *photo = commit.write_command(photo, PhotoCommand::Renew { window });
                }
                commit_ok(&db, commit).await;
                tokio::task::yield_now().await;
            }
        })
    };
    let mut last = 0;
    while last < STEPS {
        let view = db.jobs.job(owner, job.value.id).await.unwrap().unwrap();
        let versions: Vec<_> = view.photos.iter().map(|photo| photo.version.0).collect();
        assert!(
            versions.iter().all(|version| *version == versions[0]),
            "{versions:?}"
        );
        let before = observations::events_from(&db, start, &EventFilter::default(), 1000).await;
        let up_to = before.iter().filter(|event| event.cursor <= view.cursor).count() as u64;
        assert_eq!(
            up_to,
            4 * (versions[0] - 1),
            "the cursor is consistent with the versions"
        );
        last = versions[0] - 1;
        tokio::task::yield_now().await;
    }
    writer.await.unwrap();
}

/// The last change of a job is the last event of the job or of one of its photos, also in the job's view.
pub async fn the_last_change_of_a_job_is_its_or_its_photos_last_event<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let owner = fixtures::user(&db, now).await;
    let (job, photos) = fixtures::job(&db, now, owner, 2).await;
    let id = job.value.id;
    let last = || async { db.jobs.last_change(owner, id).await.unwrap().unwrap() };
    let created = last().await;
    let log = observations::log(&db).await;
    assert_eq!(created.cursor, log.last().unwrap().cursor);
    fixtures::photo(&db, now, owner).await;
    assert_eq!(last().await, created, "another job has changed");
    fixtures::execute(&db, now, &photos[1], PhotoCommand::StartUpload).await;
    let changed = last().await;
    let log = observations::log(&db).await;
    assert_eq!(changed.cursor, log.last().unwrap().cursor);
    assert!(changed.cursor > created.cursor);
    let view = db.jobs.job(owner, id).await.unwrap().unwrap();
    assert_eq!(view.last_change, changed);
    assert_eq!(db.jobs.last_change(fixtures::user_id(), id).await.unwrap(), None);
    assert_eq!(
        db.jobs.last_change(owner, fixtures::job_id()).await.unwrap(),
        None
    );
    assert_eq!(
        harness
            .other_namespace()
            .jobs
            .last_change(owner, id)
            .await
            .unwrap(),
        None
    );
}

/// A job is open while one of its photos is not terminal.
pub async fn a_job_is_open_while_a_photo_is_not_terminal<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let owner = fixtures::user(&db, now).await;
    let (job, photos) = fixtures::job(&db, now, owner, 2).await;
    let (other, _) = fixtures::job(&db, now, owner, 1).await;
    let ids = [job.value.id, other.value.id, fixtures::job_id()];
    let open = || async { db.aggregates.open_jobs(&ids).await.unwrap() };
    assert_eq!(open().await, [ids[0], ids[1]].into());
    assert_eq!(
        harness
            .other_namespace()
            .aggregates
            .open_jobs(&ids)
            .await
            .unwrap(),
        [].into()
    );
    fixtures::execute(&db, now, &photos[0], PhotoCommand::Cancel).await;
    assert_eq!(open().await, [ids[0], ids[1]].into());
    let mut photo = fixtures::execute(&db, now, &photos[1], PhotoCommand::CompleteUpload).await;
    let object = fixtures::arrived();
    photo = fixtures::execute(&db, now, &photo, PhotoCommand::StartProcessing { object }).await;
    assert_eq!(open().await, [ids[0], ids[1]].into());
    photo = fixtures::execute(&db, now, &photo, PhotoCommand::FailProcessing).await;
    assert_eq!(open().await, [ids[1]].into());
    fixtures::execute(&db, now, &photo, PhotoCommand::Delete).await;
    assert_eq!(open().await, [ids[1]].into());
    assert_eq!(db.aggregates.open_jobs(&[]).await.unwrap(), [].into());
}

/// The last change of a job is not settled while an older commit is open, which may change the job without moving it.
pub async fn a_change_after_an_open_commit_is_not_settled<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let owner = fixtures::user(&db, now).await;
    let (job, photos) = fixtures::job(&db, now, owner, 2).await;
    let last = || async { db.jobs.last_change(owner, job.value.id).await.unwrap().unwrap() };
    assert!(last().await.settled);
    let mut older = fixtures::commit(now);
    older.write_command(&photos[0], PhotoCommand::StartUpload);
    let open = harness.open_commit(older).await;
    fixtures::execute(&db, now, &photos[1], PhotoCommand::StartUpload).await;
    let beside = last().await;
    assert_eq!(beside.settled, open.is_none());
    let view = db.jobs.job(owner, job.value.id).await.unwrap().unwrap();
    assert_eq!(view.last_change, beside);
    if let Some(open) = open {
        open.await.unwrap();
        assert_eq!(
            last().await.cursor,
            beside.cursor,
            "the older commit is before it"
        );
    }
    assert!(last().await.settled);
}
