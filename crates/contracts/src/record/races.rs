//! Fifty at once: exactly one wins, and every other is told why it did not.

use rapidphoto_application::ports::{
    Commit, CommitError, Committed, DatabasePorts, Unique, WorkKind, WorkOrder,
};
use rapidphoto_domain::{Version, photo::PhotoCommand};

use super::{
    RecordHarness,
    given::{self, LEASE, Writing},
    seen,
};

const RACERS: usize = 50;

/// Writes all of the commits at once and gives their outcomes.
async fn race(record: &DatabasePorts, commits: Vec<Commit>) -> Vec<Result<Committed, CommitError>> {
    let racers: Vec<_> = commits
        .into_iter()
        .map(|commit| {
            let record = record.clone();
            tokio::spawn(async move { record.journal.commit(commit).await })
        })
        .collect();
    let mut outcomes = Vec::new();
    for racer in racers {
        outcomes.push(racer.await.unwrap());
    }
    outcomes
}

/// One outcome is good, all others are what `lost` says.
fn one_wins(outcomes: Vec<Result<Committed, CommitError>>, lost: impl Fn(&CommitError) -> bool) {
    assert_eq!(outcomes.len(), RACERS);
    let (won, refused): (Vec<_>, Vec<_>) = outcomes.into_iter().partition(Result::is_ok);
    assert_eq!(won.len(), 1);
    for outcome in refused {
        let error = outcome.unwrap_err();
        assert!(lost(&error), "{error:?}");
    }
}

/// Of writers that race for one version of a stream, one wins.
pub async fn of_writers_that_race_for_one_version_one_wins<H: RecordHarness>(harness: H) {
    let (record, now) = (harness.record(), harness.now());
    let owner = given::user(&record, now).await;
    let photo = given::photo(&record, now, owner).await;
    let commits = (0..RACERS).map(|_| {
        let mut commit = given::commit(now);
        commit.write_command(&photo, PhotoCommand::StartUpload);
        commit
    });
    let outcomes = race(&record, commits.collect()).await;
    one_wins(outcomes, |error| matches!(error, CommitError::Conflict(_)));
    let stream = photo.value.id.into();
    assert_eq!(record.log.latest_version(stream).await.unwrap(), Version(2));
}

/// Writers that race for streams in different orders don't wait for each other forever, and one wins.
pub async fn writers_that_cross_do_not_lock_each_other<H: RecordHarness>(harness: H) {
    let (record, now) = (harness.record(), harness.now());
    let owner = given::user(&record, now).await;
    let (_, photos) = given::job(&record, now, owner, 8).await;
    let commits = (0..RACERS).map(|racer| {
        let mut commit = given::commit(now);
        let (first, second) = photos.split_at(racer % photos.len());
        for photo in second.iter().chain(first) {
            commit.write_command(photo, PhotoCommand::Cancel);
        }
        commit
    });
    let outcomes = race(&record, commits.collect()).await;
    one_wins(outcomes, |error| matches!(error, CommitError::Conflict(_)));
    for photo in &photos {
        let version = record.log.latest_version(photo.value.id.into()).await.unwrap();
        assert_eq!(version, Version(2));
    }
}

/// Of requests that bring the same upload id at once, one makes a photo.
pub async fn of_photos_that_race_for_an_upload_id_one_is_made<H: RecordHarness>(harness: H) {
    let (record, now) = (harness.record(), harness.now());
    let owner = given::user(&record, now).await;
    let upload_id = given::upload_id();
    let commits = (0..RACERS).map(|_| {
        let mut commit = given::commit(now);
        let job = commit.write_job(owner, 1);
        let mut promised = given::promise(now, owner, job.value.id);
        promised.upload_id = upload_id;
        commit.write_photo(promised);
        commit
    });
    let outcomes = race(&record, commits.collect()).await;
    let taken = Unique::UploadId { owner, upload_id };
    one_wins(
        outcomes,
        |error| matches!(error, CommitError::Duplicate(unique) if *unique == taken),
    );
    assert_eq!(
        record
            .photos
            .by_upload_ids(owner, &[upload_id])
            .await
            .unwrap()
            .len(),
        1
    );
    assert_eq!(seen::log(&record).await.len(), 1 + 2);
}

