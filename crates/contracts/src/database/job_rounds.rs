//! Rounds of a job beside retries of its photos, whose commits are in any order.

use std::sync::{Arc, Mutex, PoisonError};

use futures::future::{BoxFuture, FutureExt as _};
use rapidphoto_application::{
    ports::{
        Advance, Clock, Commit, CommitError, Committed, Cursor, DatabasePorts, Ids, Journal, StoredEvent,
        Versioned, WritePorts,
    },
    settings::WorkSettings,
    subscriptions::{JobCompletion, Reactor as _},
};
use rapidphoto_domain::{
    DomainEvent, JobId, Timestamp, Version,
    job::JobEvent,
    photo::{Photo, PhotoCommand, PhotoEvent},
};

use super::{
    DatabaseHarness,
    fixtures::{self, CommitExt as _, LEASE, commit_ok},
    observations,
};

/// Journal that executes an action just before its first commit.
struct InterruptedJournal {
    journal: Arc<dyn Journal>,
    action: Mutex<Option<BoxFuture<'static, ()>>>,
}

#[async_trait::async_trait]
impl Journal for InterruptedJournal {
    async fn commit(&self, commit: Commit) -> Result<Committed, CommitError> {
        let action = self.action.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(action) = action {
            action.await;
        }
        self.journal.commit(commit).await
    }
}

struct FixedClock(Timestamp);

impl Clock for FixedClock {
    fn now(&self) -> Timestamp {
        self.0
    }
}

struct FixtureIds;

impl Ids for FixtureIds {
    fn ulid(&self) -> u128 {
        fixtures::bits()
    }

    fn secret(&self) -> [u8; 32] {
        [0; 32]
    }
}

/// A job whose only photo has failed, before the completion of the job.
struct FailedJob {
    db: DatabasePorts,
    now: Timestamp,
    job: JobId,
    photo: Versioned<Photo>,
}

impl FailedJob {
    async fn new<H: DatabaseHarness>(harness: &H) -> Self {
        let (db, now) = (harness.ports(), harness.now());
        let owner = fixtures::user(&db, now).await;
        let photo = fixtures::photo(&db, now, owner).await;
        let mut failed = Self {
            job: photo.value.job,
            db,
            now,
            photo,
        };
        failed.fail().await;
        failed
    }

    async fn execute(&mut self, command: PhotoCommand) {
        self.photo = fixtures::execute(&self.db, self.now, &self.photo, command).await;
    }

    async fn fail(&mut self) {
        self.execute(PhotoCommand::CompleteUpload).await;
        self.execute(PhotoCommand::FailMissingUpload).await;
    }

    /// Commit of a retry, decided on the photo as it is now.
    fn retry(&self) -> (Commit, Versioned<Photo>) {
        let mut commit = fixtures::commit(self.now);
        let window = fixtures::window(self.now);
        let photo = commit.write_command(&self.photo, PhotoCommand::Retry { window });
        (commit, photo)
    }

    /// Events that the reactor receives, from the start of the log.
    async fn events(&self) -> Vec<StoredEvent> {
        let filter = self.reactor(None).filter();
        observations::events_from(&self.db, Cursor::START, &filter, 100).await
    }

    fn reactor(&self, before_commit: Option<BoxFuture<'static, ()>>) -> JobCompletion {
        let ports = WritePorts {
            aggregates: Arc::clone(&self.db.aggregates),
            journal: Arc::new(InterruptedJournal {
                journal: Arc::clone(&self.db.journal),
                action: Mutex::new(before_commit),
            }),
            clock: Arc::new(FixedClock(self.now)),
            ids: Arc::new(FixtureIds),
        };
        JobCompletion::on(&self.db, ports, WorkSettings::default())
    }

    /// Reacts to events, with an action just before the reaction's commit.
    async fn react(&self, events: &[StoredEvent], before_commit: Option<BoxFuture<'static, ()>>) {
        let lease = self.db.subscriptions.acquire(JobCompletion::NAME, LEASE).await;
        let lease = lease.unwrap().unwrap();
        let advance = Advance {
            name: lease.name,
            from: lease.cursor,
            to: lease.cursor,
            token: lease.token,
        };
        let reactor = self.reactor(before_commit);
        reactor.react(events, advance).await.unwrap();
        self.db.subscriptions.release(&lease).await.unwrap();
    }

    async fn react_to_all(&self) {
        self.react(&self.events().await, None).await;
    }

