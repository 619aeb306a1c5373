//! Completion of uploads in parts.

use std::collections::BTreeMap;

use futures::future::join_all;
use rapidphoto_application::{
    ports::{MultipartUploads as _, ObjectStore as _, WorkKind},
    uploads::{CompleteUploadError, FinalizeUploadError, PartFault, PartFaultKind},
};
use rapidphoto_domain::{
    PhotoId,
    photo::{Check, FailureReason, MIN_PART_BYTES, PhotoEvent, PhotoState, PhotoStatus},
};
use rapidphoto_memory::{
    Operation, TestApp,
    fixtures::{BODY, DAY, HOUR},
};

use crate::support::{
    count,
    parts::{
        body, declare, finalize, finalize_listed, number, part_urls, put, renew, send, send_bytes, sent,
        sent_one, two_parts, uploaded,
    },
    rejection_reasons,
};

fn incomplete(result: Result<impl std::fmt::Debug, FinalizeUploadError>) -> Vec<(u16, PartFaultKind)> {
    match result {
        Err(FinalizeUploadError::Parts(CompleteUploadError::PartsIncomplete(faults))) => described(&faults),
        other => panic!("{other:?}"),
    }
}

fn changed(result: Result<impl std::fmt::Debug, FinalizeUploadError>) -> Vec<(u16, PartFaultKind)> {
    match result {
        Err(FinalizeUploadError::Parts(CompleteUploadError::PartsChanged(faults))) => described(&faults),
        other => panic!("{other:?}"),
    }
}

fn described(faults: &[PartFault]) -> Vec<(u16, PartFaultKind)> {
    faults
        .iter()
        .map(|fault| (fault.number.get(), fault.kind))
        .collect()
}

fn assert_lost(result: &Result<impl std::fmt::Debug, FinalizeUploadError>) {
    let lost = matches!(
        result,
        Err(FinalizeUploadError::Parts(CompleteUploadError::UploadLost))
    );
    assert!(lost, "{result:?}");
}

async fn abort(app: &TestApp, photo: PhotoId) {
    let upload = app.photo(photo).await.multipart.unwrap();
    app.objects
        .abort(&app.original_key(photo), &upload)
        .await
        .unwrap();
}

#[tokio::test]
async fn a_file_in_parts_is_completed_and_its_checksum_is_judged_from_the_stream() {
    let app = TestApp::new();
    let good = sent(&app).await;
    assert_eq!(
        finalize(&app, good).await.unwrap().status(),
        PhotoStatus::Verifying
    );
    let bad = declare(&app, two_parts()).await;
    send(&app, bad, 1).await;
    send_bytes(&app, bad, 2, vec![9; 7].into()).await;
    finalize(&app, bad).await.unwrap();
    app.execute_due().await;
    assert_eq!(app.status(good).await, PhotoStatus::Completed);
    assert_eq!(rejection_reasons(&app, bad).await, [Check::ChecksumMismatch]);
    let bytes = app.objects.bytes(&app.original_key(good)).unwrap();
    assert!(bytes == [body(1), body(2)].concat());
    assert_eq!(app.objects.open_uploads(), 0);
}

#[tokio::test]
async fn parts_that_do_not_add_up_to_the_file_are_named() {
    let app = TestApp::new();
    let photo = declare(&app, two_parts()).await;
    let all = vec![(1, PartFaultKind::NotSent), (2, PartFaultKind::NotSent)];
    assert_eq!(incomplete(finalize(&app, photo).await), all, "nothing is opened");
    part_urls(&app, photo, [1]).await.unwrap();
    assert_eq!(incomplete(finalize(&app, photo).await), all);
    send(&app, photo, 2).await;
    assert_eq!(
        incomplete(finalize(&app, photo).await),
        [(1, PartFaultKind::NotSent)]
    );
    assert_eq!(app.status(photo).await, PhotoStatus::Uploading);
    send(&app, photo, 1).await;
    finalize(&app, photo).await.unwrap();
}

