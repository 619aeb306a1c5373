//! Uploads in parts that no photo needs.

use rapidphoto_application::{ports::MultipartUploads as _, uploads::UploadSweep};
use rapidphoto_domain::PhotoId;
use rapidphoto_memory::{
    Operation, TestApp,
    fixtures::{DAY, HOUR},
};

use serde_json::json;

use crate::support::parts::{declare, finalize, renew, send, sent, two_parts};

async fn sweep(app: &TestApp) -> u64 {
    UploadSweep::new(&app.ports, &app.settings)
        .handle()
        .await
        .unwrap()
}

#[tokio::test]
async fn only_uploads_that_no_photo_needs_are_aborted_once_they_are_a_day_old() {
    let app = TestApp::new();
    let needed = declare(&app, two_parts()).await;
    send(&app, needed, 1).await;
    let own = app.original_key(needed);
    let foreign = own.replacen("test/", "other/", 1);
    let unknown = app.original_key(PhotoId::from_bits(1));
    // More than a page of the memory adapter.
    for key in [&own, &own, &own, &own, &unknown, &foreign, &format!("{own}.tmp")] {
        app.objects.open(key, "image/jpeg").await.unwrap();
    }
    assert_eq!(sweep(&app).await, 0, "none is a day old");
    app.clock.advance(DAY);
    assert_eq!(sweep(&app).await, 5);
    assert_eq!(app.objects.open_uploads(), 3);
    send(&app, needed, 2).await;
    finalize(&app, needed).await.unwrap();
}

#[tokio::test]
async fn a_deployment_sweeps_once_an_hour_and_at_once_after_a_failure() {
    let app = TestApp::new();
    let key = app.original_key(PhotoId::from_bits(1));
    app.objects.open(&key, "image/jpeg").await.unwrap();
    app.clock.advance(DAY);
    app.objects.faults().fail_next(Operation::AbortMultipart, 1);
    UploadSweep::new(&app.ports, &app.settings)
        .handle()
        .await
        .unwrap_err();
    assert_eq!(sweep(&app).await, 1);
    app.objects.open(&key, "image/jpeg").await.unwrap();
    assert_eq!(sweep(&app).await, 0);
    app.clock.advance(DAY + HOUR);
    assert_eq!(sweep(&app).await, 1);
    let listed = app.use_cases().list_subscriptions.handle().await.unwrap();
    assert!(listed.is_empty(), "the lease is no reader of the log: {listed:?}");
}

#[tokio::test]
async fn an_upload_that_began_anew_leaves_the_first_one_to_the_sweep() {
    let app = TestApp::new();
    let photo = sent(&app).await;
    // Reported too early: storage has no object, so that the upload fails.
    let object = json!({ "key": app.original_key(photo), "size": 1, "eTag": "x" });
    let event = json!({
        "eventName": "ObjectCreated:Put",
        "s3": { "bucket": { "name": app.settings.storage.bucket }, "object": object },
    });
    app.receive(json!({ "Records": [event] }).to_string())
        .await
        .unwrap();
    app.execute_for(HOUR / 30).await;
    renew(&app, photo).await.unwrap();
    send(&app, photo, 1).await;
    assert_eq!(app.objects.open_uploads(), 2);
    app.clock.advance(DAY);
    assert_eq!(sweep(&app).await, 1);
    assert_eq!(app.objects.open_uploads(), 1);
}