    /// Rounds that were completed, and whether the job's current round has ended.
    async fn rounds(&self) -> (Vec<u32>, bool) {
        let events = self.db.log.events(self.job.into(), Version::NEW).await.unwrap();
        let completed = events.into_iter().filter_map(|stored| match stored.event {
            DomainEvent::Job(JobEvent::UploadJobCompleted { round, .. }) => Some(round),
            _ => None,
        });
        let job = self.db.aggregates.job(self.job).await.unwrap().unwrap();
        (completed.collect(), job.value.outcome.is_some())
    }

    /// Asserts that the retried photo's end completes `rounds` in all, however often the log is read.
    async fn assert_ends_after(mut self, rounds: u32) {
        self.fail().await;
        for _ in 0..2 {
            self.react_to_all().await;
            assert_eq!(self.rounds().await, ((1..=rounds).collect(), true));
        }
    }
}

/// A job whose photo was retried before the job's completion was decided is in its first round still.
pub async fn a_retry_before_the_completion_keeps_the_round_open<H: DatabaseHarness>(harness: H) {
    let mut failed = FailedJob::new(&harness).await;
    let (commit, photo) = failed.retry();
    commit_ok(&failed.db, commit).await;
    failed.photo = photo;
    failed.react_to_all().await;
    assert_eq!(failed.rounds().await, (vec![], false));
    failed.assert_ends_after(1).await;
}

/// A retry that is committed between the decision and the commit of the completion prevents it.
pub async fn a_retry_during_the_completion_prevents_it<H: DatabaseHarness>(harness: H) {
    let mut failed = FailedJob::new(&harness).await;
    let (commit, photo) = failed.retry();
    let db = failed.db.clone();
    let retry = async move {
        commit_ok(&db, commit).await;
    };
    failed.react(&failed.events().await, Some(retry.boxed())).await;
    failed.photo = photo;
    assert_eq!(failed.rounds().await, (vec![], false));
    failed.react_to_all().await;
    failed.assert_ends_after(1).await;
}

/// A retry after the completion begins the next round.
pub async fn a_retry_after_the_completion_begins_a_round<H: DatabaseHarness>(harness: H) {
    let mut failed = FailedJob::new(&harness).await;
    failed.react_to_all().await;
    assert_eq!(failed.rounds().await, (vec![1], true));
    let (commit, photo) = failed.retry();
    commit_ok(&failed.db, commit).await;
    failed.photo = photo;
    failed.react_to_all().await;
    assert_eq!(failed.rounds().await, (vec![1], false));
    failed.assert_ends_after(2).await;
}

/// A retry that was decided before the completion and committed after it begins the next round, even if its event is
/// before the completion in the log, as it can be with several writers.
pub async fn a_retry_that_precedes_the_completion_in_the_log_begins_a_round<H: DatabaseHarness>(harness: H) {
    let mut failed = FailedJob::new(&harness).await;
    let (commit, photo) = failed.retry();
    failed.react_to_all().await;
    commit_ok(&failed.db, commit).await;
    failed.photo = photo;
    let mut events = failed.events().await;
    for stored in &mut events {
        if matches!(stored.event, DomainEvent::Photo(PhotoEvent::PhotoRetried { .. })) {
            stored.cursor = Cursor::START;
        }
    }
    failed.react(&events, None).await;
    assert_eq!(failed.rounds().await, (vec![1], false));
    failed.assert_ends_after(2).await;
}

/// A retry that ended before it was read begins a round and ends it.
pub async fn a_retry_that_has_ended_is_a_round<H: DatabaseHarness>(harness: H) {
    let mut failed = FailedJob::new(&harness).await;
    failed.react_to_all().await;
    let (commit, photo) = failed.retry();
    commit_ok(&failed.db, commit).await;
    failed.photo = photo;
    failed.assert_ends_after(2).await;
}

/// A change of a photo that is no retry begins no round.
pub async fn tagging_a_photo_begins_no_round<H: DatabaseHarness>(harness: H) {
    let mut failed = FailedJob::new(&harness).await;
    failed.react_to_all().await;
    let labels = [rapidphoto_domain::values::TagLabel::parse("a").unwrap()].into();
    failed.execute(PhotoCommand::Tag { labels }).await;
    failed.execute(PhotoCommand::Delete).await;
    failed.react_to_all().await;
    assert_eq!(failed.rounds().await, (vec![1], true));
}
