use std::time::Duration;

use serde_json::json;
use tokio::time::{sleep, timeout};

use crate::support::{BUCKET, StorageServer, TEST_TIMEOUT, etag, send_presigned};

#[tokio::test(flavor = "multi_thread")]
async fn a_notification_in_the_format_of_aws_precedes_the_response() {
    let server = StorageServer::start().await;
    server.put("users/1/my cät+1.jpg", "meow").await;
    let mut message = server.notifications.received().pop().unwrap();
    let sequencer = message["Records"][0]["s3"]["object"]["sequencer"].take();
    assert!(
        sequencer
            .as_str()
            .unwrap()
            .bytes()
            .all(|byte| byte.is_ascii_hexdigit())
    );
    assert_eq!(
        message,
        json!({ "Records": [{
            "eventVersion": "2.1",
            "eventSource": "aws:s3",
            "awsRegion": "eu-west-1",
            "eventTime": "2025-06-15T15:06:40.123Z",
            "eventName": "ObjectCreated:Put",
            "s3": {
                "s3SchemaVersion": "1.0",
                "configurationId": "embedded",
                "bucket": { "name": "photos", "arn": "arn:aws:s3:::photos" },
                "object": { "key": "users/1/my+c%C3%A4t%2B1.jpg", "size": 4, "eTag": etag(b"meow"), "sequencer": null },
            },
        }] })
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn sequencers_increase_with_each_upload_of_a_key() {
    let server = StorageServer::start().await;
    server.put("k", "one").await;
    server.put("k", "two").await;
    let sequencers: Vec<_> = server
        .notifications
        .objects()
        .iter()
        .map(|object| object["sequencer"].as_str().unwrap().to_owned())
        .collect();
    assert!(
        sequencers[0] < sequencers[1] && sequencers[0].len() == sequencers[1].len(),
        "{sequencers:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rejected_second_upload_repeats_the_first_notification() {
    let server = StorageServer::start().await;
    let url = server.presign_photo("k", b"first").await;
    assert_eq!(
        send_presigned(&server, &url, b"first", |_| {}).await.status(),
        200
    );

    // Also after a restart, when the first notification is not in memory.
    let server = server.restart().await;
    let url = server.presign_photo("k", b"the second").await;
    let rejected = send_presigned(&server, &url, b"the second", |_| {}).await;
    assert_eq!(rejected.status(), 412);
    assert!(
        rejected
            .text()
            .await
            .unwrap()
            .contains("<Code>PreconditionFailed</Code>")
    );

    let objects = server.notifications.objects();
    assert_eq!(objects.len(), 1);
    assert_eq!(
        (&objects[0]["size"], &objects[0]["eTag"]),
        (&json!(5), &json!(etag(b"first")))
    );
    assert_eq!(server.get("k").await.unwrap(), b"first");

    server
        .client
        .put_object()
        .bucket(BUCKET)
        .key("k")
        .if_none_match("*")
        .send()
        .await
        .unwrap_err();
    assert_eq!(
        server.notifications.objects()[1],
        objects[0],
        "identical, including the sequencer"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_succeeds_if_its_notification_fails() {
    let server = StorageServer::start().await;
    server.notifications.fail();
    server.put("k", "meow").await;
    assert_eq!(server.notifications.received().len(), 1);
    assert_eq!(server.get("k").await.unwrap(), b"meow");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_waits_a_limited_time_for_its_notification() {
    let server =
        StorageServer::with_config(|config| config.notification_timeout = Duration::from_millis(50)).await;
    server.notifications.pause();
    timeout(TEST_TIMEOUT, server.put("k", "meow"))
        .await
        .expect("a response before the notification is processed");
    assert_eq!(
        server.notifications.received().len(),
        0,
        "the response came first"
    );
    assert_eq!(server.get("k").await.unwrap(), b"meow");
    // The notification is processed nevertheless, and the shutdown waits for it.
    let notifications = std::sync::Arc::clone(&server.notifications);
    let (shutdown, _root) = server.begin_shutdown();
    sleep(Duration::from_millis(200)).await;
    assert!(!shutdown.is_finished());
    notifications.resume();
    shutdown.await.unwrap();
    assert_eq!(notifications.received().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn reading_and_deleting_send_no_notifications() {
    let server = StorageServer::start().await;
    server.put("k", "meow").await;
    server.get("k").await;
    server
        .client
        .delete_object()
        .bucket(BUCKET)
        .key("k")
        .send()
        .await
        .unwrap();
    assert_eq!(server.notifications.received().len(), 1);
}
