//! A job as its watchers see it: photos, what was deleted, and where the log was at that moment.

use std::time::Duration;

use rapidphoto_application::ports::EventFilter;
use rapidphoto_domain::{
    job::{JobCounts, JobEvent},
    photo::{PhotoCommand, PhotoStatus},
};

use super::{
    RecordHarness,
    given::{self, Writing, stands},
    seen,
};

/// A job shows all of its photos in the order in which they were promised.
pub async fn a_job_shows_its_photos_in_the_order_promised<H: RecordHarness>(harness: H) {
    let (record, now) = (harness.record(), harness.now());
    let owner = given::user(&record, now).await;
    let (job, photos) = given::job(&record, now, owner, 12).await;
    given::job(&record, now, owner, 3).await;
    let view = record.jobs.job(owner, job.value.id).await.unwrap().unwrap();
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
    let promised: Vec<_> = photos.iter().map(|photo| (&photo.value, photo.version)).collect();
    assert_eq!(shown, promised);
    for photo in &view.photos {
        assert_eq!(photo.filename, given::filename());
        assert_eq!((photo.created_at, photo.updated_at), (now, now));
    }
}

/// A job without photos is a job.
pub async fn a_job_without_photos_is_shown<H: RecordHarness>(harness: H) {
    let (record, now) = (harness.record(), harness.now());
    let owner = given::user(&record, now).await;
    let (job, _) = given::job(&record, now, owner, 0).await;
    let view = record.jobs.job(owner, job.value.id).await.unwrap().unwrap();
    assert_eq!((view.photos, view.deleted), (Vec::new(), Vec::new()));
}

/// Nobody sees another's job, or one that is not there.
pub async fn another_users_job_is_not_shown<H: RecordHarness>(harness: H) {
    let (record, now) = (harness.record(), harness.now());
    let (owner, other) = (given::user(&record, now).await, given::user(&record, now).await);
    let (job, _) = given::job(&record, now, owner, 1).await;
    assert_eq!(record.jobs.job(other, job.value.id).await.unwrap(), None);
    assert_eq!(record.jobs.job(owner, given::job_id()).await.unwrap(), None);
    assert!(record.jobs.job(owner, job.value.id).await.unwrap().is_some());
}

/// Deleted photos are hidden, but what became of them still counts.
pub async fn deleted_photos_are_hidden_and_still_count<H: RecordHarness>(harness: H) {
    let (record, now) = (harness.record(), harness.now());
    let owner = given::user(&record, now).await;
    let (job, photos) = given::job(&record, now, owner, 5).await;
    let cancelled = given::command(&record, now, &photos[1], PhotoCommand::Cancel).await;
    let expired = given::command(&record, now, &photos[3], PhotoCommand::ExpireUpload).await;
    for photo in [&cancelled, &expired] {
        given::command(&record, now, photo, PhotoCommand::Delete).await;
    }
    let view = record.jobs.job(owner, job.value.id).await.unwrap().unwrap();
    let shown: Vec<_> = view.photos.iter().map(|view| view.photo.id).collect();
    assert_eq!(shown, [0, 2, 4].map(|index: usize| photos[index].value.id));
    let deleted = JobCounts::of(view.deleted);
    assert_eq!(
        deleted,
        JobCounts::of([PhotoStatus::Cancelled, PhotoStatus::Failed])
    );
}

/// A job has changed when one of its photos has, a deleted one too; each photo says when it did.
pub async fn a_job_changes_with_its_photos<H: RecordHarness>(harness: H) {
    let (record, now) = (harness.record(), harness.now());
    let owner = given::user(&record, now).await;
    let (job, photos) = given::job(&record, now, owner, 2).await;
    let at = |millis| now + Duration::from_millis(millis);
    let view = || async { record.jobs.job(owner, job.value.id).await.unwrap().unwrap() };

    let cancelled = given::command(&record, at(5), &photos[1], PhotoCommand::Cancel).await;
    let changed = view().await;
    assert_eq!((changed.created_at, changed.updated_at), (now, at(5)));
    let times: Vec<_> = changed
        .photos
        .iter()
        .map(|photo| (photo.created_at, photo.updated_at))
        .collect();
    assert_eq!(times, [(now, now), (now, at(5))]);

    given::command(&record, at(9), &cancelled, PhotoCommand::Delete).await;
    assert_eq!(view().await.updated_at, at(9));

    let mut commit = given::commit(at(12));
    commit.write_job_event(&job, JobEvent::UploadJobCancelled {});
    stands(&record, commit).await;
    assert_eq!((view().await.created_at, view().await.updated_at), (now, at(12)));
}

/// The cursor is the log's end at that moment: whoever reads on from it misses nothing and repeats nothing.
pub async fn a_jobs_cursor_is_where_its_events_go_on<H: RecordHarness>(harness: H) {
    let (record, now) = (harness.record(), harness.now());
    let owner = given::user(&record, now).await;
    let (job, photos) = given::job(&record, now, owner, 1).await;
    given::user(&record, now).await;
    let view = record.jobs.job(owner, job.value.id).await.unwrap().unwrap();
    assert_eq!(view.cursor, record.log.head().await.unwrap());
    given::command(&record, now, &photos[0], PhotoCommand::Cancel).await;
    let of_job = EventFilter {
        job: Some(job.value.id),
        ..EventFilter::default()
    };
    assert_eq!(
        seen::events_from(&record, view.cursor, &of_job, 10).await.len(),
        1
    );
}

/// Photos, versions and cursor belong to one moment, whoever writes meanwhile.
pub async fn a_job_is_read_at_one_moment<H: RecordHarness>(harness: H) {
    const STEPS: u64 = 40;
    let (record, now) = (harness.record(), harness.now());
    let owner = given::user(&record, now).await;
    let (job, photos) = given::job(&record, now, owner, 4).await;
    let start = record.log.head().await.unwrap();
    let writer = {
        let record = record.clone();
        tokio::spawn(async move {
            let mut photos = photos;
            for _ in 0..STEPS {
                let mut commit = given::commit(now);
                let window = given::window(now);
                for photo in &mut photos {
                    *photo = commit.write_command(photo, PhotoCommand::Renew { window });
                }
                stands(&record, commit).await;
                tokio::task::yield_now().await;
            }
        })
    };
    let mut last = 0;
    while last < STEPS {
        let view = record.jobs.job(owner, job.value.id).await.unwrap().unwrap();
        let versions: Vec<_> = view.photos.iter().map(|photo| photo.version.0).collect();
        assert!(
            versions.iter().all(|version| *version == versions[0]),
            "{versions:?}"
        );
        let before = seen::events_from(&record, start, &EventFilter::default(), 1000).await;
        let up_to = before.iter().filter(|event| event.cursor <= view.cursor).count() as u64;
        assert_eq!(up_to, 4 * (versions[0] - 1), "the cursor is the moment's");
        last = versions[0] - 1;
        tokio::task::yield_now().await;
    }
    writer.await.unwrap();
}
