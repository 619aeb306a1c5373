//! Aggregates as loaded for decisions, of any owner and including deleted ones.

use rapidphoto_application::ports::{Details, PasswordHash};
use rapidphoto_domain::{job::JobEvent, photo::PhotoCommand, user::UserEvent};

use super::{
    DatabaseHarness,
    fixtures::{self, CommitExt, commit_ok},
};

/// A missing aggregate is `None`, not an error.
pub async fn missing_aggregates_are_not_found<H: DatabaseHarness>(harness: H) {
    let db = harness.ports();
    assert_eq!(db.aggregates.photo(fixtures::photo_id()).await.unwrap(), None);
    assert_eq!(db.aggregates.job(fixtures::job_id()).await.unwrap(), None);
    assert_eq!(db.aggregates.user(fixtures::user_id()).await.unwrap(), None);
    assert_eq!(db.aggregates.photos_of_job(fixtures::job_id()).await.unwrap(), []);
}

/// An aggregate is loaded in its last committed state, with its stream's version.
pub async fn an_aggregate_is_loaded_in_its_last_committed_state<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let mut commit = fixtures::commit(now);
    let user = commit.write_user(&fixtures::email());
    commit_ok(&db, commit).await;
    assert_eq!(
        db.aggregates.user(user.value.id).await.unwrap(),
        Some(user.clone())
    );
    let (job, photos) = fixtures::job(&db, now, user.value.id, 1).await;
    assert_eq!(db.aggregates.job(job.value.id).await.unwrap(), Some(job.clone()));
    assert_eq!(
        db.aggregates.photo(photos[0].value.id).await.unwrap(),
        Some(photos[0].clone())
    );

    let mut commit = fixtures::commit(now);
    let user = commit.write_user_event(&user, UserEvent::UserDisabled {});
    let job = commit.write_job_event(&job, JobEvent::UploadJobCancelled {});
    let photo = commit.write_command(&photos[0], PhotoCommand::Cancel);
    commit_ok(&db, commit).await;
    assert_eq!(db.aggregates.user(user.value.id).await.unwrap(), Some(user));
    assert_eq!(db.aggregates.job(job.value.id).await.unwrap(), Some(job));
    assert_eq!(db.aggregates.photo(photo.value.id).await.unwrap(), Some(photo));
}

/// A photo stays in the trace of the request that declared it, whatever changes it later.
pub async fn a_photo_belongs_to_the_trace_of_its_first_event<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let owner = fixtures::user(&db, now).await;
    let traceparent = |trace: &str| Some(format!("00-{trace}-00f067aa0ba902b7-01"));
    let (first, second) = (
        traceparent("4bf92f3577b34da6a3ce929d0e0e4736"),
        traceparent("0af7651916cd43dd8448eb211c80319c"),
    );
    for of_creation in [first, None] {
        let mut commit = fixtures::commit(now);
        commit.metadata.traceparent.clone_from(&of_creation);
        let job = commit.write_job(owner, 1);
        let photo = commit.write_photo(fixtures::declared_photo(now, owner, job.value.id));
        commit_ok(&db, commit).await;
        let mut commit = fixtures::commit(now);
        commit.metadata.traceparent.clone_from(&second);
        let photo = commit.write_command(&photo, PhotoCommand::Cancel);
        commit_ok(&db, commit).await;
        let traced = db.aggregates.traced_photo(photo.value.id).await.unwrap().unwrap();
        assert_eq!((traced.photo, traced.traceparent), (photo, of_creation));
    }
    assert_eq!(
        db.aggregates.traced_photo(fixtures::photo_id()).await.unwrap(),
        None
    );
}

