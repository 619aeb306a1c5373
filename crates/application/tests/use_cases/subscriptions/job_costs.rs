//! Reads and commits that the completion and the cancellation of large jobs cost.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use async_trait::async_trait;
use rapidphoto_application::{
    jobs::{CancelJob, CancelJobHandler},
    ports::{Aggregates, EventMetadata, Subscriptions as _, TracedPhoto, Unavailable, Versioned},
    subscriptions::JobCompletion,
};
use rapidphoto_domain::{
    JobId, PhotoId, UserId,
    job::{JobStatus, UploadJob},
    photo::{Photo, PhotoStatus},
    user::User,
};
use rapidphoto_memory::{TestApp, fixtures::DAY};

use crate::support::{completions, recording_journal::RecordingJournal, retry};

/// Counts the photos that are read as parts of jobs.
struct CountedReads {
    aggregates: Arc<dyn Aggregates>,
    photos: AtomicUsize,
}

impl CountedReads {
    fn around(app: &mut TestApp) -> Arc<Self> {
        let reads = Arc::new(Self {
            aggregates: Arc::clone(&app.ports.database.aggregates),
            photos: AtomicUsize::new(0),
        });
        app.ports.database.aggregates = reads.clone();
        reads
    }
}

#[async_trait]
impl Aggregates for CountedReads {
    async fn photo(&self, id: PhotoId) -> Result<Option<Versioned<Photo>>, Unavailable> {
        self.aggregates.photo(id).await
    }

    async fn traced_photo(&self, id: PhotoId) -> Result<Option<TracedPhoto>, Unavailable> {
        self.aggregates.traced_photo(id).await
    }

    async fn job(&self, id: JobId) -> Result<Option<Versioned<UploadJob>>, Unavailable> {
        self.aggregates.job(id).await
    }

    async fn user(&self, id: UserId) -> Result<Option<Versioned<User>>, Unavailable> {
        self.aggregates.user(id).await
    }

    async fn photos_of_job(&self, job: JobId) -> Result<Vec<Versioned<Photo>>, Unavailable> {
        let photos = self.aggregates.photos_of_job(job).await?;
        self.photos.fetch_add(photos.len(), Ordering::SeqCst);
        Ok(photos)
    }

    async fn open_jobs(&self, jobs: &[JobId]) -> Result<BTreeSet<JobId>, Unavailable> {
        self.aggregates.open_jobs(jobs).await
    }
}

#[tokio::test]
async fn photos_that_end_one_by_one_are_read_once() {
    let mut app = TestApp::new();
    let declared = app.declare(1_000).await;
    let reads = CountedReads::around(&mut app);
    let completion = app.completion();
    for declared in &declared {
        app.delete(declared.photo).await;
        completion.catch_up().await.unwrap();
    }
    assert_eq!(reads.photos.load(Ordering::SeqCst), 1_000);
    assert_eq!(
        completions(&app, declared[0].job).await,
        [(1, JobStatus::Cancelled)]
    );
}

#[tokio::test]
async fn photos_that_are_retried_one_by_one_are_read_once() {
    let mut app = TestApp::new();
    let declared = app.declare(100).await;
    app.execute_for(2 * DAY).await;
    app.completion().catch_up().await.unwrap();
    let reads = CountedReads::around(&mut app);
    let completion = app.completion();
    for declared in &declared {
        retry(&app, declared).await;
        completion.catch_up().await.unwrap();
    }
    assert_eq!(
        reads.photos.load(Ordering::SeqCst),
        100,
        "the first one begins a round"
    );
    assert_eq!(app.job(declared[0].job).await.round, 2);
}

async fn cancel(app: &TestApp, job: JobId) -> JobStatus {
    let command = CancelJob {
        owner: app.owner,
        job,
        metadata: EventMetadata::default(),
    };
    let handler = CancelJobHandler::new(&app.ports, app.settings.work);
    handler.handle(command).await.unwrap()
}

#[tokio::test]
async fn a_job_of_up_to_a_hundred_photos_is_cancelled_in_one_commit() {
    let mut app = TestApp::new();
    let declared = app.declare(100).await;
    let journal = RecordingJournal::around(&mut app);
    assert_eq!(cancel(&app, declared[0].job).await, JobStatus::Cancelled);
    assert_eq!(journal.commits(), 1);
    assert_eq!(cancel(&app, declared[0].job).await, JobStatus::Cancelled);
    assert_eq!(journal.commits(), 1, "a repeated cancellation writes nothing");
}

#[tokio::test]
async fn the_reactor_cancels_the_rest_of_a_large_job_in_chunks() {
    let mut app = TestApp::new();
    let declared = app.declare(1_000).await;
    let job = declared[0].job;
    let journal = RecordingJournal::around(&mut app);
    assert_eq!(cancel(&app, job).await, JobStatus::InProgress);
    assert_eq!(journal.commits(), 1, "the request leaves the rest to the reactor");
    app.completion().catch_up().await.unwrap();
    // Nine chunks, the completion with its position, and the position after it.
    assert!((10..=12).contains(&journal.commits()), "{}", journal.commits());
    for declared in &declared {
        assert_eq!(app.status(declared.photo).await, PhotoStatus::Cancelled);
    }
    app.completion().catch_up().await.unwrap();
    assert_eq!(completions(&app, job).await, [(1, JobStatus::Cancelled)]);
    app.assert_rows_match_events().await;
}

#[tokio::test]
async fn a_reactor_that_lost_its_lease_cancels_nothing() {
    let mut app = TestApp::new();
    let declared = app.declare(250).await;
    let journal = RecordingJournal::around(&mut app);
    assert_eq!(cancel(&app, declared[0].job).await, JobStatus::InProgress);
    // Another runner takes over before the second of the reactor's two commits.
    let store = app.store.clone();
    let clock = Arc::clone(&app.clock);
    journal.before_next(async {});
    journal.before_next(async move {
        clock.advance(std::time::Duration::from_mins(1));
        let taken = store
            .acquire(JobCompletion::NAME, std::time::Duration::from_mins(1))
            .await;
        assert!(taken.unwrap().is_some());
    });
    assert!(app.completion().catch_up().await.is_err());
    assert_eq!(app.status(declared[199].photo).await, PhotoStatus::Cancelled);
    assert_eq!(app.status(declared[200].photo).await, PhotoStatus::Queued);
}
