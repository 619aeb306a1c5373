//! Lists of jobs.

use std::time::Duration;

use rapidphoto_application::ports::{DatabasePorts, JobListQuery, JobPosition, JobSummary, JobView};
use rapidphoto_domain::{
    Timestamp, UserId,
    job::{JobCounts, JobStatus},
    photo::{PhotoCommand, PhotoStatus},
};

use super::{
    DatabaseHarness,
    fixtures::{self, CommitExt, commit_ok},
};

/// All pages of a list, put together.
async fn list(db: &DatabasePorts, owner: UserId, mut query: JobListQuery) -> Vec<JobSummary> {
    let mut listed = Vec::new();
    for _ in 0..1000 {
        let page = db.jobs.jobs(owner, &query).await.unwrap();
        assert!(page.items.len() <= query.size);
        listed.extend(page.items);
        let Some(next) = page.next else { return listed };
        assert!(query.after.is_none_or(|after| next < after), "a page advances");
        query.after = Some(next);
    }
    panic!("the list has no end");
}

fn query(status: Option<JobStatus>, size: usize) -> JobListQuery {
    JobListQuery {
        status,
        size,
        after: None,
    }
}

/// Three photos, each brought to a status.
async fn add_job(db: &DatabasePorts, owner: UserId, now: Timestamp, statuses: [PhotoStatus; 3]) {
    let (_, photos) = fixtures::job(db, now, owner, 3).await;
    for (mut photo, status) in photos.into_iter().zip(statuses) {
        let object = fixtures::arrived();
        let commands = match status {
            PhotoStatus::Queued => vec![],
            PhotoStatus::Uploading => vec![PhotoCommand::StartUpload],
            PhotoStatus::Verifying => vec![PhotoCommand::CompleteUpload],
            PhotoStatus::Processing => {
                vec![
                    PhotoCommand::CompleteUpload,
                    PhotoCommand::StartProcessing { object },
                ]
            }
            PhotoStatus::Completed => vec![
                PhotoCommand::CompleteUpload,
                PhotoCommand::StartProcessing { object },
                PhotoCommand::CompleteProcessing {
                    result: Box::new(fixtures::completed(now)),
                },
            ],
            PhotoStatus::Rejected => {
                vec![
                    PhotoCommand::CompleteUpload,
                    PhotoCommand::Reject { reasons: Vec::new() },
                ]
            }
            PhotoStatus::Failed => vec![PhotoCommand::CompleteUpload, PhotoCommand::FailMissingUpload],
            PhotoStatus::Cancelled => vec![PhotoCommand::Cancel],
        };
        for command in commands {
            photo = fixtures::execute(db, now, &photo, command).await;
        }
    }
}

/// The same job from its view.
fn summary_of(view: &JobView) -> JobSummary {
    let mut job = JobSummary::new(view.id, view.created_at, view.updated_at);
    job.counts = JobCounts::of(view.photos.iter().map(|photo| photo.photo.status()));
    job.deleted = JobCounts::of(view.deleted.iter().copied());
    job.bytes = view.photos.iter().map(|photo| photo.photo.declared.bytes).sum();
    for photo in &view.photos {
        match photo.photo.status() {
            PhotoStatus::Queued | PhotoStatus::Uploading => job.awaited.push(photo.photo.id),
            PhotoStatus::Cancelled | PhotoStatus::Failed => {}
            _ => job.arrived_bytes += photo.photo.declared.bytes,
        }
    }
    job
}

async fn add_jobs(db: &DatabasePorts, owner: UserId, now: Timestamp) {
    use PhotoStatus::{Cancelled, Completed, Failed, Processing, Queued, Rejected, Uploading, Verifying};
    let all = [
        [Queued, Queued, Queued],
        [Queued, Uploading, Cancelled],
        [Completed, Completed, Cancelled],
        [Completed, Rejected, Failed],
        [Failed, Rejected, Cancelled],
        [Cancelled, Cancelled, Cancelled],
        [Verifying, Processing, Completed],
        [Completed, Completed, Completed],
    ];
    for (number, statuses) in (0..).zip(all) {
        // Several jobs of the same time.
        add_job(db, owner, now + Duration::from_millis(number % 3), statuses).await;
    }
}

