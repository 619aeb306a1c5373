use std::{collections::BTreeSet, time::Duration};

use rapidphoto_application::{
    jobs::{CreateJob, CreateJobHandler, CreatedJob, RawFile},
    ports::{EventMetadata, IdempotencyKey},
};
use rapidphoto_domain::{
    PhotoId,
    photo::{PhotoEvent, PhotoStatus},
};

use crate::{
    bench::{BODY, Bench, count},
    journal::WatchedJournal,
};

async fn ask(bench: &Bench, photos: usize) -> CreatedJob {
    let file = |index| RawFile {
        filename: format!("{index}.jpg"),
        mime_type: "image/jpeg".to_owned(),
        bytes: BODY.len() as u64,
        upload_id: None,
        checksum: None,
    };
    let command = CreateJob {
        owner: bench.owner,
        files: (0..photos).map(file).collect(),
        idempotency_key: Some(IdempotencyKey::parse("the same request").unwrap()),
        metadata: EventMetadata::default(),
    };
    CreateJobHandler::new(&bench.ports, Arc::clone(&bench.settings))
        .handle(command)
        .await
        .unwrap()
}

/// Cancels a photo and deletes it.
async fn remove(bench: &Bench, photo: PhotoId) {
    bench.delete(photo).await;
    assert!(bench.delete(photo).await.deleted);
}

/// After this, less than half of a URL's life is left.
fn let_urls_age(bench: &Bench) {
    bench
        .clock
        .advance(bench.settings.uploads.url_lifetime / 2 + Duration::from_secs(1));
}

#[tokio::test]
async fn a_replay_has_one_item_for_each_file_though_photos_were_deleted() {
    let bench = Bench::new();
    let first = ask(&bench, 4).await;
    remove(&bench, first.items[1].photo).await;
    let again = ask(&bench, 4).await;
    assert_eq!((again.job, again.created), (first.job, false));
    for (index, (item, promised)) in again.items.iter().zip(&first.items).enumerate() {
        assert_eq!(
            (item.photo, item.job, item.upload_id),
            (promised.photo, promised.job, promised.upload_id)
        );
        let expected = if index == 1 {
            PhotoStatus::Cancelled
        } else {
            PhotoStatus::Queued
        };
        assert_eq!((item.status, item.upload.is_some()), (expected, index != 1));
    }
    assert_eq!(again.items.len(), 4);
}

#[tokio::test]
async fn a_replay_of_nothing_but_deleted_photos_is_whole() {
    let bench = Bench::new();
    let first = ask(&bench, 20).await;
    for item in &first.items {
        remove(&bench, item.photo).await;
    }
    let_urls_age(&bench);
    let again = ask(&bench, 20).await;
    let photos = |created: &CreatedJob| created.items.iter().map(|item| item.photo).collect::<Vec<_>>();
    assert_eq!(photos(&again), photos(&first));
    assert!(again.items.iter().all(|item| item.upload.is_none()));
}

#[tokio::test]
async fn all_urls_of_a_replay_are_renewed_by_one_commit() {
    let mut bench = Bench::new();
    let first = ask(&bench, 200).await;
    let journal = WatchedJournal::around(&mut bench);
    let_urls_age(&bench);
    let again = ask(&bench, 200).await;
    assert_eq!(journal.commits(), 1);
    let end = bench.now() + bench.settings.uploads.url_lifetime;
    for (item, promised) in again.items.iter().zip(&first.items) {
        assert_eq!(item.photo, promised.photo);
        assert_eq!(item.upload.as_ref().unwrap().expires_at, end);
        assert_eq!(bench.photo(item.photo).await.window.url_expires_at, end);
    }
    ask(&bench, 200).await;
    assert_eq!(journal.commits(), 1, "what is fresh is not renewed");
    bench.assert_record_is_sound().await;
}

#[tokio::test]
async fn a_photo_that_moves_under_a_replay_is_answered_as_it_is() {
    let mut bench = Bench::new();
    let first = ask(&bench, 5).await;
    let journal = WatchedJournal::around(&mut bench);
    let_urls_age(&bench);
    let (deleted, arrived) = (first.items[1].photo, first.items[3].photo);
    for photo in [deleted, arrived] {
        let other = journal.unwatched(&bench);
        journal.before_next(async move {
            if photo == deleted {
                remove(&other, photo).await;
            } else {
                other.finalize(photo).await;
            }
        });
    }
    let again = ask(&bench, 5).await;
    let moved: BTreeSet<_> = [deleted, arrived].into();
    assert_eq!(again.items.len(), 5);
    for item in &again.items {
        assert_eq!(item.upload.is_none(), moved.contains(&item.photo));
    }
    assert_eq!(again.items[1].status, PhotoStatus::Cancelled);
    assert_eq!(again.items[3].status, PhotoStatus::Verifying);
    assert_eq!(journal.commits(), 3);
}

#[tokio::test]
async fn photos_are_renewed_one_by_one_where_some_photo_always_moves() {
    let mut bench = Bench::new();
    let first = ask(&bench, 6).await;
    let journal = WatchedJournal::around(&mut bench);
    let_urls_age(&bench);
    for item in &first.items[..3] {
        let other = journal.unwatched(&bench);
        let photo = item.photo;
        journal.before_next(async move {
            other.finalize(photo).await;
        });
    }
    let again = ask(&bench, 6).await;
    let wanted: Vec<_> = again.items.iter().map(|item| item.upload.is_some()).collect();
    assert_eq!(wanted, [false, false, false, true, true, true]);
    assert_eq!(journal.commits(), 3 + 3);
    for item in &again.items[3..] {
        let events = bench.photo_events(item.photo).await;
        let is_renewal = |event: &PhotoEvent| matches!(event, PhotoEvent::PhotoUploadRenewed { .. });
        assert_eq!(count(&events, is_renewal), 1);
    }
}