/// All photos of a job are loaded in the order of their ids, including deleted ones.
pub async fn photos_of_a_job_are_ordered_by_id<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let owner = fixtures::user(&db, now).await;
    let (_, others) = fixtures::job(&db, now, owner, 2).await;
    let mut commit = fixtures::commit(now);
    let job = commit.write_job(owner, 20);
    let mut declarations: Vec<_> = (0..20)
        .map(|_| fixtures::declared_photo(now, owner, job.value.id))
        .collect();
    declarations.reverse();
    let mut photos: Vec<_> = declarations
        .into_iter()
        .map(|declared| commit.write_photo(declared))
        .collect();
    commit_ok(&db, commit).await;
    photos.sort_by_key(|photo| photo.value.id);
    let cancelled = fixtures::execute(&db, now, &photos[3], PhotoCommand::Cancel).await;
    photos[3] = fixtures::execute(&db, now, &cancelled, PhotoCommand::Delete).await;
    assert_eq!(db.aggregates.photos_of_job(job.value.id).await.unwrap(), photos);
    assert_eq!(
        db.aggregates.photos_of_job(others[0].value.job).await.unwrap(),
        others
    );
}

/// Credentials are found by e-mail address, with the status of their user.
pub async fn credentials_are_found_by_email_address<H: DatabaseHarness>(harness: H) {
    use rapidphoto_domain::user::UserStatus;
    let (db, now) = (harness.ports(), harness.now());
    let email = fixtures::email();
    let mut commit = fixtures::commit(now);
    let user = commit.write_user(&email);
    commit_ok(&db, commit).await;
    fixtures::user(&db, now).await;
    let found = db.users.credentials(&email).await.unwrap().unwrap();
    assert_eq!((found.user, found.status), (user.value.id, UserStatus::Active));
    assert_eq!(found.password_hash, fixtures::password_hash(user.value.id));
    assert_eq!(db.users.credentials(&fixtures::email()).await.unwrap(), None);

    let mut commit = fixtures::commit(now);
    commit.write_user_event(&user, UserEvent::UserDisabled {});
    commit_ok(&db, commit).await;
    let found = db.users.credentials(&email).await.unwrap().unwrap();
    assert_eq!((found.user, found.status), (user.value.id, UserStatus::Disabled));
}

/// A hash is replaced only if it is still the current one; erasing a user removes its address and its hash.
pub async fn credentials_are_replaced_and_erased<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let mut commit = fixtures::commit(now);
    let email = fixtures::email();
    let user = commit.write_user(&email).value.id;
    let first = fixtures::password_hash(user);
    commit_ok(&db, commit).await;
    let (second, third) = (
        PasswordHash("$second".to_owned()),
        PasswordHash("$third".to_owned()),
    );
    for (replaces, password_hash, expected) in [
        (&second, &third, &first),
        (&first, &second, &second),
        (&first, &third, &second),
    ] {
        let mut commit = fixtures::commit(now);
        commit.details.push(Details::Password {
            user,
            replaces: replaces.clone(),
            password_hash: password_hash.clone(),
        });
        commit_ok(&db, commit).await;
        let known = db.users.credentials(&email).await.unwrap().unwrap();
        assert_eq!(&known.password_hash, expected);
    }
    let listed = async || {
        let accounts = db.users.accounts(None, 1000).await.unwrap();
        let account = accounts.into_iter().find(|account| account.user.id == user);
        account.unwrap().email
    };
    assert_eq!(listed().await, Some(email.to_string()));
    let mut commit = fixtures::commit(now);
    commit.details.push(Details::EraseUser { user });
    commit_ok(&db, commit).await;
    assert_eq!(db.users.credentials(&email).await.unwrap(), None);
    assert_eq!(listed().await, None);
}

/// Accounts are listed by id, page by page.
pub async fn accounts_are_listed_in_pages<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let mut expected = Vec::new();
    for _ in 0..5 {
        expected.push(fixtures::user(&db, now).await);
    }
    let (mut listed, mut after) = (Vec::new(), None);
    loop {
        let page = db.users.accounts(after, 2).await.unwrap();
        let Some(last) = page.last() else { break };
        assert!(page.len() <= 2);
        after = Some(last.user.id);
        listed.extend(page.into_iter().map(|account| account.user.id));
    }
    expected.sort_unstable();
    assert_eq!(listed, expected);
}
