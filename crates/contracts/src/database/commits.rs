//! Contents of commits: all parts are written together and stored exactly.

use std::time::Duration;

use rapidphoto_application::ports::{
    Advance, Cursor, Details, EventMetadata, PhotoHashes, PhotoMetadata, WorkKind, WorkOrder,
};
use rapidphoto_domain::{photo::PhotoCommand, values::Filename};

use super::{
    DatabaseHarness,
    fixtures::{self, CommitExt, commit_ok},
    observations::{self, Snapshot},
};

/// Events, states, work, details, idempotency record and checkpoint of several streams are written together.
pub async fn every_part_of_a_commit_is_written<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let owner = fixtures::user(&db, now).await;
    let held = db
        .subscriptions
        .acquire("job-completion", fixtures::LEASE)
        .await
        .unwrap()
        .unwrap();
    let mut commit = fixtures::commit(now);
    let job = commit.write_job(owner, 2);
    let photos: Vec<_> = (0..2)
        .map(|_| commit.write_photo(fixtures::declared_photo(now, owner, job.value.id)))
        .collect();
    for photo in &photos {
        commit.work.push(fixtures::schedule(photo, WorkKind::Look));
    }
    let kept = fixtures::idempotency(owner, "key", now + fixtures::LEASE);
    commit.idempotency = Some(kept.clone());
    let to = observations::end(&db).await;
    commit.checkpoint = Some(Advance {
        name: held.name,
        from: held.cursor,
        to,
        token: held.token,
    });
    let committed = commit_ok(&db, commit).await;

    assert!(observations::end(&db).await >= committed.cursor);
    let events = observations::log(&db).await;
    assert_eq!(events.len(), 1 + 3);
    assert_eq!(events.last().unwrap().cursor, committed.cursor);
    assert_eq!(db.aggregates.job(job.value.id).await.unwrap(), Some(job.clone()));
    for photo in &photos {
        let view = db.photos.photo(owner, photo.value.id).await.unwrap().unwrap();
        assert_eq!(
            (&view.photo, &view.filename),
            (&photo.value, &fixtures::filename())
        );
    }
    assert_eq!(db.work.depth(WorkKind::Look).await.unwrap(), 2);
    let read = db.idempotency.idempotency(owner, &kept.key, now).await.unwrap();
    assert_eq!(read, Some(kept));
    db.subscriptions.release(&held).await.unwrap();
    let next = db
        .subscriptions
        .acquire(held.name, fixtures::LEASE)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(next.cursor, to);
}

/// The maximum number of photos of one request fits in one commit.
pub async fn one_commit_writes_a_thousand_photos<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let owner = fixtures::user(&db, now).await;
    let mut commit = fixtures::commit(now);
    let job = commit.write_job(owner, 1000);
    let mut kept = fixtures::idempotency(owner, "key", now + fixtures::LEASE);
    kept.photos.clear();
    for _ in 0..1000 {
        let photo = commit.write_photo(fixtures::declared_photo(now, owner, job.value.id));
        commit.work.push(fixtures::schedule(&photo, WorkKind::Look));
        kept.photos.push(photo.value.id);
    }
    commit.idempotency = Some(kept.clone());
    let committed = commit_ok(&db, commit.clone()).await;
    assert_eq!(observations::log(&db).await.len(), 1002);
    assert_eq!(db.work.depth(WorkKind::Look).await.unwrap(), 1000);
    let view = db.jobs.job(owner, job.value.id).await.unwrap().unwrap();
    let ids: Vec<_> = view.photos.iter().map(|view| view.photo.id).collect();
    assert_eq!(ids, kept.photos);
    assert_eq!(db.photos.by_ids(owner, &kept.photos).await.unwrap().len(), 1000);
    let again = commit_ok(&db, commit).await;
    assert_eq!((again.cursor, again.repeated), (committed.cursor, true));
    let read = db.idempotency.idempotency(owner, &kept.key, now).await.unwrap();
    assert_eq!(read, Some(kept));
}