/// Of requests with one idempotency key, one is carried out.
pub async fn of_requests_that_race_with_one_key_one_is_carried_out<H: RecordHarness>(harness: H) {
    let (record, now) = (harness.record(), harness.now());
    let owner = given::user(&record, now).await;
    let commits = (0..RACERS).map(|_| {
        let mut commit = given::commit(now);
        let job = commit.write_job(owner, 0);
        let mut kept = given::idempotency(owner, "key", now + LEASE);
        kept.job = Some(job.value.id);
        commit.idempotency = Some(kept);
        commit
    });
    let outcomes = race(&record, commits.collect()).await;
    one_wins(outcomes, |error| {
        matches!(error, CommitError::Duplicate(Unique::IdempotencyKey))
    });
    assert_eq!(seen::log(&record).await.len(), 1 + 1);
}

/// Of registrations of one address, one makes an account.
pub async fn of_accounts_that_race_for_an_address_one_is_made<H: RecordHarness>(harness: H) {
    let (record, now) = (harness.record(), harness.now());
    let email = given::email();
    let commits = (0..RACERS).map(|_| {
        let mut commit = given::commit(now);
        commit.write_user(&email);
        commit
    });
    let outcomes = race(&record, commits.collect()).await;
    one_wins(outcomes, |error| {
        matches!(error, CommitError::Duplicate(Unique::Email))
    });
    assert_eq!(record.state_rows.stream_count().await.unwrap(), 1);
}

/// The same commit tried many times at once is written once, and all are told that it stands.
pub async fn one_commit_tried_many_times_at_once_is_written_once<H: RecordHarness>(harness: H) {
    let (record, now) = (harness.record(), harness.now());
    let owner = given::user(&record, now).await;
    let mut commit = given::commit(now);
    let job = commit.write_job(owner, 1);
    commit.write_photo(given::promise(now, owner, job.value.id));
    let outcomes = race(&record, vec![commit; RACERS]).await;
    let committed: Vec<_> = outcomes.into_iter().map(Result::unwrap).collect();
    assert_eq!(
        committed.iter().filter(|committed| !committed.repeated).count(),
        1
    );
    assert!(committed.iter().all(|one| one.cursor == committed[0].cursor));
    assert_eq!(seen::log(&record).await.len(), 1 + 2);
}

/// Of commits under one claim, one is written.
pub async fn of_commits_that_race_under_one_claim_one_is_written<H: RecordHarness>(harness: H) {
    let (record, now) = (harness.record(), harness.now());
    let owner = given::user(&record, now).await;
    let photo = given::photo(&record, now, owner).await;
    let claim = given::claimed(&record, now, &photo, WorkKind::Look).await.token;
    let commits = (0..RACERS).map(|_| {
        let mut commit = given::commit(now);
        commit.write_job(owner, 0);
        commit.work.push(WorkOrder::Finish { claim });
        commit
    });
    let outcomes = race(&record, commits.collect()).await;
    one_wins(outcomes, |error| matches!(error, CommitError::StaleClaim { .. }));
    assert_eq!(seen::log(&record).await.len(), 1 + 2 + 1);
}

/// A derived event id is written once, whoever derives it: one of many reactors wins, the others lose the version.
pub async fn a_derived_event_is_written_once<H: RecordHarness>(harness: H) {
    use rapidphoto_domain::{
        EventId,
        job::{JobEvent, UploadJob},
    };
    let (record, now) = (harness.record(), harness.now());
    let owner = given::user(&record, now).await;
    let (job, _) = given::job(&record, now, owner, 1).await;
    let id: EventId = UploadJob::completion_id(job.value.id, 1);
    let commits = (0..RACERS).map(|_| {
        let mut commit = given::commit(now);
        commit.write_job_event(&job, JobEvent::UploadJobCancelled {});
        commit.changes[0].events[0].id = id;
        commit
    });
    let outcomes = race(&record, commits.collect()).await;
    let committed: Vec<_> = outcomes.into_iter().map(Result::unwrap).collect();
    assert_eq!(
        committed.iter().filter(|committed| !committed.repeated).count(),
        1
    );
    assert_eq!(
        record.log.latest_version(job.value.id.into()).await.unwrap(),
        Version(2)
    );
}