/// Pages of any size form the same list, newest first, of what each job's view shows.
pub async fn pages_of_jobs_form_one_list_newest_first<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let (owner, other) = (fixtures::user(&db, now).await, fixtures::user(&db, now).await);
    assert_eq!(list(&db, owner, query(None, 5)).await, []);
    add_jobs(&db, owner, now).await;
    add_job(&db, other, now, [PhotoStatus::Queued; 3]).await;
    let whole = list(&db, owner, query(None, 100)).await;
    assert_eq!(whole.len(), 8);
    assert!(whole.is_sorted_by(|one, next| JobPosition::of(one) > JobPosition::of(next)));
    for job in &whole {
        let view = db.jobs.job(owner, job.id).await.unwrap().unwrap();
        assert_eq!(*job, summary_of(&view));
    }
    for size in [1, 3, 7, 8] {
        assert_eq!(list(&db, owner, query(None, size)).await, whole, "by {size}");
        let first = db.jobs.jobs(owner, &query(None, size)).await.unwrap();
        assert_eq!(
            first.next.is_none(),
            size == 8,
            "the last page has no next position"
        );
    }
}

/// A filter by status selects from the whole list, in its order.
pub async fn jobs_can_be_filtered_by_status<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let owner = fixtures::user(&db, now).await;
    add_jobs(&db, owner, now).await;
    let whole = list(&db, owner, query(None, 100)).await;
    for (status, count) in JobStatus::ALL.into_iter().zip([1, 2, 2, 1, 1, 1]) {
        let mut expected = whole.clone();
        expected.retain(|job| job.status() == status);
        assert_eq!(expected.len(), count, "{status:?}");
        for size in [1, 2, 100] {
            assert_eq!(
                list(&db, owner, query(Some(status), size)).await,
                expected,
                "{status:?} by {size}"
            );
        }
    }
}

/// A page examines a bounded number of jobs for its filter; the pages together find all.
pub async fn a_rare_status_is_found_on_a_later_page<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let owner = fixtures::user(&db, now).await;
    add_job(&db, owner, now, [PhotoStatus::Failed; 3]).await;
    // Jobs without photos count as cancelled.
    let mut commit = fixtures::commit(now + Duration::from_millis(1));
    for _ in 0..450 {
        commit.write_job(owner, 1);
    }
    commit_ok(&db, commit).await;
    let first = db
        .jobs
        .jobs(owner, &query(Some(JobStatus::Failed), 10))
        .await
        .unwrap();
    assert_eq!(first.items, []);
    assert!(first.next.is_some());
    assert_eq!(
        list(&db, owner, query(Some(JobStatus::Failed), 10)).await.len(),
        1
    );
    assert_eq!(
        list(&db, owner, query(Some(JobStatus::Cancelled), 100))
            .await
            .len(),
        450
    );
    assert_eq!(list(&db, owner, query(None, 100)).await.len(), 451);
}

/// Jobs created meanwhile do not shift the pages, and the photos of a deleted one count no more.
pub async fn pages_of_jobs_do_not_shift<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let owner = fixtures::user(&db, now).await;
    add_jobs(&db, owner, now).await;
    let whole = list(&db, owner, query(None, 100)).await;
    let first = db.jobs.jobs(owner, &query(None, 3)).await.unwrap();
    add_job(&db, owner, now + Duration::from_secs(1), [PhotoStatus::Queued; 3]).await;
    let rest = JobListQuery {
        after: first.next,
        ..query(None, 3)
    };
    assert_eq!(list(&db, owner, rest).await, whole[3..]);
    let cancelled = list(&db, owner, query(Some(JobStatus::Cancelled), 5)).await;
    let view = db.jobs.job(owner, cancelled[0].id).await.unwrap().unwrap();
    for photo in &view.photos {
        let photo = db.aggregates.photo(photo.photo.id).await.unwrap().unwrap();
        fixtures::execute(&db, now + Duration::from_secs(2), &photo, PhotoCommand::Delete).await;
    }
    let deleted = list(&db, owner, query(Some(JobStatus::Cancelled), 5)).await;
    let view = db.jobs.job(owner, cancelled[0].id).await.unwrap().unwrap();
    assert_eq!(deleted, [summary_of(&view)]);
    assert_eq!(
        (
            deleted[0].counts.total(),
            deleted[0].deleted.cancelled,
            deleted[0].bytes
        ),
        (0, 3, 0)
    );
}