/// Acknowledged data is stored exactly and survives a restart.
pub async fn commits_survive_a_restart<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let owner = fixtures::user(&db, now).await;
    let mut commit = fixtures::commit(now + Duration::from_millis(7));
    commit.metadata = EventMetadata {
        correlation_id: Some("first".to_owned()),
        ..EventMetadata::default()
    };
    let job = commit.write_job(owner, 1);
    let photo = commit.write_photo(fixtures::declared_photo(now, owner, job.value.id));
    commit.work.push(fixtures::schedule(&photo, WorkKind::Look));
    commit_ok(&db, commit).await;
    let claim = db
        .work
        .claim(&[WorkKind::Look], 1, fixtures::LEASE)
        .await
        .unwrap();
    let before = (
        Snapshot::of(&db).await,
        db.jobs.job(owner, job.value.id).await.unwrap(),
    );
    drop(db);

    let harness = harness.reopened().await;
    let db = harness.ports();
    let after = (
        Snapshot::of(&db).await,
        db.jobs.job(owner, job.value.id).await.unwrap(),
    );
    assert_eq!(after, before);
    assert_ne!(observations::end(&db).await, Cursor::START);
    // Claims are stored: a worker that continues across the restart can finish, and new claims have new tokens.
    let claim = claim[0].token;
    fixtures::order_work(&db, now, [WorkOrder::Finish { claim }]).await;
    let next = fixtures::claim_work(&db, now, &photo, WorkKind::Look).await;
    assert!(next.token.token > claim.token);
}

/// Filenames, EXIF and hashes are stored beside the log and erased with the photo; account details are not.
pub async fn details_are_replaced_and_erased<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let owner = fixtures::user(&db, now).await;
    let photo = fixtures::photo(&db, now, owner).await;
    let id = photo.value.id;
    let view = || async { db.photos.photo(owner, id).await.unwrap().unwrap() };
    assert_eq!(view().await.metadata, PhotoMetadata::default());
    assert_eq!(view().await.hashes, PhotoHashes::default());
    let metadata = fixtures::metadata();
    let renamed = Filename::parse("renamed.jpg").unwrap();
    let mut commit = fixtures::commit(now);
    commit.details.push(Details::PhotoName {
        photo: id,
        filename: renamed.clone(),
    });
    commit.details.push(Details::PhotoMetadata {
        photo: id,
        metadata: Box::new(metadata.clone()),
    });
    commit.details.push(Details::PhotoHashes {
        photo: id,
        hashes: fixtures::hashes(),
    });
    commit_ok(&db, commit).await;
    assert_eq!(
        (view().await.filename, view().await.metadata, view().await.hashes),
        (renamed, metadata, fixtures::hashes())
    );

    let mut fewer = fixtures::commit(now);
    fewer.details.push(Details::PhotoMetadata {
        photo: id,
        metadata: Box::default(),
    });
    let declared_only = PhotoHashes {
        declared: fixtures::hashes().declared,
        ..PhotoHashes::default()
    };
    fewer.details.push(Details::PhotoHashes {
        photo: id,
        hashes: declared_only,
    });
    commit_ok(&db, fewer).await;
    assert_eq!(
        (view().await.metadata, view().await.hashes),
        (PhotoMetadata::default(), declared_only)
    );

    // Erased details do not reappear with a new filename.
    for details in [
        Details::PhotoMetadata {
            photo: id,
            metadata: Box::new(fixtures::metadata()),
        },
        Details::PhotoHashes {
            photo: id,
            hashes: fixtures::hashes(),
        },
        Details::ErasePhoto { photo: id },
        Details::PhotoName {
            photo: id,
            filename: fixtures::filename(),
        },
    ] {
        let mut commit = fixtures::commit(now);
        commit.details.push(details);
        commit_ok(&db, commit).await;
    }
    assert_eq!(
        (view().await.filename, view().await.metadata, view().await.hashes),
        (
            fixtures::filename(),
            PhotoMetadata::default(),
            PhotoHashes::default()
        )
    );

    let cancelled = fixtures::execute(&db, now, &photo, PhotoCommand::Cancel).await;
    fixtures::execute(&db, now, &cancelled, PhotoCommand::Delete).await;
    assert_eq!(db.photos.photo(owner, id).await.unwrap(), None);
    let loaded = db.aggregates.photo(id).await.unwrap().unwrap();
    assert!(loaded.value.deleted, "decisions load deleted photos");
}
