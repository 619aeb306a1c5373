//! Opening of uploads in parts, and the URLs of parts.

use futures::future::join_all;
use rapidphoto_application::{
    jobs::{CreateJobError, RawFile, UploadOptions, UploadStrategy},
    uploads::{OpenUploadError, PartUrlsError},
};
use rapidphoto_domain::photo::{MIN_PART_BYTES, PartSizeError, PhotoEvent, PhotoStatus};
use rapidphoto_memory::{
    Operation, TestApp,
    fixtures::{self, BODY},
};

use crate::support::{
    count,
    jobs::age_upload_urls,
    parts::{
        IN_PARTS, body, create, declare, finalize, number, part_urls, put, send, send_bytes, sent, two_parts,
        uploaded,
    },
};

fn file(bytes: u64) -> RawFile {
    RawFile {
        bytes,
        checksum: None,
        ..fixtures::file(0)
    }
}

#[tokio::test]
async fn files_of_more_than_5_mib_are_sent_in_parts_unless_the_client_chooses() {
    let app = TestApp::new();
    let small = MIN_PART_BYTES;
    for (strategy, part_size, bytes, parts) in [
        (UploadStrategy::Auto, None, small, None),
        (UploadStrategy::Auto, None, small + 1, Some((8 << 20, 1))),
        (
            UploadStrategy::Auto,
            Some(MIN_PART_BYTES),
            small + 1,
            Some((MIN_PART_BYTES, 2)),
        ),
        (UploadStrategy::Single, None, 100 << 20, None),
        (UploadStrategy::Parts, None, 1, Some((8 << 20, 1))),
    ] {
        let options = UploadOptions {
            strategy,
            part_size,
            dedupe: false,
        };
        let item = create(&app, vec![file(bytes)], options)
            .await
            .unwrap()
            .items
            .remove(0);
        let layout = item.parts.map(|parts| (parts.part_size().get(), parts.count()));
        assert_eq!(layout, parts, "{options:?} {bytes}");
        assert_eq!(item.upload.is_some(), parts.is_none(), "one or the other");
    }
}

#[tokio::test]
async fn every_file_is_sent_in_parts_to_a_store_without_conditional_writes() {
    let app = TestApp::new();
    app.objects.lack_conditional_writes();
    for strategy in [UploadStrategy::Auto, UploadStrategy::Single] {
        let options = UploadOptions {
            strategy,
            ..UploadOptions::default()
        };
        let item = create(&app, vec![file(1)], options)
            .await
            .unwrap()
            .items
            .remove(0);
        assert_eq!(item.parts.unwrap().count(), 1);
        assert_eq!(item.upload, None);
    }
}

#[tokio::test]
async fn part_sizes_outside_the_limits_of_the_store_refuse_the_batch() {
    let app = TestApp::with_settings(|settings| settings.uploads.max_file_bytes = 1 << 40);
    for (part_size, bytes) in [
        (0, 1),
        (MIN_PART_BYTES - 1, 1),
        (u64::MAX, 1),
        (MIN_PART_BYTES, MIN_PART_BYTES * 10_000 + 1),
    ] {
        let options = UploadOptions {
            part_size: Some(part_size),
            ..IN_PARTS
        };
        let refused = create(&app, vec![file(1), file(bytes)], options)
            .await
            .unwrap_err();
        assert!(
            matches!(
                refused,
                CreateJobError::PartSize(PartSizeError::OutOfRange(_) | PartSizeError::TooManyParts { .. })
            ),
            "{refused:?}"
        );
        assert!(app.log().await.is_empty());
    }
}

#[tokio::test]
async fn the_first_request_for_urls_opens_the_upload_and_later_ones_use_it() {
    let app = TestApp::new();
    let photo = declare(&app, two_parts()).await;
    assert_eq!(uploaded(&app, photo).await.unwrap().parts, []);
    assert_eq!(app.objects.open_uploads(), 0);
    let first = part_urls(&app, photo, [2, 1]).await.unwrap();
    assert_eq!(
        first.parts.iter().map(|(part, _)| part.get()).collect::<Vec<_>>(),
        [1, 2]
    );
    assert_eq!(app.status(photo).await, PhotoStatus::Uploading);
    assert_eq!(put(&app, &first, 2, body(2)).status, 200);
    let wrong_length = put(&app, &first, 1, body(2));
    assert_eq!(wrong_length.status, 403, "the size of the part is signed");
    let events = app.photo_events(photo).await.len();
    send(&app, photo, 1).await;
    assert_eq!(
        app.photo_events(photo).await.len(),
        events,
        "a fresh window is kept"
    );
    assert_eq!(app.objects.open_uploads(), 1);
    let parts = uploaded(&app, photo).await.unwrap().parts;
    let sizes: Vec<_> = parts.iter().map(|part| (part.number.get(), part.bytes)).collect();
    assert_eq!(sizes, [(1, MIN_PART_BYTES), (2, 7)]);
}

