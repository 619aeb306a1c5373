//! Data that the benchmarks write.

use std::time::Duration;

use rapidphoto_application::ports::{Commit, DatabasePorts, Due, Priority, WorkKind, WorkOrder};
use rapidphoto_contracts::database::fixtures::{self, CommitExt as _};
use rapidphoto_domain::{JobId, Timestamp, UserId};

/// A new job, with work for each photo.
pub(crate) fn job_of(photos: u32, owner: UserId, now: Timestamp) -> (Commit, JobId) {
    let mut commit = fixtures::commit(now);
    let job = commit.write_job(owner, photos).value.id;
    for _ in 0..photos {
        let photo = commit.write_photo(fixtures::declared_photo(now, owner, job));
        commit.work.push(WorkOrder::Schedule {
            photo: photo.value.id,
            owner,
            kind: WorkKind::Process,
            due: Due::After(Duration::from_mins(1)),
            priority: Priority::Fresh,
        });
    }
    (commit, job)
}

/// Schedules due work of a number of users.
pub(crate) async fn schedule(db: &DatabasePorts, now: Timestamp, items: usize, users: usize) {
    let users: Vec<_> = (0..users).map(|_| fixtures::user_id()).collect();
    let owners: Vec<_> = users.iter().cycle().take(items).collect();
    for owners in owners.chunks(10_000) {
        let mut commit = fixtures::commit(now);
        for owner in owners {
            commit.work.push(WorkOrder::Schedule {
                photo: fixtures::photo_id(),
                owner: **owner,
                kind: WorkKind::Process,
                due: Due::Now,
                priority: Priority::Fresh,
            });
        }
        db.journal.commit(commit).await.unwrap();
    }
}
