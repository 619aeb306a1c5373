use rapidphoto_application::jobs::CreatedJob;
use rapidphoto_domain::photo::PhotoStatus;
use rapidphoto_memory::TestApp;

use crate::support::{
    jobs::{age_upload_urls, cancel_and_delete, create_with_key},
    recording_journal::RecordingJournal,
};

#[tokio::test]
async fn a_repeated_request_has_one_item_per_file_even_if_photos_were_deleted() {
    let app = TestApp::new();
    let first = create_with_key(&app, 4).await;
    cancel_and_delete(&app, first.items[1].photo).await;
    let again = create_with_key(&app, 4).await;
    assert_eq!((again.job, again.created), (first.job, false));
    for (index, (item, declared)) in again.items.iter().zip(&first.items).enumerate() {
        assert_eq!(
            (item.photo, item.job, item.upload_id),
            (declared.photo, declared.job, declared.upload_id)
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
async fn a_repeated_request_lists_all_photos_even_if_all_were_deleted() {
    let app = TestApp::new();
    let first = create_with_key(&app, 20).await;
    for item in &first.items {
        cancel_and_delete(&app, item.photo).await;
    }
    age_upload_urls(&app);
    let again = create_with_key(&app, 20).await;
    let photos = |created: &CreatedJob| created.items.iter().map(|item| item.photo).collect::<Vec<_>>();
    assert_eq!(photos(&again), photos(&first));
    assert!(again.items.iter().all(|item| item.upload.is_none()));
}

#[tokio::test]
async fn a_repeated_request_returns_the_new_state_of_photos_that_change_concurrently() {
    let mut app = TestApp::new();
    let first = create_with_key(&app, 5).await;
    let journal = RecordingJournal::around(&mut app);
    age_upload_urls(&app);
    let (deleted, reported) = (first.items[1].photo, first.items[3].photo);
    for photo in [deleted, reported] {
        let other = journal.unrecorded(&app);
        journal.before_next(async move {
            if photo == deleted {
                cancel_and_delete(&other, photo).await;
            } else {
                other.finalize(photo).await;
            }
        });
    }
    let again = create_with_key(&app, 5).await;
    assert_eq!(again.items.len(), 5);
    for item in &again.items {
        // The other one was reported, but its object is not there.
        assert_eq!(item.upload.is_none(), item.photo == deleted);
    }
    assert_eq!(again.items[1].status, PhotoStatus::Cancelled);
    assert_eq!(again.items[3].status, PhotoStatus::Verifying);
    assert_eq!(journal.commits(), 3);
}