#[tokio::test]
async fn urls_are_a_sign_of_life_and_expire_with_the_window() {
    let app = TestApp::new();
    let photo = declare(&app, two_parts()).await;
    send(&app, photo, 1).await;
    let opened = app.photo(photo).await;
    age_upload_urls(&app);
    let urls = part_urls(&app, photo, [2]).await.unwrap();
    let renewed = app.photo(photo).await;
    assert_eq!(renewed.multipart, opened.multipart);
    assert!(renewed.window.ends_at > opened.window.ends_at);
    assert_eq!(urls.parts[0].1.expires_at, renewed.window.url_expires_at);
    app.clock.set(renewed.window.url_expires_at);
    assert_eq!(put(&app, &urls, 2, body(2)).status, 403);
}

#[tokio::test]
async fn concurrent_requests_open_one_upload_and_the_losers_abort_their_own() {
    for seed in 0..30 {
        let app = TestApp::seeded(seed);
        let photo = declare(&app, fixtures::file(0)).await;
        app.objects.faults().yield_randomly(seed);
        app.store.faults().yield_randomly(seed + 1000);
        let requests = join_all((0..8).map(|_| part_urls(&app, photo, [1]))).await;
        assert_eq!(app.objects.open_uploads(), 1, "{seed}");
        for urls in &requests {
            assert_eq!(put(&app, urls.as_ref().unwrap(), 1, BODY.into()).status, 200);
        }
        let events = app.photo_events(photo).await;
        let is_opened = |event: &PhotoEvent| matches!(event, PhotoEvent::PhotoMultipartOpened { .. });
        assert_eq!(count(&events, is_opened), 1);
        finalize(&app, photo).await.unwrap();
        app.assert_rows_match_events().await;
    }
}

#[tokio::test]
async fn a_request_that_stops_at_any_step_of_opening_can_be_repeated() {
    for operation in [
        Operation::OpenMultipart,
        Operation::Commit,
        Operation::Read,
        Operation::Bucket,
    ] {
        for lost_answer in [false, true] {
            let app = TestApp::new();
            let photo = declare(&app, fixtures::file(0)).await;
            for faults in [app.objects.faults(), app.store.faults()] {
                if lost_answer {
                    faults.lose_answers(operation, 1);
                } else {
                    faults.fail_next(operation, 1);
                }
            }
            // Some commits are repeated by the request itself.
            let _ = part_urls(&app, photo, [1]).await;
            send_bytes(&app, photo, 1, BODY.into()).await;
            finalize(&app, photo).await.unwrap();
            app.execute_due().await;
            assert_eq!(
                app.status(photo).await,
                PhotoStatus::Completed,
                "{operation:?} {lost_answer}"
            );
            app.assert_rows_match_events().await;
        }
    }
}

#[tokio::test]
async fn a_part_that_the_file_does_not_have_is_refused_and_opens_nothing() {
    let app = TestApp::with_settings(|settings| settings.uploads.max_file_bytes = 1 << 40);
    let huge = declare(&app, file(MIN_PART_BYTES * 10_000)).await;
    let urls = part_urls(&app, huge, [1, 9_999, 10_000]).await.unwrap();
    assert_eq!((urls.layout.count(), urls.parts.len()), (10_000, 3));
    let small = declare(&app, two_parts()).await;
    for numbers in [vec![3], vec![1, 10_000]] {
        let refused = part_urls(&app, small, numbers.clone()).await;
        let last = number(*numbers.last().unwrap());
        assert!(
            matches!(refused, Err(PartUrlsError::NoSuchPart { number, count: 2 }) if number == last),
            "{refused:?}"
        );
    }
    assert_eq!(app.status(small).await, PhotoStatus::Queued);
    assert_eq!(app.objects.open_uploads(), 1);
}

#[tokio::test]
async fn photos_that_await_no_parts_get_no_urls() {
    let app = TestApp::new();
    let single = app.declare_one().await.photo;
    let refused = part_urls(&app, single, [1]).await;
    assert!(
        matches!(refused, Err(PartUrlsError::Upload(OpenUploadError::NotInParts))),
        "{refused:?}"
    );
    let refused = uploaded(&app, single).await;
    assert!(matches!(refused, Err(OpenUploadError::NotInParts)), "{refused:?}");
    let photo = sent(&app).await;
    finalize(&app, photo).await.unwrap();
    for expected in [PhotoStatus::Verifying, PhotoStatus::Completed] {
        let refused = part_urls(&app, photo, [1]).await;
        assert!(
            matches!(refused, Err(PartUrlsError::Upload(OpenUploadError::UploadEnded(status))) if status == expected),
            "{refused:?}"
        );
        let refused = uploaded(&app, photo).await;
        assert!(
            matches!(refused, Err(OpenUploadError::UploadEnded(_))),
            "{refused:?}"
        );
        app.execute_due().await;
    }
    let others = TestApp {
        owner: fixtures::OTHER_USER,
        ..app.clone()
    };
    let refused = part_urls(&others, photo, [1]).await;
    assert!(
        matches!(refused, Err(PartUrlsError::Upload(OpenUploadError::NoSuchPhoto))),
        "{refused:?}"
    );
}
