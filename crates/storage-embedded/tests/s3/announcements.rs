use std::time::Duration;

use serde_json::json;
use tokio::time::{sleep, timeout};

use crate::rig::{BUCKET, LIMIT, Rig, md5, send};

#[tokio::test(flavor = "multi_thread")]
async fn an_object_is_announced_as_aws_would_before_the_upload_is_answered() {
    let rig = Rig::start().await;
    rig.put("users/1/my cät+1.jpg", "meow").await;
    let mut message = rig.messages.all().pop().unwrap();
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
                "object": { "key": "users/1/my+c%C3%A4t%2B1.jpg", "size": 4, "eTag": md5(b"meow"), "sequencer": null },
            },
        }] })
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn sequencers_rise_from_one_object_of_a_key_to_the_next() {
    let rig = Rig::start().await;
    rig.put("k", "one").await;
    rig.put("k", "two").await;
    let sequencers: Vec<_> = rig
        .messages
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
async fn a_second_upload_announces_the_first_again() {
    let rig = Rig::start().await;
    let url = rig.presign_photo("k", b"first").await;
    assert_eq!(send(&rig, &url, b"first", |_| {}).await.status(), 200);

    // Also after a restart, when nobody remembers the first announcement.
    let rig = rig.restart().await;
    let url = rig.presign_photo("k", b"the second").await;
    let refused = send(&rig, &url, b"the second", |_| {}).await;
    assert_eq!(refused.status(), 412);
    assert!(
        refused
            .text()
            .await
            .unwrap()
            .contains("<Code>PreconditionFailed</Code>")
    );

    let announced = rig.messages.objects();
    assert_eq!(announced.len(), 1);
    assert_eq!(
        (&announced[0]["size"], &announced[0]["eTag"]),
        (&json!(5), &json!(md5(b"first")))
    );
    assert_eq!(rig.get("k").await.unwrap(), b"first");

    rig.client
        .put_object()
        .bucket(BUCKET)
        .key("k")
        .if_none_match("*")
        .send()
        .await
        .unwrap_err();
    assert_eq!(
        rig.messages.objects()[1],
        announced[0],
        "the same, to its sequencer"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_stands_when_its_message_is_refused() {
    let rig = Rig::start().await;
    rig.messages.refuse();
    rig.put("k", "meow").await;
    assert_eq!(rig.messages.all().len(), 1);
    assert_eq!(rig.get("k").await.unwrap(), b"meow");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_does_not_wait_forever_for_its_message() {
    let rig = Rig::with(|config| config.announce_timeout = Duration::from_millis(50)).await;
    rig.messages.hold();
    timeout(LIMIT, rig.put("k", "meow"))
        .await
        .expect("an answer, though nobody takes the message");
    assert_eq!(rig.messages.all().len(), 0, "it was answered first");
    assert_eq!(rig.get("k").await.unwrap(), b"meow");
    // The message is taken all the same, and the store doesn't stop before that.
    let messages = std::sync::Arc::clone(&rig.messages);
    let (stopping, _root) = rig.begin_stop();
    sleep(Duration::from_millis(200)).await;
    assert!(!stopping.is_finished());
    messages.let_go();
    stopping.await.unwrap();
    assert_eq!(messages.all().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn reading_and_deleting_announce_nothing() {
    let rig = Rig::start().await;
    rig.put("k", "meow").await;
    rig.get("k").await;
    rig.client
        .delete_object()
        .bucket(BUCKET)
        .key("k")
        .send()
        .await
        .unwrap();
    assert_eq!(rig.messages.all().len(), 1);
}
