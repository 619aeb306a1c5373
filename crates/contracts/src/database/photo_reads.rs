//! Reads of single photos and of photos by id or upload id.

use std::{collections::BTreeSet, time::Duration};

use rapidphoto_application::ports::{Details, PhotoHashes};
use rapidphoto_domain::{photo::PhotoCommand, values::Checksum};

use super::{
    DatabaseHarness,
    fixtures::{self, CommitExt, commit_ok},
};

/// A photo view contains its state, filename, metadata, hashes and times.
pub async fn a_photo_view_has_state_details_and_times<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let owner = fixtures::user(&db, now).await;
    let photo = fixtures::photo(&db, now, owner).await;
    let later = now + Duration::from_millis(250);
    let mut commit = fixtures::commit(later);
    let started = commit.write_command(&photo, PhotoCommand::StartUpload);
    commit.details.push(Details::PhotoMetadata {
        photo: photo.value.id,
        metadata: Box::new(fixtures::metadata()),
    });
    commit.details.push(Details::PhotoHashes {
        photo: photo.value.id,
        hashes: fixtures::hashes(),
    });
    commit_ok(&db, commit).await;
    let view = db.photos.photo(owner, photo.value.id).await.unwrap().unwrap();
    assert_eq!((view.photo, view.version), (started.value, started.version));
    assert_eq!(
        (view.filename, view.metadata, view.hashes),
        (fixtures::filename(), fixtures::metadata(), fixtures::hashes())
    );
    assert_eq!((view.created_at, view.updated_at), (now, later));
}

/// No read returns another user's photo.
pub async fn another_users_photo_is_not_found<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let (owner, other) = (fixtures::user(&db, now).await, fixtures::user(&db, now).await);
    let photo = fixtures::photo(&db, now, owner).await.value;
    assert_eq!(db.photos.photo(other, photo.id).await.unwrap(), None);
    assert_eq!(db.photos.by_ids(other, &[photo.id]).await.unwrap(), []);
    assert_eq!(
        db.photos.by_upload_ids(other, &[photo.upload_id]).await.unwrap(),
        []
    );
    assert!(db.photos.photo(owner, photo.id).await.unwrap().is_some());
}

/// No read returns a deleted photo.
pub async fn a_deleted_photo_is_not_found<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let owner = fixtures::user(&db, now).await;
    let photo = fixtures::photo(&db, now, owner).await;
    let cancelled = fixtures::execute(&db, now, &photo, PhotoCommand::Cancel).await;
    let photo = fixtures::execute(&db, now, &cancelled, PhotoCommand::Delete)
        .await
        .value;
    assert_eq!(db.photos.photo(owner, photo.id).await.unwrap(), None);
    assert_eq!(db.photos.by_ids(owner, &[photo.id]).await.unwrap(), []);
    assert_eq!(
        db.photos.by_upload_ids(owner, &[photo.upload_id]).await.unwrap(),
        []
    );
}

/// Photos by id are returned in the requested order, each once; missing ones are omitted.
pub async fn photos_by_id_are_in_the_requested_order<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let owner = fixtures::user(&db, now).await;
    let (_, photos) = fixtures::job(&db, now, owner, 5).await;
    let ids = [4, 0, 3, 0, 1].map(|index: usize| photos[index].value.id);
    let requested = [ids[0], fixtures::photo_id(), ids[1], ids[2], ids[3], ids[4]];
    let views = db.photos.by_ids(owner, &requested).await.unwrap();
    let found: Vec<_> = views.iter().map(|view| view.photo.id).collect();
    assert_eq!(found, [ids[0], ids[1], ids[2], ids[4]]);
    assert_eq!(db.photos.by_ids(owner, &[]).await.unwrap(), []);
}

/// Photos by upload id are returned once each; missing ones are omitted.
pub async fn photos_are_found_by_their_upload_ids<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let owner = fixtures::user(&db, now).await;
    let (_, photos) = fixtures::job(&db, now, owner, 700).await;
    let mut requested: Vec<_> = photos.iter().skip(1).map(|photo| photo.value.upload_id).collect();
    requested.push(fixtures::upload_id());
    requested.push(requested[0]);
    let views = db.photos.by_upload_ids(owner, &requested).await.unwrap();
    assert_eq!(views.len(), 699);
    let found: BTreeSet<_> = views.iter().map(|view| view.photo.id).collect();
    assert_eq!(found, photos.iter().skip(1).map(|photo| photo.value.id).collect());
    assert_eq!(db.photos.by_upload_ids(owner, &[]).await.unwrap(), []);
}

/// Completed photos are found by the measured checksum of their content: not those of others, deleted or open ones, and not by
/// the declared one.
pub async fn completed_photos_are_found_by_their_content<H: DatabaseHarness>(harness: H) {
    let (db, now) = (harness.ports(), harness.now());
    let (owner, other) = (fixtures::user(&db, now).await, fixtures::user(&db, now).await);
    let content = |byte| Checksum::from_bytes([byte; 32]);
    let with_content = async |owner, byte, end: Option<PhotoCommand>| {
        let photo = fixtures::photo(&db, now, owner).await;
        let mut commit = fixtures::commit(now);
        let mut photo = commit.write_command(&photo, PhotoCommand::StartUpload);
        commit.details.push(Details::PhotoHashes {
            photo: photo.value.id,
            hashes: PhotoHashes {
                declared: Some(content(99)),
                measured: Some(content(byte)),
                perceptual: None,
            },
        });
        commit_ok(&db, commit).await;
        let object = fixtures::arrived();
        let result = Box::new(fixtures::completed(now));
        for command in [
            PhotoCommand::CompleteUpload,
            PhotoCommand::StartProcessing { object },
            PhotoCommand::CompleteProcessing { result },
        ] {
            if end.is_some() && matches!(command, PhotoCommand::CompleteProcessing { .. }) {
                break;
            }
            photo = fixtures::execute(&db, now, &photo, command).await;
        }
        if let Some(end) = end {
            photo = fixtures::execute(&db, now, &photo, end).await;
        }
        photo
    };
    let first = with_content(owner, 1, None).await;
    let twin = with_content(owner, 1, None).await;
    let second = with_content(owner, 2, None).await;
    with_content(owner, 3, None).await;
    with_content(other, 1, None).await;
    with_content(owner, 1, Some(PhotoCommand::FailProcessing)).await;
    let deleted = with_content(owner, 2, None).await;
    let deleted = fixtures::execute(&db, now, &deleted, PhotoCommand::Delete).await;
    assert!(deleted.value.deleted);
    let wanted = [content(1), content(2), content(2), content(7), content(99)];
    let found = db.photos.completed_with_checksums(owner, &wanted).await.unwrap();
    let mut ids: Vec<_> = found.iter().map(|view| view.photo.id).collect();
    ids.sort_unstable();
    let mut expected = [first.value.id, twin.value.id, second.value.id];
    expected.sort_unstable();
    assert_eq!(ids, expected);
    assert_eq!(db.photos.completed_with_checksums(owner, &[]).await.unwrap(), []);
}
