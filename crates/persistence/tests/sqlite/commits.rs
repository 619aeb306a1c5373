//! Commits of one new job, valid and conflicting.

use std::time::Duration;

use rapidphoto_application::ports::{AggregateState, Commit, NewEvent};
use rapidphoto_contracts::database::fixtures::{self, CommitExt as _};
use rapidphoto_domain::{JobId, StreamId, Timestamp, Version, job::UploadJob};

/// Longer than any operation of these tests takes.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(30);

/// A commit of one new job, and the job's id.
pub(crate) fn new_job(at: Timestamp) -> (Commit, JobId) {
    let mut commit = fixtures::commit(at);
    let job = commit.write_job(fixtures::user_id(), 1);
    (commit, job.value.id)
}

/// A commit of a new job that expects version 1 of its stream, which does not exist.
pub(crate) fn conflicting(at: Timestamp) -> Commit {
    let mut commit = fixtures::commit(at);
    let job = fixtures::job_id();
    let owner = fixtures::user_id();
    let created = UploadJob::create(job, owner, 1, 1);
    let state = UploadJob::begin(&created).unwrap();
    commit.write(
        StreamId::Job(job),
        Version(1),
        vec![NewEvent {
            id: fixtures::event_id(),
            event: created.into(),
        }],
        AggregateState::Job(state),
    );
    commit
}
