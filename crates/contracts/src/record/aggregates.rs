//! What decisions load: everything there is, whoever owns it.

use rapidphoto_domain::{job::JobEvent, photo::PhotoCommand, user::UserEvent};

use super::{
    RecordHarness,
    given::{self, Writing, stands},
};

/// What is not there is not found, and that is no error.
pub async fn what_is_not_there_is_not_found<H: RecordHarness>(harness: H) {
    let record = harness.record();
    assert_eq!(record.aggregates.photo(given::photo_id()).await.unwrap(), None);
    assert_eq!(record.aggregates.job(given::job_id()).await.unwrap(), None);
    assert_eq!(record.aggregates.user(given::user_id()).await.unwrap(), None);
    assert_eq!(
        record.aggregates.photos_of_job(given::job_id()).await.unwrap(),
        []
    );
}

/// An aggregate is loaded as it was last decided, with its stream's version.
pub async fn an_aggregate_is_loaded_as_it_was_decided<H: RecordHarness>(harness: H) {
    let (record, now) = (harness.record(), harness.now());
    let mut commit = given::commit(now);
    let user = commit.write_user(&given::email());
    stands(&record, commit).await;
    assert_eq!(
        record.aggregates.user(user.value.id).await.unwrap(),
        Some(user.clone())
    );
    let (job, photos) = given::job(&record, now, user.value.id, 1).await;
    assert_eq!(
        record.aggregates.job(job.value.id).await.unwrap(),
        Some(job.clone())
    );
    assert_eq!(
        record.aggregates.photo(photos[0].value.id).await.unwrap(),
        Some(photos[0].clone())
    );

    let mut commit = given::commit(now);
    let user = commit.write_user_event(&user, UserEvent::UserDisabled {});
    let job = commit.write_job_event(&job, JobEvent::UploadJobCancelled {});
    let photo = commit.write_command(&photos[0], PhotoCommand::Cancel);
    stands(&record, commit).await;
    assert_eq!(record.aggregates.user(user.value.id).await.unwrap(), Some(user));
    assert_eq!(record.aggregates.job(job.value.id).await.unwrap(), Some(job));
    assert_eq!(
        record.aggregates.photo(photo.value.id).await.unwrap(),
        Some(photo)
    );
}

/// All photos of a job come in the order of their ids, deleted ones too, and no others.
pub async fn photos_of_a_job_come_in_the_order_of_their_ids<H: RecordHarness>(harness: H) {
    let (record, now) = (harness.record(), harness.now());
    let owner = given::user(&record, now).await;
    let (_, others) = given::job(&record, now, owner, 2).await;
    let mut commit = given::commit(now);
    let job = commit.write_job(owner, 20);
    let mut promises: Vec<_> = (0..20)
        .map(|_| given::promise(now, owner, job.value.id))
        .collect();
    promises.reverse();
    let mut photos: Vec<_> = promises
        .into_iter()
        .map(|promise| commit.write_photo(promise))
        .collect();
    stands(&record, commit).await;
    photos.sort_by_key(|photo| photo.value.id);
    let cancelled = given::command(&record, now, &photos[3], PhotoCommand::Cancel).await;
    photos[3] = given::command(&record, now, &cancelled, PhotoCommand::Delete).await;
    assert_eq!(
        record.aggregates.photos_of_job(job.value.id).await.unwrap(),
        photos
    );
    assert_eq!(
        record
            .aggregates
            .photos_of_job(others[0].value.job)
            .await
            .unwrap(),
        others
    );
}

/// An account is found by its address, with whether its user may log in.
pub async fn an_account_is_found_by_its_address<H: RecordHarness>(harness: H) {
    use rapidphoto_domain::user::UserStatus;
    let (record, now) = (harness.record(), harness.now());
    let email = given::email();
    let mut commit = given::commit(now);
    let user = commit.write_user(&email);
    stands(&record, commit).await;
    given::user(&record, now).await;
    let found = record.users.credentials(&email).await.unwrap().unwrap();
    assert_eq!((found.user, found.status), (user.value.id, UserStatus::Active));
    assert_eq!(found.password_hash, given::password_hash(user.value.id));
    assert_eq!(record.users.credentials(&given::email()).await.unwrap(), None);

    let mut commit = given::commit(now);
    commit.write_user_event(&user, UserEvent::UserDisabled {});
    stands(&record, commit).await;
    let found = record.users.credentials(&email).await.unwrap().unwrap();
    assert_eq!((found.user, found.status), (user.value.id, UserStatus::Disabled));
}