#[tokio::test]
async fn the_client_s_list_is_compared_with_storage() {
    let app = TestApp::new();
    let photo = declare(&app, two_parts()).await;
    let old = send_bytes(
        &app,
        photo,
        1,
        vec![9; usize::try_from(MIN_PART_BYTES).unwrap()].into(),
    )
    .await;
    let (first, second) = (send(&app, photo, 1).await, send(&app, photo, 2).await);
    let list = |parts: &[(u16, &_)]| {
        let parts = parts
            .iter()
            .map(|(part, e_tag): &(u16, &rapidphoto_domain::values::ETag)| (number(*part), (*e_tag).clone()));
        Some(parts.collect::<BTreeMap<_, _>>())
    };
    let stale = list(&[(1, &old), (2, &second)]);
    assert_eq!(
        changed(finalize_listed(&app, photo, stale).await),
        [(1, PartFaultKind::OtherETag)]
    );
    let short = list(&[(1, &first)]);
    assert_eq!(
        incomplete(finalize_listed(&app, photo, short).await),
        [(2, PartFaultKind::NotListed)]
    );
    let long = list(&[(1, &first), (2, &second), (3, &second)]);
    assert_eq!(
        changed(finalize_listed(&app, photo, long).await),
        [(3, PartFaultKind::NoSuchPart)]
    );
    assert!(app.objects.keys().is_empty());
    let right = list(&[(1, &first), (2, &second)]);
    finalize_listed(&app, photo, right.clone()).await.unwrap();
    finalize_listed(&app, photo, right).await.unwrap();
    app.execute_due().await;
    assert_eq!(
        app.status(photo).await,
        PhotoStatus::Completed,
        "the bytes that were sent last count"
    );
    let single = app.declare_one().await.photo;
    let refused = finalize_listed(&app, single, list(&[(1, &first)])).await;
    assert!(
        matches!(refused, Err(FinalizeUploadError::NotInParts)),
        "{refused:?}"
    );
}

#[tokio::test]
async fn a_completion_that_stops_at_any_step_can_be_repeated() {
    for operation in [
        Operation::Read,
        Operation::ListMultipart,
        Operation::CompleteMultipart,
        Operation::Head,
        Operation::Commit,
    ] {
        for lost_answer in [false, true] {
            let app = TestApp::new();
            let photo = sent_one(&app).await;
            for faults in [app.objects.faults(), app.store.faults()] {
                if lost_answer {
                    faults.lose_answers(operation, 1);
                } else {
                    faults.fail_next(operation, 1);
                }
            }
            let first = finalize(&app, photo).await;
            let fails =
                operation != Operation::Head && (operation, lost_answer) != (Operation::ListMultipart, true);
            assert_eq!(first.is_err(), fails, "{operation:?} {lost_answer} {first:?}");
            app.objects.faults().fail_next(Operation::Head, 0);
            finalize(&app, photo).await.unwrap();
            app.execute_for(HOUR).await;
            assert_eq!(
                app.status(photo).await,
                PhotoStatus::Completed,
                "{operation:?} {lost_answer}"
            );
            assert_eq!(app.objects.open_uploads(), 0);
            let events = app.photo_events(photo).await;
            let is_reported = |event: &PhotoEvent| matches!(event, PhotoEvent::PhotoUploadCompleted {});
            assert_eq!(count(&events, is_reported), 1);
        }
    }
}

#[tokio::test]
async fn a_completed_upload_whose_client_never_returns_is_found_by_a_look() {
    let app = TestApp::new();
    let photo = sent_one(&app).await;
    app.objects.faults().lose_answers(Operation::CompleteMultipart, 1);
    app.objects.faults().fail_next(Operation::Announce, 1);
    finalize(&app, photo).await.unwrap_err();
    let refused = uploaded(&app, photo).await;
    assert!(
        refused.is_err(),
        "a client that resumes sends nothing again: {refused:?}"
    );
    app.execute_for(HOUR).await;
    assert_eq!(app.status(photo).await, PhotoStatus::Completed);
}

#[tokio::test]
async fn concurrent_completions_make_one_object() {
    for seed in 0..20 {
        let app = TestApp::seeded(seed);
        let photo = sent_one(&app).await;
        app.objects.faults().yield_randomly(seed);
        app.store.faults().yield_randomly(seed + 1000);
        for result in join_all((0..10).map(|_| finalize(&app, photo))).await {
            result.unwrap();
        }
        app.deliver_storage_events().await;
        app.execute_due().await;
        assert_eq!(app.status(photo).await, PhotoStatus::Completed, "{seed}");
        let events = app.photo_events(photo).await;
        let is_result = |event: &PhotoEvent| matches!(event, PhotoEvent::PhotoProcessingCompleted { .. });
        assert_eq!(count(&events, is_result), 1);
    }
}

#[tokio::test]
async fn a_completion_raced_by_a_cancellation_leaves_nothing() {
    for seed in 0..40 {
        let app = TestApp::seeded(seed);
        let photo = sent_one(&app).await;
        let late = part_urls(&app, photo, [1]).await.unwrap();
        app.objects.faults().yield_randomly(seed);
        app.store.faults().yield_randomly(seed + 1000);
        let worker = async {
            for _ in 0..10 {
                app.execute_due().await;
            }
        };
        let (_, cancelled, ()) = tokio::join!(finalize(&app, photo), app.delete(photo), worker);
        if cancelled.deleted {
            continue;
        }
        app.deliver_storage_events().await;
        app.execute_for(2 * DAY).await;
        assert_eq!(app.status(photo).await, PhotoStatus::Cancelled, "{seed}");
        assert_eq!(
            (app.objects.keys().len(), app.objects.open_uploads()),
            (0, 0),
            "{seed}"
        );
        assert_ne!(put(&app, &late, 1, BODY.into()).status, 200);
        assert_eq!(app.next_due(&WorkKind::ALL).await, None);
    }
}

