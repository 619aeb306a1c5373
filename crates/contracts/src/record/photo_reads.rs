//! Photos by name.

use std::{collections::BTreeSet, time::Duration};

use rapidphoto_domain::photo::PhotoCommand;

use super::{
    RecordHarness,
    given::{self, Writing, stands},
};

/// A photo shows what the log says, what it is called, and when that was.
pub async fn a_photo_shows_what_is_known_of_it<H: RecordHarness>(harness: H) {
    let (record, now) = (harness.record(), harness.now());
    let owner = given::user(&record, now).await;
    let photo = given::photo(&record, now, owner).await;
    let later = now + Duration::from_millis(250);
    let mut commit = given::commit(later);
    let started = commit.write_command(&photo, PhotoCommand::StartUpload);
    commit
        .details
        .push(rapidphoto_application::ports::Details::PhotoMetadata {
            photo: photo.value.id,
            metadata: Box::new(given::metadata()),
        });
    stands(&record, commit).await;
    let view = record.photos.photo(owner, photo.value.id).await.unwrap().unwrap();
    assert_eq!((view.photo, view.version), (started.value, started.version));
    assert_eq!(
        (view.filename, view.metadata),
        (given::filename(), given::metadata())
    );
    assert_eq!((view.created_at, view.updated_at), (now, later));
}

/// Nobody sees another's photo, in whatever way it is asked for.
pub async fn another_users_photo_is_not_shown<H: RecordHarness>(harness: H) {
    let (record, now) = (harness.record(), harness.now());
    let (owner, other) = (given::user(&record, now).await, given::user(&record, now).await);
    let photo = given::photo(&record, now, owner).await.value;
    assert_eq!(record.photos.photo(other, photo.id).await.unwrap(), None);
    assert_eq!(record.photos.by_ids(other, &[photo.id]).await.unwrap(), []);
    assert_eq!(
        record
            .photos
            .by_upload_ids(other, &[photo.upload_id])
            .await
            .unwrap(),
        []
    );
    assert!(record.photos.photo(owner, photo.id).await.unwrap().is_some());
}

/// A deleted photo is not shown in any way.
pub async fn a_deleted_photo_is_not_shown<H: RecordHarness>(harness: H) {
    let (record, now) = (harness.record(), harness.now());
    let owner = given::user(&record, now).await;
    let photo = given::photo(&record, now, owner).await;
    let cancelled = given::command(&record, now, &photo, PhotoCommand::Cancel).await;
    let photo = given::command(&record, now, &cancelled, PhotoCommand::Delete)
        .await
        .value;
    assert_eq!(record.photos.photo(owner, photo.id).await.unwrap(), None);
    assert_eq!(record.photos.by_ids(owner, &[photo.id]).await.unwrap(), []);
    assert_eq!(
        record
            .photos
            .by_upload_ids(owner, &[photo.upload_id])
            .await
            .unwrap(),
        []
    );
}

/// Photos asked for by id come in the order asked, each once; those that are not there are left out.
pub async fn photos_by_id_come_in_the_order_asked<H: RecordHarness>(harness: H) {
    let (record, now) = (harness.record(), harness.now());
    let owner = given::user(&record, now).await;
    let (_, photos) = given::job(&record, now, owner, 5).await;
    let ids = [4, 0, 3, 0, 1].map(|index: usize| photos[index].value.id);
    let asked = [ids[0], given::photo_id(), ids[1], ids[2], ids[3], ids[4]];
    let views = record.photos.by_ids(owner, &asked).await.unwrap();
    let found: Vec<_> = views.iter().map(|view| view.photo.id).collect();
    assert_eq!(found, [ids[0], ids[1], ids[2], ids[4]]);
    assert_eq!(record.photos.by_ids(owner, &[]).await.unwrap(), []);
}

/// Photos asked for by upload id: those that are there, each once.
pub async fn photos_are_found_by_their_upload_ids<H: RecordHarness>(harness: H) {
    let (record, now) = (harness.record(), harness.now());
    let owner = given::user(&record, now).await;
    let (_, photos) = given::job(&record, now, owner, 700).await;
    let mut asked: Vec<_> = photos.iter().skip(1).map(|photo| photo.value.upload_id).collect();
    asked.push(given::upload_id());
    asked.push(asked[0]);
    let views = record.photos.by_upload_ids(owner, &asked).await.unwrap();
    assert_eq!(views.len(), 699);
    let found: BTreeSet<_> = views.iter().map(|view| view.photo.id).collect();
    assert_eq!(found, photos.iter().skip(1).map(|photo| photo.value.id).collect());
    assert_eq!(record.photos.by_upload_ids(owner, &[]).await.unwrap(), []);
}
