use rapidphoto_domain::photo::PhotoEvent;
use rapidphoto_memory::TestApp;

use crate::support::{
    count,
    jobs::{age_upload_urls, create_with_key},
    recording_journal::RecordingJournal,
};

#[tokio::test]
async fn a_repeated_request_renews_all_urls_in_one_commit() {
    let mut app = TestApp::new();
    let first = create_with_key(&app, 200).await;
    let journal = RecordingJournal::around(&mut app);
    age_upload_urls(&app);
    let again = create_with_key(&app, 200).await;
    assert_eq!(journal.commits(), 1);
    let end = app.now() + app.settings.uploads.url_lifetime;
    for (item, declared) in again.items.iter().zip(&first.items) {
        assert_eq!(item.photo, declared.photo);
        assert_eq!(item.upload.as_ref().unwrap().expires_at, end);
        assert_eq!(app.photo(item.photo).await.window.url_expires_at, end);
    }
    create_with_key(&app, 200).await;
    assert_eq!(journal.commits(), 1, "new URLs are not renewed");
    app.assert_rows_match_events().await;
}

#[tokio::test]
async fn photos_are_renewed_one_by_one_after_repeated_conflicts() {
    let mut app = TestApp::new();
    let first = create_with_key(&app, 6).await;
    let journal = RecordingJournal::around(&mut app);
    age_upload_urls(&app);
    for item in &first.items[..3] {
        let other = journal.unrecorded(&app);
        let photo = item.photo;
        journal.before_next(async move {
            other.finalize(photo).await;
        });
    }
    let again = create_with_key(&app, 6).await;
    let has_url: Vec<_> = again.items.iter().map(|item| item.upload.is_some()).collect();
    assert_eq!(has_url, [false, false, false, true, true, true]);
    assert_eq!(journal.commits(), 3 + 3);
    for item in &again.items[3..] {
        let events = app.photo_events(item.photo).await;
        let is_renewal = |event: &PhotoEvent| matches!(event, PhotoEvent::PhotoUploadRenewed { .. });
        assert_eq!(count(&events, is_renewal), 1);
    }
}