#[tokio::test]
async fn a_completion_raced_by_the_end_of_the_window_has_one_result() {
    for seed in 0..40 {
        let app = TestApp::seeded(seed);
        let photo = sent_one(&app).await;
        app.execute_for(23 * HOUR + 59 * HOUR / 60).await;
        app.clock.advance(HOUR / 30);
        app.objects.faults().yield_randomly(seed);
        app.store.faults().yield_randomly(seed + 1000);
        let worker = async {
            for _ in 0..3 {
                app.execute_due().await;
            }
        };
        let (finalized, ()) = tokio::join!(finalize(&app, photo), worker);
        app.deliver_storage_events().await;
        app.execute_for(DAY).await;
        let expected = match finalized {
            Ok(_) => PhotoStatus::Completed,
            Err(_) => PhotoStatus::Failed,
        };
        assert_eq!(app.status(photo).await, expected, "{seed}: {finalized:?}");
        assert_eq!(app.objects.open_uploads(), 0);
        assert_eq!(app.objects.keys().is_empty(), finalized.is_err());
        app.assert_rows_match_events().await;
    }
}

#[tokio::test]
async fn an_expired_upload_loses_its_parts_and_can_begin_again() {
    let app = TestApp::new();
    let photo = declare(&app, two_parts()).await;
    send(&app, photo, 1).await;
    app.execute_for(DAY + HOUR).await;
    let failed = PhotoState::Failed {
        reason: FailureReason::UploadExpired,
    };
    assert_eq!(app.photo(photo).await.state, failed);
    assert_eq!(app.objects.open_uploads(), 0);
    assert_lost(&finalize(&app, photo).await);
    let item = renew(&app, photo).await.unwrap();
    assert_eq!(
        (item.status, item.parts.unwrap().count()),
        (PhotoStatus::Queued, 2)
    );
    for part in [1, 2] {
        send(&app, photo, part).await;
    }
    finalize(&app, photo).await.unwrap();
    app.execute_due().await;
    assert_eq!(app.status(photo).await, PhotoStatus::Completed);
}

#[tokio::test]
async fn a_lost_upload_is_reported_and_replaced_on_renewal() {
    let app = TestApp::new();
    let photo = sent(&app).await;
    abort(&app, photo).await;
    assert_lost(&finalize(&app, photo).await);
    assert_eq!(uploaded(&app, photo).await.unwrap().parts, []);
    renew(&app, photo).await.unwrap();
    assert_eq!(app.objects.open_uploads(), 1);
    for part in [1, 2] {
        send(&app, photo, part).await;
    }
    finalize(&app, photo).await.unwrap();
    app.execute_due().await;
    assert_eq!(app.status(photo).await, PhotoStatus::Completed);
    assert!(
        app.objects
            .head(&app.original_key(photo))
            .await
            .unwrap()
            .is_some()
    );
}

#[tokio::test]
async fn an_object_that_is_there_already_is_kept_and_the_parts_are_dropped() {
    let app = TestApp::new();
    let photo = sent(&app).await;
    let key = app.original_key(photo);
    app.objects
        .put(&key, [body(1), body(2)].concat().into(), "image/jpeg")
        .await
        .unwrap();
    finalize(&app, photo).await.unwrap();
    assert_eq!(app.objects.open_uploads(), 0);
    app.execute_due().await;
    assert_eq!(app.status(photo).await, PhotoStatus::Completed);
}

#[tokio::test]
async fn a_deleted_photo_leaves_no_parts() {
    let app = TestApp::new();
    let photo = declare(&app, two_parts()).await;
    send(&app, photo, 1).await;
    for operation in [Operation::AbortMultipart, Operation::Delete] {
        app.objects.faults().fail_next(operation, 1);
    }
    app.delete(photo).await;
    app.execute_for(HOUR).await;
    assert_eq!(app.objects.open_uploads(), 0);
    let job = declare(&app, two_parts()).await;
    send(&app, job, 1).await;
    app.cancel_job(app.photo(job).await.job).await;
    app.execute_for(HOUR).await;
    assert_eq!(app.objects.open_uploads(), 0);
    assert_eq!(app.status(job).await, PhotoStatus::Cancelled);
}
